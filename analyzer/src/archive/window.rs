//! Bytes on their way, lent where they lie: most members of an archive are looked at in the block that they were
//! inflated into, and never copied.

use std::io::{BufRead, Error, ErrorKind, Read, Result};

use super::{End, Input};

/// An input that can be looked at before it is taken, and fenced: it seems to end where the present member ends.
pub(super) struct Window<'r> {
    input: Input<'r>,
    /// What was taken off the input and is still to come: a piece that lay across the border of two blocks.
    kept: Vec<u8>,
    from: usize,
    /// Bytes up to the fence.
    fence: u64,
    /// Why the input broke off.
    broken: Option<Error>,
    /// Bytes that are known to be in the input's block: asking it each time costs more than most members.
    there: usize,
}

/// No fence.
pub(super) const OPEN: u64 = u64::MAX;

impl<'r> Window<'r> {
    pub(super) fn new(input: Input<'r>) -> Self {
        Self { input, kept: Vec::new(), from: 0, fence: OPEN, broken: None, there: 0 }
    }

    /// Puts the fence after so many bytes.
    pub(super) fn set_fence(&mut self, bytes: u64) {
        self.fence = bytes;
    }

    /// The next bytes in one piece, as many as are wanted; fewer where the fence or the input's end is near, see
    /// [`Window::end`].
    pub(super) fn peek(&mut self, wanted: usize) -> &[u8] {
        let wanted = usize::try_from(self.fence).map_or(wanted, |fence| fence.min(wanted));
        if self.is_lending() {
            if self.there < wanted {
                match self.block().map(<[u8]>::len) {
                    Ok(there) => self.there = there,
                    Err(error) => self.broken = Some(error),
                }
            }
            if self.there >= wanted {
                return self.input.fill_buf().map_or(&[], |block| &block[..wanted.min(block.len())]);
            }
        }
        self.gather(wanted);
        let kept = &self.kept[self.from..];
        &kept[..kept.len().min(wanted)]
    }

    /// Whether so many bytes are before the fence.
    pub(super) fn has(&mut self, wanted: usize) -> bool {
        let is_there = self.is_lending() && self.there >= wanted && self.fence >= wanted as u64;
        is_there || self.peek(wanted).len() == wanted
    }

    /// How the input ended, where fewer bytes came than were wanted.
    pub(super) fn end(&mut self) -> End {
        self.broken.take().map_or(End::Complete, |error| End::Broken(error.to_string()))
    }

    /// The same as an error.
    pub(super) fn take_error(&mut self) -> Option<Error> {
        self.broken.take()
    }

    /// Passes over what comes before the fence, and over so many bytes behind it; false where there are not so many.
    pub(super) fn leave(&mut self, behind: u64) -> Result<bool> {
        let mut left = self.fence.saturating_add(behind);
        self.fence = OPEN;
        if self.is_lending() && left <= self.there as u64 {
            self.consume(usize::try_from(left).unwrap_or(self.there));
            return Ok(true);
        }
        while left > 0 {
            let there = self.fill_buf()?.len();
            if there == 0 {
                return Ok(false);
            }
            let step = usize::try_from(left).map_or(there, |left| left.min(there));
            self.consume(step);
            left -= step as u64;
        }
        Ok(true)
    }

    fn is_lending(&self) -> bool {
        self.from == self.kept.len()
    }

    /// The input's own next bytes; none after it broke off.
    fn block(&mut self) -> Result<&[u8]> {
        if self.broken.is_some() {
            return Ok(&[]);
        }
        while let Err(error) = self.input.fill_buf() {
            if error.kind() != ErrorKind::Interrupted {
                return Err(error);
            }
        }
        self.input.fill_buf()
    }

    fn take(&mut self, bytes: usize) {
        self.there = self.there.saturating_sub(bytes);
        self.input.consume(bytes);
    }

    /// Takes bytes off the input until there are so many in one piece.
    fn gather(&mut self, wanted: usize) {
        self.kept.drain(..self.from);
        self.from = 0;
        while self.kept.len() < wanted {
            let missing = wanted - self.kept.len();
            let mut kept = std::mem::take(&mut self.kept);
            let taken = self.block().map(|block| {
                let taken = &block[..block.len().min(missing)];
                kept.extend_from_slice(taken);
                taken.len()
            });
            self.kept = kept;
            match taken {
                Ok(0) => return,
                Ok(taken) => self.take(taken),
                Err(error) => self.broken = Some(error),
            }
        }
    }
}

impl BufRead for Window<'_> {
    fn fill_buf(&mut self) -> Result<&[u8]> {
        let fence = usize::try_from(self.fence).unwrap_or(usize::MAX);
        if !self.is_lending() {
            let kept = &self.kept[self.from..];
            return Ok(&kept[..kept.len().min(fence)]);
        }
        if let Some(error) = self.broken.take() {
            return Err(error);
        }
        if fence == 0 {
            return Ok(&[]);
        }
        self.block().map(|block| &block[..block.len().min(fence)])
    }

    fn consume(&mut self, bytes: usize) {
        self.fence = self.fence.saturating_sub(bytes as u64);
        if self.is_lending() {
            self.take(bytes);
        } else {
            self.from = self.kept.len().min(self.from + bytes);
        }
    }
}

impl Read for Window<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        // Without a fence the input itself fills it: it need not go through the input's own block first.
        if self.fence == OPEN && self.is_lending() && self.broken.is_none() {
            self.there = 0;
            return self.input.read(buffer);
        }
        read_from(self, buffer)
    }
}

/// Reads as what lends its bytes.
pub(super) fn read_from(input: &mut dyn BufRead, buffer: &mut [u8]) -> Result<usize> {
    let block = input.fill_buf()?;
    let length = block.len().min(buffer.len());
    buffer[..length].copy_from_slice(&block[..length]);
    input.consume(length);
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufReader;

    /// Ends with an error after what it has.
    struct Torn<'d>(&'d [u8]);

    impl Read for Torn<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
            if self.0.is_empty() {
                return Err(Error::other("the disk is gone"));
            }
            self.0.read(buffer)
        }
    }

    fn blocks_of(capacity: usize, data: &[u8]) -> Window<'_> {
        Window::new(Box::new(BufReader::with_capacity(capacity, data)))
    }

    #[test]
    fn a_piece_across_blocks_is_in_one() {
        let mut window = blocks_of(4, b"abcdefghijkl");
        assert_eq!(window.peek(3), b"abc");
        window.consume(2);
        assert_eq!(window.peek(7), b"cdefghi");
        assert_eq!(window.peek(2), b"cd");
        window.consume(5);
        assert_eq!(window.peek(100), b"hijkl");
        assert_eq!((window.end(), window.peek(9)), (End::Complete, &b"hijkl"[..]));
        window.consume(5);
        assert_eq!(window.peek(1), b"");
    }

    #[test]
    fn a_fence_is_the_end_until_it_is_left() {
        let mut window = blocks_of(5, b"abcdefghijkl");
        window.set_fence(7);
        assert_eq!(window.peek(100), b"abcdefg");
        window.consume(3);
        let mut rest = String::new();
        window.read_to_string(&mut rest).unwrap();
        assert_eq!((rest.as_str(), window.peek(1)), ("defg", &b""[..]));
        assert!(window.leave(2).unwrap());
        assert_eq!(window.peek(100), b"jkl");
        window.set_fence(1);
        assert!(window.leave(2).unwrap() && !window.leave(0).is_ok_and(|there| there));
    }

    #[test]
    fn what_came_before_an_error_is_there() {
        let mut window = Window::new(Box::new(BufReader::with_capacity(4, Torn(b"abcdef"))));
        assert_eq!(window.peek(9), b"abcdef");
        window.consume(6);
        assert_eq!(window.peek(1), b"");
        assert_eq!(window.end(), End::Broken("the disk is gone".into()));
        let mut window = Window::new(Box::new(BufReader::with_capacity(4, Torn(b"abcdef"))));
        let mut all = Vec::new();
        assert_eq!(window.read_to_end(&mut all).unwrap_err().to_string(), "the disk is gone");
        assert_eq!(all, b"abcdef");
    }
}
