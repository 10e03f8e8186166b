//! What the page knows and how that changes: no browser, no clock, no side effects.
//!
//! A bundle that is looked at is an *opening*. What a worker says carries its opening's number, and what an
//! earlier opening still says is dropped: cancel and replace are safe at any time.

pub mod fleet;
pub mod given;
mod open;

use crate::worker::protocol::{Failure, Question, Request, Response};
use ebusy_analyzer::diff::Diff;
use ebusy_analyzer::report::link::{Shared, ViewLink};
use ebusy_analyzer::report::saved::SavedBundle;
use fleet::{Fleet, Place};
use given::{Inside, Origin, Pending, Source};
pub use open::{Open, Tab};
use std::rc::Rc;
use yew::{AttrValue, Reducible};

/// All that the page knows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    /// Number of the current bundle; 0 before the first.
    pub opening: u32,
    /// What is shown.
    pub screen: Screen,
    /// Bundles that were given together, as long as there is a way back to their list.
    pub fleet: Option<Rc<Fleet>>,
    /// Text that somebody typed in place of a file: it is there again when it could not be explained.
    pub draft: AttrValue,
    /// Whether something is being dragged over the window.
    pub dragging: bool,
    /// The bundle that a link asks for, until one is open.
    pub wanted: Option<Rc<ViewLink>>,
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
    /// The list of hosts of [`State::fleet`], with the bundle that is still open behind it.
    Hosts(Option<Rc<Open>>),
    /// Two bundles beside each other.
    Comparing(Rc<Comparing>),
}

/// A file as the page speaks of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileInfo {
    /// Name without folders.
    pub name: String,
    /// Size in bytes.
    pub size: u64,
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
    /// Whether the file is read to its end and only has to be put together.
    pub all_read: bool,
    /// Which host of the fleet it is, where it was chosen from the list.
    pub place: Option<Place>,
}

/// A bundle that could not be read, or a worker that broke.
#[derive(Debug, Clone, PartialEq)]
pub struct Failed {
    /// The file.
    pub file: Rc<FileInfo>,
    /// What went wrong.
    pub failure: Failure,
}

/// Two bundles, the earlier one first.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparing {
    /// Which hosts of the fleet.
    pub pair: [Place; 2],
    /// What changed, once it is known.
    pub diff: Option<Rc<Diff>>,
}

/// What happens to the page.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Somebody chose bundles: one is opened, several are listed.
    Chosen {
        /// Number of the opening, never used before.
        opening: u32,
        /// The files; at least one.
        files: Vec<FileInfo>,
    },
    /// Somebody wants to look at a host of the list.
    HostPicked {
        /// Number of its opening, never used before. Not used where its bundle is still open.
        opening: u32,
        /// Which.
        place: Place,
    },
    /// Two hosts of the list are to be compared.
    Compare {
        /// Number of the opening, never used before.
        opening: u32,
        /// Which, the earlier first.
        pair: [Place; 2],
    },
    /// A host is chosen for a comparison, or no longer.
    Marked(Place),
    /// Back to the list of hosts.
    Listed,
    /// One bundle of the list, or all, are to be read no further.
    Stopped(Option<usize>),
    /// The worker of an opening said something.
    Told {
        /// Which opening's worker.
        opening: u32,
        /// What it said.
        response: Response,
    },
    /// The worker of a bundle of the list said something.
    FleetTold {
        /// Which list's.
        number: u32,
        /// Which bundle's.
        bundle: usize,
        /// What it said.
        response: Response,
    },
    /// Somebody wants a report.
    Asked(Question),
    /// Somebody wants to look at another host of the archive, by its index.
    HostChosen(usize),
    /// Somebody wants to see the mounts of the namespace with this key.
    MountsWanted(String),
    /// Somebody wants to see another side of the host.
    TabChosen(Tab),
    /// Somebody stopped the reading or closed the bundle.
    Closed,
    /// Somebody typed text in place of a file and wants it explained.
    Drafted(AttrValue),
    /// Something is dragged over the window, or no longer.
    Dragging(bool),
    /// There is no file to read at all (a page without a demo, a link that cannot be opened).
    NoFile(Failure),
    /// A link or the page's own file brought a report.
    Shown {
        /// Number of the opening, never used before.
        opening: u32,
        /// The report.
        shared: Box<Shared>,
        /// From where.
        source: Source,
    },
    /// The bundle in the page's own file is being read; what is shown stays.
    Inside {
        /// Number of the opening, never used before.
        opening: u32,
        /// Which bundle.
        bundle: SavedBundle,
    },
    /// A link asks for a bundle.
    Wanted(Box<ViewLink>),
    /// Somebody wants to know the bundle's hash.
    HashWanted,
}

impl State {
    /// Whether this state needs the worker of the current opening.
    pub fn needs_worker(&self) -> bool {
        match &self.screen {
            Screen::Reading(_) | Screen::Open(_) | Screen::Hosts(Some(_)) | Screen::Comparing(_) => true,
            Screen::Start | Screen::Failed(_) | Screen::Hosts(None) => false,
        }
    }

    /// The list that is being read, by its number, and the bundles of it that need a worker now.
    pub fn fleet_workers(&self) -> (u32, Vec<usize>) {
        self.fleet.as_ref().map(|fleet| (fleet.number, fleet.reading())).unwrap_or_default()
    }

    /// The request that the worker has still to answer, with the opening that it belongs to.
    pub fn outstanding(&self) -> Option<(u32, Request)> {
        match &self.screen {
            Screen::Open(open) => {
                open.outstanding(self.fleet.is_some()).map(|request| (self.opening, request))
            }
            _ => None,
        }
    }

    /// Two bundles of one host were given and both are read: what changed is what they were given for.
    pub fn pair_to_compare(&self) -> Option<[Place; 2]> {
        let list = matches!(self.screen, Screen::Hosts(None));
        self.fleet.as_ref().filter(|fleet| list && fleet.marked.is_empty())?.only_pair()
    }

    /// The state after `action`.
    #[must_use]
    pub fn after(&self, action: Action) -> Self {
        let mut next = self.clone();
        match action {
            Action::Chosen { opening, files } => next.choose(opening, files),
            Action::HostPicked { opening, place } => next.pick(opening, place),
            Action::Compare { opening, pair } => {
                next.opening = opening;
                next.screen = Screen::Comparing(Rc::new(Comparing { pair, diff: None }));
                // They stay chosen, so that the way back does not lead here again by itself.
                next.change_fleet(|fleet| fleet.marked = pair.to_vec());
            }
            Action::Marked(place) => next.change_fleet(|fleet| fleet.mark(place)),
            Action::Stopped(bundle) => next.change_fleet(|fleet| fleet.stop(bundle)),
            Action::Listed => next.list(),
            Action::Told { opening, response } if opening == self.opening => next.hear(response),
            Action::Told { .. } => {}
            Action::FleetTold { number, bundle, response } => next.change_fleet(|fleet| {
                if fleet.number == number {
                    fleet.told(bundle, response);
                }
            }),
            Action::Asked(question) => next.change_open(|open| open.ask(question)),
            Action::HostChosen(index) => next.change_open(|open| open.choosing = Some(index)),
            Action::MountsWanted(key) => next.change_open(|open| {
                open.mounts_wanted = Some(key);
                open.tab = Tab::Mounts;
            }),
            Action::TabChosen(tab) => next.change_open(|open| open.tab = tab),
            Action::Closed => next.close(),
            Action::Drafted(draft) => next.draft = draft,
            Action::Dragging(dragging) => next.dragging = dragging,
            Action::NoFile(failure) => {
                let file = Rc::new(FileInfo { name: String::new(), size: 0 });
                next.screen = Screen::Failed(Rc::new(Failed { file, failure }));
            }
            Action::Shown { opening, shared, source } => {
                next.opening = opening;
                next.fleet = None;
                next.wanted = None;
                next.screen = Screen::Open(Rc::new(given::shown(*shared, source)));
            }
            Action::Inside { opening, bundle } => next.read_inside(opening, bundle),
            Action::Wanted(link) => {
                next.wanted = Some(Rc::new(*link));
                next.screen = Screen::Start;
            }
            Action::HashWanted => next.change_open(|open| open.given.hash_wanted = true),
        }
        next
    }

    fn change_fleet(&mut self, change: impl FnOnce(&mut Fleet)) {
        if let Some(fleet) = &mut self.fleet {
            change(Rc::make_mut(fleet));
        }
    }

    fn change_open(&mut self, change: impl FnOnce(&mut Open)) {
        if let Screen::Open(open) = &mut self.screen {
            change(Rc::make_mut(open));
        }
    }

    fn read_inside(&mut self, opening: u32, bundle: SavedBundle) {
        self.opening = opening;
        self.change_open(|open| {
            open.given.pending =
                Some(Pending { host: bundle.host, about: bundle.about.clone(), tab: Tab::Report });
            if let Some(origin) = &open.given.origin {
                let inside = Inside::Reading(bundle);
                open.given.origin = Some(Rc::new(Origin { inside, ..Origin::clone(origin) }));
            }
        });
    }

    /// A bundle was opened that a link asked for: it is looked at as the link wants, where it is the right one.
    fn meet_wish(&mut self) {
        let Some(link) = self.wanted.take_if(|_| matches!(self.screen, Screen::Open(_))) else { return };
        self.change_open(|open| {
            if link.size == open.file.size {
                given::go_on(open, Some(Pending::of(&link)));
            }
            open.given.expected = Some(link);
        });
    }

    fn choose(&mut self, opening: u32, mut files: Vec<FileInfo>) {
        self.opening = opening;
        if files.len() > 1 {
            self.fleet = Some(Rc::new(Fleet::new(opening, files)));
            self.screen = Screen::Hosts(None);
        } else if let Some(file) = files.pop() {
            self.fleet = None;
            self.screen = reading(Rc::new(file), None);
        }
    }

    /// A host of the list: its bundle is opened again, unless it is still open.
    fn pick(&mut self, opening: u32, place: Place) {
        let Some(fleet) = &self.fleet else { return };
        if let Screen::Hosts(Some(open)) = &self.screen
            && open.place.is_some_and(|open| open.bundle == place.bundle)
        {
            let mut open = Open::clone(open);
            open.go_to(place);
            self.screen = Screen::Open(Rc::new(open));
        } else if let Some(bundle) = fleet.bundles.get(place.bundle) {
            self.opening = opening;
            self.screen = reading(bundle.file.clone(), Some(place));
        }
    }

    /// Back to where it came from: the list for one of its hosts that is still being read, else the start.
    fn close(&mut self) {
        if matches!(&self.screen, Screen::Reading(Reading { place: Some(_), .. })) {
            return self.list();
        }
        self.screen = Screen::Start;
        self.fleet = None;
        self.wanted = None;
    }

    fn list(&mut self) {
        if self.fleet.is_some() {
            self.screen = match &self.screen {
                Screen::Open(open) => Screen::Hosts(Some(open.clone())),
                _ => Screen::Hosts(None),
            };
        }
    }

    fn hear(&mut self, response: Response) {
        // An archive of several hosts was dropped: its list comes first, and it stays open behind it.
        if let (Screen::Open(open), Response::Lines(lines)) = (&self.screen, &response) {
            if self.fleet.is_none() {
                self.fleet = Some(Rc::new(Fleet::of_archive(self.opening, &open.file, lines.clone())));
                let mut open = Open::clone(open);
                open.place = Some(Place { bundle: 0, host: open.host });
                // A link or a saved page wants to show one of them: then that comes first.
                let linked = open.given.expected.is_some() || open.answered > 0;
                let open = Rc::new(open);
                self.screen = if linked { Screen::Open(open) } else { Screen::Hosts(Some(open)) };
            }
            return;
        }
        self.screen = after_response(&self.screen, response);
        self.meet_wish();
    }
}

impl Reducible for State {
    type Action = Action;

    fn reduce(self: Rc<Self>, action: Action) -> Rc<Self> {
        Rc::new(self.after(action))
    }
}

fn reading(file: Rc<FileInfo>, place: Option<Place>) -> Screen {
    Screen::Reading(Reading { file, bytes: 0, entries: 0, all_read: false, place })
}

fn after_response(screen: &Screen, response: Response) -> Screen {
    match (screen, response) {
        (Screen::Reading(reading), Response::Progress { bytes, entries }) => {
            Screen::Reading(Reading { bytes, entries, ..reading.clone() })
        }
        (Screen::Reading(reading), Response::AllRead { bytes }) => {
            Screen::Reading(Reading { bytes, all_read: true, ..reading.clone() })
        }
        (Screen::Reading(reading), Response::Opened(opened)) => {
            Screen::Open(Rc::new(Open::new(&reading.file, *opened, reading.place)))
        }
        // A file that is a report already.
        (Screen::Reading(reading), Response::Explained { report, .. }) => {
            let shared = Shared { report: *report, left_out: Vec::new(), replaced: Vec::new() };
            let mut open = given::shown(shared, Source::File);
            open.file = reading.file.clone();
            Screen::Open(Rc::new(open))
        }
        (Screen::Open(open), response) => open.after(response),
        (Screen::Reading(Reading { file, .. }), Response::Failed(failure)) => failed(file, failure),
        (Screen::Comparing(comparing), Response::Compared(diff)) => {
            Screen::Comparing(Rc::new(Comparing { pair: comparing.pair, diff: Some(Rc::new(*diff)) }))
        }
        (Screen::Comparing(_), Response::Failed(failure)) => {
            failed(&Rc::new(FileInfo { name: String::new(), size: 0 }), failure)
        }
        // A word after the end, or one that nobody waits for.
        (screen, _) => screen.clone(),
    }
}

fn failed(file: &Rc<FileInfo>, failure: Failure) -> Screen {
    Screen::Failed(Rc::new(Failed { file: file.clone(), failure }))
}

#[cfg(test)]
mod tests;
