//! Which rows of a tree are shown: filtered, folded, and of those the ones in sight. Pure.

use crate::browser::letters::lower;
use ebusy_analyzer::mount_tree::{Change, MountTree, TreeRow};
use std::collections::BTreeSet;

/// What somebody wants to see of a tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Words that all must occur in a row.
    pub(super) filter: String,
    /// Only what differs from the host's own.
    pub(super) changes: bool,
    /// Rows whose branch is closed, by index.
    pub(super) closed: BTreeSet<usize>,
}

/// Indexes of the rows to show, in order. What a row is on stays with it, so that a tree stays a tree.
pub(super) fn shown(tree: &MountTree, wanted: &Wanted) -> Vec<usize> {
    let words: Vec<String> = lower(&wanted.filter).split_whitespace().map(str::to_owned).collect();
    let all = words.is_empty() && !wanted.changes;
    let mut keep: Vec<bool> = tree.rows.iter().map(|row| all || fits(row, &words, wanted.changes)).collect();
    if !all {
        keep_ancestors(&tree.rows, &mut keep);
    }
    let mut shown = Vec::new();
    // Depth below which a closed branch hides everything. What is searched for is never hidden.
    let mut hidden: Option<u32> = None;
    for (index, row) in tree.rows.iter().enumerate() {
        if hidden.is_some_and(|depth| row.depth > depth) {
            continue;
        }
        hidden = (all && wanted.closed.contains(&index)).then_some(row.depth);
        if keep.get(index) == Some(&true) {
            shown.push(index);
        }
    }
    shown
}

fn fits(row: &TreeRow, words: &[String], changes: bool) -> bool {
    let fields = || [&row.mount_point, &row.source, &row.device, &row.fs_type, &row.root];
    let has = |word: &String| fields().into_iter().any(|field| lower(field).contains(word.as_str()));
    (!changes || row.change != Change::Same) && words.iter().all(has)
}

fn keep_ancestors(rows: &[TreeRow], keep: &mut [bool]) {
    // From the end: the depth that a row above must be less than to be on the way to the last one that is kept.
    let mut wanted: Option<u32> = None;
    for (row, keep) in rows.iter().zip(keep).rev() {
        if *keep {
            wanted = Some(row.depth);
        } else if wanted.is_some_and(|depth| row.depth < depth) {
            *keep = true;
            wanted = Some(row.depth);
        }
    }
}

/// Whether something is mounted on a row.
pub(super) fn has_children(rows: &[TreeRow], index: usize) -> bool {
    match (rows.get(index), rows.get(index + 1)) {
        (Some(row), Some(next)) => next.depth > row.depth,
        _ => false,
    }
}

/// The row that a row is on.
pub(super) fn parent(rows: &[TreeRow], index: usize) -> Option<usize> {
    let depth = rows.get(index)?.depth;
    (0..index).rev().find(|above| rows.get(*above).is_some_and(|row| row.depth < depth))
}

/// A row's mount point as it stands below what it is on: `…/mnt/1` where the row above has the rest.
pub(super) fn below(rows: &[TreeRow], index: usize) -> String {
    let path = rows.get(index).map_or("", |row| row.mount_point.as_str());
    let above =
        parent(rows, index).and_then(|above| rows.get(above)).map_or("", |row| row.mount_point.as_str());
    match path.strip_prefix(above) {
        Some(rest) if above.len() > 1 && rest.starts_with('/') => format!("…{rest}"),
        _ => path.to_owned(),
    }
}

/// Of `count` rows the ones that are in sight, with some to spare: first and number. All lengths in rows.
pub(super) fn window(count: usize, first_in_sight: usize, room: usize) -> (usize, usize) {
    const SPARE: usize = 8;
    let first = first_in_sight.saturating_sub(SPARE).min(count);
    (first, (room + 2 * SPARE).min(count - first))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(rows: &[(u32, &str, Change)]) -> MountTree {
        let row = |(depth, path, change): &(u32, &str, Change)| TreeRow {
            depth: *depth,
            mount_point: (*path).into(),
            change: *change,
            ..TreeRow::default()
        };
        MountTree { rows: rows.iter().map(row).collect(), ..MountTree::default() }
    }

    fn sample() -> MountTree {
        use Change::{Added, Same};
        tree(&[
            (0, "/", Same),
            (1, "/proc", Same),
            (1, "/var", Same),
            (2, "/var/lib/docker", Same),
            (3, "/var/lib/docker/mnt/AB", Added),
            (1, "/zfs", Same),
        ])
    }

    #[test]
    fn a_filter_keeps_the_way_to_what_it_finds() {
        let wanted = Wanted { filter: " ab  MNT".into(), ..Wanted::default() };
        assert_eq!(shown(&sample(), &wanted), [0, 2, 3, 4]);
        let nothing = Wanted { filter: "ab nowhere".into(), ..Wanted::default() };
        assert_eq!(shown(&sample(), &nothing), [0; 0]);
    }

    #[test]
    fn the_way_is_kept_where_something_nearer_to_the_root_follows() {
        use Change::{Added, Same};
        let tree = tree(&[(0, "/", Same), (1, "/a", Same), (2, "/a/b", Added), (1, "/c", Added)]);
        let wanted = Wanted { changes: true, ..Wanted::default() };
        assert_eq!(shown(&tree, &wanted), [0, 1, 2, 3]);
    }

    #[test]
    fn only_changes_are_kept_where_that_is_wanted() {
        let wanted = Wanted { changes: true, ..Wanted::default() };
        assert_eq!(shown(&sample(), &wanted), [0, 2, 3, 4]);
    }

    #[test]
    fn a_closed_branch_hides_what_is_on_it_but_not_what_is_searched_for() {
        let mut wanted = Wanted { closed: [2].into(), ..Wanted::default() };
        assert_eq!(shown(&sample(), &wanted), [0, 1, 2, 5]);
        wanted.filter = "mnt".into();
        assert_eq!(shown(&sample(), &wanted), [0, 2, 3, 4]);
    }

    #[test]
    fn five_thousand_rows_are_a_window_of_few() {
        assert_eq!(window(5_000, 0, 20), (0, 36));
        assert_eq!(window(5_000, 2_500, 20), (2_492, 36));
        assert_eq!(window(5_000, 4_990, 20), (4_982, 18));
        assert_eq!(window(0, 10, 20), (0, 0));
    }

    #[test]
    fn a_path_is_shortened_by_what_stands_above_it_only() {
        use Change::Same;
        let tree = tree(&[
            (0, "/", Same),
            (1, "/var", Same),
            (2, "/var/lib", Same),
            (2, "/various", Same),
            (2, "/var", Same),
        ]);
        let shown: Vec<String> = (0..6).map(|index| below(&tree.rows, index)).collect();
        assert_eq!(shown, ["/", "/var", "…/lib", "/various", "/var", ""]);
    }

    #[test]
    fn a_row_knows_what_it_is_on() {
        let tree = sample();
        assert_eq!(
            (parent(&tree.rows, 4), parent(&tree.rows, 5), parent(&tree.rows, 0)),
            (Some(3), Some(0), None)
        );
        assert!(has_children(&tree.rows, 3) && !has_children(&tree.rows, 4) && !has_children(&tree.rows, 5));
    }
}
