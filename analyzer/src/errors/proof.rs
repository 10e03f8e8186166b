//! How much a wording says by itself, in whatever language.

/// What a wording proves by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    /// Only storage software says so: the line is a busy error.
    Storage,
    /// The kernel's `EBUSY` in some spelling: it takes a mount, device or container beside it.
    Errno,
    /// The bare word `busy`: it takes an operation on a mount, device or container beside it.
    Word,
}
