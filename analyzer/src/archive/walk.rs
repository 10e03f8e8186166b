//! Walks through the members of an archive, and of the archives inside it.

use std::io::{BufReader, ErrorKind, Read};

use tar::EntryType;

use super::{
    Content, End, Entry, Kind, Want, compression, counting, limits, peek, refusal, sniff, text, zip,
};
use crate::OpenError;
use crate::bytes::visible;

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

impl Walk<'_> {
    /// Takes the compressions off and walks what is inside.
    pub(super) fn stream(&mut self, mut input: Box<dyn Read + '_>) -> Result<End, Stop> {
        for layer in 0..=MOST_LAYERS {
            let (head, whole) = peek(input).map_err(Stop::Unread)?;
            input = match sniff(&head) {
                Kind::Tar => return Ok(self.tar(BufReader::with_capacity(BUFFER, whole))),
                Kind::Zip => return Ok(self.zip(whole)),
                Kind::Text if !self.is_inner => return Ok(self.text(whole)),
                kind if compression::is_read(kind) && layer < MOST_LAYERS => {
                    Box::new(self.state.unpacking(compression::inflate(kind, whole)))
                }
                other => return Err(Stop::Refused(other, layer, head)),
            };
        }
        Err(Stop::Refused(Kind::Unknown, MOST_LAYERS, Vec::new()))
    }

    fn text(&mut self, input: impl Read) -> End {
        let (text, end) = read_whole(input, "whole", self.state.limits().whole);
        match self.state.count_entry().and_then(|()| self.give(b"", &text::to_utf8(text))) {
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

    fn zip(&mut self, input: impl Read) -> End {
        let (bytes, end) = read_whole(input, "whole", self.state.limits().whole);
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
                let (target, _) = read_whole(data, "header", 1 << 16);
                self.see(member.path, Content::Symlink(&target));
            } else if let End::Broken(why) = self.file(member.path, member.size, &mut data) {
                return End::Broken(why);
            }
        }
        end
    }

    fn tar(&mut self, input: impl Read) -> End {
        let header_limit = self.state.limits().header;
        let (input, fence) = counting::Fenced::new(input, header_limit);
        let mut archive = tar::Archive::new(input);
        let entries = match archive.entries() {
            Ok(entries) => entries,
            Err(error) => return End::Broken(error.to_string()),
        };
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
            let path = entry.path_bytes().into_owned();
            let link = |entry: &tar::Entry<'_, _>| {
                entry.link_name_bytes().map(|l| l.into_owned()).unwrap_or_default()
            };
            match entry.header().entry_type() {
                EntryType::Symlink => self.see(&path, Content::Symlink(&link(&entry))),
                EntryType::Link => self.see(&path, Content::HardLink(&link(&entry))),
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
        check_rest(archive.into_inner())
    }

    /// A file of a directory; that it breaks off concerns no other file.
    pub(super) fn lone_file(&mut self, path: &[u8], input: &mut dyn Read) {
        if let End::Broken(why) = self.file(path, 0, input) {
            self.see(path, Content::Broken(&why));
        }
    }

    /// A file: what is wanted of it is shown; an archive is walked. `size` 0 stands for unknown.
    fn file(&mut self, path: &[u8], size: u64, input: &mut dyn Read) -> End {
        let want = (self.wants)(path);
        if want == Want::Nothing && self.is_inner {
            return End::Complete;
        }
        let (head, mut whole) = match peek(input) {
            Ok(peeked) => peeked,
            Err(error) => return End::Broken(error.to_string()),
        };
        let kind = sniff(&head);
        let packed = compression::is_read(kind);
        match want {
            Want::Bytes if packed => {
                // A rotated log, mostly.
                let unpacked = self.state.unpacking(compression::inflate(kind, whole));
                let (bytes, end) = read_whole(unpacked, "member", self.state.limits().member);
                if let Err(why) = self.give(path, &bytes) {
                    return End::Broken(why);
                }
                if let End::Broken(why) = end {
                    self.see(path, Content::Broken(&why));
                }
                End::Complete
            }
            Want::Bytes => self.plain(path, size, &mut whole, self.state.limits().member),
            _ if packed || matches!(kind, Kind::Tar | Kind::Zip) => {
                if !self.is_inner {
                    self.inner(path, Box::new(whole));
                }
                End::Complete
            }
            Want::Text if kind == Kind::Text && size <= LOOSE_LIMIT => {
                self.plain(path, size, &mut whole, LOOSE_LIMIT)
            }
            _ => End::Complete,
        }
    }

    fn plain(&mut self, path: &[u8], size: u64, input: &mut dyn Read, limit: u64) -> End {
        let (bytes, end) = read_whole(input, "member", limit);
        let read = bytes.len() as u64;
        // A file whose name says nothing is somebody's text; those of the host are bytes as they stand.
        let bytes = if limit == LOOSE_LIMIT { text::to_utf8(bytes) } else { bytes };
        // What came before the break is still true: a table cut short shows mounts that were there.
        if let Err(why) = self.give(path, &bytes) {
            return End::Broken(why);
        }
        match end {
            End::Complete if size > read => End::Broken(format!("the archive ends inside {}", visible(path))),
            end => end,
        }
    }

    fn inner(&mut self, path: &[u8], input: Box<dyn Read + '_>) {
        let mut walk = Walk {
            state: self.state,
            wants: self.wants,
            visit: self.visit,
            archive: path.to_vec(),
            is_inner: true,
            refused: None,
        };
        // What is compressed but no archive says nothing of a host.
        if let Ok(End::Broken(why)) = walk.stream(input) {
            self.see(path, Content::Broken(&why));
        }
    }
}

/// All bytes up to a limit, with how it ended.
fn read_whole(input: impl Read, name: &str, limit: u64) -> (Vec<u8>, End) {
    let mut bytes = Vec::new();
    let end = match input.take(limit + 1).read_to_end(&mut bytes) {
        Ok(n) if n as u64 > limit => {
            bytes.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
            End::Broken(limits::met(name, limit))
        }
        Ok(_) => End::Complete,
        Err(error) => End::Broken(error.to_string()),
    };
    (bytes, end)
}

/// Reads what follows the archive's end mark, so that a compressed stream's length and checksum are checked.
/// What is no further gzip member is padding and none of our business (gzip(1) ignores it, too).
fn check_rest(mut rest: impl Read) -> End {
    match std::io::copy(&mut rest, &mut std::io::sink()) {
        Err(error)
            if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::InvalidData)
                || error.to_string().starts_with("the limit") =>
        {
            End::Broken(error.to_string())
        }
        _ => End::Complete,
    }
}
