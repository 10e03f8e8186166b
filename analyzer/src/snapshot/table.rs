//! A mount table.

use std::cmp::Reverse;
use std::sync::{Arc, OnceLock};

use super::lines::{Line, Row};
use super::{Snapshot, TableId};
use crate::bytes::{components, is_at_or_below, visible};
use crate::evidence::Evidence;
use crate::ids::MountId;
use crate::order;
use crate::parse::mountinfo::Mount;
use crate::parse::mounts_table;
use crate::path_index::PathIndex;

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
    pub(super) order: OnceLock<Order>,
}

/// A table of more lines is put in order when it is first asked for an id. A shorter one is looked through sooner, and a
/// host may have thousands of those.
const LARGE: usize = 4_096;

/// Ids with places in the rows.
#[derive(Debug)]
pub(super) struct Order {
    by_id: Vec<(MountId, usize)>,
    by_parent: Vec<(MountId, usize)>,
    by_point: PathIndex,
}

impl Order {
    fn of(table: &MountTable) -> Self {
        let mounts = || table.rows.iter().enumerate().filter_map(|(at, row)| Some((at, table.mount(row)?)));
        let (mut by_id, mut by_parent): (Vec<_>, Vec<_>) =
            mounts().map(|(at, mount)| ((mount.id, at), (mount.parent, at))).unzip();
        let by_point = PathIndex::of(mounts().map(|(at, mount)| (at, mount.mount_point().into_owned())));
        order::sort(&mut by_id);
        order::sort(&mut by_parent);
        Self { by_id, by_parent, by_point }
    }
}

/// The places of an id, in their order.
fn places(of: &[(MountId, usize)], id: MountId) -> impl Iterator<Item = usize> {
    let from = of.partition_point(|(known, _)| *known < id);
    of.iter().skip(from).take_while(move |(known, _)| *known == id).map(|(_, at)| *at)
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
        if let Some(order) = self.order() {
            let row = self.rows.get(places(&order.by_id, id).next()?)?;
            return Some((row.number, self.mount(row)?));
        }
        // Only a line that is kept whole has its ids in its text.
        let rows = self.rows.iter().filter(|row| row.id == id || row.is_whole());
        let mut mounts = rows.filter_map(|row| Some((row.number, self.mount(row)?)));
        mounts.find(|(_, mount)| mount.id == id)
    }

    /// See [`LARGE`].
    fn order(&self) -> Option<&Order> {
        (self.rows.len() > LARGE).then(|| self.order.get_or_init(|| Order::of(self)))
    }

    /// The mounts that are on a mount, with their lines.
    pub fn mounts_on(&self, parent: MountId) -> impl Iterator<Item = (u32, Mount<'_>)> {
        let order = self.order();
        let placed = order.into_iter().flat_map(move |order| places(&order.by_parent, parent));
        let all = self.rows.iter().filter(move |_| order.is_none());
        let rows = placed.filter_map(|at| self.rows.get(at)).chain(all);
        let rows = rows.filter(move |row| row.parent == parent || row.is_whole());
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
        let fits = |m: &Mount<'_>| is_at_or_below(path, &m.mount_point()) && !gone.contains(&m.id);
        let on_the_way: Vec<(u32, Mount<'_>)> = match self.order() {
            Some(order) => {
                let rows = order.by_point.at_or_above(path).into_iter().filter_map(|at| self.rows.get(at));
                rows.filter_map(|row| Some((row.number, self.mount(row)?))).filter(|(_, m)| fits(m)).collect()
            }
            None => self.mounts().filter(|(_, m)| fits(m)).collect(),
        };
        let depth = |m: &Mount<'_>| components(&m.mount_point()).count();
        let mut ids: Vec<MountId> = on_the_way.iter().map(|(_, m)| m.id).collect();
        order::sort(&mut ids);
        let is_top = |m: &Mount<'_>| m.parent == m.id || ids.binary_search(&m.parent).is_err();
        let mut here = on_the_way.iter().find(|(_, m)| depth(m) == 0 && is_top(m))?;
        // On each mount, those that are met first: a path may have many thousand mounts one over the other.
        let on_others = on_the_way.iter().enumerate().filter(|(_, (_, m))| m.parent != m.id);
        let mut on: Vec<(MountId, usize, Reverse<u32>, usize)> =
            on_others.map(|(at, (line, m))| (m.parent, depth(m), Reverse(*line), at)).collect();
        order::sort(&mut on);
        // No more steps than mounts: a damaged table may have circles.
        for _ in 0..on_the_way.len() {
            let first = on.get(on.partition_point(|(parent, ..)| *parent < here.1.id));
            let Some((.., at)) = first.filter(|(parent, ..)| *parent == here.1.id) else { break };
            here = on_the_way.get(*at)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::lines::Lines;

    fn table(text: &str) -> MountTable {
        let mut lines = Lines::default();
        let rows = lines.rows_of(text.as_bytes(), TableForm::Mountinfo).into();
        let (lines, form) = (Arc::new(lines.finish()), TableForm::Mountinfo);
        MountTable { rows, lines, length: text.len(), file: String::new(), form, order: OnceLock::new() }
    }

    #[test]
    fn a_table_in_order_finds_what_looking_through_it_finds() {
        let line = |n: u32| match n % 50 {
            // Kept whole, because it cannot be written again from numbers; two of one id; one that is on itself.
            7 => format!("0{} {} 0:1 / /w rw - tmpfs t rw\n", n, n % 97),
            8 => format!("{} {} 0:1 / /d rw - tmpfs t rw\n", n / 2, n % 97),
            9 => format!("{n} {n} 0:1 / / rw - tmpfs t rw\n"),
            _ => format!("{n} {} 0:1 / /m{n} rw - tmpfs t rw\n", n % 97),
        };
        let large = table(&(1..=5_000).map(line).collect::<String>());
        assert!(large.order().is_some());
        for id in (0..5_100).step_by(3).map(MountId) {
            let first = large.mounts().find(|(_, mount)| mount.id == id);
            assert_eq!(large.mount_with(id), first, "{id:?}");
            let on_it = large.mounts().filter(|(_, mount)| mount.parent == id && mount.id != id);
            assert!(large.mounts_on(id).eq(on_it), "{id:?}");
        }
    }

    #[test]
    fn a_path_leads_through_circles_and_to_the_top_of_a_stack() {
        let stack = |n: u32| format!("{} {} 0:{n} / /a rw - tmpfs t rw\n", n + 1, n);
        let stacked =
            table(&("1 0 8:1 / / rw - ext4 d rw\n".to_owned() + &(1..300).map(stack).collect::<String>()));
        assert_eq!(stacked.lookup(b"/a/b").map(|(_, mount)| mount.id), Some(MountId(300)));
        let without = stacked.lookup_without(b"/a", &[MountId(300)]);
        assert_eq!(without.map(|(_, mount)| mount.id), Some(MountId(299)));
        let circle =
            table("1 0 8:1 / / rw - ext4 d rw\n2 3 0:2 / /a rw - t t rw\n3 2 0:3 / /a rw - t t rw\n");
        assert_eq!(circle.lookup(b"/a").map(|(_, mount)| mount.id), Some(MountId(1)));
        let in_it = table("1 0 8:1 / / rw - ext4 d rw\n2 1 0:2 / /a rw - t t rw\n1 2 0:3 / /a rw - t t rw\n");
        assert!(in_it.lookup(b"/a").is_some());
    }
}
