//! The very lines of mountinfo, the field that gave the mount away marked.

use super::parts::{folding, place};
use crate::text;
use ebusy_analyzer::report::MountView;
use std::rc::Rc;
use yew::prelude::*;

/// The mounts, each with its line.
pub fn mount_lines(mounts: Vec<MountView>, aliases: Rc<[String]>) -> Html {
    folding(mounts.len(), 4, move |fold| {
        let t = text::t();
        let items = mounts.iter().take(fold.shown).enumerate().map(|(index, mount)| {
            let line = marked(&mount.evidence.text, mount, &aliases).into_iter().enumerate().map(
                |(index, piece)| match piece {
                    Piece::Plain(text) => html! { <span key={index}>{ text }</span> },
                    Piece::Marked(text) => html! { <mark key={index}>{ text }</mark> },
                },
            );
            html! {
                <figure key={index} class="mount">
                    <figcaption>
                        <span class="mount-facts">{ (t.mount_facts)(mount.propagation(), &mount.matched_by) }</span>
                        <code class="place">{ place(&mount.evidence) }</code>
                    </figcaption>
                    <pre class="mount-line wrap" data-test="mount-line" tabindex="0"><code>{ for line }</code></pre>
                </figure>
            }
        });
        html! { <div><h4>{ t.mounts }</h4>{ for items }{ fold.button() }</div> }
    })
}

/// A piece of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// As it is.
    Plain(String),
    /// What matched.
    Marked(String),
}

/// Cuts a line of mountinfo into its fields and marks those that hold one of the target's names; where
/// none does, the mount point. Options are compared one by one (`upperdir=…` among many).
pub(crate) fn marked(line: &str, mount: &MountView, aliases: &[String]) -> Vec<Piece> {
    let pieces = mark_where(line, |field| aliases.iter().any(|alias| names(field, alias)));
    if pieces.iter().any(|piece| matches!(piece, Piece::Marked(_))) {
        pieces
    } else {
        mark_where(line, |field| field == mount.mount_point)
    }
}

/// Whether a field speaks of an alias: it is the alias, or has it as a whole word.
/// Short aliases (`web`) must be the whole field, or they would be found everywhere.
fn names(field: &str, alias: &str) -> bool {
    const TELLING: usize = 12;
    field == alias
        || (alias.len() >= TELLING
            && field.match_indices(alias).any(|(at, _)| {
                let end = at + alias.len();
                let is_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
                !is_word(field[..at].chars().next_back()) && !is_word(field[end..].chars().next())
            }))
}

fn mark_where(line: &str, matches: impl Fn(&str) -> bool) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    for field in line.split_inclusive([' ', ',']) {
        let text = field.trim_end_matches([' ', ',']);
        if !text.is_empty() && matches(text) {
            if !plain.is_empty() {
                pieces.push(Piece::Plain(std::mem::take(&mut plain)));
            }
            pieces.push(Piece::Marked(text.to_owned()));
            plain.push_str(&field[text.len()..]);
        } else {
            plain.push_str(field);
        }
    }
    if !plain.is_empty() {
        pieces.push(Piece::Plain(plain));
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn marks(line: &str, aliases: &[&str]) -> Vec<String> {
        let mount = sample::report().holders[0].mounts[0].clone();
        let aliases: Vec<String> = aliases.iter().map(ToString::to_string).collect();
        let pieces = marked(line, &mount, &aliases);
        let whole: String =
            pieces.iter().map(|(Piece::Plain(text) | Piece::Marked(text))| text.as_str()).collect();
        assert_eq!(whole, line, "nothing of the line is lost");
        pieces
            .into_iter()
            .filter_map(|piece| match piece {
                Piece::Marked(text) => Some(text),
                Piece::Plain(_) => None,
            })
            .collect()
    }

    #[test]
    fn the_field_with_the_alias_is_marked() {
        let line = "1 2 253:3 / /mnt rw - ext4 /dev/dm-3 rw";
        assert_eq!(marks(line, &["253:3"]), ["253:3"]);
    }

    #[test]
    fn a_short_name_is_not_found_inside_other_words() {
        let line = "1 2 8:1 / /srv/web/htdocs rw - ext4 /dev/web rw";
        assert_eq!(marks(line, &["web"]), [] as [&str; 0]);
    }

    #[test]
    fn one_option_of_many_is_marked() {
        let id = "0123456789abcdef";
        let line =
            format!("1 2 0:40 / /m rw - overlay overlay rw,lowerdir=/l,upperdir=/d/{id}/diff,index=off");
        assert_eq!(marks(&line, &[id]), [format!("upperdir=/d/{id}/diff")]);
    }

    #[test]
    fn without_any_alias_in_the_line_the_mount_point_is_marked() {
        let mount = sample::report().holders[0].mounts[0].clone();
        assert_eq!(marks(&mount.evidence.text, &["nowhere"]), [mount.mount_point]);
    }
}
