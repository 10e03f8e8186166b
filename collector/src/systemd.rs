//! systemd's settings of the units that own a process outside the host's mount namespace.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use crate::bundle::{Entry, Secrets};
use crate::command::{self, Ended};
use crate::context::{Context, Fact};
use crate::summary::Skip;
use crate::watchdog::Batch;

/// Properties that decide about a unit's mount namespace, its order, and its age. None that can hold a secret.
const PROPERTIES: &str = "Id,LoadState,ActiveState,SubState,Type,PrivateTmp,PrivateMounts,MountFlags,ProtectSystem,\
ProtectHome,PrivateDevices,ProtectKernelTunables,ProtectKernelModules,ProtectControlGroups,ProtectProc,PrivateUsers,\
PrivateNetwork,DynamicUser,ReadWritePaths,ReadOnlyPaths,InaccessiblePaths,BindPaths,BindReadOnlyPaths,\
TemporaryFileSystem,RootDirectory,JoinsNamespaceOf,KillMode,Delegate,After,Before,Requires,Wants,PartOf,FragmentPath,\
DropInPaths,ActiveEnterTimestamp,ExecMainStartTimestamp,MainPID,NRestarts";
const TIME: Duration = Duration::from_secs(5);
const ANSWER_MAX: usize = 4 << 20;
/// Most units asked about.
const UNITS_MAX: usize = 300;
/// The runtimes' own units are always of interest.
const ALWAYS: [&str; 2] = ["containerd.service", "docker.service"];

/// The units to ask about.
pub(crate) fn units(facts: &[Fact]) -> Vec<String> {
    let host = host_namespace(facts);
    let mut units = BTreeSet::new();
    for fact in facts {
        let Fact::Process { namespace, unit, .. } = fact else { continue };
        let Some(unit) = unit else { continue };
        let outside = namespace.is_some() && *namespace != host;
        if outside || ALWAYS.contains(&unit.as_str()) {
            units.insert(unit.clone());
        }
    }
    units.into_iter().filter(|unit| is_plain(unit)).take(UNITS_MAX).collect()
}

/// The host's mount namespace: that of the first process that shows its own. Process 1 may be better protected than
/// the collector is privileged; the next ones are kernel threads, which share it.
fn host_namespace(facts: &[Fact]) -> Option<u64> {
    facts.iter().find_map(|fact| match fact {
        Fact::Process { namespace, .. } => *namespace,
        _ => None,
    })
}

/// A unit's name comes from a cgroup, which containers may name as they like: it becomes an argument and a file name.
fn is_plain(unit: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"@:_.\\-".contains(&b);
    unit.bytes().all(plain) && !unit.starts_with(['-', '.']) && unit.len() <= 200
}

/// Asks systemd about all of them at once.
pub(crate) fn read(context: &Context, units: &[String]) -> Batch<Fact> {
    let mut batch = Batch::new();
    if units.is_empty() || !context.is_this_host() || !context.root.exists(b"run/systemd/system") {
        return batch;
    }
    let Some(program) = command::find("systemctl") else { return batch };
    let mut command = Command::new(program);
    command.args(["show", "--no-pager", "-p", PROPERTIES, "--"]).args(units);
    let mut answer = Vec::new();
    let ended = command::run(&mut command, context.time_for_command(TIME), |piece| {
        answer.extend_from_slice(piece);
        answer.len() < ANSWER_MAX
    });
    match ended {
        Ok(Ended::ByItself) => {}
        Ok(Ended::Failed(code)) => {
            let why = format!("systemctl show ended with {code}; it may have left something out");
            batch.skips.push(Skip::because("systemd", b"systemd", "failed", why));
        }
        Ok(_) => {
            let why = "systemctl show did not end in time or said too much";
            batch.skips.push(Skip::because("systemd", b"systemd", "timeout", why));
        }
        Err(error) => batch.skips.push(Skip::new("systemd", b"systemd", &error)),
    }
    entries(&answer, units).into_iter().for_each(|entry| batch.entries.push(entry));
    batch
}

/// The blocks of the answer, one for each unit, told apart by their `Id`.
fn entries(answer: &[u8], units: &[String]) -> Vec<Entry> {
    let text = String::from_utf8_lossy(answer);
    let mut entries = Vec::new();
    for block in text.split("\n\n") {
        let id = block.lines().find_map(|line| line.strip_prefix("Id="));
        let Some(unit) = id.filter(|id| units.iter().any(|unit| unit == id)) else { continue };
        let lines = format!("{}\n", block.trim_end());
        let (path, data) = (format!("systemd/{unit}.show").into_bytes(), lines.into_bytes());
        entries.push(Entry::File { path, data, secrets: Secrets::Lines });
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_outside_the_hosts_namespace() {
        let process =
            |namespace, unit: &str| Fact::Process { namespace: Some(namespace), unit: Some(unit.to_owned()) };
        let facts = [
            process(10, "init.service"),
            process(10, "ssh.service"),
            process(11, "apache2.service"),
            process(10, "docker.service"),
            process(12, "--evil.service"),
        ];
        assert_eq!(units(&facts), ["apache2.service", "docker.service"]);
    }

    #[test]
    fn an_answer_is_split_by_unit() {
        let units = ["a.service".to_owned(), "b.service".to_owned()];
        let answer = b"PrivateTmp=yes\nId=a.service\n\nId=b.service\nPrivateTmp=no\n\nId=../x\n";
        let entries = entries(answer, &units);
        let [Entry::File { path, data, .. }, Entry::File { path: second, .. }] = entries.as_slice() else {
            panic!("{entries:?}");
        };
        assert_eq!(path, b"systemd/a.service.show");
        assert_eq!(data, b"PrivateTmp=yes\nId=a.service\n");
        assert_eq!(second, b"systemd/b.service.show");
    }
}
