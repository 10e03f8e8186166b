//! LZMA: literals and repetitions out of a chunk's bits.

use std::io::Result;

use super::range::{CHUNK, EVEN, Probability, Range};
use super::window::Window;

/// Kinds of what came last that make a difference to what is likely next.
const STATES: usize = 12;
/// Positions that make a difference: the lowest bits, at most four.
const POSITIONS: usize = 16;
/// From here on, the last was a repetition.
const FIRST_AFTER_REPETITION: usize = 7;
/// Slots from here on tell a distance's higher bits only.
const FIRST_SPLIT_SLOT: usize = 4;
/// Slots from here on have a middle part whose bits are all even.
const FIRST_EVEN_SLOT: usize = 14;

/// The probabilities, and what they depend on.
pub(super) struct Lzma {
    pub(super) properties: u8,
    literal_context: u32,
    literal_positions: usize,
    positions: usize,
    state: usize,
    /// The last four distances, each less one.
    distances: [u32; 4],
    is_repetition: [[Probability; POSITIONS]; STATES],
    is_known: [Probability; STATES],
    is_not_last: [Probability; STATES],
    is_not_second: [Probability; STATES],
    is_not_third: [Probability; STATES],
    is_long: [[Probability; POSITIONS]; STATES],
    literals: [[Probability; 0x300]; 16],
    new_lengths: Lengths,
    known_lengths: Lengths,
    slots: [[Probability; 64]; 4],
    split: [Probability; 128],
    lowest: [Probability; 16],
}

/// The probabilities of lengths.
struct Lengths {
    is_not_short: Probability,
    is_long: Probability,
    short: [[Probability; 8]; POSITIONS],
    middle: [[Probability; 8]; POSITIONS],
    long: [Probability; 256],
}

impl Lengths {
    fn new() -> Self {
        Self {
            is_not_short: EVEN,
            is_long: EVEN,
            short: [[EVEN; 8]; POSITIONS],
            middle: [[EVEN; 8]; POSITIONS],
            long: [EVEN; 256],
        }
    }

    #[inline(always)]
    fn read(&mut self, range: &mut Range, packed: &[u8; CHUNK], position: usize) -> usize {
        if range.bit(packed, &mut self.is_not_short) == 0 {
            2 + range.number(packed, &mut self.short[position % POSITIONS])
        } else if range.bit(packed, &mut self.is_long) == 0 {
            10 + range.number(packed, &mut self.middle[position % POSITIONS])
        } else {
            18 + range.number(packed, &mut self.long)
        }
    }
}

impl Lzma {
    /// As the properties say that stand before a chunk: `(pb * 5 + lp) * 9 + lc`, where lc + lp is at most 4.
    pub(super) fn new(properties: u8) -> Option<Self> {
        let (rest, lc) = (properties / 9, u32::from(properties % 9));
        let (pb, lp) = (rest / 5, u32::from(rest % 5));
        (pb <= 4 && lc + lp <= 4).then(|| Self {
            properties,
            literal_context: lc,
            literal_positions: (1 << lp) - 1,
            positions: (1 << pb) - 1,
            state: 0,
            distances: [0; 4],
            is_repetition: [[EVEN; POSITIONS]; STATES],
            is_known: [EVEN; STATES],
            is_not_last: [EVEN; STATES],
            is_not_second: [EVEN; STATES],
            is_not_third: [EVEN; STATES],
            is_long: [[EVEN; POSITIONS]; STATES],
            literals: [[EVEN; 0x300]; 16],
            new_lengths: Lengths::new(),
            known_lengths: Lengths::new(),
            slots: [[EVEN; 64]; 4],
            split: [EVEN; 128],
            lowest: [EVEN; 16],
        })
    }

    /// Unpacks to the limit.
    pub(super) fn unpack(
        &mut self,
        range: &mut Range,
        packed: &[u8; CHUNK],
        window: &mut Window,
        limit: usize,
    ) -> Result<()> {
        window.finish_pending(limit)?;
        // In registers meanwhile.
        let mut now = *range;
        while window.position < limit {
            let position = window.position & self.positions;
            let state = self.state % STATES;
            if now.bit(packed, &mut self.is_repetition[state][position % POSITIONS]) == 0 {
                self.literal(&mut now, packed, window);
                continue;
            }
            let length = if now.bit(packed, &mut self.is_known[state]) == 0 {
                self.new_distance(&mut now, packed, position)
            } else {
                self.known_distance(&mut now, packed, position)
            };
            window.repeat(self.distances[0], length, limit)?;
        }
        *range = now;
        Ok(())
    }

    #[inline(always)]
    fn literal(&mut self, range: &mut Range, packed: &[u8; CHUNK], window: &mut Window) {
        let low = window.position & self.literal_positions;
        let high = usize::from(window.back(0)) >> (8 - self.literal_context);
        let tree = &mut self.literals[(low << self.literal_context | high) % 16];
        let mut node = 1;
        if self.state >= FIRST_AFTER_REPETITION {
            // What would have come next is likely wrong, but not in all its bits.
            let mut expected = usize::from(window.back(self.distances[0])) << 1;
            let mut as_expected = 0x100;
            while node < 0x100 {
                let bit_expected = expected & as_expected;
                let bit = range.bit(packed, &mut tree[as_expected + bit_expected + node]);
                node = node << 1 | bit;
                as_expected &= if bit == 0 { !bit_expected } else { bit_expected };
                expected <<= 1;
            }
        }
        while node < 0x100 {
            node = node << 1 | range.bit(packed, &mut tree[node]);
        }
        window.push((node & 0xff) as u8);
        self.state = match self.state {
            0..4 => 0,
            4..10 => self.state - 3,
            _ => self.state - 6,
        };
    }

    /// A repetition from a distance of its own; its length.
    #[inline(always)]
    fn new_distance(&mut self, range: &mut Range, packed: &[u8; CHUNK], position: usize) -> usize {
        self.state = if self.state < FIRST_AFTER_REPETITION { 7 } else { 10 };
        let length = self.new_lengths.read(range, packed, position);
        let slot = range.number(packed, &mut self.slots[(length - 2).min(3)]);
        let mut distance = slot as u32;
        if slot >= FIRST_SPLIT_SLOT {
            let bits = (slot as u32 >> 1) - 1;
            distance = (2 | distance & 1) << bits;
            distance += if slot < FIRST_EVEN_SLOT {
                range.reversed(packed, &mut self.split, distance as usize - slot, bits)
            } else {
                let high = range.even_bits(packed, bits - 4) << 4;
                high + range.reversed(packed, &mut self.lowest, 0, 4)
            };
        }
        let [first, second, third, _] = self.distances;
        self.distances = [distance, first, second, third];
        length
    }

    /// A repetition from one of the last four distances, which becomes the last; its length.
    #[inline(always)]
    fn known_distance(&mut self, range: &mut Range, packed: &[u8; CHUNK], position: usize) -> usize {
        let state = self.state % STATES;
        let is_after = self.state >= FIRST_AFTER_REPETITION;
        let [first, second, third, fourth] = self.distances;
        if range.bit(packed, &mut self.is_not_last[state]) == 0 {
            if range.bit(packed, &mut self.is_long[state][position % POSITIONS]) == 0 {
                self.state = if is_after { 11 } else { 9 };
                return 1;
            }
        } else if range.bit(packed, &mut self.is_not_second[state]) == 0 {
            self.distances = [second, first, third, fourth];
        } else if range.bit(packed, &mut self.is_not_third[state]) == 0 {
            self.distances = [third, first, second, fourth];
        } else {
            self.distances = [fourth, first, second, third];
        }
        self.state = if is_after { 11 } else { 8 };
        self.known_lengths.read(range, packed, position)
    }
}
