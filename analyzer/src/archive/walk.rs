//! Walks through the members of an archive, and of the archives inside it.

use std::io::{BufRead as _, BufReader, ErrorKind, Read};

use super::sniff::{compressed, packed, unpacked};
use super::tape::{MemberKind, Sparse, Tape};
use super::window::Window;
use super::{
    BUFFER, Content, End, Entry, HEAD, Kind, Want, compression, counting, limits, refusal, sniff, tape, text,
    zip,
};
use crate::OpenError;
use crate::bytes::visible;
use crate::paste;

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
        Self { state, wants, visit, archive: Vec::new(), is_inner: false, refused: None }
    }

    /// Takes the compressions off and walks what is inside.
    pub(super) fn stream(&mut self, mut input: Window<'_>) -> Result<End, Stop> {
        for layer in 0..=MOST_LAYERS {
            let head = input.peek(HEAD);
            let kind = sniff(head);
            let is_short = head.len() < HEAD;
            if is_short && let Some(error) = input.take_error() {
                return Err(Stop::Unread(error));
            }
            input = match kind {
                Kind::Tar => return Ok(self.tar(input)),
                Kind::Zip => return Ok(self.zip(&mut input)),
                Kind::Text if !self.is_inner => return Ok(self.text(layer, input)),
                kind if compression::is_read(kind) && layer < MOST_LAYERS => {
                    let unpacked = self.state.unpacking(super::inflate(kind, Box::new(input)));
                    Window::new(Box::new(unpacked))
                }
                other => return Err(Stop::Refused(other, layer, input.peek(HEAD).to_vec())),
            };
        }
        Err(Stop::Refused(Kind::Unknown, MOST_LAYERS, Vec::new()))
    }

    /// A text that was under so many compressions. One of two bytes a character has no lines before it is decoded.
    fn text(&mut self, layer: usize, mut input: Window<'_>) -> End {
        let limits = *self.state.limits();
        if layer == 0 {
            input = Window::new(Box::new(self.state.unpacking(input)));
        }
        let (bytes, end) = if text::is_wide(input.peek(HEAD)) {
            let mut bytes = Vec::new();
            let end = read_whole(&mut input, "whole", limits.whole, &mut bytes);
            (bytes, end)
        } else {
            let text = paste::read_text(input, &limits);
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
            let Some(mut data) = member.open().map(|data| self.unpacking(data)) else {
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
            } else if let End::Broken(why) = self.file(member.path, Some(member.size), &mut data) {
                return End::Broken(why);
            }
        }
        end
    }

    /// What comes out of a decoder, counted.
    fn unpacking<'r>(&self, data: impl Read + 'r) -> Window<'r> {
        Window::new(Box::new(BufReader::with_capacity(BUFFER, self.state.unpacking(data))))
    }

    fn tar(&mut self, input: Window<'_>) -> End {
        let mut tape = Tape::new(input, self.state.limits().header);
        let mut member = tape::Member::default();
        loop {
            match tape.next(&mut member) {
                Ok(true) => {}
                Ok(false) => break,
                Err(why) => return End::Broken(why),
            }
            if let Err(why) = self.state.count_entry() {
                return End::Broken(why);
            }
            let end = match member.kind {
                MemberKind::Symlink => {
                    self.see(&member.path, Content::Symlink(&member.link));
                    End::Complete
                }
                MemberKind::HardLink => {
                    self.see(&member.path, Content::HardLink(&member.link));
                    End::Complete
                }
                MemberKind::File => self.file(&member.path, Some(member.size), tape.content()),
                // Holes of a sparse file are nowhere on the tape, but are read all the same.
                MemberKind::Sparse => {
                    let mut whole = self.unpacking(Sparse::new(tape.content(), &member.pieces));
                    self.file(&member.path, Some(member.size), &mut whole)
                }
                MemberKind::Other => End::Complete,
            };
            if let End::Broken(why) = end {
                return End::Broken(why);
            }
        }
        check_rest(&mut tape.into_rest())
    }

    /// A file of a directory; that it breaks off concerns no other file.
    pub(super) fn lone_file(&mut self, path: &[u8], mut input: Window<'_>) {
        if let End::Broken(why) = self.file(path, None, &mut input) {
            self.see(path, Content::Broken(&why));
        }
    }

    /// A file, of a known size or all that comes: what is wanted of it is shown; an archive is walked.
    fn file(&mut self, path: &[u8], size: Option<u64>, input: &mut Window<'_>) -> End {
        match (self.wants)(path) {
            Want::Bytes => self.wanted(path, size, input),
            Want::Nothing if self.is_inner => End::Complete,
            want => self.unknown(want, path, size, input),
        }
    }

    /// A file whose name tells that it is wanted. Where it is compressed it is a rotated log, mostly.
    fn wanted(&mut self, path: &[u8], size: Option<u64>, input: &mut Window<'_>) -> End {
        let limit = self.state.limits().member;
        if let Some(size) = size.filter(|size| *size > limit) {
            self.see(path, Content::TooLarge(size, limit));
            return End::Complete;
        }
        // One more than there may be, so that its end is seen.
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        let expected =
            size.map_or(most.saturating_add(1), |size| usize::try_from(size).unwrap_or(usize::MAX));
        let bytes = input.peek(expected);
        let length = bytes.len();
        let bytes = &bytes[..length.min(most)];
        let given = match compressed(bytes).filter(|kind| compression::is_read(*kind)) {
            Some(kind) => self.rotated(path, kind, bytes),
            // What came before a break is still true: a table cut short shows mounts that were there.
            None => self.give(path, bytes),
        };
        input.consume(length);
        match given {
            Err(why) => End::Broken(why),
            Ok(()) if length > most => End::Broken(limits::met("member", limit)),
            Ok(()) if length < expected => whole_or_broken(path, size, length, input.end()),
            Ok(()) => End::Complete,
        }
    }

    /// A compressed file; that it is damaged concerns no other file.
    fn rotated(&mut self, path: &[u8], kind: Kind, bytes: &[u8]) -> Result<(), String> {
        let mut text = Vec::new();
        let mut unpacked = self.state.unpacking(compression::decode(kind, Box::new(bytes)));
        let end = read_whole(&mut unpacked, "member", self.state.limits().member, &mut text);
        self.give(path, &text)?;
        if let End::Broken(why) = end {
            self.see(path, Content::Broken(&why));
        }
        Ok(())
    }

    /// A file whose name tells nothing: its first bytes may.
    fn unknown(&mut self, want: Want, path: &[u8], size: Option<u64>, input: &mut Window<'_>) -> End {
        let head = input.peek(HEAD);
        let length = head.len();
        let kind = packed(head);
        let is_wanted_text = || {
            want == Want::Text
                && kind.is_none()
                && unpacked(head) == Kind::Text
                && size.is_none_or(|s| s <= LOOSE_LIMIT)
        };
        if kind.is_some_and(|kind| compression::is_read(kind) || matches!(kind, Kind::Tar | Kind::Zip)) {
            if !self.is_inner {
                self.inner(path, input);
            }
        } else if is_wanted_text() {
            let mut bytes = Vec::new();
            let end = read_whole(input, "member", LOOSE_LIMIT, &mut bytes);
            let end = whole_or_broken(path, size, bytes.len(), end);
            // A file whose name says nothing is somebody's text; those of the host are bytes as they stand.
            return match self.give(path, &text::to_utf8(bytes)) {
                Ok(()) => end,
                Err(why) => End::Broken(why),
            };
        } else if length < HEAD {
            return input.end();
        }
        End::Complete
    }

    fn inner(&mut self, path: &[u8], input: &mut Window<'_>) {
        let mut walk = Walk::new(self.state, self.wants, self.visit);
        walk.archive = path.to_vec();
        walk.is_inner = true;
        // What is compressed but no archive says nothing of a host.
        if let Ok(End::Broken(why)) = walk.stream(Window::new(Box::new(input))) {
            self.see(path, Content::Broken(&why));
        }
    }
}

/// An archive that ends early says so by a file that is shorter than its header tells.
fn whole_or_broken(path: &[u8], size: Option<u64>, read: usize, end: End) -> End {
    match end {
        End::Complete if size.is_some_and(|size| size > read as u64) => {
            End::Broken(format!("the archive ends inside {}", visible(path)))
        }
        end => end,
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
