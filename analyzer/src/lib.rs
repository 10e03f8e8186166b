//! Finds out from a captured `/proc` who keeps a container's mount busy.
//!
//! Data flows one way, and each step has a folder of its own:
//!
//! | step | module |
//! |---|---|
//! | bytes → entries | [`archive`] |
//! | pasted text → entries | [`paste`] |
//! | entries → records | [`parse`] |
//! | records → snapshot | [`snapshot`] |
//! | log lines → busy errors | [`errors`] |
//! | query → target with its aliases | [`resolve`] |
//! | target → holders and their effect | [`holders`] |
//! | holder → cause and remedies | [`causes`] |
//! | everything → report | [`report`] |
//! | snapshot and target → what happened when | [`timeline`] |
//! | snapshot → what is left over, without any error | [`census`] |
//! | one mount namespace → its tree, compared with the host's | [`mount_tree`] |
//! | two reports or censuses of one host → what changed | [`diff`] |
//! | many hosts → one line each, and what they have in common | [`fleet`] |
//!
//! # Design constraints
//! No IO besides the `Read` that is handed in, no clock, no globals, no JavaScript and no `std::path`
//! (paths are another host's bytes), so that it runs the same natively and as WebAssembly. Data never
//! makes it fail: it returns what it understood, with diagnostics. The same bytes give the same report.
//!
//! # Example
//! ```
//! use ebusy_analyzer::report::{Status, text};
//! use ebusy_analyzer::{Analysis, Query};
//! use std::ops::ControlFlow;
//!
//! // What somebody pasted into an issue; an open bundle or its bytes do as well.
//! let pasted = "\
//! umount: /mnt/data: target is busy.
//! # grep /mnt/data /proc/[0-9]*/mountinfo
//! /proc/4241/mountinfo:245 201 253:3 / /mnt/data rw,relatime - ext4 /dev/mapper/vg0-data rw
//! ";
//! let analysis = Analysis::open(pasted.as_bytes(), &mut |_progress| ControlFlow::Continue(()))?;
//! let report = analysis.explain(&Query::Text("/mnt/data".to_owned()));
//! assert_eq!(report.target.query, "/mnt/data");
//! // A paste is not a whole host: nothing is said to be free because of it.
//! assert_ne!(report.verdict.status, Status::Free);
//! println!("{}", text::render(&report));
//! # Ok::<(), ebusy_analyzer::OpenError>(())
//! ```

#![deny(missing_docs)]

pub mod archive;
pub mod bytes;
pub mod calendar;
pub mod causes;
pub mod census;
pub mod diff;
pub mod errors;
pub mod evidence;
mod extent;
pub mod fleet;
pub mod holders;
pub mod ids;
// For the page and the command of this project; no part of what is promised.
#[doc(hidden)]
pub mod json;
pub mod mount_tree;
#[doc(hidden)]
pub mod order;
pub mod parse;
pub mod paste;
mod path_index;
pub mod report;
pub mod resolve;
pub mod snapshot;
pub mod timeline;

use std::fmt;
use std::io::Read;
use std::ops::ControlFlow;

use archive::Limits;
use census::Census;
use mount_tree::{MountTree, NamespaceName};
use report::{Overview, Report};
use snapshot::{Builder, Hosts, Snapshot};

/// How far reading is. `bytes` counts what was read of the input as given (compressed).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes read so far.
    pub bytes: u64,
    /// Archive entries seen so far.
    pub entries: u64,
}

/// Why an input could not be opened at all. What is wrong inside a bundle becomes a
/// [`report::Diagnostic`] instead.
///
/// ```
/// use ebusy_analyzer::Analysis;
/// use std::ops::ControlFlow;
///
/// let photo = [0xff, 0xd8, 0xff, 0xe0, 0, 16, b'J', b'F', b'I', b'F'];
/// let error = Analysis::open(&photo[..], &mut |_| ControlFlow::Continue(())).unwrap_err();
/// eprintln!("{} {} [{}]", error.message, error.advice, error.code);
/// # assert!(!error.advice.is_empty());
/// // The reading can be stopped.
/// let error = Analysis::open(&photo[..], &mut |_| ControlFlow::Break(()));
/// assert!(error.is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenError {
    /// Stable code: `unknown-format`, `empty-input`, `no-proc`, `cancelled`, `read-failed`, …
    pub code: &'static str,
    /// What happened.
    pub message: String,
    /// What to do.
    pub advice: String,
}

/// What to explain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// The first busy error of the overview; where there is none, whatever the bundle shows to be left over.
    Default,
    /// The busy error at this index of [`Overview::errors`].
    Error(usize),
    /// A container id or prefix, name, path, device, or anything else that somebody typed.
    Text(String),
}

/// A host as understood from one bundle, or several from an archive of archives.
pub struct Analysis {
    /// At least one; sorted by name.
    hosts: Vec<Snapshot>,
    /// The one that is looked at.
    chosen: usize,
}

/// A whole host in a debug print helps nobody.
impl fmt::Debug for Analysis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Analysis").field("host", &self.snapshot().facts.host).finish_non_exhaustive()
    }
}

impl Analysis {
    /// Reads what there is of a host: a tar or zip, compressed or not, with a `…/proc/PID/mountinfo` tree at any
    /// depth, a sosreport, an archive of several of these, or pasted text.
    ///
    /// `progress` is called every few hundred KiB and can stop the reading.
    ///
    /// # Errors
    /// Only where nothing of a host was found in the input, or where `progress` said stop.
    pub fn open(
        input: impl Read,
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Self, OpenError> {
        Self::open_within(input, &Limits::default(), progress)
    }

    /// The same with other limits than the usual ones.
    ///
    /// # Errors
    /// As [`Analysis::open`].
    pub fn open_within(
        input: impl Read,
        limits: &Limits,
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Self, OpenError> {
        let mut hosts = Hosts::within(limits);
        let visit = &mut |entry: archive::Entry<'_>| hosts.add(entry);
        let end = archive::read_entries(input, limits, progress, &Builder::wants, visit)?;
        Self::of(hosts, &end)
    }

    /// Puts together entries that were read elsewhere, such as the files of a directory.
    ///
    /// # Errors
    /// Where nothing of a host is in them.
    pub fn of(hosts: Hosts, end: &archive::End) -> Result<Self, OpenError> {
        let no_text = hosts.lone_text().map(archive::text_refusal);
        let hosts = hosts.finish(end);
        if hosts.is_empty() {
            return Err(no_text.unwrap_or_else(|| no_host(end)));
        }
        // Without a choice, the first host whose log has an error is what the archive was sent for.
        let chosen = hosts.iter().position(|h| !h.errors.is_empty()).unwrap_or(0);
        Ok(Self { hosts, chosen })
    }

    /// Names of all hosts in the input; a host alone may have none.
    pub fn hosts(&self) -> Vec<Option<String>> {
        let short = |mut name: String| {
            bytes::shorten(&mut name);
            name
        };
        self.hosts.iter().map(|h| h.facts.host.clone().map(short)).collect()
    }

    /// Looks at the host of that name, or the only one whose name has that part; false where there is none.
    ///
    /// ```
    /// # mod parts { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/parts/host.rs")); }
    /// # use parts::host;
    /// // `host` gives an `Analysis` of a host, as `Analysis::open` does.
    ///
    /// let mut analysis = host("web1")?;
    /// assert_eq!(analysis.hosts(), [Some("web1".to_owned())]);
    /// assert!(analysis.choose_host("web") && !analysis.choose_host("db"));
    /// # Ok::<(), ebusy_analyzer::OpenError>(())
    /// ```
    pub fn choose_host(&mut self, name: &str) -> bool {
        let named = |h: &Snapshot, whole: bool| {
            h.facts.host.as_deref().is_some_and(|n| if whole { n == name } else { n.contains(name) })
        };
        let all = |whole| -> Vec<usize> {
            let fit = self.hosts.iter().enumerate().filter(|(_, h)| named(h, whole));
            fit.map(|(index, _)| index).collect()
        };
        let index = match (&all(true)[..], &all(false)[..]) {
            ([one], _) | ([], [one]) => Some(*one),
            _ => None,
        };
        self.chosen = index.unwrap_or(self.chosen);
        index.is_some()
    }

    /// Index in [`Analysis::hosts`] of the host that is looked at.
    pub fn chosen(&self) -> usize {
        self.chosen
    }

    /// Looks at the host at this index of [`Analysis::hosts`] from now on, which may have no name; false where
    /// there is none.
    pub fn choose(&mut self, index: usize) -> bool {
        let exists = index < self.hosts.len();
        self.chosen = if exists { index } else { self.chosen };
        exists
    }

    /// Names of the hosts on which a query finds something.
    pub fn hosts_with(&self, query: &Query) -> Vec<String> {
        let found = self.hosts.iter().filter(|h| resolve::resolve(h, query).found);
        found.filter_map(|h| h.facts.host.clone()).collect()
    }

    /// What the bundle offers before a target is chosen.
    ///
    /// ```
    /// use ebusy_analyzer::{Analysis, Query};
    /// use std::ops::ControlFlow;
    ///
    /// let pasted = "umount: /mnt/data: target is busy.\n";
    /// let analysis = Analysis::open(pasted.as_bytes(), &mut |_| ControlFlow::Continue(()))?;
    /// // A person may choose one of the errors; `Query::Default` takes the first.
    /// for (index, error) in analysis.overview().errors.iter().enumerate() {
    ///     let report = analysis.explain(&Query::Error(index));
    ///     assert_eq!(error.path.as_deref(), Some(report.target.query.as_str()));
    /// }
    /// # Ok::<(), ebusy_analyzer::OpenError>(())
    /// ```
    pub fn overview(&self) -> Overview {
        report::overview(self.snapshot())
    }

    /// Who holds the target.
    pub fn explain(&self, query: &Query) -> Report {
        report::build(self.snapshot(), query)
    }

    /// What lives on where it no longer belongs, whatever the log says.
    pub fn census(&self) -> Census {
        self.census_with(census::LISTED)
    }

    /// The same with at most `most` leftovers told one by one, but at least one of each group. All are counted.
    pub fn census_with(&self, most: usize) -> Census {
        census::take(self.snapshot(), most)
    }

    /// One line for each host of the input, which was read from `source`.
    pub fn fleet_lines(&self, source: &str) -> Vec<fleet::HostLine> {
        self.hosts.iter().map(|host| fleet::of_snapshot(host, source)).collect()
    }

    /// The mount namespaces whose table is in the bundle: the host's own first, then by label.
    pub fn namespaces(&self) -> Vec<NamespaceName> {
        mount_tree::names(self.snapshot())
    }

    /// The mounts of the namespace with that key (see [`NamespaceName::key`]; empty: the host's) as a tree,
    /// compared with the host's; `None` where the bundle has no such table.
    pub fn mount_tree(&self, key: &str) -> Option<MountTree> {
        mount_tree::take(self.snapshot(), key)
    }

    /// The host itself, for tools that want more than a report.
    #[allow(clippy::indexing_slicing, reason = "there is at least one host and `chosen` is one of them")]
    pub fn snapshot(&self) -> &Snapshot {
        &self.hosts[self.chosen]
    }
}

fn no_host(end: &archive::End) -> OpenError {
    match end {
        archive::End::Broken(why) => OpenError {
            code: "damaged-archive",
            message: format!(
                "The archive is damaged before any process in it: {}.",
                bytes::visible(why.as_bytes())
            ),
            advice: "Ask for the file again and compare its size and checksum with the sender's.".into(),
        },
        archive::End::Complete => OpenError {
            code: "no-proc",
            message: "The archive has no proc/PID directory in it, so there is no host to look at.".into(),
            advice: "Give the bundle that ebusy-collector wrote, a sosreport or supportconfig, or a tar or zip that holds proc/PID/mountinfo files."
                .into(),
        },
    }
}
