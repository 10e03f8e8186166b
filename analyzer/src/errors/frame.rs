//! Peels what loggers and people put around a message: quote marks, `grep -n` prefixes, timestamps,
//! syslog headers, klog, logrus, logfmt, JSON (docker's json-file, journald's export), until the
//! message itself is left with its time and the program that wrote it.

use super::clean;
use super::time::{self, Stamp};
use serde_json::Value;

/// A message without its wrapping.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Record {
    /// The message, one line, see [`clean::unescape`].
    pub(crate) text: String,
    /// The best time: the innermost that is complete, else the outermost.
    pub(crate) stamp: Option<Stamp>,
    /// The innermost time as written, to know the same message again in another log.
    pub(crate) identity: String,
    /// Program that wrote the line, where a syslog header or journald's fields name it.
    pub(crate) program: Option<String>,
}

/// How many wrappings of one message are undone.
const DEPTH: usize = 16;

/// Reads one line (or the lines that were joined to one).
pub(crate) fn read(raw: &str) -> Record {
    let mut record = Record::default();
    peel(raw, &mut record, DEPTH);
    record
}

fn peel(raw: &str, record: &mut Record, depth: usize) {
    let mut rest = raw.trim();
    for _ in 0..depth {
        let before = rest.len();
        rest = decoration(rest);
        rest = stamp(rest, record);
        if depth > 1 && rest.starts_with('{') && json(rest, record, depth - 1) {
            return;
        }
        if rest.len() == before {
            break;
        }
    }
    logfmt_time(rest, record);
    record.text = clean::unescape(rest);
}

/// True where a line begins with a wrapping of its own, so that it does not continue another line.
pub(crate) fn starts_record(raw: &str) -> bool {
    let mut record = Record::default();
    let rest = stamp(decoration(raw.trim()), &mut record);
    record.stamp.is_some()
        || ["time=\"", "time=2", "level=", "{\"", "__REALTIME", "MESSAGE="]
            .iter()
            .any(|p| rest.starts_with(p))
        || logrus(rest).is_some()
}

/// Quote marks, list marks, `grep -n` prefixes, journald's export keys, levels in brackets.
fn decoration(text: &str) -> &str {
    let mut rest = text.trim_start();
    for mark in ["> ", ">", "- ", "* ", "+ ", "# ", "| ", "│", "• ", "` ", "MESSAGE="] {
        if let Some(tail) = rest.strip_prefix(mark) {
            rest = tail.trim_start();
        }
    }
    if let Some(tail) = grep_prefix(rest) {
        rest = tail;
    }
    if let Some(tail) = logrus(rest) {
        rest = tail;
    }
    bracketed(rest)
}

/// `12:`, `docker.log:12:` and `/var/log/messages:12:`, as `grep -n` prints them; `12.` of a list.
fn grep_prefix(text: &str) -> Option<&str> {
    let number = |s: &'_ str| !s.is_empty() && s.len() < 9 && s.bytes().all(|b| b.is_ascii_digit());
    let (first, tail) = text.split_once(':')?;
    if number(first) && !tail.starts_with(|c: char| c.is_ascii_digit()) {
        return Some(tail);
    }
    let file =
        !first.is_empty() && !first.contains([' ', '"', '\'', '=', '{', '[']) && first.contains(['.', '/']);
    if !file {
        return None;
    }
    match tail.split_once(':') {
        Some((line, tail)) if number(line) => Some(tail),
        // Without -n there is only the name; it is a log's name where a timestamp follows.
        _ => time::any(tail.trim_start()).is_ok().then_some(tail),
    }
}

/// `ERRO[0002] `, logrus on a terminal.
fn logrus(text: &str) -> Option<&str> {
    let tail = text.get(4..)?.strip_prefix('[')?;
    ["ERRO", "WARN", "FATA", "INFO", "DEBU", "PANI"].contains(&text.get(..4)?).then_some(())?;
    let (seconds, tail) = tail.split_once(']')?;
    seconds.bytes().all(|b| b.is_ascii_digit() || b == b' ').then_some(tail)
}

/// `[error]`, `[   12.345678]` (dmesg), `[+1136s]`, `[8ad069f7]` (a job of docker 1.x), `<30>`.
fn bracketed(text: &str) -> &str {
    let inside = |open: char, close: char| {
        let (inner, tail) = text.strip_prefix(open)?.split_once(close)?;
        (inner.len() < 24 && !inner.contains(['/', '"', '\''])).then_some((inner, tail))
    };
    match inside('[', ']') {
        Some((inner, tail)) if time::any(inner.trim()).is_err() && !inner.is_empty() => tail.trim_start(),
        _ => match inside('<', '>') {
            Some((inner, tail)) if inner.bytes().all(|b| b.is_ascii_digit()) => tail,
            _ => text,
        },
    }
}

/// A timestamp (in brackets or not) with the host, program and stream that may follow it.
fn stamp<'a>(text: &'a str, record: &mut Record) -> &'a str {
    let text = text.trim_start();
    // RFC 5424 writes a version between priority and time.
    let candidate = text.strip_prefix("1 ").filter(|t| time::iso(t).is_ok()).unwrap_or(text);
    let open = candidate.starts_with(['[', '(', '"', '\'']);
    let Ok((rest, stamp)) = time::any(&candidate[usize::from(open)..]) else { return text };
    let rest = if open { rest.trim_start_matches([']', ')', '"', '\'']) } else { rest };
    let rest = rest.strip_prefix(':').unwrap_or(rest);
    note(record, stamp);
    after_stamp(rest, record)
}

fn note(record: &mut Record, stamp: Stamp) {
    record.identity = match stamp.unix {
        Some((secs, _)) => secs.to_string(),
        None => stamp.text.clone(),
    };
    let better = match &record.stamp {
        None => true,
        Some(_) => stamp.unix.is_some(),
    };
    if better {
        record.stamp = Some(stamp);
    }
}

/// `host dockerd[123]: `, RFC 5424's `host dockerd 123 - - `, CRI's `stderr F `, `ERROR `.
fn after_stamp<'a>(text: &'a str, record: &mut Record) -> &'a str {
    let rest = text.trim_start();
    for stream in ["stdout F ", "stderr F ", "stdout P ", "stderr P "] {
        if let Some(tail) = rest.strip_prefix(stream) {
            return tail;
        }
    }
    let mut words = rest.splitn(3, ' ');
    let (Some(host), Some(tag), Some(tail)) = (words.next(), words.next(), words.next()) else { return rest };
    if let Some(program) = tag.strip_suffix(':') {
        let name = program.split('[').next().unwrap_or(program);
        if host_like(host) && host_like(name) && (program.ends_with(']') || !program.contains('[')) {
            record.program = Some(name.to_owned());
            return tail;
        }
    }
    // RFC 5424: host app procid msgid structured-data message
    let mut fields = tail.splitn(3, ' ');
    if let (Some(pid), Some(_id), Some(tail)) = (fields.next(), fields.next(), fields.next())
        && host_like(host)
        && (pid == "-" || pid.bytes().all(|b| b.is_ascii_digit()) && !pid.is_empty())
        && (tail.starts_with("- ") || tail.starts_with('['))
    {
        record.program = Some(tag.to_owned());
        return tail.strip_prefix("- ").or_else(|| tail.split_once("] ").map(|t| t.1)).unwrap_or(tail);
    }
    rest
}

fn host_like(word: &str) -> bool {
    !word.is_empty()
        && word.len() < 128
        && word.chars().all(|c| c.is_alphanumeric() || "-._@:/()".contains(c))
        && !word.starts_with('/')
}

/// The message's own `time="…"`, which is more exact than that of the log that carried it.
fn logfmt_time(text: &str, record: &mut Record) {
    let Some(at) = text.find("time=").filter(|at| *at < 64) else { return };
    let value = text[at + 5..].trim_start_matches(['\\', '"']);
    if let Ok((_, stamp)) = time::iso(value).or_else(|_| time::any(value)) {
        note(record, stamp);
    }
}

/// One JSON object with a message in it; false where it is something else or cut off.
fn json(text: &str, record: &mut Record, depth: usize) -> bool {
    let Some(Value::Object(fields)) = crate::json::first_value(text.as_bytes()) else { return false };
    let mut message = String::new();
    let mut others = String::new();
    for (key, value) in &fields {
        match key.as_str() {
            "__REALTIME_TIMESTAMP" => {
                if let Some(micros) = plain(value).and_then(|v| v.parse().ok()) {
                    note(record, Stamp::from_micros(micros));
                }
            }
            "time" | "ts" | "timestamp" | "@timestamp" | "t" => {
                if let Some((_, stamp)) = plain(value).as_deref().and_then(|v| time::any(v).ok()) {
                    note(record, stamp);
                }
            }
            "SYSLOG_IDENTIFIER" | "program" | "ident" => record.program = plain(value),
            "MESSAGE" | "msg" | "message" | "log" => flatten(value, &mut message),
            "level" => {}
            // journald's fields are written in capitals (systemd.journal-fields(7)); the message has them all.
            key if key.bytes().all(|b| matches!(b, b'A'..=b'Z' | b'0'..=b'9' | b'_')) => {}
            key => {
                others.push_str(&format!(" {key}: "));
                flatten(value, &mut others);
            }
        }
    }
    if record.program.is_none() {
        record.program = fields.get("_COMM").and_then(plain);
    }
    let mut inner = Record { text: String::new(), ..record.clone() };
    peel(&message, &mut inner, depth);
    inner.text.push(' ');
    inner.text.push_str(&clean::unescape(&others));
    inner.text.truncate(inner.text.trim_end().len());
    *record = inner;
    true
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(s) => Some(s.clone()),
        Value::Number(n) => Some(n.to_string()),
        _ => None,
    }
}

/// The strings of a value, one after the other. journald writes what is not UTF-8 as an array of bytes.
fn flatten(value: &Value, out: &mut String) {
    match value {
        Value::Array(items) if !items.is_empty() && items.iter().all(Value::is_u64) => {
            let bytes: Vec<u8> =
                items.iter().filter_map(Value::as_u64).filter_map(|n| u8::try_from(n).ok()).collect();
            out.push_str(&clean::lossy(&clean::strip_ansi(&bytes)));
        }
        Value::Array(items) => items.iter().for_each(|item| {
            flatten(item, out);
            out.push(' ');
        }),
        Value::Object(fields) => fields.iter().for_each(|(key, item)| {
            out.push_str(&format!(" {key}: "));
            flatten(item, out);
        }),
        value => out.push_str(&plain(value).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(raw: &str) -> (String, Option<String>, Option<String>) {
        let r = read(raw);
        (r.text, r.stamp.map(|s| s.text), r.program)
    }

    fn some(s: &str) -> Option<String> {
        Some(s.to_owned())
    }

    #[test]
    fn syslog_headers() {
        assert_eq!(
            parts("Jul 14 15:22:06 db1 dockerd[12]: remove /x"),
            ("remove /x".into(), some("Jul 14 15:22:06"), some("dockerd"))
        );
        assert_eq!(
            parts("<30>1 2024-05-06T07:08:09Z db1 kubelet 33 - - remove /x"),
            ("remove /x".into(), some("2024-05-06T07:08:09Z"), some("kubelet"))
        );
        assert_eq!(
            parts("2024-05-06T07:08:09+0200 db1 crio[3]: remove /x"),
            ("remove /x".into(), some("2024-05-06T05:08:09Z"), some("crio"))
        );
    }

    #[test]
    fn the_messages_own_time_wins() {
        let (_, at, _) =
            parts(r#"Jul 14 15:22:06 db1 dockerd: time="2017-07-14T15:22:06Z" level=error msg="x""#);
        assert_eq!(at, some("2017-07-14T15:22:06Z"));
    }

    #[test]
    fn json_logs() {
        assert_eq!(
            parts(
                r#"{"log":"umount: /x: target is busy.\n","stream":"stderr","time":"2024-01-01T00:00:00.5Z"}"#
            ),
            ("umount: /x: target is busy. stream: stderr".into(), some("2024-01-01T00:00:00.5Z"), None)
        );
        let r = read(
            r#"{"MESSAGE":[104,105],"__REALTIME_TIMESTAMP":"1500000000000000","_COMM":"dockerd","PRIORITY":"6"}"#,
        );
        assert_eq!((r.text.as_str(), r.identity.as_str()), ("hi", "1500000000"));
        assert_eq!(r.program, some("dockerd"));
    }

    #[test]
    fn marks_of_people_and_grep() {
        for raw in
            ["> * remove /x", "/var/log/docker.log:17:remove /x", "17:remove /x", "ERRO[0002] remove /x"]
        {
            assert_eq!(parts(raw).0, "remove /x", "{raw}");
        }
        assert_eq!(parts("[   12.345678] overlayfs: upperdir").0, "overlayfs: upperdir");
        assert_eq!(parts("umount: /x: busy").0, "umount: /x: busy");
    }

    #[test]
    fn records_are_told_from_continuations() {
        assert!(starts_record("Jul 14 15:22:06 db1 dockerd[12]: x"));
        assert!(starts_record("level=error msg=\"x\""));
        assert!(!starts_record("  device or resource busy"));
    }
}
