//! Reads bbolt databases (containerd keeps its metadata in some) while their owner goes on writing to them. Never locks,
//! never writes.
//!
//! The file is pages (go.etcd.io/bbolt, `page.go`, `bucket.go`, `db.go`): two meta pages, of which the one with the higher
//! transaction counts, then branch pages that point to pages, and leaf pages with keys. A value may itself be a bucket:
//! a page's number, or, when it is small, the page's content. A commit writes new pages and then the older meta page, and
//! reuses a page only when the transaction after the one that freed it has ended. So what was read is one consistent
//! state if the same transaction is the newest before and after the reading.

use std::cell::Cell;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

const MAGIC: u32 = 0xed0c_daed;
const VERSION: u32 = 2;
/// The part of a meta page that its checksum is over, after the page's header.
const META: usize = 56;
const HEADER: usize = 16;
/// Length of an element of a branch or leaf page.
const ELEMENT: usize = 16;
const BRANCH: u16 = 1;
const LEAF: u16 = 2;
/// Flag of a leaf element whose value is a bucket.
const IS_BUCKET: u32 = 1;
const PAGE_SIZES: [usize; 7] = [4096, 16_384, 65_536, 8192, 32_768, 2048, 1024];
/// Longest run of pages that one page's content takes.
const PAGE_MAX: usize = 4 << 20;
/// Most that is read of one database.
const READ_MAX: usize = 128 << 20;
/// bbolt's trees are flat: millions of keys are five levels.
const DEPTH_MAX: usize = 16;
/// How often it is begun again when it was written to meanwhile. A reading takes milliseconds.
const TRIES: usize = 10;

/// A database in the state of one transaction.
pub(super) struct Database<'a> {
    file: &'a File,
    meta: Meta,
    /// Bytes that may still be read.
    left: Cell<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Meta {
    page_size: usize,
    root: u64,
    /// The first page that is not in use.
    end: u64,
    transaction: u64,
}

/// A tree of keys.
pub(super) enum Bucket {
    Page(u64),
    Inline(Vec<u8>),
}

/// What a key has.
pub(super) enum Value<'a> {
    Bytes(&'a [u8]),
    Bucket(Bucket),
}

/// Reads a state of the database with `walk`, again if it was written to meanwhile.
///
/// # Errors
/// When it cannot be read, is no such database or a damaged one, or is written to all the time.
pub(super) fn read<T>(file: &File, walk: impl Fn(&Database<'_>) -> io::Result<T>) -> io::Result<T> {
    for _ in 0..TRIES {
        let meta = newest_meta(file)?;
        let found = walk(&Database { file, meta, left: Cell::new(READ_MAX) });
        // An error may come of reading what was just being written.
        if newest_meta(file)? == meta {
            return found;
        }
    }
    Err(io::Error::other("written to all the time while it was read"))
}

fn damaged(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("not a bbolt database, or a damaged one: {what}"))
}

fn newest_meta(file: &File) -> io::Result<Meta> {
    let first = meta_at(file, 0)?;
    // Where the second one is depends on the page size, which the first one tells if it is whole.
    let second = match &first {
        Some(meta) => meta_at(file, meta.page_size)?,
        None => PAGE_SIZES.iter().find_map(|size| meta_at(file, *size).ok().flatten()),
    };
    let newest = first.into_iter().chain(second).max_by_key(|meta| meta.transaction);
    newest.ok_or_else(|| damaged("no valid meta page"))
}

/// The meta page at this place; `None` if there is no valid one, as after a commit that a crash cut off.
fn meta_at(file: &File, at: usize) -> io::Result<Option<Meta>> {
    let mut page = [0; HEADER + META + 8];
    match file.read_exact_at(&mut page, at as u64) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let meta = &page[HEADER..];
    let (Some(magic), Some(version), Some(page_size)) = (u32_at(meta, 0), u32_at(meta, 4), u32_at(meta, 8))
    else {
        return Ok(None);
    };
    let (Some(root), Some(end), Some(transaction), Some(checksum)) =
        (u64_at(meta, 16), u64_at(meta, 40), u64_at(meta, 48), u64_at(meta, META))
    else {
        return Ok(None);
    };
    let page_size = page_size as usize;
    let is_valid = magic == MAGIC && version == VERSION && checksum == fnv_1a(&meta[..META]);
    Ok((is_valid && PAGE_SIZES.contains(&page_size)).then_some(Meta { page_size, root, end, transaction }))
}

impl Database<'_> {
    /// The outermost bucket.
    pub(super) fn root(&self) -> Bucket {
        Bucket::Page(self.meta.root)
    }

    /// Hands each key and its value to `take`.
    pub(super) fn each(
        &self,
        bucket: &Bucket,
        take: &mut dyn FnMut(&[u8], Value<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        match bucket {
            Bucket::Page(number) => self.each_below(*number, DEPTH_MAX, take),
            Bucket::Inline(page) => self.each_in(page, DEPTH_MAX, take),
        }
    }

    /// The bucket of this name in another.
    pub(super) fn bucket(&self, outer: &Bucket, name: &[u8]) -> io::Result<Option<Bucket>> {
        let mut found = None;
        self.each(outer, &mut |key, value| {
            if let (true, Value::Bucket(bucket)) = (key == name, value) {
                found = Some(bucket);
            }
            Ok(())
        })?;
        Ok(found)
    }

    fn each_below(
        &self,
        number: u64,
        depth: usize,
        take: &mut dyn FnMut(&[u8], Value<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        self.each_in(&self.page(number)?, depth, take)
    }

    fn each_in(
        &self,
        page: &[u8],
        depth: usize,
        take: &mut dyn FnMut(&[u8], Value<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        let torn = || damaged("an element outside its page");
        let (flags, count) = (u16_at(page, 8).ok_or_else(torn)?, u16_at(page, 10).ok_or_else(torn)?);
        let depth = depth.checked_sub(1).ok_or_else(|| damaged("pages in a circle"))?;
        for at in (0..usize::from(count)).map(|number| HEADER + number * ELEMENT) {
            let field = |offset| u32_at(page, at + offset).map(|number| number as usize).ok_or_else(torn);
            match flags {
                BRANCH => self.each_below(u64_at(page, at + 8).ok_or_else(torn)?, depth, take)?,
                LEAF => {
                    let key_at = at + field(4)?;
                    let value_at = key_at + field(8)?;
                    let key = page.get(key_at..value_at).ok_or_else(torn)?;
                    let value = page.get(value_at..value_at + field(12)?).ok_or_else(torn)?;
                    let is_bucket = field(0)? as u32 & IS_BUCKET != 0;
                    take(
                        key,
                        if is_bucket { Value::Bucket(bucket_in(value)?) } else { Value::Bytes(value) },
                    )?;
                }
                _ => return Err(damaged("neither a branch nor a leaf")),
            }
        }
        Ok(())
    }

    /// A page with those that it runs over into.
    fn page(&self, number: u64) -> io::Result<Vec<u8>> {
        let Meta { page_size, end, .. } = self.meta;
        if number < 2 || number >= end {
            return Err(damaged("a page that is not in use"));
        }
        let at = number.checked_mul(page_size as u64).ok_or_else(|| damaged("a page far outside"))?;
        let mut page = vec![0; page_size];
        self.file.read_exact_at(&mut page, at)?;
        let more = u32_at(&page, 12).unwrap_or(0) as usize;
        if u64_at(&page, 0) != Some(number) || more.saturating_mul(page_size) > PAGE_MAX {
            return Err(damaged("a page with a wrong header"));
        }
        let left = self.left.get().checked_sub(page_size * (more + 1));
        self.left.set(left.ok_or_else(|| io::Error::other("larger than what is read of a database"))?);
        if more > 0 {
            page.resize(page_size * (more + 1), 0);
            self.file.read_exact_at(&mut page[page_size..], at + page_size as u64)?;
        }
        Ok(page)
    }
}

/// A bucket's value: the number of its page and a counter, and the page itself if that number is 0.
fn bucket_in(value: &[u8]) -> io::Result<Bucket> {
    match u64_at(value, 0) {
        Some(0) => Ok(Bucket::Inline(value.get(16..).unwrap_or_default().to_vec())),
        Some(number) => Ok(Bucket::Page(number)),
        None => Err(damaged("a bucket cut off")),
    }
}

fn fnv_1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

// bbolt writes numbers as the machine has them, and those that run containerd are all little-endian.
fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

#[cfg(test)]
mod tests;
