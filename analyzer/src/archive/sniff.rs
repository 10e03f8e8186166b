//! What an input is, told by its first bytes, never by its name.

/// Kinds of input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// gzip (RFC 1952).
    Gzip,
    /// tar: ustar, pax, GNU or the old form with a right checksum.
    Tar,
    /// xz.
    Xz,
    /// Zstandard.
    Zstd,
    /// bzip2.
    Bzip2,
    /// zip.
    Zip,
    /// No bytes at all.
    Empty,
    /// Text.
    Text,
    /// Anything else.
    Unknown,
}

/// Looks at the first bytes; 512 are enough.
///
/// ```
/// use ebusy_analyzer::archive::{Kind, sniff};
///
/// assert_eq!(sniff(&[0x1f, 0x8b, 8]), Kind::Gzip);
/// assert_eq!(sniff(b"umount: /mnt: target is busy.\n"), Kind::Text);
/// ```
pub fn sniff(head: &[u8]) -> Kind {
    match head {
        [] => Kind::Empty,
        [0x1f, 0x8b, ..] => Kind::Gzip,
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Kind::Xz,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Kind::Zstd,
        [b'B', b'Z', b'h', b'1'..=b'9', b'1', b'A', b'Y', ..] => Kind::Bzip2,
        // A zip without members is nothing but its end record.
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Kind::Zip,
        _ if is_tar(head) => Kind::Tar,
        _ if is_utf16(head) || is_text(head) => Kind::Text,
        _ => Kind::Unknown,
    }
}

/// Text in UTF-16 with its mark, as Windows' Notepad and PowerShell write it.
fn is_utf16(head: &[u8]) -> bool {
    head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff])
}

/// No NUL and hardly a control character. Bytes that are not UTF-8 occur in paths.
fn is_text(head: &[u8]) -> bool {
    let odd =
        head.iter().filter(|b| b.is_ascii_control() && !matches!(b, b'\t' | b'\n' | b'\r' | 0x1b)).count();
    !head.contains(&0) && odd * 32 <= head.len()
}

/// The header's checksum is the sum of its bytes with blanks in the checksum field itself (POSIX ustar).
fn is_tar(head: &[u8]) -> bool {
    let Some(header) = head.get(..512) else { return false };
    let sum: u32 = header
        .iter()
        .enumerate()
        .map(|(i, &b)| if (148..156).contains(&i) { u32::from(b' ') } else { u32::from(b) })
        .sum();
    let digits: Vec<u8> = header[148..156].iter().copied().filter(|b| (b'0'..=b'7').contains(b)).collect();
    let stated = std::str::from_utf8(&digits).ok().and_then(|d| u32::from_str_radix(d, 8).ok());
    // An archive without members is nothing but zeros.
    stated == Some(sum) || header.iter().all(|&b| b == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_by_content() {
        assert_eq!(sniff(b""), Kind::Empty);
        assert_eq!(sniff(&[0x1f, 0x8b, 8]), Kind::Gzip);
        assert_eq!(sniff(b"hello"), Kind::Text);
        assert_eq!(sniff(b"\xff\xfeh\0i\0"), Kind::Text);
        assert_eq!(sniff(&[0, 1, 2]), Kind::Unknown);
        let mut header = tar::Header::new_old();
        header.set_path("x").unwrap();
        header.set_size(0);
        header.set_cksum();
        assert_eq!(sniff(header.as_bytes()), Kind::Tar);
    }
}
