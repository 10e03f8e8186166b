//! A link without data: which bundle to open, and what to show of it. `#v=1.` and the same packing.

use super::wire::Wire;
use super::{LinkError, fragment};
use crate::Query;
use crate::report::BusyError;
use serde::{Deserialize, Serialize};

pub(super) const VIEW: &str = "#v=";

/// What a view link says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ViewLink {
    /// SHA-256 of the bundle, in hexadecimal.
    pub sha256: String,
    /// The bundle's file name, so that a person finds it.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// The host that is looked at, by its index in the archive.
    pub host: u64,
    /// What is asked.
    pub about: About,
    /// Id of the page's section that is looked at; empty for the top.
    pub section: String,
}

/// What a view link asks of the bundle.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum About {
    /// Whatever the analyzer finds first.
    #[default]
    Default,
    /// The busy error with this line. Not its number: a newer analyzer may find another order.
    Error(String),
    /// What somebody typed.
    Text(String),
}

impl About {
    /// What to ask of a bundle with these busy errors; `None` where it has no such error (any more).
    pub fn query(&self, errors: &[BusyError]) -> Option<Query> {
        match self {
            Self::Default => Some(Query::Default),
            Self::Error(line) => errors.iter().position(|e| e.line == *line).map(Query::Error),
            Self::Text(text) => Some(Query::Text(text.clone())),
        }
    }

    /// The same, the other way round.
    pub fn of(query: &Query, errors: &[BusyError]) -> Self {
        match query {
            Query::Error(index) => errors.get(*index).map_or(Self::Default, |e| Self::Error(e.line.clone())),
            Query::Text(text) => Self::Text(text.clone()),
            Query::Default => Self::Default,
        }
    }
}

impl ViewLink {
    /// The fragment, for the end of a page's address.
    ///
    /// ```
    /// use ebusy_analyzer::report::link::{Fragment, ViewLink, open};
    ///
    /// let sha256 = "5a".repeat(32);
    /// let link = ViewLink { sha256, name: "web1.tar.gz".to_owned(), ..ViewLink::default() };
    /// assert_eq!(open(&link.fragment()), Some(Ok(Fragment::View(link))));
    /// ```
    pub fn fragment(&self) -> String {
        let mut wire = Wire::writer();
        walk(&mut wire, &mut self.clone());
        let (bytes, texts_at) = wire.finish();
        fragment(VIEW, &bytes, texts_at)
    }
}

pub(super) fn read(bytes: &[u8]) -> Result<ViewLink, LinkError> {
    let mut wire = Wire::reader(bytes).ok_or(LinkError::Damaged)?;
    let mut link = ViewLink::default();
    walk(&mut wire, &mut link);
    let is_hash = link.sha256.len() == 64 && link.sha256.bytes().all(|b| b.is_ascii_hexdigit());
    if wire.is_sound() && is_hash { Ok(link) } else { Err(LinkError::Damaged) }
}

fn walk(wire: &mut Wire<'_>, link: &mut ViewLink) {
    wire.text(&mut link.sha256);
    wire.text(&mut link.name);
    wire.number(&mut link.size);
    wire.number(&mut link.host);
    let (mut kind, mut text) = match &link.about {
        About::Default => (0, String::new()),
        About::Error(line) => (1, line.clone()),
        About::Text(text) => (2, text.clone()),
    };
    wire.choice(&mut kind, &[0, 1, 2]);
    wire.text(&mut text);
    link.about = match kind {
        0 => About::Default,
        1 => About::Error(text),
        _ => About::Text(text),
    };
    wire.text(&mut link.section);
}
