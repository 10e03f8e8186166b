//! Changes inputs at random.

use crate::rng::Rng;

/// Values and words that readers of such files trip over.
const WORDS: [&[u8]; 28] = [
    b"",
    b"\0",
    b"\n",
    b" ",
    b"\t",
    b"\\",
    b"\\040",
    b"\\777",
    b"-1",
    b"0",
    b"4294967295",
    b"4294967296",
    b"18446744073709551616",
    b"\xff\xfe",
    b"\xe2\x80\xae",
    b"\x1b[2J",
    b" - ",
    b"//deleted",
    b"shared:",
    b"master:",
    b"/",
    b"..",
    b"mnt:[1]",
    b"{",
    b"[",
    b"\"",
    b":",
    b"0::/",
];

/// A changed copy of one of the seeds.
pub fn mutated(rng: &mut Rng, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut data = rng.pick(seeds).clone();
    for _ in 0..1 + rng.below(6) {
        let other = rng.pick(seeds).clone();
        change(rng, &mut data, &other);
    }
    data
}

fn change(rng: &mut Rng, data: &mut Vec<u8>, other: &[u8]) {
    let at = rng.below(data.len() + 1);
    let longest = 1 << rng.below(10);
    let end = (at + rng.below(longest)).min(data.len());
    match rng.below(9) {
        0 => data.truncate(at),
        1 => {
            data.drain(at..end);
        }
        2 => {
            let piece = data[at..end].to_vec();
            let to = rng.below(data.len() + 1);
            data.splice(to..to, piece);
        }
        3 => {
            let word = *rng.pick(&WORDS);
            data.splice(at..at, word.iter().copied());
        }
        4 => {
            let word = *rng.pick(&WORDS);
            data.splice(at..end, word.iter().copied());
        }
        5 => {
            let from = rng.below(other.len() + 1);
            let piece = &other[from..(from + rng.below(200)).min(other.len())];
            data.splice(at..at, piece.iter().copied());
        }
        6 => swap_lines(rng, data),
        _ => {
            if let Some(byte) = data.get_mut(at) {
                *byte = if rng.one_in(2) { *byte ^ (1 << rng.below(8)) } else { rng.number() as u8 };
            }
        }
    }
}

fn swap_lines(rng: &mut Rng, data: &mut Vec<u8>) {
    let mut lines: Vec<&[u8]> = data.split(|&b| b == b'\n').collect();
    let (a, b) = (rng.below(lines.len()), rng.below(lines.len()));
    lines.swap(a, b);
    *data = lines.join(&b'\n');
}
