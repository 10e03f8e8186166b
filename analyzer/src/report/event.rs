//! What happened when.

use crate::evidence::Evidence;
use serde::{Deserialize, Serialize};

/// Something that happened, with the clock that told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TimelineEvent {
    /// RFC 3339 UTC; `None` where neither the line nor another one of the same log tells year and zone.
    pub at: Option<String>,
    /// The time as it is written at the source, where that is not a full date.
    pub written: Option<String>,
    /// What kind of event.
    pub kind: TimelineKind,
    /// One sentence.
    pub what: String,
    /// Where it was read.
    pub evidence: Vec<Evidence>,
}

/// Kinds of events, in the order in which they are listed at the same time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum TimelineKind {
    /// The host started.
    #[default]
    Booted,
    /// A unit became active, by systemd's `ActiveEnterTimestamp`.
    UnitActive,
    /// The target container started.
    ContainerStarted,
    /// The oldest process of a holder started.
    HolderStarted,
    /// systemd saw a mount of the target.
    Mounted,
    /// The target container ended.
    ContainerFinished,
    /// systemd saw a umount of the target.
    Unmounted,
    /// The first busy error.
    FirstError,
    /// The last busy error.
    LastError,
    /// The bundle was taken.
    Collected,
}
