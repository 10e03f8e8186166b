//! Paths, found by what lies below them: of a hundred thousand mount points the few that a file is on.

use std::hash::{DefaultHasher, Hasher as _};

use crate::bytes::{components, is_at_or_below};
use crate::order;

/// Places of paths, by a hash of their components.
#[derive(Debug, Default)]
pub(crate) struct PathIndex(Vec<(u64, usize)>);

impl PathIndex {
    pub(crate) fn of<P: AsRef<[u8]>>(paths: impl Iterator<Item = (usize, P)>) -> Self {
        let hash = |path: P| prefixes(path.as_ref()).last().unwrap_or_default();
        let mut places: Vec<(u64, usize)> = paths.map(|(place, path)| (hash(path), place)).collect();
        order::sort(&mut places);
        Self(places)
    }

    /// The places of the paths that are `path` or above it, in their order. Two paths may have one hash: they are to be
    /// compared.
    pub(crate) fn at_or_above(&self, path: &[u8]) -> Vec<usize> {
        let mut found: Vec<usize> = Vec::new();
        for hash in prefixes(path) {
            let from = self.0.partition_point(|(known, _)| *known < hash);
            let same = self.0.iter().skip(from).take_while(|(known, _)| *known == hash);
            found.extend(same.map(|(_, place)| *place));
        }
        order::sort(&mut found);
        found.dedup();
        found
    }
}

/// Hashes of `/`, `/a`, `/a/b`.
fn prefixes(path: &[u8]) -> impl Iterator<Item = u64> {
    let mut hasher = DefaultHasher::new();
    let deeper = components(path).map(Some);
    std::iter::once(None).chain(deeper).map(move |component| {
        if let Some(component) = component {
            hasher.write(component);
            hasher.write_u8(b'/');
        }
        hasher.finish()
    })
}

/// Directories, asked for what lies in them.
#[derive(Debug)]
pub(crate) struct Directories {
    paths: Vec<Vec<u8>>,
    index: PathIndex,
}

impl Directories {
    pub(crate) fn of(paths: impl Iterator<Item = Vec<u8>>) -> Self {
        let paths: Vec<Vec<u8>> = paths.collect();
        let index = PathIndex::of(paths.iter().enumerate());
        Self { paths, index }
    }

    /// Whether a path is one of them or lies below.
    pub(crate) fn have(&self, path: &[u8]) -> bool {
        let above = self.index.at_or_above(path);
        above.into_iter().filter_map(|place| self.paths.get(place)).any(|base| is_at_or_below(path, base))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_below_whole_components_is_found() {
        let paths: [&[u8]; 7] = [b"/", b"/a/b", b"/a//b/", b"/a/bc", b"/x", b"", b"/a/./b/c"];
        let index = PathIndex::of(paths.iter().enumerate());
        for path in [&b"/a/b/c/d"[..], b"/a/b", b"a/b", b"/", b"", b"/a/bcd", b"/x/../a"] {
            let above: Vec<usize> =
                (0..paths.len()).filter(|place| is_at_or_below(path, paths[*place])).collect();
            assert_eq!(index.at_or_above(path), above, "{}", String::from_utf8_lossy(path));
        }
        let directories = Directories::of([b"/a/b".to_vec()].into_iter());
        assert!(directories.have(b"/a/b/c") && !directories.have(b"/a/bc") && !directories.have(b"/"));
    }
}
