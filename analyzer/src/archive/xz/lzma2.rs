//! LZMA2: chunks of LZMA, or of bytes as they are.

use std::io::{BufRead, Error, Result};

use super::lzma::Lzma;
use super::range::{CHUNK, Range};
use super::source::Source;
use super::window::Window;
use super::{cut_short, damage};

/// Bytes that are unpacked at once, so that they are still near when the reader takes them.
const AT_ONCE: usize = 64 << 10;

/// One block's data.
pub(super) struct Lzma2 {
    pub(super) window: Window,
    lzma: Option<Box<Lzma>>,
    packed: Box<[u8; CHUNK]>,
    chunk: Chunk,
    needs_dictionary: bool,
    needs_properties: bool,
    /// What is wrong behind the bytes that the reader has not taken yet.
    failed: Option<Error>,
}

/// What is left of a chunk.
enum Chunk {
    /// Nothing: the next one is to begin.
    Over,
    /// So many bytes as they are.
    Stored(usize),
    /// So many bytes, which are packed in so many.
    Packed { left: usize, length: usize, range: Range },
    /// There are no more chunks.
    End,
}

impl Lzma2 {
    /// Data whose repetitions reach back by so many bytes at most.
    pub(super) fn new(dictionary: usize) -> Self {
        Self {
            window: Window::new(dictionary),
            lzma: None,
            packed: Box::new([0; CHUNK]),
            chunk: Chunk::Over,
            needs_dictionary: true,
            needs_properties: true,
            failed: None,
        }
    }

    /// Unpacks some bytes; none at the data's end.
    pub(super) fn read<R: BufRead>(&mut self, source: &mut Source<R>, buffer: &mut [u8]) -> Result<usize> {
        loop {
            let length = self.window.take(buffer);
            if length > 0 || (matches!(self.chunk, Chunk::End) && self.failed.is_none()) {
                return Ok(length);
            }
            if let Some(error) = self.failed.take() {
                return Err(error);
            }
            // What came before the damage is still true.
            self.failed = self.unpack(source).err();
        }
    }

    /// Goes on with the chunk, or begins the next one.
    fn unpack<R: BufRead>(&mut self, source: &mut Source<R>) -> Result<()> {
        let left = match &mut self.chunk {
            Chunk::End => return Ok(()),
            Chunk::Over => {
                self.chunk = self.begin(source)?;
                return Ok(());
            }
            Chunk::Stored(left) => {
                let limit = self.window.make_room((*left).min(AT_ONCE))?;
                let count = source.read(self.window.room(limit))?;
                self.window.advance(count);
                *left -= count;
                *left
            }
            Chunk::Packed { left, length, range } => {
                let limit = self.window.make_room((*left).min(AT_ONCE))?;
                *left -= limit - self.window.position;
                let lzma = self.lzma.as_mut().ok_or_else(|| damage("a chunk without properties"))?;
                lzma.unpack(range, &self.packed, &mut self.window, limit)?;
                let is_at_end = || range.is_at_end(&self.packed, *length) && !self.window.has_pending();
                if *left == 0 && !is_at_end() {
                    return Err(damage("a chunk that does not end where it should"));
                }
                *left
            }
        };
        if left == 0 {
            self.chunk = Chunk::Over;
        }
        Ok(())
    }

    /// A chunk's first bytes. The very first tells its kind: 0 the end, 1 and 2 bytes as they are, from 0x80 on LZMA.
    /// A chunk of kind 1 begins a new dictionary; of LZMA, bits 5 and 6 tell what begins anew: nothing, the state, also
    /// its properties, also the dictionary.
    fn begin<R: BufRead>(&mut self, source: &mut Source<R>) -> Result<Chunk> {
        let kind = source.byte()?;
        if kind == 0 {
            return Ok(Chunk::End);
        }
        if kind >= 0xe0 || kind == 1 {
            self.window.reset();
            (self.needs_dictionary, self.needs_properties) = (false, true);
        }
        let size = usize::from(source.number_16()?) + 1;
        match kind {
            _ if self.needs_dictionary => return Err(damage("no dictionary in its first chunk")),
            1 | 2 => return Ok(Chunk::Stored(size)),
            3..0x80 => return Err(damage("a chunk of no known kind")),
            _ => {}
        }
        let left = (usize::from(kind & 0x1f) << 16) + size;
        let length = usize::from(source.number_16()?) + 1;
        let anew = match kind {
            0xc0.. => Some(source.byte()?),
            0xa0.. => self.lzma.as_ref().map(|lzma| lzma.properties),
            _ => None,
        };
        if let Some(properties) = anew {
            let lzma = Lzma::new(properties).ok_or_else(|| damage("properties that cannot be"))?;
            self.lzma = Some(Box::new(lzma));
            self.needs_properties &= kind < 0xc0;
        }
        if self.needs_properties {
            return Err(damage("a chunk without properties"));
        }
        source.fill(self.packed.get_mut(..length).ok_or_else(cut_short)?)?;
        let range = Range::new(&self.packed).ok_or_else(|| damage("a chunk that begins wrong"))?;
        Ok(Chunk::Packed { left, length, range })
    }
}
