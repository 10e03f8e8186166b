//! Lines at the right that join the target's mounts by peer group: members on a line, slaves at the end of an
//! arrow.

use super::{Lane, Line, Style, Text, line};
use crate::text;
use crate::views::picture::groups::Item;
use ebusy_analyzer::report::NamespaceView;
use std::collections::BTreeMap;

/// Groups that are drawn; more would be a thicket.
const MOST: usize = 4;
const STEP: f64 = 18.0;

/// A peer group that several lanes have to do with.
#[derive(Debug, Clone, PartialEq)]
pub struct Track {
    /// Number of the group.
    pub group: u32,
    /// Upright line and its ends.
    pub lines: Vec<Line>,
    /// Where a member's line meets the upright one.
    pub dots: Vec<(f64, f64)>,
    /// The number, written along the line.
    pub text: Text,
}

/// The groups that join mounts of at least two full lanes, in the order of their numbers.
pub(super) fn groups(spaces: &[NamespaceView], items: &[Item]) -> Vec<u32> {
    let mut lanes: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for item in items {
        let Item::Full(index) = item else { continue };
        let mounts = spaces.get(*index).into_iter().flat_map(|view| &view.mounts);
        for group in mounts.flat_map(|mount| [mount.shared, mount.master]).flatten() {
            let of_group = lanes.entry(group).or_default();
            if of_group.last() != Some(index) {
                of_group.push(*index);
            }
        }
    }
    lanes.into_iter().filter(|(_, lanes)| lanes.len() > 1).map(|(group, _)| group).take(MOST).collect()
}

/// Width that so many groups need.
pub(super) fn room(groups: usize) -> f64 {
    if groups == 0 { 0.0 } else { groups as f64 * STEP + 10.0 }
}

/// The lines, from where the mount boxes end to the right.
pub(super) fn lay(groups: &[u32], spaces: &[NamespaceView], lanes: &[Lane], right: f64) -> Vec<Track> {
    groups
        .iter()
        .enumerate()
        .filter_map(|(index, group)| {
            let x = right + 14.0 + index as f64 * STEP;
            track(*group, spaces, lanes, (right, x))
        })
        .collect()
}

fn track(group: u32, spaces: &[NamespaceView], lanes: &[Lane], (from, x): (f64, f64)) -> Option<Track> {
    let (mut lines, mut dots, mut heights) = (Vec::new(), Vec::new(), Vec::new());
    for lane in lanes {
        let Some(view) = spaces.get(lane.index) else { continue };
        for (mount, y) in view.mounts.iter().zip(&lane.mount.heights) {
            if mount.shared == Some(group) {
                lines.push(line(from, *y, x, *y, Style::Rail));
                dots.push((x, *y));
            } else if mount.master == Some(group) {
                lines.push(line(x, *y, from + 1.0, *y, Style::Reaches));
            } else {
                continue;
            }
            heights.push(*y);
        }
    }
    let (first, last) = (heights.first()?, heights.last()?);
    lines.push(line(x, *first, x, *last, Style::Rail));
    let content = (text::t().group_line)(group);
    let text = Text { x: x + 4.0, y: (first + last) / 2.0, class: "track-text", content, centred: true };
    Some(Track { group, lines, dots, text })
}
