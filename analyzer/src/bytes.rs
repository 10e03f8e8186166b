//! Foreign bytes: paths and texts of another host, which need not be UTF-8 and are not this machine's paths.

use std::borrow::Cow;

/// Text for people: UTF-8 as it is, everything that a terminal or a reader could be fooled by
/// (control characters, bytes that are not UTF-8, bidirectional overrides) as `\xNN` or `\u{NNNN}`.
///
/// ```
/// use ebusy_analyzer::bytes::visible;
///
/// assert_eq!(visible(b"/srv/a\xff\x1b[2J"), r"/srv/a\xff\x1b[2J");
/// ```
pub fn visible(bytes: &[u8]) -> String {
    // Without a branch for each byte.
    let is_plain = bytes.iter().fold(true, |all, b| all & (b' '..=b'~').contains(b));
    if let (true, Ok(text)) = (is_plain, std::str::from_utf8(bytes)) {
        return text.to_owned();
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            push_visible(&mut text, c);
        }
        for b in chunk.invalid() {
            text.push_str(&format!("\\x{b:02x}"));
        }
    }
    text
}

fn push_visible(text: &mut String, c: char) {
    match c {
        '\t' => text.push(' '),
        c if c.is_ascii_control() => text.push_str(&format!("\\x{:02x}", u32::from(c))),
        // C1 controls, bidirectional marks and overrides, line separators, zero-width and tag characters.
        '\u{80}'..='\u{9f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{2069}'
        | '\u{61c}'
        | '\u{feff}'
        | '\u{e0000}'..='\u{e007f}' => text.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
        c => text.push(c),
    }
}

/// Undoes the kernel's escaping in `/proc` tables: a backslash and three octal digits stand for one byte
/// (`\040` blank, `\011` tab, `\012` newline, `\134` backslash, `\043` hash; kernel `seq_escape`,
/// `fs/proc_namespace.c`). Anything else stays as it is.
///
/// ```
/// assert_eq!(&*ebusy_analyzer::bytes::decode_octal(br"/srv/with\040blank"), b"/srv/with blank");
/// ```
pub fn decode_octal(field: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = memchr::memchr(b'\\', field) else { return Cow::Borrowed(field) };
    let mut out = Vec::with_capacity(field.len());
    out.extend_from_slice(&field[..first]);
    let mut rest = &field[first..];
    while let Some(&b) = rest.first() {
        match rest {
            [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', ..] => {
                out.push((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'));
                rest = &rest[4..];
            }
            _ => {
                out.push(b);
                rest = &rest[1..];
            }
        }
    }
    Cow::Owned(out)
}

/// What is longer is cut before it is shown. No path that a system call takes is: `PATH_MAX` is 4096 bytes
/// (`include/uapi/linux/limits.h`), and a byte is shown by four characters at most.
pub const LONGEST_SHOWN: usize = 16 << 10;
/// What is left of the start and of the end of a longer text.
const HEAD: usize = 3 << 10;
const TAIL: usize = 1 << 10;

/// Cuts the middle out of a text that is longer than [`LONGEST_SHOWN`], and tells how long it was.
/// ```
/// use ebusy_analyzer::bytes::shorten;
///
/// let mut name = "m".repeat(1 << 20);
/// shorten(&mut name);
/// assert!(name.contains("m… (1048576 bytes) …m"));
/// ```
pub fn shorten(text: &mut String) {
    if text.len() > LONGEST_SHOWN {
        let border = |mut at: usize| {
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let (head, tail) = (border(HEAD), border(text.len() - TAIL));
        *text = format!("{}… ({} bytes) …{}", &text[..head], text.len(), &text[tail..]);
    }
}

/// Of a text that was [shortened](shorten), or should have been, leaves only how long it was.
pub(crate) fn leave_out_cut(text: &mut String) {
    const END: &str = " bytes) …";
    let mark = text.match_indices("… (").find_map(|(at, begin)| {
        let number = text[at + begin.len()..].split(END).next().unwrap_or_default();
        let end = at + begin.len() + number.len() + END.len();
        let is_mark = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
        text.get(at..end).filter(|_| is_mark).map(str::to_owned)
    });
    if mark.is_some() || text.len() > LONGEST_SHOWN {
        *text = mark.unwrap_or_else(|| format!("… ({}{END}", text.len()));
    }
}

/// [`visible`] text that is for the eye only, so that it may be cut.
pub(crate) fn shown(bytes: &[u8]) -> String {
    let mut text = visible(bytes);
    shorten(&mut text);
    text
}

/// The components of a path; empty ones and `.` are passed over.
pub fn components(path: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> + Clone {
    path.split(|&b| b == b'/').filter(|c| !c.is_empty() && *c != b".")
}

/// Whether `path` is `base` or lies below it, by whole components.
///
/// ```
/// use ebusy_analyzer::bytes::is_at_or_below;
///
/// assert!(is_at_or_below(b"/var/lib/docker/overlay2", b"/var/lib/docker/"));
/// assert!(!is_at_or_below(b"/var/lib/docker2", b"/var/lib/docker"));
/// ```
pub fn is_at_or_below(path: &[u8], base: &[u8]) -> bool {
    // Paths that differ in a letter differ, whatever their slashes and dots: most need no more than this.
    if let Some((a, b)) = path.iter().zip(base).find(|(a, b)| a != b)
        && ![a, b].iter().any(|byte| matches!(byte, b'/' | b'.'))
    {
        return false;
    }
    let mut path = components(path);
    components(base).all(|c| path.next() == Some(c))
}

/// Whether both name the same path, whatever their slashes.
pub fn same_path(a: &[u8], b: &[u8]) -> bool {
    components(a).eq(components(b))
}

/// Whether the last components of `path` are those of `suffix`.
pub fn ends_with_path(path: &[u8], suffix: &[u8]) -> bool {
    let mut path = components(path).rev();
    components(suffix).rev().all(|c| path.next() == Some(c))
}

/// Whether `needle` stands in `path` at a component border, with anything after it:
/// `/rootfs/var/lib/x/merged/proc` contains `/var/lib/x/merged`.
pub fn contains_path(path: &[u8], needle: &[u8]) -> bool {
    let mut from = components(path);
    while from.clone().next().is_some() {
        let mut here = from.clone();
        if components(needle).all(|part| here.next() == Some(part)) {
            return components(needle).next().is_some();
        }
        from.next();
    }
    false
}

/// Where in a path the first of some roots begins: what is before it is the prefix (such as `/rootfs`) below which
/// somebody sees the host's own path.
pub fn position_of_any(path: &[u8], roots: &[&[u8]]) -> Option<usize> {
    roots.iter().filter_map(|root| memchr::memmem::find(path, root)).min()
}

/// Quotes one word for a POSIX shell. Plain words stay plain; bytes that cannot be typed become `$'\xNN'`.
/// ```
/// use ebusy_analyzer::bytes::shell_quote;
///
/// assert_eq!(shell_quote(b"/var/lib/docker"), "/var/lib/docker");
/// assert_eq!(shell_quote(b"/mnt/$(reboot)"), "'/mnt/$(reboot)'");
/// ```
pub fn shell_quote(word: &[u8]) -> String {
    let plain = |b: &u8| {
        b.is_ascii_alphanumeric() || matches!(b, b'/' | b'.' | b'_' | b'-' | b':' | b'@' | b'%' | b'+' | b',')
    };
    if !word.is_empty() && word.iter().all(plain) {
        return String::from_utf8_lossy(word).into_owned();
    }
    if word.iter().all(|b| (0x20..0x7f).contains(b)) {
        return format!("'{}'", String::from_utf8_lossy(word).replace('\'', r"'\''"));
    }
    let mut quoted = String::from("$'");
    for &b in word {
        match b {
            // Not as `\'`: a shell without `$'…'` (dash) would end the quotes there and run what follows.
            0x20..0x7f if b != b'\'' && b != b'\\' => quoted.push(char::from(b)),
            _ => quoted.push_str(&format!("\\{b:03o}")),
        }
    }
    quoted.push('\'');
    quoted
}

/// What follows `prefix`; at the speed of memory where `memcmp` goes byte by byte (musl, WebAssembly).
pub(crate) fn starts_with<'t>(text: &'t [u8], prefix: &[u8]) -> Option<&'t [u8]> {
    let (text, after) = text.split_at_checked(prefix.len())?;
    let ((a, a_rest), (b, b_rest)) = (text.as_chunks::<32>(), prefix.as_chunks::<32>());
    if !a.iter().zip(b).all(|(a, b)| is_same(a, b)) {
        return None;
    }
    let ((a, a_rest), (b, b_rest)) = (a_rest.as_chunks::<8>(), b_rest.as_chunks::<8>());
    let is_all = a.iter().zip(b).all(|(a, b)| u64::from_le_bytes(*a) == u64::from_le_bytes(*b));
    let is_end = match (text.last_chunk::<8>(), prefix.last_chunk::<8>()) {
        // Some of it a second time, but in one step.
        (Some(a), Some(b)) => u64::from_le_bytes(*a) == u64::from_le_bytes(*b),
        _ => a_rest == b_rest,
    };
    (is_all && is_end).then_some(after)
}

/// Without a branch for each word.
fn is_same(a: &[u8; 32], b: &[u8; 32]) -> bool {
    let (a, b) = (a.as_chunks::<8>().0, b.as_chunks::<8>().0);
    let differing =
        a.iter().zip(b).fold(0, |bits, (a, b)| bits | (u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b)));
    differing == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octal_escapes_are_undone_and_others_kept() {
        assert_eq!(decode_octal(br"/a\040b\011\012\134\043c").as_ref(), b"/a b\t\n\\#c");
        assert_eq!(decode_octal(br"/a\b\9\04").as_ref(), br"/a\b\9\04");
        assert_eq!(decode_octal(br"\377").as_ref(), b"\xff");
    }

    #[test]
    fn paths_match_by_whole_components_only() {
        assert!(is_at_or_below(b"/var/lib/x", b"/var/lib"));
        assert!(!is_at_or_below(b"/var/library", b"/var/lib"));
        assert!(ends_with_path(b"/rootfs/var/lib/x", b"/var/lib/x"));
        assert!(!ends_with_path(b"/rootfs/myvar/lib/x", b"/var/lib/x"));
        assert!(contains_path(b"/rootfs/var/lib/x/proc", b"/var/lib/x"));
        assert!(!contains_path(b"/rootfs/var/lib/xy/proc", b"/var/lib/x"));
    }

    #[test]
    fn the_hosts_path_behind_a_prefix() {
        let roots: [&[u8]; 2] = [b"/var/lib/", b"/run/"];
        assert_eq!(position_of_any(b"/rootfs/var/lib/x/run/y", &roots), Some(7));
        assert_eq!(position_of_any(b"/var/lib/x", &roots), Some(0));
        assert_eq!(position_of_any(b"/srv/x", &roots), None);
    }

    #[test]
    fn hostile_text_is_shown_and_not_obeyed() {
        assert_eq!(visible(b"a\x1b[31m\xff\n"), "a\\x1b[31m\\xff\\x0a");
        assert_eq!(visible("x\u{202e}y".as_bytes()), "x\\u{202e}y");
    }

    #[test]
    fn a_quoted_word_is_one_word_for_the_shell() {
        assert_eq!(shell_quote(b"/var/lib/docker"), "/var/lib/docker");
        assert_eq!(shell_quote(b"/a b;$(x)'y"), r"'/a b;$(x)'\''y'");
        assert_eq!(shell_quote(b"a\nb"), "$'a\\012b'");
        assert_eq!(shell_quote(b""), "''");
    }

    #[test]
    fn a_prefix_is_told_apart_by_any_byte() {
        let text: Vec<u8> = (0..100).collect();
        for length in 0..=text.len() {
            let prefix = &text[..length];
            assert_eq!(starts_with(&text, prefix), Some(&text[length..]));
            for at in 0..length {
                let mut other = prefix.to_vec();
                other[at] ^= 0x80;
                assert_eq!(starts_with(&text, &other), None, "byte {at} of {length}");
            }
        }
        assert_eq!(starts_with(b"a", b"ab"), None);
    }
}
