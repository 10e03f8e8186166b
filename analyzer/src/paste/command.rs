//! A shell's prompt: whose it is, and whose output follows.

use crate::bytes::visible;
use crate::parse::{whole_number, words};
use crate::snapshot::Pid;

/// A command and what its prompt tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Command<'a> {
    /// Host name in the prompt.
    pub(super) host: Option<&'a [u8]>,
    /// The command without `sudo`.
    pub(super) text: &'a [u8],
}

/// What the lines after a command are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Output {
    /// Whatever each line says of itself.
    Any,
    /// Lines of that file of the process.
    OfProcess(Pid, &'static str),
    /// What a tool printed, for the parsers of outputs.
    Tool,
    /// Properties of that unit.
    Unit(String),
    /// From inside of a container: nothing of it is the host's.
    InContainer,
}

/// Programs whose output has no header that tells it, or a header that others have, too.
const TOOLS: [&[u8]; 9] =
    [b"fuser", b"dmsetup", b"lsblk", b"losetup", b"swapon", b"rbd", b"zfs", b"ctr", b"crictl"];

/// The command behind a prompt: `# `, `$ `, `[root@web1 ~]# `, `root@web1:~# `, `web1:~ # `, `sh-4.4# `.
pub(super) fn of(text: &[u8]) -> Option<Command<'_>> {
    let mark = (0..text.len().min(120))
        .find(|&i| matches!(text[i], b'#' | b'$') && matches!(text.get(i + 1), Some(b' ') | None))?;
    let before = text[..mark].trim_ascii();
    let at = memchr::memchr(b'@', before);
    let one_word = !before.contains(&b' ');
    let in_brackets = before.starts_with(b"[") && before.ends_with(b"]");
    // SUSE writes the host first and a blank before the mark, some shells the directory in a word of its own.
    let directory = before.rsplit(|b| matches!(b, b' ' | b':')).next().unwrap_or_default();
    let in_directory = directory.starts_with(b"~") || directory.starts_with(b"/");
    let two_words = words(before).count() <= 2 && in_directory && (at.is_some() || one_word);
    let is_shell = one_word && (before.starts_with(b"sh-") || before.starts_with(b"bash-"));
    if !(before.is_empty() || in_brackets || (at.is_some() && one_word) || two_words || is_shell) {
        return None;
    }
    let host = at.map(|at| &before[at + 1..]).and_then(|rest| {
        rest.split(|b| matches!(b, b':' | b' ' | b']' | b'/')).next().filter(|h| !h.is_empty())
    });
    Some(Command { host, text: without_sudo(text[mark + 1..].trim_ascii()) })
}

fn without_sudo(command: &[u8]) -> &[u8] {
    let mut rest = command;
    while let Some(after) = rest.strip_prefix(b"sudo ") {
        rest = after.trim_ascii_start();
    }
    rest
}

/// The one process that a command is about: whose files it names, or whose namespace it enters.
pub(super) fn pid(command: &[u8]) -> Option<Pid> {
    let all: Vec<&[u8]> = words(command).collect();
    if all.first() == Some(&&b"nsenter"[..]) {
        let after = |i: usize| all.get(i + 1).and_then(|w| whole_number(w));
        let target = all.iter().enumerate().find_map(|(i, word)| match *word {
            b"-t" | b"--target" => after(i),
            _ => word.strip_prefix(b"--target=").or(word.strip_prefix(b"-t")).and_then(whole_number),
        });
        if let Some(pid) = target {
            return Some(Pid(pid));
        }
    }
    let at = memchr::memmem::find(command, b"/proc/")?;
    let digits: Vec<u8> = command[at + 6..].iter().copied().take_while(u8::is_ascii_digit).collect();
    whole_number(&digits).map(Pid)
}

/// The directory of a process that `ls` was asked for.
pub(super) fn directory(command: &[u8], pid: Pid) -> Option<String> {
    let base = format!("/proc/{}", pid.0);
    let word = words(command).find(|w| w.starts_with(base.as_bytes()))?;
    Some(visible(word).trim_end_matches('/').to_owned())
}

/// What follows a command.
pub(super) fn output(command: &[u8]) -> Output {
    let all: Vec<&[u8]> = words(command).collect();
    let Some(program) = all.first().and_then(|p| p.rsplit(|&b| b == b'/').next()) else { return Output::Any };
    match (program, all.get(1).copied().unwrap_or_default()) {
        (
            b"docker" | b"podman" | b"nerdctl" | b"crictl" | b"kubectl" | b"oc" | b"lxc" | b"incus",
            b"exec",
        ) if shows_mounts(command) => Output::InContainer,
        (b"cat" | b"head" | b"tail", _) => {
            let file = all.last().and_then(|w| w.rsplit(|&b| b == b'/').next()).unwrap_or_default();
            let name = ["cgroup", "comm", "status"].into_iter().find(|n| n.as_bytes() == file);
            match (pid(command), name) {
                (Some(pid), Some(name)) => Output::OfProcess(pid, name),
                _ if all.contains(&&b"/proc/swaps"[..]) => Output::Tool,
                _ => Output::Any,
            }
        }
        (b"systemctl", b"show") => {
            let units: Vec<&&[u8]> =
                all[2..].iter().filter(|w| !w.starts_with(b"-") && !w.contains(&b'=')).collect();
            // `-p MountFlags docker`: the option's value is no unit.
            let unit = units.into_iter().rfind(|w| !all.windows(2).any(|p| p[0] == b"-p" && p[1] == **w));
            match unit {
                Some(unit) if unit.contains(&b'.') => Output::Unit(visible(unit)),
                Some(unit) => Output::Unit(format!("{}.service", visible(unit))),
                None => Output::Any,
            }
        }
        (b"systemctl", b"status") => Output::Tool,
        _ if TOOLS.contains(&program) => Output::Tool,
        _ => Output::Any,
    }
}

fn shows_mounts(command: &[u8]) -> bool {
    [&b"/proc/"[..], b"mount", b"df"].iter().any(|w| memchr::memmem::find(command, w).is_some())
}

/// What a grep over mount tables looked for: its first word that is no option.
pub(super) fn pattern(command: &[u8]) -> Option<&[u8]> {
    let all: Vec<&[u8]> = words(command).collect();
    let at = all.iter().position(|w| {
        let name = w.rsplit(|&b| b == b'/').next().unwrap_or_default();
        matches!(name, b"grep" | b"egrep" | b"fgrep" | b"rg" | b"ag" | b"zgrep")
            || name.starts_with(b"find-busy")
    })?;
    let word = all[at + 1..].iter().find(|w| !w.starts_with(b"-"))?;
    let bare = word.trim_ascii();
    let unquoted = bare.strip_prefix(b"'").or(bare.strip_prefix(b"\"")).unwrap_or(bare);
    let unquoted = unquoted.strip_suffix(b"'").or(unquoted.strip_suffix(b"\"")).unwrap_or(unquoted);
    (!unquoted.is_empty()).then_some(unquoted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_of_every_kind() {
        let parts = |text: &'static str| of(text.as_bytes()).map(|c| (c.host.map(visible), visible(c.text)));
        let web1 = Some("web1".to_owned());
        for text in ["[root@web1 ~]# id", "root@web1:~# sudo id", "me@web1 ~ $ id", "me@web1:/srv/x$ id"] {
            assert_eq!(parts(text), Some((web1.clone(), "id".into())), "{text}");
        }
        for text in ["# id", "$ id", "sh-4.4# id", "web1:~ # id"] {
            assert_eq!(parts(text), Some((None, "id".into())), "{text}");
        }
        assert_eq!(parts("we paid 5 $ for it"), None);
    }

    #[test]
    fn whose_output_follows() {
        assert_eq!(pid(b"nsenter -t 622 -m cat /proc/self/mountinfo"), Some(Pid(622)));
        assert_eq!(pid(b"nsenter --mount=/proc/77/ns/mnt findmnt"), Some(Pid(77)));
        assert_eq!(output(b"cat /proc/622/cgroup"), Output::OfProcess(Pid(622), "cgroup"));
        assert_eq!(output(b"docker exec web cat /proc/1/mountinfo"), Output::InContainer);
        assert_eq!(output(b"systemctl show -p MountFlags docker"), Output::Unit("docker.service".into()));
        assert_eq!(output(b"/usr/sbin/fuser -vm /srv"), Output::Tool);
        assert_eq!(pattern(b"grep -l 'ac05cffd' /proc/[0-9]*/mountinfo"), Some(&b"ac05cffd"[..]));
        assert_eq!(pattern(b"find /proc/*/mounts | xargs grep -E ac05"), Some(&b"ac05"[..]));
    }
}
