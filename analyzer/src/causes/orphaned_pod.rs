//! A volume of a pod that is gone: kubelet writes "orphaned pod … found, but volume paths are still present on disk"
//! (kubernetes#27651, kubernetes#38498, kubernetes#60987).

use super::{Case, Finding, remedy, unmount};
use crate::bytes::{components, shell_quote};
use crate::report::HolderKind;

pub(super) fn check(case: &Case<'_>) -> Option<Finding> {
    let own = case.holder.is_daemons || case.holder.kind == HolderKind::Host;
    if !own || matches!(case.holder.kind, HolderKind::OpenFile | HolderKind::Device) {
        return None;
    }
    let mount = case.holder.mounts.iter().find(|m| pod_of(m.mount_point.as_bytes()).is_some())?;
    let pod = pod_of(mount.mount_point.as_bytes())?;
    if case.snapshot.pod_is_alive(&pod) {
        return None;
    }
    let mut remedies: Vec<_> = unmount::here(case).into_iter().collect();
    for remedy in &mut remedies {
        remedy.command.push_str(&format!("\nrmdir {}", shell_quote(mount.mount_point.as_bytes())));
        "Unmounts what the pod left and removes its empty mount point; kubelet then removes the pod's directory by itself.".clone_into(&mut remedy.effect);
    }
    remedies.push(remedy::lasting(
        "journalctl -u kubelet --since -1h | grep -i orphaned".to_owned(),
        "Shows which pods kubelet cannot clean up. Newer kubelets (1.20 and later) unmount more of it themselves; /var/lib/kubelet must be one path, not a symbolic link, and shared where kubelet runs in a container.",
        "Reads only.",
    ));
    Some(Finding {
        id: "orphaned-pod-volume",
        summary: format!(
            "No process and no container of pod {pod} is left, but its volume is still mounted at {}.",
            mount.mount_point
        ),
        remedies,
    })
}

/// The pod's uid in `…/kubelet/pods/UID/volumes/…`.
fn pod_of(path: &[u8]) -> Option<String> {
    let parts: Vec<&[u8]> = components(path).collect();
    let at = parts.windows(2).position(|w| matches!(w, [b"kubelet", b"pods"]))?;
    let uid = std::str::from_utf8(parts.get(at + 2)?).ok()?;
    let is_uid = uid.len() >= 32 && uid.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    (is_uid && parts.len() > at + 3).then(|| uid.to_owned())
}
