//! Lines → what the hosts have in common. Keeps a few words for each host and holder, never a bundle.

use crate::order;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::{CommonCause, CommonHolder, Fleet, HostLine, SCHEMA, count};
use crate::report::{Effect, Status};

/// So many hosts are named as examples.
const EXAMPLES: usize = 5;

/// Adds up lines, in any order.
/// ```
/// use ebusy_analyzer::fleet::{HostLine, Tally};
///
/// let mut tally = Tally::default();
/// for source in ["a.tar.gz", "b.tar.gz"] {
///     // Of a bundle that opens: `analysis.fleet_lines(source)`.
///     tally.add(&HostLine::unread(source, "empty-input", "The file is empty.", "Ask for it again."));
/// }
/// assert_eq!((tally.fleet().hosts, tally.fleet().failed), (0, 2));
/// ```
#[derive(Debug, Default)]
pub struct Tally {
    failed: u32,
    hosts: BTreeSet<String>,
    held: BTreeSet<String>,
    will_block: BTreeSet<String>,
    /// Those of which a part could not be read.
    partial: BTreeSet<String>,
    holders: BTreeMap<String, BTreeMap<String, Kept>>,
    causes: BTreeMap<String, OfCause>,
}

/// What one holder keeps on one host.
#[derive(Debug, Default)]
struct Kept {
    blocks: bool,
    mounts: u32,
    open_files: u32,
}

#[derive(Debug, Default)]
struct OfCause {
    hosts: BTreeSet<String>,
    holders: BTreeMap<String, BTreeSet<String>>,
    /// Of the first host by name, whatever the order of the lines.
    example: Option<(String, String)>,
}

impl Tally {
    /// Takes one line into account.
    pub fn add(&mut self, line: &HostLine) {
        if line.failure.is_some() {
            self.failed += 1;
            return;
        }
        let host = line.name();
        self.hosts.insert(host.to_owned());
        if line.status == Some(Status::Held) {
            self.held.insert(host.to_owned());
        }
        if !line.complete {
            self.partial.insert(host.to_owned());
        }
        if line.will_block > 0 {
            self.will_block.insert(host.to_owned());
        }
        for holder in &line.holders {
            let on = self.holders.entry(holder.who.clone()).or_default();
            let kept = on.entry(host.to_owned()).or_default();
            kept.blocks |= holder.effect == Effect::Blocking;
            kept.mounts = kept.mounts.max(holder.mounts);
            kept.open_files = kept.open_files.max(holder.open_files);
            let Some(cause) = &holder.cause else { continue };
            let of = self.causes.entry(cause.id.clone()).or_default();
            of.hosts.insert(host.to_owned());
            of.holders.entry(holder.who.clone()).or_default().insert(host.to_owned());
            let mine = (host.to_owned(), cause.summary.clone());
            if of.example.as_ref().is_none_or(|example| mine < *example) {
                of.example = Some(mine);
            }
        }
    }

    /// The sums so far.
    pub fn fleet(&self) -> Fleet {
        let hosts = number(self.hosts.len());
        let mut holders: Vec<CommonHolder> =
            self.holders.iter().map(|(who, on)| common_holder(who, on, hosts)).collect();
        order::sort_by_key(&mut holders, |it| {
            (Reverse((it.hosts, it.blocking_hosts, it.mounts)), it.who.clone())
        });
        let mut causes: Vec<CommonCause> = self.causes.iter().map(|(id, of)| of.common(id, hosts)).collect();
        order::sort_by_key(&mut causes, |it| (Reverse(it.hosts), it.id.clone()));
        let mut fleet = Fleet {
            schema: SCHEMA.to_owned(),
            summary: String::new(),
            hosts,
            failed: self.failed,
            held: number(self.held.len()),
            will_block: number(self.will_block.len()),
            holders,
            causes,
        };
        fleet.summary = summary(&fleet, number(self.partial.len()));
        fleet
    }
}

fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn common_holder(who: &str, on: &BTreeMap<String, Kept>, all: u32) -> CommonHolder {
    let hosts = number(on.len());
    let blocking_hosts = number(on.values().filter(|kept| kept.blocks).count());
    let mounts: u32 = on.values().map(|kept| kept.mounts).sum();
    let open_files: u32 = on.values().map(|kept| kept.open_files).sum();
    let what = match (mounts, open_files) {
        (0, 0) => "what could not be removed".to_owned(),
        (0, files) => count(files, "open file", "open files"),
        (mounts, _) => count(mounts, "mount", "mounts"),
    };
    let blocks = match blocking_hosts {
        0 => "; none of it blocks a removal".to_owned(),
        n if n == hosts => String::new(),
        n => format!("; it blocks on {n}"),
    };
    CommonHolder {
        who: who.to_owned(),
        hosts,
        blocking_hosts,
        mounts,
        open_files,
        sentence: format!("{who} {} {what} on {}{blocks}", verb(who), of_hosts(hosts, all)),
        // Those where it blocks are worth a look first.
        examples: {
            let (blocked, others): (Vec<_>, Vec<_>) = on.iter().partition(|(_, kept)| kept.blocks);
            blocked.into_iter().chain(others).take(EXAMPLES).map(|(host, _)| host.clone()).collect()
        },
    }
}

fn verb(who: &str) -> &'static str {
    if who.starts_with("containers of ") { "hold" } else { "holds" }
}

/// `61 of 400 hosts`.
fn of_hosts(some: u32, all: u32) -> String {
    format!("{some} of {}", count(all, "host", "hosts"))
}

impl OfCause {
    fn common(&self, id: &str, all: u32) -> CommonCause {
        let hosts = number(self.hosts.len());
        let mut holders: Vec<(String, u32)> =
            self.holders.iter().map(|(who, on)| (who.clone(), number(on.len()))).collect();
        order::sort_by_key(&mut holders, |(who, on)| (Reverse(*on), who.clone()));
        let mut who: Vec<&str> = holders.iter().take(3).map(|(who, _)| who.as_str()).collect();
        let more = format!("{} more", holders.len().saturating_sub(who.len()));
        if holders.len() > who.len() {
            who.push(&more);
        }
        CommonCause {
            id: id.to_owned(),
            hosts,
            sentence: format!("{} on {}: {}", id.replace('-', " "), of_hosts(hosts, all), who.join(", ")),
            holders,
            example: self.example.as_ref().map(|(_, text)| text.clone()).unwrap_or_default(),
        }
    }
}

fn summary(fleet: &Fleet, partial: u32) -> String {
    let failed = match fleet.failed {
        0 => String::new(),
        n => format!(" {} could not be read.", count(n, "bundle", "bundles")),
    };
    if fleet.hosts == 0 {
        return format!("No host was read.{failed}");
    }
    let partial = match partial {
        0 => String::new(),
        n => format!(" Of {} only a part could be read.", count(n, "host", "hosts")),
    };
    let held = match fleet.held {
        0 => format!(
            "Nothing is held on {}",
            match fleet.hosts {
                1 => "the one host".to_owned(),
                n => format!("any of {n} hosts"),
            }
        ),
        n => format!("Something is held on {}", of_hosts(n, fleet.hosts)),
    };
    let later = match fleet.will_block {
        0 => String::new(),
        n => format!("; what lives on will block a removal on {n}"),
    };
    let worst = fleet.holders.first().map(|holder| format!(" {}.", capital(&holder.sentence)));
    format!("{held}{later}.{}{partial}{failed}", worst.unwrap_or_default())
}

/// Units and programs keep the case in which they are typed.
fn capital(sentence: &str) -> String {
    for (small, large) in
        [("containers of ", "Containers of "), ("container ", "Container "), ("the ", "The "), ("a ", "A ")]
    {
        if let Some(rest) = sentence.strip_prefix(small) {
            return format!("{large}{rest}");
        }
    }
    sentence.to_owned()
}
