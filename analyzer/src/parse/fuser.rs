//! What `fuser -v` lists (fuser(1)): `PATH: USER PID ACCESS COMMAND`, and the short form `PATH: 1188c 2222ce`.
//!
//! ```
//! use ebusy_analyzer::ids::Pid;
//! use ebusy_analyzer::parse::fuser;
//!
//! let files = fuser::parse(b"/srv/data:            1188c  2222\n");
//! assert_eq!(files[0].pid, Pid(1188));
//! assert_eq!(files[0].link.name, b"cwd");
//! ```

use super::links::Link;
use super::lsof::OpenFile;
use super::{numbered_lines, whole_number, words};
use crate::ids::Pid;

/// Letters of the ACCESS column with the link of `/proc/PID` that each stands for.
const ACCESS: [(u8, &[u8]); 6] =
    [(b'c', b"cwd"), (b'e', b"exe"), (b'f', b"fd"), (b'F', b"fd"), (b'r', b"root"), (b'm', b"map")];

/// Whether a line is the long listing's first one.
pub(crate) fn is_header(line: &[u8]) -> bool {
    words(line).eq([&b"USER"[..], b"PID", b"ACCESS", b"COMMAND"])
}

/// The rows of both forms; empty for any other text. They tell no device number.
pub fn parse(text: &[u8]) -> Vec<OpenFile> {
    let mut path: Option<Vec<u8>> = None;
    let mut in_table = false;
    let mut found = Vec::new();
    for (number, line) in numbered_lines(text) {
        if is_header(line) {
            in_table = true;
            continue;
        }
        let mut cells: Vec<&[u8]> = words(line).collect();
        if let Some(named) = cells.first().and_then(|c| c.strip_suffix(b":")).filter(|p| p.starts_with(b"/"))
        {
            path = Some(named.to_vec());
            cells.remove(0);
            if !in_table {
                found.extend(short_form(&cells, named, number));
                continue;
            }
        }
        let (Some(path), true) = (&path, in_table) else { continue };
        let [_user, pid, access, command @ ..] = &cells[..] else { continue };
        let Some(pid) = whole_number(pid).map(Pid) else { continue };
        found.extend(links(access, path, number).map(|link| OpenFile {
            pid,
            comm: command.join(&b' '),
            link,
        }));
    }
    found
}

fn short_form(cells: &[&[u8]], path: &[u8], line: u32) -> Vec<OpenFile> {
    let of_cell = |cell: &&[u8]| {
        let digits = cell.iter().take_while(|b| b.is_ascii_digit()).count();
        let pid = Pid(whole_number(&cell[..digits])?);
        // `(root)` follows with -u.
        let access: Vec<u8> = cell[digits..].iter().copied().take_while(u8::is_ascii_alphabetic).collect();
        let access = if access.is_empty() { b"f".to_vec() } else { access };
        Some(
            links(&access, path, line)
                .map(|link| OpenFile { pid, comm: Vec::new(), link })
                .collect::<Vec<_>>(),
        )
    };
    let all: Option<Vec<Vec<OpenFile>>> = cells.iter().map(of_cell).collect();
    all.map(|rows| rows.concat()).unwrap_or_default()
}

fn links(access: &[u8], path: &[u8], line: u32) -> impl Iterator<Item = Link> {
    let known = access.iter().filter_map(|a| ACCESS.iter().find(|(letter, _)| letter == a));
    let names: Vec<&[u8]> = known.map(|(_, name)| *name).collect();
    let path = path.to_vec();
    names.into_iter().map(move |name| Link {
        name: name.to_vec(),
        path: Some(path.clone()),
        line,
        ..Link::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_name_the_processes_and_what_they_have() {
        let rows = parse(
            b"                     USER        PID ACCESS COMMAND\n/srv/data:           root     kernel mount /srv/data\n                     app        1188 f.c.. java\n",
        );
        let of = |rows: &[OpenFile]| {
            rows.iter()
                .map(|r| (r.pid.0, String::from_utf8_lossy(&r.link.name).into_owned()))
                .collect::<Vec<_>>()
        };
        assert_eq!(of(&rows), [(1188, "fd".to_owned()), (1188, "cwd".to_owned())]);
        assert_eq!(
            (&rows[0].comm[..], rows[0].link.path.as_deref()),
            (&b"java"[..], Some(&b"/srv/data"[..]))
        );
        assert_eq!(
            of(&parse(b"/srv/data:  1188c  2222m(root)\n")),
            [(1188, "cwd".to_owned()), (2222, "map".to_owned())]
        );
        assert!(parse(b"umount: /srv/data: target is busy\n/srv/data: hello 12\n").is_empty());
    }
}
