//! Keeps the newest lines of a text that comes in pieces, oldest first.

use std::collections::VecDeque;

/// Longest line kept; the rest of a longer one is dropped.
const LINE_MAX: usize = 64 << 10;

/// The newest wanted lines, together at most `limit` bytes.
pub(super) struct Newest<F> {
    wanted: F,
    limit: usize,
    size: usize,
    lines: VecDeque<Vec<u8>>,
    /// The start of a line whose end has not come yet.
    open: Vec<u8>,
    truncated: bool,
}

impl<F: Fn(&[u8]) -> bool> Newest<F> {
    pub(super) fn new(limit: usize, wanted: F) -> Self {
        Self { wanted, limit, size: 0, lines: VecDeque::new(), open: Vec::new(), truncated: false }
    }

    pub(super) fn take(&mut self, piece: &[u8]) {
        for part in piece.split_inclusive(|&b| b == b'\n') {
            let room = LINE_MAX.saturating_sub(self.open.len());
            self.open.extend_from_slice(&part[..part.len().min(room)]);
            if part.ends_with(b"\n") {
                self.end_line();
            }
        }
    }

    fn end_line(&mut self) {
        let mut line = std::mem::take(&mut self.open);
        if !line.ends_with(b"\n") {
            line.push(b'\n');
        }
        if !(self.wanted)(&line) {
            return;
        }
        self.size += line.len();
        self.lines.push_back(line);
        while self.size > self.limit {
            self.truncated = true;
            self.size -= self.lines.pop_front().map_or(self.size, |line| line.len());
        }
    }

    /// The text, and whether older lines were dropped.
    pub(super) fn finish(mut self) -> (Vec<u8>, bool) {
        if !self.open.is_empty() {
            self.end_line();
        }
        let mut text = Vec::with_capacity(self.size);
        self.lines.iter().for_each(|line| text.extend_from_slice(line));
        (text, self.truncated)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_wanted_lines_stay() {
        let mut newest = Newest::new(8, |line: &[u8]| line != b"no\n");
        for piece in ["aa", "a\nbb", "b\nno\ncc", "c"] {
            newest.take(piece.as_bytes());
        }
        assert_eq!(newest.finish(), (b"bbb\nccc\n".to_vec(), true));
        let mut all = Newest::new(100, |_: &[u8]| true);
        all.take(b"x\ny\n");
        assert_eq!(all.finish(), (b"x\ny\n".to_vec(), false));
    }
}
