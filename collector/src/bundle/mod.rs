//! The archive: what goes in ([`Entry`]), how it is written ([`writer`]) and where to ([`output`]).

pub(crate) mod output;
pub(crate) mod writer;

/// Which secrets a file may hold. They are replaced by the writer, the one gate that everything passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Secrets {
    /// None: kernel text, ids, numbers.
    None,
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
    /// A mount table that is known to be the one at `same_as` without having been read again.
    SameTable {
        path: Vec<u8>,
        same_as: Vec<u8>,
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
