//! A container's shim that outlived it: it keeps its working directory and pipes in the container's state directory,
//! sometimes files of its root file system (containerd#4020, kubernetes#123766; containerd 4b05d0390 cleans up dead ones).

use super::{Case, Finding, remedy};
use crate::bytes::visible;
use crate::parse::process_files::cmdline;
use crate::report::HolderKind;
use crate::resolve::short;

pub(super) fn check(case: &Case<'_>) -> Option<Finding> {
    if case.holder.kind != HolderKind::OpenFile {
        return None;
    }
    let is_shim = |name: &[u8]| memchr::memmem::find(name, b"shim").is_some() || name == b"conmon";
    let (pid, process) =
        case.holder.pids.iter().filter_map(|p| Some((p.0, case.snapshot.processes.get(p)?))).find(
            |(_, p)| {
                // comm is cut at 15 bytes: docker-containerd-shim is `docker-containe`.
                let called = cmdline(&p.cmdline).first().copied().unwrap_or_default();
                p.is_runtime_process() && [&p.comm[..], p.executable(), called].into_iter().any(is_shim)
            },
        )?;
    let id = cmdline(&process.cmdline)
        .into_iter()
        .map(visible)
        .find(|word| word.len() == 64 && word.bytes().all(|b| b.is_ascii_hexdigit()))?;
    let container = case.snapshot.containers.get(&id);
    let alive = container.is_some_and(|c| !c.pids.is_empty());
    let name = container.and_then(|c| c.record.name.clone()).unwrap_or_else(|| short(&id).to_owned());
    let file = case.holder.open_files.first()?;
    let (rest, risk) = if alive {
        (
            format!("container {name}, which still runs"),
            format!("Ends container {name} with everything in it: without its shim nobody reaps it."),
        )
    } else {
        (
            format!("container {name}, of which no process is left"),
            "It is the shim of a container that is over: nothing else dies with it.".to_owned(),
        )
    };
    let mut remedies = Vec::new();
    if alive {
        remedies.push(remedy::now(
            format!("docker stop {}", crate::bytes::shell_quote(name.as_bytes())),
            "Stops that container, and its shim with it.",
            format!("Ends what container {name} does."),
        ));
    } else {
        remedies.push(remedy::now(
            format!("kill {pid}"),
            format!("Ends the shim {} ({pid}).", process.name()),
            risk,
        ));
    }
    Some(Finding {
        id: "shim-survivor",
        summary: format!(
            "{} (pid {pid}), the shim of {rest}, has {} open ({}).",
            process.name(),
            file.path,
            file.reference
        ),
        remedies,
    })
}
