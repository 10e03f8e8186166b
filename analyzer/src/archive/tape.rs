//! A tar's members one after another, told by their headers where these lie (POSIX `pax`, ustar interchange format; GNU
//! tar's manual, "Basic Tar Format" and "Storing Sparse Files").
//!
//! Of the crate `tar` are the headers' fields and pax records. Its iterator is not used: it allocates and copies for each
//! member, and a bundle has tens of thousands of small ones.

use std::io::{BufRead as _, Read, Result};

use tar::{EntryType, GnuExtSparseHeader, GnuSparseHeader, Header, PaxExtensions};

use super::limits::met;
use super::sniff::header_sum;
use super::window::Window;

/// Headers and members begin at multiples of this.
const BLOCK: usize = 512;

/// A tar on its way.
pub(super) struct Tape<'r> {
    window: Window<'r>,
    /// Bytes between the end of the present member and the next header.
    padding: u64,
    /// Bytes that the headers of one member may have.
    most: u64,
}

/// What the headers of a member say. One for all members: none needs memory of its own.
#[derive(Default)]
pub(super) struct Member {
    pub(super) kind: MemberKind,
    pub(super) path: Vec<u8>,
    /// Where a link leads.
    pub(super) link: Vec<u8>,
    /// Length of the file.
    pub(super) size: u64,
    /// What a sparse file has on the tape, in order.
    pub(super) pieces: Vec<Piece>,
}

/// What a member is, as far as it is told apart here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum MemberKind {
    File,
    Sparse,
    Symlink,
    HardLink,
    /// A directory, a device and the like.
    #[default]
    Other,
}

/// A run of bytes of a sparse file; between two of them are zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) offset: u64,
    pub(super) length: u64,
}

impl Piece {
    fn end(self) -> u64 {
        self.offset + self.length
    }
}

/// Of a file of these pieces, which stand in order.
fn length_of(pieces: &[Piece]) -> u64 {
    pieces.last().map_or(0, |last| last.end())
}

/// Headers that tell of the member after them.
#[derive(Default)]
struct Extensions {
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    pax: Option<Vec<u8>>,
    length: u64,
}

impl Extensions {
    fn is_empty(&self) -> bool {
        self.name.is_none() && self.link.is_none() && self.pax.is_none()
    }

    /// It goes before the header's own: where readers disagree on it, they see different archives. So nothing is taken
    /// from after a damaged record.
    fn size(&self) -> Option<u64> {
        let mut records = PaxExtensions::new(self.pax.as_deref()?).map_while(Result::ok);
        records.find(|record| record.key_bytes() == b"size")?.value().ok()?.parse().ok()
    }

    fn pax(&self, key: &[u8]) -> Option<&[u8]> {
        let records = PaxExtensions::new(self.pax.as_deref()?);
        records.filter_map(Result::ok).find(|record| record.key_bytes() == key).map(|r| r.value_bytes())
    }
}

impl<'r> Tape<'r> {
    /// At its beginning; `most` bytes are allowed for the headers of one member.
    pub(super) fn new(mut window: Window<'r>, most: u64) -> Self {
        window.set_fence(0);
        Self { window, padding: 0, most }
    }

    /// Goes on to the next member, whatever was read of the present one; false at the archive's end.
    pub(super) fn next(&mut self, member: &mut Member) -> std::result::Result<bool, String> {
        let mut extensions = Extensions::default();
        loop {
            self.leave()?;
            let Some(header) = self.header()? else {
                return if extensions.is_empty() { Ok(false) } else { Err(ENDS_IN_HEADER.into()) };
            };
            let size = number(&header.as_old().size).map_or_else(|| header.entry_size(), Ok);
            let size = size.map_err(|error| error.to_string())?;
            let kind = header.entry_type();
            let is_known = header.as_gnu().is_some() || header.as_ustar().is_some();
            let slot = match kind {
                EntryType::GNULongName if is_known => &mut extensions.name,
                EntryType::GNULongLink if is_known => &mut extensions.link,
                EntryType::XHeader if is_known => &mut extensions.pax,
                // Of the whole archive: comments and times.
                EntryType::XGlobalHeader if is_known => {
                    self.enter(size)?;
                    continue;
                }
                _ => {
                    let size = extensions.size().unwrap_or(size);
                    member.take(kind, header, &extensions, size);
                    let sparse = (kind == EntryType::GNUSparse).then(|| header.clone());
                    self.enter(size)?;
                    if let Some(header) = sparse {
                        member.pieces = self.pieces(&header, size)?;
                        member.size = length_of(&member.pieces);
                    }
                    return Ok(true);
                }
            };
            extensions.length = extensions.length.saturating_add(size);
            if extensions.length > self.most {
                return Err(met("header", self.most));
            }
            if slot.is_some() {
                return Err("two headers say the same of one member".into());
            }
            *slot = Some(self.extension(size)?);
        }
    }

    /// The present member's bytes, as they stand on the tape.
    pub(super) fn content(&mut self) -> &mut Window<'r> {
        &mut self.window
    }

    /// What follows the archive.
    pub(super) fn into_rest(mut self) -> Window<'r> {
        self.window.set_fence(super::window::OPEN);
        self.window
    }

    /// Passes over what is left of the present member.
    fn leave(&mut self) -> std::result::Result<(), String> {
        let padding = std::mem::take(&mut self.padding);
        match self.window.leave(padding) {
            Ok(true) => Ok(()),
            Ok(false) => Err("the archive ends inside a member".into()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// The next header with a right checksum; none at the archive's end, which is zeros or nothing at all.
    fn header(&mut self) -> std::result::Result<Option<&Header>, String> {
        if !self.window.has(BLOCK) {
            return match self.window.take_error() {
                Some(error) => Err(error.to_string()),
                None if self.window.peek(1).is_empty() => Ok(None),
                None => Err(ENDS_IN_HEADER.into()),
            };
        }
        let header = Header::from_byte_slice(self.window.peek(BLOCK));
        let (sum, is_empty) = header_sum(header.as_bytes());
        if is_empty {
            return Ok(None);
        }
        let stated = number(&header.as_old().cksum).or_else(|| header.cksum().ok().map(u64::from));
        match stated == Some(u64::from(sum)) {
            true => Ok(Some(header)),
            false => Err("a member's header is damaged: its checksum is another".into()),
        }
    }

    /// Sets out what is the member's after its header: so many bytes, filled up to whole blocks.
    fn enter(&mut self, size: u64) -> std::result::Result<(), String> {
        let block = BLOCK as u64;
        let whole = size.checked_next_multiple_of(block).ok_or("a member's size is no size")?;
        self.window.consume(BLOCK);
        self.window.set_fence(size);
        self.padding = whole - size;
        Ok(())
    }

    fn extension(&mut self, size: u64) -> std::result::Result<Vec<u8>, String> {
        self.enter(size)?;
        let bytes = self.window.peek(usize::try_from(size).unwrap_or(usize::MAX)).to_vec();
        if bytes.len() as u64 == size {
            return Ok(bytes);
        }
        Err(self.window.take_error().map_or(ENDS_IN_HEADER.into(), |error| error.to_string()))
    }

    /// The map of a sparse file, whose rest may stand in blocks after its header.
    fn pieces(&mut self, header: &Header, size: u64) -> std::result::Result<Vec<Piece>, String> {
        let gnu = header.as_gnu().ok_or("a sparse file has a header of another form")?;
        let mut map = Map { pieces: Vec::new(), on_tape: 0 };
        map.add(&gnu.sparse)?;
        let mut is_extended = gnu.is_extended();
        let mut taken = 0;
        self.window.set_fence(super::window::OPEN);
        while is_extended {
            let mut more = GnuExtSparseHeader::new();
            if self.window.read_exact(more.as_mut_bytes()).is_err() {
                return Err(ENDS_IN_HEADER.into());
            }
            taken += BLOCK as u64;
            if taken > self.most {
                return Err(met("header", self.most));
            }
            map.add(&more.sparse)?;
            is_extended = more.is_extended();
        }
        self.window.set_fence(size);
        let length = gnu.real_size().map_err(|error| error.to_string())?;
        match map.on_tape == size && length_of(&map.pieces) == length {
            true => Ok(map.pieces),
            false => Err("a sparse file's map does not fit its size".into()),
        }
    }
}

/// A number as nearly all are written: octal digits, then one NUL or blank or none. `tar` reads the other forms.
fn number(field: &[u8]) -> Option<u64> {
    let digits = match field {
        [digits @ .., 0, b' '] | [digits @ .., 0 | b' '] => digits,
        digits => digits,
    };
    let mut number = 0;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 7 {
            return None;
        }
        number = number << 3 | u64::from(digit);
    }
    (!digits.is_empty()).then_some(number)
}

const ENDS_IN_HEADER: &str = "the archive ends inside a member's header";

/// A sparse file's map as far as it was read.
struct Map {
    pieces: Vec<Piece>,
    /// Bytes that its pieces take on the tape.
    on_tape: u64,
}

impl Map {
    fn add(&mut self, listed: &[GnuSparseHeader]) -> std::result::Result<(), String> {
        for piece in listed.iter().filter(|piece| !piece.is_empty()) {
            let number = |number: Result<u64>| number.map_err(|error| error.to_string());
            let piece = Piece { offset: number(piece.offset())?, length: number(piece.length())? };
            let before = length_of(&self.pieces);
            let end = piece.offset.checked_add(piece.length);
            let on_tape = self.on_tape.checked_add(piece.length);
            let is_aligned = piece.length == 0 || self.on_tape.is_multiple_of(BLOCK as u64);
            match (end, on_tape) {
                (Some(_), Some(on_tape)) if piece.offset >= before && is_aligned => self.on_tape = on_tape,
                _ => return Err("a sparse file's map is damaged".into()),
            }
            self.pieces.push(piece);
        }
        Ok(())
    }
}

impl Member {
    fn take(&mut self, kind: EntryType, header: &Header, extensions: &Extensions, size: u64) {
        let without_nul = |name: &[u8]| name.strip_suffix(b"\0").unwrap_or(name).to_vec();
        self.kind = match kind {
            EntryType::Regular | EntryType::Continuous => MemberKind::File,
            EntryType::GNUSparse => MemberKind::Sparse,
            EntryType::Symlink => MemberKind::Symlink,
            EntryType::Link => MemberKind::HardLink,
            _ => MemberKind::Other,
        };
        self.size = size;
        self.pieces.clear();
        self.path.clear();
        self.link.clear();
        match (&extensions.name, extensions.pax(b"path")) {
            (Some(name), _) => self.path = without_nul(name),
            (None, Some(name)) => self.path.extend_from_slice(name),
            (None, None) => self.path.extend_from_slice(&header.path_bytes()),
        }
        if !matches!(self.kind, MemberKind::Symlink | MemberKind::HardLink) {
            return;
        }
        match (&extensions.link, extensions.pax(b"linkpath")) {
            (Some(name), _) => self.link = without_nul(name),
            (None, Some(name)) => self.link.extend_from_slice(name),
            (None, None) => self.link.extend_from_slice(&header.link_name_bytes().unwrap_or_default()),
        }
    }
}

/// A sparse file as it is read: its pieces, and zeros where there are none.
pub(super) struct Sparse<'t, 'r> {
    window: &'t mut Window<'r>,
    pieces: &'t [Piece],
    at: u64,
}

impl<'t, 'r> Sparse<'t, 'r> {
    pub(super) fn new(window: &'t mut Window<'r>, pieces: &'t [Piece]) -> Self {
        Self { window, pieces, at: 0 }
    }
}

impl Read for Sparse<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        while let Some(piece) = self.pieces.first() {
            let is_hole = self.at < piece.offset;
            let ends = if is_hole { piece.offset } else { piece.end() };
            let length = usize::try_from(ends - self.at).unwrap_or(usize::MAX).min(buffer.len());
            let read = if is_hole {
                buffer[..length].fill(0);
                length
            } else {
                self.window.read(&mut buffer[..length])?
            };
            if self.at < ends {
                self.at += read as u64;
                return Ok(read);
            }
            self.pieces = &self.pieces[1..];
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests;
