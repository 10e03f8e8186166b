//! The names that a report tells about itself, and the stand-ins for everything that is replaced.

use super::{Kind, Replaced};
use crate::order;
use crate::report::{AliasKind, BusyError, Report};

/// Stands for the arguments of a command line.
pub(super) const CUT: &str = "…";

/// Names that are words of the trade: they tell nobody's, and replacing them would make the text unreadable.
#[rustfmt::skip]
const COMMON: &[&str] = &[
    "app",
    "bash",
    "cgroup",
    "container",
    "containerd",
    "containers",
    "crio",
    "daemon",
    "data",
    "default",
    "dev",
    "device",
    "devicemapper",
    "docker",
    "dockerd",
    "etc",
    "exec",
    "held",
    "host",
    "init",
    "kernel",
    "kubelet",
    "lib",
    "localhost",
    "log",
    "logs",
    "mnt",
    "mount",
    "mounts",
    "name",
    "namespace",
    "none",
    "overlay",
    "overlay2",
    "pid",
    "podman",
    "proc",
    "process",
    "restart",
    "root",
    "rootfs",
    "run",
    "runtime",
    "service",
    "shm",
    "sys",
    "system",
    "systemd",
    "tmp",
    "tmpfs",
    "umount",
    "unknown",
    "usr",
    "var",
];

/// One name and what stands for it.
#[derive(Debug)]
struct Term {
    kind: Kind,
    name: String,
    places: u32,
}

/// What is replaced, and how often it was.
#[derive(Debug)]
pub(super) struct Terms {
    /// In the order in which they got their numbers.
    terms: Vec<Term>,
    /// Names that stand for themselves wherever they occur as a word, the longest first: indexes in `terms`.
    words: Vec<usize>,
    kinds: Vec<Kind>,
    /// Paths that the finding is about.
    pub(super) kept_paths: Vec<String>,
}

impl Terms {
    /// The names of these kinds that stand in a report's own fields.
    pub(super) fn of(report: &Report, kinds: &[Kind]) -> Self {
        let mut all = Self {
            terms: Vec::new(),
            words: Vec::new(),
            kinds: kinds.to_vec(),
            kept_paths: kept_paths(report),
        };
        let containers = report.holders.iter().filter_map(|h| h.container.as_ref());
        all.add(Kind::Host, report.host.name.as_deref().map(short_host).iter());
        all.add(Kind::Container, report.target.name.iter());
        let names = report.target.aliases.iter().filter(|a| a.kind == AliasKind::Name).map(|a| &a.value);
        all.add(Kind::Container, names);
        all.add(Kind::Container, containers.clone().filter_map(|c| c.name.as_ref()));
        all.add(
            Kind::Container,
            report.errors.iter().flat_map(BusyError::all).filter_map(|e| e.name.as_ref()),
        );
        all.add(Kind::Container, report.target.candidates.iter().filter(|c| !is_id(c)));
        all.add(Kind::Image, containers.filter_map(|c| c.image.as_ref()));
        let terms = &all.terms;
        order::sort_by_key(&mut all.words, |index| std::cmp::Reverse(terms[*index].name.len()));
        all
    }

    fn add<'a>(&mut self, kind: Kind, names: impl Iterator<Item = &'a String>) {
        for name in names {
            if self.has(kind) && name.len() >= 2 && !COMMON.contains(&name.as_str()) && !is_id(name) {
                let index = self.index_of(kind, name);
                if !self.words.contains(&index) {
                    self.words.push(index);
                }
            }
        }
    }

    fn index_of(&mut self, kind: Kind, name: &str) -> usize {
        self.terms.iter().position(|t| t.kind == kind && t.name == name).unwrap_or_else(|| {
            self.terms.push(Term { kind, name: name.to_owned(), places: 0 });
            self.terms.len() - 1
        })
    }

    /// Whether this kind is replaced.
    pub(super) fn has(&self, kind: Kind) -> bool {
        self.kinds.contains(&kind)
    }

    /// What stands for a name that was found in a text; the next number where it is new.
    pub(super) fn stand_in(&mut self, kind: Kind, name: &str) -> String {
        let index = self.index_of(kind, name);
        self.terms[index].places = self.terms[index].places.saturating_add(1);
        let number = self.terms[..=index].iter().filter(|t| t.kind == kind).count();
        format!("{}-{number}", kind.stem())
    }

    /// The name that a text begins with, where a whole word ends there.
    pub(super) fn word_at(&self, text: &str) -> Option<(Kind, String)> {
        let found = self.words.iter().map(|index| &self.terms[*index]).find(|term| {
            text.strip_prefix(term.name.as_str()).is_some_and(|rest| !rest.starts_with(is_word))
        })?;
        Some((found.kind, found.name.clone()))
    }

    /// How often each kind was replaced.
    pub(super) fn replaced(&self) -> Vec<Replaced> {
        let of_kind = |kind: Kind| self.terms.iter().filter(move |t| t.kind == kind && t.places > 0);
        super::KINDS
            .iter()
            .map(|kind| Replaced {
                kind: *kind,
                different: u32::try_from(of_kind(*kind).count()).unwrap_or(u32::MAX),
                places: of_kind(*kind).map(|t| t.places).fold(0, u32::saturating_add),
            })
            .filter(|r| r.places > 0)
            .collect()
    }
}

/// Mounts and names of the target, and what is busy in the log: without these there is no finding.
fn kept_paths(report: &Report) -> Vec<String> {
    let aliases =
        report.target.aliases.iter().filter(|a| matches!(a.kind, AliasKind::Path | AliasKind::UpperDir));
    let mounts = report.holders.iter().flat_map(|h| &h.mounts);
    aliases
        .map(|a| a.value.clone())
        .chain(mounts.map(|m| m.mount_point.clone()))
        .filter(|p| p != "/")
        .collect()
}

/// `web1` of `web1.example.com`: logs have both, and what follows the short name is taken with it.
fn short_host(name: &str) -> String {
    match name.split_once('.') {
        Some((short, _)) if short.starts_with(|c: char| c.is_ascii_alphabetic()) => short.to_owned(),
        _ => name.to_owned(),
    }
}

/// A character of a word, as names of hosts and containers are written.
pub(super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '-'
}

/// Ids stay: a name that is one is none.
fn is_id(name: &str) -> bool {
    name.len() >= 12 && name.bytes().all(|b| b.is_ascii_hexdigit())
}

/// How many arguments a command line has.
pub(super) fn words(line: &str) -> u32 {
    u32::try_from(line.split_whitespace().skip(1).count()).unwrap_or(u32::MAX)
}
