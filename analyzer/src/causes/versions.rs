//! Versions of runtimes, for advice that is true of some of them only.

use super::Case;

/// Major and minor of the docker that runs, where the bundle tells.
pub(super) fn docker(case: &Case<'_>) -> Option<(u32, u32)> {
    case.snapshot.facts.docker()
}

/// Whether docker is older than that; false where the version is not known.
pub(super) fn docker_before(case: &Case<'_>, version: (u32, u32)) -> bool {
    docker(case).is_some_and(|own| own < version)
}

/// Whether the host's first process is systemd, or nothing says otherwise.
pub(super) fn has_systemd(case: &Case<'_>) -> bool {
    let first = case.snapshot.processes.get(&crate::snapshot::Pid(1));
    first.is_none_or(|p| p.comm.is_empty() || p.comm == b"systemd" || p.executable() == b"systemd")
}

/// The command that restarts docker here.
pub(super) fn restart_docker(case: &Case<'_>) -> &'static str {
    if has_systemd(case) { "systemctl restart docker" } else { "service docker restart" }
}

#[cfg(test)]
mod tests {
    use crate::snapshot::Facts;

    #[test]
    fn versions_as_distributions_write_them() {
        let parse = |text: &str| {
            let facts = Facts { docker_version: Some(text.to_owned()), ..Facts::default() };
            facts.docker()
        };
        assert_eq!(parse("17.05.0-ce"), Some((17, 5)));
        assert_eq!(parse("20.10.24+dfsg1"), Some((20, 10)));
        assert_eq!(parse("1.13.1"), Some((1, 13)));
        assert_eq!(parse("29.0.1"), Some((29, 0)));
        assert_eq!(parse("dev"), None);
    }
}
