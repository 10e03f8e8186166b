//! Deflate (RFC 1951) for a few kilobytes, as small as it gets.
//!
//! The page inflates only; a whole compressor would add more to it than all of the links. And each byte counts
//! here: this one chooses among all matches by what they cost in bits, which zlib's level 9 does not, and gives the
//! same bytes everywhere.

use super::huffman::{self, Code};

/// Longest and shortest match.
const MAX_MATCH: usize = 258;
const MIN_MATCH: usize = 3;
/// As far as a match may reach back.
const WINDOW: usize = 32_768;
/// Earlier places with the same three bytes that are tried for each position.
const TRIES: usize = 400;
/// Steps for each byte, on the average, of which all [`TRIES`] and all [`ROUNDS`] are made: what a stranger's link holds
/// is packed again when it is passed on, and may be made so that each of them takes [`MAX_MATCH`] steps. Beyond it one
/// try and one round must do. What people share takes a part of it.
const STEPS: usize = 64;
/// Rounds of choosing matches by the costs of the codes that the last round led to.
const ROUNDS: usize = 6;

/// First length of each length code from 257 on, and its extra bits.
const LENGTHS: [(u16, u8); 29] =
    ranges([0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0], 3, true);
/// First distance of each distance code, and its extra bits.
const DISTANCES: [(u16, u8); 30] = ranges(
    [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13],
    1,
    false,
);

const fn ranges<const N: usize>(extra: [u8; N], first: u16, last_is_258: bool) -> [(u16, u8); N] {
    let mut table = [(0, 0); N];
    let (mut i, mut start) = (0, first);
    while i < N {
        table[i] = (start, extra[i]);
        start = start.wrapping_add(1 << extra[i]);
        i += 1;
    }
    if last_is_258 {
        table[N - 1] = (MAX_MATCH as u16, 0);
    }
    table
}

/// A literal byte, or a copy of `length` bytes from `distance` before.
#[derive(Clone, Copy)]
enum Token {
    Literal(u8),
    Copy { length: u16, distance: u16 },
}

/// How often each symbol occurs.
struct Counts {
    literals: [u32; 286],
    distances: [u32; 30],
}

/// Compresses `data`, which may refer to `dictionary`. `split` is where data of another kind begins: it gets a block
/// of its own where that is smaller.
pub(super) fn deflate(data: &[u8], dictionary: &[u8], split: usize) -> Vec<u8> {
    let all = [dictionary, data].concat();
    let matches = Matches::find(&all, dictionary.len(), TRIES);
    let parse = |from, length| {
        let rounds = rounds(matches.lengths(from, length), length);
        parse(&all, &matches, from, length, rounds)
    };
    let one = Bits::default().block(&parse(dictionary.len(), data.len()), true);
    if split == 0 || split >= data.len() {
        return one.bytes();
    }
    let head = parse(dictionary.len(), split);
    let tail = parse(dictionary.len() + split, data.len() - split);
    let two = Bits::default().block(&head, false).block(&tail, true);
    if two.length < one.length { two.bytes() } else { one.bytes() }
}

/// How long `data` would be about, in bytes: a tenth of the work, and at most half as much again.
pub(super) fn roughly(data: &[u8], dictionary: &[u8]) -> usize {
    let all = [dictionary, data].concat();
    let matches = Matches::find(&all, dictionary.len(), 4);
    let tokens = parse(&all, &matches, dictionary.len(), data.len(), 1);
    Bits::default().block(&tokens, true).bytes.len()
}

/// Comparisons, and lengths weighed, that packing takes.
#[cfg(test)]
pub(super) fn steps(data: &[u8], dictionary: &[u8]) -> usize {
    let matches = Matches::find(&[dictionary, data].concat(), dictionary.len(), TRIES);
    let lengths = matches.lengths(dictionary.len(), data.len());
    matches.steps + lengths * rounds(lengths, data.len())
}

/// The matches at each position: lengths ascending, each with the shortest distance that has it.
struct Matches {
    start: usize,
    at: Vec<Vec<(u16, u16)>>,
    /// Comparisons that it took to find them.
    #[cfg_attr(not(test), expect(dead_code, reason = "the tests see that there is a bound"))]
    steps: usize,
}

impl Matches {
    fn find(all: &[u8], start: usize, tries: usize) -> Self {
        // For each position the one before it with the same three bytes; keys of three bytes in a sorted map
        // would be slower, a table of hashes is enough.
        let mut newest = vec![usize::MAX; 1 << 14];
        let mut before = vec![usize::MAX; all.len()];
        let mut at = Vec::new();
        let (mut steps, most) = (0, (all.len() - start) * STEPS);
        for position in 0..all.len() {
            let Some([a, b, c]) = all.get(position..position + MIN_MATCH) else {
                at.push(Vec::new());
                continue;
            };
            let hash = (usize::from(*a) << 6 ^ usize::from(*b) << 3 ^ usize::from(*c) << 8 ^ usize::from(*a))
                & 0x3fff;
            before[position] = newest[hash];
            newest[hash] = position;
            if position >= start {
                let tries = if steps < most { tries } else { 1 };
                at.push(Self::of(all, position, &before, tries, &mut steps));
            }
        }
        at.truncate(all.len() - start);
        if at.len() < all.len() - start {
            at.resize(all.len() - start, Vec::new());
        }
        Self { start, at, steps }
    }

    /// Lengths that there are to choose from for `length` bytes from `from` on.
    fn lengths(&self, from: usize, length: usize) -> usize {
        let of = self.at.iter().skip(from - self.start).take(length);
        of.filter_map(|found| found.last()).map(|(longest, _)| usize::from(*longest)).sum()
    }

    fn of(all: &[u8], position: usize, before: &[usize], tries: usize, steps: &mut usize) -> Vec<(u16, u16)> {
        let mut found: Vec<(u16, u16)> = Vec::new();
        let longest = MAX_MATCH.min(all.len() - position);
        let mut candidate = before[position];
        for _ in 0..tries {
            if candidate == usize::MAX || position - candidate > WINDOW {
                break;
            }
            let best = found.last().map_or(MIN_MATCH - 1, |(length, _)| usize::from(*length));
            if best == longest {
                break;
            }
            *steps += 1;
            if all[candidate + best] == all[position + best] {
                let length = (0..longest).take_while(|i| all[candidate + i] == all[position + i]).count();
                *steps += length;
                if length > best {
                    found.push((length as u16, (position - candidate) as u16));
                }
            }
            candidate = before[candidate];
        }
        found
    }
}

/// The cheapest tokens for `length` bytes from `from` on.
fn parse(all: &[u8], matches: &Matches, from: usize, length: usize, rounds: usize) -> Vec<Token> {
    // The first guess: a literal costs 7 bits, a match 20.
    let mut literal_cost = [7_u32; 286];
    literal_cost[257..].fill(8);
    let mut distance_cost = [5_u32; 30];
    let mut tokens = Vec::new();
    let mut best = u32::MAX;
    for _ in 0..rounds {
        let next = cheapest(all, matches, from, length, &literal_cost, &distance_cost);
        let counts = count(&next);
        let literals = huffman::lengths(&counts.literals, 15);
        let distances = huffman::lengths(&counts.distances, 15);
        let size = Bits::default().block(&next, true).length;
        if size < best {
            (best, tokens) = (size, next);
        }
        // What does not occur yet may be worth its place in the next round.
        for (cost, length) in literal_cost.iter_mut().zip(literals) {
            *cost = if length == 0 { 11 } else { u32::from(length) };
        }
        for (cost, length) in distance_cost.iter_mut().zip(distances) {
            *cost = if length == 0 { 8 } else { u32::from(length) };
        }
    }
    tokens
}

/// How often matches are chosen, where each time weighs so many lengths for so many bytes.
fn rounds(lengths: usize, bytes: usize) -> usize {
    (ROUNDS * STEPS * bytes / lengths.max(1)).clamp(1, ROUNDS)
}

fn cheapest(
    all: &[u8],
    matches: &Matches,
    from: usize,
    length: usize,
    literal_cost: &[u32; 286],
    distance_cost: &[u32; 30],
) -> Vec<Token> {
    let mut cost = vec![u32::MAX; length + 1];
    let mut step = vec![Token::Literal(0); length + 1];
    cost[0] = 0;
    for at in 0..length {
        let byte = all[from + at];
        let literal = cost[at] + literal_cost[usize::from(byte)];
        if literal < cost[at + 1] {
            (cost[at + 1], step[at + 1]) = (literal, Token::Literal(byte));
        }
        let mut shortest = MIN_MATCH;
        for (longest, distance) in matches.at.get(from - matches.start + at).into_iter().flatten() {
            let (code, extra) = code_of(&DISTANCES, *distance);
            let to = cost[at] + distance_cost[code] + u32::from(extra);
            for copied in shortest..=usize::from(*longest).min(length - at) {
                let (code, extra) = code_of(&LENGTHS, copied as u16);
                let whole = to + literal_cost[257 + code] + u32::from(extra);
                if whole < cost[at + copied] {
                    cost[at + copied] = whole;
                    step[at + copied] = Token::Copy { length: copied as u16, distance: *distance };
                }
            }
            shortest = usize::from(*longest) + 1;
        }
    }
    let mut tokens = Vec::new();
    let mut at = length;
    while at > 0 {
        tokens.push(step[at]);
        at -= match step[at] {
            Token::Literal(_) => 1,
            Token::Copy { length, .. } => usize::from(length),
        };
    }
    tokens.reverse();
    tokens
}

/// The code of a length or distance, and how many extra bits it has.
fn code_of(table: &[(u16, u8)], value: u16) -> (usize, u8) {
    let code = table.partition_point(|(first, _)| *first <= value).saturating_sub(1);
    (code, table[code].1)
}

fn count(tokens: &[Token]) -> Counts {
    let mut counts = Counts { literals: [0; 286], distances: [0; 30] };
    // The end of the block.
    counts.literals[256] = 1;
    for token in tokens {
        match token {
            Token::Literal(byte) => counts.literals[usize::from(*byte)] += 1,
            Token::Copy { length, distance } => {
                counts.literals[257 + code_of(&LENGTHS, *length).0] += 1;
                counts.distances[code_of(&DISTANCES, *distance).0] += 1;
            }
        }
    }
    counts
}

/// A stream of bits, the lowest of each byte first.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    /// Bits in it.
    length: u32,
}

impl Bits {
    fn put(&mut self, bits: u32, count: u8) {
        for index in 0..count {
            if self.length.is_multiple_of(8) {
                self.bytes.push(0);
            }
            if let Some(last) = self.bytes.last_mut() {
                *last |= ((bits >> index & 1) as u8) << (self.length % 8);
            }
            self.length += 1;
        }
    }

    fn bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Appends a block with codes of its own (RFC 1951, 3.2.7).
    fn block(mut self, tokens: &[Token], last: bool) -> Self {
        let counts = count(tokens);
        let literals = Code::of(huffman::lengths(&counts.literals, 15));
        // One distance code must stand there even where none is used.
        let mut used = counts.distances;
        used[0] += u32::from(used.iter().all(|n| *n == 0));
        let distances = Code::of(huffman::lengths(&used, 15));
        self.put(u32::from(last), 1);
        self.put(2, 2);
        self.header(&literals, &distances);
        for token in tokens {
            match token {
                Token::Literal(byte) => self.symbol(&literals, usize::from(*byte)),
                Token::Copy { length, distance } => {
                    let (code, extra) = code_of(&LENGTHS, *length);
                    self.symbol(&literals, 257 + code);
                    self.put(u32::from(length - LENGTHS[code].0), extra);
                    let (code, extra) = code_of(&DISTANCES, *distance);
                    self.symbol(&distances, code);
                    self.put(u32::from(distance - DISTANCES[code].0), extra);
                }
            }
        }
        self.symbol(&literals, 256);
        self
    }

    fn symbol(&mut self, code: &Code, symbol: usize) {
        let (bits, length) = code.of_symbol(symbol);
        self.put(bits, length);
    }

    /// The two codes' lengths, run-length coded and Huffman coded themselves.
    fn header(&mut self, literals: &Code, distances: &Code) {
        const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
        let literal_count = literals.used().max(257);
        let distance_count = distances.used().max(1);
        let all: Vec<u8> =
            [&literals.lengths[..literal_count], &distances.lengths[..distance_count]].concat();
        let runs = huffman::runs(&all);
        let mut counts = [0_u32; 19];
        for (symbol, _, _) in &runs {
            counts[usize::from(*symbol)] += 1;
        }
        let code = Code::of(huffman::lengths(&counts, 7));
        let shown = ORDER.iter().rposition(|s| code.lengths[*s] > 0).map_or(4, |at| (at + 1).max(4));
        self.put((literal_count - 257) as u32, 5);
        self.put((distance_count - 1) as u32, 5);
        self.put((shown - 4) as u32, 4);
        for symbol in &ORDER[..shown] {
            self.put(u32::from(code.lengths[*symbol]), 3);
        }
        for (symbol, extra, bits) in runs {
            self.symbol(&code, usize::from(symbol));
            self.put(u32::from(extra), bits);
        }
    }
}
