//! zip by its central directory (PKWARE APPNOTE 6.3: 4.3.12, 4.3.16; zip64 in 4.3.14 and 4.5.3). The whole file
//! is in memory: the directory stands at its end.

use std::io::Read;

use flate2::read::DeflateDecoder;

/// One file of the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member<'z> {
    pub(super) path: &'z [u8],
    pub(super) size: u64,
    pub(super) is_symlink: bool,
    /// Bit 0 of the general purpose flag (APPNOTE 4.4.4).
    pub(super) is_encrypted: bool,
    method: u16,
    data: &'z [u8],
}

impl<'z> Member<'z> {
    /// Its bytes; `None` where the method is another than stored and deflate.
    pub(super) fn open(&self) -> Option<Box<dyn Read + 'z>> {
        match self.method {
            _ if self.is_encrypted => None,
            0 => Some(Box::new(self.data)),
            8 => Some(Box::new(DeflateDecoder::new(self.data))),
            _ => None,
        }
    }
}

/// The files, in the directory's order; an error where there is no directory.
pub(super) fn members(zip: &[u8]) -> Result<Vec<Member<'_>>, &'static str> {
    let (count, mut at) = directory(zip).ok_or("the zip's directory at its end is missing")?;
    let mut members = Vec::new();
    for _ in 0..count {
        let member = member(zip, &mut at).ok_or("the zip's directory is damaged")?;
        members.extend(member);
    }
    Ok(members)
}

/// Number of members and where their records begin.
fn directory(zip: &[u8]) -> Option<(u64, u64)> {
    // The end record is followed by a comment of at most 65535 bytes.
    let tail = zip.len().saturating_sub(22 + 0xffff);
    let end = tail + memchr::memmem::rfind(&zip[tail..], b"PK\x05\x06")?;
    let (count, offset) = (u16_at(zip, end + 10)?, u32_at(zip, end + 16)?);
    if count != 0xffff && offset != u32::MAX {
        return Some((u64::from(count), u64::from(offset)));
    }
    let locator = end.checked_sub(20)?;
    if zip.get(locator..locator + 4)? != b"PK\x06\x07" {
        return Some((u64::from(count), u64::from(offset)));
    }
    let big = usize::try_from(u64_at(zip, locator + 8)?).ok()?;
    Some((u64_at(zip, big.checked_add(32)?)?, u64_at(zip, big.checked_add(48)?)?))
}

/// The member at a directory record, which is passed over; `Some(None)` for a directory.
fn member<'z>(zip: &'z [u8], at: &mut u64) -> Option<Option<Member<'z>>> {
    let record = usize::try_from(*at).ok()?;
    if zip.get(record..record.checked_add(46)?)?.get(..4)? != b"PK\x01\x02" {
        return None;
    }
    let length = |offset: usize| u16_at(zip, record + offset).map(usize::from);
    let (name, extra, comment) = (length(28)?, length(30)?, length(32)?);
    let path = zip.get(record + 46..record + 46 + name)?;
    let extra_field = zip.get(record + 46 + name..record + 46 + name + extra)?;
    *at += (46 + name + extra + comment) as u64;
    let mut numbers =
        [u32_at(zip, record + 24)?, u32_at(zip, record + 20)?, u32_at(zip, record + 42)?].map(u64::from);
    widen(&mut numbers, extra_field);
    let [size, packed, header] = numbers;
    // Unix mode in the high half of the external attributes; 0o120000 is a symbolic link.
    let is_symlink = (u32_at(zip, record + 38)? >> 16) & 0o170_000 == 0o120_000;
    let is_encrypted = u16_at(zip, record + 8)? & 1 != 0;
    if path.ends_with(b"/") {
        return Some(None);
    }
    let header = usize::try_from(header).ok()?;
    let skip = usize::from(u16_at(zip, header.checked_add(26)?)?) + usize::from(u16_at(zip, header + 28)?);
    let begin = header + 30 + skip;
    // A file cut short still has what came before.
    let end = begin.checked_add(usize::try_from(packed).ok()?)?.min(zip.len());
    let data = zip.get(begin..end)?;
    Some(Some(Member { path, size, is_symlink, is_encrypted, method: u16_at(zip, record + 10)?, data }))
}

/// zip64: numbers that do not fit stand in the extra field 1, in this order.
fn widen(numbers: &mut [u64; 3], mut extra: &[u8]) {
    while let (Some(id), Some(length)) = (u16_at(extra, 0), u16_at(extra, 2)) {
        let end = 4 + usize::from(length);
        if id == 1 {
            let mut at = 4;
            for number in numbers.iter_mut().filter(|n| **n == u64::from(u32::MAX)) {
                let Some(wide) = u64_at(extra, at) else { return };
                *number = wide;
                at += 8;
            }
            return;
        }
        extra = extra.get(end..).unwrap_or_default();
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_anywhere_is_an_error_and_no_panic() {
        assert!(members(b"").is_err());
        assert!(members(b"PK\x05\x06").is_err());
        let mut end = b"PK\x05\x06".to_vec();
        end.extend_from_slice(&[0, 0, 0, 0, 1, 0, 1, 0, 46, 0, 0, 0, 0xf0, 0xff, 0xff, 0xff, 0, 0]);
        assert!(members(&end).is_err());
        let empty = [&b"PK\x05\x06"[..], &[0; 18]].concat();
        assert_eq!(members(&empty), Ok(Vec::new()));
    }
}
