//! What was unpacked last: what repetitions are copied from, and what the reader has not taken yet.

use std::io::{Error, ErrorKind, Result};

use super::damage;

/// Bytes that memory is first taken for; it grows with what is unpacked, not with what a header asks for.
const FIRST: usize = 64 << 10;

/// A ring of the dictionary's size.
pub(super) struct Window {
    bytes: Vec<u8>,
    size: usize,
    /// Where the next byte goes.
    pub(super) position: usize,
    /// Where what the reader has not taken begins; never behind `position`.
    taken: usize,
    /// Bytes that a repetition may reach back.
    filled: usize,
    /// What is left of a repetition that met the limit: distance less one, and length.
    pending: (u32, usize),
}

impl Window {
    pub(super) fn new(size: usize) -> Self {
        Self { bytes: Vec::new(), size, position: 0, taken: 0, filled: 0, pending: (0, 0) }
    }

    /// Forgets everything; the reader has taken it.
    pub(super) fn reset(&mut self) {
        (self.position, self.taken, self.filled) = (0, 0, 0);
    }

    /// Makes room for so many bytes, or as many as there are up to the ring's end; the position that may be filled to.
    pub(super) fn make_room(&mut self, wanted: usize) -> Result<usize> {
        if self.position == self.size {
            (self.position, self.taken) = (0, 0);
        }
        let limit = self.position.saturating_add(wanted).min(self.size);
        if limit > self.bytes.len() {
            let length = limit.max(2 * self.bytes.len()).max(FIRST).min(self.size);
            let more = length - self.bytes.len();
            self.bytes.try_reserve_exact(more).map_err(|_| Error::from(ErrorKind::OutOfMemory))?;
            self.bytes.resize(length, 0);
        }
        Ok(limit)
    }

    /// Moves what the reader has not taken yet to its buffer, and tells how much that is.
    pub(super) fn take(&mut self, buffer: &mut [u8]) -> usize {
        let ready = &self.bytes[self.taken..self.position];
        let length = ready.len().min(buffer.len());
        buffer[..length].copy_from_slice(&ready[..length]);
        self.taken += length;
        length
    }

    /// Where bytes that are not packed go, up to the limit.
    pub(super) fn room(&mut self, limit: usize) -> &mut [u8] {
        &mut self.bytes[self.position..limit]
    }

    /// Says that so many bytes were put there.
    #[inline(always)]
    pub(super) fn advance(&mut self, count: usize) {
        self.position += count;
        self.filled = self.filled.max(self.position);
    }

    /// The byte that lies back by `distance` + 1; 0 where there is none.
    #[inline(always)]
    pub(super) fn back(&self, distance: u32) -> u8 {
        if distance as usize >= self.filled {
            return 0;
        }
        self.bytes.get(self.place(distance as usize + 1)).copied().unwrap_or(0)
    }

    /// Where the byte is that lies back by so much, which is at most what is filled.
    #[inline(always)]
    fn place(&self, back: usize) -> usize {
        let before_the_ring = if back <= self.position { 0 } else { self.size };
        before_the_ring + self.position - back
    }

    #[inline(always)]
    pub(super) fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.position) {
            *place = byte;
            self.advance(1);
        }
    }

    /// Goes on with a repetition that met the last limit.
    pub(super) fn finish_pending(&mut self, limit: usize) -> Result<()> {
        let (distance, length) = std::mem::take(&mut self.pending);
        if length > 0 { self.repeat(distance, length, limit) } else { Ok(()) }
    }

    #[cfg(test)]
    pub(super) fn memory(&self) -> usize {
        self.bytes.capacity()
    }

    pub(super) fn has_pending(&self) -> bool {
        self.pending.1 > 0
    }

    /// Repeats what lies back by `distance` + 1, up to the limit.
    #[inline(always)]
    pub(super) fn repeat(&mut self, distance: u32, length: usize, limit: usize) -> Result<()> {
        if distance as usize >= self.filled {
            return Err(damage("a repetition of what was never there"));
        }
        let back = distance as usize + 1;
        let now = length.min(limit - self.position);
        if now < length {
            self.pending = (distance, length - now);
        }
        if back <= self.position && now <= back {
            let (before, after) = self.bytes.split_at_mut(self.position);
            let from = self.position - back;
            copy(&before[from..from + now], &mut after[..now]);
            self.advance(now);
        } else {
            self.repeat_in_parts(back, now);
        }
        Ok(())
    }

    /// Repeats what begins before the ring's start, or what the repetition itself adds to.
    fn repeat_in_parts(&mut self, back: usize, mut left: usize) {
        let mut from = self.place(back);
        while left > 0 {
            let is_before_the_start = from >= self.position;
            let end = if is_before_the_start { self.size } else { self.position };
            let now = left.min(end - from);
            self.bytes.copy_within(from..from + now, self.position);
            self.advance(now);
            left -= now;
            // Otherwise what was added goes on what is copied: each part is twice as long as the one before.
            if is_before_the_start {
                from = 0;
            }
        }
    }
}

/// Copies between places of one length. Most are far shorter than a page: for them, calling `memcpy` costs more than
/// copying does.
#[inline(always)]
fn copy(from: &[u8], to: &mut [u8]) {
    match to.len() {
        32.. => copy_pieces::<32>(from, to),
        8.. => copy_pieces::<8>(from, to),
        _ => copy_pieces::<1>(from, to),
    }
}

/// The same of places that are at least as long as a piece.
#[inline(always)]
fn copy_pieces<const PIECE: usize>(from: &[u8], to: &mut [u8]) {
    let last = to.len().saturating_sub(PIECE);
    // The last piece overlaps the one before it.
    for at in (0..to.len()).step_by(PIECE).map(|at| at.min(last)) {
        if let (Some(from), Some(to)) =
            (from[at..].first_chunk::<PIECE>(), to[at..].first_chunk_mut::<PIECE>())
        {
            *to = *from;
        }
    }
}
