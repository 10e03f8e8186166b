//! Kernels that do not remove a directory while any namespace has a mount on it: before 3.18, and RHEL 7's 3.10
//! with `fs.may_detach_mounts` 0 or missing (moby 83c2152de5, moby#34538, moby#21969).

use super::{Case, Finding, remedy, unmount};
use crate::report::BusyKind;

pub(super) fn check(case: &Case<'_>) -> Option<Finding> {
    if case.holder.is_daemons {
        return None;
    }
    let mut finding = condition(case)?;
    finding.remedies.splice(0..0, unmount::for_any_holder(case));
    Some(finding)
}

/// What helps on such a kernel beside the holder's own remedies.
pub(super) fn condition(case: &Case<'_>) -> Option<Finding> {
    let directory = matches!(case.target.busy, BusyKind::Directory | BusyKind::NamespaceFile);
    if case.snapshot.facts.drops_foreign_mounts() != Some(false)
        || !directory
        || case.holder.mounts.is_empty()
    {
        return None;
    }
    let kernel = case.snapshot.facts.kernel.as_deref()?;
    let el7 = case.snapshot.facts.kernel_version().is_some_and(|v| v.el7);
    let (why, remedy) = match (el7, case.snapshot.facts.may_detach_mounts) {
        (true, Some(false)) => (
            "fs.may_detach_mounts is 0",
            remedy::lasting(
                "sysctl -w fs.may_detach_mounts=1\necho 'fs.may_detach_mounts = 1' > /etc/sysctl.d/99-may-detach-mounts.conf".to_owned(),
                "Lets this kernel drop the copies in other namespaces when a mount point is removed, as kernels since 3.18 do. docker 17.10 to 27 set it themselves.",
                "None known; it is the behaviour of every newer kernel.",
            ),
        ),
        (true, _) => (
            "it has no fs.may_detach_mounts",
            remedy::lasting(
                "yum update kernel".to_owned(),
                "RHEL and CentOS 7.4 (kernel 3.10.0-693) and newer have fs.may_detach_mounts; set it to 1 after the reboot.",
                "A reboot.",
            ),
        ),
        (false, _) => (
            "it is older than 3.18",
            remedy::lasting(
                String::new(),
                "Use a kernel of 3.18 or newer: it drops the copies in other namespaces when a mount point is removed.",
                "A reboot.",
            ),
        ),
    };
    Some(Finding {
        id: "old-kernel",
        summary: format!(
            "Kernel {} refuses to remove a directory while any mount namespace has a mount on it: {why}.",
            crate::bytes::visible(kernel.as_bytes())
        ),
        remedies: vec![remedy],
    })
}
