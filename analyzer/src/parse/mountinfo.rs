//! `/proc/PID/mountinfo`, one mount a line (proc_pid_mountinfo(5), kernel `fs/proc_namespace.c`):
//!
//! `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue`
//!
//! Fields are kept as they stand, so that a line can be shown as evidence; the accessors decode them.

use std::borrow::Cow;

use nom::bytes::complete::{tag, take_while};
use nom::character::complete::char;
use nom::combinator::{cut, opt, rest};
use nom::error::{Error, ErrorKind};
use nom::sequence::{preceded, terminated};
use nom::{Err, IResult, Parser};

use super::{device_number, number};
use crate::bytes::decode_octal;
use crate::ids::{DeviceNumber, MountId, PeerGroup};

/// One line of a mount table.
///
/// ```
/// use ebusy_analyzer::parse::mountinfo::parse_line;
///
/// let mount = parse_line(br"36 35 253:3 / /mnt/a\040b rw shared:7 - ext4 /dev/mapper/vg-a rw,data=ordered")?;
/// assert_eq!(&*mount.mount_point(), b"/mnt/a b");
/// assert_eq!(mount.shared().map(|group| group.0), Some(7));
/// assert_eq!(mount.super_option(b"data").as_deref(), Some(&b"ordered"[..]));
/// # Ok::<(), ebusy_analyzer::parse::mountinfo::BadLine>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount<'a> {
    /// The line, or what of it is kept.
    pub text: Text<'a>,
    /// Blanks before the first field, as people indent what they paste.
    pub indent: &'a [u8],
    /// Mount id, unique over all mount namespaces of a running kernel.
    pub id: MountId,
    /// Id of the mount that this one is on.
    pub parent: MountId,
    /// `st_dev` of the files on it.
    pub device: DeviceNumber,
    /// Escaped path within the file system that forms the root of this mount.
    pub raw_root: &'a [u8],
    /// Escaped mount point, seen from the process's root.
    pub raw_mount_point: &'a [u8],
    /// Options of this mount.
    pub options: &'a [u8],
    /// The optional fields, each with the blank before it; two blanks stand there where some tools wrote them.
    pub optional_fields: &'a [u8],
    /// File system type.
    pub fs_type: &'a [u8],
    /// Escaped mount source; may be empty.
    pub raw_source: &'a [u8],
    /// Options of the superblock; may contain blanks (CIFS before Linux 3.10). `None` where the line ends
    /// after the source.
    pub super_options: Option<&'a [u8]>,
}

/// A line as it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Text<'a> {
    /// All of it.
    Whole(&'a [u8]),
    /// What follows `ID PARENT `, which are written as the kernel writes them.
    AfterIds(&'a [u8]),
}

impl<'a> Mount<'a> {
    /// The line as it stands in its table.
    pub fn line(&self) -> Vec<u8> {
        match self.text {
            Text::Whole(line) => line.to_vec(),
            Text::AfterIds(rest) => [format!("{} {} ", self.id.0, self.parent.0).as_bytes(), rest].concat(),
        }
    }

    /// Whether its line has these bytes, beside the ids.
    pub(crate) fn mentions(&self, searched: &memchr::memmem::Finder<'_>) -> bool {
        let (Text::Whole(text) | Text::AfterIds(text)) = self.text;
        searched.find(text).is_some()
    }

    /// Path within the file system that forms the root of this mount. `//deleted` is appended by the kernel
    /// when that directory is gone.
    pub fn root(&self) -> Cow<'a, [u8]> {
        decode_octal(self.raw_root)
    }

    /// Mount point, seen from the process's root.
    pub fn mount_point(&self) -> Cow<'a, [u8]> {
        decode_octal(self.raw_mount_point)
    }

    /// Mount source.
    pub fn source(&self) -> Cow<'a, [u8]> {
        decode_octal(self.raw_source)
    }

    /// Peer group that this mount sends to and receives from.
    pub fn shared(&self) -> Option<PeerGroup> {
        self.tagged(b"shared:")
    }

    /// Peer group that this mount receives from.
    pub fn master(&self) -> Option<PeerGroup> {
        self.tagged(b"master:")
    }

    /// Nearest dominant peer group under the process's root, where the master is not below it.
    pub fn propagate_from(&self) -> Option<PeerGroup> {
        self.tagged(b"propagate_from:")
    }

    /// Whether the mount cannot be bound elsewhere.
    pub fn unbindable(&self) -> bool {
        self.optional_fields.split(|&b| b == b' ').any(|f| f == b"unbindable")
    }

    /// Its propagation state, see [`propagation`].
    pub fn propagation(&self) -> &'static str {
        propagation(self.shared().is_some(), self.master().is_some(), self.unbindable())
    }

    fn tagged(&self, name: &[u8]) -> Option<PeerGroup> {
        self.optional_fields
            .split(|&b| b == b' ')
            .find_map(|field| field.strip_prefix(name))
            .and_then(super::whole_number)
            .map(PeerGroup)
    }

    /// A superblock option's value, decoded: `upperdir` of an overlay.
    pub fn super_option(&self, name: &[u8]) -> Option<Cow<'a, [u8]>> {
        split_options(self.super_options?)
            .find_map(|option| option.strip_prefix(name)?.strip_prefix(b"="))
            .map(decode_octal)
    }

    /// All values of an option that is repeated: `lowerdir+` since Linux 6.8 (kernel `fs/overlayfs/params.c`).
    pub fn super_options_named(&self, name: &[u8]) -> Vec<Cow<'a, [u8]>> {
        split_options(self.super_options.unwrap_or_default())
            .filter_map(|option| option.strip_prefix(name)?.strip_prefix(b"="))
            .map(decode_octal)
            .collect()
    }

    /// The line again, put together from its fields: nothing of it is lost in reading.
    pub fn to_line(&self) -> Vec<u8> {
        let numbers = format!("{} {} {} ", self.id.0, self.parent.0, self.device);
        let mut line = self.indent.to_vec();
        line.extend_from_slice(numbers.as_bytes());
        for part in [self.raw_root, b" ", self.raw_mount_point, b" ", self.options, self.optional_fields] {
            line.extend_from_slice(part);
        }
        for part in [&b" - "[..], self.fs_type, b" ", self.raw_source] {
            line.extend_from_slice(part);
        }
        if let Some(options) = self.super_options {
            line.push(b' ');
            line.extend_from_slice(options);
        }
        line
    }
}

/// Superblock options are separated by commas; a comma inside a value is escaped with a backslash
/// (overlayfs) or as `\054`.
fn split_options(options: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(options);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = (0..text.len()).find(|&i| text[i] == b',' && (i == 0 || text[i - 1] != b'\\'));
        let (option, after) = match end {
            Some(i) => (&text[..i], Some(&text[i + 1..])),
            None => (text, None),
        };
        rest = after;
        Some(option)
    })
}

/// Where and why a line is not a line of mountinfo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLine {
    /// Column, counted from 1 in bytes.
    pub column: usize,
    /// What was expected there.
    pub expected: &'static str,
}

/// Parses one line without its line end.
///
/// # Errors
/// With the column at which the line stops making sense.
/// ```
/// use ebusy_analyzer::parse::mountinfo::parse_line;
///
/// let line = b"36 35 98:0 /mnt1 /mnt/with\\040space rw,noatime master:1 - ext3 /dev/root rw,errors=continue";
/// let mount = parse_line(line).unwrap();
/// assert_eq!(mount.mount_point().as_ref(), b"/mnt/with space");
/// assert_eq!(mount.to_line(), line);
/// let bad = parse_line(b"36 35 98:0").unwrap_err();
/// println!("column {}: expected {}", bad.column, bad.expected);
/// ```
pub fn parse_line(line: &[u8]) -> Result<Mount<'_>, BadLine> {
    mount(line).map(|(_, mount)| mount).map_err(|error| {
        let (at, kind) = match error {
            Err::Error(e) | Err::Failure(e) => (e.input.len(), e.code),
            Err::Incomplete(_) => (0, ErrorKind::Eof),
        };
        let expected = match kind {
            ErrorKind::MapOpt | ErrorKind::TakeWhile1 | ErrorKind::Digit => "a number",
            ErrorKind::Char => "a blank or a colon",
            ErrorKind::Tag => "the separator ` - `",
            _ => "another field",
        };
        BadLine { column: line.len() - at + 1, expected }
    })
}

fn mount(line: &[u8]) -> IResult<&[u8], Mount<'_>> {
    let (input, indent) = take_while(|b| b == b' ').parse(line)?;
    let (input, id) = terminated(number, char(' ')).parse(input)?;
    let (input, parent) = terminated(number, char(' ')).parse(input)?;
    // From here on it is meant to be a mount: errors are about this line, not about another kind of line.
    let (input, mount) = cut(after_ids).parse(input)?;
    let (id, parent) = (MountId(id), MountId(parent));
    Ok((input, Mount { text: Text::Whole(line), indent, id, parent, ..mount }))
}

/// What follows the two ids, which are 0 here.
pub(crate) fn after_ids(text: &[u8]) -> IResult<&[u8], Mount<'_>> {
    let (input, device) = terminated(device_number, char(' ')).parse(text)?;
    let (input, raw_root) = terminated(field, char(' ')).parse(input)?;
    let (input, raw_mount_point) = terminated(field, char(' ')).parse(input)?;
    let (input, options) = field(input)?;
    let (input, optional_fields) = optional_fields(input)?;
    let (input, fs_type) = field(input)?;
    // Some kernels and tools leave the source empty, and old captures end after it.
    let (input, raw_source) = preceded(char(' '), field).parse(input)?;
    let (input, super_options) = opt(preceded(char(' '), rest)).parse(input)?;
    let mount = Mount {
        text: Text::AfterIds(text),
        indent: b"",
        id: MountId(0),
        parent: MountId(0),
        device,
        raw_root,
        raw_mount_point,
        options,
        optional_fields,
        fs_type,
        raw_source,
        super_options,
    };
    Ok((input, mount))
}

fn field(input: &[u8]) -> IResult<&[u8], &[u8]> {
    take_while(|b| b != b' ').parse(input)
}

/// Any number of tags up to the first field that is a single hyphen. Paths before it cannot hold a blank
/// (they are escaped), so the first hyphen is the separator even where the super options hold another.
fn optional_fields(input: &[u8]) -> IResult<&[u8], &[u8]> {
    let Some(at) = memchr::memmem::find(input, b" - ") else {
        return Err(Err::Error(Error::new(input, ErrorKind::Tag)));
    };
    let (after, _) = tag(&b" - "[..]).parse(&input[at..])?;
    Ok((after, &input[..at]))
}

/// A mount's propagation state in the words of mount_namespaces(7): whether it is in a peer group, whether it receives
/// from one, and whether it cannot be bound.
pub(crate) fn propagation(shared: bool, slave: bool, unbindable: bool) -> &'static str {
    match (shared, slave, unbindable) {
        (true, true, _) => "shared and slave",
        (true, false, _) => "shared",
        (false, true, _) => "slave",
        (false, false, true) => "unbindable",
        (false, false, false) => "private",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_a_full_line_is_understood() {
        let m = parse_line(
            br"97 61 0:54 / /srv/a\040b rw,relatime shared:3 master:1 propagate_from:2 unbindable - overlay overlay rw,upperdir=/u\054x,workdir=/w",
        )
        .unwrap();
        assert_eq!((m.id, m.parent), (MountId(97), MountId(61)));
        assert_eq!(m.device, DeviceNumber { major: 0, minor: 54 });
        assert_eq!(m.mount_point().as_ref(), b"/srv/a b");
        assert_eq!(m.shared(), Some(PeerGroup(3)));
        assert_eq!(m.master(), Some(PeerGroup(1)));
        assert_eq!(m.propagate_from(), Some(PeerGroup(2)));
        assert!(m.unbindable());
        assert_eq!(m.super_option(b"upperdir").unwrap().as_ref(), b"/u,x");
        assert_eq!(m.super_option(b"workdir").unwrap().as_ref(), b"/w");
        assert_eq!(m.super_option(b"lowerdir"), None);
    }

    #[test]
    fn odd_lines_of_real_hosts_are_understood() {
        let empty_source = parse_line(b"1 0 0:1 / / rw - tmpfs  ro,size=1k").unwrap();
        assert_eq!(
            (empty_source.raw_source, empty_source.super_options),
            (&b""[..], Some(&b"ro,size=1k"[..]))
        );
        let blanks = parse_line(br"31 21 0:23 / /M rw - cifs //s/d rw,unc=\\s\D,x=a b c - d").unwrap();
        assert_eq!(blanks.super_options, Some(&br"rw,unc=\\s\D,x=a b c - d"[..]));
        let two_blanks = parse_line(b"1 0 0:1 / / rw  - tmpfs tmpfs rw").unwrap();
        assert_eq!(two_blanks.fs_type, b"tmpfs");
        let deleted = parse_line(br"9 8 8:1 /x//deleted /y rw - ext4 /dev/sda1 rw").unwrap();
        assert_eq!(deleted.root().as_ref(), b"/x//deleted");
        assert_eq!(parse_line(b"1 0 0:1 / / rw - tmpfs tmpfs").unwrap().super_options, None);
    }

    #[test]
    fn every_line_prints_back_byte_for_byte() {
        let long = [b"7 1 0:9 / /m rw - overlay overlay rw,lowerdir=/", &[b'x'; 1 << 20][..]].concat();
        let lines: [&[u8]; 10] = [
            b"    56 1 0:26 / / rw - btrfs /dev/vda3 rw",
            br"36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue",
            b"1 0 0:1 / / rw  - tmpfs  ro,size=1k",
            b"1 0 0:1 / / rw - tmpfs tmpfs",
            b"1 0 0:1 / / rw - tmpfs tmpfs ",
            br"5 1 0:2 / /a\040b\011c\012d\134e\043f rw shared:1 odd - fuse.x name\040x rw,a=\134",
            b"5 1 0:2 /\xff\xfe /\xc3\x28 rw - ext4 \xf0\x28 rw",
            br"31 21 0:23 / /M rw - cifs //s/d rw,unc=\\s\D,x=a b c - d",
            br"9 1 0:7 / /m rw - overlay overlay rw,lowerdir+=/a,lowerdir+=/b\054c,upperdir=/u\,v",
            &long,
        ];
        for line in lines {
            let mount = parse_line(line).unwrap();
            assert!(mount.to_line() == line, "{}", crate::bytes::visible(&line[..line.len().min(200)]));
        }
    }

    #[test]
    fn repeated_lower_directories_are_all_kept() {
        let m = parse_line(br"9 1 0:7 / /m rw - overlay o rw,lowerdir+=/a,lowerdir+=/b\054c,upperdir=/u")
            .unwrap();
        let lower = m.super_options_named(b"lowerdir+");
        assert_eq!(lower.iter().map(|d| d.as_ref()).collect::<Vec<_>>(), [&b"/a"[..], b"/b,c"]);
    }

    #[test]
    fn a_bad_line_names_its_column() {
        assert_eq!(parse_line(b"1 0 0:x / / rw - a b c").unwrap_err().column, 7);
        assert_eq!(parse_line(b"1 0 0:1 / / rw").unwrap_err().expected, "the separator ` - `");
        assert!(parse_line(b"").is_err());
        assert!(parse_line(b"99999999999 0 0:1 / / rw - a b c").is_err());
    }
}
