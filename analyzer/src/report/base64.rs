//! Base64 (RFC 4648): `-_` without padding for links, `+/` with padding for data in a page.

const URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// For a URL.
pub(in crate::report) fn url(bytes: &[u8]) -> String {
    encode(bytes, URL)
}

/// As browsers' `atob` reads it.
pub(in crate::report) fn standard(bytes: &[u8]) -> String {
    let mut text = encode(bytes, STANDARD);
    text.extend(std::iter::repeat_n('=', (4 - text.len() % 4) % 4));
    text
}

fn encode(bytes: &[u8], alphabet: &[u8; 64]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let all =
            group.iter().fold(0_u32, |all, byte| all << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for index in 0..=group.len() {
            let six = (all >> (18 - 6 * index)) as usize & 63;
            text.push(char::from(alphabet[six]));
        }
    }
    text
}

/// Bytes of a URL's base64; `None` for anything else.
pub(in crate::report) fn of_url(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    for group in text.as_bytes().chunks(4) {
        let mut all = 0_u32;
        for byte in group {
            all = all << 6 | URL.iter().position(|c| c == byte)? as u32;
        }
        match group.len() {
            4 => bytes.extend_from_slice(&all.to_be_bytes()[1..]),
            3 => bytes.extend_from_slice(&(all >> 2).to_be_bytes()[2..]),
            2 => bytes.push((all >> 4) as u8),
            _ => return None,
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_in_the_rfc() {
        // RFC 4648, section 10.
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(standard(plain.as_bytes()), coded);
            assert_eq!(url(plain.as_bytes()), coded.trim_end_matches('='));
            assert_eq!(of_url(coded.trim_end_matches('=')).unwrap(), plain.as_bytes());
        }
        assert_eq!(url(&[0xfb, 0xff]), "-_8");
    }

    #[test]
    fn what_is_no_base64_is_refused() {
        for text in ["A", "A+==", "AAAAA", "ab c", "äö"] {
            assert_eq!(of_url(text), None, "{text}");
        }
    }
}
