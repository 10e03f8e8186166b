//! `mount` of an overlay whose upper or work directory another overlay mount has already, in any namespace:
//! since Linux 4.13 with `index=on` the kernel refuses that (moby#34672, moby#37970, containerd#4127). Mostly the
//! copy that a `runc init` of another container took while both started.

use super::{Case, Finding, remedy, unmount, versions};
use crate::report::{BusyKind, HolderKind};

pub(super) fn check(case: &Case<'_>) -> Option<Finding> {
    if case.target.busy != BusyKind::OverlayMount
        || matches!(case.holder.kind, HolderKind::OpenFile | HolderKind::Device)
    {
        return None;
    }
    let mount = case.holder.mounts.iter().find(|m| m.fs_type == "overlay")?;
    let who = case.holder.name(case.snapshot);
    let mut remedies = unmount::for_any_holder(case);
    // docker 19.03 asks for `index=off` with each mount: then a work directory in use is refused all the same.
    let asks_itself = versions::docker(case).is_some_and(|own| own >= (19, 3));
    let has_index = case.snapshot.facts.kernel_version().is_none_or(|v| (v.major, v.minor) >= (4, 13));
    if !asks_itself && has_index {
        remedies.push(remedy::lasting(
            "echo N > /sys/module/overlay/parameters/index\necho 'options overlay index=off' > /etc/modprobe.d/overlay-index.conf".to_owned(),
            "Lets the kernel mount an overlay whose upper directory is still in use elsewhere. docker 19.03 and containerd 1.4 ask for `index=off` themselves.",
            "Hard links in overlays lose their inode identity on copy-up; container runtimes do not need it.",
        ));
    }
    Some(Finding {
        id: "overlay-upper-in-use",
        summary: format!(
            "{who} has an overlay mounted at {} with the same upper or work directory; the kernel does not mount a second one.",
            mount.mount_point
        ),
        remedies,
    })
}
