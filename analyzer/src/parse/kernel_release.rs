//! Kernel releases as distributions write them: `3.10.0-1160.el7.x86_64`, `6.1.0-50-amd64`, `4.4.59+`.
//!
//! ```
//! use ebusy_analyzer::parse::kernel_release;
//!
//! let el7 = kernel_release::parse(b"3.10.0-1160.el7.x86_64").ok_or("a release")?;
//! // There fs.may_detach_mounts decides whether foreign mounts go with the directory.
//! assert!(!el7.drops_foreign_mounts(Some(false)));
//! let debian = kernel_release::parse(b"6.1.0-50-amd64").ok_or("a release")?;
//! assert!(debian.drops_foreign_mounts(None));
//! # Ok::<(), &str>(())
//! ```

use nom::Parser;
use nom::character::complete::char;
use nom::combinator::opt;
use nom::sequence::preceded;

use super::number;

/// The numbers that decide what a kernel does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct KernelVersion {
    /// Major.
    pub major: u32,
    /// Minor.
    pub minor: u32,
    /// Whether this is the 3.10 of Red Hat Enterprise Linux 7 or of a rebuild of it (`.el7`). Newer kernels that are
    /// packaged for it (`5.4.278-1.el7.elrepo`, `4.14.35-2047.el7uek`) behave as upstream does.
    pub el7: bool,
}

/// Parses a release, or the whole line of `/proc/version`.
pub fn parse(text: &[u8]) -> Option<KernelVersion> {
    let release = text.strip_prefix(b"Linux version ").unwrap_or(text);
    let end = release.iter().position(|b| b.is_ascii_whitespace()).unwrap_or(release.len());
    let release = &release[..end];
    let (_, (major, minor)) = (number::<u32>, opt(preceded(char('.'), number::<u32>))).parse(release).ok()?;
    let minor = minor?;
    let el7 = (major, minor) == (3, 10) && memchr::memmem::find(release, b".el7").is_some();
    Some(KernelVersion { major, minor, el7 })
}

impl KernelVersion {
    /// Whether removing a directory drops the mounts on it that other namespaces have.
    ///
    /// Upstream since 3.18 (commit 8ed936b5671b, "vfs: Lazily remove mounts on unlinked files and
    /// directories"). RHEL 7.4 brought it to its 3.10 behind `fs.may_detach_mounts`, off by default
    /// (moby 83c2152de5 turns it on at daemon start since docker 17.10).
    pub fn drops_foreign_mounts(self, may_detach_mounts: Option<bool>) -> bool {
        if self.el7 { may_detach_mounts.unwrap_or(false) } else { (self.major, self.minor) >= (3, 18) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_of_many_distributions() {
        let version = |text: &str| parse(text.as_bytes()).map(|v| (v.major, v.minor, v.el7));
        assert_eq!(version("3.10.0-1160.el7.x86_64"), Some((3, 10, true)));
        assert_eq!(version("6.1.0-50-amd64"), Some((6, 1, false)));
        assert_eq!(version("5.4.278-1.el7.elrepo.x86_64"), Some((5, 4, false)));
        assert_eq!(version("4.14.35-2047.519.2.el7uek.x86_64"), Some((4, 14, false)));
        assert_eq!(version("5.15.153.1-microsoft-standard-WSL2"), Some((5, 15, false)));
        assert_eq!(version("4.4.180+"), Some((4, 4, false)));
        assert_eq!(version("Linux version 3.13.0-24-generic (buildd@x) #46"), Some((3, 13, false)));
        assert_eq!(version("4.4.59+"), Some((4, 4, false)));
        assert_eq!(version("5.15.90.1-microsoft-standard-WSL2"), Some((5, 15, false)));
        assert_eq!(version("linux"), None);
    }

    #[test]
    fn el7_needs_the_sysctl_and_others_need_3_18() {
        let drops = |text: &str, sysctl| parse(text.as_bytes()).unwrap().drops_foreign_mounts(sysctl);
        assert!(!drops("3.10.0-514.el7.x86_64", None));
        assert!(!drops("3.10.0-1160.el7.x86_64", Some(false)));
        assert!(drops("3.10.0-1160.el7.x86_64", Some(true)));
        assert!(!drops("3.16.0-4-amd64", None));
        assert!(drops("3.18.0", None));
    }
}
