//! What device tools print: `dmsetup info -c` and `losetup -a`, as sosreports and hand-made captures hold them.
//!
//! ```
//! use ebusy_analyzer::ids::DeviceNumber;
//! use ebusy_analyzer::parse::device_tools::{dmsetup_info, losetup};
//!
//! let loops = losetup(b"/dev/loop3: [64768]:131 (/srv/disk.img)\n");
//! assert_eq!(loops[0].backing_file, b"/srv/disk.img");
//! assert_eq!(loops[0].backing_device, Some(DeviceNumber { major: 253, minor: 0 }));
//! // What is no such table is none.
//! assert!(dmsetup_info(b"No devices found\n").is_empty());
//! ```

use super::{numbered_lines, whole_number, words};
use crate::ids::DeviceNumber;

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

/// The long form of `dmsetup info`: blocks of `Name:`, `Open count:` and `Major, minor:` lines.
pub fn dmsetup_blocks(text: &[u8]) -> Vec<DmInfo> {
    let mut found: Vec<DmInfo> = Vec::new();
    let mut begun: Option<(Vec<u8>, u32, Option<u32>)> = None;
    for (line, row) in numbered_lines(text) {
        let value = |key: &[u8]| row.strip_prefix(key).map(<[u8]>::trim_ascii);
        if let Some(name) = value(b"Name:") {
            begun = Some((name.to_vec(), line, None));
        } else if let (Some(count), Some((_, at, open_count))) = (value(b"Open count:"), &mut begun) {
            *at = line;
            *open_count = whole_number(count);
        } else if let Some(numbers) = value(b"Major, minor:")
            && let Some((name, line, open_count)) = begun.take()
        {
            let mut numbers = numbers.split(|&b| b == b',').map(|n| whole_number(n.trim_ascii()));
            if let (Some(Some(major)), Some(Some(minor))) = (numbers.next(), numbers.next()) {
                found.push(DmInfo { name, device: DeviceNumber { major, minor }, open_count, line });
            }
        }
    }
    found
}

/// A loop device and the file behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoopInfo {
    /// Name without `/dev/`, e.g. `loop3`.
    pub name: Vec<u8>,
    /// Device that the file is on; known even after a lazy umount. Only the old listing tells it.
    pub backing_device: Option<DeviceNumber>,
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
            // Without privilege the brackets are empty.
            let number = match digits {
                "" => None,
                _ if digits.bytes().all(|b| b.is_ascii_digit()) && digits.len() > 4 => {
                    Some(digits.parse().ok()?)
                }
                _ => Some(u64::from_str_radix(digits, 16).ok()?),
            };
            let open = memchr::memchr(b'(', rest)?;
            let close = memchr::memrchr(b')', rest)?;
            Some(LoopInfo {
                name: row[..colon].to_vec(),
                backing_device: number.map(DeviceNumber::from_dev_t),
                backing_file: rest.get(open + 1..close)?.to_vec(),
                line,
            })
        })
        .collect()
}

/// The newer listing of `losetup`: a table with `NAME` and `BACK-FILE`; empty for any other text.
pub fn losetup_table(text: &[u8]) -> Vec<LoopInfo> {
    let mut lines = numbered_lines(text);
    let Some((_, header)) = lines.next() else { return Vec::new() };
    let Some(column) = words(header).position(|c| c == b"BACK-FILE") else { return Vec::new() };
    lines
        .filter_map(|(line, row)| {
            let cells: Vec<&[u8]> = words(row).collect();
            let name = cells.first()?.strip_prefix(b"/dev/")?.to_vec();
            Some(LoopInfo { name, backing_device: None, backing_file: cells.get(column)?.to_vec(), line })
        })
        .collect()
}

/// An rbd image that is mapped to a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RbdImage {
    /// `POOL/IMAGE`, or `POOL/NAMESPACE/IMAGE`.
    pub image: Vec<u8>,
    /// `/dev/rbdN`.
    pub device: Vec<u8>,
    /// Line, from 1.
    pub line: u32,
}

/// Whether a table's header is that of `rbd showmapped`.
pub(crate) fn is_showmapped(columns: &[&[u8]]) -> bool {
    columns.first() == Some(&&b"id"[..])
        && columns.contains(&&b"pool"[..])
        && columns.last() == Some(&&b"device"[..])
}

/// The table of `rbd showmapped` (`rbd device list`); empty for any other text. The namespace's column may be empty.
pub fn rbd_showmapped(text: &[u8]) -> Vec<RbdImage> {
    let mut lines = numbered_lines(text);
    let Some((_, header)) = lines.next() else { return Vec::new() };
    if !is_showmapped(&words(header).collect::<Vec<_>>()) {
        return Vec::new();
    }
    lines
        .filter_map(|(line, row)| {
            let cells: Vec<&[u8]> = words(row).collect();
            let [_id, place @ .., _snap, device] = &cells[..] else { return None };
            (place.len() > 1 && device.starts_with(b"/dev/rbd")).then(|| RbdImage {
                image: place.join(&b'/'),
                device: device.to_vec(),
                line,
            })
        })
        .collect()
}

/// Datasets with their mount points and lines: `zfs list`, and `zfs mount` without a header; empty for any other text.
pub fn zfs(text: &[u8]) -> Vec<(Vec<u8>, Vec<u8>, u32)> {
    let mut lines = numbered_lines(text).peekable();
    let Some((_, first)) = lines.peek() else { return Vec::new() };
    let has_header = is_zfs_list(&words(first).collect::<Vec<_>>());
    let mut found = Vec::new();
    for (line, row) in lines.skip(usize::from(has_header)) {
        let cells: Vec<&[u8]> = words(row).collect();
        let is_row = (has_header || cells.len() == 2) && cells.first().is_some_and(|c| is_dataset(c));
        match (cells.first(), cells.last()) {
            (Some(dataset), Some(point)) if is_row && point.starts_with(b"/") => {
                found.push((dataset.to_vec(), point.to_vec(), line));
            }
            // Every line of `zfs mount` is one of a dataset; a listed one may be mounted nowhere.
            _ if !has_header => return Vec::new(),
            _ => {}
        }
    }
    found
}

/// Whether a table's header is that of `zfs list`.
pub(crate) fn is_zfs_list(columns: &[&[u8]]) -> bool {
    columns.first() == Some(&&b"NAME"[..])
        && columns.contains(&&b"USED"[..])
        && columns.last() == Some(&&b"MOUNTPOINT"[..])
}

fn is_dataset(word: &[u8]) -> bool {
    word.first().is_some_and(u8::is_ascii_alphabetic)
        && word.iter().all(|b| b.is_ascii_alphanumeric() || b"/-_.:@%".contains(b))
}

/// Swap areas with their lines: `swapon -s`, `swapon --show` and `/proc/swaps`; empty for any other text.
pub fn swapon(text: &[u8]) -> Vec<(Vec<u8>, u32)> {
    let mut lines = numbered_lines(text);
    let Some((_, header)) = lines.next() else { return Vec::new() };
    if !is_swapon(&words(header).collect::<Vec<_>>()) {
        return Vec::new();
    }
    lines
        .filter_map(|(line, row)| Some((words(row).next().filter(|p| p.starts_with(b"/"))?.to_vec(), line)))
        .collect()
}

/// Whether a table's header is that of `swapon`.
pub(crate) fn is_swapon(columns: &[&[u8]]) -> bool {
    matches!(columns, [b"Filename", b"Type", b"Size", ..] | [b"NAME", b"TYPE", b"SIZE", b"USED", ..])
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
    fn the_long_form_tells_the_open_count_too() {
        let rows = dmsetup_blocks(
            b"Name:              pool-a\nState:             ACTIVE\nOpen count:        2\nMajor, minor:      253, 7\n\nName: b\n",
        );
        assert_eq!(rows.len(), 1);
        assert_eq!((&rows[0].name[..], rows[0].open_count, rows[0].line), (&b"pool-a"[..], Some(2), 3));
        assert_eq!(rows[0].device, DeviceNumber { major: 253, minor: 7 });
    }

    #[test]
    fn losetup_gives_the_device_behind_the_file() {
        let rows = losetup(b"/dev/loop1: [65024]:131125 (/var/lib/a (b))\n/dev/loop2: [fd01]:7 (/x)\n");
        assert_eq!(rows[0].backing_device, Some(DeviceNumber { major: 254, minor: 0 }));
        assert_eq!(rows[0].backing_file, b"/var/lib/a (b)");
        assert_eq!(rows[1].backing_device, Some(DeviceNumber { major: 253, minor: 1 }));
    }

    #[test]
    fn tables_of_loops_images_and_swap() {
        let loops = losetup_table(b"NAME SIZELIMIT OFFSET AUTOCLEAR RO BACK-FILE DIO LOG-SEC\n/dev/loop3 0 0 1 0 /srv/disk.img 0 512\n");
        assert_eq!((&loops[0].name[..], &loops[0].backing_file[..]), (&b"loop3"[..], &b"/srv/disk.img"[..]));
        let old = rbd_showmapped(b"id pool image snap device\n0 kube vol1 - /dev/rbd0\n");
        let new = rbd_showmapped(b"id  pool  namespace  image  snap  device\n0   kube             vol1   -     /dev/rbd0\n1   kube  ns1        vol2   -     /dev/rbd1\n");
        let of = |rows: &[RbdImage]| {
            rows.iter().map(|r| String::from_utf8_lossy(&r.image).into_owned()).collect::<Vec<_>>()
        };
        assert_eq!(
            (of(&old), of(&new)),
            (vec!["kube/vol1".to_owned()], vec!["kube/vol1".into(), "kube/ns1/vol2".into()])
        );
        assert_eq!(
            swapon(b"Filename Type Size Used Priority\n/dev/dm-1 partition 1 0 -2\n"),
            [(b"/dev/dm-1".to_vec(), 2)]
        );
        let tank = (b"tank/web".to_vec(), b"/tank/web".to_vec());
        let of = |text: &[u8]| zfs(text).into_iter().map(|(d, p, _)| (d, p)).collect::<Vec<_>>();
        assert_eq!(
            of(b"NAME USED AVAIL REFER MOUNTPOINT\ntank/web 1M 2G 1M /tank/web\ntank/none 1M 2G 1M none\n"),
            std::slice::from_ref(&tank)
        );
        assert_eq!(of(b"tank/web   /tank/web\n"), [tank]);
        assert_eq!(of(b"see /tank/web\nhello there you\n"), []);
        assert!(losetup(b"/dev/loop1: []: (/srv/x)\n")[0].backing_device.is_none());
    }
}
