//! What is behind a process's links: device number, inode and mount id of `cwd`, `root`, `exe` and descriptors.
//!
//! After a lazy umount the path that a link shows has lost its prefix, and only these tell which file system
//! the file is on. Two listings are read: the collector's `proc/PID/links` (see `docs/bundle-format.md`) and
//! what `stat -L -c '%n %t:%T %D %i %F'` prints for the links, kept in a file `…-stat` beside them.
//!
//! ```
//! use ebusy_analyzer::ids::MountId;
//! use ebusy_analyzer::parse::links::listing;
//!
//! let links = listing(b"cwd dev=253:1 ino=12 mnt=245 type=dir\n");
//! assert_eq!(links[0].name, b"cwd");
//! assert_eq!(links[0].mount, Some(MountId(245)));
//! ```

use nom::Parser;
use nom::character::complete::{char, hex_digit1};
use nom::combinator::{all_consuming, map_opt};
use nom::sequence::separated_pair;

use super::{device_number, numbered_lines, whole_number};
use crate::bytes::decode_octal;
use crate::ids::{DeviceNumber, MountId};

/// One line of a listing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Link {
    /// `cwd`, `root`, `exe`, `fd/7`, `map/7f1c00000000`.
    pub name: Vec<u8>,
    /// Device number of the file system that the file is on.
    pub device: Option<DeviceNumber>,
    /// Inode.
    pub inode: Option<u64>,
    /// Mount that it was opened through.
    pub mount: Option<MountId>,
    /// For a device node: the device.
    pub node: Option<DeviceNumber>,
    /// Whether it is a block device node.
    pub is_block_device: bool,
    /// Path, where the listing has it.
    pub path: Option<Vec<u8>>,
    /// Line in the listing, from 1.
    pub line: u32,
}

/// The collector's listing.
pub fn listing(text: &[u8]) -> Vec<Link> {
    numbered_lines(text).filter_map(|(number, line)| listing_line(number, line)).collect()
}

fn listing_line(number: u32, line: &[u8]) -> Option<Link> {
    let (fields, path) = match memchr::memmem::find(line, b" path=") {
        Some(at) => (&line[..at], Some(decode_octal(&line[at + 6..]).into_owned())),
        None => (line, None),
    };
    let mut words = fields.split(|&b| b == b' ');
    let mut link = Link { name: words.next()?.to_vec(), path, line: number, ..Link::default() };
    for word in words {
        let Some(equals) = memchr::memchr(b'=', word) else { continue };
        let (key, value) = (&word[..equals], &word[equals + 1..]);
        match key {
            b"dev" => link.device = whole_device(value),
            b"rdev" => link.node = whole_device(value),
            b"ino" => link.inode = whole_number(value),
            b"mnt" => link.mount = whole_number(value).map(MountId),
            b"type" => link.is_block_device = value == b"blk",
            _ => {}
        }
    }
    Some(link)
}

fn whole_device(value: &[u8]) -> Option<DeviceNumber> {
    all_consuming(device_number).parse(value).ok().map(|(_, device)| device)
}

/// A listing made with `stat -L -c '%n %t:%T %D %i %F'`: names end in `/proc/PID/LINK`, all numbers but the
/// inode are hexadecimal.
pub fn stat_listing(text: &[u8]) -> Vec<Link> {
    numbered_lines(text).filter_map(|(number, line)| stat_line(number, line)).collect()
}

fn stat_line(number: u32, line: &[u8]) -> Option<Link> {
    let mut words = line.splitn(5, |&b| b == b' ');
    let (name, node, device, inode) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let kind = words.next().unwrap_or_default();
    let proc = memchr::memmem::rfind(name, b"/proc/")?;
    let after = &name[proc + 6..];
    let slash = memchr::memchr(b'/', after)?;
    let node = hex_device_pair(node)?;
    let is_device = kind.ends_with(b"special file");
    Some(Link {
        name: after[slash + 1..].to_vec(),
        device: u64::from_str_radix(std::str::from_utf8(device).ok()?, 16).ok().map(DeviceNumber::from_dev_t),
        inode: whole_number(inode),
        node: is_device.then_some(node),
        is_block_device: kind.starts_with(b"block"),
        line: number,
        ..Link::default()
    })
}

fn hex_device_pair(text: &[u8]) -> Option<DeviceNumber> {
    fn hex(input: &[u8]) -> nom::IResult<&[u8], u32> {
        map_opt(hex_digit1, |d| u32::from_str_radix(std::str::from_utf8(d).ok()?, 16).ok()).parse(input)
    }
    let (_, (major, minor)) = all_consuming(separated_pair(hex, char(':'), hex)).parse(text).ok()?;
    Some(DeviceNumber { major, minor })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_collectors_listing() {
        let links = listing(
            b"cwd dev=253:1 ino=12 mnt=245 type=dir\nfd/11 dev=0:5 ino=4 type=blk rdev=253:1 new=1\nmap/7f dev=253:1 ino=4 type=reg path=/a\\040b c\n",
        );
        assert_eq!(links[0].device, Some(DeviceNumber { major: 253, minor: 1 }));
        assert_eq!(links[0].mount, Some(MountId(245)));
        assert_eq!(links[1].node, Some(DeviceNumber { major: 253, minor: 1 }));
        assert!(links[1].is_block_device);
        assert_eq!(links[2].path.as_deref(), Some(&b"/a b c"[..]));
    }

    #[test]
    fn a_listing_made_with_stat() {
        let links = stat_listing(
            b"/proc/621/fd/9 0:0 fd01 23 regular file\n/x/proc/621/fd/3 fd:1 5 400 block special file\nstat: cannot\n",
        );
        assert_eq!(links.len(), 2);
        assert_eq!(links[0].name, b"fd/9");
        assert_eq!(links[0].device, Some(DeviceNumber { major: 253, minor: 1 }));
        assert_eq!(links[1].node, Some(DeviceNumber { major: 253, minor: 1 }));
        assert!(links[1].is_block_device);
    }
}
