//! What `readlink /proc/PID/ns/*` and nsfs mounts' roots say: `mnt:[4026531841]`.

use nom::bytes::complete::take_while1;
use nom::character::complete::char;
use nom::combinator::all_consuming;
use nom::sequence::{delimited, separated_pair};
use nom::{IResult, Parser};

use super::number;
use crate::ids::NamespaceInode;

/// Kind (`mnt`, `net`, …) and inode of a namespace.
///
/// ```
/// use ebusy_analyzer::ids::NamespaceInode;
/// use ebusy_analyzer::parse::namespace_link;
///
/// let link = namespace_link::parse(b"mnt:[4026531841]");
/// assert_eq!(link, Some((&b"mnt"[..], NamespaceInode(4026531841))));
/// ```
pub fn parse(text: &[u8]) -> Option<(&[u8], NamespaceInode)> {
    all_consuming(link).parse(text).ok().map(|(_, parsed)| parsed)
}

fn link(input: &[u8]) -> IResult<&[u8], (&[u8], NamespaceInode)> {
    let kind = take_while1(|b: u8| b.is_ascii_lowercase() || b == b'_');
    let inode = delimited(char('['), number, char(']')).map(NamespaceInode);
    separated_pair(kind, char(':'), inode).parse(input)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_link_text_is_a_namespace() {
        assert_eq!(parse(b"mnt:[4026531841]"), Some((&b"mnt"[..], NamespaceInode(4026531841))));
        assert_eq!(parse(b"mnt:[4026531841] "), None);
        assert_eq!(parse(b"socket:[12]x"), None);
        assert_eq!(parse(b"mnt:[]"), None);
    }
}
