//! The lines of a host's mount tables, each different one kept once and read once.
//!
//! Tables of one host say the same but for the mounts' ids and a few lines: a copy of a namespace has the same mounts
//! under other ids. So a table is a row of numbers for each line, and what a line says after its two ids is here.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::TableForm;
use crate::bytes::starts_with;
use crate::ids::{DeviceNumber, MountId};
use crate::parse::mountinfo::{self, Mount, Text};

/// A line of one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    /// Its number, from 1.
    pub(super) number: u32,
    /// Index of its text.
    pub(super) text: u32,
    /// The two ids that it begins with; both 0 where its text is the whole line.
    pub(super) id: MountId,
    pub(super) parent: MountId,
}

/// What a line says.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) text: Arc<[u8]>,
    /// How it is read where it stands after two ids; `None` where it is no mount there.
    fields: Option<Fields>,
}

/// Where the fields of a text end, as [`mountinfo::after_ids`] found them.
#[derive(Debug)]
struct Fields {
    device: DeviceNumber,
    root_begins: usize,
    /// Of root, mount point, options, optional fields, type and source.
    ends: [usize; 6],
}

impl Fields {
    fn of(text: &[u8]) -> Option<Self> {
        let (_, mount) = mountinfo::after_ids(text).ok()?;
        let lengths = [mount.raw_root, mount.raw_mount_point, mount.options, mount.optional_fields];
        let lengths = lengths.into_iter().chain([mount.fs_type, mount.raw_source]).map(<[u8]>::len);
        // What separates each from the one before.
        let gaps = [0, 1, 1, 0, 3, 1];
        let after = mount.super_options.map_or(0, |options| options.len() + 1);
        let all: usize = lengths.clone().sum::<usize>() + gaps.iter().sum::<usize>() + after;
        let root_begins = text.len().checked_sub(all)?;
        let (mut ends, mut at) = ([0; 6], root_begins);
        for ((end, length), gap) in ends.iter_mut().zip(lengths).zip(gaps) {
            at += gap + length;
            *end = at;
        }
        Some(Self { device: mount.device, root_begins, ends })
    }
}

impl Line {
    /// The mount that a row of this text shows.
    pub(super) fn mount(&self, row: &Row) -> Option<Mount<'_>> {
        let text = &self.text[..];
        if row.is_whole() {
            return mountinfo::parse_line(text).ok();
        }
        let Fields { device, root_begins, ends: [root, point, options, optional, fs_type, source] } =
            *self.fields.as_ref()?;
        Some(Mount {
            text: Text::AfterIds(text),
            indent: b"",
            id: row.id,
            parent: row.parent,
            device,
            raw_root: &text[root_begins..root],
            raw_mount_point: &text[root + 1..point],
            options: &text[point + 1..options],
            optional_fields: &text[options..optional],
            fs_type: &text[optional + 3..fs_type],
            raw_source: &text[fs_type + 1..source],
            super_options: text.get(source + 1..),
        })
    }
}

/// Every table that is read is hashed, line by line.
impl Hash for Row {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(u64::from(self.number) << 32 | u64::from(self.text));
        state.write_u64(u64::from(self.id.0) << 32 | u64::from(self.parent.0));
    }
}

/// Mixes rows: std's own takes a fifth of the time that a table takes. Whoever makes tables that it takes for each other
/// makes only the reading of his own bundle slow, for equal ones are compared row by row.
#[derive(Debug, Default)]
pub(super) struct RowHasher(u64);

impl Hasher for RowHasher {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, word: u64) {
        // 2^64 divided by the golden ratio, odd (Knuth, TAOCP 3, 6.4: multiplicative hashing).
        self.0 = (self.0.rotate_left(26) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl Row {
    /// Whether its text is the whole line.
    pub(super) fn is_whole(&self) -> bool {
        (self.id, self.parent) == (MountId(0), MountId(0))
    }
}

/// Different texts, numbered from 0 as they come.
#[derive(Debug, Default)]
pub(super) struct Texts(HashMap<Arc<[u8]>, u32>);

impl Texts {
    /// The number of a text, and the text to keep where it is new.
    pub(super) fn number(&mut self, text: &[u8]) -> (u32, Option<Arc<[u8]>>) {
        if let Some(known) = self.0.get(text) {
            return (*known, None);
        }
        // The limits keep their number far below.
        let number = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        let kept: Arc<[u8]> = text.into();
        self.0.insert(Arc::clone(&kept), number);
        (number, Some(kept))
    }
}

/// Takes tables apart.
#[derive(Debug, Default)]
pub(super) struct Lines {
    kept: Vec<Line>,
    texts: Texts,
    /// Which text followed last: at 0 the one that a table began with, at N + 1 what came after text N.
    followed: Vec<u32>,
    /// Rows of the last table.
    rows: Vec<Row>,
}

impl Lines {
    /// All texts, as rows count them.
    pub(super) fn finish(self) -> Vec<Line> {
        self.kept
    }

    /// The rows of a table, empty lines left out.
    pub(super) fn rows_of(&mut self, table: &[u8], form: TableForm) -> &[Row] {
        self.rows.clear();
        let (mut rest, mut before) = (table, 0);
        for number in 1.. {
            if rest.is_empty() {
                break;
            }
            let row;
            (row, rest) = match self.expected(rest, form, before) {
                Some((row, rest)) => (Some(row), rest),
                None => self.next(rest, form),
            };
            let Some(row) = row else { continue };
            self.rows.push(Row { number, ..row });
            if self.followed.len() <= before {
                self.followed.resize(before + 1, u32::MAX);
            }
            self.followed[before] = row.text;
            before = row.text as usize + 1;
        }
        &self.rows
    }

    /// The next line where it says what followed last time: nearly always, and then it is only compared.
    fn expected<'t>(&self, rest: &'t [u8], form: TableForm, before: usize) -> Option<(Row, &'t [u8])> {
        let text = *self.followed.get(before)?;
        let expected = self.kept.get(text as usize)?;
        let has_ids = form == TableForm::Mountinfo && expected.fields.is_some();
        let (id, parent, rest) = if has_ids { two_ids(rest)? } else { (MountId(0), MountId(0), rest) };
        let rest = starts_with(rest, &expected.text)?.strip_prefix(b"\n")?;
        Some((Row { number: 0, text, id, parent }, rest))
    }

    /// Whatever line is next; no row for an empty one.
    fn next<'t>(&mut self, rest: &'t [u8], form: TableForm) -> (Option<Row>, &'t [u8]) {
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let (line, rest) = (&rest[..end], rest.get(end + 1..).unwrap_or_default());
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            return (None, rest);
        }
        if form == TableForm::Mountinfo
            && let Some((id, parent, text)) = two_ids(line)
        {
            let text = self.keep(text);
            if self.kept[text as usize].fields.is_some() {
                return (Some(Row { number: 0, text, id, parent }), rest);
            }
        }
        (Some(Row { number: 0, text: self.keep(line), id: MountId(0), parent: MountId(0) }), rest)
    }

    fn keep(&mut self, text: &[u8]) -> u32 {
        let (number, new) = self.texts.number(text);
        if let Some(kept) = new {
            self.kept.push(Line { fields: Fields::of(text), text: kept });
        }
        number
    }
}

/// Two ids with a blank after each, and what follows. Only as the kernel writes them, so that they can be written again.
fn two_ids(line: &[u8]) -> Option<(MountId, MountId, &[u8])> {
    let (id, rest) = number_before_blank(line)?;
    let (parent, rest) = number_before_blank(rest)?;
    (id != 0 || parent != 0).then_some((MountId(id), MountId(parent), rest))
}

fn number_before_blank(text: &[u8]) -> Option<(u32, &[u8])> {
    let mut number: u64 = 0;
    // As many digits as fit 32 bits, and the blank.
    for (at, byte) in text.iter().take(11).enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit < 10 {
            number = number * 10 + u64::from(digit);
            continue;
        }
        let is_number = at == 1 || (at > 1 && text[0] != b'0');
        return match u32::try_from(number) {
            Ok(number) if *byte == b' ' && is_number => Some((number, &text[at + 1..])),
            _ => None,
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes a table apart and puts it together again.
    fn again(lines: &mut Lines, table: &[u8]) -> Vec<u8> {
        let rows = lines.rows_of(table, TableForm::Mountinfo).to_vec();
        let line = |row: &Row| {
            let line = &lines.kept[row.text as usize];
            let whole = || line.text.to_vec();
            [line.mount(row).map_or_else(whole, |mount| mount.line()), b"\n".to_vec()].concat()
        };
        rows.iter().flat_map(line).collect()
    }

    #[test]
    fn tables_of_other_ids_share_their_texts_and_come_back_byte_for_byte() {
        let mut lines = Lines::default();
        let table = |first: u32| {
            let root = format!("{first} 1 253:0 / / rw shared:1 - ext4 /dev/sda1 rw,errors=continue\n");
            let overlay = format!("{} {first} 0:54 / /m\\040x rw  - overlay  rw,upperdir=/u\n", first + 1);
            root + &overlay + &format!("{} {first} 0:4 net:[4026532600] /run/n rw - nsfs nsfs\n", first + 2)
        };
        for first in [20, 4_294_967_290, 31, 31] {
            assert_eq!(again(&mut lines, table(first).as_bytes()), table(first).as_bytes());
        }
        assert_eq!(lines.kept.len(), 3);
    }

    #[test]
    fn what_cannot_be_written_again_from_numbers_is_kept_whole() {
        let odd: &[u8] = b"007 1 0:1 / / rw - a b c\n  8 1 0:1 / / rw - a b c\n0 0 0:1 / / rw - a b c\n\
            5000000000 1 0:1 / / rw - a b c\n9 1 no mount\n\xff\xfe\n";
        let mut lines = Lines::default();
        assert_eq!(again(&mut lines, odd), odd);
        assert_eq!(again(&mut lines, odd), odd);
        // The same text as a line of its own and after two ids.
        let both: &[u8] = b"0:1 / / rw - a b c\n9 1 0:1 / / rw - a b c\n0:1 / / rw - a b c\n";
        assert_eq!(again(&mut lines, both), both);
    }

    #[test]
    fn a_row_has_the_number_of_its_line() {
        let mut lines = Lines::default();
        let numbers = |rows: &[Row]| rows.iter().map(|row| row.number).collect::<Vec<_>>();
        let table = b"\n1 2 0:1 / / rw - a b c\r\n\n\r\n1 2 0:1 / /x rw - a b c";
        for _ in 0..2 {
            assert_eq!(numbers(lines.rows_of(table, TableForm::Mountinfo)), [2, 5]);
        }
        assert_eq!(lines.rows_of(b"\n\n", TableForm::Named), []);
    }
}
