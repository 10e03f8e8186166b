//! Takes a WebAssembly module apart before it is compressed.
//!
//! In a module's code, opcodes, numbers of locals, offsets and constants stand in one row, and each has its own kind of
//! pattern. Here each kind stands in a stream of its own, which LZMA packs a sixth smaller. `putTogether` in
//! `index.html` is the way back; both follow section 5.4 of the core specification.
//!
//! What comes out is: the number of bytes of the module and of each stream, as u32, then the streams.

use anyhow::{Context as _, Result, bail};

/// The streams. Constants of 32 bits have one for each opcode that may follow them, because that tells what they are:
/// an address, a size, a bit mask.
const STREAMS: usize = CONSTANTS + 256;
/// What is before the functions, and what is after them.
const BEFORE: usize = 0;
const AFTER: usize = 1;
/// Each function's own locals.
const LOCALS: usize = 2;
const OPCODES: usize = 3;
/// Which local, as the number of others that were used since it was.
const RECENCY: usize = 4;
const LOADS: usize = 5;
const STORES: usize = 6;
const CALLS: usize = 7;
const LABELS: usize = 8;
const LONGS: usize = 9;
const REST: usize = 10;
const CONSTANTS: usize = 11;

const CODE_SECTION: u8 = 10;
const BLOCK: u8 = 0x02;
const IF: u8 = 0x04;
const END: u8 = 0x0b;

/// The module taken apart. What `putTogether` makes of it does the same as the module, but is not the same in each
/// byte: sizes are written with three and five bytes, and each access claims the alignment that is natural for it,
/// which is a hint without effect.
pub(crate) fn take_apart(module: &[u8]) -> Result<Vec<u8>> {
    let code = code_section(module)?;
    let mut apart = Apart { streams: vec![Vec::new(); STREAMS], length: 0 };
    let mut functions = Reader { bytes: code.body, at: 0 };
    let (count, its_bytes) = functions.copied_number()?;
    for _ in 0..count {
        let size = functions.number()?;
        apart.function(functions.take(size as usize)?)?;
    }
    let before = &mut apart.streams[BEFORE];
    before.extend_from_slice(code.before);
    before.push(CODE_SECTION);
    before.extend(wide(apart.length + its_bytes.len(), 5));
    before.extend_from_slice(its_bytes);
    apart.streams[AFTER].extend_from_slice(code.after);

    let length = apart.length + apart.streams[BEFORE].len() + code.after.len();
    let mut out = u32::try_from(length)?.to_le_bytes().to_vec();
    for stream in &apart.streams {
        out.extend(u32::try_from(stream.len())?.to_le_bytes());
    }
    Ok([out, apart.streams.concat()].concat())
}

struct Sections<'a> {
    before: &'a [u8],
    body: &'a [u8],
    after: &'a [u8],
}

fn code_section(module: &[u8]) -> Result<Sections<'_>> {
    let mut reader = Reader { bytes: module, at: 8 };
    loop {
        let start = reader.at;
        let id = reader.byte().context("the module has no code")?;
        let size = reader.number()?;
        let body = reader.take(size as usize)?;
        if id == CODE_SECTION {
            return Ok(Sections { before: &module[..start], body, after: &module[reader.at..] });
        }
    }
}

/// A number in exactly so many bytes.
fn wide(number: usize, bytes: usize) -> impl Iterator<Item = u8> {
    (0..bytes).map(move |i| (number >> (7 * i) & 0x7f) as u8 | if i + 1 < bytes { 0x80 } else { 0 })
}

struct Apart {
    streams: Vec<Vec<u8>>,
    /// Of all functions when they are put together again.
    length: usize,
}

impl Apart {
    fn function(&mut self, body: &[u8]) -> Result<()> {
        let mut reader = Reader { bytes: body, at: 0 };
        for _ in 0..reader.number()? {
            reader.number()?;
            reader.byte()?;
        }
        self.streams[LOCALS].extend_from_slice(&body[..reader.at]);
        let mut length = reader.at;
        let mut recent = Vec::new();
        let mut open = 1;
        while open > 0 {
            let start = reader.at;
            let opcode = reader.byte().context("a function does not end")?;
            self.streams[OPCODES].push(opcode);
            match opcode {
                BLOCK..=IF => open += 1,
                END => open -= 1,
                _ => {}
            }
            self.immediates(opcode, &mut reader, &mut recent)?;
            length += reader.at - start;
        }
        if reader.at != body.len() {
            bail!("a function goes on after its end");
        }
        if length >> 21 != 0 {
            bail!("a function has {length} bytes; `putTogether` writes their number with three bytes");
        }
        self.length += 3 + length;
        Ok(())
    }

    /// What follows an opcode. In step with `immediates` in `index.html`.
    fn immediates(&mut self, opcode: u8, reader: &mut Reader<'_>, recent: &mut Vec<u32>) -> Result<()> {
        match opcode {
            // block, loop, if: a type; global.get and set, table.get and set, memory.size and grow, ref.null: a number.
            0x02..=0x04 | 0x23..=0x26 | 0x3f | 0x40 | 0xd0 => self.copy(REST, reader),
            // br, br_if.
            0x0c | 0x0d => self.copy(LABELS, reader),
            // br_table: all but one are counted.
            0x0e => {
                let (count, its_bytes) = reader.copied_number()?;
                self.streams[LABELS].extend_from_slice(its_bytes);
                (0..=count).try_for_each(|_| self.copy(LABELS, reader))
            }
            // call, ref.func.
            0x10 | 0xd2 => self.copy(CALLS, reader),
            // call_indirect: type and table.
            0x11 => self.copy(REST, reader).and_then(|()| self.copy(REST, reader)),
            // local.get, set, tee.
            0x20..=0x22 => {
                let place = recency(recent, reader.number()?);
                put(&mut self.streams[RECENCY], place);
                Ok(())
            }
            // Loads and stores: alignment, offset.
            0x28..=0x3e => {
                reader.number()?;
                self.copy(if opcode < 0x36 { LOADS } else { STORES }, reader)
            }
            0x41 => {
                let constant = reader.copied_number()?.1;
                let next = *reader.bytes.get(reader.at).context("a function does not end")?;
                self.streams[CONSTANTS + usize::from(next)].extend_from_slice(constant);
                Ok(())
            }
            0x42 => self.copy(LONGS, reader),
            // f32.const, f64.const.
            0x43 | 0x44 => {
                self.streams[REST].extend_from_slice(reader.take(if opcode == 0x43 { 4 } else { 8 })?);
                Ok(())
            }
            0xfc => self.more(reader),
            0x00 | 0x01 | 0x05 | END | 0x0f | 0x1a | 0x1b | 0x45..=0xc4 | 0xd1 => Ok(()),
            _ => bail!("the opcode {opcode:#x} is not known here, nor to `putTogether`"),
        }
    }

    /// What follows the prefix 0xfc: another opcode, and numbers of segments, memories and tables.
    fn more(&mut self, reader: &mut Reader<'_>) -> Result<()> {
        let (opcode, bytes) = reader.copied_number()?;
        self.streams[REST].extend_from_slice(bytes);
        let numbers = match opcode {
            // Floats to integers.
            0..=7 => 0,
            // data.drop, memory.fill, elem.drop, table.grow, size, fill.
            9 | 11 | 13 | 15..=17 => 1,
            // memory.init, copy, table.init, copy.
            8 | 10 | 12 | 14 => 2,
            _ => bail!("the opcode 0xfc {opcode} is not known here, nor to `putTogether`"),
        };
        (0..numbers).try_for_each(|_| self.copy(REST, reader))
    }

    fn copy(&mut self, stream: usize, reader: &mut Reader<'_>) -> Result<()> {
        self.streams[stream].extend_from_slice(reader.copied_number()?.1);
        Ok(())
    }
}

/// How many other locals were used since this one. At the start they count as used in the reverse of their order.
fn recency(recent: &mut Vec<u32>, local: u32) -> u32 {
    while recent.len() <= local as usize {
        recent.push(recent.len() as u32);
    }
    let place = recent.iter().position(|known| *known == local).unwrap_or_default();
    recent[..=place].rotate_right(1);
    place as u32
}

/// A number in as few bytes as it takes.
fn put(out: &mut Vec<u8>, mut number: u32) {
    while number > 0x7f {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let taken = self.bytes.get(self.at..).and_then(|rest| rest.get(..length));
        self.at += length;
        taken.context("the module ends early")
    }

    fn byte(&mut self) -> Result<u8> {
        Ok(self.take(1)?[0])
    }

    fn number(&mut self) -> Result<u32> {
        Ok(self.copied_number()?.0)
    }

    /// A LEB128 and its bytes. Of more than 32 bits the number is not meant, only the bytes.
    fn copied_number(&mut self) -> Result<(u32, &'a [u8])> {
        let start = self.at;
        let mut number: u32 = 0;
        loop {
            let shift = 7 * (self.at - start) as u32;
            let byte = self.byte()?;
            number |= u32::from(byte & 0x7f).checked_shl(shift).unwrap_or_default();
            if byte & 0x80 == 0 {
                return Ok((number, &self.bytes[start..self.at]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A module with one function and something after it.
    fn module(code: &[u8]) -> Vec<u8> {
        let head = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0";
        let size = code.len() as u8;
        [&head[..], &[CODE_SECTION, size + 2, 1, size], code, b"\0\x02\x01x"].concat()
    }

    fn stream(apart: &[u8], wanted: usize) -> &[u8] {
        let length = |i: usize| {
            let bytes = &apart[4 * (i + 1)..4 * (i + 2)];
            u32::from_le_bytes(bytes.try_into().unwrap()) as usize
        };
        let start: usize = 4 * (1 + STREAMS) + (0..wanted).map(length).sum::<usize>();
        &apart[start..start + length(wanted)]
    }

    #[test]
    fn each_kind_stands_in_its_stream() {
        // Two locals of i32; i32.const 5, local.set 1, local.get 1, i64.load offset=300, drop, local.get 0, drop.
        let code = [1, 2, 0x7f, 0x41, 5, 0x21, 1, 0x20, 1, 0x29, 0, 0xac, 2, 0x1a, 0x20, 0, 0x1a, END];
        let apart = take_apart(&module(&code)).unwrap();
        assert_eq!(stream(&apart, LOCALS), [1, 2, 0x7f]);
        assert_eq!(stream(&apart, OPCODES), [0x41, 0x21, 0x20, 0x29, 0x1a, 0x20, 0x1a, END]);
        assert_eq!(stream(&apart, RECENCY), [1, 0, 1], "the other one, the same, the one before");
        assert_eq!(stream(&apart, CONSTANTS + 0x21), [5], "a local's value");
        assert_eq!(stream(&apart, LOADS), [0xac, 2], "without the alignment");
        assert_eq!(stream(&apart, AFTER), b"\0\x02\x01x");
        // The section's size: one byte for the number of functions, three for the size of this one.
        let section = [CODE_SECTION, 0x80 | (1 + 3 + code.len() as u8), 0x80, 0x80, 0x80, 0, 1];
        assert!(stream(&apart, BEFORE).ends_with(&section), "{:?}", stream(&apart, BEFORE));
        let whole = 18 + section.len() + 3 + code.len() + 4;
        assert_eq!(apart[..4], (whole as u32).to_le_bytes());
    }

    #[test]
    fn blocks_end_before_their_function_does() {
        let code = [0, 0x02, 0x40, 0x0c, 0, END, END];
        let apart = take_apart(&module(&code)).unwrap();
        assert_eq!(stream(&apart, OPCODES), [0x02, 0x0c, END, END]);
        assert_eq!((stream(&apart, REST), stream(&apart, LABELS)), (&[0x40][..], &[0][..]));
    }

    #[test]
    fn what_the_page_could_not_put_together_is_refused() {
        let why = |code: &[u8]| take_apart(&module(code)).unwrap_err().to_string();
        assert!(why(&[0, 0xfd, 0, END]).contains("0xfd is not known"), "SIMD");
        assert!(why(&[0, 0xfc, 99, END]).contains("0xfc 99 is not known"));
        assert!(why(&[0, 0x01]).contains("does not end"));
        assert!(why(&[0, END, END]).contains("goes on"));
        assert!(take_apart(b"\0asm\x01\0\0\0").unwrap_err().to_string().contains("no code"));
    }
}
