//! Entries → records: one nom parser a file of `/proc` or of a tool's output, each over bytes.
//!
//! A parser takes what it understands; what a line does not tell is `None`, and a line that makes no
//! sense is an error with a column, never the end of the file.

pub mod cgroup;
pub mod container_list;
pub mod device_tools;
pub mod device_trees;
pub mod fuser;
pub mod kernel_release;
pub mod links;
pub mod lsof;
pub mod mountinfo;
pub mod mounts_table;
pub mod namespace_link;
pub mod process_files;
pub mod process_list;
pub mod runtime_state;
pub mod security_label;
pub mod systemctl_status;

use nom::IResult;
use nom::Parser;
use nom::bytes::complete::take_while1;
use nom::character::complete::char;
use nom::combinator::map_opt;
use nom::sequence::separated_pair;

use crate::ids::DeviceNumber;

/// A decimal number that fits its type; a sign is not one.
pub(crate) fn number<T: TryFrom<u64>>(input: &[u8]) -> IResult<&[u8], T> {
    map_opt(take_while1(|b: u8| b.is_ascii_digit()), whole_number).parse(input)
}

/// `MAJOR:MINOR` in decimal.
pub(crate) fn device_number(input: &[u8]) -> IResult<&[u8], DeviceNumber> {
    device_number_with(b':', input)
}

/// A device number with that separator: tools also write `MAJOR,MINOR`.
pub(crate) fn device_number_with(separator: u8, input: &[u8]) -> IResult<&[u8], DeviceNumber> {
    let (rest, (major, minor)) = separated_pair(number, char(separator.into()), number).parse(input)?;
    Ok((rest, DeviceNumber { major, minor }))
}

/// The words of a line of a table.
pub(crate) fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty())
}

/// A line of a tree without the lines that are drawn before it (in UTF-8 or ASCII), and how many characters these are.
pub(crate) fn below_drawing(line: &[u8]) -> (usize, &[u8]) {
    let drawn =
        line.iter().take_while(|b| !b.is_ascii() || matches!(b, b' ' | b'|' | b'`' | b'-' | b'+')).count();
    // Bytes that go on a character of UTF-8 are not counted.
    let depth = line[..drawn].iter().filter(|b| **b & 0xc0 != 0x80).count();
    (depth, &line[drawn..])
}

/// The whole input as a decimal number; a sign is not one.
pub(crate) fn whole_number<T: TryFrom<u64>>(input: &[u8]) -> Option<T> {
    decimal(input).and_then(|number| T::try_from(number).ok())
}

fn decimal(input: &[u8]) -> Option<u64> {
    let mut number: u64 = 0;
    for byte in input {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number.checked_mul(10)?.checked_add(u64::from(digit))?;
    }
    (!input.is_empty()).then_some(number)
}

/// Lines with their numbers from 1, without line ends, empty ones left out.
pub(crate) fn numbered_lines(text: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    (1u32..)
        .zip(lines(text))
        .map(|(n, line)| (n, line.strip_suffix(b"\r").unwrap_or(line)))
        .filter(|(_, line)| !line.is_empty())
}

/// Found at the speed of memory, not byte by byte.
fn lines(mut text: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let end = memchr::memchr(b'\n', text).unwrap_or(text.len());
        let line = (!text.is_empty()).then_some(&text[..end]);
        text = text.get(end + 1..).unwrap_or_default();
        line
    })
}
