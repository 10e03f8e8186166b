//! A file that pins a network (or other) namespace: `/run/netns/*`, `/run/docker/netns/*`. Here it is a mount point;
//! elsewhere it was copied into a container that binds `/run` or `/` (containerd#3667, containerd#6143, cri-o#3996).

use super::{Case, Finding, remedy, unmount};
use crate::bytes::{shell_quote, visible};
use crate::report::{BusyKind, HolderKind};
use crate::snapshot::Pid;

pub(super) fn check(case: &Case<'_>) -> Option<Finding> {
    if case.target.busy != BusyKind::NamespaceFile
        || matches!(case.holder.kind, HolderKind::OpenFile | HolderKind::Device | HolderKind::Pinned)
    {
        return None;
    }
    let mount = case.holder.mounts.iter().find(|m| matches!(m.fs_type.as_str(), "nsfs" | "proc"))?;
    if case.holder.is_daemons || case.holder.kind == HolderKind::Host {
        return Some(own(case, &mount.root));
    }
    let who = case.holder.name(case.snapshot);
    let mut remedies: Vec<_> = unmount::inside(case).into_iter().collect();
    remedies.extend(remedy::restart(case));
    remedies.push(remedy::lasting(
        String::new(),
        "Do not bind /run, /var/run or / into containers; where it must be, with `:rslave` (Kubernetes: `mountPropagation: HostToContainer`), so that umounts reach it.",
        "The container must be made anew.",
    ));
    Some(Finding {
        id: "namespace-file-copied",
        summary: format!(
            "{who} has a copy of the file that pins {} at {}, from a bind of the directory that it is in or from a copy of the host's mounts.",
            mount.root, mount.mount_point
        ),
        remedies,
    })
}

fn own(case: &Case<'_>, pinned: &str) -> Finding {
    let networks = &case.snapshot.recorded.network_namespaces;
    let inside: Vec<Pid> = networks
        .iter()
        .filter(|(_, inode)| pinned == format!("net:[{}]", inode.0))
        .map(|(pid, _)| *pid)
        .collect();
    let members = match &inside[..] {
        [] => "No process is in it any more.".to_owned(),
        [first, rest @ ..] => {
            let name =
                case.snapshot.processes.get(first).map(crate::snapshot::Process::name).unwrap_or_default();
            let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
            format!("{name} (pid {}){more} still runs in it.", first.0)
        }
    };
    let mut remedies: Vec<_> = unmount::here(case).into_iter().collect();
    if let Some(path) = case.target.paths.iter().next() {
        for remedy in &mut remedies {
            remedy.command.push_str(&format!("\nrm {}", shell_quote(path)));
            "Unmounts the pin and removes the file.".clone_into(&mut remedy.effect);
            remedy.risk = format!("The namespace ends with its last process. {members}");
        }
    }
    Finding {
        id: "namespace-file-pinned",
        summary: format!(
            "The file pins {} by a mount on it: it can be removed only after a umount. {members}",
            visible(pinned.as_bytes())
        ),
        remedies,
    }
}
