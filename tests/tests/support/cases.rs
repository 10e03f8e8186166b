//! Hosts on which a cause is the cause, and what tests ask of the answer.

use ebusy_analyzer::report::{Effect, Holder, Report};
use ebusy_tests::synth::{Container, Driver, Host, Link, Run};

pub(crate) const MODERN: &str = "6.1.0-50-amd64";
pub(crate) const OLD: &str = "3.10.0-514.el7.x86_64";

/// A host with docker and one container.
pub(crate) fn host_with(kernel: &str, driver: Driver, docker: &str) -> (Host, Container) {
    let mut host = Host::new("web1", kernel);
    match driver {
        Driver::DeviceMapper => host.docker_devicemapper(docker),
        Driver::Overlay2 => host.docker_overlay2(docker),
    }
    let web = host.run(&Run::new("web", "nginx:1.13"));
    host.wait(60);
    (host, web)
}

pub(crate) fn device_error(host: &mut Host, web: &Container) {
    host.stop(web);
    host.set_state(web, "dead");
    host.docker_log(&web.device_is_busy());
}

/// A container that cannot be removed because its mount point is busy.
pub(crate) fn directory_error(host: &mut Host, web: &Container) {
    host.set_state(web, "dead");
    host.docker_log(&format!(
        "level=error msg=\"Handler for DELETE /v1.35/containers/web returned error: container {}: driver \\\"overlay2\\\" \
         failed to remove root filesystem: remove {}: device or resource busy\"",
        web.id, web.rootfs
    ));
}

/// Causes of the holders that block, in their order.
pub(crate) fn causes(report: &Report) -> Vec<&str> {
    let blocking = report.holders.iter().filter(|h| h.effect == Effect::Blocking);
    blocking.map(|h| h.cause.as_ref().map_or("unknown", |c| c.id.as_str())).collect()
}

pub(crate) fn all_causes(report: &Report) -> Vec<&str> {
    report.holders.iter().filter_map(|h| h.cause.as_ref()).map(|c| c.id.as_str()).collect()
}

#[track_caller]
pub(crate) fn holder<'r>(report: &'r Report, cause: &str) -> &'r Holder {
    let found = report.holders.iter().find(|h| h.cause.as_ref().is_some_and(|c| c.id == cause));
    found.unwrap_or_else(|| {
        panic!("no holder with cause {cause}: {:?}; {}", all_causes(report), report.verdict.summary)
    })
}

pub(crate) fn advice(holder: &Holder) -> String {
    holder.remedies.iter().map(|r| format!("{} {} {}\n", r.command, r.effect, r.risk)).collect()
}

/// A link to something on a device that the mount tables no longer show.
pub(crate) fn left_open(name: &str, target: &str, device: (u32, u32)) -> Link {
    Link {
        name: name.into(),
        target: target.into(),
        device,
        inode: 7,
        mount: None,
        kind: if name == "cwd" { "dir" } else { "reg" },
        node: None,
    }
}

/// Kernel name of a container's thin device.
pub(crate) fn kernel_name(host: &Host, container: &Container) -> String {
    let ours = |block: &ebusy_tests::synth::Block| block.device == container.device;
    host.blocks.iter().find(|(_, block)| ours(block)).map(|(name, _)| name.clone()).expect("it is listed")
}
