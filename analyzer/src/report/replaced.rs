//! What can be replaced in a report before it is shown to others, and how much was: links carry it along.

use serde::{Deserialize, Serialize};

/// What can be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The host's name.
    #[default]
    Host,
    /// IP and MAC addresses.
    Address,
    /// User names and mail addresses.
    User,
    /// Arguments of command lines.
    Argument,
    /// Names of containers.
    Container,
    /// Names of images.
    Image,
    /// Paths outside of the system's and the container runtimes' directories.
    Path,
}

/// All kinds, in the order in which people are asked about them; their numbers in links, so fixed.
pub const KINDS: [Kind; 7] =
    [Kind::Host, Kind::Address, Kind::User, Kind::Argument, Kind::Container, Kind::Image, Kind::Path];

impl Kind {
    /// What its stand-ins begin with.
    pub(super) fn stem(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Address => "address",
            Self::User => "user",
            Self::Argument => "argument",
            Self::Container => "container",
            Self::Image => "image",
            Self::Path => "/path",
        }
    }
}

/// How often something of a kind was replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Replaced {
    /// What.
    pub kind: Kind,
    /// How many different ones.
    pub different: u32,
    /// In how many places.
    pub places: u32,
}
