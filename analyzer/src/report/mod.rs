//! The report: what the analyzer found, in the one shape that the page, the terminal text, Markdown,
//! JSON and links all show. Schema name: [`SCHEMA`].
//!
//! Every string here is text for people: bytes that are not UTF-8 and control characters have been
//! made visible (`\xNN`) when the report was made, but nothing is escaped for HTML, Markdown or a
//! shell; each output does that for itself. Assume that every optional field may be absent.
//!
//! ```
//! use ebusy_analyzer::report::{Report, Status, markdown, text};
//!
//! let mut report = Report::default();
//! report.verdict.status = Status::Unknown;
//! report.verdict.summary = "The bundle ends in the middle of `proc`.".to_owned();
//! assert!(text::render(&report).starts_with("UNKNOWN: "));
//! assert!(markdown::render(&report).contains("The bundle ends"));
//! let json = serde_json::to_string(&report)?;
//! assert_eq!(serde_json::from_str::<Report>(&json)?, report);
//! # Ok::<(), serde_json::Error>(())
//! ```

use serde::{Deserialize, Serialize};

mod base64;
mod build;
mod event;
mod holder;
mod host;
pub mod link;
pub mod markdown;
mod namespace;
mod namespace_views;
mod process_view;
mod propagation;
pub mod redact;
mod replaced;
pub mod saved;
mod target;
pub mod text;
mod verdict;

pub use crate::calendar::rfc3339;
pub use crate::errors::{BusyError, BusyKind};
pub use crate::evidence::{Diagnostic, Evidence};
pub(crate) use build::{build, overview};
pub use event::{TimelineEvent, TimelineKind};
pub use holder::{
    Cause, ContainerRef, Effect, Holder, HolderKind, MountView, OpenFile, ProcessView, Remedy, When,
};
pub use host::{BundleInfo, ContainerSummary, Host, Overview};
pub use namespace::{NamespaceRole, NamespaceView};
pub(crate) use process_view::process_view;
pub use target::{Alias, AliasKind, Target};

/// Name and version of the report's shape.
pub const SCHEMA: &str = "ebusy.report/1";

/// The answer to "who keeps this busy?" for one target on one host.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Report {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// The host the bundle was taken on.
    pub host: Host,
    /// What the bundle held and what it lacked.
    pub bundle: BundleInfo,
    /// What is busy.
    pub target: Target,
    /// The answer in one sentence.
    pub verdict: Verdict,
    /// Who holds it: blocking ones first, then holding, then unrelated.
    pub holders: Vec<Holder>,
    /// The busy errors of the log that concern this target.
    pub errors: Vec<BusyError>,
    /// The mount namespaces of the picture: host, daemon, then each holder's.
    pub namespaces: Vec<NamespaceView>,
    /// Why the umount did not reach the copies, in sentences; empty where that is not the question.
    pub propagation: Vec<String>,
    /// What was looked at to come to the verdict, in sentences (`looked through 42 mount tables …`).
    pub looked_at: Vec<String>,
    /// What to run or send next where the verdict is not `held`, and the command to retry where it is.
    pub next_steps: Vec<Remedy>,
    /// What could not be read or is missing.
    pub warnings: Vec<Diagnostic>,
    /// What happened when, by the bundle's clocks: dated events in order, then those without a full date.
    #[serde(default)]
    pub timeline: Vec<TimelineEvent>,
}

/// The verdict.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Verdict {
    /// Held, free or unknown.
    pub status: Status,
    /// One or two sentences that answer the question.
    pub summary: String,
}

/// The verdict's three values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Something in the bundle holds the target and blocks the operation.
    Held,
    /// The bundle is complete enough to say that nothing blocks it any more.
    Free,
    /// The bundle cannot tell.
    #[default]
    Unknown,
}
