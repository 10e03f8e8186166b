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
    packed(head).unwrap_or_else(|| unpacked(head))
}

/// What is neither an archive nor compressed.
pub(super) fn unpacked(head: &[u8]) -> Kind {
    match head {
        [] => Kind::Empty,
        _ if is_utf16(head) || is_text(head) => Kind::Text,
        _ => Kind::Unknown,
    }
}

/// The same where it is an archive or compressed.
pub(super) fn packed(head: &[u8]) -> Option<Kind> {
    match head {
        // A zip without members is nothing but its end record.
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Some(Kind::Zip),
        _ => compressed(head).or_else(|| is_tar(head).then_some(Kind::Tar)),
    }
}

/// The same where it is compressed.
pub(super) fn compressed(head: &[u8]) -> Option<Kind> {
    match head {
        [0x1f, 0x8b, ..] => Some(Kind::Gzip),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Kind::Xz),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Kind::Zstd),
        [b'B', b'Z', b'h', b'1'..=b'9', b'1', b'A', b'Y', ..] => Some(Kind::Bzip2),
        _ => None,
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
    let field = &header[148..156];
    // Most files are told apart by this: the sum is written in octal digits, before or between blanks and NULs.
    if !field.iter().all(|byte| matches!(byte, b'0'..=b'7' | b' ' | 0)) {
        return false;
    }
    let digits = field.iter().filter(|byte| byte.is_ascii_digit());
    let stated = digits.fold(0, |number, digit| number * 8 + u32::from(digit - b'0'));
    let (sum, is_empty) = header_sum(header);
    // An archive without members is nothing but zeros.
    is_empty || stated == sum
}

/// A tar header's sum, and whether it is all zeros.
pub(super) fn header_sum(header: &[u8]) -> (u32, bool) {
    let sum = sum_of(header);
    let field = header.get(148..156).map_or(0, sum_of);
    (sum - field + 8 * u32::from(b' '), sum == 0)
}

/// The sum of up to some thousand bytes, eight at a time: WebAssembly has nothing wider.
fn sum_of(bytes: &[u8]) -> u32 {
    const EVEN: u64 = 0x00ff_00ff_00ff_00ff;
    let (eights, rest) = bytes.as_chunks::<8>();
    let lanes = eights.iter().fold(0, |lanes: u64, eight| {
        let eight = u64::from_le_bytes(*eight);
        lanes + (eight & EVEN) + ((eight >> 8) & EVEN)
    });
    let of_lanes = (0..4).map(|lane| ((lanes >> (16 * lane)) & 0xffff) as u32).sum::<u32>();
    of_lanes + rest.iter().map(|&byte| u32::from(byte)).sum::<u32>()
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

    #[test]
    fn a_sum_of_eight_at_a_time_is_the_sum() {
        let bytes: Vec<u8> = (0..512_u32).map(|n| (n * 77 % 256) as u8).collect();
        for part in [&bytes[..], &bytes[..5], &[], &[255; 512]] {
            assert_eq!(sum_of(part), part.iter().map(|&byte| u32::from(byte)).sum::<u32>());
        }
    }
}
