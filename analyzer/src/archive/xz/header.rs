//! What stands around the packed data: block headers and the index.

use std::io::{BufRead, Error, ErrorKind, Result};

use flate2::Crc;

use super::damage;
use super::source::Source;

/// Number of LZMA2 among the filters (section 5.3.1).
const LZMA2: u64 = 0x21;

/// What a block's header tells.
pub(super) struct BlockHeader {
    packed_size: Option<u64>,
    unpacked_size: Option<u64>,
    /// Size of its dictionary.
    pub(super) dictionary: u64,
}

impl BlockHeader {
    /// What stands behind the header's first byte (section 3.1).
    pub(super) fn of(bytes: &[u8]) -> Result<Self> {
        let mut rest = bytes.iter().copied();
        let mut next = || rest.next().ok_or_else(|| damage("a block's header that is too short"));
        let flags = next()?;
        let packed_size = if flags & 0x40 != 0 { Some(number(&mut next)?) } else { None };
        let unpacked_size = if flags & 0x80 != 0 { Some(number(&mut next)?) } else { None };
        // The lowest bits count the filters, less one. Those before LZMA2 are for programs, sounds and pictures.
        let is_plain = flags & 0x3f == 0 && number(&mut next)? == LZMA2 && number(&mut next)? == 1;
        if !is_plain {
            let why = "it is packed with a filter that is not read here; repack it: xz -dc FILE | xz > OTHER";
            return Err(Error::new(ErrorKind::InvalidData, why));
        }
        let dictionary = match u32::from(next()?) {
            bits @ 0..40 => u64::from(2 | bits & 1) << (bits / 2 + 11),
            40 => u64::from(u32::MAX),
            _ => return Err(damage("a dictionary of a size that cannot be")),
        };
        if rest.any(|byte| byte != 0) {
            return Err(damage("a block's header with more than is known"));
        }
        Ok(Self { packed_size, unpacked_size, dictionary })
    }

    /// Whether a block has the sizes that are told, where they are.
    pub(super) fn fits(&self, packed: u64, unpacked: u64) -> bool {
        self.packed_size.is_none_or(|told| told == packed)
            && self.unpacked_size.is_none_or(|told| told == unpacked)
    }
}

/// The sizes of a stream's blocks, in a form that does not grow.
#[derive(Default)]
pub(super) struct Records {
    count: u64,
    sum: Crc,
}

impl Records {
    /// Adds a block with its size without padding.
    pub(super) fn add(&mut self, size: u64, unpacked: u64) {
        self.count += 1;
        self.sum.update(&size.to_le_bytes());
        self.sum.update(&unpacked.to_le_bytes());
    }

    /// Reads the index, which should tell of the same blocks (section 4), and gives its size. Its first byte, a zero, is
    /// taken already.
    pub(super) fn expect_index<R: BufRead>(&self, source: &mut Source<R>) -> Result<u64> {
        let mut index = Index { source, size: 1, sum: Crc::new() };
        index.sum.update(&[0]);
        let mut told = Self::default();
        let count = number(&mut || index.byte())?;
        while told.count < count.min(self.count) {
            told.add(number(&mut || index.byte())?, number(&mut || index.byte())?);
        }
        if count != self.count || told.sum.sum() != self.sum.sum() {
            return Err(damage("other blocks than its index tells"));
        }
        while !index.size.is_multiple_of(4) {
            if index.byte()? != 0 {
                return Err(damage("padding that is not empty"));
            }
        }
        let Index { source, size, sum } = index;
        source.expect_sum(&sum)?;
        Ok(size + 4)
    }
}

/// The index while it is read.
struct Index<'s, R> {
    source: &'s mut Source<R>,
    size: u64,
    sum: Crc,
}

impl<R: BufRead> Index<'_, R> {
    fn byte(&mut self) -> Result<u8> {
        let byte = self.source.byte()?;
        self.sum.update(&[byte]);
        self.size += 1;
        Ok(byte)
    }
}

/// A number of any length, seven bits a byte, the lowest first (section 1.2).
fn number(next: &mut dyn FnMut() -> Result<u8>) -> Result<u64> {
    let mut number = 0;
    for shift in (0..63).step_by(7) {
        let byte = next()?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(damage("a number that is too long"))
}

/// The checksum of a header.
pub(super) fn sum_of(bytes: &[u8]) -> Crc {
    let mut sum = Crc::new();
    sum.update(bytes);
    sum
}
