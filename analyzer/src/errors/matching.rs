//! Matches the table of [`super::clauses`] against a message.

use super::clauses::{CLAUSES, Clause, Operation, Role};
use super::objects;

/// An operand that a clause found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Operand {
    pub(crate) role: Role,
    pub(crate) operation: Operation,
    /// Row of the clause.
    pub(crate) row: usize,
    /// Where the operand stands, without its quotes.
    pub(crate) start: usize,
    pub(crate) value: String,
}

/// Every operand that some clause finds in the text.
pub(crate) fn apply(text: &str, lower: &str) -> Vec<Operand> {
    let mut found = Vec::new();
    for (row, clause) in CLAUSES.iter().enumerate() {
        let literal = clause.template.split('{').next().unwrap_or_default();
        if literal.is_empty() {
            // The first operand stands before the literal: begin at each word.
            let anchor = clause.template.split('}').nth(1).unwrap_or_default();
            let anchor = anchor.split('{').next().unwrap_or_default();
            if let Some(at) = lower.find(anchor) {
                let start = text[..at].rfind([' ', '"', '(']).map_or(0, |n| n + 1);
                found.extend(matches(clause, row, text, lower, start));
            }
            continue;
        }
        for at in memchr::memmem::find_iter(lower.as_bytes(), literal.trim_end_matches('"')) {
            let bound = at == 0 || !lower.as_bytes()[at - 1].is_ascii_alphanumeric();
            if bound || !literal.starts_with(|c: char| c.is_ascii_alphabetic()) {
                found.extend(matches(clause, row, text, lower, at));
            }
        }
    }
    found
}

/// The clause's operands where it matches from `at` on; nothing where it does not.
fn matches(clause: &Clause, row: usize, text: &str, lower: &str, at: usize) -> Vec<Operand> {
    let mut found = Vec::new();
    let mut pos = at;
    let mut template = clause.template;
    while !template.is_empty() {
        let Some(tail) = template.strip_prefix('{') else {
            let end = template.find('{').unwrap_or(template.len());
            let literal = template[..end].trim_matches('"');
            if !lower.get(pos..).is_some_and(|l| l.starts_with(literal)) {
                return Vec::new();
            }
            pos += literal.len();
            template = &template[end..];
            continue;
        };
        let Some((name, after)) = tail.split_once('}') else { return Vec::new() };
        let role = role(name);
        let next = &after[..after.find('{').unwrap_or(after.len())];
        let Some((start, end, resume)) = operand(text, lower, pos, next.trim_matches('"')) else {
            return Vec::new();
        };
        let value = own_id(role, trim(&text[start..end]));
        let quoted = text[..start].ends_with(['"', '\'', '`']);
        if value.is_empty() || !plausible(role, value, quoted && removes(lower)) {
            return Vec::new();
        }
        if role != Role::Skip {
            let operand = Operand { role, operation: clause.operation, row, start, value: value.to_owned() };
            found.push(operand);
        }
        pos = resume;
        template = after;
    }
    found
}

fn role(name: &str) -> Role {
    match name {
        "id" => Role::ContainerId,
        "container" => Role::Container,
        "condev" => Role::ContainerDevice,
        "other" => Role::OtherId,
        "device" => Role::Device,
        "dataset" => Role::Dataset,
        "path" => Role::Path,
        _ => Role::Skip,
    }
}

/// Start and end of the operand at `pos`, and where the template goes on.
fn operand(text: &str, lower: &str, pos: usize, next: &str) -> Option<(usize, usize, usize)> {
    let rest = text.get(pos..)?;
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'));
    if let Some(q) = quote {
        let start = pos + 1;
        // `'` inside a word is an apostrophe; a quote that never closes ends with the text.
        let end = text.get(start..)?.find(q).map_or(text.len(), |n| start + n);
        return Some((start, end, (end + 1).min(text.len())));
    }
    let blank = rest.find([' ', '"']).map_or(text.len(), |n| pos + n);
    let end = match next {
        "" | " " => blank,
        next => match lower.get(pos..)?.find(next) {
            // `umount: /my dir: target`: a path may have blanks, when what follows it is known.
            Some(n) if n > 0 && (pos + n <= blank || one_path(&rest[..n])) => pos + n,
            _ => blank,
        },
    };
    Some((pos, end, end))
}

/// A path with blanks in it, not a path and what is said of it.
fn one_path(text: &str) -> bool {
    let said = [", ", ": ", "=", " (", "\"", "'", " /"];
    text.starts_with('/') && text.len() < 4096 && !said.iter().any(|s| text.contains(s))
}

/// docker names the layer that a container starts from `ID-init`, and what it is about to delete `ID-removing`.
fn own_id(role: Role, value: &str) -> &str {
    let id = value.strip_suffix("-removing").unwrap_or(value);
    let id = id.strip_suffix("-init").unwrap_or(id);
    if role == Role::ContainerId && objects::is_full_id(id) { id } else { value }
}

/// Takes off what ends a sentence or a structure, not a name.
fn trim(value: &str) -> &str {
    // `ID:Device is Busy`, and the next field of `{ContainerID:…,ID:…}`.
    let lower = value.to_ascii_lowercase();
    let cut = [",id:", ":device"].iter().filter_map(|s| lower.find(s)).min().unwrap_or(value.len());
    value[..cut]
        .trim_start_matches(['\'', '"', '(', '[', '`'])
        .trim_end_matches([':', ',', ';', '.', ')', ']', '}', '"', '\'', '`', ' '])
}

fn plausible(role: Role, value: &str, any_name: bool) -> bool {
    match role {
        Role::Path => is_path(value, any_name) && !value.contains(": "),
        Role::ContainerId | Role::ContainerDevice => objects::is_id(value),
        Role::OtherId if value.ends_with("-init") => true,
        Role::OtherId => objects::is_id(value) || objects::is_uuid(value),
        Role::Container => !value.contains([' ', '=']),
        Role::Device | Role::Dataset => !value.contains(' '),
        Role::Skip => true,
    }
}

/// With a slash or a dot in it, or any name where that may be one of a file.
fn is_path(value: &str, any_name: bool) -> bool {
    // `nfs1:/export` is a source.
    let remote = !value.starts_with('/') && value.contains(":/");
    let relative = !value.contains([' ', ':', '=']) && (value.contains('.') || any_name);
    !remote && (value.contains('/') || relative)
}

/// Whether a message is about removing files.
fn removes(lower: &str) -> bool {
    ["rmdir", "rmtree", "rm: "].iter().any(|w| lower.contains(w))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_clause_matches_its_sample() {
        for clause in CLAUSES {
            let lower = clause.sample.to_ascii_lowercase();
            let hits: Vec<_> =
                (0..lower.len()).flat_map(|at| matches(clause, 0, clause.sample, &lower, at)).collect();
            let wanted = clause.template.matches('{').count() - clause.template.matches("{*}").count();
            assert!(hits.len() >= wanted, "{}: {hits:?}", clause.template);
        }
    }

    #[test]
    fn operands_with_quotes_blanks_and_cuts() {
        let path = |text: &str| {
            let lower = text.to_ascii_lowercase();
            apply(text, &lower)
                .into_iter()
                .filter(|o| o.role == Role::Path)
                .map(|o| o.value)
                .collect::<Vec<_>>()
        };
        assert_eq!(path("umount: /my dir: target is busy.")[0], "/my dir");
        assert_eq!(path("rm: cannot remove '/my dir': Device or resource busy")[0], "/my dir");
        assert_eq!(path("[Errno 16] Device or resource busy: '/srv/a"), ["/srv/a"]);
        assert_eq!(path("we could remove it: device or resource busy"), [""; 0]);
    }

    #[test]
    fn english_words_are_no_ids() {
        let text = "container process failed for container web: device or resource busy";
        assert_eq!(apply(text, text), []);
    }
}
