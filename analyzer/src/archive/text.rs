//! Text of any encoding that terminals and editors write → the bytes that the rest reads.

/// UTF-16 with its mark becomes UTF-8 (Windows' Notepad and PowerShell write it); the mark of UTF-8 is taken off.
/// Anything else stays as it is.
pub(super) fn to_utf8(bytes: Vec<u8>) -> Vec<u8> {
    let units = |unit: fn([u8; 2]) -> u16| {
        let pairs = bytes[2..].chunks_exact(2).map(move |pair| unit([pair[0], pair[1]]));
        let text: String =
            char::decode_utf16(pairs).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
        text.into_bytes()
    };
    match &bytes[..] {
        [0xff, 0xfe, ..] => units(u16::from_le_bytes),
        [0xfe, 0xff, ..] => units(u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => rest.to_vec(),
        _ => bytes,
    }
}

/// Whether a text begins with UTF-16's mark.
pub(super) fn is_wide(head: &[u8]) -> bool {
    head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_understood_and_damage_is_no_panic() {
        assert_eq!(to_utf8(b"\xff\xfea\0\xe9\0".to_vec()), "a\u{e9}".as_bytes());
        assert_eq!(to_utf8(b"\xfe\xff\0a\xd8\0\0".to_vec()), "a\u{fffd}".as_bytes());
        assert_eq!(to_utf8(b"\xef\xbb\xbfa".to_vec()), b"a");
        assert_eq!(to_utf8(b"\xff".to_vec()), b"\xff");
    }
}
