//! Which namespaces get a lane of their own, and which are folded into a stack of like ones: of 200 namespaces
//! the first few of each effect tell the story.

use super::relation::{Relation, origin, relation};
use ebusy_analyzer::report::{Effect, NamespaceRole, NamespaceView};
use std::collections::BTreeSet;

/// Holders up to this many get lanes of their own, whatever they do.
const FEW: usize = 8;

/// What stands in the picture from top to bottom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A namespace in full, by its index in the report.
    Full(usize),
    /// A namespace in one line.
    Row(usize),
    /// Like namespaces, folded. Its first member is its name.
    Folded(Vec<usize>),
    /// The head of a stack whose members follow as rows.
    Unfolded(Vec<usize>),
}

impl Item {
    /// Index of the namespace that it shows, or shows first.
    pub fn first(&self) -> Option<usize> {
        match self {
            Self::Full(index) | Self::Row(index) => Some(*index),
            Self::Folded(members) | Self::Unfolded(members) => members.first().copied(),
        }
    }
}

/// How many namespaces of an effect get a full lane where there are many.
fn quota(effect: Option<Effect>) -> usize {
    match effect {
        Some(Effect::Blocking) => 5,
        Some(Effect::Holding) => 2,
        Some(Effect::Unrelated) | None => 0,
    }
}

/// The items; `open` has the first members of stacks that are unfolded.
pub fn items(spaces: &[NamespaceView], open: &BTreeSet<usize>) -> Vec<Item> {
    let start = origin(spaces);
    let is_holder = |index: &usize| spaces.get(*index).is_some_and(|view| view.role == NamespaceRole::Holder);
    let (holders, context): (Vec<usize>, Vec<usize>) = (0..spaces.len()).partition(is_holder);
    let mut items: Vec<Item> = context.into_iter().map(Item::Full).collect();
    let few = holders.len() <= FEW;
    for effect in [Some(Effect::Blocking), Some(Effect::Holding), Some(Effect::Unrelated), None] {
        let with_effect = holders.iter().copied().filter(|index| spaces[*index].effect == effect);
        let mut room = if few && effect != Some(Effect::Unrelated) { FEW } else { quota(effect) };
        // Like ones are reached, or cut off, in the same way.
        let mut classes: Vec<(u8, Vec<usize>)> = Vec::new();
        for index in with_effect {
            if room > 0 {
                room -= 1;
                items.push(Item::Full(index));
                continue;
            }
            let way = start.map_or(3, |start| way(&relation(spaces, start, index)));
            match classes.iter_mut().find(|(class, _)| *class == way) {
                Some((_, members)) => members.push(index),
                None => classes.push((way, vec![index])),
            }
        }
        for (_, members) in classes {
            push_class(&mut items, members, open);
        }
    }
    items
}

fn push_class(items: &mut Vec<Item>, members: Vec<usize>, open: &BTreeSet<usize>) {
    match members.first() {
        // A stack of one hides more than it saves.
        Some(only) if members.len() == 1 => items.push(Item::Row(*only)),
        Some(first) if open.contains(first) => {
            let rows: Vec<Item> = members.iter().copied().map(Item::Row).collect();
            items.push(Item::Unfolded(members));
            items.extend(rows);
        }
        Some(_) => items.push(Item::Folded(members)),
        None => {}
    }
}

fn way(relation: &Relation) -> u8 {
    match relation {
        Relation::Start | Relation::Peer(_) | Relation::Slave(_) => 0,
        Relation::Upstream(_) | Relation::Cut(_) => 1,
        Relation::Unknown => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn indexes(items: &[Item]) -> Vec<usize> {
        let mut all: Vec<usize> = items
            .iter()
            .flat_map(|item| match item {
                Item::Full(index) | Item::Row(index) => vec![*index],
                Item::Folded(members) => members.clone(),
                Item::Unfolded(_) => Vec::new(),
            })
            .collect();
        ebusy_analyzer::order::sort(&mut all);
        all
    }

    #[test]
    fn a_few_namespaces_all_have_a_lane() {
        let report = sample::report();
        let found = items(&report.namespaces, &BTreeSet::new());
        assert!(found.iter().all(|item| matches!(item, Item::Full(_))), "{found:?}");
    }

    #[test]
    fn of_two_hundred_a_few_are_drawn_and_none_is_lost() {
        let mut report = sample::report_with(200);
        for (index, view) in report.namespaces.iter_mut().enumerate().skip(60) {
            view.effect = Some(if index % 2 == 0 { Effect::Holding } else { Effect::Unrelated });
        }
        let folded = items(&report.namespaces, &BTreeSet::new());
        assert!(folded.len() <= 16, "{}", folded.len());
        assert_eq!(indexes(&folded), (0..report.namespaces.len()).collect::<Vec<_>>());
        let stacks: Vec<&Vec<usize>> = folded
            .iter()
            .filter_map(|item| if let Item::Folded(members) = item { Some(members) } else { None })
            .collect();
        for members in &stacks {
            let effects: BTreeSet<_> = members.iter().map(|i| report.namespaces[*i].effect).collect();
            assert_eq!(effects.len(), 1, "a stack is of one effect");
        }
        let open: BTreeSet<usize> = stacks.iter().map(|members| members[0]).collect();
        let unfolded = items(&report.namespaces, &open);
        assert_eq!(indexes(&unfolded), (0..report.namespaces.len()).collect::<Vec<_>>());
        assert!(unfolded.len() > 190);
    }

    #[test]
    fn what_has_nothing_to_do_with_it_is_small() {
        let mut report = sample::report();
        report.namespaces[3].effect = Some(Effect::Unrelated);
        assert_eq!(items(&report.namespaces, &BTreeSet::new())[3], Item::Row(3));
    }
}
