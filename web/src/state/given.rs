//! What a link or a saved page brought: a report that no bundle here gave, or a wish for a bundle.

use super::{FileInfo, Open, Tab};
use crate::worker::protocol::{Failure, Opened, Question, Request};
use ebusy_analyzer::Query;
use ebusy_analyzer::report::Overview;
use ebusy_analyzer::report::link::{About, LeftOut, Shared, ViewLink};
use ebusy_analyzer::report::redact::Replaced;
use ebusy_analyzer::report::saved::SavedBundle;
use std::rc::Rc;

/// What stands beside an open bundle because of a link or a saved page.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Given {
    /// Where the report comes from, if not from a bundle that was read here.
    pub origin: Option<Rc<Origin>>,
    /// The bundle that a link asked for, and what it wants to show of it.
    pub expected: Option<Rc<ViewLink>>,
    /// What to ask, once the right host is looked at.
    pub pending: Option<Pending>,
    /// SHA-256 of the bundle in hexadecimal, or why there is none.
    pub sha256: Option<Result<String, String>>,
    /// Whether somebody wants to know it.
    pub hash_wanted: bool,
}

/// A report from elsewhere.
#[derive(Debug, Clone, PartialEq)]
pub struct Origin {
    /// From where.
    pub source: Source,
    /// What it lacks.
    pub left_out: Vec<LeftOut>,
    /// What was replaced in it.
    pub replaced: Vec<Replaced>,
    /// Whether its bundle is there, too.
    pub inside: Inside,
}

/// Where a report comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A link: somebody's word.
    Link,
    /// The page's own file.
    File,
}

/// A bundle in the page's own file.
#[derive(Debug, Clone, PartialEq)]
pub enum Inside {
    /// There is none.
    Nothing,
    /// It is being read.
    Reading(SavedBundle),
    /// It cannot be read.
    Failed(Failure),
}

/// What a link or a saved page wants to show.
#[derive(Debug, Clone, PartialEq)]
pub struct Pending {
    /// Index of the host.
    pub host: usize,
    /// What is asked of it.
    pub about: About,
    /// Which side of it is shown.
    pub tab: Tab,
}

impl Pending {
    /// What a view link wants.
    pub fn of(link: &ViewLink) -> Self {
        let tab = Tab::named(&link.section).unwrap_or_default();
        Self { host: usize::try_from(link.host).unwrap_or_default(), about: link.about.clone(), tab }
    }
}

impl Given {
    /// What the worker still has to tell, after the report.
    pub(super) fn outstanding(&self) -> Option<Request> {
        let wanted = self.hash_wanted || self.expected.is_some();
        (wanted && self.sha256.is_none()).then_some(Request::Hash)
    }

    /// Whether this is not the bundle that a link asked for. Not known before it is hashed.
    pub fn is_another_bundle(&self, file: &FileInfo) -> bool {
        let Some(link) = &self.expected else { return false };
        let other_hash = matches!(&self.sha256, Some(Ok(hash)) if *hash != link.sha256);
        link.size != file.size || other_hash
    }
}

/// The report of a link or a saved page, as an open bundle without a worker.
pub(super) fn shown(shared: Shared, source: Source) -> Open {
    let Shared { report, left_out, replaced } = shared;
    let overview =
        Overview { host: report.host.clone(), bundle: report.bundle.clone(), ..Overview::default() };
    let (hosts, query) = (vec![report.host.name.clone()], report.target.query.clone());
    let opened = Opened { overview, hosts, host: 0, report: Some(Box::new(report)) };
    let file = FileInfo { name: String::new(), size: 0 };
    let mut open = Open::new(&Rc::new(file), opened, None);
    open.question = Question::Text(query);
    open.given.origin = Some(Rc::new(Origin { source, left_out, replaced, inside: Inside::Nothing }));
    open
}

/// Asks what was wanted, or for the host that it is wanted of. An error that the bundle does not have (any more) is
/// not asked for.
pub(super) fn go_on(open: &mut Open, pending: Option<Pending>) {
    let Some(wanted) = pending else { return };
    if wanted.host != open.host && wanted.host < open.hosts.len() {
        open.choosing = Some(wanted.host);
        open.given.pending = Some(wanted);
        return;
    }
    open.tab = wanted.tab;
    open.question = match wanted.about.query(&open.overview.errors) {
        Some(Query::Error(index)) => Question::Error(index),
        Some(Query::Text(text)) => Question::Text(text),
        Some(Query::Default) | None => return,
    };
    open.waiting = true;
}
