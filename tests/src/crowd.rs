//! A host on which 200 mount namespaces have the device of one container, as after months on a machine with a
//! service manager and a fleet of agents: what the picture has to stay legible for.

use crate::demo::fail_to_remove_device;
use crate::synth::{Host, Run, Sandbox};
use std::sync::OnceLock;

/// Services with PrivateTmp that were started while the container ran.
const SERVICES: usize = 185;
/// Agents in containers with `/` bound.
const AGENTS: usize = 15;

/// The bundle. The same bytes every time.
pub fn bundle() -> Vec<u8> {
    static BUNDLE: OnceLock<Vec<u8>> = OnceLock::new();
    // Worth keeping: without optimization it takes seconds to make.
    BUNDLE.get_or_init(|| host().bundle()).clone()
}

/// The host.
pub fn host() -> Host {
    let mut host = Host::new("crowd1", "3.10.0-514.el7.x86_64");
    host.docker_devicemapper("17.05.0-ce");
    host.wait(40);
    let shop = host.run(&Run::new("shop-frontend", "acme/shop-frontend:2.14").args(&["nginx"]));
    host.wait(600);
    for number in 1..=SERVICES {
        let unit = format!("worker@{number:03}.service");
        host.service(&unit, &["/usr/libexec/worker"], 1 + number % 3, Sandbox::PrivateTmp);
    }
    for number in 1..=AGENTS {
        let agent = Run::new(&format!("agent-{number:02}"), "acme/agent:7").args(&["/agent"]);
        host.run(&agent.volume("/", "/rootfs"));
    }
    host.wait(1_800);
    host.stop(&shop);
    fail_to_remove_device(&mut host, &shop);
    host.set_state(&shop, "dead");
    host
}
