//! The journal, through `journalctl`: its files are systemd's own format.
//!
//! It is read newest first, so that what the time limit or the size cap cuts off is the oldest.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use super::relevance::concerns_kernel;
use super::{LOG_MAX, Log};
use crate::command::{self, Ended};
use crate::context::{Context, Fact};
use crate::summary::Skip;
use crate::watchdog::Batch;

pub(crate) const TIME: Duration = Duration::from_secs(15);
/// Most that is read of the kernel's messages, of which few lines are kept.
const KERNEL_READ_MAX: usize = 64 << 20;

/// Journal matches; `+` is "or". Units by name, and daemons that run in other units (snap, k3s) by their program.
const RUNTIMES: [&str; 16] = [
    "_SYSTEMD_UNIT=docker.service",
    "_SYSTEMD_UNIT=containerd.service",
    "_SYSTEMD_UNIT=kubelet.service",
    "_SYSTEMD_UNIT=crio.service",
    "_SYSTEMD_UNIT=k3s.service",
    "_SYSTEMD_UNIT=k3s-agent.service",
    "_SYSTEMD_UNIT=podman.service",
    "UNIT=docker.service",
    "UNIT=containerd.service",
    "_COMM=dockerd",
    "_COMM=dockerd-current",
    "_COMM=docker",
    "_COMM=containerd",
    "_COMM=kubelet",
    "_COMM=crio",
    "_COMM=podman",
];

/// Hands over the runtimes' and the kernel's lines. `false`: there is no journal, or it has nothing of them.
pub(super) fn read(
    context: &Arc<Context>,
    batch: &mut Batch<Fact>,
    add: &mut impl FnMut(Log, &mut Batch<Fact>),
) -> bool {
    let directory = context.options.root.join("var/log/journal");
    // journald keeps it in the one or, without a disk for it, in the other (journald.conf(5), Storage=).
    let is_volatile = context.is_this_host() && context.root.exists(b"run/log/journal");
    if !is_volatile && !context.root.exists(b"var/log/journal") {
        return false;
    }
    let Some(program) = command::find("journalctl") else { return false };
    let since = format!("--since=@{}", context.logs_from());
    let mut query = |name: &str,
                     matches: &[&str],
                     shown: &str,
                     read_max: usize,
                     wanted: fn(&[u8]) -> bool| {
        let mut command = Command::new(&program);
        command.args(["--no-pager", "--quiet", "--all", "--utc", "--reverse", "--output=short-iso", &since]);
        if !context.is_this_host() {
            command.arg("--directory").arg(&directory);
        }
        for (at, condition) in matches.iter().enumerate() {
            command.args((at > 0).then_some("+")).arg(condition);
        }
        let mut text = Vec::new();
        let ended = command::run(&mut command, context.time_for_command(TIME), |piece| {
            text.extend_from_slice(piece);
            text.len() < read_max
        });
        let truncated = match ended {
            Ok(Ended::ByItself) => false,
            Ok(Ended::Enough) => true,
            Ok(Ended::TimedOut) => {
                let why = "journalctl did not end in time; its newest lines were kept";
                batch.skips.push(Skip::because("journalctl", b"journalctl", "timeout", why));
                true
            }
            Err(error) => {
                batch.skips.push(Skip::new("journalctl", b"journalctl", &error));
                false
            }
        };
        let text = oldest_first(&text, truncated, wanted);
        let found = !text.is_empty();
        let log = Log { name: name.into(), source: format!("journalctl {shown}"), text, truncated };
        add(log, batch);
        found
    };
    let found =
        query("journal", &RUNTIMES, "-u docker, containerd, kubelet, crio, podman", LOG_MAX, |_| true);
    let kernel = query("kernel", &["_TRANSPORT=kernel"], "-k", KERNEL_READ_MAX / 8, concerns_kernel);
    found || kernel
}

/// Turns the order of the messages around. A message of several lines is printed with its later lines indented, and
/// these stay behind its first. The last line may be cut off when the reading was ended.
fn oldest_first(text: &[u8], truncated: bool, wanted: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let end =
        if truncated { text.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1) } else { text.len() };
    let mut messages: Vec<&[u8]> = Vec::new();
    let mut start = 0;
    for line in text[..end].split_inclusive(|&b| b == b'\n').scan(0, |at, line| {
        *at += line.len();
        Some((*at - line.len(), line))
    }) {
        let (at, line) = line;
        if at > 0 && !line.starts_with(b" ") {
            messages.push(&text[start..at]);
            start = at;
        }
    }
    if start < end {
        messages.push(&text[start..end]);
    }
    messages
        .iter()
        .rev()
        .filter(|message| wanted(message))
        .flat_map(|message| message.iter().copied())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_turned_around_whole() {
        let text = b"t3 c\nt2 b\n     b2\nt1 a\nt0 cu";
        assert_eq!(oldest_first(text, true, |_| true), b"t1 a\nt2 b\n     b2\nt3 c\n");
        assert_eq!(oldest_first(b"t2 b\nt1 a\n", false, |_| true), b"t1 a\nt2 b\n");
        assert_eq!(oldest_first(b"t2 b\nt1 a\n", false, |m| m.starts_with(b"t2")), b"t2 b\n");
        assert_eq!(oldest_first(b"", true, |_| true), b"");
    }
}
