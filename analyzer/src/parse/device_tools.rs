//! What device tools print: `dmsetup info -c` and `losetup -a`, as sosreports and hand-made captures hold them.

use super::{numbered_lines, whole_number, words};
use crate::snapshot::DeviceNumber;

/// One device-mapper device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DmInfo {
    /// Name below `/dev/mapper`.
    pub name: Vec<u8>,
    /// Device number.
    pub device: DeviceNumber,
    /// How often it is open: mounts, stacked devices and descriptors on its node.
    pub open_count: Option<u32>,
    /// Line, from 1.
    pub line: u32,
}

/// The table that `dmsetup info -c` prints; empty for any other text.
pub fn dmsetup_info(text: &[u8]) -> Vec<DmInfo> {
    let mut lines = numbered_lines(text);
    let Some((_, header)) = lines.next() else { return Vec::new() };
    let columns: Vec<&[u8]> = words(header).collect();
    let column = |name: &[u8]| columns.iter().position(|c| *c == name);
    let (Some(0), Some(major), Some(minor)) = (column(b"Name"), column(b"Maj"), column(b"Min")) else {
        return Vec::new();
    };
    let open = column(b"Open");
    lines
        .filter_map(|(line, row)| {
            let cells: Vec<&[u8]> = words(row).collect();
            Some(DmInfo {
                name: cells.first()?.to_vec(),
                device: DeviceNumber {
                    major: whole_number(cells.get(major)?)?,
                    minor: whole_number(cells.get(minor)?)?,
                },
                open_count: open.and_then(|o| whole_number(cells.get(o)?)),
                line,
            })
        })
        .collect()
}

/// A loop device and the file behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoopInfo {
    /// Name without `/dev/`, e.g. `loop3`.
    pub name: Vec<u8>,
    /// Device that the file is on; known even after a lazy umount.
    pub backing_device: DeviceNumber,
    /// Path of the file.
    pub backing_file: Vec<u8>,
    /// Line, from 1.
    pub line: u32,
}

/// The old listing of `losetup -a`: `/dev/loop0: [65024]:131124 (/path)`, the device as one number, decimal
/// (util-linux) or hexadecimal (busybox prints no device; older util-linux printed `[fd01]`).
pub fn losetup(text: &[u8]) -> Vec<LoopInfo> {
    numbered_lines(text)
        .filter_map(|(line, row)| {
            let row = row.strip_prefix(b"/dev/")?;
            let colon = memchr::memchr(b':', row)?;
            let rest = row[colon + 1..].trim_ascii_start().strip_prefix(b"[")?;
            let bracket = memchr::memchr(b']', rest)?;
            let digits = std::str::from_utf8(&rest[..bracket]).ok()?;
            let number = if digits.bytes().all(|b| b.is_ascii_digit()) && digits.len() > 4 {
                digits.parse().ok()?
            } else {
                u64::from_str_radix(digits, 16).ok()?
            };
            let open = memchr::memchr(b'(', rest)?;
            let close = memchr::memrchr(b')', rest)?;
            Some(LoopInfo {
                name: row[..colon].to_vec(),
                backing_device: DeviceNumber::from_dev_t(number),
                backing_file: rest.get(open + 1..close)?.to_vec(),
                line,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dmsetup_columns_are_found_by_name() {
        let rows = dmsetup_info(b"Name          Maj Min Stat Open Targ Event  UUID\ndocker-8:1-7-ab 253   1 L--w    2    1      0\n");
        assert_eq!(rows[0].device, DeviceNumber { major: 253, minor: 1 });
        assert_eq!((rows[0].open_count, rows[0].line), (Some(2), 2));
        assert!(dmsetup_info(b"No devices found\n").is_empty());
    }

    #[test]
    fn losetup_gives_the_device_behind_the_file() {
        let rows = losetup(b"/dev/loop1: [65024]:131125 (/var/lib/a (b))\n/dev/loop2: [fd01]:7 (/x)\n");
        assert_eq!(rows[0].backing_device, DeviceNumber { major: 254, minor: 0 });
        assert_eq!(rows[0].backing_file, b"/var/lib/a (b)");
        assert_eq!(rows[1].backing_device, DeviceNumber { major: 253, minor: 1 });
    }
}
