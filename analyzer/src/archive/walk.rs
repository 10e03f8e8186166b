//! Walks through the members of an archive, and of the archives inside it.

use std::io::{BufReader, ErrorKind, Read};

use tar::EntryType;

use super::{
    Content, End, Entry, HEAD, Head, Input, Kind, Want, compression, counting, limits, refusal, sniff, text,
    zip,
};
use crate::OpenError;
use crate::bytes::visible;
use crate::paste;

const BUFFER: usize = 64 << 10;
/// Compressions around one archive that are taken off: its own, and one more where somebody packed it again.
const MOST_LAYERS: usize = 2;
/// The largest text of unknown purpose that is taken.
const LOOSE_LIMIT: u64 = 64 << 20;

/// A walk over one archive.
pub(super) struct Walk<'w> {
    pub(super) state: &'w counting::State,
    pub(super) wants: &'w dyn Fn(&[u8]) -> Want,
    pub(super) visit: &'w mut dyn FnMut(Entry<'_>),
    /// Name of this archive in the outer one.
    pub(super) archive: Vec<u8>,
    pub(super) is_inner: bool,
    /// Where members are read into, one after the other: not each needs memory of its own, or clean memory.
    buffer: Vec<u8>,
    /// Why the whole input is of no use, where its kind alone does not tell.
    pub(super) refused: Option<OpenError>,
}

/// Why a stream could not be walked at all.
pub(super) enum Stop {
    /// Its first bytes could not be read.
    Unread(std::io::Error),
    /// It is of that kind, under so many compressions, and begins so.
    Refused(Kind, usize, Vec<u8>),
}

impl<'w> Walk<'w> {
    /// A walk over the outermost archive.
    pub(super) fn new(
        state: &'w counting::State,
        wants: &'w dyn Fn(&[u8]) -> Want,
        visit: &'w mut dyn FnMut(Entry<'_>),
    ) -> Self {
        Self { state, wants, visit, archive: Vec::new(), is_inner: false, buffer: Vec::new(), refused: None }
    }

    /// Takes the compressions off and walks what is inside.
    pub(super) fn stream(&mut self, mut input: Input<'_>) -> Result<End, Stop> {
        for layer in 0..=MOST_LAYERS {
            let head = Head::take(&mut input).map_err(Stop::Unread)?;
            let mut whole = head.before(input);
            input = match sniff(head.as_bytes()) {
                Kind::Tar => return Ok(self.tar(whole)),
                Kind::Zip => return Ok(self.zip(&mut whole)),
                Kind::Text if !self.is_inner => return Ok(self.text(head.as_bytes(), layer, whole)),
                kind if compression::is_read(kind) && layer < MOST_LAYERS => {
                    Box::new(self.state.unpacking(super::inflate(kind, whole)))
                }
                other => return Err(Stop::Refused(other, layer, head.as_bytes().to_vec())),
            };
        }
        Err(Stop::Refused(Kind::Unknown, MOST_LAYERS, Vec::new()))
    }

    /// A text, which begins with `head` and was under so many compressions. One of two bytes a character has no lines
    /// before it is decoded.
    fn text(&mut self, head: &[u8], layer: usize, mut input: Input<'_>) -> End {
        let limits = *self.state.limits();
        if layer == 0 {
            input = Box::new(self.state.unpacking(input));
        }
        let (bytes, end) = if text::is_wide(head) {
            let mut bytes = Vec::new();
            let end = read_whole(&mut input, "whole", limits.whole, &mut bytes);
            (bytes, end)
        } else {
            let text = paste::read_text(BufReader::with_capacity(BUFFER, input), &limits);
            if text.cut > 0 {
                self.see(b"", Content::CutLines(text.cut, limits.line));
            }
            (text.bytes, text.end)
        };
        match self.state.count_entry().and_then(|()| self.give(b"", &text::to_utf8(bytes))) {
            Ok(()) => end,
            Err(why) => End::Broken(why),
        }
    }

    fn see(&mut self, path: &[u8], content: Content<'_>) {
        (self.visit)(Entry { archive: &self.archive, path, content });
    }

    /// Hands a file's bytes over; an error where they are more than all members together may have.
    fn give(&mut self, path: &[u8], bytes: &[u8]) -> Result<(), String> {
        self.state.keep(bytes.len() as u64)?;
        self.see(path, Content::File(bytes));
        Ok(())
    }

    fn zip(&mut self, input: &mut dyn Read) -> End {
        let mut bytes = Vec::new();
        let end = read_whole(input, "whole", self.state.limits().whole, &mut bytes);
        let members = match zip::members(&bytes) {
            Ok(members) => members,
            Err(why) => return End::Broken(why.to_owned()),
        };
        let names: Vec<&[u8]> = members.iter().map(|m| m.path).collect();
        let is_encrypted = !members.is_empty() && members.iter().all(|m| m.is_encrypted);
        if !self.is_inner {
            self.refused = refusal::of_zip(is_encrypted, &names);
        }
        for member in members {
            if let Err(why) = self.state.count_entry() {
                return End::Broken(why);
            }
            let Some(mut data) = member.open().map(|data| self.state.unpacking(data)) else {
                let why = match member.is_encrypted {
                    true => "it is encrypted with a password",
                    false => "it is packed by a method of zip that is not read here",
                };
                self.see(member.path, Content::Broken(why));
                continue;
            };
            if member.is_symlink {
                let mut target = Vec::new();
                read_whole(&mut data, "header", 1 << 16, &mut target);
                self.see(member.path, Content::Symlink(&target));
            } else if let End::Broken(why) = self.file(member.path, member.size, &mut data) {
                return End::Broken(why);
            }
        }
        end
    }

    fn tar(&mut self, input: Input<'_>) -> End {
        let header_limit = self.state.limits().header;
        let (input, fence) = counting::Fenced::new(BufReader::with_capacity(BUFFER, input), header_limit);
        let mut archive = tar::Archive::new(input);
        let entries = match archive.entries_with_seek() {
            Ok(entries) => entries,
            Err(error) => return End::Broken(error.to_string()),
        };
        let (mut path, mut link) = (Vec::new(), Vec::new());
        for entry in entries {
            let mut entry = match entry {
                Ok(entry) => entry,
                Err(error) => return End::Broken(error.to_string()),
            };
            if let Err(why) = self.state.count_entry() {
                return End::Broken(why);
            }
            // What the file takes on the tape, and the headers of the next one.
            let sparse = entry.header().entry_type() == EntryType::GNUSparse;
            let taken = if sparse { entry.header().entry_size().unwrap_or(0) } else { entry.size() };
            let ahead = taken.saturating_add(header_limit).saturating_add(BUFFER as u64);
            fence.set(entry.raw_file_position().saturating_add(ahead));
            path.clear();
            path.extend_from_slice(&entry.path_bytes());
            match entry.header().entry_type() {
                kind @ (EntryType::Symlink | EntryType::Link) => {
                    link.clear();
                    link.extend_from_slice(&entry.link_name_bytes().unwrap_or_default());
                    let is_symlink = kind == EntryType::Symlink;
                    self.see(
                        &path,
                        if is_symlink { Content::Symlink(&link) } else { Content::HardLink(&link) },
                    );
                }
                kind @ (EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse) => {
                    // A sparse file's size on the tape is not its length.
                    let size = entry.size();
                    let known = if kind == EntryType::GNUSparse { 0 } else { size };
                    let limit = self.state.limits().member;
                    let mut unpacking = self.state.unpacking(&mut entry);
                    // Holes of a sparse file are nowhere on the tape, but are read all the same.
                    let input: &mut dyn Read = if sparse { &mut unpacking } else { unpacking.inner() };
                    if size > limit && (self.wants)(&path) == Want::Bytes {
                        self.see(&path, Content::TooLarge(size, limit));
                    } else if let End::Broken(why) = self.file(&path, known, input) {
                        return End::Broken(why);
                    }
                }
                _ => {}
            }
        }
        fence.set(u64::MAX);
        check_rest(&mut archive.into_inner())
    }

    /// A file of a directory; that it breaks off concerns no other file.
    pub(super) fn lone_file(&mut self, path: &[u8], input: &mut dyn Read) {
        if let End::Broken(why) = self.file(path, 0, input) {
            self.see(path, Content::Broken(&why));
        }
    }

    /// A file: what is wanted of it is shown; an archive is walked. `size` 0 stands for unknown.
    fn file(&mut self, path: &[u8], size: u64, input: &mut dyn Read) -> End {
        match (self.wants)(path) {
            Want::Bytes => self.wanted(path, size, input),
            Want::Nothing if self.is_inner => End::Complete,
            want => match Head::take(input) {
                Ok(head) => self.unknown(want, path, size, head, input),
                Err(error) => End::Broken(error.to_string()),
            },
        }
    }

    /// A file whose name tells that it is wanted. Where it is compressed it is a rotated log, mostly.
    fn wanted(&mut self, path: &[u8], size: u64, input: &mut dyn Read) -> End {
        let limit = self.state.limits().member;
        let mut buffer = std::mem::take(&mut self.buffer);
        let (length, end) = fill(input, size, limit, &mut buffer);
        let bytes = &buffer[..length];
        let kind = sniff(&bytes[..bytes.len().min(HEAD)]);
        let end = if compression::is_read(kind) {
            let mut text = Vec::new();
            let mut unpacked = self.state.unpacking(compression::decode(kind, Box::new(bytes)));
            let inflated = read_whole(&mut unpacked, "member", limit, &mut text);
            match (self.give(path, &text), inflated) {
                (Err(why), _) => End::Broken(why),
                (Ok(()), End::Broken(why)) => {
                    self.see(path, Content::Broken(&why));
                    End::Complete
                }
                (Ok(()), End::Complete) => End::Complete,
            }
        } else {
            // What came before a break is still true: a table cut short shows mounts that were there.
            match self.give(path, bytes) {
                Ok(()) => whole_or_broken(path, size, bytes.len(), end),
                Err(why) => End::Broken(why),
            }
        };
        self.buffer = buffer;
        end
    }

    /// A file whose name tells nothing: its first bytes may.
    fn unknown(&mut self, want: Want, path: &[u8], size: u64, head: Head, input: &mut dyn Read) -> End {
        let kind = sniff(head.as_bytes());
        if compression::is_read(kind) || matches!(kind, Kind::Tar | Kind::Zip) {
            if !self.is_inner {
                self.inner(path, head.before(input));
            }
        } else if want == Want::Text && kind == Kind::Text && size <= LOOSE_LIMIT {
            let mut bytes = Vec::new();
            let end = read_whole(&mut head.before(input), "member", LOOSE_LIMIT, &mut bytes);
            let end = whole_or_broken(path, size, bytes.len(), end);
            // A file whose name says nothing is somebody's text; those of the host are bytes as they stand.
            return match self.give(path, &text::to_utf8(bytes)) {
                Ok(()) => end,
                Err(why) => End::Broken(why),
            };
        }
        End::Complete
    }

    fn inner(&mut self, path: &[u8], input: Input<'_>) {
        let mut walk = Walk::new(self.state, self.wants, self.visit);
        walk.archive = path.to_vec();
        walk.is_inner = true;
        // What is compressed but no archive says nothing of a host.
        if let Ok(End::Broken(why)) = walk.stream(input) {
            self.see(path, Content::Broken(&why));
        }
    }
}

/// An archive that ends early says so by a file that is shorter than its header tells.
fn whole_or_broken(path: &[u8], size: u64, read: usize, end: End) -> End {
    match end {
        End::Complete if size > read as u64 => {
            End::Broken(format!("the archive ends inside {}", visible(path)))
        }
        end => end,
    }
}

/// Reads a member to the buffer's beginning and tells its length, at most the limit, and how it ended. `size` is what it
/// should have: the buffer grows with what it has.
fn fill(input: &mut dyn Read, size: u64, limit: u64, buffer: &mut Vec<u8>) -> (usize, End) {
    const FIRST: usize = 1 << 20;
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    // One more than it has, so that its end is seen.
    let expected = usize::try_from(size).unwrap_or(usize::MAX).min(most).saturating_add(1);
    let mut room = expected.clamp(BUFFER, FIRST);
    let mut length = 0;
    loop {
        if buffer.len() < room {
            buffer.resize(room, 0);
        }
        match input.read(&mut buffer[length..room]) {
            Ok(0) => return (length, End::Complete),
            Ok(more) => length += more,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return (length, End::Broken(error.to_string())),
        }
        if length > most {
            return (most, End::Broken(limits::met("member", limit)));
        }
        if length == room {
            let double = room.saturating_mul(2);
            room = if room < expected { double.min(expected) } else { double };
        }
    }
}

/// Appends all bytes up to the limit of that name, and tells how it ended.
fn read_whole(input: &mut dyn Read, name: &str, limit: u64, bytes: &mut Vec<u8>) -> End {
    match input.take(limit + 1).read_to_end(bytes) {
        Ok(n) if n as u64 > limit => {
            bytes.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
            End::Broken(limits::met(name, limit))
        }
        Ok(_) => End::Complete,
        Err(error) => End::Broken(error.to_string()),
    }
}

/// What flate2 says of bytes that begin no gzip member.
const NO_MEMBER: &str = "invalid gzip header";

/// Reads what follows the archive's end mark, so that a compressed stream's length and checksum are checked.
/// What is no further gzip member is padding and none of our business (gzip(1) ignores it, too).
fn check_rest(rest: &mut dyn Read) -> End {
    match std::io::copy(rest, &mut std::io::sink()) {
        Err(error)
            if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::InvalidData)
                // A checksum that does not fit; what follows a member and begins like none is called a bad header.
                || (error.kind() == ErrorKind::InvalidInput && error.to_string() != NO_MEMBER)
                || error.to_string().starts_with("the limit") =>
        {
            End::Broken(error.to_string())
        }
        _ => End::Complete,
    }
}
