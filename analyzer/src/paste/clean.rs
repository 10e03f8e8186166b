//! Text as terminals, mail and Markdown leave it → plain lines: colours, marks of quotes, tabs, tables, and lines
//! that a terminal broke at its width.

use std::borrow::Cow;

use super::line::Line;
use crate::errors::strip_ansi;
use crate::parse::mountinfo;

/// Terminals of this width and more break lines; narrower ones are rare, and so are equal lengths by chance above it.
const NARROWEST: usize = 60;
/// One mount may go over so many lines.
const MOST_PARTS: usize = 200;

/// A line without colours, marks of quotes and code, and with blanks for tabs.
pub(super) fn line(raw: &[u8]) -> Cow<'_, [u8]> {
    let text = without_quoting(raw);
    let is_plain = !text.iter().any(|b| matches!(b, 0x1b | b'\t' | 0xc2 | 0xe2)) && !has_bare_colour(text);
    if is_plain {
        return Cow::Borrowed(text);
    }
    let mut plain = without_bare_colours(&strip_ansi(text));
    for b in &mut plain {
        if *b == b'\t' {
            *b = b' ';
        }
    }
    // No-break and zero-width blanks come from web pages.
    let text = replace(&replace(&plain, "\u{a0}".as_bytes(), b" "), "\u{200b}".as_bytes(), b"");
    Cow::Owned(text.trim_ascii_end().to_vec())
}

/// Takes off what mail and Markdown put before a line.
fn without_quoting(line: &[u8]) -> &[u8] {
    let mut text = line.trim_ascii_end();
    while let Some(rest) = text.trim_ascii_start().strip_prefix(b"> ") {
        text = rest;
    }
    if text.trim_ascii().starts_with(b"```") { b"" } else { text }
}

/// `[01;31m`, `[m` and `[K`: grep's colours, after something dropped the escape character before them.
fn has_bare_colour(text: &[u8]) -> bool {
    memchr::memchr_iter(b'[', text).any(|at| bare_colour(&text[at..]).is_some())
}

/// Its length, where the text begins with one.
fn bare_colour(text: &[u8]) -> Option<usize> {
    let text = text.strip_prefix(b"[")?;
    let digits = text.iter().take_while(|b| b.is_ascii_digit() || **b == b';').count();
    match text.get(digits) {
        Some(b'm') => Some(digits + 2),
        Some(b'K') if digits == 0 => Some(2),
        _ => None,
    }
}

fn without_bare_colours(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(&b) = text.get(at) {
        match bare_colour(&text[at..]) {
            Some(length) => at += length,
            None => {
                plain.push(b);
                at += 1;
            }
        }
    }
    plain
}

fn replace(text: &[u8], what: &[u8], with: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut from = 0;
    for at in memchr::memmem::find_iter(text, what) {
        out.extend_from_slice(&text[from..at]);
        out.extend_from_slice(with);
        from = at + what.len();
    }
    out.extend_from_slice(&text[from..]);
    out
}

/// A mount as a row of a Markdown table or set in columns: fields are parted by one blank again. `None` where that
/// makes no mount of it.
pub(super) fn straightened(text: &[u8]) -> Option<Vec<u8>> {
    let bare: Vec<u8> = text.iter().map(|&b| if b == b'|' { b' ' } else { b }).collect();
    let fields: Vec<&[u8]> = crate::parse::words(&bare).collect();
    let joined = fields.join(&b' ');
    matches!(Line::of(&joined), Line::Mount(..)).then_some(joined)
}

/// Puts lines together again that a terminal broke at its width. Each keeps the number of its first part.
///
/// One line after the other: a list of all would take more than a text of short lines itself.
pub(super) struct Unwrapping<'t> {
    width: Option<usize>,
    /// The last line, which may go on.
    last: Option<(usize, Cow<'t, [u8]>)>,
    parts: usize,
    open: bool,
}

impl<'t> Unwrapping<'t> {
    /// For a terminal of that width, see [`width_of`].
    pub(super) fn new(width: Option<usize>) -> Self {
        Self { width, last: None, parts: 0, open: false }
    }

    /// Takes a line; gives the one before, where it is whole.
    pub(super) fn push(&mut self, index: usize, text: Cow<'t, [u8]>) -> Option<(usize, Cow<'t, [u8]>)> {
        let Some(width) = self.width else { return Some((index, text)) };
        let goes_on = self.open
            && self.parts < MOST_PARTS
            && !text.is_empty()
            && self.last.as_ref().is_some_and(|(_, before)| is_cut_mount(before))
            && !matches!(Line::of(&text), Line::Mount(..) | Line::Prompt(..) | Line::BadMount);
        self.open = characters(&text) == width;
        match self.last.as_mut().filter(|_| goes_on) {
            Some((_, before)) => {
                before.to_mut().extend_from_slice(&text);
                self.parts += 1;
                None
            }
            None => {
                self.parts = 0;
                self.last.replace((index, text))
            }
        }
    }

    /// The last line.
    pub(super) fn finish(self) -> Option<(usize, Cow<'t, [u8]>)> {
        self.last
    }
}

/// The length that the longest lines share: two of them, or one of 80.
pub(super) fn width_of<'t>(lines: impl Iterator<Item = Cow<'t, [u8]>>) -> Option<usize> {
    let (mut longest, mut alike) = (0, 0);
    for length in lines.map(|line| characters(&line)) {
        if length > longest {
            (longest, alike) = (length, 0);
        }
        alike += usize::from(length == longest);
    }
    (longest >= NARROWEST && (alike > 1 || longest == 80)).then_some(longest)
}

fn characters(text: &[u8]) -> usize {
    text.iter().filter(|b| **b & 0xc0 != 0x80).count()
}

/// A mount, whole or not.
fn is_cut_mount(text: &[u8]) -> bool {
    matches!(Line::of(text), Line::Mount(..) | Line::BadMount)
        || mountinfo::parse_line(text).is_err_and(|bad| bad.column > 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_tabs_and_quotes_go() {
        let shown = |raw: &str| String::from_utf8(line(raw.as_bytes()).into_owned()).unwrap();
        assert_eq!(shown("> > \x1b[35m\x1b[K/proc/6/mountinfo\x1b[m\x1b[K:21\t1"), "/proc/6/mountinfo:21 1");
        assert_eq!(
            shown("[35m[K/proc/6/mountinfo[m[K:x net:[4026531992]"),
            "/proc/6/mountinfo:x net:[4026531992]"
        );
        assert_eq!(shown("21\u{a0}1"), "21 1");
        assert_eq!(shown("```sh"), "");
    }

    /// Found by fuzzing: the digits were counted again from each of them, which no megabyte would have come to the end of.
    #[test]
    fn a_line_of_digits_is_gone_through_once() {
        let digits = [b"[m".as_slice(), &[b'7'; 4 << 20]].concat();
        assert_eq!(line(&digits).len(), 4 << 20);
    }

    #[test]
    fn rows_and_columns_are_mounts_again() {
        let row = straightened(b"| 21 | 1 | 8:1 | / | / | rw | - | ext4 | /dev/sda1 | rw |").unwrap();
        assert_eq!(row, b"21 1 8:1 / / rw - ext4 /dev/sda1 rw");
        assert!(straightened(b"21   1    8:1   /  /   rw  shared:1  -  ext4  /dev/sda1  rw").is_some());
        assert_eq!(straightened(b"| it | is | busy |"), None);
    }

    #[test]
    fn lines_broken_at_the_terminals_width_are_whole_again() {
        let whole = format!(
            "24 21 0:41 / /var/lib/docker/overlay2/{}/merged rw - overlay overlay rw,upperdir=/{}",
            "a".repeat(64),
            "u".repeat(70)
        );
        let text: Vec<&[u8]> = whole.as_bytes().chunks(80).collect();
        let lines: Vec<&[u8]> =
            text.into_iter().chain([&b"21 1 8:1 / / rw - ext4 /dev/sda1 rw"[..]]).collect();
        let mut unwrapping = Unwrapping::new(width_of(lines.iter().map(|l| Cow::Borrowed(*l))));
        let mut joined: Vec<(usize, Cow<'_, [u8]>)> = Vec::new();
        for (index, line) in lines.iter().enumerate() {
            joined.extend(unwrapping.push(index, Cow::Borrowed(line)));
        }
        joined.extend(unwrapping.finish());
        assert_eq!(joined.len(), 2);
        assert_eq!((joined[0].0, &joined[0].1[..]), (0, whole.as_bytes()));
    }
}
