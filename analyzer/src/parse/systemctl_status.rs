//! `systemctl status UNIT`: the unit's control group and the processes in it, with their command lines.
//!
//! ```
//! use ebusy_analyzer::parse::systemctl_status;
//!
//! let text = "\
//!      CGroup: /system.slice/httpd.service
//!              └─1188 /usr/sbin/httpd -DFOREGROUND
//! ";
//! let rows = systemctl_status::parse(text.as_bytes());
//! assert_eq!(rows[0].pid.0, 1188);
//! ```

use super::cgroup::{self, Membership};
use super::process_list::Row;
use super::{below_drawing, numbered_lines, whole_number};
use crate::ids::Pid;

/// The processes below a `CGroup:` line; empty for any other text.
pub fn parse(text: &[u8]) -> Vec<Row> {
    let mut group: Option<Membership> = None;
    let mut found = Vec::new();
    for (line, row) in numbered_lines(text) {
        if let Some(path) = row.trim_ascii_start().strip_prefix(b"CGroup: ") {
            let of_group = cgroup::parse(&[b"0::", path.trim_ascii()].concat());
            group = Some(Membership { line, text: row.trim_ascii().to_vec(), ..of_group });
            continue;
        }
        let Some(membership) = &group else { continue };
        let Some((pid, command)) = process(row) else {
            // Groups below it are shown by their names.
            group = group.filter(|_| is_drawn(row));
            continue;
        };
        let command = Some(command.to_vec());
        found.push(Row { pid, comm: None, command, membership: Some(membership.clone()), line });
    }
    found
}

/// `├─1188 /usr/sbin/httpd -DFOREGROUND`.
fn process(row: &[u8]) -> Option<(Pid, &[u8])> {
    let (_, bare) = below_drawing(row);
    let blank = memchr::memchr(b' ', bare).filter(|_| is_drawn(row))?;
    Some((Pid(whole_number(&bare[..blank])?), bare[blank..].trim_ascii()))
}

fn is_drawn(row: &[u8]) -> bool {
    let tree = row.trim_ascii_start();
    below_drawing(tree).0 > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_of_a_unit() {
        let rows = parse(
            "● httpd.service - The Apache HTTP Server\n   Active: active (running)\n Main PID: 1188 (httpd)\n   CGroup: /system.slice/httpd.service\n           ├─1188 /usr/sbin/httpd -DFOREGROUND\n           └─1190 /usr/sbin/httpd -DFOREGROUND\n\nNov 22 x httpd[1]: started\n"
                .as_bytes(),
        );
        assert_eq!(rows.iter().map(|r| r.pid.0).collect::<Vec<_>>(), [1188, 1190]);
        let membership = rows[0].membership.as_ref().unwrap();
        assert_eq!(membership.unit.as_deref(), Some(&b"httpd.service"[..]));
        assert_eq!(rows[1].command.as_deref(), Some(&b"/usr/sbin/httpd -DFOREGROUND"[..]));
        assert!(parse(b"CGroup: nothing\nhello\n").is_empty());
    }
}
