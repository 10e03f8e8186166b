//! What the page knows and how that changes: no browser, no clock, no side effects.
//!
//! A bundle is an *opening*. What a worker says carries its opening's number, and what an earlier
//! opening still says is dropped: cancel and replace are safe at any time.

use crate::worker::protocol::{Failure, Mounts, Opened, Question, Request, Response};
use ebusy_analyzer::census::Census;
use ebusy_analyzer::report::{Overview, Report};
use std::rc::Rc;
use yew::Reducible;

/// All that the page knows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    /// Number of the current bundle; 0 before the first.
    pub opening: u32,
    /// What is shown.
    pub screen: Screen,
    /// Whether something is being dragged over the window.
    pub dragging: bool,
}

/// What is shown.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Screen {
    /// Waiting for a bundle.
    #[default]
    Start,
    /// Reading one.
    Reading(Reading),
    /// A bundle is open.
    Open(Rc<Open>),
    /// It did not work; a next bundle can be chosen.
    Failed(Rc<Failed>),
}

/// A file as the page speaks of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileInfo {
    /// Name without folders.
    pub name: String,
    /// Size in bytes.
    pub size: u64,
    /// How many files were dropped together; the first is opened.
    pub of: u32,
}

/// A bundle that is being read.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The file.
    pub file: Rc<FileInfo>,
    /// Bytes read so far.
    pub bytes: u64,
    /// Archive entries seen so far.
    pub entries: u64,
}

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
}

/// A bundle that could not be read, or a worker that broke.
#[derive(Debug, Clone, PartialEq)]
pub struct Failed {
    /// The file.
    pub file: Rc<FileInfo>,
    /// What went wrong.
    pub failure: Failure,
}

/// What happens to the page.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Somebody chose a bundle.
    Chosen {
        /// Number of its opening, never used before.
        opening: u32,
        /// The file.
        file: FileInfo,
    },
    /// The worker of an opening said something.
    Told {
        /// Which opening's worker.
        opening: u32,
        /// What it said.
        response: Response,
    },
    /// Somebody wants a report.
    Asked(Question),
    /// Somebody wants to look at another host of the archive, by its index.
    HostChosen(usize),
    /// Somebody wants to see the mounts of the namespace with this key.
    MountsWanted(String),
    /// Somebody stopped the reading or closed the bundle.
    Closed,
    /// Something is dragged over the window, or no longer.
    Dragging(bool),
    /// There is no file to read at all (a page without a demo).
    NoFile(Failure),
}

impl State {
    /// Whether this state needs a worker.
    pub fn needs_worker(&self) -> bool {
        matches!(self.screen, Screen::Reading(_) | Screen::Open(_))
    }

    /// The request that the worker has still to answer, with the opening that it belongs to.
    pub fn outstanding(&self) -> Option<(u32, Request)> {
        match &self.screen {
            Screen::Open(open) if open.choosing.is_some() => {
                open.choosing.map(|index| (self.opening, Request::Host(index)))
            }
            Screen::Open(open) if open.waiting => Some((
                self.opening,
                Request::Explain { number: open.request, question: open.question.clone() },
            )),
            Screen::Open(open) if open.mounts_wanted.is_some() => {
                open.mounts_wanted.clone().map(|key| (self.opening, Request::Tree(key)))
            }
            // After the report: that is what somebody waits for.
            Screen::Open(open) if open.census.is_none() => Some((self.opening, Request::Census)),
            _ => None,
        }
    }

    /// The state after `action`.
    #[must_use]
    pub fn after(&self, action: Action) -> Self {
        let mut next = self.clone();
        match action {
            Action::Chosen { opening, file } => {
                next.opening = opening;
                next.screen = Screen::Reading(Reading { file: Rc::new(file), bytes: 0, entries: 0 });
            }
            Action::Told { opening, response } if opening == self.opening => {
                next.screen = after_response(&self.screen, response);
            }
            Action::Told { .. } => {}
            Action::Asked(question) => next.screen = after_question(&self.screen, question),
            Action::HostChosen(index) => {
                if let Screen::Open(open) = &mut next.screen {
                    Rc::make_mut(open).choosing = Some(index);
                }
            }
            Action::MountsWanted(key) => {
                if let Screen::Open(open) = &mut next.screen {
                    Rc::make_mut(open).mounts_wanted = Some(key);
                }
            }
            Action::Closed => next.screen = Screen::Start,
            Action::Dragging(dragging) => next.dragging = dragging,
            Action::NoFile(failure) => {
                let file = Rc::new(FileInfo { name: String::new(), size: 0, of: 0 });
                next.screen = Screen::Failed(Rc::new(Failed { file, failure }));
            }
        }
        next
    }
}

impl Reducible for State {
    type Action = Action;

    fn reduce(self: Rc<Self>, action: Action) -> Rc<Self> {
        Rc::new(self.after(action))
    }
}

fn after_response(screen: &Screen, response: Response) -> Screen {
    match (screen, response) {
        (Screen::Reading(reading), Response::Progress { bytes, entries }) => {
            Screen::Reading(Reading { file: reading.file.clone(), bytes, entries })
        }
        (Screen::Reading(reading), Response::Opened(opened)) => {
            Screen::Open(Rc::new(open(&reading.file, *opened, 1)))
        }
        // Another host. Numbers go on, so that what is still said of the last one is not taken for an answer.
        (Screen::Open(last), Response::Opened(opened)) => {
            Screen::Open(Rc::new(open(&last.file, *opened, last.request + 1)))
        }
        (Screen::Open(open), Response::Explained { number, report }) if number == open.request => {
            let report = Some(Rc::new(*report));
            Screen::Open(Rc::new(Open { report, answered: number, waiting: false, ..Open::clone(open) }))
        }
        (Screen::Open(open), Response::Census(census)) => {
            Screen::Open(Rc::new(Open { census: Some(Rc::new(*census)), ..Open::clone(open) }))
        }
        (Screen::Open(open), Response::Tree(mounts)) => {
            let wanted = open.mounts_wanted.clone().filter(|key| *key != mounts.asked);
            let mounts = Some(Rc::new(*mounts));
            Screen::Open(Rc::new(Open { mounts, mounts_wanted: wanted, ..Open::clone(open) }))
        }
        (Screen::Reading(Reading { file, .. }), Response::Failed(failure)) => failed(file, failure),
        (Screen::Open(open), Response::Failed(failure)) => failed(&open.file, failure),
        // An answer to a question that is no longer asked, or a word after the end.
        (screen, _) => screen.clone(),
    }
}

/// A bundle just opened: the first busy error is chosen, or what the analyzer finds by itself.
fn open(file: &Rc<FileInfo>, opened: Opened, request: u32) -> Open {
    let Opened { overview, hosts, host } = opened;
    let question = if overview.errors.is_empty() { Question::Default } else { Question::Error(0) };
    Open {
        file: file.clone(),
        overview: Rc::new(overview),
        question,
        request,
        answered: 0,
        report: None,
        waiting: true,
        census: None,
        mounts: None,
        mounts_wanted: None,
        hosts,
        host,
        choosing: None,
    }
}

fn failed(file: &Rc<FileInfo>, failure: Failure) -> Screen {
    Screen::Failed(Rc::new(Failed { file: file.clone(), failure }))
}

fn after_question(screen: &Screen, question: Question) -> Screen {
    match screen {
        Screen::Open(open) => Screen::Open(Rc::new(Open {
            question,
            request: open.request + 1,
            waiting: true,
            ..Open::clone(open)
        })),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests;
