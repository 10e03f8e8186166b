//! How much of an input is read. A bundle comes from somebody else's host: a few KiB can stand for terabytes.

/// Limits on one input, all in bytes but for the two counts. What is beyond one is left out with a diagnostic that names
/// the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The largest member that is read into memory. A mount table of 100,000 mounts is about 15 MiB.
    pub member: u64,
    /// The largest zip that is read into memory as a whole, and what is kept of a text.
    pub whole: u64,
    /// What is kept of one line of a text.
    pub line: u64,
    /// All that is unpacked, over all layers of compression, and what a text has: what bounds the time.
    pub unpacked: u64,
    /// All that members hand over together: what bounds the memory.
    pub kept: u64,
    /// What stands before a member in a tar: its name, its link's target, its extended headers.
    pub header: u64,
    /// Members of the archive and of the archives in it.
    pub members: u64,
    /// Processes of one host.
    pub processes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            member: 256 << 20,
            whole: 512 << 20,
            line: 16 << 20,
            unpacked: 8 << 30,
            kept: 1 << 30,
            header: 4 << 20,
            members: 4_000_000,
            processes: 200_000,
        }
    }
}

impl Limits {
    /// Names for [`Limits::set`].
    pub const NAMES: [&'static str; 8] =
        ["member", "whole", "line", "unpacked", "kept", "header", "members", "processes"];

    /// Changes the limit of that name; false where there is none.
    ///
    /// ```
    /// use ebusy_analyzer::archive::Limits;
    ///
    /// let mut limits = Limits::default();
    /// assert!(limits.set("unpacked", 64 << 30));
    /// assert!(!limits.set("patience", 1), "one of {:?}", Limits::NAMES);
    /// ```
    pub fn set(&mut self, name: &str, value: u64) -> bool {
        let limit = match name {
            "member" => &mut self.member,
            "whole" => &mut self.whole,
            "line" => &mut self.line,
            "unpacked" => &mut self.unpacked,
            "kept" => &mut self.kept,
            "header" => &mut self.header,
            "members" => &mut self.members,
            "processes" => &mut self.processes,
            _ => return false,
        };
        *limit = value;
        true
    }
}

/// The words for a limit that was met.
pub(crate) fn met(name: &str, value: u64) -> String {
    format!("the limit '{name}' of {value} was met")
}
