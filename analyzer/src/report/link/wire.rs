//! The bytes of a link before compression. One walk over a report ([`super::shape`]) writes it, reads it and
//! visits its texts, so that the three cannot differ.
//!
//! Two parts: numbers and references, then the texts that they refer to. A text stands there once, in the order
//! of its first use; deflate does better on each part alone than on both mixed.

use crate::bytes::visible;
use crate::errors::time::iso;
use crate::order;
use crate::report::rfc3339;
use std::collections::BTreeMap;

/// Texts that a link may hold in all, in bytes, each counted as often as it is used: a text of a stranger's link
/// could be referred to a million times.
const MAX_TEXT: usize = 2 << 20;
/// Elements of lists that a link may hold in all.
const MAX_ELEMENTS: usize = 20_000;
/// Inode numbers of namespaces start here (kernel `include/linux/proc_ns.h`, `PROC_DYNAMIC_FIRST`).
const FIRST_INODE: u64 = 0xf000_0000;
/// Ends each text, as each line of the dictionary.
const END: char = '\n';
/// Stands for an end of line inside of a text; the report's texts have no other control characters.
const LINE_END: char = '\u{1}';

/// What a walk does with each field.
enum Mode<'a> {
    /// Appends it. Texts by the order of their first use: a stranger's report may have a hundred thousand.
    Write { structure: Vec<u8>, texts: BTreeMap<String, u64> },
    /// Takes it from bytes.
    Read { structure: &'a [u8], texts: Vec<&'a str>, new: usize, text_left: usize, elements_left: usize },
    /// Shows each text, which may be changed.
    Visit(&'a mut dyn FnMut(&mut String)),
}

/// A walk over a report.
pub(super) struct Wire<'a> {
    mode: Mode<'a>,
    /// The last time and the last pid: the next one is near.
    last_time: i64,
    last_pid: i64,
    /// Whether something made no sense; everything read after that is empty.
    failed: bool,
}

impl<'a> Wire<'a> {
    fn new(mode: Mode<'a>) -> Self {
        Self { mode, last_time: 0, last_pid: 0, failed: false }
    }

    pub(super) fn writer() -> Self {
        Self::new(Mode::Write { structure: Vec::new(), texts: BTreeMap::new() })
    }

    /// Shows `see` every text of a report.
    pub(super) fn visitor(see: &'a mut dyn FnMut(&mut String)) -> Self {
        Self::new(Mode::Visit(see))
    }

    /// `None` where the bytes are no pair of the two parts.
    pub(super) fn reader(bytes: &'a [u8]) -> Option<Self> {
        let (length, rest) = take_number(bytes)?;
        let (structure, texts) = rest.split_at_checked(usize::try_from(length).ok()?)?;
        let texts = std::str::from_utf8(texts).ok()?.split_terminator(END).collect();
        let (text_left, elements_left) = (MAX_TEXT, MAX_ELEMENTS);
        Some(Self::new(Mode::Read { structure, texts, new: 0, text_left, elements_left }))
    }

    /// What was written, and where in it the texts begin.
    pub(super) fn finish(self) -> (Vec<u8>, usize) {
        let Mode::Write { structure, texts } = self.mode else { return (Vec::new(), 0) };
        let mut bytes = Vec::new();
        put_number(&mut bytes, structure.len() as u64);
        bytes.extend_from_slice(&structure);
        let texts_at = bytes.len();
        let mut in_order: Vec<(u64, String)> = texts.into_iter().map(|(text, at)| (at, text)).collect();
        order::sort(&mut in_order);
        for (_, text) in in_order {
            let line: String = text
                .chars()
                .map(|c| match c {
                    LINE_END => char::REPLACEMENT_CHARACTER,
                    END => LINE_END,
                    c => c,
                })
                .collect();
            bytes.extend_from_slice(line.as_bytes());
            bytes.push(END as u8);
        }
        (bytes, texts_at)
    }

    /// Whether all that was read made sense.
    pub(super) fn is_sound(&self) -> bool {
        !self.failed
    }

    /// A whole number.
    pub(super) fn number(&mut self, value: &mut u64) {
        match &mut self.mode {
            Mode::Write { structure, .. } => put_number(structure, *value),
            Mode::Read { structure, .. } => match take_number(structure).filter(|_| !self.failed) {
                Some((number, rest)) => (*value, *structure) = (number, rest),
                None => (*value, self.failed) = (0, true),
            },
            Mode::Visit(_) => {}
        }
    }

    pub(super) fn small(&mut self, value: &mut u32) {
        let mut wide = u64::from(*value);
        self.number(&mut wide);
        match u32::try_from(wide) {
            Ok(small) => *value = small,
            Err(_) => self.failed = true,
        }
    }

    pub(super) fn maybe_small(&mut self, value: &mut Option<u32>) {
        let mut wide = value.map_or(0, |v| u64::from(v) + 1);
        self.number(&mut wide);
        *value = wide.checked_sub(1).and_then(|v| u32::try_from(v).ok());
    }

    /// A number near zero or not far below it.
    fn signed(&mut self, value: &mut i64) {
        let mut zigzag = ((*value << 1) ^ (*value >> 63)).cast_unsigned();
        self.number(&mut zigzag);
        *value = (zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed();
    }

    /// A pid, as its distance from the last one.
    pub(super) fn pid(&mut self, pid: &mut u32) {
        let mut distance = i64::from(*pid) - self.last_pid;
        self.signed(&mut distance);
        self.last_pid = self.last_pid.wrapping_add(distance);
        match u32::try_from(self.last_pid) {
            Ok(read) => *pid = read,
            Err(_) => self.failed = true,
        }
    }

    /// The inode number of a namespace.
    pub(super) fn inode(&mut self, inode: &mut Option<u64>) {
        let mut some = inode.is_some();
        self.flag(&mut some);
        let mut distance = inode.unwrap_or_default().wrapping_sub(FIRST_INODE).cast_signed();
        if some {
            self.signed(&mut distance);
        }
        *inode = some.then(|| FIRST_INODE.wrapping_add(distance.cast_unsigned()));
    }

    pub(super) fn flag(&mut self, value: &mut bool) {
        let mut number = u64::from(*value);
        self.number(&mut number);
        *value = number == 1;
        self.failed |= number > 1;
    }

    pub(super) fn maybe_flag(&mut self, value: &mut Option<bool>) {
        self.choice(value, &[None, Some(false), Some(true)]);
    }

    /// One of `all`, by its index there.
    pub(super) fn choice<T: Copy + PartialEq>(&mut self, value: &mut T, all: &[T]) {
        let mut index = all.iter().position(|v| v == value).unwrap_or_default() as u64;
        self.number(&mut index);
        match usize::try_from(index).ok().and_then(|i| all.get(i)) {
            Some(found) => *value = *found,
            None => self.failed = true,
        }
    }

    /// A text: 0 nothing, 1 the next new one, else one that was used before.
    pub(super) fn text(&mut self, text: &mut String) {
        let mut code = match &mut self.mode {
            Mode::Visit(see) => return see(text),
            Mode::Read { .. } => 0,
            Mode::Write { .. } if text.is_empty() => 0,
            Mode::Write { texts, .. } => match texts.get(text.as_str()) {
                Some(at) => at + 2,
                None => {
                    texts.insert(text.clone(), texts.len() as u64);
                    1
                }
            },
        };
        self.number(&mut code);
        if let Mode::Read { texts, new, text_left, .. } = &mut self.mode {
            let index = match code {
                0 => return text.clear(),
                1 => {
                    *new += 1;
                    Some(*new - 1)
                }
                _ => usize::try_from(code - 2).ok().filter(|at| at < new),
            };
            let found = index.and_then(|at| texts.get(at).copied()).filter(|t| t.len() <= *text_left);
            match found {
                Some(found) => {
                    *text_left -= found.len();
                    // A stranger's text may hold anything; commands span lines.
                    *text =
                        found.split(LINE_END).map(|l| visible(l.as_bytes())).collect::<Vec<_>>().join("\n");
                }
                None => self.failed = true,
            }
        }
    }

    /// A text that may be absent, which is not the same as empty.
    pub(super) fn maybe_text(&mut self, text: &mut Option<String>) {
        let mut some = text.is_some();
        if let Mode::Write { .. } = self.mode
            && some
            && text.as_deref() != Some("")
        {
            // The usual case needs no byte of its own.
            return self.text(text.get_or_insert_default());
        }
        if let Mode::Visit(see) = &mut self.mode {
            return text.iter_mut().for_each(see);
        }
        if let Mode::Write { .. } = self.mode {
            // 0 0 is absent, 0 1 is empty.
            self.number(&mut 0);
            return self.flag(&mut some);
        }
        let mut read = String::new();
        self.text(&mut read);
        if read.is_empty() && !self.failed {
            self.flag(&mut some);
        } else {
            some = true;
        }
        *text = some.then_some(read);
    }

    /// A time in RFC 3339 as its distance in seconds from the last one; anything else is a text.
    pub(super) fn time(&mut self, time: &mut Option<String>) {
        if let Mode::Visit(_) = self.mode {
            return self.maybe_text(time);
        }
        let seconds = time.as_deref().and_then(whole_seconds);
        let mut code = match (&time, seconds) {
            (None, _) => 0,
            (_, Some(_)) => 1,
            _ => 2_u64,
        };
        self.number(&mut code);
        match code {
            0 => *time = None,
            1 => {
                let mut distance = seconds.unwrap_or_default() - self.last_time;
                self.signed(&mut distance);
                self.last_time = self.last_time.wrapping_add(distance);
                // The year 9999: what is later is no time of a host.
                match u64::try_from(self.last_time).ok().filter(|s| *s < 253_402_300_800) {
                    Some(seconds) => *time = Some(rfc3339(seconds)),
                    None => self.failed = true,
                }
            }
            _ => self.text(time.get_or_insert_default()),
        }
    }

    /// A list of anything.
    pub(super) fn list<T: Default>(&mut self, list: &mut Vec<T>, each: fn(&mut Self, &mut T)) {
        let mut length = list.len() as u64;
        self.number(&mut length);
        if let Mode::Read { elements_left, .. } = &mut self.mode {
            match usize::try_from(length).ok().and_then(|n| elements_left.checked_sub(n)) {
                Some(left) => *elements_left = left,
                None => self.failed = true,
            }
            list.clear();
            for _ in 0..length {
                if self.failed {
                    return;
                }
                let mut element = T::default();
                each(self, &mut element);
                list.push(element);
            }
            return;
        }
        list.iter_mut().for_each(|element| each(self, element));
    }

    /// Something that may be absent.
    pub(super) fn maybe<T: Default>(&mut self, value: &mut Option<T>, each: fn(&mut Self, &mut T)) {
        let mut some = value.is_some();
        self.flag(&mut some);
        if let Mode::Read { elements_left, .. } = &mut self.mode {
            *elements_left = elements_left.saturating_sub(1);
            self.failed |= *elements_left == 0;
            *value = (some && !self.failed).then(T::default);
        }
        if let Some(value) = value {
            each(self, value);
        }
    }

    /// Whether this walk writes bytes.
    pub(super) fn is_writing(&self) -> bool {
        matches!(self.mode, Mode::Write { .. })
    }

    /// Whether this walk fills what it visits.
    pub(super) fn is_reading(&self) -> bool {
        matches!(self.mode, Mode::Read { .. })
    }
}

/// Seconds since 1970 of a time that [`rfc3339`] would write the same way.
fn whole_seconds(text: &str) -> Option<i64> {
    let (_, stamp) = iso(text).ok()?;
    let (seconds, _) = stamp.unix?;
    let same = u64::try_from(seconds).is_ok_and(|s| rfc3339(s) == text);
    same.then_some(seconds)
}

/// Seven bits a byte, the lowest first; the eighth bit says that more follow.
fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn take_number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0_u64;
    for (index, byte) in bytes.iter().enumerate().take(10) {
        number |= u64::from(byte & 0x7f).checked_shl(7 * index as u32)?;
        if byte & 0x80 == 0 {
            return Some((number, &bytes[index + 1..]));
        }
    }
    None
}
