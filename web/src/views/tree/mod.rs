//! The mounts of any namespace as findmnt(8) shows them, compared with the host's own. A treegrid after the ARIA
//! authoring practices; of 5,000 rows only those in sight are elements.

mod rows;

use super::wishes::use_wishes;
use crate::browser::page;
use crate::text;
use crate::worker::protocol::Mounts;
use ebusy_analyzer::mount_tree::{Change, MountTree, TreeRow};
use rows::Wanted;
use std::rc::Rc;
use web_sys::{Element, HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

/// Id of the section.
pub const TREE_ID: &str = "mount-tree";
const TITLE_ID: &str = "tree-title";
/// Height of a row in CSS pixels, as the style sheet has it.
const ROW: u32 = 28;
/// Rows in sight at most, as the style sheet has it.
const ROOM: usize = 20;

/// Properties of [`TreeView`].
#[derive(Properties, PartialEq)]
pub struct TreeViewProps {
    /// What the worker told last.
    pub mounts: Option<Rc<Mounts>>,
    /// Key of the namespace that is wanted, until it is there.
    pub wanted: Option<AttrValue>,
    /// Key of the namespace to begin with; empty for the host's own.
    pub first: AttrValue,
    /// Mount ids of the target.
    pub targets: Rc<[u32]>,
}

/// The section.
#[component]
pub fn TreeView(props: &TreeViewProps) -> Html {
    let t = text::t();
    let wishes = use_wishes();
    let content = match &props.mounts {
        Some(mounts) => {
            let key = mounts.tree.as_ref().map_or_else(|| mounts.asked.clone(), |tree| tree.key.clone());
            html! {
                <div>
                    { chooser(mounts, &wishes.mounts) }
                    <Tree {key} mounts={mounts.clone()} targets={props.targets.clone()} />
                </div>
            }
        }
        None => html! { <p class="muted">{ t.tree_loading }</p> },
    };
    // Somebody came by the tab, and wants to see any.
    use_effect_with(props.mounts.is_none() && props.wanted.is_none(), {
        let (mounts, first) = (wishes.mounts.clone(), props.first.clone());
        move |missing| {
            if *missing {
                mounts.emit(first.to_string());
            }
        }
    });
    html! {
        <section id={TREE_ID} class="section tree" aria-labelledby={TITLE_ID} aria-busy={props.wanted.is_some().to_string()}
            data-test="tree">
            <h2 id={TITLE_ID}>{ t.tree_title }</h2>
            <p class="muted">{ t.tree_text }</p>
            { content }
        </section>
    }
}

fn chooser(mounts: &Mounts, wanted: &Callback<String>) -> Html {
    let t = text::t();
    let current = mounts.tree.as_ref().map_or(mounts.asked.as_str(), |tree| tree.key.as_str());
    let onchange = {
        let wanted = wanted.clone();
        Callback::from(move |event: Event| {
            wanted.emit(event.target_unchecked_into::<HtmlSelectElement>().value());
        })
    };
    let options = mounts.namespaces.iter().map(|name| {
        html! {
            <option key={name.key.clone()} value={name.key.clone()} selected={name.key == current}>
                { (t.tree_namespace_name)(&name.label, &name.key, name.processes) }
            </option>
        }
    });
    html! {
        <label class="hosts tree-namespace">
            <span>{ t.tree_namespace }</span>
            <select data-test="tree-namespace" {onchange}>{ for options }</select>
        </label>
    }
}

#[derive(Properties, PartialEq)]
struct TreeProps {
    mounts: Rc<Mounts>,
    targets: Rc<[u32]>,
}

#[component]
fn Tree(props: &TreeProps) -> Html {
    let t = text::t();
    // What differs is why somebody looks; of a container with a root of its own everything does.
    let differs = props.mounts.tree.as_ref().is_some_and(|tree| tree.host_file.is_some() && !tree.other_root);
    let wanted = use_state_eq(|| Wanted { changes: differs, ..Wanted::default() });
    let first = use_state_eq(|| 0_usize);
    let active = use_state_eq(|| 0_usize);
    let grid = use_node_ref();
    let Some(tree) = &props.mounts.tree else {
        return html! { <p class="muted">{ t.tree_missing_table }</p> };
    };
    let shown = rows::shown(tree, &wanted);
    let last = shown.len().saturating_sub(1);
    let at = shown.iter().position(|index| *index == *active).unwrap_or(0);

    let oninput = {
        let (wanted, first) = (wanted.clone(), first.clone());
        Callback::from(move |event: InputEvent| {
            first.set(0);
            let filter = event.target_unchecked_into::<HtmlInputElement>().value();
            wanted.set(Wanted { filter, ..(*wanted).clone() });
        })
    };
    let onchange = {
        let wanted = wanted.clone();
        Callback::from(move |event: Event| {
            let changes = event.target_unchecked_into::<HtmlInputElement>().checked();
            wanted.set(Wanted { changes, ..(*wanted).clone() });
        })
    };
    let onscroll = {
        let first = first.clone();
        Callback::from(move |event: Event| {
            let top = event.target_unchecked_into::<Element>().scroll_top();
            first.set((top.max(0) / ROW as i32) as usize);
        })
    };
    let fold = {
        let wanted = wanted.clone();
        move |index: usize, close: bool| {
            let mut next = (*wanted).clone();
            if close {
                next.closed.insert(index)
            } else {
                next.closed.remove(&index)
            };
            wanted.set(next);
        }
    };
    let onkeydown = {
        let (active, grid, fold) = (active.clone(), grid.clone(), fold.clone());
        let (mounts, shown, closed) = (props.mounts.clone(), shown.clone(), wanted.closed.clone());
        Callback::from(move |event: KeyboardEvent| {
            let Some(tree) = &mounts.tree else { return };
            let Some(index) = shown.get(at).copied() else { return };
            let go = match event.key().as_str() {
                "ArrowDown" => at + 1,
                "ArrowUp" => at.saturating_sub(1),
                "PageDown" => at + ROOM,
                "PageUp" => at.saturating_sub(ROOM),
                "Home" => 0,
                "End" => usize::MAX,
                "ArrowRight" if closed.contains(&index) => {
                    event.prevent_default();
                    return fold(index, false);
                }
                "ArrowRight" if rows::has_children(&tree.rows, index) => at + 1,
                "ArrowLeft" if rows::has_children(&tree.rows, index) && !closed.contains(&index) => {
                    event.prevent_default();
                    return fold(index, true);
                }
                "ArrowLeft" => {
                    let parent = rows::parent(&tree.rows, index);
                    parent.and_then(|parent| shown.iter().position(|it| *it == parent)).unwrap_or(at)
                }
                _ => return,
            };
            event.prevent_default();
            let go = go.min(last);
            if let Some(index) = shown.get(go) {
                active.set(*index);
            }
            if let Some(grid) = grid.cast::<Element>() {
                page::scroll_to_row(&grid, go as i32 * ROW as i32, ROW as i32);
            }
        })
    };
    let (from, count) = rows::window(shown.len(), *first, ROOM);
    let active_row = shown.get(at).copied();
    let visible = shown.iter().enumerate().skip(from).take(count).map(|(position, index)| {
        let Some(row) = tree.rows.get(*index) else { return html! { <div key={*index}></div> } };
        let (index, active, fold) = (*index, active.clone(), fold.clone());
        let parent = rows::has_children(&tree.rows, index);
        let open = parent.then(|| !wanted.closed.contains(&index));
        let onclick = Callback::from(move |_: MouseEvent| {
            active.set(index);
            if let Some(open) = open {
                fold(index, open);
            }
        });
        let look = Look {
            position,
            index,
            open,
            active: active_row == Some(index),
            target: row.change != Change::Missing && props.targets.contains(&row.id),
        };
        line(tree, row, &look, onclick)
    });
    let after = shown.len() - from - count;
    let note = tree.other_root.then_some(t.tree_other_root);
    html! {
        <div>
            <div class="tree-tools">
                <label><span>{ t.tree_filter }</span>
                    <input type="search" data-test="tree-filter" spellcheck="false" value={wanted.filter.clone()} {oninput} />
                </label>
                <label class="check">
                    <input type="checkbox" data-test="tree-changes" checked={wanted.changes} {onchange} />
                    <span>{ t.tree_only_changes }</span>
                </label>
                <span class="muted small" role="status">{ (t.tree_count)(shown.len(), tree.rows.len()) }</span>
            </div>
            <p class="slot muted small">{ note }</p>
            <div class="treegrid" role="treegrid" tabindex="0" ref={grid} aria-labelledby={TITLE_ID}
                aria-rowcount={(shown.len() + 1).to_string()} aria-readonly="true"
                aria-activedescendant={active_row.map(row_id)} {onscroll} {onkeydown}>
                <div class="tree-head" role="row" aria-rowindex="1">
                    <span role="columnheader">{ t.column_mount_point }</span>
                    <span role="columnheader">{ t.column_change }</span>
                    <span role="columnheader">{ t.column_type }</span>
                    <span role="columnheader">{ t.column_source }</span>
                    <span role="columnheader">{ t.column_propagation }</span>
                </div>
                { spacer("above", from) }
                { for visible }
                { spacer("below", after) }
            </div>
        </div>
    }
}

/// Room for rows that are out of sight. An SVG's height is an attribute, which the page's policy allows.
fn spacer(key: &'static str, rows: usize) -> Html {
    let height = (rows as u32 * ROW).to_string();
    html! { <svg {key} class="spacer" width="1" {height} aria-hidden="true" focusable="false"></svg> }
}

fn row_id(index: usize) -> String {
    format!("tree-row-{index}")
}

/// How a row looks just now.
struct Look {
    position: usize,
    index: usize,
    open: Option<bool>,
    active: bool,
    target: bool,
}

fn line(tree: &MountTree, row: &TreeRow, look: &Look, onclick: Callback<MouseEvent>) -> Html {
    let t = text::t();
    let twig = match look.open {
        Some(true) => "▾",
        Some(false) => "▸",
        None => "·",
    };
    let file = match (row.change, &tree.host_file) {
        (Change::Missing, Some(host)) => host,
        _ => &tree.file,
    };
    let groups = [row.shared.map(t.peer_group), row.master.map(t.slave_of)];
    let groups = groups.into_iter().flatten().collect::<Vec<_>>().join(", ");
    let source = if row.root == "/" { row.source.clone() } else { format!("{}[{}]", row.source, row.root) };
    let change = (row.change != Change::Same).then(|| (t.changes)(row.change));
    let elsewhere = row.elsewhere.as_deref().map(t.change_elsewhere);
    let depth = row.depth.min(12);
    let title = format!("{}\n{source}\n{file}:{}", row.mount_point, row.line);
    html! {
        <div key={look.index} id={row_id(look.index)} role="row" class={classes!("tree-row", change_name(row.change), look.active.then_some("active"))}
            aria-level={(row.depth + 1).to_string()} aria-expanded={look.open.map(|open| open.to_string())}
            aria-rowindex={(look.position + 2).to_string()} aria-selected={look.active.to_string()}
            data-test="tree-row" data-change={change_name(row.change)} {title} {onclick}>
            <span role="gridcell" class={classes!("tree-point", format!("depth-{depth}"))}>
                <span class="twig" aria-hidden="true">{ twig }</span>
                // Before the path, whose end may have no room.
                <span class="slot target-word">{ look.target.then_some(t.tree_target) }</span>
                <code>{ rows::below(&tree.rows, look.index) }</code>
            </span>
            <span role="gridcell" class="tree-change">
                <span class="slot change-word">{ change }</span>
                <span class="slot muted">{ elsewhere }</span>
            </span>
            <span role="gridcell">{ &row.fs_type }</span>
            <span role="gridcell"><code>{ source }</code>{ " " }<span class="muted">{ &row.device }</span></span>
            <span role="gridcell" class="muted">{ groups }</span>
        </div>
    }
}

/// Name of a change in attributes and classes.
fn change_name(change: Change) -> &'static str {
    match change {
        Change::Same => "same",
        Change::Added => "added",
        Change::Missing => "missing",
        Change::Different => "different",
    }
}
