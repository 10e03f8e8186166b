//! Bytes → entries: what kind of input it is, and the archive's members one after another in one pass.
//!
//! Nothing is ever written by a name from an archive; names are only compared.

mod counting;
mod sniff;

use std::io::{BufReader, Cursor, Read};
use std::ops::ControlFlow;

use flate2::bufread::MultiGzDecoder;
use tar::EntryType;

use crate::{OpenError, Progress};
use counting::Counting;
pub use sniff::{Kind, sniff};

/// The largest member that is read into memory. A mount table of 100,000 mounts is about 15 MiB; anything
/// larger is left out with a diagnostic.
pub const MEMBER_LIMIT: u64 = 256 << 20;

/// One member of an archive.
#[derive(Debug)]
pub struct Entry<'a> {
    /// Name as it stands in the archive.
    pub path: &'a [u8],
    /// What it is.
    pub content: Content<'a>,
}

/// What a member is.
#[derive(Debug)]
pub enum Content<'a> {
    /// A file with its bytes.
    File(&'a [u8]),
    /// A symbolic link with its text.
    Symlink(&'a [u8]),
    /// A hard link: the member of that name holds the bytes.
    HardLink(&'a [u8]),
    /// A file above [`MEMBER_LIMIT`], with its size in bytes.
    TooLarge(u64),
}

/// How the reading of an archive ended.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// The archive's end was seen.
    Complete,
    /// It broke off or is damaged from here on.
    Broken(String),
}

/// Reads an archive: gzip or plain, tar inside. `wants` is asked by name before a file's bytes are taken.
///
/// # Errors
/// Where the input is no archive that is read here, or where `progress` said stop.
pub fn read_entries(
    input: impl Read,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    wants: &dyn Fn(&[u8]) -> bool,
    visit: &mut dyn FnMut(Entry<'_>),
) -> Result<End, OpenError> {
    let counting = Counting::new(input, progress);
    let state = counting.state();
    let (head, input) = peek(counting).map_err(|e| state.open_error(&e))?;
    let end = match sniff(&head) {
        Kind::Gzip => {
            let inflated = MultiGzDecoder::new(BufReader::with_capacity(64 << 10, input));
            let (head, inflated) = peek(inflated).map_err(|e| state.open_error(&e))?;
            match sniff(&head) {
                Kind::Tar => read_tar(BufReader::with_capacity(64 << 10, inflated), &state, wants, visit),
                other => return Err(other.refusal("inside the gzip")),
            }
        }
        Kind::Tar => read_tar(BufReader::with_capacity(64 << 10, input), &state, wants, visit),
        other => return Err(other.refusal("")),
    };
    if state.stopped() { Err(counting::cancelled()) } else { Ok(end) }
}

/// Takes the first block (a tar's mark needs all 512 bytes of it, pipes give fewer) and puts it back.
fn peek<R: Read>(mut input: R) -> std::io::Result<(Vec<u8>, impl Read + use<R>)> {
    let mut head = Vec::with_capacity(512);
    (&mut input).take(512).read_to_end(&mut head)?;
    Ok((head.clone(), Cursor::new(head).chain(input)))
}

fn read_tar(
    input: impl Read,
    state: &counting::State,
    wants: &dyn Fn(&[u8]) -> bool,
    visit: &mut dyn FnMut(Entry<'_>),
) -> End {
    let mut archive = tar::Archive::new(input);
    let entries = match archive.entries() {
        Ok(entries) => entries,
        Err(error) => return End::Broken(error.to_string()),
    };
    let mut buffer = Vec::new();
    for entry in entries {
        let mut entry = match entry {
            Ok(entry) => entry,
            Err(error) => return End::Broken(error.to_string()),
        };
        state.count_entry();
        let path = entry.path_bytes().into_owned();
        let kind = entry.header().entry_type();
        let link =
            |entry: &tar::Entry<'_, _>| entry.link_name_bytes().map(|l| l.into_owned()).unwrap_or_default();
        match kind {
            EntryType::Symlink => {
                let target = link(&entry);
                visit(Entry { path: &path, content: Content::Symlink(&target) });
            }
            EntryType::Link => {
                let target = link(&entry);
                visit(Entry { path: &path, content: Content::HardLink(&target) });
            }
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse if wants(&path) => {
                let size = entry.size();
                if size > MEMBER_LIMIT {
                    visit(Entry { path: &path, content: Content::TooLarge(size) });
                    continue;
                }
                buffer.clear();
                let read = entry.read_to_end(&mut buffer);
                // What came before the break is still true: a table cut short shows mounts that were there.
                visit(Entry { path: &path, content: Content::File(&buffer) });
                match read {
                    Ok(n) if n as u64 == size || kind == EntryType::GNUSparse => {}
                    Ok(_) => {
                        return End::Broken(format!(
                            "the archive ends inside {}",
                            crate::bytes::visible(&path)
                        ));
                    }
                    Err(error) => return End::Broken(error.to_string()),
                }
            }
            _ => {}
        }
    }
    End::Complete
}
