//! Mounts that a runtime itself left behind, and those that are there on purpose.

use super::{Example, MODERN, asked, device_is_busy, directory_is_busy, example, on_device, on_overlay};
use crate::synth::{Host, Sandbox, hex64};

pub(super) fn examples() -> Vec<Example> {
    vec![
        example("leftover-mount", leftover(false)),
        example("archive-mounts", leftover(true)),
        example("docker-leaves-mount-point", old_docker()),
        runc(),
        plugin(),
        asked("mount-point-on-purpose", on_purpose(), "/etc/resolv.conf"),
    ]
}

fn leftover(with_volume: bool) -> Host {
    let (mut host, web) = on_overlay(MODERN, "18.09.1");
    host.kill(web.pid);
    host.kill(web.shim);
    if with_volume {
        host.mounts.bind(host.ns, "/srv", &format!("{}/data", web.rootfs), false);
    }
    directory_is_busy(&mut host, &web);
    host
}

/// A kernel that drops foreign mounts with the directory, and a docker that leaves the directory.
fn old_docker() -> Host {
    let (mut host, web) = on_device(MODERN);
    host.service("httpd.service", &["/usr/sbin/httpd"], 1, Sandbox::PrivateTmp);
    device_is_busy(host, &web)
}

fn runc() -> Example {
    let path = format!("/run/runc/{}/runc.a1b2c3", hex64("runc"));
    let (mut host, _) = on_overlay(MODERN, "20.10.24");
    host.mounts.bind(host.ns, "/usr/sbin/runc", &path, false);
    host.log_line("runc", 900, &format!("unable to remove {path}: device or resource busy"));
    asked("runc-self-bind", host, &path)
}

fn plugin() -> Example {
    let path = format!("/var/lib/docker/plugins/{}-removing/rootfs", hex64("plugin"));
    let mut host = Host::new("web1", MODERN);
    host.docker_overlay2("17.05.0-ce");
    let fs = host.tmpfs("tmpfs", "rw");
    host.mounts.mount(host.ns, &path, &fs);
    host.docker_log(&format!(
        "level=error msg=\"Handler for DELETE /v1.30/plugins/x returned error: remove {path}: device or resource busy\""
    ));
    asked("plugin-mount", host, &path)
}

fn on_purpose() -> Host {
    let (mut host, _) = on_overlay(MODERN, "20.10.24");
    host.mounts.bind(host.ns, "/run/resolv.conf", "/etc/resolv.conf", false);
    host.log_line(
        "dhclient-script",
        900,
        "mv: cannot move '/etc/resolv.conf.new' to '/etc/resolv.conf': Device or resource busy",
    );
    host
}
