//! A mount table.

use std::sync::Arc;

use super::lines::{Line, Row};
use super::{Snapshot, TableId};
use crate::bytes::{components, is_at_or_below, visible};
use crate::evidence::Evidence;
use crate::ids::MountId;
use crate::parse::mountinfo::Mount;
use crate::parse::mounts_table;

/// One different mount table: for each line its number, two ids and a text that it shares with others.
#[derive(Debug)]
pub struct MountTable {
    pub(super) rows: Arc<[Row]>,
    pub(super) lines: Arc<Vec<Line>>,
    /// Bytes of the file.
    pub length: usize,
    /// The bundle's file that showed it first.
    pub file: String,
    /// What its lines look like.
    pub form: TableForm,
}

/// Forms of mount tables.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TableForm {
    /// `/proc/PID/mountinfo`.
    #[default]
    Mountinfo,
    /// Listings without mount ids and device numbers, see [`crate::parse::mounts_table`].
    Mounts,
    /// Only that the process has such a mount, see [`crate::parse::mounts_table::named`].
    Named,
}

impl MountTable {
    /// Its mounts with their line numbers; lines that make no sense were reported when it was read.
    pub fn mounts(&self) -> impl Iterator<Item = (u32, Mount<'_>)> {
        self.rows.iter().filter_map(|row| Some((row.number, self.mount(row)?)))
    }

    /// How many lines it has, but for empty ones.
    pub fn lines(&self) -> usize {
        self.rows.len()
    }

    /// The mount on a line; `None` where there is none.
    pub fn mount_on(&self, line: u32) -> Option<Mount<'_>> {
        let at = self.rows.binary_search_by_key(&line, |row| row.number).ok()?;
        self.mount(self.rows.get(at)?)
    }

    /// The mount with an id, and its line.
    pub fn mount_with(&self, id: MountId) -> Option<(u32, Mount<'_>)> {
        // Only a line that is kept whole has its ids in its text.
        let rows = self.rows.iter().filter(|row| row.id == id || row.is_whole());
        let mut mounts = rows.filter_map(|row| Some((row.number, self.mount(row)?)));
        mounts.find(|(_, mount)| mount.id == id)
    }

    /// The mounts that are on a mount, with their lines.
    pub fn mounts_on(&self, parent: MountId) -> impl Iterator<Item = (u32, Mount<'_>)> {
        let rows = self.rows.iter().filter(move |row| row.parent == parent || row.is_whole());
        let mounts = rows.filter_map(|row| Some((row.number, self.mount(row)?)));
        mounts.filter(move |(_, mount)| mount.parent == parent && mount.id != parent)
    }

    pub(super) fn mount(&self, row: &Row) -> Option<Mount<'_>> {
        let line = self.lines.get(row.text as usize)?;
        match self.form {
            TableForm::Mountinfo => line.mount(row),
            TableForm::Mounts => mounts_table::parse_line(&line.text, row.number),
            TableForm::Named => mounts_table::named(&line.text, row.number),
        }
    }

    /// Lines that are no mounts, with their numbers.
    pub(super) fn odd_lines(&self) -> impl Iterator<Item = (u32, &[u8])> {
        let odd = self.rows.iter().filter(|row| row.is_whole() && self.mount(row).is_none());
        odd.filter_map(|row| Some((row.number, &self.lines.get(row.text as usize)?.text[..])))
    }

    /// The mount that a path leads to, walked as the kernel does: from the root on, into each mount that is met on
    /// the way. Mounts that a later one covers are not met, whatever their mount points.
    pub fn lookup(&self, path: &[u8]) -> Option<(u32, Mount<'_>)> {
        self.lookup_without(path, &[])
    }

    /// Where the path would lead without some mounts.
    pub fn lookup_without(&self, path: &[u8], gone: &[MountId]) -> Option<(u32, Mount<'_>)> {
        let on_the_way: Vec<(u32, Mount<'_>)> = self
            .mounts()
            .filter(|(_, m)| is_at_or_below(path, &m.mount_point()) && !gone.contains(&m.id))
            .collect();
        let depth = |m: &Mount<'_>| components(&m.mount_point()).count();
        let is_top = |m: &Mount<'_>| !on_the_way.iter().any(|(_, p)| p.id == m.parent && p.id != m.id);
        let mut here = on_the_way.iter().find(|(_, m)| depth(m) == 0 && is_top(m))?;
        for _ in 0..on_the_way.len() {
            let on_it = on_the_way.iter().filter(|(_, m)| m.parent == here.1.id && m.id != here.1.id);
            let Some(next) = on_it.min_by_key(|(line, m)| (depth(m), std::cmp::Reverse(*line))) else {
                break;
            };
            here = next;
        }
        Some(here.clone())
    }

    /// The evidence for one line.
    pub fn evidence(&self, line: u32, text: &[u8]) -> Evidence {
        Evidence { file: self.file.clone(), line: Some(line), text: visible(text) }
    }
}

/// A mount with its table and line.
#[derive(Debug, Clone)]
pub struct Placed<'s> {
    /// The table's id.
    pub id: TableId,
    /// Its table.
    pub table: &'s MountTable,
    /// Its line there.
    pub line: u32,
    /// Itself.
    pub mount: Mount<'s>,
}

impl Placed<'_> {
    /// The line as evidence.
    pub fn evidence(&self) -> Evidence {
        self.table.evidence(self.line, &self.mount.line())
    }
}

/// Which of the mounts that say the same are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    None,
    First,
    All,
}

impl Snapshot {
    /// The mounts of all tables that fit, table by table. `fits` is asked once for what many tables say, so that it must
    /// not look at the mount's ids.
    pub fn mounts_where(&self, fits: &dyn Fn(&Mount<'_>) -> bool) -> Vec<Placed<'_>> {
        let mut fitting = Vec::new();
        let wanted = |mount: &Mount<'_>| if fits(mount) { Wanted::All } else { Wanted::None };
        self.each_mount(&wanted, &mut |placed| fitting.push(placed));
        fitting
    }

    /// The mounts of all tables whose lines have these bytes, beside the ids: a cheap first look.
    pub(crate) fn mounts_that_mention(&self, text: &[u8]) -> Vec<Placed<'_>> {
        let searched = memchr::memmem::Finder::new(text);
        self.mounts_where(&|mount| mount.mentions(&searched))
    }

    /// Hands over the mounts of all tables that are wanted, table by table. `wanted` is asked once for what many tables
    /// say.
    pub(super) fn each_mount<'s>(
        &'s self,
        wanted: &dyn Fn(&Mount<'_>) -> Wanted,
        visit: &mut dyn FnMut(Placed<'s>),
    ) {
        let texts = self.tables.first().map_or(0, |table| table.lines.len());
        let mut answers: Vec<Option<Wanted>> = vec![None; texts];
        for (id, table) in (0..).map(TableId).zip(&self.tables) {
            for row in table.rows.iter() {
                let answer = answers.get_mut(row.text as usize).filter(|_| !row.is_whole());
                if matches!(answer, Some(Some(Wanted::None))) {
                    continue;
                }
                let Some(mount) = table.mount(row) else { continue };
                let is_wanted = match answer {
                    Some(answer) => {
                        let now = *answer.get_or_insert_with(|| wanted(&mount));
                        *answer = Some(if now == Wanted::First { Wanted::None } else { now });
                        now
                    }
                    None => wanted(&mount),
                };
                if is_wanted != Wanted::None {
                    visit(Placed { id, table, line: row.number, mount });
                }
            }
        }
    }
}
