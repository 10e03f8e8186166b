//! Mounts as other listings than mountinfo show them: `/proc/PID/mounts` and fstab(5), mount(8), findmnt(8).
//!
//! They tell neither mount ids nor device numbers nor propagation, so [`Mount::device`] is 0:0 here (which no
//! file system has) and [`Mount::id`] is the line.
//!
//! ```
//! use ebusy_analyzer::parse::mounts_table::parse_line;
//!
//! let mount = parse_line(b"/dev/mapper/a on /var/lib/x type xfs (rw,relatime)", 1).ok_or("a mount")?;
//! assert_eq!(&*mount.mount_point(), b"/var/lib/x");
//! assert!(parse_line(b"nothing is on", 1).is_none());
//! # Ok::<(), &str>(())
//! ```

use super::mountinfo::{Mount, Text};
use crate::ids::{DeviceNumber, MountId};

/// Reads one line in any of these forms.
pub fn parse_line(line: &[u8], number: u32) -> Option<Mount<'_>> {
    from_words(line, number).or_else(|| from_sentence(line, number))
}

/// A mount of which only its process is known: `grep -l ID /proc/*/mountinfo` prints no more. Line: what was looked
/// for, a tab, the line of the text.
pub fn named(line: &[u8], number: u32) -> Option<Mount<'_>> {
    let tab = memchr::memchr(b'\t', line)?;
    Some(mount(&line[tab + 1..], number, (b"", b"/", &line[..tab]), b"unknown", b""))
}

/// `SOURCE POINT TYPE OPTIONS 0 0`, or findmnt's `TARGET SOURCE FSTYPE OPTIONS` with its tree.
fn from_words(line: &[u8], number: u32) -> Option<Mount<'_>> {
    let words: Vec<&[u8]> = line.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty()).collect();
    match words[..] {
        [source, point, fs_type, options, dump, pass]
            if is_number(dump) && is_number(pass) && is_mount(point, fs_type, options) =>
        {
            Some(mount(line, number, (source, b"/", point), fs_type, options))
        }
        [ref tree @ .., source, fs_type, options] if (1..=8).contains(&tree.len()) => {
            let point = tree.last().map(|t| below_tree(t))?;
            let (source, root) = match memchr::memchr(b'[', source) {
                Some(at) if source.ends_with(b"]") => (&source[..at], &source[at + 1..source.len() - 1]),
                _ => (source, &b"/"[..]),
            };
            let only_tree = tree[..tree.len() - 1].iter().all(|t| below_tree(t).is_empty());
            (only_tree && is_mount(point, fs_type, options))
                .then(|| mount(line, number, (source, root, point), fs_type, options))
        }
        _ => None,
    }
}

/// `SOURCE on POINT type TYPE (OPTIONS)`.
fn from_sentence(line: &[u8], number: u32) -> Option<Mount<'_>> {
    let on = memchr::memmem::find(line, b" on /")?;
    let (source, rest) = (line[..on].trim_ascii(), &line[on + 4..]);
    let (point, rest) = split_once(rest, b" type ")?;
    let (fs_type, rest) = split_once(rest, b" (")?;
    let options = &rest[..memchr::memchr(b')', rest)?];
    is_mount(point, fs_type, options).then(|| mount(line, number, (source, b"/", point), fs_type, options))
}

fn split_once<'a>(text: &'a [u8], word: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = memchr::memmem::find(text, word)?;
    Some((&text[..at], &text[at + word.len()..]))
}

fn is_mount(point: &[u8], fs_type: &[u8], options: &[u8]) -> bool {
    point.starts_with(b"/")
        && !fs_type.is_empty()
        && fs_type.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
        && options.split(|&b| b == b',').any(|o| o == b"rw" || o == b"ro")
}

fn is_number(word: &[u8]) -> bool {
    !word.is_empty() && word.iter().all(u8::is_ascii_digit)
}

/// Without the lines that findmnt draws, in UTF-8 or with `--ascii`.
fn below_tree(word: &[u8]) -> &[u8] {
    let drawn = word.iter().take_while(|b| !b.is_ascii() || matches!(b, b'|' | b'`' | b'-')).count();
    &word[drawn..]
}

fn mount<'a>(
    line: &'a [u8],
    number: u32,
    (raw_source, raw_root, raw_mount_point): (&'a [u8], &'a [u8], &'a [u8]),
    fs_type: &'a [u8],
    options: &'a [u8],
) -> Mount<'a> {
    Mount {
        text: Text::Whole(line),
        indent: b"",
        id: MountId(number),
        parent: MountId(0),
        device: DeviceNumber::UNKNOWN,
        raw_root,
        raw_mount_point,
        options,
        optional_fields: b"",
        fs_type,
        raw_source,
        super_options: Some(options),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(line: &str) -> Option<(String, String, String)> {
        let m = parse_line(line.as_bytes(), 1)?;
        let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
        Some((text(&m.source()), text(&m.mount_point()), text(m.fs_type)))
    }

    #[test]
    fn every_listing_tells_source_point_and_type() {
        let dm = Some(("/dev/mapper/a".into(), "/var/lib/x y".into(), "xfs".into()));
        assert_eq!(fields(r"/dev/mapper/a /var/lib/x\040y xfs rw,relatime 0 0"), dm);
        assert_eq!(fields("/dev/mapper/a on /var/lib/x y type xfs (rw,relatime)"), dm);
        let tree = Some(("tank/a".into(), "/tank".into(), "zfs".into()));
        assert_eq!(fields("│ ├─/tank      tank/a   zfs  rw,xattr"), tree);
        assert_eq!(fields("| |-/tank      tank/a   zfs  rw,xattr"), tree);
        assert_eq!(fields("/tank tank/a[/sub] zfs rw"), tree);
    }

    #[test]
    fn sentences_are_no_mounts() {
        for line in [
            "TARGET SOURCE FSTYPE OPTIONS",
            "it is based on /a type of (thing)",
            "/dev/sda1 is busy",
            "umount: /mnt: target is busy.",
            "/dev/sda1 on /mnt type (rw)",
            "/dev/sda1 on / type  (rw)",
        ] {
            assert_eq!(fields(line), None, "{line}");
        }
    }
}
