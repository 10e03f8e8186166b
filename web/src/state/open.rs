//! A bundle that was read: what is asked of it and what it answered.

use super::fleet::Place;
use super::given::{self, Given, Inside, Origin};
use super::{FileInfo, Screen, failed};
use crate::worker::protocol::{Mounts, Opened, Question, Request, Response};
use ebusy_analyzer::census::Census;
use ebusy_analyzer::report::{Overview, Report};
use std::rc::Rc;

/// A bundle that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Open {
    /// The file.
    pub file: Rc<FileInfo>,
    /// What it offers.
    pub overview: Rc<Overview>,
    /// What was asked last.
    pub question: Question,
    /// Number of that request.
    pub request: u32,
    /// Number of the request that `report` answers.
    pub answered: u32,
    /// The newest answer, until the next one replaces it.
    pub report: Option<Rc<Report>>,
    /// Whether the answer to `request` is still to come.
    pub waiting: bool,
    /// What lives on, once the first report is there.
    pub census: Option<Rc<Census>>,
    /// The mounts of a namespace, once somebody wanted to see some.
    pub mounts: Option<Rc<Mounts>>,
    /// Key of the namespace whose mounts are wanted, until they are there.
    pub mounts_wanted: Option<String>,
    /// Names of all hosts in the archive, where they have one.
    pub hosts: Vec<Option<String>>,
    /// Index of the host that is looked at.
    pub host: usize,
    /// Index of the host that was chosen, until it is looked at.
    pub choosing: Option<usize>,
    /// Which host of the list it is, where there is a list.
    pub place: Option<Place>,
    /// Which side of the host is shown.
    pub tab: Tab,
    /// What a link or a saved page brought.
    pub given: Given,
}

/// The sides of a host.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tab {
    /// Who holds what was asked for.
    #[default]
    Report,
    /// What lives on, whatever was asked for.
    Census,
    /// All containers, to ask for one of them.
    Containers,
    /// The mounts of any namespace.
    Mounts,
}

impl Tab {
    const ALL: [(Self, &'static str); 3] =
        [(Self::Report, "report"), (Self::Census, "census"), (Self::Containers, "containers")];

    /// Its name in links.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(tab, _)| *tab == self).map_or("", |(_, name)| name)
    }

    /// The one with that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, own)| *own == name).map(|(tab, _)| *tab)
    }
}

impl Open {
    /// A bundle just opened: the first busy error is chosen, or what the analyzer finds by itself. `place` is the
    /// host that was wanted, which may be another one than the worker looks at first.
    pub(super) fn new(file: &Rc<FileInfo>, opened: Opened, place: Option<Place>) -> Self {
        let mut open = Self::of(file, opened, 1);
        open.place = place;
        open.choosing = place.map(|place| place.host).filter(|host| *host != open.host);
        open
    }

    fn of(file: &Rc<FileInfo>, opened: Opened, request: u32) -> Self {
        let Opened { overview, hosts, host, report } = opened;
        let question = Question::first(&overview);
        let report = report.map(|report| Rc::new(*report));
        Self {
            file: file.clone(),
            overview: Rc::new(overview),
            question,
            request,
            answered: if report.is_some() { request } else { 0 },
            waiting: report.is_none(),
            report,
            census: None,
            mounts: None,
            mounts_wanted: None,
            hosts,
            host,
            choosing: None,
            place: None,
            tab: Tab::Report,
            given: Given::default(),
        }
    }

    /// What the worker has still to answer. `listed`: whether the hosts of the archive are known.
    pub(super) fn outstanding(&self, listed: bool) -> Option<Request> {
        // A report from elsewhere has nobody to ask.
        if self.given.origin.is_some() {
            return None;
        }
        if self.hosts.len() > 1 && !listed {
            return Some(Request::Lines { source: self.file.name.clone() });
        }
        if let Some(index) = self.choosing {
            return Some(Request::Host(index));
        }
        if self.waiting {
            return Some(Request::Explain { number: self.request, question: self.question.clone() });
        }
        if let Some(key) = &self.mounts_wanted {
            return Some(Request::Tree(key.clone()));
        }
        // After the report: that is what somebody waits for.
        self.census.is_none().then_some(Request::Census).or_else(|| self.given.outstanding())
    }

    pub(super) fn ask(&mut self, question: Question) {
        self.question = question;
        self.request += 1;
        self.waiting = true;
        // What is asked for is answered by a report.
        self.tab = Tab::Report;
    }

    /// Another host of the same archive.
    pub(super) fn go_to(&mut self, place: Place) {
        self.place = Some(place);
        self.choosing = Some(place.host).filter(|host| *host != self.host);
    }

    pub(super) fn after(&self, response: Response) -> Screen {
        let mut next = self.clone();
        match response {
            // Another host. Numbers go on, so that what is still said of the last one is not taken for an answer.
            Response::Opened(opened) => {
                next = Self::of(&self.file, *opened, self.request + 1);
                next.place = self.place.map(|place| Place { host: next.host, ..place });
                next.given = Given { origin: None, pending: None, ..self.given.clone() };
                if let Some(Origin { inside: Inside::Reading(bundle), .. }) = self.given.origin.as_deref() {
                    // The report that the page brought stays until the same question is answered anew.
                    next.file = Rc::new(FileInfo { name: bundle.name.clone(), size: 0 });
                    next.report.clone_from(&self.report);
                    next.answered = self.answered;
                }
                given::go_on(&mut next, self.given.pending.clone());
            }
            Response::Hashed(hash) => next.given.sha256 = Some(hash),
            Response::Failed(failure) if let Some(origin) = &self.given.origin => {
                let inside = Inside::Failed(failure);
                next.given.origin = Some(Rc::new(Origin { inside, ..Origin::clone(origin) }));
            }
            Response::Explained { number, report } if number == self.request => {
                next.report = Some(Rc::new(*report));
                next.answered = number;
                next.waiting = false;
            }
            Response::Tree(mounts) => {
                next.mounts_wanted.take_if(|key| *key == mounts.asked);
                next.mounts = Some(Rc::new(*mounts));
            }
            Response::Census(census) => next.census = Some(Rc::new(*census)),
            Response::Failed(failure) => return failed(&self.file, failure),
            // An answer to a question that is no longer asked.
            _ => {}
        }
        Screen::Open(Rc::new(next))
    }
}
