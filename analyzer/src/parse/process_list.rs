//! What `ps` prints, as sosreports hold it in place of `/proc/PID/{comm,cmdline,cgroup}`. Columns are found by
//! the header, so any choice of them will do.
//!
//! ```
//! use ebusy_analyzer::parse::process_list;
//!
//! let rows = process_list::parse(b"  PID COMMAND\n  645 /usr/sbin/httpd -DFOREGROUND\n");
//! assert_eq!(rows[0].pid.0, 645);
//! ```

use super::cgroup::{self, Membership};
use super::{numbered_lines, whole_number, words};
use crate::ids::Pid;

/// One process of the listing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// Pid.
    pub pid: Pid,
    /// Short name, from a `COMMAND` column that is not the last.
    pub comm: Option<Vec<u8>>,
    /// Command line, from a `COMMAND` or `CMD` column that is the last.
    pub command: Option<Vec<u8>>,
    /// Unit and container, from a `CGROUP` column.
    pub membership: Option<Membership>,
    /// Line, from 1.
    pub line: u32,
}

const WEEKDAYS: [&[u8]; 7] = [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"];

/// The rows; empty for any other text.
pub fn parse(text: &[u8]) -> Vec<Row> {
    let mut lines = numbered_lines(text);
    let Some((_, header)) = lines.next() else { return Vec::new() };
    let columns: Vec<&[u8]> = words(header).collect();
    let column = |name: &[u8]| columns.iter().position(|c| *c == name);
    let command = column(b"COMMAND").or_else(|| column(b"CMD"));
    let (Some(pid), Some(command)) = (column(b"PID"), command) else { return Vec::new() };
    let cgroup = column(b"CGROUP").filter(|c| *c == columns.len() - 1);
    lines.filter_map(|(line, row)| parse_row(row, line, pid, command, cgroup, columns.len())).collect()
}

fn parse_row(
    row: &[u8],
    line: u32,
    pid: usize,
    command: usize,
    cgroup: Option<usize>,
    columns: usize,
) -> Option<Row> {
    let cells: Vec<&[u8]> = words(row).collect();
    let mut parsed = Row { pid: Pid(whole_number(cells.get(pid)?)?), line, ..Row::default() };
    match cgroup {
        // A short name may hold blanks; what is before and behind it does not.
        Some(cgroup) if command + 1 == cgroup => {
            let (last, rest) = cells.split_last()?;
            parsed.comm = Some(rest.get(command..)?.join(&b' '));
            parsed.membership = Some(Membership { line, text: row.to_vec(), ..cgroup::parse(&unjoin(last)) });
        }
        None if command + 1 == columns => {
            // `lstart` is one column of five words: `Sun Nov 22 07:34:28 2026`.
            let weekday = |c: &&[u8]| WEEKDAYS.contains(c);
            let long_dates = cells.iter().take(command).filter(|c| weekday(c)).count();
            parsed.command = Some(rest_of_line(row, command + 4 * long_dates)?.to_vec());
        }
        _ => {}
    }
    Some(parsed)
}

/// `ps` joins the lines of `/proc/PID/cgroup` by commas. A comma inside a list of controllers makes a line
/// without a path of it, which says nothing.
fn unjoin(cell: &[u8]) -> Vec<u8> {
    cell.iter().map(|&b| if b == b',' { b'\n' } else { b }).collect()
}

/// The line from its n-th word on.
fn rest_of_line(row: &[u8], n: usize) -> Option<&[u8]> {
    let mut rest = row.trim_ascii_start();
    for _ in 0..n {
        let end = rest.iter().position(u8::is_ascii_whitespace)?;
        rest = rest[end..].trim_ascii_start();
    }
    Some(rest.trim_ascii_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unit_and_name_from_a_cgroup_column() {
        let text = b"  PID  PPID USER START COMMAND   CGROUP\n  7  1 root 08:34 tmux: server 4:cpu,cpuacct:/,1:name=systemd:/system.slice/a.service\n  8 1 root 08:34 kthr -\n";
        let rows = parse(text);
        assert_eq!(rows[0].pid, Pid(7));
        assert_eq!(rows[0].comm.as_deref(), Some(&b"tmux: server"[..]));
        assert_eq!(rows[0].membership.as_ref().unwrap().unit.as_deref(), Some(&b"a.service"[..]));
        assert_eq!(rows[1].membership.as_ref().unwrap().unit, None);
    }

    #[test]
    fn command_line_from_the_last_column() {
        let rows = parse(b"USER PID %CPU COMMAND\nroot  42  0.0 /usr/sbin/x  -a b\n");
        assert_eq!(rows[0].command.as_deref(), Some(&b"/usr/sbin/x  -a b"[..]));
        let rows = parse(b" PID PPID STARTED COMMAND\n 622 1 Sun Nov 22 07:34:28 2026 top -b -d 5\n");
        assert_eq!(rows[0].command.as_deref(), Some(&b"top -b -d 5"[..]));
        assert!(parse(b"hello world\n1 2\n").is_empty());
    }
}
