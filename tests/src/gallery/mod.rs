//! A host for each cause that the report can name: what the pictures of `docs/causes.md` are made from, and what
//! a test holds them against.

mod devices;
mod namespaces;
mod runtimes;

use crate::synth::{Container, Driver, Host, Link, Run};

/// A host on which something is held because of one cause.
#[derive(Debug)]
pub struct Example {
    /// The cause's id, as in reports.
    pub cause: &'static str,
    /// The host.
    pub host: Host,
    /// What to ask for, where the newest busy error of its log is not the question.
    pub ask: Option<String>,
}

/// All of them, in the order of the page.
pub fn examples() -> Vec<Example> {
    let mut all = namespaces::examples();
    all.extend(devices::examples());
    all.extend(runtimes::examples());
    all
}

const MODERN: &str = "6.1.0-50-amd64";
const OLD: &str = "3.10.0-514.el7.x86_64";

fn example(cause: &'static str, host: Host) -> Example {
    Example { cause, host, ask: None }
}

fn asked(cause: &'static str, host: Host, ask: &str) -> Example {
    Example { cause, host, ask: Some(ask.to_owned()) }
}

/// docker with one container on a device of its own.
fn on_device(kernel: &str) -> (Host, Container) {
    let mut host = Host::new("web1", kernel);
    host.docker_devicemapper("17.05.0-ce");
    let web = host.run(&Run::new("web", "nginx:1.13"));
    host.wait(60);
    (host, web)
}

/// docker with one container on an overlay.
fn on_overlay(kernel: &str, docker: &str) -> (Host, Container) {
    let mut host = Host::new("web1", kernel);
    host.docker_in(Driver::Overlay2, docker, host.ns);
    let web = host.run(&Run::new("web", "nginx:1.13"));
    host.wait(60);
    (host, web)
}

/// The container stops, and its device is busy.
fn device_is_busy(mut host: Host, web: &Container) -> Host {
    host.stop(web);
    host.set_state(web, "dead");
    host.docker_log(&web.device_is_busy());
    host
}

/// The container's mount point cannot be removed.
fn directory_is_busy(host: &mut Host, web: &Container) {
    host.set_state(web, "dead");
    host.docker_log(&format!(
        "level=error msg=\"Handler for DELETE /v1.35/containers/web returned error: container {}: driver \\\"overlay2\\\" \
         failed to remove root filesystem: remove {}: device or resource busy\"",
        web.id, web.rootfs
    ));
}

/// A link to something on a device that no mount table shows any more.
fn left_open(name: &str, target: &str, device: (u32, u32)) -> Link {
    let kind = if name == "cwd" { "dir" } else { "reg" };
    Link { name: name.into(), target: target.into(), device, inode: 7, mount: None, kind, node: None }
}
