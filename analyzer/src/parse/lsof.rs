//! What `lsof` lists (lsof(8)): `COMMAND PID … FD TYPE DEVICE SIZE/OFF NODE NAME`.
//!
//! ```
//! use ebusy_analyzer::parse::lsof;
//!
//! let text = b"\
//! COMMAND  PID USER   FD   TYPE DEVICE SIZE/OFF NODE NAME
//! tail      42 root  cwd    DIR  253,5     4096    2 /srv/data
//! ";
//! let files = lsof::parse(text);
//! assert_eq!((files[0].pid.0, &files[0].comm[..]), (42, &b"tail"[..]));
//! ```

use super::links::Link;
use super::{device_number_with, numbered_lines, whole_number};
use crate::ids::Pid;

/// An open file with its process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenFile {
    /// Pid.
    pub pid: Pid,
    /// Short name, cut by lsof after nine characters.
    pub comm: Vec<u8>,
    /// What is behind it.
    pub link: Link,
}

/// The rows that tell a device number; empty for any other text.
pub fn parse(text: &[u8]) -> Vec<OpenFile> {
    let mut lines = numbered_lines(text);
    if !lines.any(|(_, line)| is_header(line)) {
        return Vec::new();
    }
    lines.filter_map(|(number, line)| row(line, number)).collect()
}

/// Whether a line is the listing's first one.
pub(crate) fn is_header(line: &[u8]) -> bool {
    let words: Vec<&[u8]> = super::words(line).collect();
    words.starts_with(&[b"COMMAND", b"PID"]) && words.contains(&&b"DEVICE"[..]) && words.contains(&&b"FD"[..])
}

fn row(line: &[u8], number: u32) -> Option<OpenFile> {
    let words: Vec<&[u8]> = super::words(line).collect();
    let pid = Pid(whole_number(words.get(1)?)?);
    // Columns before it may be missing or more (TID, TASKCMD): the device is the first pair of numbers.
    let (at, device) = (4..words.len().min(9)).find_map(|i| {
        let (rest, device) = device_number_with(b',', words[i]).ok()?;
        rest.is_empty().then_some((i, device))
    })?;
    let is_block_device = words[at - 1] == b"BLK";
    let is_node = is_block_device || words[at - 1] == b"CHR";
    let path = (at + 2..words.len()).find(|i| words[*i].starts_with(b"/")).map(|i| words[i..].join(&b' '));
    let link = Link {
        name: name_of(words[at - 2])?,
        device: (!is_node).then_some(device),
        node: is_node.then_some(device),
        is_block_device,
        path,
        line: number,
        ..Link::default()
    };
    Some(OpenFile { pid, comm: words[0].to_vec(), link })
}

/// `cwd`, `rtd` and `txt` are links of `/proc/PID`; `12u` is descriptor 12.
fn name_of(fd: &[u8]) -> Option<Vec<u8>> {
    let digits = fd.iter().take_while(|b| b.is_ascii_digit()).count();
    Some(match fd {
        b"cwd" => b"cwd".to_vec(),
        b"rtd" => b"root".to_vec(),
        b"txt" => b"exe".to_vec(),
        b"mem" | b"DEL" | b"mmap" => b"map".to_vec(),
        _ if digits > 0 => [b"fd/", &fd[..digits]].concat(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::DeviceNumber;

    #[test]
    fn devices_of_files_and_of_block_device_nodes() {
        let rows = parse(
            b"lsof: WARNING: can't stat()\nCOMMAND PID TID TASKCMD USER FD TYPE DEVICE SIZE/OFF NODE NAME\n\
              tail  42      root cwd DIR  253,5   4096  2 /rootfs\n\
              tail  42      root   3r REG 253,5  12 77 /rootfs/a b\n\
              qemu  43 44 CPU0 root  11u  BLK 253,1 0t0 400 /dev/dm-1\n\
              x     45      root  4u IPv4 1234 0t0 TCP *:80\n",
        );
        assert_eq!(rows.len(), 3);
        assert_eq!((rows[0].pid, &rows[0].link.name[..]), (Pid(42), &b"cwd"[..]));
        assert_eq!(rows[0].link.device, Some(DeviceNumber { major: 253, minor: 5 }));
        assert_eq!(rows[1].link.path.as_deref(), Some(&b"/rootfs/a b"[..]));
        assert_eq!(rows[2].link.node, Some(DeviceNumber { major: 253, minor: 1 }));
        assert_eq!(rows[2].link.device, None);
    }
}
