//! xz: streams of blocks that are packed with LZMA2 (The .xz File Format 1.2.1; sections are of that text).
//!
//! Everything is checked that the format has to check with. It is read here and not by a crate because those at hand
//! take four times as long as `xz` for tables that say the same again and again.

mod check;
mod crc64;
mod header;
mod lzma;
mod lzma2;
mod range;
mod source;
#[cfg(test)]
mod tests;
mod window;

use std::io::{BufRead, Error, ErrorKind, Read, Result};

use check::Check;
use header::{BlockHeader, Records, sum_of};
use lzma2::Lzma2;
use source::Source;

const MAGIC: [u8; 6] = *b"\xfd7zXZ\0";
const FOOTER_MAGIC: [u8; 2] = *b"YZ";

/// The streams of a file, one after another.
pub(super) struct XzDecoder<R> {
    source: Source<R>,
    /// The largest dictionary that memory is taken for, in bytes.
    limit: u64,
    stream: Option<Stream>,
    is_over: bool,
}

/// A stream that has begun.
struct Stream {
    flags: [u8; 2],
    /// What the index at its end should say.
    blocks: Records,
    block: Option<Block>,
}

/// A block that has begun.
struct Block {
    header: BlockHeader,
    /// Bytes of its header.
    header_size: u64,
    /// Where its data begins.
    begun: u64,
    unpacked: u64,
    data: Lzma2,
    check: Check,
}

impl<R: BufRead> XzDecoder<R> {
    /// Unpacks what needs a dictionary of at most so many bytes.
    pub(super) fn new(inner: R, limit: u64) -> Self {
        Self { source: Source::new(inner), limit, stream: None, is_over: false }
    }

    /// Some bytes; none at the end of everything.
    fn next(&mut self, buffer: &mut [u8]) -> Result<usize> {
        loop {
            let Some(stream) = &mut self.stream else {
                if self.source.taken > 0 && self.is_at_end()? {
                    return Ok(0);
                }
                self.stream = Some(Stream::begin(&mut self.source)?);
                continue;
            };
            if let Some(block) = &mut stream.block {
                let length = block.data.read(&mut self.source, buffer)?;
                if length > 0 {
                    block.check.update(&buffer[..length]);
                    block.unpacked += length as u64;
                    return Ok(length);
                }
            }
            if let Some(block) = stream.block.take() {
                stream.end_block(block, &mut self.source)?;
            }
            match self.source.byte()? {
                0 => {
                    stream.end(&mut self.source)?;
                    self.stream = None;
                }
                size => stream.block = Some(stream.begin_block(size, &mut self.source, self.limit)?),
            }
        }
    }

    /// Passes over what may lie between streams and at the end: zeros, four at a time (section 2.2).
    fn is_at_end(&mut self) -> Result<bool> {
        let mut zeros = 0_u64;
        while self.source.take_zero()? {
            zeros += 1;
        }
        if !zeros.is_multiple_of(4) {
            return Err(damage("padding behind a stream that is no multiple of four"));
        }
        self.source.is_at_end()
    }
}

impl<R: BufRead> Read for XzDecoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if self.is_over || buffer.is_empty() {
            return Ok(0);
        }
        let result = self.next(buffer);
        self.is_over = !matches!(result, Ok(1..));
        result
    }
}

impl Stream {
    /// Reads its header (section 2.1.1).
    fn begin<R: BufRead>(source: &mut Source<R>) -> Result<Self> {
        if source.array()? != MAGIC {
            return Err(damage("what follows is no stream"));
        }
        let flags: [u8; 2] = source.array()?;
        source.expect_sum(&sum_of(&flags))?;
        if flags[0] != 0 || Check::new(flags[1]).is_none() {
            return Err(damage("a checksum of no known kind"));
        }
        Ok(Self { flags, blocks: Records::default(), block: None })
    }

    /// Reads a block's header (section 3.1), whose first byte tells its size.
    fn begin_block<R: BufRead>(&self, size: u8, source: &mut Source<R>, limit: u64) -> Result<Block> {
        let mut bytes = vec![0; usize::from(size) * 4];
        source.fill(&mut bytes[1..])?;
        bytes[0] = size;
        source.expect_sum(&sum_of(&bytes))?;
        let header = BlockHeader::of(&bytes[1..])?;
        if header.dictionary > limit {
            let why =
                format!("it needs a dictionary of {} bytes, and {limit} are the limit", header.dictionary);
            return Err(Error::new(ErrorKind::InvalidData, why));
        }
        Ok(Block {
            header_size: bytes.len() as u64 + 4,
            begun: source.taken,
            unpacked: 0,
            data: Lzma2::new(usize::try_from(header.dictionary).unwrap_or(usize::MAX)),
            header,
            check: Check::new(self.flags[1]).unwrap_or(Check::None),
        })
    }

    /// Checks a block against its own header and against what stands behind it (sections 3.3 and 3.4).
    fn end_block<R: BufRead>(&mut self, block: Block, source: &mut Source<R>) -> Result<()> {
        let packed = source.taken - block.begun;
        if !block.header.fits(packed, block.unpacked) {
            return Err(damage("a block of another size than its header tells"));
        }
        source.padding(block.begun)?;
        let sum = block.check.finish();
        let mut stated = vec![0; sum.len()];
        source.fill(&mut stated)?;
        if sum != stated {
            return Err(damage("a block whose checksum does not fit"));
        }
        self.blocks.add(block.header_size + packed + sum.len() as u64, block.unpacked);
        Ok(())
    }

    /// Checks what was read against the index, and that against the footer (section 2.1.2). The index's first byte is
    /// taken already.
    fn end<R: BufRead>(&self, source: &mut Source<R>) -> Result<()> {
        let index_size = self.blocks.expect_index(source)?;
        let sum: [u8; 4] = source.array()?;
        let footer: [u8; 6] = source.array()?;
        let [a, b, c, d, flags @ ..] = footer;
        let told_size = (u64::from(u32::from_le_bytes([a, b, c, d])) + 1) * 4;
        let is_right = sum_of(&footer).sum().to_le_bytes() == sum && told_size == index_size;
        if !is_right || flags != self.flags || source.array()? != FOOTER_MAGIC {
            return Err(damage("a footer that does not fit"));
        }
        Ok(())
    }
}

/// The input is not what the format says.
fn damage(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, format!("the xz stream is damaged: {what}"))
}

/// The input ends too early.
fn cut_short() -> Error {
    Error::new(ErrorKind::UnexpectedEof, "the xz stream ends too early")
}
