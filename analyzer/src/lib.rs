//! Finds out from a captured `/proc` who keeps a container's mount busy.
//!
//! Data flows one way, and each step has a folder of its own:
//!
//! | step | module |
//! |---|---|
//! | bytes → entries | [`archive`] |
//! | entries → records | [`parse`] |
//! | records → snapshot | [`snapshot`] |
//! | log lines → busy errors | [`errors`] |
//! | query → target with its aliases | [`resolve`] |
//! | target → holders and their effect | [`holders`] |
//! | holder → cause and remedies | [`causes`] |
//! | everything → report | [`report`] |
//! | snapshot and target → what happened when | [`timeline`] |
//! | snapshot → what is left over, without any error | [`census`] |
//! | two reports or censuses of one host → what changed | [`diff`] |
//!
//! # Design constraints
//! No IO besides the `Read` that is handed in, no clock, no globals, no JavaScript and no `std::path`
//! (paths are another host's bytes), so that it runs the same natively and as WebAssembly. Data never
//! makes it fail: it returns what it understood, with diagnostics. The same bytes give the same report.

pub mod archive;
pub mod bytes;
pub mod causes;
pub mod census;
pub mod diff;
pub mod errors;
pub mod holders;
pub mod parse;
pub mod report;
pub mod resolve;
pub mod snapshot;
pub mod timeline;

use std::fmt;
use std::io::Read;
use std::ops::ControlFlow;

use census::Census;
use report::{Overview, Report};
use snapshot::{Builder, Recorded, Snapshot};

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

/// A host as understood from one bundle.
pub struct Analysis {
    snapshot: Snapshot,
}

/// A whole host in a debug print helps nobody.
impl fmt::Debug for Analysis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Analysis").field("host", &self.snapshot.facts.host).finish_non_exhaustive()
    }
}

impl Analysis {
    /// Reads a bundle: gzip or plain tar with a `…/proc/PID/mountinfo` tree at any depth.
    ///
    /// `progress` is called every few hundred KiB and can stop the reading.
    ///
    /// # Errors
    /// Only where nothing of a host was found in the input, or where `progress` said stop.
    pub fn open(
        input: impl Read,
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Self, OpenError> {
        let mut builder = Builder::default();
        let mut recorded = Recorded::default();
        let end = archive::read_entries(input, progress, &Builder::wants, &mut |entry| {
            recorded.add(&entry);
            builder.add(entry);
        })?;
        let mut snapshot = builder.finish(&end);
        snapshot.recorded = recorded;
        if snapshot.processes.is_empty() && snapshot.tables.is_empty() {
            return Err(no_host(&end));
        }
        Ok(Self { snapshot })
    }

    /// What the bundle offers before a target is chosen.
    pub fn overview(&self) -> Overview {
        report::overview(&self.snapshot)
    }

    /// Who holds the target.
    pub fn explain(&self, query: &Query) -> Report {
        report::build(&self.snapshot, query)
    }

    /// What lives on where it no longer belongs, whatever the log says.
    pub fn census(&self) -> Census {
        census::take(&self.snapshot)
    }

    /// The host itself, for tools that want more than a report.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
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
            advice:
                "Give the bundle that ebusy-collector wrote, or a tar that holds proc/PID/mountinfo files."
                    .into(),
        },
    }
}
