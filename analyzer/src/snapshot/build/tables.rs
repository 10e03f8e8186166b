//! Mount tables: each different one is kept once, whatever file shows it.

use super::super::lines::{Lines, Row, RowHasher};
use super::super::table::Wanted;
use super::*;
use crate::order;
use crate::parse::mountinfo::Mount;
use std::hash::BuildHasherDefault;
use std::sync::{Arc, OnceLock};

/// The different tables so far.
#[derive(Debug, Default)]
pub(super) struct Tables {
    lines: Lines,
    by_rows: HashMap<Arc<[Row]>, TableId, BuildHasherDefault<RowHasher>>,
    known: Vec<Known>,
}

#[derive(Debug)]
struct Known {
    rows: Arc<[Row]>,
    length: usize,
    form: TableForm,
}

impl Tables {
    pub(super) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    pub(super) fn keep(&mut self, bytes: &[u8], form: TableForm) -> TableId {
        let rows = self.lines.rows_of(bytes, form);
        if let Some(known) = self.by_rows.get(rows) {
            return *known;
        }
        let (id, rows): (TableId, Arc<[Row]>) = (TableId(self.known.len()), rows.into());
        self.by_rows.insert(Arc::clone(&rows), id);
        self.known.push(Known { rows, length: bytes.len(), form });
        id
    }

    /// All of them in the order of these ids, each with the file that it is called by.
    fn finish(self, order: impl Iterator<Item = (TableId, String)>) -> Vec<MountTable> {
        let lines = Arc::new(self.lines.finish());
        let table = |(id, file): (TableId, String)| {
            let Known { rows, length, form } = self.known.get(id.0)?;
            let (rows, lines) = (Arc::clone(rows), Arc::clone(&lines));
            Some(MountTable { rows, lines, length: *length, file, form: *form, order: OnceLock::new() })
        };
        order.filter_map(table).collect()
    }
}

/// What shows a table. A process's own has no name of its own here: a host has thousands of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum TableFile {
    /// `proc/PID/mountinfo`.
    OfProcess(Pid),
    /// Any other file.
    Named(String),
}

impl TableFile {
    fn of(path: &EntryPath<'_>) -> Self {
        match path.inside() {
            [b"proc", pid, b"mountinfo"] if path.is_plain() => whole_number(pid).map(Pid),
            _ => None,
        }
        .map_or_else(|| Self::Named(path.shown()), Self::OfProcess)
    }

    /// Its name in the bundle.
    fn name(&self) -> String {
        match self {
            Self::OfProcess(pid) => format!("proc/{}/mountinfo", pid.0),
            Self::Named(name) => name.clone(),
        }
    }

    /// The process that it is of; files of none come last.
    fn pid(&self) -> u32 {
        match self {
            Self::OfProcess(pid) => pid.0,
            Self::Named(name) => name.split('/').nth(1).and_then(|p| p.parse().ok()).unwrap_or(u32::MAX),
        }
    }
}

impl Builder {
    /// Only mount tables are stored as hard links. The member that holds the bytes comes first in a bundle as
    /// the collector writes it; in a repacked one it may come later.
    pub(super) fn add_hard_link(&mut self, path: &EntryPath<'_>, role: &Role<'_>, target: &[u8]) {
        let owner = match role {
            Role::OfProcess(pid, name) if **name == *b"mountinfo" => TableOwner::Process(*pid),
            Role::PinnedTable(inode) => TableOwner::Pinned(*inode),
            _ => return,
        };
        let (file, source) = (TableFile::of(path), TableFile::of(&EntryPath::new(target)));
        self.links.push(TableLink { file, source, owner });
    }

    /// Follows the hard links. A link to a link needs another round; what is left then leads nowhere.
    pub(super) fn follow_links(&mut self) {
        let mut links = std::mem::take(&mut self.links);
        loop {
            let before = links.len();
            links.retain(|link| {
                let Some(table) = self.table_of_file.get(&link.source).copied() else { return true };
                self.table_of_file.insert(link.file.clone(), table);
                match link.owner {
                    TableOwner::Process(pid) => {
                        self.snapshot.processes.entry(pid).or_default().table = Some(table)
                    }
                    TableOwner::Pinned(inode) => self.pinned_tables.push((inode, table)),
                }
                false
            });
            if links.len() == before {
                break;
            }
        }
        for link in links {
            self.warn(
                "dangling-hard-link",
                Some(link.file.name()),
                None,
                format!("It is a hard link to {}, which is not in the bundle.", link.source.name()),
                "The mount table of this process is missing. Send the bundle again as the collector wrote it.",
            );
        }
    }

    /// Takes the table that this member is.
    pub(super) fn add_table_of(&mut self, path: &EntryPath<'_>, bytes: &[u8]) -> TableId {
        self.add_table(bytes, TableFile::of(path), TableForm::Mountinfo)
    }

    fn add_table(&mut self, bytes: &[u8], file: TableFile, form: TableForm) -> TableId {
        let table = self.tables.keep(bytes, form);
        self.table_of_file.insert(file, table);
        if let Some(name) = &self.read_in {
            self.tables_read_in.entry(table).or_insert_with(|| name.clone());
        }
        table
    }

    /// `/proc/PID/mounts` counts where there is no mountinfo. The table of whoever made the capture stands for the
    /// host's where no process has one.
    pub(super) fn add_mounts(&mut self) {
        order::sort(&mut self.own_tables);
        let own = std::mem::take(&mut self.own_tables);
        let none = self.mounts.is_empty() && self.snapshot.processes.values().all(|p| p.table.is_none());
        if none && let Some((file, bytes)) = own.into_iter().next_back() {
            let is_mountinfo = file.ends_with("mountinfo");
            let form = if is_mountinfo { TableForm::Mountinfo } else { TableForm::Mounts };
            let table = self.add_table(&bytes, TableFile::Named(file.clone()), form);
            self.process(Pid(1)).table = Some(table);
            self.note_assumed_host(file);
        }
        for (pid, table, path) in std::mem::take(&mut self.mounts) {
            if self.snapshot.processes.get(&pid).is_none_or(|p| p.table.is_none()) {
                self.table_of_file.insert(TableFile::Named(path), table);
                self.process(pid).table = Some(table);
            }
        }
    }

    /// Says that a process has a mount of `what` in its table; `text` is the line of the text that says so. Real lines
    /// of its table tell more and count alone.
    pub(crate) fn add_named_mount(&mut self, pid: Pid, what: &[u8], line: usize, text: &[u8]) {
        if self.process(pid).table.is_some() {
            return;
        }
        let table = [&b"\n".repeat(line)[..], what, b"\t", text, b"\n"].concat();
        let id = self.add_table(&table, TableFile::Named(format!("proc/{}/named", pid.0)), TableForm::Named);
        self.process(pid).table = Some(id);
    }

    /// Says that a table without a process is taken for the host's.
    pub(crate) fn note_assumed_host(&mut self, file: String) {
        self.warn(
            "assumed-host-table",
            Some(file),
            None,
            "These mounts name no process; they are taken for the host's own.".into(),
            "Where they are another process's, name it: grep -H . /proc/PID/mountinfo.",
        );
    }

    pub(super) fn add_pinned_table(
        &mut self,
        inode: Option<NamespaceInode>,
        bytes: &[u8],
        path: &EntryPath<'_>,
    ) {
        let looks_right =
            numbered_lines(bytes).next().is_some_and(|(_, line)| mountinfo::parse_line(line).is_ok());
        if looks_right {
            let table = self.add_table_of(path, bytes);
            self.pinned_tables.push((inode, table));
        }
    }

    /// Reports the lines that make no sense and notes the namespaces that nsfs mounts keep. Whether a mount
    /// namespace is kept by this or that table matters; of others only that they are kept.
    pub(super) fn check_tables(&mut self) {
        let mut kept: BTreeSet<(Vec<u8>, NamespaceInode)> = BTreeSet::new();
        let mut pins = Vec::new();
        let wanted = |mount: &Mount<'_>| {
            let is_namespace = mount.fs_type == b"nsfs" || mount.fs_type == b"proc";
            match namespace_link::parse(&mount.root()).filter(|_| is_namespace) {
                Some((b"mnt", _)) => Wanted::All,
                Some(_) => Wanted::First,
                None => Wanted::None,
            }
        };
        self.snapshot.each_mount(&wanted, &mut |placed| {
            let root = placed.mount.root();
            let Some((kind, inode)) = namespace_link::parse(&root) else { return };
            let is_new = kind == b"mnt" || kept.insert((kind.to_vec(), inode));
            if is_new && placed.table.form == TableForm::Mountinfo {
                let by = PinnedBy::Bind(placed.id, placed.mount.mount_point().into_owned());
                pins.push(NamespacePin { kind: kind.to_vec(), inode, by, evidence: placed.evidence() });
            }
        });
        self.snapshot.pins.extend(pins);
        let tables = std::mem::take(&mut self.snapshot.tables);
        for table in tables.iter().filter(|table| table.form == TableForm::Mountinfo) {
            for (line, text) in table.odd_lines() {
                self.note_bad_line(&table.file, line, text);
            }
        }
        self.snapshot.tables = tables;
        order::sort(&mut self.snapshot.pins);
        self.snapshot.pins.dedup();
    }

    /// Says how many more there are than were listed.
    pub(super) fn count_bad_lines(&mut self) {
        if self.bad_lines > LISTED_BAD_LINES {
            let message =
                format!("{} more lines are not lines of mountinfo.", self.bad_lines - LISTED_BAD_LINES);
            self.warn("bad-mountinfo-line", None, None, message, "These mounts are missing from the report.");
        }
    }

    fn note_bad_line(&mut self, file: &str, line: u32, text: &[u8]) {
        let Err(error) = mountinfo::parse_line(text) else { return };
        self.bad_lines += 1;
        if self.bad_lines <= LISTED_BAD_LINES {
            self.warn(
                "bad-mountinfo-line",
                Some(file.to_owned()),
                Some(line),
                format!(
                    "Not a line of mountinfo: at column {} there should be {}.",
                    error.column, error.expected
                ),
                "This one mount is missing from the report; all other lines were read.",
            );
        }
    }

    /// Numbers the tables by the lowest pid that shows them, so that the order of an archive's members does not
    /// matter, and checks each once.
    pub(super) fn sort_tables(&mut self) {
        let mut first_file: Vec<Option<(u32, &TableFile)>> = vec![None; self.tables.known.len()];
        for (file, table) in &self.table_of_file {
            let Some(first) = first_file.get_mut(table.0) else { continue };
            let candidate = (file.pid(), file);
            *first = Some(first.map_or(candidate, |first| candidate.min(first)));
        }
        let shown = (0..).map(TableId).zip(first_file);
        let mut order: Vec<((u32, &TableFile), TableId)> =
            shown.filter_map(|(table, first)| Some((first?, table))).collect();
        order::sort(&mut order);
        let mut new_ids: Vec<Option<TableId>> = vec![None; self.tables.known.len()];
        for (new, (_, old)) in (0..).map(TableId).zip(&order) {
            new_ids[old.0] = Some(new);
        }
        let new_id = |old: TableId| new_ids.get(old.0).copied().flatten();
        let read_in = &self.tables_read_in;
        let order = order.into_iter();
        let order =
            order.map(|((_, file), id)| (id, read_in.get(&id).cloned().unwrap_or_else(|| file.name())));
        self.snapshot.tables = std::mem::take(&mut self.tables).finish(order);
        for process in self.snapshot.processes.values_mut() {
            process.table = process.table.and_then(new_id);
        }
        for (_, table) in &mut self.pinned_tables {
            *table = new_id(*table).unwrap_or(*table);
        }
        order::sort(&mut self.pinned_tables);
        self.check_tables();
    }

    /// A table that was stored under a name without the namespace's inode belongs to the one pinned namespace
    /// that has no table yet: the one whose pin's file name stands in the table's name, or the only one.
    pub(super) fn name_pinned_tables(&mut self) {
        let nameless: Vec<usize> =
            (0..self.pinned_tables.len()).filter(|i| self.pinned_tables[*i].0.is_none()).collect();
        if nameless.is_empty() {
            return;
        }
        let processes = self.snapshot.processes.values().filter(|p| p.table.is_some());
        let named = self.pinned_tables.iter().filter_map(|(inode, _)| *inode);
        let read: BTreeSet<NamespaceInode> =
            order::set(processes.filter_map(|p| p.mount_namespace).chain(named));
        // Those whose table is not known yet, with the names of their pins' files.
        let mut unread: BTreeMap<NamespaceInode, Vec<String>> = BTreeMap::new();
        for pin in self.snapshot.pins.iter().filter(|p| p.kind == b"mnt" && !read.contains(&p.inode)) {
            let names = unread.entry(pin.inode).or_default();
            if let PinnedBy::Bind(_, path) | PinnedBy::BindSeenBy(_, path) = &pin.by {
                names.extend(components(path).next_back().map(visible));
            }
        }
        for index in &nameless {
            let file =
                self.snapshot.table(self.pinned_tables[*index].1).map(|t| &t.file[..]).unwrap_or_default();
            let is_in_file = |names: &Vec<String>| names.iter().any(|name| file.contains(name));
            let mut by_name = unread.iter().filter(|(_, names)| is_in_file(names)).map(|(inode, _)| *inode);
            let by_name = (by_name.next(), by_name.next());
            let found = match by_name {
                (Some(only), None) => Some(only),
                _ if nameless.len() == 1 && unread.len() == 1 => unread.first_key_value().map(|(i, _)| *i),
                _ => None,
            };
            self.pinned_tables[*index].0 = found;
            if let Some(found) = found {
                unread.remove(&found);
            }
        }
    }
}
