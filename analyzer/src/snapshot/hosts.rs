//! Which host a member belongs to. Most archives have one; `sos collect` has an archive for each, and people
//! pack the directories of several into one.

use super::Snapshot;
use super::build::Builder;
use super::entry_path::{EntryPath, Role};
use crate::archive::{Content, End, Entry, Limits};
use crate::bytes::visible;
use crate::evidence::Diagnostic;
use crate::order;
use crate::paste::Paste;

/// Hosts in the making.
#[derive(Debug, Default)]
pub struct Hosts {
    hosts: Vec<Host>,
    /// Texts beside the hosts' directories, with their names.
    loose: Vec<(String, Vec<u8>)>,
    limits: Limits,
    /// Index of the host that the last member belonged to.
    last: usize,
}

#[derive(Debug)]
struct Host {
    archive: Vec<u8>,
    /// Directory above its `proc`; unknown until its first process is seen.
    root: Option<Vec<Vec<u8>>>,
    builder: Builder,
    /// Why its archive in the archive broke off.
    broken: Option<String>,
    /// Files of processes beyond the limit.
    left_out: u64,
}

impl Hosts {
    /// None yet, with limits for those to come.
    pub fn within(limits: &Limits) -> Self {
        Self { limits: *limits, ..Self::default() }
    }

    /// Takes one member.
    pub fn add(&mut self, entry: Entry<'_>) {
        let path = EntryPath::new(entry.path);
        let role = path.role();
        if let (Role::Loose, Content::File(bytes)) = (&role, &entry.content) {
            self.loose.push((path.shown(), bytes.to_vec()));
            return;
        }
        if let Content::Broken(why) = entry.content {
            let inner = self.hosts.iter_mut().filter(|h| !h.archive.is_empty() && h.archive == entry.path);
            for host in inner {
                host.broken = Some(why.to_owned());
            }
        }
        let index = self.host_of(entry.archive, path.root(), matches!(role, Role::OfProcess(..)));
        let Some(host) = self.hosts.get_mut(index) else { return };
        if let Role::OfProcess(pid, _) = &role
            && host.builder.processes() as u64 >= self.limits.processes
            && !host.builder.has_process(*pid)
        {
            host.left_out += 1;
            return;
        }
        host.builder.add_as(&path, role, &entry.content);
    }

    /// The text, where it is one and no archive.
    pub(crate) fn lone_text(&self) -> Option<&[u8]> {
        match &self.loose[..] {
            [(name, text)] if name.is_empty() && !self.hosts.iter().any(|h| h.builder.has_host()) => {
                Some(text)
            }
            _ => None,
        }
    }

    /// A process's directory decides whose root this is; other members belong to the host whose root is the
    /// same directory, above it or below it.
    fn host_of(&mut self, archive: &[u8], root: &[&[u8]], is_process: bool) -> usize {
        let own = |host: &Host| host.archive == archive;
        let is_root = |host: &Host| host.root.as_ref().is_some_and(|r| r == root);
        let related = |host: &Host| {
            host.root.as_ref().is_some_and(|r| {
                r.iter().zip(root).all(|(a, b)| a == b) // one is the beginning of the other
            })
        };
        // Nearly always it is the host of the member before.
        if self.hosts.get(self.last).is_some_and(|h| own(h) && is_root(h)) {
            return self.last;
        }
        let known = self.hosts.iter().position(|h| own(h) && is_root(h));
        let known = known.or_else(|| self.hosts.iter().position(|h| own(h) && !is_process && related(h)));
        let known = known.or_else(|| self.hosts.iter().position(|h| own(h) && h.root.is_none()));
        let index = known.unwrap_or(self.hosts.len());
        let has_others = self.hosts.iter().any(own);
        if known.is_none() {
            let builder = Builder::default();
            self.hosts.push(Host {
                archive: archive.to_vec(),
                root: None,
                builder,
                broken: None,
                left_out: 0,
            });
        }
        if let Some(host) = self.hosts.get_mut(index)
            && (is_process || (known.is_none() && has_others))
        {
            host.root.get_or_insert_with(|| root.iter().map(|c| c.to_vec()).collect());
        }
        self.last = index;
        index
    }

    /// The hosts, sorted by name; empty where there is nothing of a host in it.
    pub fn finish(self, end: &End) -> Vec<Snapshot> {
        let Self { mut hosts, mut loose, limits, .. } = self;
        for host in hosts.iter_mut().filter(|host| host.left_out > 0) {
            host.builder.note_left_out(host.left_out, limits.processes);
        }
        order::sort(&mut loose);
        if !hosts.iter().any(|h| h.builder.has_host()) {
            return without_processes(hosts, loose, end);
        }
        // What else is there are logs and the like of no host.
        hosts.retain(|h| h.builder.has_host());
        if let [host] = &mut hosts[..] {
            for (name, text) in &loose {
                host.builder.add_loose(name, text);
            }
        }
        let alone = hosts.len() == 1;
        let mut named: Vec<(String, Snapshot)> = hosts.into_iter().map(|host| host.finish(end)).collect();
        if !alone {
            name_apart(&mut named);
        }
        let mut snapshots: Vec<Snapshot> = named.into_iter().map(|(_, snapshot)| snapshot).collect();
        order::sort_by(&mut snapshots, |a, b| a.facts.host.cmp(&b.facts.host));
        if !alone {
            let names: Vec<String> = snapshots.iter().filter_map(|s| s.facts.host.clone()).collect();
            for (snapshot, name) in snapshots.iter_mut().zip(&names) {
                snapshot.diagnostics.push(several_hosts(&names, name));
                order::sort(&mut snapshot.diagnostics);
            }
        }
        snapshots
    }
}

impl Host {
    /// The snapshot, with the name of the directory or archive that it lay in.
    fn finish(self, end: &End) -> (String, Snapshot) {
        let root = self.root.as_deref().and_then(<[_]>::last);
        let place = root.filter(|_| self.archive.is_empty()).unwrap_or(&self.archive);
        let own_end = self.broken.map(End::Broken);
        (visible(place), self.builder.finish(own_end.as_ref().unwrap_or(end)))
    }
}

/// A host that does not tell its name is called by where it lay; several of one name by both.
fn name_apart(hosts: &mut [(String, Snapshot)]) {
    let names: Vec<Option<String>> = hosts.iter().map(|(_, s)| s.facts.host.clone()).collect();
    for (place, snapshot) in hosts {
        let alike = names.iter().filter(|n| **n == snapshot.facts.host).count();
        match &mut snapshot.facts.host {
            Some(name) if alike > 1 && !place.is_empty() => *name = format!("{name} ({place})"),
            Some(_) => {}
            unknown => *unknown = Some(if place.is_empty() { "unknown".to_owned() } else { place.clone() }),
        }
    }
}

/// Texts only: pasted, dropped at once, or a supportconfig.
fn without_processes(hosts: Vec<Host>, loose: Vec<(String, Vec<u8>)>, end: &End) -> Vec<Snapshot> {
    let mut builder = hosts.into_iter().next().map(|h| h.builder).unwrap_or_default();
    Paste::read(loose).give_to(&mut builder);
    let snapshot = builder.finish(end);
    let says_something = !snapshot.tables.is_empty()
        || !snapshot.processes.is_empty()
        || !snapshot.errors.is_empty()
        || !snapshot.dm_names.is_empty()
        || !snapshot.containers.is_empty();
    if says_something { vec![snapshot] } else { Vec::new() }
}

fn several_hosts(names: &[String], this: &str) -> Diagnostic {
    Diagnostic {
        code: "several-hosts".into(),
        file: None,
        line: None,
        message: format!(
            "The archive has {} hosts: {}. This report is about {this}.",
            names.len(),
            names.join(", ")
        ),
        advice: "Choose another one with --host NAME, or give its own archive.".into(),
    }
}
