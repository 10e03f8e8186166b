//! A place to read files into.

use std::io::{self, Read};

use super::{CHUNK, LINK_MAX};

/// A place to read into, used for one file after another.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    length: usize,
    /// The file was longer than the limit.
    pub(crate) truncated: bool,
}

impl Buffer {
    /// What was read last.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    pub(super) fn clear(&mut self) {
        (self.length, self.truncated) = (0, false);
    }

    /// Lets `fill` write the text of a link and tell its length.
    pub(super) fn fill(&mut self, fill: impl FnOnce(&mut [u8]) -> io::Result<usize>) -> io::Result<()> {
        self.clear();
        if self.bytes.len() < LINK_MAX {
            self.bytes.resize(LINK_MAX, 0);
        }
        self.length = fill(&mut self.bytes[..LINK_MAX])?;
        Ok(())
    }

    /// One read more; how many bytes came.
    pub(super) fn read_some(&mut self, file: &mut impl Read) -> io::Result<usize> {
        if self.bytes.len() - self.length < CHUNK {
            self.bytes.resize((self.bytes.len() * 2).max(8 * CHUNK), 0);
        }
        loop {
            match file.read(&mut self.bytes[self.length..]) {
                Ok(length) => {
                    self.length += length;
                    return Ok(length);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads to the end, to `limit`, or until what was read is known to be all.
    pub(super) fn read_rest(
        &mut self,
        file: &mut impl Read,
        limit: usize,
        is_whole: impl Fn(&[u8]) -> bool,
    ) -> io::Result<()> {
        while self.read_some(file)? > 0 {
            if self.length > limit {
                (self.length, self.truncated) = (limit, true);
                break;
            }
            if is_whole(self.bytes()) {
                break;
            }
        }
        Ok(())
    }
}
