//! The packed bytes: counted, because an xz stream tells how many there are, and read as its numbers are written.

use std::io::{BufRead, ErrorKind, Result};

use flate2::Crc;

use super::{cut_short, damage};

/// What is unpacked.
pub(super) struct Source<R> {
    inner: R,
    /// Bytes taken so far.
    pub(super) taken: u64,
}

impl<R: BufRead> Source<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, taken: 0 }
    }

    /// Whether nothing follows.
    pub(super) fn is_at_end(&mut self) -> Result<bool> {
        loop {
            match self.inner.fill_buf() {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                result => return Ok(result?.is_empty()),
            }
        }
    }

    /// At least one byte of those wanted.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if self.is_at_end()? {
            return Err(cut_short());
        }
        let count = self.inner.read(buffer)?;
        self.taken += count as u64;
        Ok(count)
    }

    /// As many bytes as there is room for.
    pub(super) fn fill(&mut self, mut buffer: &mut [u8]) -> Result<()> {
        while !buffer.is_empty() {
            let count = self.read(buffer)?;
            buffer = &mut buffer[count..];
        }
        Ok(())
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    pub(super) fn byte(&mut self) -> Result<u8> {
        Ok(self.array::<1>()?[0])
    }

    /// Its higher byte first.
    pub(super) fn number_16(&mut self) -> Result<u16> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    /// Takes a zero, where there is one.
    pub(super) fn take_zero(&mut self) -> Result<bool> {
        let is_zero = !self.is_at_end()? && self.inner.fill_buf()?.first() == Some(&0);
        if is_zero {
            self.byte()?;
        }
        Ok(is_zero)
    }

    /// That checksum, as it stands behind a header and the index.
    pub(super) fn expect_sum(&mut self, sum: &Crc) -> Result<()> {
        let is_right = self.array()? == sum.sum().to_le_bytes();
        if is_right { Ok(()) } else { Err(damage("a header whose checksum does not fit")) }
    }

    /// Zeros up to a multiple of four from where it was at `begun`.
    pub(super) fn padding(&mut self, begun: u64) -> Result<()> {
        while !(self.taken - begun).is_multiple_of(4) {
            if self.byte()? != 0 {
                return Err(damage("padding that is not empty"));
            }
        }
        Ok(())
    }
}
