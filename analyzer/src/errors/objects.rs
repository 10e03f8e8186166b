//! Tokens that name an object: ids, paths, device nodes.

/// A token of a message and where it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub(crate) start: usize,
    pub(crate) text: &'a str,
}

/// Hex digits, 12 to 64 of them, or fewer where a digit shows that it is no word (`0b7`).
pub(crate) fn is_id(value: &str) -> bool {
    let hex = value.len() <= 64 && value.bytes().all(is_hex);
    hex && (value.len() >= 12 || value.len() >= 2 && value.bytes().any(|b| b.is_ascii_digit()))
}

/// 64 hex digits: the full id of a container, layer or device.
pub(crate) fn is_full_id(value: &str) -> bool {
    value.len() == 64 && value.bytes().all(is_hex)
}

/// 12 to 64 hex digits with a digit among them: an id even where nothing says so.
pub(crate) fn is_long_id(value: &str) -> bool {
    (12..=64).contains(&value.len())
        && is_id(value)
        && value.bytes().any(|b| b.is_ascii_digit())
        && (value.len() >= 32 || value.bytes().any(|b| b.is_ascii_alphabetic()))
}

/// `8-4-4-4-12` hex digits.
pub(crate) fn is_uuid(value: &str) -> bool {
    let parts: Vec<&str> = value.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|p| p.len()).collect();
    lengths == [8, 4, 4, 4, 12] && parts.iter().all(|p| p.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn is_hex(b: u8) -> bool {
    matches!(b, b'0'..=b'9' | b'a'..=b'f')
}

/// Ids in a token, in order: whole components, also inside `crio-ID.scope`, `ID-init`, `docker-8:1-2-ID`.
pub(crate) fn ids_in(text: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut start = 0;
    for part in text.split(|c: char| !c.is_ascii_alphanumeric()) {
        // Static pods: `kubepods-pod<32 digits>.slice`.
        let skip = if part.len() == 35 && part.starts_with("pod") { 3 } else { 0 };
        let (start_of_id, part_of_id) = (start + skip, &part[skip..]);
        if is_long_id(part_of_id) && !in_uuid(text, start, part.len()) {
            found.push(Token { start: start_of_id, text: part_of_id });
        }
        start += part.len() + 1;
        // A separator of more than one byte shifts the count.
        while start < text.len() && !text.is_char_boundary(start) {
            start += 1;
        }
    }
    found
}

/// True for the last 12 digits of a UUID, also of one that systemd wrote with `_`.
fn in_uuid(text: &str, start: usize, len: usize) -> bool {
    let whole = start.checked_sub(24).and_then(|from| text.get(from..start + 12));
    len == 12 && whole.is_some_and(|u| is_uuid(&u.replace('_', "-")))
}

/// The absolute paths of a message. Quoted ones may have blanks; unquoted ones end with a blank, a
/// bracket or the colon of `PATH: reason`.
pub(crate) fn paths(text: &str) -> Vec<Token<'_>> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut i = 0;
    while let Some(n) = memchr::memchr(b'/', bytes.get(i..).unwrap_or_default()) {
        let start = i + n;
        let before = start.checked_sub(1).and_then(|b| bytes.get(b)).copied();
        let begins = before.is_none_or(|b| b" \"'`([{<=:,>@".contains(&b));
        let second = bytes.get(start + 1).copied().unwrap_or(b' ');
        let url = before == Some(b':') && second == b'/';
        if !begins || url || second == b' ' || second == b'/' {
            let skip = bytes[start..].iter().position(|b| b" \"'".contains(b)).unwrap_or(bytes.len() - start);
            i = start + if url { skip.max(1) } else { 1 };
            continue;
        }
        let end = path_end(text, start, before);
        let path = text[start..end].trim_end_matches([':', ',', ';', '.', ')', ']', '}']);
        if path.len() > 1 {
            found.push(Token { start, text: path });
        }
        i = end.max(start + 1);
    }
    found
}

fn path_end(text: &str, start: usize, before: Option<u8>) -> usize {
    let rest = &text[start..];
    if let Some(q @ (b'"' | b'\'' | b'`')) = before
        && let Some(n) = rest.find(char::from(q))
        && !rest[..n].contains(": ")
        && n < 4096
    {
        return start + n;
    }
    let mut end = rest.len();
    for (n, b) in rest.bytes().enumerate() {
        let next = rest.as_bytes().get(n + 1).copied().unwrap_or(b' ');
        let stop = match b {
            b' ' | b'"' | b'\'' | b'`' | b'<' | b'>' | b'|' => true,
            b':' => matches!(next, b' ' | b'/') || rest[n + 1..].to_ascii_lowercase().starts_with("device"),
            b',' if option(&rest[n + 1..]) => true,
            b',' | b';' | b')' | b']' | b'}' => {
                matches!(next, b' ' | b'"' | b'/' | b'}' | b']' | b')' | b':')
            }
            _ => false,
        };
        if stop {
            end = n;
            break;
        }
    }
    start + end
}

/// `upperdir=…`: the next of a mount's options, not part of a path with a comma.
fn option(text: &str) -> bool {
    let name = text.bytes().take_while(u8::is_ascii_alphabetic).count();
    name > 2 && text.as_bytes().get(name) == Some(&b'=')
}

/// A node below `/dev` that a file system can be on.
pub(crate) fn is_block_node(path: &str) -> bool {
    const NAMES: [&str; 19] = [
        "mapper/", "dm-", "loop", "rbd", "nbd", "md", "zd", "zvol/", "sd", "nvme", "vd", "xvd", "hd",
        "disk/", "drbd", "mmcblk", "bcache", "dasd", "ram",
    ];
    path.strip_prefix("/dev/").is_some_and(|name| {
        // `/dev/VG/LV` is a node of LVM.
        let lvm = name.split('/').count() == 2
            && !["shm", "pts", "mqueue", "hugepages", "net", "snd", "input"]
                .iter()
                .any(|d| name.starts_with(d));
        NAMES.iter().any(|n| name.starts_with(n)) || lvm
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9";

    #[test]
    fn ids_are_told_from_words() {
        assert!(is_id("0b7") && is_id("9e") && is_id(ID) && is_full_id(ID));
        assert!(!is_id("dead") && !is_id("web") && !is_id("") && !is_id("0G"));
        assert!(is_long_id("d1f188f3f5472") && !is_long_id("704643200123") && !is_long_id("deadbeefcafe"));
    }

    #[test]
    fn ids_inside_names() {
        let ids = |s: &str| ids_in(s).iter().map(|t| t.text.to_owned()).collect::<Vec<_>>();
        assert_eq!(ids(&format!("crio-{ID}.scope")), [ID]);
        assert_eq!(ids(&format!("/dev/mapper/docker-8:3-7063782-{ID}")), [ID]);
        assert_eq!(ids("pods/8f0c1ad2-0000-4c4b-a953-dc01e182ac76/volumes"), [""; 0]);
        assert_eq!(ids("é/0a1b2c3d4e5f"), ["0a1b2c3d4e5f"]);
    }

    #[test]
    fn paths_of_a_message() {
        let all = |s: &str| paths(s).iter().map(|t| t.text.to_owned()).collect::<Vec<_>>();
        assert_eq!(all("remove /a/b: busy"), ["/a/b"]);
        assert_eq!(all("rmdir /sys/net_cls,net_prio/x: busy"), ["/sys/net_cls,net_prio/x"]);
        assert_eq!(all("on '/a b' and \"/c\","), ["/a b", "/c"]);
        assert_eq!(all("/dev/mapper/docker-8:3-1-a:Device is Busy"), ["/dev/mapper/docker-8:3-1-a"]);
        assert_eq!(all("and/or http://h/v1/x "), [""; 0]);
        assert_eq!(all("lowerdir=/a:/b,upperdir=/c"), ["/a", "/b", "/c"]);
    }

    #[test]
    fn nodes_that_are_mounted() {
        assert!(
            is_block_node("/dev/mapper/x") && is_block_node("/dev/vg0/web") && is_block_node("/dev/loop0")
        );
        assert!(!is_block_node("/dev/ttyS0") && !is_block_node("/dev/shm/x") && !is_block_node("/srv"));
    }
}
