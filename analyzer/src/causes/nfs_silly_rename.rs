//! On NFS a file that is removed while it is open is renamed to `.nfs…` until it is closed (containers/storage
//! bfaebafec); the directory is not empty and not removable until then.

use super::{Case, Finding, remedy};
use crate::bytes::components;
use crate::report::HolderKind;

pub(super) fn check(case: &Case<'_>) -> Option<Finding> {
    if case.holder.kind != HolderKind::OpenFile {
        return None;
    }
    let file =
        case.holder.open_files.iter().find(|f| {
            components(f.path.as_bytes()).next_back().is_some_and(|name| name.starts_with(b".nfs"))
        })?;
    let who = case.holder.name(case.snapshot);
    Some(Finding {
        id: "nfs-silly-rename",
        summary: format!(
            "{who} still has {} open, a file that was removed on NFS: the server keeps it under that name until it is closed.",
            file.path
        ),
        remedies: remedy::end_processes(case).into_iter().collect(),
    })
}
