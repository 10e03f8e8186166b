//! Occurrences → one error of each kind, with how often and when it was seen.

use super::busy_error::BusyError;
use super::objects;
use super::roles::Facts;
use super::time::Stamp;
use crate::evidence::Evidence;
use crate::order;
use std::collections::{BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

/// One message that was read.
pub(crate) struct Occurrence {
    pub(crate) facts: Facts,
    /// The message without its wrapping.
    pub(crate) message: String,
    /// The lines as they stand in the log.
    pub(crate) raw: String,
    pub(crate) stamp: Option<Stamp>,
    /// The innermost time as written: message and identity know the same entry in another file.
    pub(crate) identity: String,
    pub(crate) evidence: Evidence,
}

/// So many different errors are kept, those that appeared last. A host that has more has one trouble, not as many; each
/// takes some kilobytes.
const KEPT: usize = 10_000;

/// Errors so far.
#[derive(Debug, Default)]
pub(crate) struct Aggregate {
    kinds: Vec<Kind>,
    by_key: HashMap<String, usize>,
    /// By a hash of time and message: there may be many.
    seen: HashMap<u64, Seen>,
    added: u64,
    forgotten: u64,
}

#[derive(Debug)]
struct Kind {
    key: String,
    error: BusyError,
    first: Option<Stamp>,
    last: Option<Stamp>,
    /// Order of the last appearance.
    order: u64,
    follow_up: bool,
}

/// How often a message was seen in the file that is being read, and at most in any one file.
#[derive(Debug, Default)]
struct Seen {
    file: String,
    here: u32,
    most: u32,
}

impl Aggregate {
    /// Counts an occurrence. The same entry in another file (the journal as text and as JSON) counts once;
    /// repeated in one file it counts each time.
    pub(crate) fn add(&mut self, new: Occurrence) {
        let seen = self.seen.entry(fingerprint(&new.identity, &new.message)).or_default();
        if seen.file != new.evidence.file {
            seen.file.clone_from(&new.evidence.file);
            seen.here = 0;
        }
        seen.here += 1;
        let again = seen.here <= seen.most;
        seen.most = seen.most.max(seen.here);

        let key = key(&new.facts, &new.message);
        self.added += 1;
        let order = self.added;
        let Some(&at) = self.by_key.get(&key) else {
            self.by_key.insert(key.clone(), self.kinds.len());
            self.kinds.push(Kind::new(key, new, order));
            if self.kinds.len() >= 2 * KEPT {
                self.forget();
            }
            return;
        };
        if let Some(kind) = self.kinds.get_mut(at)
            && !again
        {
            kind.repeat(new, order);
        }
    }

    /// How many different errors there were beyond those that are kept.
    pub(crate) fn forgotten(&self) -> u64 {
        self.forgotten + self.kinds.len().saturating_sub(KEPT) as u64
    }

    /// Lets go of those that appeared longest ago.
    fn forget(&mut self) {
        let before = self.kinds.len();
        order::sort_by_key(&mut self.kinds, |k| std::cmp::Reverse(k.order));
        self.kinds.truncate(KEPT);
        self.forgotten += (before - self.kinds.len()) as u64;
        self.by_key.clear();
        self.by_key.extend(self.kinds.iter().enumerate().map(|(at, kind)| (kind.key.clone(), at)));
    }

    /// The errors, see [`super::LogScanner::finish`] for their order. `containers` are ids that some line
    /// calls a container's.
    pub(crate) fn finish(mut self, mut containers: BTreeSet<String>) -> Vec<BusyError> {
        if self.kinds.len() > KEPT {
            self.forget();
        }
        let (follow_ups, mut kinds): (Vec<Kind>, Vec<Kind>) =
            self.kinds.into_iter().partition(|k| k.follow_up);
        // A job's `ERR (1)` counts by itself only where the error it belongs to is not in the log.
        for follow_up in follow_ups {
            match kinds.iter_mut().find(|k| concerns(&k.error, &follow_up.error)) {
                Some(kind) => kind.error.wordings.push(follow_up.error),
                None => kinds.push(follow_up),
            }
        }
        let named = kinds.iter().filter_map(|k| k.error.container_id.clone());
        containers.extend(named.filter(|id| objects::is_full_id(id)));
        order::sort_by_key(&mut kinds, |k| {
            let unix = k.last.as_ref().and_then(|s| s.unix);
            std::cmp::Reverse((unix.is_some(), unix, k.order))
        });
        kinds.into_iter().map(|k| k.error).map(|e| with_container(e, &containers)).collect()
    }
}

/// Where the line alone does not tell that an id is a container's, but another one does.
fn with_container(mut error: BusyError, containers: &BTreeSet<String>) -> BusyError {
    if error.container_id.is_none()
        && let Some(at) = error.other_ids.iter().position(|id| containers.contains(id))
    {
        error.container_id = Some(error.other_ids.remove(at));
    }
    error
}

/// The same on every run: `DefaultHasher::new()` has no random keys.
fn fingerprint(identity: &str, message: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (identity, message).hash(&mut hasher);
    hasher.finish()
}

fn concerns(error: &BusyError, follow_up: &BusyError) -> bool {
    let short = follow_up.container_id.as_deref().unwrap_or_default();
    error.container_id.iter().chain(&error.other_ids).any(|id| id.starts_with(short))
}

impl Kind {
    fn new(key: String, new: Occurrence, order: u64) -> Self {
        let Facts { container_id, other_ids, path, device, driver, runtime, name, busy, follow_up } =
            new.facts;
        let text = new.stamp.as_ref().map(|s| s.text.clone());
        let error = BusyError {
            container_id,
            other_ids,
            path,
            device,
            driver,
            runtime,
            line: new.raw,
            count: 1,
            first: text.clone(),
            last: text,
            name,
            busy,
            evidence: Some(new.evidence),
            wordings: Vec::new(),
        };
        Self { key, error, first: new.stamp.clone(), last: new.stamp, order, follow_up }
    }

    fn repeat(&mut self, new: Occurrence, order: u64) {
        self.error.count = self.error.count.saturating_add(1);
        self.order = order;
        if self.error.name.is_none() {
            self.error.name = new.facts.name;
        }
        let Some(stamp) = new.stamp else { return };
        if earlier(&stamp, self.first.as_ref()) {
            self.error.first = Some(stamp.text.clone());
            self.first = Some(stamp.clone());
        }
        if self.last.is_none() || !earlier(&stamp, self.last.as_ref()) {
            self.error.last = Some(stamp.text.clone());
            self.last = Some(stamp);
        }
    }
}

/// Stamps that cannot be compared are in the order of the log.
fn earlier(new: &Stamp, known: Option<&Stamp>) -> bool {
    match known {
        None => true,
        Some(known) => matches!((new.unix, known.unix), (Some(a), Some(b)) if a < b),
    }
}

/// What makes two errors one kind: the same objects, or the same text where no object is named.
fn key(facts: &Facts, message: &str) -> String {
    let objects = (&facts.container_id, &facts.path, &facts.device, facts.busy, facts.follow_up);
    let named = facts.container_id.is_some() || facts.path.is_some() || facts.device.is_some();
    if named { format!("{objects:?}") } else { format!("{objects:?} {:?} {message}", facts.other_ids) }
}
