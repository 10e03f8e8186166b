//! Entries to tar to gzip, as they come: nothing is kept but a hash of each distinct mount table.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};

use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use tar::EntryType;

use super::header::Template;
use super::{Entries, Entry, Kind, Secrets};
use crate::redact::Redactor;

/// tar's block: headers and padding.
const BLOCK: usize = 512;
/// Longest path and link text that a plain header holds; longer ones get a GNU `L` or `K` entry before it.
const NAME_MAX: usize = 100;
/// How much is gathered before it is compressed.
const PENDING: usize = 256 << 10;

/// On the bundle of the bench's host 4 is 1.5 % smaller for 1 % more CPU time of the whole run, and 7 another 7 % for
/// a tenth more.
const LEVEL: u32 = 3;

/// Writes one bundle.
pub(crate) struct Writer<W: Write> {
    gzip: GzEncoder<W>,
    /// `ebusy-HOST-TIME/`
    prefix: Vec<u8>,
    header: Template,
    /// tar that waits to be compressed.
    pending: Vec<u8>,
    redactor: Redactor,
    tables: TableIndex,
    /// Counted for a dry run only.
    sizes: Option<Sizes>,
}

/// Entries and bytes, before compression, of each kind of file.
pub(crate) type Sizes = BTreeMap<String, (usize, u64)>;

/// `proc/*/fd`, `sys/block`: what a path is counted under.
fn category(path: &[u8]) -> String {
    let text = String::from_utf8_lossy(path);
    let parts: Vec<&str> = text.split('/').collect();
    match parts.as_slice() {
        ["proc", pid, name, ..] if pid.bytes().all(|b| b.is_ascii_digit()) => format!("proc/PID/{name}"),
        ["ns", _, name] => format!("ns/mnt-INODE/{name}"),
        ["sys", "block", ..] => "sys/block".to_owned(),
        [first @ ("proc" | "systemd" | "logs"), ..] => (*first).to_owned(),
        [.., "layerdb", "mounts", _, _] => "layerdb/mounts".to_owned(),
        _ => text.into_owned(),
    }
}

/// Which table is stored where.
#[derive(Default)]
struct TableIndex {
    /// Hash (under a random key, so that nobody can prepare two tables that collide) and length of a table's bytes →
    /// its path.
    by_content: HashMap<(u64, usize), Vec<u8>>,
    /// A path that was announced as some table → the path where that table is stored.
    stored_at: HashMap<Vec<u8>, Vec<u8>>,
    key: RandomState,
}

impl TableIndex {
    /// The path of an earlier table with these bytes; remembers the table at `path` otherwise.
    fn earlier(&mut self, path: &[u8], data: &[u8]) -> Option<Vec<u8>> {
        let key = (self.key.hash_one(data), data.len());
        let stored = self.by_content.entry(key).or_insert_with(|| path.to_vec()).clone();
        self.stored_at.insert(path.to_vec(), stored.clone());
        (stored != path).then_some(stored)
    }

    fn count(&self) -> usize {
        self.by_content.len()
    }
}

impl<W: Write> Writer<W> {
    pub(crate) fn new(out: W, prefix: &str, mtime: u64, redactor: Redactor) -> Self {
        let gzip = GzBuilder::new().mtime(0).write(out, Compression::new(LEVEL));
        let prefix = format!("{prefix}/").into_bytes();
        let (header, pending) = (Template::new(mtime), Vec::new());
        Self { gzip, prefix, header, pending, redactor, tables: TableIndex::default(), sizes: None }
    }

    /// From now on counts what is added, by kind.
    pub(crate) fn count_sizes(&mut self) {
        self.sizes = Some(Sizes::new());
    }

    /// What was counted.
    pub(crate) fn sizes(&self) -> Sizes {
        self.sizes.clone().unwrap_or_default()
    }

    /// Distinct mount tables stored so far.
    pub(crate) fn tables(&self) -> usize {
        self.tables.count()
    }

    /// Secrets replaced so far: distinct ones.
    pub(crate) fn secrets(&self) -> usize {
        self.redactor.distinct()
    }

    /// # Errors
    /// When the output cannot be written.
    pub(crate) fn add(&mut self, entry: Entry) -> io::Result<()> {
        let mut entries = Entries::default();
        entries.push(entry);
        self.add_all(&entries)
    }

    /// # Errors
    /// When the output cannot be written.
    pub(crate) fn add_all(&mut self, entries: &Entries) -> io::Result<()> {
        for (kind, path, data) in entries.iter() {
            if let Some(sizes) = &mut self.sizes {
                let (count, size) = sizes.entry(category(path)).or_default();
                *count += 1;
                *size += if kind == Kind::SameTable { 0 } else { data.len() as u64 };
            }
            match kind {
                Kind::File(secrets) => {
                    let data = self.redactor.redact(data, secrets);
                    self.file(path, &data)?;
                }
                Kind::Symlink => self.header(EntryType::Symlink, path, &[data], 0),
                Kind::Table => {
                    let data = self.redactor.redact(data, Secrets::Urls);
                    match self.tables.earlier(path, &data) {
                        None => self.file(path, &data)?,
                        Some(stored) => self.hard_link(path, &stored),
                    }
                }
                Kind::SameTable => {
                    // Not stored: its process was given up and then ended. A link to nothing would be a lie.
                    if let Some(stored) = self.tables.stored_at.get(data).cloned() {
                        self.hard_link(path, &stored);
                    }
                }
            }
            if self.pending.len() >= PENDING {
                self.flush()?;
            }
        }
        Ok(())
    }

    /// Ends tar and gzip. The bundle is whole only after this.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.pending.resize(self.pending.len() + 2 * BLOCK, 0);
        self.flush()?;
        self.gzip.finish()
    }

    fn flush(&mut self) -> io::Result<()> {
        self.gzip.write_all(&self.pending)?;
        self.pending.clear();
        Ok(())
    }

    fn hard_link(&mut self, path: &[u8], stored: &[u8]) {
        let target = [&self.prefix, stored].concat();
        self.header(EntryType::Link, path, &[&target], 0);
    }

    fn file(&mut self, path: &[u8], data: &[u8]) -> io::Result<()> {
        self.header(EntryType::Regular, path, &[], data.len());
        if data.len() > PENDING {
            // Too much to be copied once more.
            self.flush()?;
            self.gzip.write_all(data)?;
        } else {
            self.pending.extend_from_slice(data);
        }
        self.pad(data.len());
        Ok(())
    }

    fn header(&mut self, kind: EntryType, path: &[u8], target: &[&[u8]], size: usize) {
        let long = |parts: &[&[u8]]| parts.iter().map(|part| part.len()).sum::<usize>() > NAME_MAX;
        let prefix = std::mem::take(&mut self.prefix);
        let path = [prefix.as_slice(), path];
        if long(&path) {
            self.long_name(EntryType::GNULongName, &path);
        }
        if long(target) {
            self.long_name(EntryType::GNULongLink, target);
        }
        self.header.append(&mut self.pending, kind, &path, target, size);
        self.prefix = prefix;
    }

    /// GNU's way to a name longer than the header's field: an entry of its own before, ended by NUL.
    fn long_name(&mut self, kind: EntryType, name: &[&[u8]]) {
        let length = name.iter().map(|part| part.len()).sum::<usize>() + 1;
        self.header.append(&mut self.pending, kind, &[b"././@LongLink"], &[], length);
        name.iter().for_each(|part| self.pending.extend_from_slice(part));
        self.pending.push(0);
        self.pad(length);
    }

    fn pad(&mut self, length: usize) {
        let padding = length.next_multiple_of(BLOCK) - length;
        self.pending.resize(self.pending.len() + padding, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::GzDecoder;
    use std::io::Read;

    #[test]
    fn equal_tables_are_stored_once_and_long_names_survive() {
        let long_path = format!("sys/block/{}/size", "n".repeat(150)).into_bytes();
        let long_target = format!("/{} (deleted)", "d".repeat(200)).into_bytes();
        let mut writer = Writer::new(Vec::new(), "top", 7, Redactor::default());
        let table = |pid: &str| format!("proc/{pid}/mountinfo").into_bytes();
        writer.add(Entry::Table { path: table("1"), data: b"one".to_vec() }).unwrap();
        writer.add(Entry::Table { path: table("2"), data: b"one".to_vec() }).unwrap();
        let mut same = Entries::default();
        same.add(Kind::SameTable, 0, &[&table("3")], &table("2"));
        writer.add_all(&same).unwrap();
        writer.add(Entry::plain(long_path.clone(), "8")).unwrap();
        writer.add(Entry::symlink("proc/1/cwd", long_target.clone())).unwrap();
        assert_eq!(writer.tables(), 1);
        let gz = writer.finish().unwrap();

        let mut archive = tar::Archive::new(GzDecoder::new(gz.as_slice()));
        let mut seen = Vec::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            let link = entry.link_name_bytes().map(|l| l.into_owned());
            seen.push((entry.path_bytes().into_owned(), link, text, entry.header().mtime().unwrap()));
        }
        let path = |p: &[u8]| [b"top/".as_slice(), p].concat();
        let stored = Some(path(&table("1")));
        assert_eq!(
            seen,
            [
                (path(&table("1")), None, "one".into(), 7),
                (path(&table("2")), stored.clone(), String::new(), 7),
                (path(&table("3")), stored, String::new(), 7),
                (path(&long_path), None, "8".into(), 7),
                (path(b"proc/1/cwd"), Some(long_target), String::new(), 7),
            ]
        );
    }
}
