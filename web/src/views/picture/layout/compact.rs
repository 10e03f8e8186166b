//! Namespaces in one line, and stacks of like ones.

use super::{
    Area, Branch, Form, Frame, Lane, MONO, MountBox, PILL, SANS, TITLE, columns, elide, shorten_ids, text,
};
use crate::text as texts;
use crate::views::picture::relation::Relation;
use ebusy_analyzer::report::NamespaceView;

/// Height of a row beside each other, and of one in a narrow picture, where the branch has a line of its own.
const ROW: (f64, f64) = (30.0, 56.0);
const STACK: (f64, f64) = (54.0, 82.0);
/// Names that a stack gives as a sample.
const NAMES: usize = 12;

impl Lane {
    /// Whether it is a namespace in one line.
    pub fn is_row(&self) -> bool {
        self.form == Form::Single && self.area.height <= ROW.1
    }
}

impl Frame {
    /// A namespace in one line.
    pub(super) fn row(&self, index: usize, view: &NamespaceView, relation: Relation, top: f64) -> Lane {
        let height = if self.wide { ROW.0 } else { ROW.1 };
        let (x, room) = self.space;
        let baseline = top + 20.0;
        let effect = effect_word(view);
        let effect_room = columns(effect) as f64 * TITLE + 12.0;
        let label = elide(&view.label, ((room - effect_room) / TITLE) as usize);
        let after = x + columns(&label) as f64 * TITLE + 10.0;
        let mut lane = self.bare(index, view, relation, (top, height));
        lane.texts.push(text(x, baseline, "label", label));
        lane.texts.push(text(after, baseline, "effect-word", effect.to_owned()));
        if self.wide {
            let (left, width) = self.mount;
            let place = match view.mounts.first() {
                Some(mount) => shorten_ids(&mount.mount_point),
                None => texts::t().not_mounted.to_owned(),
            };
            lane.texts.push(text(
                left + 10.0,
                baseline,
                "mono",
                elide(&place, ((width - 18.0) / MONO) as usize),
            ));
        }
        lane
    }

    /// Like namespaces behind one face.
    pub(super) fn folded(
        &self,
        members: &[usize],
        spaces: &[NamespaceView],
        relation: Relation,
        top: f64,
    ) -> Lane {
        let first = members.first().copied().unwrap_or_default();
        let title = (texts::t().stack)(members.len());
        let mut lane = self.head(first, spaces.get(first), relation, top, title, Form::Folded(members.len()));
        let names = members.iter().take(NAMES).filter_map(|index| Some(spaces.get(*index)?.label.as_str()));
        let names = names.collect::<Vec<_>>().join(", ");
        let (x, room) = if self.wide { self.mount } else { self.space };
        let y = if self.wide { top + 23.0 } else { top + STACK.1 - 10.0 };
        lane.texts.push(text(x + 10.0, y, "note", elide(&names, ((room - 20.0) / SANS) as usize)));
        lane
    }

    /// What is unfolded: its rows follow.
    pub(super) fn unfolded(
        &self,
        members: &[usize],
        view: &NamespaceView,
        relation: Relation,
        top: f64,
    ) -> Lane {
        let first = members.first().copied().unwrap_or_default();
        let title = (texts::t().stack_close)(members.len());
        self.head(first, Some(view), relation, top, title, Form::Unfolded(members.len()))
    }

    fn head(
        &self,
        index: usize,
        view: Option<&NamespaceView>,
        relation: Relation,
        top: f64,
        title: String,
        form: Form,
    ) -> Lane {
        let height = if self.wide { STACK.0 } else { STACK.1 };
        let mut lane = self.bare_with(index, relation, (top, height));
        lane.effect = view.and_then(|view| view.effect);
        lane.form = form;
        let (x, room) = self.space;
        let effect = view.map(effect_word).unwrap_or_default();
        lane.texts.push(text(x, top + 23.0, "label", elide(&title, (room / TITLE) as usize)));
        lane.texts.push(text(x, top + 41.0, "effect-word", effect.to_owned()));
        if matches!(form, Form::Folded(_)) {
            let after = x + columns(effect) as f64 * TITLE + 10.0;
            lane.texts.push(text(after, top + 41.0, "unfold", texts::t().stack_open.to_owned()));
        }
        lane
    }

    fn bare(&self, index: usize, view: &NamespaceView, relation: Relation, place: (f64, f64)) -> Lane {
        let mut lane = self.bare_with(index, relation, place);
        lane.effect = view.effect;
        lane
    }

    /// Ground and branch, nothing else.
    fn bare_with(&self, index: usize, relation: Relation, (top, height): (f64, f64)) -> Lane {
        let (x, width) = self.mount;
        let narrow_line = top + if height > ROW.1 { 56.0 } else { 41.0 };
        let middle = if self.wide { top + height / 2.0 } else { narrow_line };
        // Nothing is drawn of it; it tells where the branch has to end.
        let mount = MountBox {
            area: Area { x, y: top, width, height: 0.0 },
            here: false,
            texts: Vec::new(),
            targets: Vec::new(),
            heights: Vec::new(),
        };
        let branch = if height > ROW.0 {
            self.branch(relation, middle, &mount)
        } else {
            self.thin(relation, middle, &mount)
        };
        let area = Area { x: self.left, y: top, width: self.width - self.left - 1.0, height };
        Lane {
            index,
            form: Form::Single,
            area,
            effect: None,
            texts: Vec::new(),
            chips: Vec::new(),
            branch,
            mount,
        }
    }

    /// A branch whose pill fits into one line.
    fn thin(&self, relation: Relation, y: f64, mount: &MountBox) -> Branch {
        let mut branch = self.branch(relation, y, mount);
        branch.pill.y += 1.0;
        branch.pill.height = PILL - 2.0;
        branch
    }
}

fn effect_word(view: &NamespaceView) -> &'static str {
    let t = texts::t();
    view.effect.map_or_else(|| t.role(view.role), |effect| t.effect(effect))
}
