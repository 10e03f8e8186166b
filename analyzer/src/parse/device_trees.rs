//! Trees of block devices: `lsblk` and `dmsetup ls --tree`. Both tell which device is stacked on which.
//!
//! ```
//! use ebusy_analyzer::ids::DeviceNumber;
//! use ebusy_analyzer::parse::device_trees::lsblk;
//!
//! let text = "\
//! NAME     MAJ:MIN RM SIZE RO TYPE MOUNTPOINT
//! vdb      254:16   0  20G  0 disk
//! └─vg0-a  253:0    0  20G  0 lvm
//! ";
//! let nodes = lsblk(text.as_bytes());
//! assert_eq!(nodes[1].below, Some(DeviceNumber { major: 254, minor: 16 }));
//! assert!(nodes[1].is_mapped);
//! ```

use super::{below_drawing, device_number, numbered_lines, words};
use crate::ids::DeviceNumber;

/// A device and the one that it is stacked on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Name as shown: a kernel name, or a device-mapper name. `dmsetup` shows none for what is not its own.
    pub name: Option<Vec<u8>>,
    /// Number.
    pub number: DeviceNumber,
    /// Whether device-mapper made it.
    pub is_mapped: bool,
    /// Number of the device that it is on.
    pub below: Option<DeviceNumber>,
    /// Line, from 1.
    pub line: u32,
}

/// The tree that `lsblk` prints, with any choice of columns that has name and number; empty for any other text.
pub fn lsblk(text: &[u8]) -> Vec<Node> {
    let mut lines = numbered_lines(text);
    let Some((_, header)) = lines.next() else { return Vec::new() };
    let columns: Vec<&[u8]> = words(header).collect();
    let of_kind = columns.iter().position(|c| *c == b"TYPE");
    if !is_lsblk(&columns) {
        return Vec::new();
    }
    let mut above: Vec<(usize, DeviceNumber)> = Vec::new();
    let mut found = Vec::new();
    for (line, row) in lines {
        let (depth, bare) = below_drawing(row);
        let cells: Vec<&[u8]> = words(bare).collect();
        let (Some(name), Some(number)) = (cells.first(), cells.get(1).and_then(|c| whole_device(c))) else {
            continue;
        };
        let kind = of_kind.and_then(|i| cells.get(i).copied());
        above.retain(|(of, _)| *of < depth);
        let below = above.last().map(|(_, number)| *number);
        above.push((depth, number));
        // A disk that several are on is listed below each of them again.
        let is_mapped = matches!(kind, Some(b"lvm" | b"crypt" | b"dm" | b"mpath" | b"thin"));
        found.push(Node { name: Some(name.to_vec()), number, is_mapped, below, line });
    }
    found
}

/// Whether a table's header is lsblk's.
pub(crate) fn is_lsblk(columns: &[&[u8]]) -> bool {
    columns.first() == Some(&&b"NAME"[..]) && columns.get(1) == Some(&&b"MAJ:MIN"[..])
}

fn whole_device(text: &[u8]) -> Option<DeviceNumber> {
    device_number(text).ok().filter(|(rest, _)| rest.is_empty()).map(|(_, number)| number)
}

/// `dmsetup ls`, also with `--tree`: `NAME (253:5)`, `NAME (253, 5)`. The tree goes down to what a device is made of.
pub fn dmsetup_ls(text: &[u8]) -> Vec<Node> {
    let mut above: Vec<(usize, DeviceNumber)> = Vec::new();
    let mut found: Vec<Node> = Vec::new();
    for (line, row) in numbered_lines(text) {
        let (depth, bare) = below_drawing(row);
        let Some((name, number)) = dmsetup_row(bare) else {
            above.clear();
            continue;
        };
        above.retain(|(of, _)| *of < depth);
        if let (Some((_, upper)), true) = (above.last(), depth > 0)
            && let Some(upper) = found.iter_mut().rev().find(|n| n.number == *upper)
        {
            upper.below.get_or_insert(number);
        }
        above.push((depth, number));
        found.push(Node { is_mapped: name.is_some(), name, number, below: None, line });
    }
    found
}

fn dmsetup_row(row: &[u8]) -> Option<(Option<Vec<u8>>, DeviceNumber)> {
    let open = memchr::memrchr(b'(', row)?;
    let inside = row[open + 1..].trim_ascii_end().strip_suffix(b")")?;
    let bare: Vec<u8> =
        inside.iter().map(|&b| if b == b',' { b':' } else { b }).filter(|b| *b != b' ').collect();
    let number = whole_device(&bare)?;
    let name = row[..open].trim_ascii();
    // A sentence that ends in a number in brackets is none.
    let is_name = !name.contains(&b' ') && !name.contains(&b':');
    (is_name || name.starts_with(b"docker-")).then(|| ((!name.is_empty()).then(|| name.to_vec()), number))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn n(major: u32, minor: u32) -> DeviceNumber {
        DeviceNumber { major, minor }
    }

    #[test]
    fn lsblk_tells_what_is_stacked_on_what() {
        let rows = lsblk(
            "NAME              MAJ:MIN RM SIZE RO TYPE MOUNTPOINT\nsda                 8:0    0  20G  0 disk\n├─sda1              8:1    0   1G  0 part /boot\n└─sda2              8:2    0  19G  0 part\n  └─vg-web        253:0    0  19G  0 lvm  /srv/web\nloop0               7:0    0   1G  0 loop\n"
                .as_bytes(),
        );
        let of: Vec<_> = rows.iter().map(|r| (r.number, r.below, r.is_mapped)).collect();
        assert_eq!(
            of,
            [
                (n(8, 0), None, false),
                (n(8, 1), Some(n(8, 0)), false),
                (n(8, 2), Some(n(8, 0)), false),
                (n(253, 0), Some(n(8, 2)), true),
                (n(7, 0), None, false)
            ]
        );
        assert!(lsblk(b"NAME SIZE\nsda 20G\n").is_empty());
    }

    #[test]
    fn dmsetup_goes_down_to_what_a_device_is_made_of() {
        let rows = dmsetup_ls(
            "docker-8:1-77-ab (253:2)\n └─docker-8:1-77-pool (253:1)\n    ├─ (7:1)\n    └─ (7:0)\nvg-web\t(253, 0)\n".as_bytes(),
        );
        let of: Vec<_> = rows.iter().map(|r| (r.name.is_some(), r.number, r.below)).collect();
        assert_eq!(
            of,
            [
                (true, n(253, 2), Some(n(253, 1))),
                (true, n(253, 1), Some(n(7, 1))),
                (false, n(7, 1), None),
                (false, n(7, 0), None),
                (true, n(253, 0), None)
            ]
        );
        assert!(dmsetup_ls(b"It failed again today (7:30)\n").is_empty());
    }
}
