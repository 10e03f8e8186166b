//! `ebusy errors LOG|-`: the busy errors of one log.

use ebusy_analyzer::errors::LogScanner;
use ebusy_analyzer::report::BusyError;
use lexopt::prelude::*;
use serde::Serialize;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::process::ExitCode;

const HELP: &str = "usage: ebusy errors LOG|- [--format text|json]

Lists the busy errors of a log: what could not be removed, unmounted or mounted because it is busy.
LOG is a file in any format (plain, syslog, journald, JSON, klog; also gzip), - is standard input.
json prints one object a line. Exit code: 0 some were found, 3 none, 2 the input could not be read.";

/// What `ebusy errors` prints of an error as JSON: these fields, null where unknown.
#[derive(Serialize)]
struct Row<'a> {
    container_id: &'a Option<String>,
    other_ids: &'a [String],
    path: &'a Option<String>,
    device: &'a Option<String>,
    driver: &'a Option<String>,
    runtime: &'a Option<String>,
    line: &'a str,
    count: u32,
    first: &'a Option<String>,
    last: &'a Option<String>,
}

impl<'a> From<&'a BusyError> for Row<'a> {
    fn from(e: &'a BusyError) -> Self {
        let BusyError {
            container_id,
            other_ids,
            path,
            device,
            driver,
            runtime,
            line,
            count,
            first,
            last,
            ..
        } = e;
        Row { container_id, other_ids, path, device, driver, runtime, line, count: *count, first, last }
    }
}

/// Runs the command with the arguments after its name.
pub(crate) fn run(args: lexopt::Parser) -> ExitCode {
    match list(args) {
        Ok(code) => code,
        Err(why) => {
            eprintln!("ebusy errors: {why}");
            ExitCode::from(2)
        }
    }
}

fn list(mut args: lexopt::Parser) -> Result<ExitCode, String> {
    let (mut log, mut json) = (None, false);
    while let Some(arg) = args.next().map_err(|e| format!("{e}. {}", first_line(HELP)))? {
        match arg {
            Long("format") => json = format(&args.value().map_err(|e| e.to_string())?)?,
            Short('h') | Long("help") => {
                println!("{HELP}");
                return Ok(ExitCode::SUCCESS);
            }
            Value(value) if log.is_none() => log = Some(value),
            other => return Err(format!("{}. {}", other.unexpected(), first_line(HELP))),
        }
    }
    let log = log.ok_or_else(|| format!("name a log file, or - for standard input. {}", first_line(HELP)))?;
    let bytes = read(&log)?;
    let mut scanner = LogScanner::new();
    scanner.push_file(&log.to_string_lossy(), &bytes);
    let lines = scanner.lines_read();
    if scanner.forgotten() > 0 {
        eprintln!(
            "ebusy: {} more different errors, which appeared earlier, are left out.",
            scanner.forgotten()
        );
    }
    let errors = scanner.finish();
    if errors.is_empty() {
        eprintln!(
            "ebusy errors: no busy error in {lines} lines. Give the container runtime's log \
             (`journalctl -u docker -o short-iso`) of the time when the removal failed."
        );
        return Ok(ExitCode::from(3));
    }
    print(&if json { as_json(&errors)? } else { as_text(&errors) })?;
    Ok(ExitCode::SUCCESS)
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

fn format(value: &OsString) -> Result<bool, String> {
    match value.to_str() {
        Some("json") => Ok(true),
        Some("text") => Ok(false),
        _ => Err(format!("there is no format {value:?}: use text or json")),
    }
}

fn read(log: &OsString) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = if log == "-" {
        std::io::stdin().lock().read_to_end(&mut bytes).map(|_| ())
    } else {
        std::fs::read(log).map(|b| bytes = b)
    };
    read.map_err(|e| format!("cannot read {log:?}: {e}. Give a log file, or - for standard input"))?;
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(bytes);
    }
    let mut plain = Vec::new();
    let inflated = flate2::read::MultiGzDecoder::new(bytes.as_slice()).read_to_end(&mut plain);
    match inflated {
        Err(e) if plain.is_empty() => {
            Err(format!("{log:?} is damaged gzip: {e}. Send the log again, or unpacked"))
        }
        // What could be read of a log that was cut off is worth reading.
        _ => Ok(plain),
    }
}

/// A reader that closes the pipe early (`| head`) is no error.
fn print(text: &str) -> Result<(), String> {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(format!("cannot write: {e}")),
        _ => Ok(()),
    }
}

fn as_json(errors: &[BusyError]) -> Result<String, String> {
    let rows: Result<Vec<String>, _> = errors.iter().map(|e| serde_json::to_string(&Row::from(e))).collect();
    Ok(rows.map_err(|e| e.to_string())?.join("\n") + "\n")
}

fn as_text(errors: &[BusyError]) -> String {
    let mut out = String::new();
    for (n, e) in errors.iter().enumerate() {
        let gap = if n > 0 { "\n" } else { "" };
        let what = e.path.as_ref().or(e.device.as_ref()).or(e.container_id.as_ref()).or(e.name.as_ref());
        let _ = writeln!(
            out,
            "{gap}{}. {} is busy",
            n + 1,
            what.map_or("something unnamed".into(), |w| visible(w))
        );
        let seen = match (&e.first, &e.last) {
            (Some(first), Some(last)) if first != last => format!("{} times, {first} to {last}", e.count),
            (Some(at), _) => format!("{} {}, {at}", e.count, if e.count == 1 { "time" } else { "times" }),
            _ => format!("{} {}", e.count, if e.count == 1 { "time" } else { "times" }),
        };
        let others = (!e.other_ids.is_empty()).then(|| e.other_ids.join(", "));
        let rows = [
            ("container", &e.container_id),
            ("name", &e.name),
            ("other ids", &others),
            ("path", &e.path),
            ("device", &e.device),
            ("driver", &e.driver),
            ("runtime", &e.runtime),
            ("seen", &Some(seen)),
        ];
        for (label, value) in rows {
            if let Some(value) = value {
                let _ = writeln!(out, "   {label:<10} {}", visible(value));
            }
        }
        let line = e.evidence.as_ref().and_then(|e| e.line);
        let label = line.map_or("line".to_owned(), |n| format!("line {n}"));
        for (i, text) in e.line.split('\n').enumerate() {
            let _ = writeln!(out, "   {:<10} {}", if i == 0 { &label } else { "" }, visible(text));
        }
    }
    out
}

/// Hostile text must not reach the terminal: control and direction-changing characters are shown.
fn visible(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    text.chars()
        .map(|c| {
            if c == '\t' {
                " ".into()
            } else if hidden(c) {
                c.escape_unicode().to_string()
            } else {
                c.into()
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors() -> Vec<BusyError> {
        ebusy_analyzer::errors::scan(b"umount: /srv/a: target is busy.\numount: /srv/a: target is busy.\n")
    }

    #[test]
    fn json_has_the_promised_fields_and_no_other() {
        let line: serde_json::Value = serde_json::from_str(as_json(&errors()).unwrap().trim()).unwrap();
        let mut keys: Vec<&str> = line.as_object().unwrap().keys().map(String::as_str).collect();
        keys.sort_unstable();
        let wanted = [
            "container_id",
            "count",
            "device",
            "driver",
            "first",
            "last",
            "line",
            "other_ids",
            "path",
            "runtime",
        ];
        assert_eq!(keys, wanted);
        assert!(line["container_id"].is_null());
        assert_eq!((line["path"].as_str(), line["count"].as_u64()), (Some("/srv/a"), Some(2)));
    }

    #[test]
    fn text_names_what_is_busy_and_hides_nothing() {
        let text = as_text(&errors());
        assert!(text.starts_with("1. /srv/a is busy\n"), "{text}");
        assert!(text.contains("2 times"), "{text}");
        assert_eq!(visible("a\u{1b}[31m\u{202e}b"), "a\\u{1b}[31m\\u{202e}b");
    }
}
