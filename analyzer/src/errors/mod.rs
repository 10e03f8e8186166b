//! Log lines → busy errors.
//!
//! | step | module |
//! |---|---|
//! | log → records worth reading, wrapped lines joined | [`records`] |
//! | record → message, time, program | [`frame`] (with [`clean`] and [`time`]) |
//! | does the message say "busy", or something that only looks like it? | [`wording`] (a table) |
//! | operands between the known words | [`clauses`] (a table), [`matching`] |
//! | tokens that name an object, whatever stands around them | [`objects`] |
//! | which id is the container's, what is busy | [`roles`], [`classify`] |
//! | occurrences → one error of each kind | [`aggregate`] |
//! | errors of one failure → one, with all its wordings | [`failures`] |
//! | container ↔ layer and name, also outside of errors | [`links`] |
//!
//! No bytes make it fail: what is not text is shown as `\xNN`, what is not understood is left out.
//! `docs/adding-a-wording.md` tells how to teach it another line.

mod aggregate;
mod busy_error;
mod classify;
mod clauses;
mod clean;
pub(crate) mod failures;
mod frame;
mod links;
mod locale;
mod matching;
mod objects;
mod proof;
mod records;
mod roles;
pub(crate) mod time;
mod wording;

pub use busy_error::{BusyError, BusyKind};
pub(crate) use clean::strip_ansi;
pub(crate) use frame::starts_record;
pub use links::IdLink;
pub(crate) use records::stems;

use crate::evidence::Evidence;
use aggregate::{Aggregate, Occurrence};
use roles::Facts;
use std::collections::{BTreeMap, HashMap};
use time::Stamp;

/// The busy errors of one log, see [`LogScanner::finish`].
///
/// ```
/// let log = b"level=error msg=\"Handler for DELETE returned error: Driver devicemapper failed to remove root \
///     filesystem 5a4e5b6c7d8e9f00112233445566778899aabbccddeeff00112233445566aabb: Device is Busy\"\n";
/// let errors = ebusy_analyzer::errors::scan(log);
/// assert_eq!(errors.len(), 1);
/// assert_eq!(errors[0].driver.as_deref(), Some("devicemapper"));
/// assert!(ebusy_analyzer::errors::scan(b"all lines are busy, please hold\n").is_empty());
/// ```
pub fn scan(log: &[u8]) -> Vec<BusyError> {
    let mut scanner = LogScanner::new();
    scanner.push_file("", log);
    scanner.finish()
}

/// Reads the log files of one host, one after the other.
///
/// ```
/// use ebusy_analyzer::errors::LogScanner;
///
/// let mut scanner = LogScanner::new();
/// scanner.push_file("docker.log", b"umount: /var/lib/docker/overlay2/9f/merged: target is busy.\n");
/// scanner.push_file("messages", b"all is well\n");
/// assert_eq!(scanner.lines_read(), 2);
/// let errors = scanner.finish();
/// assert_eq!(errors[0].path.as_deref(), Some("/var/lib/docker/overlay2/9f/merged"));
/// ```
#[derive(Debug, Default)]
pub struct LogScanner {
    errors: Aggregate,
    /// The first evidence of each link.
    links: BTreeMap<(String, Option<String>, Option<String>), IdLink>,
    lines: u64,
    /// Facts of messages that were seen before: runtimes repeat themselves.
    known: HashMap<(String, Option<String>), Option<Facts>>,
}

/// More messages than this are not remembered.
const KNOWN: usize = 4096;

impl LogScanner {
    /// A scanner that has read nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads one log in any format; `file` is what evidence names, the file's path in the bundle.
    pub fn push_file(&mut self, file: &str, bytes: &[u8]) {
        let lines = records::each_candidate(bytes, |candidate| self.push(file, candidate));
        self.lines += lines;
    }

    fn push(&mut self, file: &str, candidate: records::Candidate) {
        let mut record = frame::read(&candidate.joined);
        if let (None, Some(micros)) = (&record.stamp, candidate.micros) {
            let stamp = Stamp::from_micros(micros);
            record.identity = micros.div_euclid(1_000_000).to_string();
            record.stamp = Some(stamp);
        }
        let evidence =
            Evidence { file: file.to_owned(), line: Some(candidate.line), text: candidate.raw.clone() };
        for link in links::links(&record.text, &evidence) {
            let key = (link.container_id.clone(), link.layer_id.clone(), link.name.clone());
            let known = self.links.entry(key).or_insert_with(|| link.clone());
            known.certain |= link.certain;
        }
        let Some(facts) = self.facts(&record) else { return };
        self.errors.add(Occurrence {
            facts,
            message: record.text,
            raw: candidate.raw,
            stamp: record.stamp,
            identity: record.identity,
            evidence,
        });
    }

    fn facts(&mut self, record: &frame::Record) -> Option<Facts> {
        let key = (record.text.clone(), record.program.clone());
        if let Some(facts) = self.known.get(&key) {
            return facts.clone();
        }
        let facts = roles::interpret(&record.text, record.program.as_deref());
        if self.known.len() < KNOWN {
            self.known.insert(key, facts.clone());
        }
        facts
    }

    /// Lines read so far, of all files.
    pub fn lines_read(&self) -> u64 {
        self.lines
    }

    /// How many different errors there were beyond the 10,000 that appeared last, which are kept.
    pub fn forgotten(&self) -> u64 {
        self.errors.forgotten()
    }

    /// Which container has which layer or name, as the logs tell it; sorted by container.
    pub fn links(&self) -> Vec<IdLink> {
        self.links.values().cloned().collect()
    }

    /// The errors: those with a full time by when they were last seen, latest first; then those without
    /// (year or zone are missing), the one that appeared last in the logs first.
    pub fn finish(self) -> Vec<BusyError> {
        let certain = self.links.into_values().filter(|l| l.certain).map(|l| l.container_id);
        self.errors.finish(crate::order::set(certain))
    }
}

#[cfg(test)]
mod tests;
