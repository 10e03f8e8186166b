//! The directory of a docker plugin that is being removed: the plugin's own propagated mounts are still there
//! (moby#34366, moby#33799; fixed by commit 0c2821d6f2, which makes the directory private).

use super::{Case, Finding, remedy, unmount, versions};
use crate::bytes::components;

pub(super) fn check(case: &Case<'_>) -> Option<Finding> {
    let path = case.target.paths.iter().find(|p| {
        let parts: Vec<&[u8]> = components(p).collect();
        parts.windows(2).any(|w| w[0] == b"plugins" && w[1].len() >= 64)
    })?;
    if !case.holder.is_daemons || case.holder.mounts.is_empty() {
        return None;
    }
    let mut remedies: Vec<_> = unmount::here(case).into_iter().collect();
    if versions::docker(case).is_none() || versions::docker_before(case, (17, 9)) {
        remedies.push(remedy::lasting(
            String::new(),
            "Use docker 17.09 or newer, whose plugin directories are private, so that mounts that a plugin makes do not come back to the host.",
            "Restarting docker stops the containers unless live-restore is on.",
        ));
    }
    Some(Finding {
        id: "plugin-mount",
        summary: format!(
            "A mount that the plugin made for the host is still at {}, inside of its directory.",
            crate::bytes::visible(path)
        ),
        remedies,
    })
}
