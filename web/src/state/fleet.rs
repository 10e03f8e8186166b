//! Bundles that were given together: which are read, what is known of each, in which order they are listed.

use super::FileInfo;
use crate::worker::protocol::{Failure, Response};
use ebusy_analyzer::fleet::{Fleet as Common, HostLine, Tally};
use std::rc::Rc;

/// So many bundles are read at once. More would only share the same cores and memory.
const AT_ONCE: usize = 2;

/// So many times at most the sums are made anew while bundles come in.
const STEPS: usize = 100;

/// The bundles.
#[derive(Debug, Clone, PartialEq)]
pub struct Fleet {
    /// Number of the opening that it began with.
    pub number: u32,
    /// In the order in which they were given.
    pub bundles: Vec<Bundle>,
    /// Hosts that are known, worst first.
    pub rows: Vec<Row>,
    /// What the hosts have in common.
    pub common: Rc<Common>,
    /// Hosts that are chosen to be compared, at most two.
    pub marked: Vec<Place>,
}

/// One file.
#[derive(Debug, Clone, PartialEq)]
pub struct Bundle {
    /// The file.
    pub file: Rc<FileInfo>,
    /// How far it is.
    pub stage: Stage,
}

/// How far a bundle is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Others come first.
    Waiting,
    /// So many bytes of it are read.
    Reading(u64),
    /// Its lines are in the list, or why there are none.
    Done,
    /// Somebody stopped it.
    Stopped,
}

/// A host: which bundle, and which host in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Index of the bundle.
    pub bundle: usize,
    /// Index of the host in it.
    pub host: usize,
}

/// A host of the list.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Which.
    pub place: Place,
    /// What is known of it.
    pub line: Rc<HostLine>,
}

impl Fleet {
    /// Files that nobody has read yet; the first ones are started.
    pub fn new(number: u32, files: Vec<FileInfo>) -> Self {
        let bundle = |file| Bundle { file: Rc::new(file), stage: Stage::Waiting };
        let mut fleet = Self::of(number, files.into_iter().map(bundle).collect());
        fleet.start_next();
        fleet
    }

    /// One archive of several hosts that is read already.
    pub fn of_archive(number: u32, file: &Rc<FileInfo>, lines: Vec<HostLine>) -> Self {
        let mut fleet =
            Self::of(number, vec![Bundle { file: file.clone(), stage: Stage::Reading(file.size) }]);
        fleet.done(0, lines);
        fleet
    }

    fn of(number: u32, bundles: Vec<Bundle>) -> Self {
        let common = Rc::new(Tally::default().fleet());
        Self { number, bundles, rows: Vec::new(), common, marked: Vec::new() }
    }

    /// Indexes of the bundles that are being read.
    pub fn reading(&self) -> Vec<usize> {
        let reading = |bundle: &Bundle| matches!(bundle.stage, Stage::Reading(_));
        (0..self.bundles.len()).filter(|index| self.bundles.get(*index).is_some_and(reading)).collect()
    }

    /// How many bundles are no longer waited for.
    pub fn finished(&self) -> usize {
        self.bundles.iter().filter(|bundle| matches!(bundle.stage, Stage::Done | Stage::Stopped)).count()
    }

    /// Whether nothing is read any more.
    pub fn is_over(&self) -> bool {
        self.finished() == self.bundles.len()
    }

    /// The line of a host.
    pub fn line(&self, place: Place) -> Option<&Rc<HostLine>> {
        self.rows.iter().find(|row| row.place == place).map(|row| &row.line)
    }

    /// The two hosts to compare, the earlier bundle first; `None` until two are chosen.
    pub fn pair(&self) -> Option<[Place; 2]> {
        let [a, b] = self.marked[..] else { return None };
        self.in_order(a, b)
    }

    /// The only two bundles, where both are of one host.
    pub fn only_pair(&self) -> Option<[Place; 2]> {
        let [a, b] = &self.rows[..] else { return None };
        let two = self.bundles.len() == 2 && self.is_over() && a.line.is_same_host(&b.line);
        two.then(|| self.in_order(a.place, b.place)).flatten()
    }

    fn in_order(&self, a: Place, b: Place) -> Option<[Place; 2]> {
        let taken = |place| self.line(place).map(|line| line.host.collected_at.clone());
        // Without a time, the order in which they were given is all there is.
        Some(if (taken(a)?, a) <= (taken(b)?, b) { [a, b] } else { [b, a] })
    }

    /// Chooses a host for the comparison, or no longer. A third one takes the place of the first.
    pub(super) fn mark(&mut self, place: Place) {
        if let Some(index) = self.marked.iter().position(|marked| *marked == place) {
            self.marked.remove(index);
            return;
        }
        if self.marked.len() == 2 {
            self.marked.remove(0);
        }
        self.marked.push(place);
    }

    /// Takes what the worker of a bundle said.
    pub(super) fn told(&mut self, index: usize, response: Response) {
        let Some(bundle) = self.bundles.get_mut(index) else { return };
        let Stage::Reading(bytes) = &mut bundle.stage else { return };
        match response {
            Response::Progress { bytes: read, .. } | Response::AllRead { bytes: read } => *bytes = read,
            Response::Lines(lines) => self.done(index, lines),
            Response::Failed(failure) => {
                let Failure { code, message, advice } = &failure;
                let line = HostLine::unread(&bundle.file.name, code, message, advice);
                self.done(index, vec![line]);
            }
            _ => {}
        }
    }

    /// Reads no further. What is known stays.
    pub(super) fn stop(&mut self, index: Option<usize>) {
        for (at, bundle) in self.bundles.iter_mut().enumerate() {
            let meant = index.is_none_or(|index| index == at);
            if meant && bundle.stage != Stage::Done {
                bundle.stage = Stage::Stopped;
            }
        }
        self.start_next();
        self.sum_up();
    }

    fn done(&mut self, index: usize, lines: Vec<HostLine>) {
        for (host, line) in lines.into_iter().enumerate() {
            let row = Row { place: Place { bundle: index, host }, line: Rc::new(line) };
            let at = self.rows.partition_point(|other| other.line.worst_first(&row.line).is_le());
            self.rows.insert(at, row);
        }
        if let Some(bundle) = self.bundles.get_mut(index) {
            bundle.stage = Stage::Done;
        }
        self.start_next();
        let (done, all) = (self.finished(), self.bundles.len());
        if self.is_over() || done * STEPS / all != (done - 1) * STEPS / all {
            self.sum_up();
        }
    }

    fn start_next(&mut self) {
        let free = AT_ONCE.saturating_sub(self.reading().len());
        let waiting = self.bundles.iter_mut().filter(|bundle| bundle.stage == Stage::Waiting);
        for bundle in waiting.take(free) {
            bundle.stage = Stage::Reading(0);
        }
    }

    fn sum_up(&mut self) {
        let mut tally = Tally::default();
        self.rows.iter().for_each(|row| tally.add(&row.line));
        self.common = Rc::new(tally.fleet());
    }
}
