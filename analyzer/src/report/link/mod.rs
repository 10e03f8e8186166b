//! The whole report in a link: `#r=1.` and base64url of a raw deflate stream.
//!
//! A link needs no server: it opens on any copy of the page, and `ebusy analyze LINK` shows it in a terminal. It is
//! short enough for an issue, because what repeats in a report is written once ([`wire`]), because a mount is read
//! from its line again ([`shape`]), because the analyzer's own sentences stand in a dictionary that both ends have
//! ([`dictionary`]), and because the least useful parts are left out where it would still be too long ([`cut`]).
//!
//! The number before the dot is the version of all of this. Version 1 is fixed for ever. A stranger can write any
//! link: what is read from one is bounded, is text only, and is no more than somebody's word.

pub(crate) mod bounded;
mod cut;
mod deflate;
mod dictionary;
mod huffman;
mod inflate;
mod shape;
mod view;
mod wire;

use super::Report;
use super::replaced::{KINDS, Replaced};
use serde::{Deserialize, Serialize};
pub use view::{About, ViewLink};
use wire::Wire;

/// GitHub and others stop making links of what is longer.
pub const USUAL_LENGTH: usize = 2_000;
/// What a report link's fragment begins with, without the version.
const REPORT: &str = "#r=";
/// The version that is written, and the only one there is.
const VERSION: u32 = 1;
/// Longest fragment that is read at all, in bytes.
const MAX_FRAGMENT: usize = 1 << 20;

/// A report as it stands in a link or in a saved page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shared {
    /// The report, with gaps where something was left out.
    pub report: Report,
    /// What is not in it, so that a reader does not take a gap for an answer.
    pub left_out: Vec<LeftOut>,
    /// What was replaced by something that tells nobody's names.
    pub replaced: Vec<Replaced>,
}

/// Something that a link has no room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LeftOut {
    /// What.
    pub part: Part,
    /// How many of them.
    pub count: u32,
}

/// What can be left out, in the order in which it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Processes of a holder beside the first ones.
    #[default]
    Processes,
    /// Lines that events and names rest on.
    SideEvidence,
    /// Busy errors beside the first.
    Errors,
    /// Events.
    Timeline,
    /// Holders that have nothing to do with the error.
    UnrelatedHolders,
    /// What was looked at.
    LookedAt,
    /// Mounts and open files of a holder beside the first ones.
    MoreMounts,
    /// Lines that tell which unit or container a holder is.
    HolderEvidence,
    /// Mounts that the picture shows beside the target's.
    ParentMounts,
    /// Lasting remedies of holders that do not block.
    HoldingRemedies,
    /// Holders that do not block.
    HoldingHolders,
    /// Lanes of the picture.
    Lanes,
    /// Lasting remedies.
    LastingRemedies,
    /// Warnings.
    Warnings,
}

impl Part {
    /// In words, for several of them.
    pub fn name(self) -> &'static str {
        match self {
            Self::Processes => "more processes",
            Self::SideEvidence => "lines behind names and events",
            Self::Errors => "more busy errors",
            Self::Timeline => "events of the timeline",
            Self::UnrelatedHolders => "unrelated holders",
            Self::LookedAt => "notes on what was looked at",
            Self::MoreMounts => "more mounts and open files",
            Self::HolderEvidence => "lines behind units and containers",
            Self::ParentMounts => "parent mounts",
            Self::HoldingRemedies => "lasting remedies of holders that do not block",
            Self::HoldingHolders => "holders that do not block",
            Self::Lanes => "lanes of the picture",
            Self::LastingRemedies => "lasting remedies",
            Self::Warnings => "warnings",
        }
    }
}

/// Why a link cannot be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkError {
    /// It was made by a newer version of ebusy.
    Newer(u32),
    /// Its end is missing or something in it was changed.
    Damaged,
    /// It is longer, or unpacks to more, than any link that ebusy makes.
    TooLong,
}

impl LinkError {
    /// Stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Newer(_) => "link-newer",
            Self::Damaged => "link-damaged",
            Self::TooLong => "link-too-long",
        }
    }

    /// What happened.
    pub fn message(self) -> String {
        match self {
            Self::Newer(version) => {
                format!("This link is of version {version}; this copy of ebusy reads version {VERSION}.")
            }
            Self::Damaged => "This link is damaged: a part of it is missing or was changed.".to_owned(),
            Self::TooLong => "This link holds more than any link that ebusy makes.".to_owned(),
        }
    }

    /// What to do.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Newer(_) => "Open it with a newer copy of the page or the command.",
            Self::Damaged => {
                "Copy the whole link again: mail programs and chats break long ones at a line's end. \
                 Or ask for the report as a file."
            }
            Self::TooLong => "Ask the sender for the bundle or the report as a file.",
        }
    }
}

/// What a fragment of a URL asks the page to show.
#[derive(Debug, Clone, PartialEq)]
pub enum Fragment {
    /// A report.
    Report(Box<Shared>),
    /// A bundle that is to be opened, and what to show of it.
    View(ViewLink),
}

/// Reads a link, a page's address with one, or a fragment alone; `None` where it has neither.
///
/// # Errors
/// Where it has one that cannot be opened.
///
/// ```
/// use ebusy_analyzer::report::link::{LinkError, open};
///
/// assert!(open("https://example.org/ebusy.html").is_none(), "no link of ours");
/// let error = open("https://example.org/ebusy.html#r=99.AAAA").and_then(Result::err);
/// assert_eq!(error, Some(LinkError::Newer(99)));
/// ```
pub fn open(link: &str) -> Option<Result<Fragment, LinkError>> {
    let fragment = &link[link.find('#')?..];
    if let Some(rest) = fragment.strip_prefix(REPORT) {
        return Some(read(rest).map(|shared| Fragment::Report(Box::new(shared))));
    }
    let rest = fragment.strip_prefix(view::VIEW)?;
    Some(payload(rest).and_then(|bytes| view::read(&bytes)).map(Fragment::View))
}

/// Shows `see` each text of a report, which it may change.
pub(super) fn visit_texts(report: &mut Report, see: &mut dyn FnMut(&mut String)) {
    shape::report(&mut Wire::visitor(see), report);
}

/// The fragment of a report, at most `length` characters where that is possible without leaving out the answer, the
/// holders that block and what to do now; and the report as a reader of the link will see it.
/// ```
/// use ebusy_analyzer::report::Report;
/// use ebusy_analyzer::report::link::{self, Fragment, Shared, USUAL_LENGTH};
///
/// let mut shared = Shared { report: Report::default(), left_out: Vec::new(), replaced: Vec::new() };
/// shared.report.verdict.summary = "Nothing holds it.".to_owned();
/// let (fragment, _shown) = link::report_fragment(&shared, USUAL_LENGTH);
/// let opened = link::open(&format!("https://example.org/ebusy.html{fragment}"));
/// let Some(Ok(Fragment::Report(again))) = opened else { panic!("it was just written") };
/// assert_eq!(again.report.verdict, shared.report.verdict);
/// ```
pub fn report_fragment(shared: &Shared, length: usize) -> (String, Shared) {
    // No text is packed this well: what is longer needs no packing to know that it is too long, and what a glance at
    // its matches leaves half as long again needs no careful one.
    let hopeless = length.saturating_mul(24);
    let dictionary = dictionary::VERSION_1.as_bytes();
    let may_fit = |bytes: &[u8]| {
        bytes.len() <= hopeless && deflate::roughly(bytes, dictionary) <= length.saturating_mul(9) / 8
    };
    let (packed, shown) = cut::to_length(shared, length, &mut |shared| {
        let (bytes, texts_at) = written(shared);
        may_fit(&bytes).then(|| fragment(REPORT, &bytes, texts_at))
    });
    let fragment = packed.unwrap_or_else(|| {
        let (bytes, texts_at) = written(&shown);
        fragment(REPORT, &bytes, texts_at)
    });
    (fragment, shown)
}

fn written(shared: &Shared) -> (Vec<u8>, usize) {
    let mut wire = Wire::writer();
    walk(&mut wire, &mut shared.clone());
    wire.finish()
}

fn fragment(kind: &str, bytes: &[u8], texts_at: usize) -> String {
    let packed = deflate::deflate(bytes, dictionary::VERSION_1.as_bytes(), texts_at);
    format!("{kind}{VERSION}.{}", super::base64::url(&packed))
}

fn walk(wire: &mut Wire<'_>, shared: &mut Shared) {
    shape::report(wire, &mut shared.report);
    wire.list(&mut shared.left_out, |w, left_out| {
        w.choice(&mut left_out.part, &cut::PARTS);
        w.small(&mut left_out.count);
    });
    wire.list(&mut shared.replaced, |w, replaced| {
        w.choice(&mut replaced.kind, &KINDS);
        w.small(&mut replaced.different);
        w.small(&mut replaced.places);
    });
}

/// What stands behind the version of a fragment, inflated.
fn payload(versioned: &str) -> Result<Vec<u8>, LinkError> {
    if versioned.len() > MAX_FRAGMENT {
        return Err(LinkError::TooLong);
    }
    let (version, text) = versioned.split_once('.').ok_or(LinkError::Damaged)?;
    match version.parse::<u32>() {
        Ok(VERSION) => {}
        Ok(version) if version > VERSION => return Err(LinkError::Newer(version)),
        _ => return Err(LinkError::Damaged),
    }
    // What a chat or a mail program puts behind a link is no part of it.
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_').unwrap_or(text.len());
    let packed = super::base64::of_url(&text[..end]).ok_or(LinkError::Damaged)?;
    inflate::inflate(&packed, dictionary::VERSION_1.as_bytes())
}

fn read(versioned: &str) -> Result<Shared, LinkError> {
    let bytes = payload(versioned)?;
    let mut wire = Wire::reader(&bytes).ok_or(LinkError::Damaged)?;
    let mut shared = Shared { report: Report::default(), left_out: Vec::new(), replaced: Vec::new() };
    walk(&mut wire, &mut shared);
    if wire.is_sound() { Ok(shared) } else { Err(LinkError::Damaged) }
}

#[cfg(test)]
mod tests;
