//! Entries to tar to gzip, as they come: nothing is kept but a hash of each distinct mount table.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};

use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use tar::{EntryType, Header};

use super::{Entry, Secrets};
use crate::redact::Redactor;

/// tar's block: headers and padding.
const BLOCK: usize = 512;
/// Longest path and link text that a plain header holds; longer ones get a GNU `L` or `K` entry before it.
const NAME_MAX: usize = 100;

/// Smaller than 6 in the same time, with zlib-rs on the bundle of 2,000 processes; 8 and 9 take more than twice as long.
const LEVEL: u32 = 7;

/// Writes one bundle.
pub(crate) struct Writer<W: Write> {
    gzip: GzEncoder<W>,
    /// `ebusy-HOST-TIME/`
    prefix: Vec<u8>,
    /// Modification time of every entry, seconds since 1970.
    mtime: u64,
    redactor: Redactor,
    tables: TableIndex,
    finished: bool,
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
        Self { gzip, prefix, mtime, redactor, tables: TableIndex::default(), finished: false }
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
        match entry {
            Entry::File { path, data, secrets } => {
                let data = self.without_secrets(data, secrets);
                self.file(&path, &data)
            }
            Entry::Symlink { path, target } => self.link(EntryType::Symlink, &path, &target),
            Entry::Table { path, data } => {
                let data = self.without_secrets(data, Secrets::Urls);
                match self.tables.earlier(&path, &data) {
                    None => self.file(&path, &data),
                    Some(stored) => self.hard_link(&path, &stored),
                }
            }
            Entry::SameTable { path, same_as } => {
                let stored = self.tables.stored_at.get(&same_as).unwrap_or(&same_as).clone();
                self.hard_link(&path, &stored)
            }
        }
    }

    /// Ends tar and gzip. The bundle is whole only after this.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.gzip.write_all(&[0; 2 * BLOCK])?;
        self.finished = true;
        self.gzip.finish()
    }

    fn without_secrets(&mut self, data: Vec<u8>, secrets: Secrets) -> Vec<u8> {
        match secrets {
            Secrets::None => data,
            Secrets::Urls => self.redactor.urls(data),
            Secrets::Arguments => self.redactor.arguments(&data),
            Secrets::Lines => self.redactor.lines(&data),
        }
    }

    fn hard_link(&mut self, path: &[u8], stored: &[u8]) -> io::Result<()> {
        let target = [&self.prefix, stored].concat();
        self.link(EntryType::Link, path, &target)
    }

    fn file(&mut self, path: &[u8], data: &[u8]) -> io::Result<()> {
        self.header(EntryType::Regular, path, &[], data.len())?;
        self.padded(data)
    }

    fn link(&mut self, kind: EntryType, path: &[u8], target: &[u8]) -> io::Result<()> {
        self.header(kind, path, target, 0)
    }

    fn header(&mut self, kind: EntryType, path: &[u8], target: &[u8], size: usize) -> io::Result<()> {
        let path = [&self.prefix, path].concat();
        if path.len() > NAME_MAX {
            self.long_name(EntryType::GNULongName, &path)?;
        }
        if target.len() > NAME_MAX {
            self.long_name(EntryType::GNULongLink, target)?;
        }
        self.short_header(kind, &path, target, size)
    }

    fn short_header(&mut self, kind: EntryType, path: &[u8], target: &[u8], size: usize) -> io::Result<()> {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(if kind == EntryType::Symlink { 0o777 } else { 0o600 });
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(self.mtime);
        header.set_size(size as u64);
        let old = header.as_old_mut();
        copy_start(&mut old.name, path);
        copy_start(&mut old.linkname, target);
        header.set_cksum();
        self.gzip.write_all(header.as_bytes())
    }

    /// GNU's way to a name longer than the header's field: an entry of its own before, ended by NUL.
    fn long_name(&mut self, kind: EntryType, name: &[u8]) -> io::Result<()> {
        let data = [name, b"\0"].concat();
        self.short_header(kind, b"././@LongLink", &[], data.len())?;
        self.padded(&data)
    }

    fn padded(&mut self, data: &[u8]) -> io::Result<()> {
        self.gzip.write_all(data)?;
        let padding = data.len().next_multiple_of(BLOCK) - data.len();
        self.gzip.write_all(&[0; BLOCK][..padding])
    }
}

fn copy_start(field: &mut [u8], text: &[u8]) {
    let length = text.len().min(field.len());
    field[..length].copy_from_slice(&text[..length]);
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
        writer.add(Entry::SameTable { path: table("3"), same_as: table("2") }).unwrap();
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
