//! What page and worker say to each other: JSON text both ways, except for the bundle itself, which
//! goes over as a `File` (a handle, not a copy) and is the first message.

use ebusy_analyzer::census::Census;
use ebusy_analyzer::diff::Diff;
use ebusy_analyzer::fleet::HostLine;
use ebusy_analyzer::mount_tree::{MountTree, NamespaceName};
use ebusy_analyzer::report::{Overview, Report};
use ebusy_analyzer::{OpenError, Query};
use serde::{Deserialize, Serialize};

/// From the page to the worker, after the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    /// Wants a report.
    Explain {
        /// Comes back with the answer, so that a late one can be told from the one wanted.
        number: u32,
        /// About what.
        question: Question,
    },
    /// Wants to look at another host of the archive, by its index in [`Opened::hosts`].
    Host(usize),
    /// Wants to know what lives on, whatever the log says.
    Census,
    /// Wants one line for each host in it.
    Lines {
        /// The file's name, for the lines.
        source: String,
    },
    /// Wants to know what changed between the two bundles that were handed over, the earlier one first.
    Compare {
        /// Index of the host in each.
        hosts: [usize; 2],
    },
    /// Wants the mounts of the namespace with this key; empty: the host's.
    Tree(String),
    /// Wants the file's SHA-256, for a link that leads to it.
    Hash,
    /// Before the file: wants the answer to [`Question::first`] along with what it has.
    ExplainFirst,
    /// Before any file: wants nothing but that the worker is at its best when one comes. What follows is a bundle to
    /// rehearse with.
    Rehearse,
}

/// What a report is wanted about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Question {
    /// Whatever the analyzer finds first.
    Default,
    /// The busy error at this index of the overview.
    Error(usize),
    /// What somebody typed.
    Text(String),
}

impl Question {
    /// What is asked of a host before anybody asks: its first busy error, or what the analyzer finds by itself.
    pub fn first(overview: &Overview) -> Self {
        if overview.errors.is_empty() { Self::Default } else { Self::Error(0) }
    }
}

impl From<Question> for Query {
    fn from(question: Question) -> Self {
        match question {
            Question::Default => Self::Default,
            Question::Error(index) => Self::Error(index),
            Question::Text(text) => Self::Text(text),
        }
    }
}

/// From the worker to the page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Response {
    /// How far reading is.
    Progress {
        /// Bytes of the file read so far.
        bytes: u64,
        /// Archive entries seen so far.
        entries: u64,
    },
    /// The file is read to its end; now it is put together.
    AllRead {
        /// All bytes of the file.
        bytes: u64,
    },
    /// The bundle is read, or another of its hosts is looked at.
    Opened(Box<Opened>),
    /// The answer to [`Request::Explain`].
    Explained {
        /// Number of the request.
        number: u32,
        /// The answer.
        report: Box<Report>,
    },
    /// The answer to [`Request::Census`].
    Census(Box<Census>),
    /// The answer to [`Request::Lines`].
    Lines(Vec<HostLine>),
    /// The answer to [`Request::Compare`].
    Compared(Box<Diff>),
    /// The answer to [`Request::Tree`].
    Tree(Box<Mounts>),
    /// The answer to [`Request::Hash`]: in hexadecimal, or why the file cannot be read again.
    Hashed(Result<String, String>),
    /// It could not go on; nothing more comes from this worker.
    Failed(Failure),
}

/// What a bundle has.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Opened {
    /// What the host that is looked at offers.
    pub overview: Overview,
    /// Names of all hosts in the archive, where they have one.
    pub hosts: Vec<Option<String>>,
    /// Index of the host that is looked at.
    pub host: usize,
    /// The answer to [`Question::first`], where [`Request::ExplainFirst`] came before a file of one host. In one message,
    /// because a page that drew the rest meanwhile would draw everything twice.
    pub report: Option<Box<Report>>,
}

/// The mounts of a namespace, and which other namespaces there are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mounts {
    /// The key that was asked for.
    pub asked: String,
    /// All namespaces of the host whose table is in the bundle.
    pub namespaces: Vec<NamespaceName>,
    /// `None` where the bundle has no such table.
    pub tree: Option<MountTree>,
}

/// Something went wrong, told for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Stable code, e.g. `unknown-format`.
    pub code: String,
    /// What happened, and to which file.
    pub message: String,
    /// What to do.
    pub advice: String,
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        Self { code: error.code.to_owned(), message: error.message, advice: error.advice }
    }
}
