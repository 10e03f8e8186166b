//! The command line: its options and how they are read. [`manual`] makes the texts about them.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use lexopt::{Arg, Parser, ValueExt};

use crate::context::{Options, Redact};
use crate::manual;

/// What the command line asks for.
#[derive(Debug)]
pub(crate) enum Request {
    Collect(Box<Options>),
    /// Wait for the end, as the main process of a container in which others start the collector.
    StandBy,
    /// A text for standard output: help, version, man page or completions.
    Print(String),
}

/// One option: the definition that parsing, help, man page and completions share.
pub(crate) struct Flag {
    pub(crate) group: &'static str,
    pub(crate) short: Option<char>,
    pub(crate) long: &'static str,
    /// What its value is called; empty when it takes none.
    pub(crate) value: &'static str,
    /// The values it takes, where these are few words.
    pub(crate) choices: &'static [&'static str],
    /// One line or a few.
    pub(crate) help: &'static str,
}

const fn flag(
    group: &'static str,
    short: Option<char>,
    long: &'static str,
    value: &'static str,
    help: &'static str,
) -> Flag {
    Flag { group, short, long, value, choices: &[], help }
}

pub(crate) const FLAGS: &[Flag] = &[
    flag(
        "Output",
        Some('o'),
        "output",
        "FILE",
        "write here; - streams to standard output\n[default: ebusy-HOST-UTCTIME.tar.gz in this directory]",
    ),
    #[cfg(feature = "html")]
    flag("Output", None, "html", "FILE", "write a page with the bundle inside, which opens in any browser"),
    flag("Output", None, "dry-run", "", "write nothing; say what would be taken, how much"),
    flag("What to take", None, "log", "FILE", "add a log; may be given several times"),
    flag("What to take", None, "since", "DAYS", "logs of the last DAYS days, or 12h, 30m [default: 7]"),
    flag("What to take", None, "no-fds", "", "leave out open descriptors and mapped files"),
    Flag {
        choices: &["secrets", "strict"],
        ..flag(
            "What to take",
            None,
            "redact",
            "WHAT",
            "secrets: passwords, tokens, keys [default];\nstrict: host names, addresses and users, too",
        )
    },
    flag("Another host", None, "root", "DIR", "a host whose root directory is mounted at DIR"),
    flag(
        "Another host",
        None,
        "proc",
        "DIR",
        "its /proc, live or recorded\n[default: proc in --root if there are processes,\nelse /proc]",
    ),
    flag(
        "Another host",
        None,
        "stand-by",
        "",
        "take nothing, wait until ended: a pod's main process,\nfor kubectl exec to collect in",
    ),
    flag("Limits", None, "timeout", "SECS", "end after this time with what is there [default: 60]"),
    flag("About", Some('q'), "quiet", "", "say nothing but errors"),
    flag("About", Some('h'), "help", "", "this text"),
    flag("About", Some('V'), "version", "", "the version"),
    flag("About", None, "help-man", "", "the manual page, for man -l -"),
    Flag {
        choices: &["bash", "zsh", "fish"],
        ..flag("About", None, "completions", "SHELL", "completions for bash, zsh or fish")
    },
];

/// Exit codes and what they mean.
pub(crate) const EXIT_CODES: [(&str, &str); 5] = [
    ("0", "the bundle was written; what could not be read is in summary.json"),
    ("1", "no bundle was written"),
    ("2", "the command line was not understood"),
    ("3", "the bundle was written, but the time limit ended it early"),
    ("130, 143", "stopped by a signal; no file was left behind"),
];

/// What `--version` says.
fn version() -> String {
    let commit = option_env!("EBUSY_COMMIT").map(|commit| format!(" ({commit})")).unwrap_or_default();
    format!("ebusy-collector {}{commit}\nwrites ebusy.bundle/1\n", env!("CARGO_PKG_VERSION"))
}

/// Reads the command line, without the program's name.
///
/// # Errors
/// A sentence for the user.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Request, String> {
    let given: Vec<OsString> = arguments.into_iter().collect();
    let mut options = Options {
        output: None,
        html: false,
        proc: None,
        root: PathBuf::from("/"),
        logs: Vec::new(),
        since: Duration::from_secs(7 * 86_400),
        descriptors: true,
        timeout: Duration::from_secs(60),
        quiet: false,
        dry_run: false,
        redact: Redact::Secrets,
        given: given.iter().map(|argument| argument.to_string_lossy().into_owned()).collect(),
    };
    let mut parser = Parser::from_args(given);
    let told = |error: lexopt::Error| error.to_string();
    while let Some(argument) = parser.next().map_err(told)? {
        match argument {
            Arg::Short('o') | Arg::Long("output") => {
                options.set_output(parser.value().map_err(told)?, false)?;
            }
            Arg::Long("html") if cfg!(feature = "html") => {
                options.set_output(parser.value().map_err(told)?, true)?;
            }
            Arg::Long("html") => {
                return Err(
                    "this collector has no page in it; ebusy-collector-html of the same release has".into()
                );
            }
            Arg::Long("log") => options.logs.push(parser.value().map_err(told)?.into()),
            Arg::Long("since") => options.since = since(&parser.value().map_err(told)?)?,
            Arg::Long("no-fds") => options.descriptors = false,
            Arg::Long("root") => options.root = parser.value().map_err(told)?.into(),
            Arg::Long("proc") => options.proc = Some(parser.value().map_err(told)?.into()),
            Arg::Long("timeout") => {
                let seconds: u64 = parser.value().map_err(told)?.parse().map_err(told)?;
                if seconds == 0 {
                    return Err("--timeout wants at least 1 second".into());
                }
                options.timeout = Duration::from_secs(seconds.min(86_400));
            }
            Arg::Short('q') | Arg::Long("quiet") => options.quiet = true,
            Arg::Long("dry-run") => options.dry_run = true,
            Arg::Long("redact") => {
                options.redact = match parser.value().map_err(told)?.to_str() {
                    Some("secrets") => Redact::Secrets,
                    Some("strict") => Redact::Strict,
                    _ => return Err("--redact wants secrets or strict".into()),
                };
            }
            Arg::Long("stand-by") => return Ok(Request::StandBy),
            Arg::Short('h') | Arg::Long("help") => return Ok(Request::Print(manual::help())),
            Arg::Short('V') | Arg::Long("version") => {
                return Ok(Request::Print(version()));
            }
            Arg::Long("help-man") => return Ok(Request::Print(manual::man())),
            Arg::Long("completions") => {
                let shell = parser.value().map_err(told)?;
                let script = shell.to_str().and_then(manual::completions);
                return script
                    .map(Request::Print)
                    .ok_or_else(|| "--completions wants bash, zsh or fish".into());
            }
            other => return Err(other.unexpected().to_string()),
        }
    }
    Ok(Request::Collect(Box::new(options)))
}

impl Options {
    /// The bundle or the page that has it inside: one is written, and none is silently left out.
    fn set_output(&mut self, file: OsString, html: bool) -> Result<(), String> {
        if self.output.is_some() && self.html != html {
            return Err(
                "--output and --html are two forms of one output; the page has the bundle inside".into()
            );
        }
        (self.output, self.html) = (Some(file.into()), html);
        Ok(())
    }
}

/// `7`, `7d`, `12h`, `30m`.
fn since(text: &OsString) -> Result<Duration, String> {
    let wrong = || format!("--since wants a number of days, or 12h, 30m; not {}", text.to_string_lossy());
    let text = text.to_str().ok_or_else(wrong)?;
    let (number, unit) = match text.strip_suffix(['d', 'h', 'm']) {
        Some(number) => (number, &text[number.len()..]),
        None => (text, "d"),
    };
    let seconds = match unit {
        "m" => 60,
        "h" => 3600,
        _ => 86_400,
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    Ok(Duration::from_secs(number.saturating_mul(seconds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(arguments: &[&str]) -> Result<Options, String> {
        match parse(arguments.iter().map(OsString::from))? {
            Request::Collect(options) => Ok(*options),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn times_and_defaults() {
        assert_eq!(options(&[]).unwrap().since, Duration::from_secs(604_800));
        assert_eq!(options(&["--since", "12h"]).unwrap().since, Duration::from_secs(43_200));
        assert_eq!(options(&["--since=2"]).unwrap().since, Duration::from_secs(172_800));
        assert!(options(&["--since", "yesterday"]).unwrap_err().contains("days"));
        assert!(options(&["--timeout", "0"]).is_err());
        assert!(options(&["--frobnicate"]).unwrap_err().contains("--frobnicate"));
    }

    /// `--help` and the manual page print a heading for each.
    #[test]
    fn flags_of_a_group_stand_together() {
        let mut groups: Vec<_> = FLAGS.iter().map(|flag| flag.group).collect();
        groups.dedup();
        let all = groups.len();
        groups.sort_unstable();
        groups.dedup();
        assert_eq!(groups.len(), all);
    }

    #[test]
    fn every_flag_of_the_table_is_understood_and_no_other() {
        for flag in FLAGS {
            let value = flag.choices.last().copied().unwrap_or("7");
            let long = format!("--{}", flag.long);
            let with_value = [long.as_str(), value];
            let words = if flag.value.is_empty() { &with_value[..1] } else { &with_value[..] };
            assert!(parse(words.iter().map(OsString::from)).is_ok(), "{words:?}");
            if let Some(short) = flag.short {
                let words = [format!("-{short}"), value.to_owned()];
                let words = if flag.value.is_empty() { &words[..1] } else { &words[..] };
                assert!(parse(words.iter().map(OsString::from)).is_ok(), "{words:?}");
            }
        }
        assert!(options(&["--redact", "all"]).unwrap_err().contains("strict"));
        assert_eq!(options(&["--redact=strict"]).unwrap().redact, Redact::Strict);
    }
}
