//! Bytes → entries: what kind of input it is, and the archive's members one after another in one pass.
//!
//! Nothing is ever written by a name from an archive; names are only compared. What a member is, is told by its
//! content: an archive inside the archive (`sos collect`, a bundle in a zip) is walked, too, one level deep.
//!
//! ```
//! use ebusy_analyzer::archive::{Content, End, Limits, Want, read_entries};
//! use std::ops::ControlFlow;
//!
//! let mut tar = tar::Builder::new(Vec::new());
//! let mut header = tar::Header::new_gnu();
//! header.set_size(5);
//! tar.append_data(&mut header, "web1/proc/1/comm", &b"init\n"[..])?;
//! let tar = tar.into_inner()?;
//!
//! let mut seen = Vec::new();
//! let end = read_entries(
//!     &tar[..],
//!     &Limits::default(),
//!     &mut |_progress| ControlFlow::Continue(()),
//!     &|_name| Want::Bytes,
//!     &mut |entry| {
//!         if let Content::File(bytes) = entry.content {
//!             seen.push((entry.path.to_vec(), bytes.to_vec()));
//!         }
//!     },
//! );
//! assert_eq!(end, Ok(End::Complete));
//! assert_eq!(seen, [(b"web1/proc/1/comm".to_vec(), b"init\n".to_vec())]);
//! # Ok::<(), std::io::Error>(())
//! ```

#[cfg(not(target_arch = "wasm32"))]
mod ahead;
mod compression;
mod counting;
mod limits;
mod refusal;
mod sniff;
mod tape;
mod text;
mod walk;
mod window;
mod xz;
mod zip;

use std::io::{BufRead, BufReader, Read};
use std::ops::ControlFlow;

use crate::{OpenError, Progress};
#[cfg(not(target_arch = "wasm32"))]
use ahead::inflate;
/// The page's worker has one thread.
#[cfg(target_arch = "wasm32")]
use compression::inflate;
use counting::Counting;
pub use limits::Limits;
pub(crate) use limits::met;
pub(crate) use refusal::of_text as text_refusal;
pub use sniff::{Kind, sniff};
use walk::{Stop, Walk};
use window::Window;

/// One member of an archive.
#[derive(Debug)]
pub struct Entry<'a> {
    /// Name of the archive inside the archive that holds it; empty for the outer one.
    pub archive: &'a [u8],
    /// Name as it stands in its archive; empty where the input is no archive but a text.
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
    /// A file above the limit `member`: its size and the limit, in bytes.
    TooLarge(u64, u64),
    /// So many lines of a text were longer than the limit `line`, and only their beginning was kept.
    CutLines(u64, u64),
    /// An archive inside the archive that broke off, with the reason.
    Broken(&'a str),
}

/// What is wanted of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// Its bytes.
    Bytes,
    /// Its bytes where it is a text.
    Text,
    /// Nothing, unless it is an archive itself.
    Nothing,
}

/// How the reading of an archive ended.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// The archive's end was seen.
    Complete,
    /// It broke off or is damaged from here on.
    Broken(String),
}

/// Reads an archive: tar or zip, plain or inside gzip, xz, zstd or bzip2. A text is one member without a name.
/// `wants` is asked by name before a file's bytes are taken.
///
/// # Errors
/// Where the input is no archive that is read here, or where `progress` said stop.
pub fn read_entries(
    input: impl Read,
    limits: &Limits,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    wants: &dyn Fn(&[u8]) -> Want,
    visit: &mut dyn FnMut(Entry<'_>),
) -> Result<End, OpenError> {
    let counting = Counting::new(input, *limits, progress);
    let state = counting.state();
    let mut walk = Walk::new(&state, wants, visit);
    let input = BufReader::with_capacity(BUFFER, counting);
    let end = walk.stream(Window::new(Box::new(input)));
    if state.stopped() {
        return Err(counting::cancelled());
    }
    if let Some(refused) = walk.refused {
        return Err(refused);
    }
    end.map_err(|stop| match stop {
        Stop::Unread(error) => state.open_error(&error),
        Stop::Refused(kind, layer, head) => refusal::of(kind, &head, layer > 0),
    })
}

/// Reads one file that lies beside others, as if it were a member of an archive: it is shown as wanted, and walked
/// where it is an archive itself.
pub fn read_file(
    path: &[u8],
    input: &mut dyn Read,
    limits: &Limits,
    wants: &dyn Fn(&[u8]) -> Want,
    visit: &mut dyn FnMut(Entry<'_>),
) {
    let state = counting::State::within(*limits);
    let mut walk = Walk::new(&state, wants, visit);
    walk.lone_file(path, Window::new(Box::new(BufReader::with_capacity(BUFFER, input))));
}

/// What is read from, whatever is below it.
type Input<'r> = Box<dyn BufRead + 'r>;

/// Bytes that are read of an input at once.
const BUFFER: usize = 64 << 10;

/// Bytes that are inflated at once where one thread does all: so many that most members lie whole in one.
const BLOCK: usize = 256 << 10;

/// Bytes that tell what an input is: a tar's mark stands in its first block.
const HEAD: usize = 512;
