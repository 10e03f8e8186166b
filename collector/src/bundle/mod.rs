//! The archive: what goes in ([`Entry`]), how it is written ([`writer`]) and where to ([`output`]).

mod header;
pub(crate) mod output;
pub(crate) mod writer;

use std::io;

/// Which secrets a file may hold. They are replaced by the writer, the one gate that everything passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Secrets {
    /// None: kernel text, ids, numbers.
    None,
    /// Names of hosts and addresses, no other.
    Names,
    /// `user:password@` in a URL, as in the source field of a mount.
    Urls,
    /// NUL-separated arguments.
    Arguments,
    /// Lines of text, such as a log.
    Lines,
}

/// One entry of the bundle. Paths are those of the host, without a leading slash.
#[derive(Debug)]
pub(crate) enum Entry {
    File {
        path: Vec<u8>,
        data: Vec<u8>,
        secrets: Secrets,
    },
    Symlink {
        path: Vec<u8>,
        target: Vec<u8>,
    },
    /// A mount table that was read. Stored, or linked to an earlier one with the same bytes.
    Table {
        path: Vec<u8>,
        data: Vec<u8>,
    },
}

impl Entry {
    /// A file without secrets.
    pub(crate) fn plain(path: impl Into<Vec<u8>>, data: impl Into<Vec<u8>>) -> Self {
        Self::File { path: path.into(), data: data.into(), secrets: Secrets::None }
    }

    pub(crate) fn symlink(path: impl Into<Vec<u8>>, target: impl Into<Vec<u8>>) -> Self {
        Self::Symlink { path: path.into(), target: target.into() }
    }
}

/// What an entry is, once it is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    File(Secrets),
    /// Its data is the text of the link.
    Symlink,
    Table,
    /// Its data is the path of the table that it is equal to.
    SameTable,
}

/// Most memory that an emptied buffer keeps.
const KEPT_MAX: usize = 2 << 20;

/// Many entries in one buffer: two allocations for dozens of processes instead of two for each entry.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    bytes: Vec<u8>,
    list: Vec<Packed>,
}

/// One entry's place in the buffer: the path from `start`, the data from `data` to `end`.
#[derive(Clone, Copy, Debug)]
struct Packed {
    kind: Kind,
    rank: u8,
    start: usize,
    data: usize,
    end: usize,
}

/// A state of [`Entries`] to return to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    bytes: usize,
    list: usize,
}

impl Entries {
    /// Adds an entry whose path is these parts joined. Entries with a lower `rank` come first after [`Self::sort`].
    pub(crate) fn add(&mut self, kind: Kind, rank: u8, path: &[&[u8]], data: &[u8]) {
        let start = self.bytes.len();
        path.iter().for_each(|part| self.bytes.extend_from_slice(part));
        let data_at = self.bytes.len();
        self.bytes.extend_from_slice(data);
        self.list.push(Packed { kind, rank, start, data: data_at, end: self.bytes.len() });
    }

    /// Adds an entry whose data `read` appends to the buffer, and returns that data. Nothing is added when it fails.
    pub(crate) fn add_read(
        &mut self,
        kind: Kind,
        rank: u8,
        path: &[&[u8]],
        read: impl FnOnce(&mut Vec<u8>) -> io::Result<()>,
    ) -> io::Result<&[u8]> {
        let mark = self.mark();
        self.add(kind, rank, path, b"");
        if let Err(error) = read(&mut self.bytes) {
            self.back_to(mark);
            return Err(error);
        }
        let end = self.bytes.len();
        let Some(packed) = self.list.last_mut() else { return Ok(b"") };
        packed.end = end;
        Ok(&self.bytes[packed.data..end])
    }

    /// Adds one entry.
    pub(crate) fn push(&mut self, entry: Entry) {
        let (kind, path, data) = match entry {
            Entry::File { path, data, secrets } => (Kind::File(secrets), path, data),
            Entry::Symlink { path, target } => (Kind::Symlink, path, target),
            Entry::Table { path, data } => (Kind::Table, path, data),
        };
        self.add(kind, 0, &[&path], &data);
    }

    /// Puts entries of one rank next to each other: like follows like, which is what makes them small when they are
    /// compressed. Their order is otherwise kept.
    pub(crate) fn sort(&mut self) {
        self.list.sort_by_key(|packed| packed.rank);
    }

    /// Kind, path and data of each entry.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Kind, &[u8], &[u8])> {
        self.list.iter().map(|e| (e.kind, &self.bytes[e.start..e.data], &self.bytes[e.data..e.end]))
    }

    /// Empties it and keeps its memory, unless that has become very large.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(KEPT_MAX);
        self.list.clear();
    }

    /// Bytes held.
    pub(crate) fn size(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark { bytes: self.bytes.len(), list: self.list.len() }
    }

    /// Forgets what was added since.
    pub(crate) fn back_to(&mut self, mark: Mark) {
        self.bytes.truncate(mark.bytes);
        self.list.truncate(mark.list);
    }
}
