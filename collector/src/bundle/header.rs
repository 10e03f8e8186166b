//! tar's header, 512 bytes before each entry. A bundle has tens of thousands, so the part that is the same in all of
//! them is made, and summed up, once.

use tar::{EntryType, Header};

/// Where the fields that differ lie (`struct posix_header` of tar.h), as start and length.
const NAME: (usize, usize) = (0, 100);
const MODE: (usize, usize) = (100, 8);
const SIZE: (usize, usize) = (124, 12);
const CHECKSUM: (usize, usize) = (148, 8);
const KIND: usize = 156;
const LINK: (usize, usize) = (157, 100);

/// A header without name, mode, size, kind, link and checksum.
pub(super) struct Template {
    bytes: [u8; 512],
    /// Sum of the bytes, with blanks for the checksum as tar wants it.
    sum: u32,
}

impl Template {
    /// `mtime`: seconds since 1970, of every entry.
    pub(super) fn new(mtime: u64) -> Self {
        let mut header = Header::new_gnu();
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(mtime);
        let mut bytes = *header.as_bytes();
        for (start, length) in [NAME, MODE, SIZE, CHECKSUM, (KIND, 1), LINK] {
            bytes[start..start + length].fill(0);
        }
        let sum = bytes.iter().map(|&b| u32::from(b)).sum::<u32>() + u32::from(b' ') * 8;
        Self { bytes, sum }
    }

    /// Appends a header. What is longer than its field is cut; the writer has put the whole before.
    pub(super) fn append(
        &self,
        out: &mut Vec<u8>,
        kind: EntryType,
        path: &[&[u8]],
        link: &[&[u8]],
        size: usize,
    ) {
        let at = out.len();
        out.extend_from_slice(&self.bytes);
        let header = &mut out[at..];
        let mut sum = self.sum + u32::from(kind.as_byte());
        header[KIND] = kind.as_byte();
        sum += join(&mut header[NAME.0..][..NAME.1], path);
        sum += join(&mut header[LINK.0..][..LINK.1], link);
        let mode = if kind == EntryType::Symlink { 0o777 } else { 0o600 };
        sum += octal(&mut header[MODE.0..][..MODE.1 - 1], mode);
        sum += octal(&mut header[SIZE.0..][..SIZE.1 - 1], size);
        // Six digits, NUL, blank.
        octal(&mut header[CHECKSUM.0..][..6], sum as usize);
        header[CHECKSUM.0 + 7] = b' ';
    }
}

/// Writes the parts one after another, as far as they fit, and returns the sum of the bytes.
fn join(field: &mut [u8], parts: &[&[u8]]) -> u32 {
    let mut at = 0;
    for part in parts {
        let length = part.len().min(field.len() - at);
        field[at..at + length].copy_from_slice(&part[..length]);
        at += length;
    }
    field[..at].iter().map(|&b| u32::from(b)).sum()
}

/// Writes all digits of the field, and returns the sum of the bytes. No entry comes near the 8 GiB that fit.
fn octal(field: &mut [u8], mut number: usize) -> u32 {
    let mut sum = 0;
    for digit in field.iter_mut().rev() {
        *digit = b'0' + (number & 7) as u8;
        sum += u32::from(*digit);
        number >>= 3;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_as_the_tar_crate_writes() {
        let mut expected = Header::new_gnu();
        expected.set_entry_type(EntryType::Link);
        expected.set_mode(0o600);
        expected.set_uid(0);
        expected.set_gid(0);
        expected.set_mtime(1_795_332_813);
        expected.set_size(123_456);
        let old = expected.as_old_mut();
        old.name[..8].copy_from_slice(b"top/name");
        old.linkname.copy_from_slice(&[b'x'; 100]);
        expected.set_cksum();
        let mut out = Vec::new();
        let template = Template::new(1_795_332_813);
        template.append(&mut out, EntryType::Link, &[b"top/", b"name"], &[&[b'x'; 120]], 123_456);
        let read = Header::from_byte_slice(&out);
        assert_eq!(read.cksum().unwrap(), expected.cksum().unwrap());
        assert_eq!(read.as_bytes()[..148], expected.as_bytes()[..148]);
        assert_eq!(read.as_bytes()[156..], expected.as_bytes()[156..]);
    }
}
