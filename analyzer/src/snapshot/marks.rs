//! What a process or a namespace is, told by the marks that its maker leaves.

use super::{MountNamespace, Process, Snapshot};
use crate::bytes::{components, visible};
use crate::evidence::Evidence;

impl Process {
    /// Whether a process is a part of a container runtime, not a container's.
    pub fn is_runtime_process(&self) -> bool {
        const NAMES: [&[u8]; 14] = [
            b"dockerd",
            b"dockerd-current",
            b"docker-current",
            b"docker-containe",
            b"docker-containerd",
            b"containerd",
            b"containerd-shim",
            b"containerd-shim-runc-v2",
            b"containerd-shim-runc-v1",
            b"docker-containerd-shim",
            b"conmon",
            b"crio",
            b"runc",
            b"docker-proxy",
        ];
        // comm is cut at 15 bytes (TASK_COMM_LEN).
        let is = |name: &[u8]| NAMES.iter().any(|n| *n == name || (name.len() == 15 && n.starts_with(name)));
        self.membership.container.is_none() && (is(&self.comm) || is(self.executable()))
    }
}

impl Snapshot {
    /// Whether a process or a live container is of a Kubernetes pod. Cgroups write its uid with underscores, too.
    pub fn pod_is_alive(&self, uid: &str) -> bool {
        let escaped = uid.replace('-', "_");
        let by_container = self.containers.values().any(|c| {
            c.record.pod_uid.as_deref() == Some(uid)
                && (!c.pids.is_empty() || c.record.state.as_deref() == Some("running"))
        });
        by_container
            || self
                .processes
                .values()
                .filter_map(|p| p.membership.evidence())
                .any(|e| e.text.contains(uid) || e.text.contains(&escaped))
    }

    /// What systemd leaves in a namespace that it made: the unit's name and the line that shows it.
    pub fn systemd_marks(&self, namespace: &MountNamespace) -> Option<(String, Evidence)> {
        for table in namespace.tables.iter().filter_map(|t| self.table(*t)) {
            for (line, mount) in table.mounts() {
                let root = mount.root();
                // /tmp/systemd-private-BOOTID-UNIT-XXXXXX/tmp (systemd core/namespace.c, setup_one_tmp_dir) …
                let private_tmp = components(&root).find_map(unit_of_private_tmp);
                // … or /systemd/propagate/UNIT on /run/systemd/incoming (systemd.exec(5), since systemd 209).
                let propagate = (mount.mount_point().ends_with(b"/systemd/incoming")
                    && memchr::memmem::find(&root, b"/propagate/").is_some())
                .then(|| components(&root).next_back().map(visible))
                .flatten();
                if let Some(unit) = private_tmp.or(propagate) {
                    return Some((unit, table.evidence(line, &mount.line())));
                }
            }
        }
        let unit = self.processes.get(namespace.pids.first()?)?.membership.unit.as_deref()?;
        let properties = self.units.get(unit)?;
        let private = ["PrivateTmp", "PrivateMounts", "PrivateDevices", "ProtectHome", "ProtectSystem"];
        let set = private.iter().find_map(|p| {
            properties.get_key_value(*p).filter(|(_, v)| !matches!(v.as_str(), "no" | "" | "false"))
        });
        let flags = || {
            properties.get_key_value("MountFlags").filter(|(_, v)| !matches!(v.as_str(), "" | "0" | "shared"))
        };
        let (key, value) = set.or_else(flags)?;
        let file = format!("systemd/{}.show", visible(unit));
        Some((visible(unit), Evidence { file, line: None, text: format!("{key}={value}") }))
    }
}

fn unit_of_private_tmp(component: &[u8]) -> Option<String> {
    let rest = component.strip_prefix(b"systemd-private-")?;
    // A boot id of 32 digits since systemd 216; before that the unit follows at once (RHEL 7 has the id too).
    let rest = match rest.get(..33) {
        Some(id) if id[32] == b'-' && id[..32].iter().all(u8::is_ascii_hexdigit) => &rest[33..],
        _ => rest,
    };
    let dash = memchr::memrchr(b'-', rest)?;
    let unit = &rest[..dash];
    (!unit.is_empty()).then(|| visible(unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_is_read_from_the_directory_that_systemd_made() {
        let unit = |c: &str| unit_of_private_tmp(c.as_bytes());
        let with_boot_id = "systemd-private-0123456789abcdef0123456789abcdef-httpd.service-aB3dEf";
        assert_eq!(unit(with_boot_id).as_deref(), Some("httpd.service"));
        let dashes = "systemd-private-0123456789abcdef0123456789abcdef-php-fpm.service-aB3dEf";
        assert_eq!(unit(dashes).as_deref(), Some("php-fpm.service"));
        assert_eq!(unit("systemd-private-httpd.service-x").as_deref(), Some("httpd.service"));
        assert_eq!(unit("my-systemd-private-x"), None);
    }
}
