//! Bytes of a log → readable text: ANSI colours, levels of escaping and typographic quotes removed.
//!
//! Every later step works on this text, so that one wording needs one grammar, however often some
//! tool has wrapped it into a string of its own.

/// Bytes → text; what is not UTF-8 and control characters become `\xNN` (tab and newline stay).
pub(crate) fn lossy(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c.is_control() && c != '\n' && c != '\t' {
                push_escaped(&mut out, c);
            } else {
                out.push(c);
            }
        }
        for b in chunk.invalid() {
            out.push_str(&format!("\\x{b:02x}"));
        }
    }
    out
}

fn push_escaped(out: &mut String, c: char) {
    let code = u32::from(c);
    if code < 0x100 { out.push_str(&format!("\\x{code:02x}")) } else { out.extend(c.escape_unicode()) }
}

/// Removes ANSI escape sequences: CSI (`ESC [ … letter`), OSC (`ESC ] … BEL`) and two-byte ones.
pub(crate) fn strip_ansi(bytes: &[u8]) -> Vec<u8> {
    const ESC: u8 = 0x1b;
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while let Some(&b) = bytes.get(i) {
        if b != ESC {
            out.push(b);
            i += 1;
            continue;
        }
        let tail = bytes.get(i + 2..).unwrap_or_default();
        i += match bytes.get(i + 1) {
            Some(b'[') => tail.iter().position(|b| (0x40..=0x7e).contains(b)).map_or(2, |n| n + 3),
            Some(b']') => tail.iter().position(|&b| b == 7 || b == ESC).map_or(2, |n| n + 3),
            _ => 2,
        };
    }
    out
}

/// Undoes all levels of string escaping and makes quotes plain: `\\\"` → `"`, `\n` → a blank,
/// `‘x’` → `'x'`. Runs of blanks and newlines become one blank. `\x2d` and `\040` stay: they belong
/// to unit names and mount paths.
pub(crate) fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c != '\\' {
            push_plain(&mut out, c);
            rest = &rest[c.len_utf8()..];
            continue;
        }
        let after = rest.trim_start_matches('\\');
        rest = match after.chars().next() {
            Some(q @ ('"' | '\'' | '/' | '`')) => {
                out.push(q);
                &after[1..]
            }
            Some('n' | 'r' | 't') => {
                push_plain(&mut out, ' ');
                &after[1..]
            }
            Some('u') => match unicode(&after[1..]) {
                Some((c, n)) => {
                    push_plain(&mut out, c);
                    &after[1 + n..]
                }
                None => {
                    out.push('\\');
                    after
                }
            },
            Some('x') if after.len() >= 3 && after[1..].starts_with("1b[") => {
                // A colour that a logger wrote in readable form.
                let end = after.find(|c: char| c.is_ascii_alphabetic() && c != 'x' && c != 'b');
                &after[end.map_or(after.len(), |n| n + 1)..]
            }
            _ => {
                out.push('\\');
                after
            }
        };
    }
    out.truncate(out.trim_end().len());
    out
}

/// `001b[31m` and `003c`: the four digits of a `\u` escape, a colour sequence counted in.
fn unicode(text: &str) -> Option<(char, usize)> {
    let code = u32::from_str_radix(text.get(..4)?, 16).ok()?;
    if code == 0x1b {
        let end = text.find(|c: char| c.is_ascii_alphabetic() && !c.is_ascii_hexdigit())?;
        return Some((' ', end + 1));
    }
    Some((char::from_u32(code)?, 4))
}

fn push_plain(out: &mut String, c: char) {
    match c {
        '‘' | '’' | '‚' | '′' | '´' => out.push('\''),
        '“' | '”' | '„' | '«' | '»' => out.push('"'),
        '\u{200b}' | '\u{feff}' => {}
        c if c.is_whitespace() => {
            if !out.ends_with(' ') && !out.is_empty() {
                out.push(' ');
            }
        }
        c => out.push(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_of_every_level_become_plain() {
        assert_eq!(unescape(r#"a \"b\" \\\"c\\\" \\\\\\\"d"#), r#"a "b" "c" "d"#);
        assert_eq!(unescape("‘x’ “y”\n  z"), "'x' \"y\" z");
        assert_eq!(unescape(r"one\n\ttwo \u003ctag\u003e"), "one two <tag>");
    }

    #[test]
    fn escapes_of_paths_stay() {
        assert_eq!(unescape(r"/sys/a\x2db.slice /my\040dir"), r"/sys/a\x2db.slice /my\040dir");
    }

    #[test]
    fn colours_go() {
        assert_eq!(strip_ansi(b"\x1b[31mERRO\x1b[0m[1] \x1b]0;t\x07x\x1b"), b"ERRO[1] x");
        assert_eq!(unescape(r"\u001b[31mred"), "red");
    }

    #[test]
    fn bytes_that_are_no_text_are_shown() {
        assert_eq!(lossy(b"a\xff\x01\tb"), "a\\xff\\x01\tb");
    }
}
