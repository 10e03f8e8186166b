//! Many bundles → one line for each host, worst first, and what they have in common.
//!
//! | step | module |
//! |---|---|
//! | report and census of one host → its line | [`line`] |
//! | by what name a holder goes on every host | [`who`] |
//! | lines → holders and causes over all hosts | [`tally`] |
//! | for a terminal, for an issue | [`text`], [`markdown`] |
//!
//! A line is small and knows nothing of the others, so that ten thousand bundles can be read one after the other,
//! on several cores or several machines.
//!
//! ```
//! # mod parts { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/parts/host.rs")); }
//! # use parts::host;
//! // `host` gives an `Analysis` of a host, as `Analysis::open` does.
//!
//! use ebusy_analyzer::fleet::{Tally, text};
//!
//! let (mut tally, mut lines) = (Tally::default(), Vec::new());
//! for name in ["web1", "web2"] {
//!     lines.extend(host(name)?.fleet_lines(&format!("{name}.tar.gz")));
//! }
//! lines.iter().for_each(|line| tally.add(line));
//! lines.sort_by(|a, b| a.worst_first(b));
//! let fleet = tally.fleet();
//! assert_eq!(fleet.hosts, 2);
//! assert!(text::render(&fleet, &lines).contains("web2"));
//! # Ok::<(), ebusy_analyzer::OpenError>(())
//! ```

mod line;
pub mod markdown;
mod tally;
pub mod text;
mod who;

use std::cmp::{Ordering, Reverse};

use serde::{Deserialize, Serialize};

use crate::report::{Cause, Effect, Host, Status};

pub(crate) use line::of_snapshot;
pub use tally::Tally;

/// Name and version of a line's shape.
pub const LINE_SCHEMA: &str = "ebusy.fleet-host/1";

/// Name and version of the summary's shape.
pub const SCHEMA: &str = "ebusy.fleet/1";

/// One host of a fleet, or a bundle that could not be read: then `failure` says why and `status` is absent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HostLine {
    /// Always [`LINE_SCHEMA`].
    pub schema: String,
    /// The file that it was read from, as it was given.
    pub source: String,
    /// The host.
    pub host: Host,
    /// When it was booted, RFC 3339 UTC, where the bundle tells.
    pub booted_at: Option<String>,
    /// The verdict about its latest busy error; `None` where the bundle could not be read.
    pub status: Option<Status>,
    /// What is busy, where something was found: `container web (ac05…)`, a path, a device.
    pub target: Option<String>,
    /// The verdict in a sentence, or why there is none.
    pub summary: String,
    /// How many different busy errors its logs have.
    pub errors: u32,
    /// Who keeps something there, whether the log speaks of it or not: blocking ones first.
    pub holders: Vec<HolderLine>,
    /// How many things of containers live on where they do not belong.
    pub leftovers: u32,
    /// How many of these will block a removal.
    pub will_block: u32,
    /// Bytes of the block devices that they pin, where known.
    pub pinned_bytes: Option<u64>,
    /// False where the end of the bundle is missing.
    pub complete: bool,
    /// Whether the bundle was taken with the right to read every process; `None` where unknown.
    pub privileged: Option<bool>,
    /// Why the bundle could not be read.
    pub failure: Option<LineFailure>,
}

/// A holder by the name that it has on every host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HolderLine {
    /// `httpd.service`, `containers of google/cadvisor`, `tail`.
    pub who: String,
    /// The worst that it does there.
    pub effect: Effect,
    /// How many mounts it keeps.
    pub mounts: u32,
    /// How many open files it keeps where no mount does.
    pub open_files: u32,
    /// Why it came to be, where the latest busy error's report names a cause.
    pub cause: Option<Cause>,
}

/// Why a bundle could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LineFailure {
    /// Stable code.
    pub code: String,
    /// What to do.
    pub advice: String,
}

/// What the hosts have in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Fleet {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// The answer in one sentence.
    pub summary: String,
    /// Different hosts that were read; two bundles of one host count once.
    pub hosts: u32,
    /// Bundles that could not be read.
    pub failed: u32,
    /// Hosts where the latest busy error has a holder.
    pub held: u32,
    /// Hosts where things live on that will block a removal.
    pub will_block: u32,
    /// Who keeps something on most hosts, first of all.
    pub holders: Vec<CommonHolder>,
    /// Causes that the reports name, the most frequent first.
    pub causes: Vec<CommonCause>,
}

/// A holder over all hosts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CommonHolder {
    /// As in [`HolderLine::who`].
    pub who: String,
    /// On how many hosts it keeps something.
    pub hosts: u32,
    /// On how many of them something that blocks.
    pub blocking_hosts: u32,
    /// How many mounts on all hosts together; of two bundles of a host the larger number counts.
    pub mounts: u32,
    /// How many open files.
    pub open_files: u32,
    /// All that in one sentence.
    pub sentence: String,
    /// A few of the hosts, by name.
    pub examples: Vec<String>,
}

/// A cause over all hosts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CommonCause {
    /// As in [`Cause::id`].
    pub id: String,
    /// On how many hosts.
    pub hosts: u32,
    /// Whom it made a holder on how many hosts, the most frequent first.
    pub holders: Vec<(String, u32)>,
    /// What the report of one of these hosts says.
    pub example: String,
    /// All that in one sentence.
    pub sentence: String,
}

impl HostLine {
    /// The line of a bundle that could not be read, from what its failure says.
    pub fn unread(source: &str, code: &str, message: &str, advice: &str) -> Self {
        Self {
            schema: LINE_SCHEMA.to_owned(),
            source: source.to_owned(),
            host: Host::default(),
            booted_at: None,
            status: None,
            target: None,
            summary: message.to_owned(),
            errors: 0,
            holders: Vec::new(),
            leftovers: 0,
            will_block: 0,
            pinned_bytes: None,
            complete: false,
            privileged: None,
            failure: Some(LineFailure { code: code.to_owned(), advice: advice.to_owned() }),
        }
    }

    /// The host's name, or where it was read from.
    pub fn name(&self) -> &str {
        self.host.name.as_deref().unwrap_or(&self.source)
    }

    /// How many holders block.
    pub fn blocking(&self) -> usize {
        self.holders.iter().filter(|holder| holder.effect == Effect::Blocking).count()
    }

    /// The worst first: something holds what could not be removed; then what will block; then what only lives on;
    /// then what the bundle cannot tell; what could not be read comes last.
    pub fn worst_first(&self, other: &Self) -> Ordering {
        self.rank().cmp(&other.rank())
    }

    fn rank(&self) -> impl Ord + '_ {
        let status = match self.status {
            Some(Status::Held) => 0,
            Some(Status::Unknown) if self.errors > 0 => 1,
            _ => 2,
        };
        (
            self.failure.is_some(),
            status != 0,
            Reverse(self.blocking()),
            Reverse(self.will_block),
            Reverse(self.leftovers),
            (status, self.name(), self.host.collected_at.as_deref(), self.source.as_str()),
        )
    }

    /// Whether both are of one host, by its name, so that a comparison says what changed on it.
    pub fn is_same_host(&self, other: &Self) -> bool {
        self.host.name.is_some() && self.host.name == other.host.name
    }
}

/// `1 host`, `3 hosts`.
fn count(n: u32, one: &str, many: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {many}") }
}
