//! Hosts of a fleet, for measuring: thousands of small bundles, no two alike, the same ones every time.

use crate::rng::Rng;
use crate::synth::{Host, Run, Sandbox};

/// Units that hold a container's mount on some of the hosts, and how often each.
const UNITS: [&str; 6] =
    ["httpd.service", "httpd.service", "httpd.service", "ntpd.service", "named.service", "php-fpm.service"];

/// Once in so many bundles there is one that nobody can read, as a transfer that broke off leaves it.
pub const BROKEN: usize = 200;

/// The bundle of host `number`.
pub fn bundle(number: usize) -> Vec<u8> {
    let mut bundle = host(number).bundle();
    if number % BROKEN == BROKEN - 1 {
        bundle.truncate(9);
    }
    bundle
}

/// Host `number`: some containers, and on two of three hosts a dead one that something holds.
pub fn host(number: usize) -> Host {
    let mut draw = Rng::new(number as u64);
    let mut host = Host::new(&format!("node{number:05}"), "3.10.0-514.el7.x86_64");
    host.docker_devicemapper("17.05.0-ce");
    let web = host.run(&Run::new("web", "nginx:1.13"));
    for other in 0..draw.below(6) {
        host.run(&Run::new(&format!("job{other}"), "acme/job:7"));
        host.wait(5);
    }
    let held = !draw.one_in(3);
    if held && draw.one_in(4) {
        host.run(&Run::new("agent", "google/cadvisor:v0.25.0").volume("/", "/rootfs"));
    } else if held {
        host.service(draw.pick::<&str>(&UNITS), &["/usr/sbin/daemon"], 2, Sandbox::PrivateTmp);
    }
    host.wait(60);
    if held {
        host.stop(&web);
        host.set_state(&web, "dead");
        host.docker_log(&web.device_is_busy());
    }
    host
}
