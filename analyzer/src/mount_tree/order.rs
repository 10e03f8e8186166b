//! Which mount is on which, and the order in which a tree is read.

use std::collections::BTreeMap;

use super::TreeRow;
use crate::parse::mountinfo::Mount;

/// What places a mount in the tree.
pub(super) struct Node {
    /// Own id and the parent's; `None` for a mount of another table, which goes where its path leads.
    ids: Option<(u32, u32)>,
    path: Vec<u8>,
}

impl Node {
    pub(super) fn of(mount: &Mount<'_>) -> Self {
        Self { ids: Some((mount.id.0, mount.parent.0)), path: mount.mount_point().into_owned() }
    }

    pub(super) fn by_path(mount: &Mount<'_>) -> Self {
        Self { ids: None, path: mount.mount_point().into_owned() }
    }
}

/// The rows, each followed by what is mounted on it, with their depths. Every row comes out once, whatever the
/// ids of a damaged table say.
pub(super) fn depth_first(rows: Vec<(Node, TreeRow)>) -> Vec<TreeRow> {
    let parents = parents(&rows);
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); rows.len()];
    let mut roots = Vec::new();
    for (index, parent) in parents.iter().enumerate() {
        match parent.and_then(|parent| children.get_mut(parent)) {
            Some(list) => list.push(index),
            None => roots.push(index),
        }
    }
    let path = |index: &usize| rows.get(*index).map(|(node, _)| &node.path);
    for list in &mut children {
        list.sort_by(|a, b| path(a).cmp(&path(b)));
    }
    let order = walk(&roots, &children);
    let mut rows: Vec<Option<TreeRow>> = rows.into_iter().map(|(_, row)| Some(row)).collect();
    let take = |(index, depth): (usize, u32)| {
        let row = rows.get_mut(index).and_then(Option::take)?;
        Some(TreeRow { depth, ..row })
    };
    order.into_iter().filter_map(take).collect()
}

/// Index of the row that each row is on.
fn parents(rows: &[(Node, TreeRow)]) -> Vec<Option<usize>> {
    let with_ids = rows.iter().enumerate().filter_map(|(index, (node, _))| Some((node.ids?.0, index)));
    let by_id = crate::order::map(with_ids);
    // Of several mounts at one place the last is the one that is seen.
    let mut by_path: BTreeMap<&[u8], usize> = BTreeMap::new();
    for (index, (node, _)) in rows.iter().enumerate() {
        let foreign = node.ids.is_none();
        if !(foreign && by_path.contains_key(&node.path[..])) {
            by_path.insert(&node.path, index);
        }
    }
    let parent = |(index, (node, _)): (usize, &(Node, TreeRow))| {
        let parent = match node.ids {
            Some((_, parent)) => by_id.get(&parent).copied(),
            None => ancestors(&node.path).find_map(|path| by_path.get(path).copied()),
        };
        parent.filter(|parent| *parent != index)
    };
    rows.iter().enumerate().map(parent).collect()
}

/// `/a/b` → `/a`, `/`.
fn ancestors(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = (path != b"/").then_some(path);
    std::iter::from_fn(move || {
        let end = rest?.iter().rposition(|byte| *byte == b'/')?;
        let above = if end == 0 { b"/" } else { path.get(..end)? };
        rest = (end > 0).then_some(above);
        Some(above)
    })
}

/// Index and depth of each node. Nodes that no root leads to, as ids in a circle make them, are roots themselves.
fn walk(roots: &[usize], children: &[Vec<usize>]) -> Vec<(usize, u32)> {
    let mut seen = vec![false; children.len()];
    let mut order = Vec::new();
    let mut starts = roots.iter().copied().chain(0..children.len());
    let mut stack: Vec<(usize, u32)> = Vec::new();
    loop {
        let Some((index, depth)) = stack.pop().or_else(|| starts.next().map(|root| (root, 0))) else {
            return order;
        };
        match seen.get_mut(index) {
            Some(seen) if !*seen => *seen = true,
            _ => continue,
        }
        order.push((index, depth));
        let below = children.get(index).into_iter().flatten().rev();
        stack.extend(below.map(|child| (*child, depth.saturating_add(1))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: u32) -> TreeRow {
        TreeRow { id, ..TreeRow::default() }
    }

    fn node(id: u32, parent: u32, path: &str) -> (Node, TreeRow) {
        (Node { ids: Some((id, parent)), path: path.into() }, row(id))
    }

    fn foreign(id: u32, path: &str) -> (Node, TreeRow) {
        (Node { ids: None, path: path.into() }, row(id))
    }

    fn order(rows: Vec<(Node, TreeRow)>) -> Vec<(u32, u32)> {
        depth_first(rows).into_iter().map(|row| (row.id, row.depth)).collect()
    }

    #[test]
    fn mounts_follow_what_they_are_on_sorted_by_path() {
        let rows = vec![node(5, 1, "/var"), node(6, 5, "/var/lib"), node(1, 0, "/"), node(2, 1, "/proc")];
        assert_eq!(order(rows), [(1, 0), (2, 1), (5, 1), (6, 2)]);
    }

    #[test]
    fn mounts_of_another_table_go_where_their_path_leads() {
        let rows =
            vec![node(1, 0, "/"), node(5, 1, "/var"), foreign(9, "/var/lib/x/y"), foreign(8, "/var/lib/x")];
        assert_eq!(order(rows), [(1, 0), (5, 1), (8, 2), (9, 3)]);
    }

    #[test]
    fn ids_in_a_circle_and_an_own_parent_lose_nothing() {
        let rows = vec![node(1, 2, "/a"), node(2, 1, "/b"), node(3, 3, "/"), node(4, 99, "/d")];
        let found = order(rows);
        assert_eq!(found.len(), 4, "{found:?}");
        assert_eq!(found.iter().filter(|(_, depth)| *depth == 0).count(), 3, "{found:?}");
    }

    #[test]
    fn a_path_has_its_ancestors() {
        let all =
            |path: &'static str| ancestors(path.as_bytes()).map(|p| String::from_utf8_lossy(p).into_owned());
        assert_eq!(all("/a/b/c").collect::<Vec<_>>(), ["/a/b", "/a", "/"]);
        assert_eq!(all("/").collect::<Vec<_>>(), [""; 0]);
    }
}
