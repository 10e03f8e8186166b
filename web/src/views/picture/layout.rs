//! From a report to geometry. Pure: the same report and width give the same picture.
//!
//! Lanes lie below each other at every width. In a wide one the namespace stands on the left, its
//! mount on the right, and the rail that a umount travels along between them; in a narrow one the
//! rail is at the left edge and the mount below the namespace.

mod compact;
mod tracks;

use super::groups::{self, Item};
use super::relation::{Relation, origin, relation};
use super::words::{columns, elide, first_lines, of_relation, propagation, shorten_ids, wrap};
use crate::text;
use ebusy_analyzer::report::{Effect, Holder, NamespaceView};
use std::collections::BTreeSet;

pub use tracks::Track;

/// Below this width namespace and mount do not fit beside each other.
const WIDE: f64 = 840.0;
/// From the rail to the mount, beside each other.
const BRANCH: f64 = 236.0;
/// Longest text on a branch, in characters.
const PILL_ROOM: usize = 22;
const NARROWEST: f64 = 280.0;
const GAP: f64 = 10.0;
const PAD: f64 = 14.0;
const LINE: f64 = 18.0;
const CHIP: f64 = 20.0;
const PILL: f64 = 22.0;
/// Advance of a character: monospace at 12 px (0.61 em covers the usual fonts), and sans-serif at
/// 12.5 px, the same bold, and 14 px bold, on average and generously.
const MONO: f64 = 7.4;
const SANS: f64 = 6.7;
const PILL_CHAR: f64 = 7.4;
const TITLE: f64 = 8.4;
/// Mounts of one namespace that are drawn; more are counted.
const MOUNTS: usize = 3;
const NOTE_LINES: usize = 4;

/// The whole picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Scene {
    /// In CSS pixels.
    pub width: f64,
    /// In CSS pixels.
    pub height: f64,
    /// From top to bottom.
    pub lanes: Vec<Lane>,
    /// The line that a umount travels along.
    pub rail: Vec<Line>,
    /// What joins the target's mounts that are in one peer group.
    pub tracks: Vec<Track>,
}

/// What a lane stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// One namespace.
    Single,
    /// So many like ones, folded.
    Folded(usize),
    /// The head of so many that follow.
    Unfolded(usize),
}

/// One mount namespace, or a stack of like ones.
#[derive(Debug, Clone, PartialEq)]
pub struct Lane {
    /// Its index in the report's namespaces; of a stack, that of the first.
    pub index: usize,
    /// One or several.
    pub form: Form,
    /// All of it.
    pub area: Area,
    /// What it does to the operation.
    pub effect: Option<Effect>,
    /// Label, inode number, note.
    pub texts: Vec<Text>,
    /// Its processes.
    pub chips: Vec<Chip>,
    /// How a umount comes, or does not come, from the rail.
    pub branch: Branch,
    /// The target's mount in it.
    pub mount: MountBox,
}

/// A rectangle.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs)]
pub struct Area {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

/// A line of text; `y` is the baseline.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub struct Text {
    pub x: f64,
    pub y: f64,
    pub class: &'static str,
    pub content: String,
    pub centred: bool,
}

/// A process.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub struct Chip {
    pub area: Area,
    pub text: Text,
}

/// From the rail to the mount.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub struct Branch {
    pub relation: Relation,
    pub lines: Vec<Line>,
    pub pill: Area,
    pub text: Text,
}

/// The target's mount in a namespace, or its absence.
#[derive(Debug, Clone, PartialEq)]
pub struct MountBox {
    /// All of it.
    pub area: Area,
    /// Whether it is mounted or open there.
    pub here: bool,
    /// Mount point and facts.
    pub texts: Vec<Text>,
    /// Centres of the signs that mark the target.
    pub targets: Vec<(f64, f64)>,
    /// For each mount of the report that is drawn, the height that its tracks leave the box at.
    pub heights: Vec<f64>,
}

/// A straight line.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub struct Line {
    pub x1: f64,
    pub y1: f64,
    pub x2: f64,
    pub y2: f64,
    pub style: Style,
}

/// What a line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// The way of a umount past the namespaces.
    Rail,
    /// It arrives.
    Reaches,
    /// It would have to go on here.
    Broken,
    /// Where it is cut.
    CutMark,
}

/// Lays out namespaces in `width` CSS pixels; `open` has the stacks that are unfolded, by their first members.
pub fn scene(spaces: &[NamespaceView], holders: &[Holder], width: f64, open: &BTreeSet<usize>) -> Scene {
    let items = groups::items(spaces, open);
    let groups = tracks::groups(spaces, &items);
    let frame = Frame::new(width.max(NARROWEST), tracks::room(groups.len()));
    let start = origin(spaces);
    let mut lanes = Vec::new();
    let mut notes = BTreeSet::new();
    let mut y = 1.0;
    for item in &items {
        let Some((index, view)) = item.first().and_then(|index| Some((index, spaces.get(index)?))) else {
            continue;
        };
        let relation = start.map_or(Relation::Unknown, |start| relation(spaces, start, index));
        let lane = match item {
            Item::Full(_) => {
                // What several lanes have in common is written once.
                let noted = !notes.insert(view.propagation.as_str());
                frame.lane(index, view, relation, (holders, noted), y)
            }
            Item::Row(_) => frame.row(index, view, relation, y),
            Item::Folded(members) => frame.folded(members, spaces, relation, y),
            Item::Unfolded(members) => frame.unfolded(members, view, relation, y),
        };
        y += lane.area.height + if lane.is_row() { 3.0 } else { GAP };
        lanes.push(lane);
    }
    if let [lane] = lanes.as_mut_slice() {
        // A lane alone sends nothing to anybody.
        lane.branch.lines.clear();
    }
    let rail = frame.rail(&lanes);
    let tracks = tracks::lay(&groups, spaces, &lanes, frame.inner_right());
    Scene { width: frame.width, height: y - GAP + 1.0, lanes, rail, tracks }
}

/// What processes of a namespace have open on the target, where no mount of it is left there.
fn open_files(holders: &[Holder], view: &NamespaceView) -> String {
    let holders = holders.iter().filter(|holder| {
        view.mounts.is_empty()
            && view.inode.is_some()
            && holder.mount_namespace == view.inode
            && holder.effect != Effect::Unrelated
    });
    let files = holders.flat_map(|holder| &holder.open_files);
    files.map(|file| format!("{} {}", file.pid, file.reference)).collect::<Vec<_>>().join(", ")
}

/// Where things stand from left to right.
struct Frame {
    width: f64,
    wide: bool,
    /// Left edge of the lanes.
    left: f64,
    rail: f64,
    /// Left edge and width of what tells the namespace.
    space: (f64, f64),
    /// Left edge of the pill on the branch.
    pill: f64,
    /// Left edge and width of the mount box.
    mount: (f64, f64),
}

impl Frame {
    fn new(width: f64, tracks: f64) -> Self {
        if width >= WIDE {
            // The mount's path needs the room; beyond 460 px the namespace has enough.
            let space = (width * 0.34).min(460.0);
            let rail = PAD + space + 18.0;
            let mount = rail + BRANCH;
            Self {
                width,
                wide: true,
                left: 1.0,
                rail,
                space: (PAD + 6.0, space - 6.0),
                pill: rail + 36.0,
                mount: (mount, width - PAD - tracks - mount),
            }
        } else {
            let left = 26.0;
            let inner = (left + PAD + 4.0, width - left - 2.0 * PAD - 4.0);
            let mount = (inner.0, inner.1 - tracks);
            Self { width, wide: false, left, rail: 10.0, space: inner, pill: left + 36.0, mount }
        }
    }

    /// Where the mount boxes end and the tracks begin.
    fn inner_right(&self) -> f64 {
        self.mount.0 + self.mount.1
    }

    fn lane(
        &self,
        index: usize,
        view: &NamespaceView,
        relation: Relation,
        (holders, noted): (&[Holder], bool),
        top: f64,
    ) -> Lane {
        let open = &open_files(holders, view);
        let (mut texts, chips, left_end) = self.space(view, holders, top + PAD);
        let branch_y = if self.wide { top + PAD + 14.0 } else { left_end + PILL / 2.0 };
        let mount_top = if self.wide { top + PAD } else { branch_y + PILL / 2.0 + 8.0 };
        let mount = self.mount(view, open, mount_top);
        let branch = self.branch(relation, branch_y, &mount);
        let mut end = mount.area.y + mount.area.height + 8.0;
        // Below the branch there is room, too.
        let x = if self.wide { self.pill } else { self.mount.0 };
        let room = self.inner_right() - x;
        let note = if noted { String::new() } else { text::told(&view.propagation) };
        for line in first_lines(wrap(&note, (room / SANS) as usize), NOTE_LINES) {
            texts.push(text(x, end + 12.0, "note", line));
            end += LINE;
        }
        let end = end.max(left_end);
        let area =
            Area { x: self.left, y: top, width: self.width - self.left - 1.0, height: end + 6.0 - top };
        Lane { index, form: Form::Single, area, effect: view.effect, texts, chips, branch, mount }
    }

    /// Label, inode number and chips; also where they end.
    fn space(&self, view: &NamespaceView, holders: &[Holder], top: f64) -> (Vec<Text>, Vec<Chip>, f64) {
        let t = text::t();
        let (x, room) = self.space;
        let label = elide(&view.label, (room / TITLE) as usize);
        let mut texts = vec![text(x, top + 12.0, "label", label)];
        let inode = view.inode.map(|inode| format!("mnt:[{inode}]"));
        let what = view.effect.map_or_else(|| t.role(view.role), |effect| t.effect(effect));
        texts.push(text(x, top + 12.0 + LINE, "effect-word", what.to_owned()));
        if let Some(inode) = inode {
            let after = x + columns(what) as f64 * TITLE + 10.0;
            texts.push(text(after, top + 12.0 + LINE, "mono muted", inode));
        }
        let (chips, end) = self.chips(view, holders, top + 2.0 * LINE + 6.0);
        (texts, chips, end)
    }

    /// Up to two rows of processes, then how many more there are.
    fn chips(&self, view: &NamespaceView, holders: &[Holder], top: f64) -> (Vec<Chip>, f64) {
        let (left, room) = self.space;
        let total = view.process_count as usize;
        if view.processes.is_empty() && total == 0 {
            let content = text::t().no_process.to_owned();
            let width = columns(&content) as f64 * MONO + 16.0;
            return (vec![chip(left, top, width.min(room), content)], top + CHIP + 8.0);
        }
        let more_room = MONO * 8.0 + 16.0;
        let (mut x, mut y, mut row) = (left, top, 0);
        let mut chips = Vec::new();
        for process in &view.processes {
            let owner = owner(holders, view, process.pid).map(|owner| format!(" · {owner}"));
            let content = format!("{} {}{}", process.comm, process.pid, owner.unwrap_or_default());
            let content = elide(&content, ((room - 16.0) / MONO) as usize);
            let width = columns(&content) as f64 * MONO + 16.0;
            let end = if row == 1 { left + room - more_room } else { left + room };
            if x > left && x + width > end {
                if row == 1 {
                    break;
                }
                (x, y, row) = (left, y + CHIP + 6.0, 1);
            }
            chips.push(chip(x, y, width, content));
            x += width + 6.0;
        }
        let left_out = total.saturating_sub(chips.len());
        if left_out > 0 {
            let content = format!("+{left_out}");
            let width = columns(&content) as f64 * MONO + 16.0;
            if x > left && x + width > left + room {
                (x, y) = (left, y + CHIP + 6.0);
            }
            chips.push(chip(x, y, width, content));
        }
        (chips, y + CHIP + 8.0)
    }

    fn mount(&self, view: &NamespaceView, open: &str, top: f64) -> MountBox {
        let t = text::t();
        let (x, width) = self.mount;
        let (inner, mut y) = (x + 10.0, top + 19.0);
        let room = |from: f64| ((x + width - 8.0 - from) / MONO) as usize;
        let (mut texts, mut targets, mut heights) = (Vec::new(), Vec::new(), Vec::new());
        for mount in view.mounts.iter().take(MOUNTS) {
            heights.push(y - 4.0);
            targets.push((inner + 6.0, y - 4.0));
            let path = elide(&shorten_ids(&mount.mount_point), room(inner + 18.0));
            texts.push(text(inner + 18.0, y, "mono strong", path));
            let facts = format!("{} · {} · {}", mount.fs_type, mount.device, propagation(mount));
            texts.push(text(inner + 18.0, y + LINE, "mono muted", elide(&facts, room(inner + 18.0))));
            y += 2.0 * LINE + 4.0;
        }
        if view.mounts.len() > MOUNTS {
            texts.push(text(inner + 18.0, y, "muted", (t.more_mounts)(view.mounts.len() - MOUNTS)));
            y += LINE;
        }
        if view.mounts.is_empty() {
            texts.push(text(inner, y, "gone-text", t.not_mounted.to_owned()));
            y += LINE;
        }
        if !open.is_empty() {
            targets.push((inner + 6.0, y - 4.0));
            let words = elide(&(t.open_on_it)(open), room(inner + 18.0));
            texts.push(text(inner + 18.0, y, "mono strong", words));
            y += LINE;
        }
        if let Some(parent) = &view.parent_mount {
            let words = (t.parent)(&shorten_ids(&parent.mount_point), &propagation(parent));
            texts.push(text(inner, y, "mono muted", elide(&words, room(inner))));
            y += LINE;
        }
        let area = Area { x, y: top, width, height: y - top - 6.0 };
        MountBox { area, here: !targets.is_empty(), texts, targets, heights }
    }

    fn branch(&self, relation: Relation, y: f64, mount: &MountBox) -> Branch {
        let content = elide(&of_relation(&relation), PILL_ROOM);
        let pill = Area {
            x: self.pill,
            y: y - PILL / 2.0,
            width: columns(&content) as f64 * PILL_CHAR + 20.0,
            height: PILL,
        };
        let text =
            Text { x: pill.x + pill.width / 2.0, y: y + 4.0, class: "pill-text", content, centred: true };
        let to = if self.wide { mount.area.x } else { self.pill };
        let lines = branch_lines(&relation, (self.rail, to), &pill, y, self.wide);
        Branch { relation, lines, pill, text }
    }

    /// From the first branch to the last.
    fn rail(&self, lanes: &[Lane]) -> Vec<Line> {
        let height = |lane: &Lane| lane.branch.pill.y + PILL / 2.0;
        match (lanes.first(), lanes.last()) {
            (Some(first), Some(last)) if lanes.len() > 1 => {
                vec![line(self.rail, height(first), self.rail, height(last), Style::Rail)]
            }
            _ => Vec::new(),
        }
    }
}

/// Unit or container of a process, where the lane's label does not tell it already.
fn owner(holders: &[Holder], view: &NamespaceView, pid: u32) -> Option<String> {
    let holder = holders.iter().find(|holder| holder.pids.contains(&pid))?;
    let container = holder.container.as_ref();
    let name = container.map(|it| it.name.as_deref().unwrap_or_else(|| text::short_id(&it.id)));
    let name = name.or(holder.unit.as_deref())?;
    (!view.label.contains(name)).then(|| name.to_owned())
}

/// The pieces of a branch: whole where the umount arrives, with two bars and a gap where it is cut.
fn branch_lines(relation: &Relation, (from, to): (f64, f64), pill: &Area, y: f64, wide: bool) -> Vec<Line> {
    let after = pill.x + pill.width;
    let mut lines = match relation {
        Relation::Start => vec![line(pill.x, y, from, y, Style::Reaches)],
        Relation::Peer(_) | Relation::Slave(_) if wide => vec![line(from, y, pill.x, y, Style::Rail)],
        Relation::Peer(_) | Relation::Slave(_) => vec![line(from, y, pill.x, y, Style::Reaches)],
        Relation::Upstream(_) | Relation::Cut(_) => {
            let cut = from + (pill.x - from) * 0.45;
            vec![
                line(from, y, cut - 3.0, y, Style::Rail),
                line(cut - 4.0, y + 7.0, cut + 1.0, y - 7.0, Style::CutMark),
                line(cut + 2.0, y + 7.0, cut + 7.0, y - 7.0, Style::CutMark),
                line(cut + 9.0, y, pill.x, y, Style::Broken),
            ]
        }
        Relation::Unknown => vec![line(from, y, pill.x, y, Style::Broken)],
    };
    if wide && after < to {
        let style = match relation {
            Relation::Peer(_) | Relation::Slave(_) => Style::Reaches,
            Relation::Start => Style::Rail,
            _ => Style::Broken,
        };
        lines.push(line(after, y, to, y, style));
    }
    lines
}

fn line(x1: f64, y1: f64, x2: f64, y2: f64, style: Style) -> Line {
    Line { x1, y1, x2, y2, style }
}

fn text(x: f64, y: f64, class: &'static str, content: String) -> Text {
    Text { x, y, class, content, centred: false }
}

fn chip(x: f64, y: f64, width: f64, content: String) -> Chip {
    Chip {
        area: Area { x, y, width, height: CHIP },
        text: Text { x: x + width / 2.0, y: y + 14.0, class: "mono", content, centred: true },
    }
}

#[cfg(test)]
mod tests;
