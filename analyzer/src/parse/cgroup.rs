//! `/proc/PID/cgroup`: which systemd unit and which container a process belongs to (cgroups(7)).
//!
//! ```
//! use ebusy_analyzer::parse::cgroup;
//!
//! let membership = cgroup::parse(b"0::/system.slice/httpd.service\n");
//! assert_eq!(membership.unit.as_deref(), Some(&b"httpd.service"[..]));
//! assert_eq!(membership.container, None);
//! ```

/// What the cgroup paths of a process tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Membership {
    /// systemd unit, unescaped as systemd writes it: `httpd.service`, `session-3.scope`.
    pub unit: Option<Vec<u8>>,
    /// Full container id: 64 hexadecimal digits.
    pub container: Option<String>,
    /// Line (from 1) that told.
    pub line: u32,
    /// That line.
    pub text: Vec<u8>,
}

/// Reads all lines; the container wins over the unit of the daemon that it may be nested in.
pub fn parse(text: &[u8]) -> Membership {
    let mut found = Membership::default();
    let mut before: &[u8] = &[];
    for (number, line) in super::numbered_lines(text) {
        // hierarchy-ID:controllers:path; the path may hold colons.
        let mut fields = line.splitn(3, |&b| b == b':');
        let (Some(_), Some(controllers), Some(path)) = (fields.next(), fields.next(), fields.next()) else {
            continue;
        };
        // systemd's own hierarchy (v1 `name=systemd`, v2 no controller) is the one that names the unit.
        let is_systemds = controllers == b"name=systemd" || controllers.is_empty();
        let (seeks_container, seeks_unit) = (found.container.is_none(), is_systemds || found.unit.is_none());
        // Most of v1's hierarchies have the same path.
        let is_known = path == before && !is_systemds;
        before = path;
        if is_known || !(seeks_container || seeks_unit) {
            continue;
        }
        let (mut id, mut unit) = (None, None);
        for part in path.rsplit(|byte| *byte == b'/') {
            if seeks_container && id.is_none() {
                id = container_id(part);
            }
            if seeks_unit && unit.is_none() && is_unit(part) {
                unit = Some(part);
            }
        }
        if (unit.is_some() && found.container.is_none()) || id.is_some() {
            found.line = number;
            found.text = line.to_vec();
        }
        found.container = found.container.or(id);
        found.unit = unit.map(<[u8]>::to_vec).or(found.unit);
    }
    found
}

fn is_unit(component: &[u8]) -> bool {
    let unit = [&b".service"[..], b".scope", b".socket", b".mount", b".swap"];
    unit.iter().any(|suffix| component.len() > suffix.len() && component.ends_with(suffix))
}

/// `ID`, `docker-ID.scope`, `crio-ID.scope`, `cri-containerd-ID.scope`, `libpod-ID.scope`, `libpod-payload-ID`.
/// A conmon scope (`…-conmon-ID.scope`) is the monitor beside the container, not in it.
pub(crate) fn container_id(component: &[u8]) -> Option<String> {
    let name = component.strip_suffix(b".scope").unwrap_or(component);
    let at = name.len().checked_sub(64)?;
    let (prefix, id) = name.split_at(at);
    let is_named = matches!(prefix, [] | [.., b'-' | b':']);
    // Without a branch for each digit.
    let is_hex = || id.iter().fold(true, |all, b| all & matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if !is_named || !is_hex() || prefix.windows(6).any(|part| part == b"conmon") {
        return None;
    }
    std::str::from_utf8(id).ok().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "4f0e29d2a1b3c5d7e9f00112233445566778899aabbccddeeff0123456789abc";

    #[test]
    fn unit_of_a_service_on_both_cgroup_versions() {
        let v1 = parse(
            b"13:memory:/system.slice/lab.service\n2:cpu:/\n1:name=systemd:/system.slice/lab.service\n",
        );
        assert_eq!(v1.unit.as_deref(), Some(&b"lab.service"[..]));
        let v2 = parse(b"0::/system.slice/httpd.service\n");
        assert_eq!(v2.unit.as_deref(), Some(&b"httpd.service"[..]));
        assert_eq!(parse(b"0::/\n").unit, None);
    }

    #[test]
    fn container_id_of_every_runtime() {
        for path in [
            format!("/docker/{ID}"),
            format!("/system.slice/docker-{ID}.scope"),
            format!("/kubepods.slice/kubepods-pod1_2.slice/cri-containerd-{ID}.scope"),
            format!("/machine.slice/libpod-{ID}.scope/container"),
            format!("/kubepods/burstable/pod8ca/{ID}"),
            format!("/system.slice/containerd.service/kubepods-pod1.slice:cri-containerd:{ID}"),
        ] {
            assert_eq!(parse(format!("0::{path}\n").as_bytes()).container.as_deref(), Some(ID), "{path}");
        }
    }

    #[test]
    fn a_monitor_beside_the_container_is_not_in_it() {
        let text = format!("0::/machine.slice/libpod-conmon-{ID}.scope\n");
        assert_eq!(parse(text.as_bytes()).container, None);
    }
}
