//! Bytes → entries: what kind of input it is, and the archive's members one after another in one pass.
//!
//! Nothing is ever written by a name from an archive; names are only compared.

mod counting;
mod sniff;

use std::io::{BufReader, Chain, Cursor, ErrorKind, Read};
use std::ops::ControlFlow;

use flate2::bufread::MultiGzDecoder;
use lzma_rust2::XzReader;
use tar::EntryType;

use crate::{OpenError, Progress};
use counting::Counting;
pub use sniff::{Kind, sniff};

/// The largest member that is read into memory. A mount table of 100,000 mounts is about 15 MiB; anything
/// larger is left out with a diagnostic.
pub const MEMBER_LIMIT: u64 = 256 << 20;

const BUFFER: usize = 64 << 10;
/// Compressions around the tar that are taken off.
const MOST_LAYERS: usize = 2;
/// Memory that an xz stream may ask for, in KiB: `xz -9` needs 65 MiB.
const XZ_LIMIT_KIB: u32 = 256 << 10;

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

/// Reads an archive: gzip, xz or plain, tar inside. `wants` is asked by name before a file's bytes are taken.
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
    let mut input: Box<dyn Read + '_> = Box::new(counting);
    // One compression outside, and one more where somebody packed a bundle again.
    for layer in 0..=MOST_LAYERS {
        let (head, whole) = peek(input).map_err(|e| state.open_error(&e))?;
        let buffered = BufReader::with_capacity(BUFFER, whole);
        input = match sniff(&head) {
            Kind::Tar => {
                let end = read_tar(buffered, &state, wants, visit);
                return if state.stopped() { Err(counting::cancelled()) } else { Ok(end) };
            }
            Kind::Gzip if layer < MOST_LAYERS => Box::new(MultiGzDecoder::new(buffered)),
            Kind::Xz if layer < MOST_LAYERS => {
                Box::new(XzReader::new_mem_limit(buffered, true, XZ_LIMIT_KIB))
            }
            other => return Err(other.refusal(if layer == 0 { "" } else { "inside the compressed file" })),
        };
    }
    Err(Kind::Unknown.refusal("inside the compressed file"))
}

/// An input with its first block put back.
type Whole<R> = Chain<Cursor<Vec<u8>>, R>;

/// Takes the first block (a tar's mark needs all 512 bytes of it, pipes give fewer) and puts it back.
fn peek<R: Read>(mut input: R) -> std::io::Result<(Vec<u8>, Whole<R>)> {
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
    check_rest(archive.into_inner())
}

/// Reads what follows the archive's end mark, so that a compressed stream's length and checksum are checked.
/// What is no further gzip member is padding and none of our business (gzip(1) ignores it, too).
fn check_rest(mut rest: impl Read) -> End {
    match std::io::copy(&mut rest, &mut std::io::sink()) {
        Err(error) if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::InvalidData) => {
            End::Broken(error.to_string())
        }
        _ => End::Complete,
    }
}
