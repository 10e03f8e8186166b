//! Who a process is: its state, its unit, and what its command line says about a container runtime.

use crate::context::{Fact, Runtime};

/// `PF_KTHREAD` of `linux/sched.h`, in the flags of `/proc/PID/stat`.
const KERNEL_THREAD: u64 = 0x0020_0000;

/// What is needed of `/proc/PID/stat`.
#[derive(Debug, Default)]
pub(super) struct Stat {
    pub(super) zombie: bool,
    pub(super) kernel_thread: bool,
    /// Threads, of which the first is the process itself.
    pub(super) threads: u64,
}

impl Stat {
    pub(super) fn parse(text: &[u8]) -> Self {
        // The name is in brackets and may itself contain brackets and blanks: start after the last one.
        let after = text.iter().rposition(|&b| b == b')').map_or(&[][..], |at| &text[at + 1..]);
        let mut fields = after.split(|&b| b == b' ').filter(|f| !f.is_empty());
        let zombie = matches!(fields.next(), Some(b"Z" | b"X"));
        // The state is field 3, the flags are field 9, the number of threads is field 20.
        let mut number = |skip| {
            let field = fields.nth(skip)?;
            std::str::from_utf8(field).ok()?.parse::<u64>().ok()
        };
        let flags = number(5).unwrap_or(0);
        let threads = number(10).unwrap_or(1);
        Self { zombie, kernel_thread: flags & KERNEL_THREAD != 0, threads }
    }
}

/// `/proc/PID/stat` without the addresses in it (proc(5): fields 26 to 30 and 45 to 51), which say nothing about mounts
/// and something to an attacker. They become 0, as the kernel itself shows them to other users.
pub(super) fn without_addresses(text: &[u8]) -> Vec<u8> {
    let end_of_name = text.iter().rposition(|&b| b == b')').map_or(text.len(), |at| at + 1);
    let mut plain = text[..end_of_name].to_vec();
    // The name is field 2; splitting at the blank after it gives an empty first part.
    for (number, field) in text[end_of_name..].trim_ascii_end().split(|&b| b == b' ').enumerate().skip(1) {
        plain.push(b' ');
        let is_address = matches!(number + 2, 26..=30 | 45..=51);
        plain.extend_from_slice(if is_address { b"0" } else { field });
    }
    plain.push(b'\n');
    plain
}

/// Whether `/proc/PID/stat` has the name as `/proc/PID/comm` has it: kernels since 4.18 escape some bytes of it.
pub(super) fn has_plain_name(stat: &[u8]) -> bool {
    let end = stat.iter().rposition(|&b| b == b')');
    end.is_some_and(|end| stat[..end].contains(&b'(') && !stat[..end].contains(&b'\\'))
}

/// Reports the process and the directories that its command line tells.
pub(super) fn report(namespace: Option<u64>, command: &[u8], unit: Option<String>, facts: &mut Vec<Fact>) {
    let arguments: Vec<&[u8]> = command.split(|&b| b == 0).collect();
    let program = arguments.first().map_or(&[][..], |a| a.rsplit(|&b| b == b'/').next().unwrap_or_default());
    facts.push(Fact::Process { namespace, unit });
    let mut directory = |runtime: Runtime, names: &[&str]| {
        if let Some(path) = option_value(&arguments, names)
            && path.starts_with(b"/")
        {
            facts.push(Fact::Directory { runtime, path: path.to_vec() });
        }
    };
    match program {
        b"dockerd" | b"docker" | b"docker-current" | b"dockerd-current" | b"docker-containerd" => {
            directory(Runtime::Docker, &["--data-root", "--graph", "-g"]);
            directory(Runtime::DockerConfig, &["--config-file"]);
        }
        b"containerd" => directory(Runtime::ContainerdState, &["--state"]),
        b"crio" | b"podman" => directory(Runtime::Storage, &["--root"]),
        b"conmon" => {
            // -b ROOT/overlay-containers/ID/userdata: the only trace of a rootless user's store.
            if let Some(bundle) = option_value(&arguments, &["-b", "--bundle"])
                && let Some(at) = find(bundle, b"/overlay-containers/")
            {
                facts.push(Fact::Directory { runtime: Runtime::Storage, path: bundle[..at].to_vec() });
            }
        }
        _ => {}
    }
    // LXC's monitor writes `[lxc monitor] DIRECTORY NAME` over its arguments.
    if let Some(rest) = command.strip_prefix(b"[lxc monitor] ") {
        let rest = rest.split(|&b| b == 0).next().unwrap_or_default();
        if let Some(at) = rest.iter().rposition(|&b| b == b' ').filter(|_| rest.starts_with(b"/")) {
            let path = [&rest[..at], b"/", &rest[at + 1..]].concat();
            facts.push(Fact::Directory { runtime: Runtime::Lxc, path });
        }
    }
}

/// The value of the last of these options: `--name value`, `--name=value`, and for `-g` also `-gvalue`.
fn option_value<'a>(arguments: &[&'a [u8]], names: &[&str]) -> Option<&'a [u8]> {
    let mut value = None;
    for (at, argument) in arguments.iter().enumerate().skip(1) {
        for name in names {
            let Some(rest) = argument.strip_prefix(name.as_bytes()) else { continue };
            match rest {
                b"" => value = arguments.get(at + 1).copied().or(value),
                [b'=', path @ ..] => value = Some(path),
                path if !name.starts_with("--") => value = Some(path),
                _ => {}
            }
        }
    }
    value
}

/// The systemd unit in `/proc/PID/cgroup`: the outermost service, as its inner ones are made by itself.
pub(super) fn unit_of(cgroup: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(cgroup);
    let hierarchy = |line: &&str| line.starts_with("0::") || line.contains(":name=systemd:");
    let mut paths = text.lines().filter(hierarchy).filter_map(|line| line.splitn(3, ':').nth(2));
    paths.find_map(|path| path.split('/').find(|part| part.ends_with(".service")).map(str::to_owned))
}

/// Where `needle` starts in `text`.
pub(super) fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_and_flags_come_after_the_last_bracket() {
        let stat = Stat::parse(b"7 (a) Z (b)) S 2 0 0 0 -1 2129984 0 0");
        assert!(stat.kernel_thread && !stat.zombie);
        let stat = Stat::parse(b"8 (sh) Z 1 8 8 0 -1 4227084 0 0 0 0 0 0 0 0 20 0 3 0 99");
        assert!(stat.zombie && !stat.kernel_thread);
        assert_eq!(stat.threads, 3);
    }

    #[test]
    fn stat_keeps_all_but_addresses() {
        let fields: Vec<String> = (3..=52).map(|n| n.to_string()).collect();
        let text = format!("7 (a) b) {}\n", fields.join(" "));
        let kept: Vec<String> = (3..=52)
            .map(|n| if matches!(n, 26..=30 | 45..=51) { "0".to_owned() } else { n.to_string() })
            .collect();
        assert_eq!(without_addresses(text.as_bytes()), format!("7 (a) b) {}\n", kept.join(" ")).as_bytes());
        assert!(has_plain_name(text.as_bytes()));
        assert!(!has_plain_name(b"7 (a\\nb) S") && !has_plain_name(b""));
    }

    fn directories(command: &str) -> Vec<String> {
        let mut facts = Vec::new();
        report(None, command.replace(' ', "\0").as_bytes(), None, &mut facts);
        let path = |fact: Fact| match fact {
            Fact::Directory { runtime, path } => {
                Some(format!("{runtime:?} {}", String::from_utf8_lossy(&path)))
            }
            _ => None,
        };
        facts.into_iter().filter_map(path).collect()
    }

    #[test]
    fn the_daemons_tell_their_directories() {
        assert_eq!(directories("/usr/bin/dockerd -H fd:// --data-root=/srv/d"), ["Docker /srv/d"]);
        assert_eq!(directories("dockerd --graph /g1 -g/g2"), ["Docker /g2"]);
        assert_eq!(
            directories("conmon -c a -b /home/u/s/overlay-containers/a/userdata"),
            ["Storage /home/u/s"]
        );
        assert_eq!(directories("grep --data-root=/srv/d"), [] as [&str; 0]);
    }

    #[test]
    fn the_unit_is_the_outermost_service() {
        let v2 = b"0::/system.slice/docker.service/init\n";
        assert_eq!(unit_of(v2).as_deref(), Some("docker.service"));
        let v1 = b"4:memory:/x.service\n1:name=systemd:/user.slice/user@1.service/app/foo.service\n";
        assert_eq!(unit_of(v1).as_deref(), Some("user@1.service"));
        assert_eq!(unit_of(b"0::/docker/ac05\n"), None);
    }
}
