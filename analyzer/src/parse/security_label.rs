//! `/proc/PID/attr/current`: what a security module runs a process as.

/// A module that refuses what the user alone would be allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confinement<'a> {
    /// A profile in a mode that refuses (apparmor(7)).
    AppArmor {
        /// Its name, `docker-default`.
        profile: &'a str,
    },
    /// A domain that policy gives only some rights.
    SeLinux {
        /// The context's type, `container_t`.
        domain: &'a str,
    },
}

/// Whether, and by what, a process with that label is confined.
///
/// ```
/// use ebusy_analyzer::parse::security_label::{Confinement, confinement};
///
/// assert_eq!(confinement("docker-default (enforce)"), Some(Confinement::AppArmor { profile: "docker-default" }));
/// assert_eq!(confinement("unconfined"), None);
/// ```
pub fn confinement(label: &str) -> Option<Confinement<'_>> {
    if let Some((profile, mode)) = label.rsplit_once(" (") {
        return matches!(mode, "enforce)" | "kill)").then_some(Confinement::AppArmor { profile });
    }
    // user:role:type, and a level where the policy has such.
    let domain = label.split(':').nth(2)?;
    // What a shell on the host and a privileged container run as in the common policies: they may do all.
    let may_all = matches!(domain, "" | "unconfined_t" | "spc_t" | "kernel_t" | "init_t");
    (!may_all).then_some(Confinement::SeLinux { domain })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_refuses_confines() {
        let selinux = |domain| Some(Confinement::SeLinux { domain });
        assert_eq!(confinement("system_u:system_r:container_t:s0:c1,c2"), selinux("container_t"));
        assert_eq!(confinement("u:r:confined_t"), selinux("confined_t"));
        let apparmor = Some(Confinement::AppArmor { profile: "a (b)//null" });
        assert_eq!(confinement("a (b)//null (enforce)"), apparmor);
        for label in [
            "",
            "unconfined",
            "docker-default (complain)",
            "unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023",
            "_",
            "a:b:",
        ] {
            assert_eq!(confinement(label), None, "{label}");
        }
    }
}
