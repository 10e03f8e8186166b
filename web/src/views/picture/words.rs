//! The words in the picture, cut to the room there is.

use super::relation::{Cut, Relation, origin, relation};
use crate::text;
use ebusy_analyzer::report::{MountView, NamespaceView};

/// Lanes that are told one by one in the picture's description; a listener has the list of holders for the rest.
const DESCRIBED: usize = 12;

/// How many columns a text takes in a monospace font: wide scripts take two for each character.
pub(super) fn columns(text: &str) -> usize {
    text.chars().map(|c| if is_wide(c) { 2 } else { 1 }).sum()
}

/// East Asian wide and emoji ranges, coarse: it is about room, not about typography.
fn is_wide(c: char) -> bool {
    matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' | '\u{1f300}'..='\u{3ffff}')
}

/// Long hexadecimal ids as their first 12 digits: enough to recognise, short enough to read.
pub(super) fn shorten_ids(text: &str) -> String {
    const LONG: usize = 32;
    let mut out = String::new();
    let mut run = String::new();
    let flush = |run: &mut String, out: &mut String| {
        if run.len() >= LONG {
            out.push_str(&run[..12]);
            out.push('…');
        } else {
            out.push_str(run);
        }
        run.clear();
    };
    for c in text.chars() {
        if c.is_ascii_hexdigit() {
            run.push(c);
        } else {
            flush(&mut run, &mut out);
            out.push(c);
        }
    }
    flush(&mut run, &mut out);
    out
}

/// At most `room` columns: the middle goes, as both ends of a path tell more.
pub(super) fn elide(text: &str, room: usize) -> String {
    if columns(text) <= room {
        return text.to_owned();
    }
    let half = room.saturating_sub(1) / 2;
    let take = |chars: &mut dyn Iterator<Item = char>, room: usize| {
        let mut used = 0;
        let mut taken = Vec::new();
        for c in chars {
            used += if is_wide(c) { 2 } else { 1 };
            if used > room {
                break;
            }
            taken.push(c);
        }
        taken
    };
    let start: String = take(&mut text.chars(), room.saturating_sub(1) - half).into_iter().collect();
    let end: String = take(&mut text.chars().rev(), half).into_iter().rev().collect();
    format!("{start}…{end}")
}

/// Lines of at most `room` columns, broken at blanks; a longer word is cut.
pub(super) fn wrap(text: &str, room: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let word = elide(word, room);
        match lines.last_mut() {
            Some(line) if columns(line) + 1 + columns(&word) <= room => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines
}

/// At most `count` of the lines, and a sign where more would follow.
pub(super) fn first_lines(mut lines: Vec<String>, count: usize) -> Vec<String> {
    if lines.len() > count {
        lines.truncate(count);
        if let Some(last) = lines.last_mut() {
            last.push_str(" …");
        }
    }
    lines
}

/// What stands on the branch to a namespace.
pub(super) fn of_relation(relation: &Relation) -> String {
    let t = text::t();
    match relation {
        Relation::Start => t.umount_starts.to_owned(),
        Relation::Peer(group) => (t.peer_group)(*group),
        Relation::Slave(group) => (t.slave_of)(*group),
        Relation::Upstream(group) => (t.master_of)(*group),
        Relation::Cut(Cut::Source) => t.cut_source.to_owned(),
        Relation::Cut(Cut::Private) => t.cut_private.to_owned(),
        Relation::Cut(Cut::OtherGroup(group)) => (t.cut_group)(*group),
        Relation::Cut(Cut::OtherMaster(group)) => (t.cut_master)(*group),
        Relation::Unknown => t.relation_unknown.to_owned(),
    }
}

/// Propagation of a mount with its groups.
pub(super) fn propagation(mount: &MountView) -> String {
    let t = text::t();
    let groups = [mount.shared.map(t.peer_group), mount.master.map(t.slave_of)];
    let groups: Vec<String> = groups.into_iter().flatten().collect();
    if groups.is_empty() { mount.propagation().to_owned() } else { groups.join(", ") }
}

/// The whole picture as sentences, for those who do not see it.
pub(super) fn description(spaces: &[NamespaceView]) -> String {
    let start = origin(spaces);
    let sentences = spaces.iter().take(DESCRIBED).enumerate().map(|(index, view)| {
        let relation = start.map_or(Relation::Unknown, |start| relation(spaces, start, index));
        sentence(view, &relation)
    });
    let more = (spaces.len() > DESCRIBED).then(|| (text::t().stack)(spaces.len() - DESCRIBED));
    sentences.chain(more).collect::<Vec<_>>().join(". ")
}

/// One lane as a sentence.
pub(super) fn sentence(view: &NamespaceView, relation: &Relation) -> String {
    let t = text::t();
    let effect = view.effect.map(|effect| format!(" ({})", t.effect(effect))).unwrap_or_default();
    let mounted = match view.mounts.first() {
        Some(mount) => (t.mounted_at)(&shorten_ids(&mount.mount_point)),
        None => t.not_mounted.to_owned(),
    };
    format!("{}{effect}: {mounted}; {}", view.label, of_relation(relation))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_goes_when_there_is_no_room() {
        assert_eq!(elide("/var/lib/docker/x", 9), "/var…er/x");
        assert_eq!(elide("short", 9), "short");
        assert_eq!(columns(&elide("界界界界界界", 7)), 5);
    }

    #[test]
    fn lines_keep_to_the_room() {
        let lines = wrap("no umount elsewhere reaches aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa it", 12);
        assert!(lines.iter().all(|line| columns(line) <= 12), "{lines:?}");
        assert_eq!(lines[0], "no umount");
    }

    #[test]
    fn long_ids_are_shortened_and_nothing_else() {
        let id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
        assert_eq!(shorten_ids(&format!("/mnt/{id}-init/face")), "/mnt/0123456789ab…-init/face");
    }
}
