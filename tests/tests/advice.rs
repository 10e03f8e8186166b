//! Advice by kernel, docker and init system: none is given that is wrong for the host, and every remedy for now says
//! what it interrupts.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

mod support;

use ebusy_analyzer::report::{Effect, Report, When};
use ebusy_tests::synth::{Driver, Host, Propagation, Run, Sandbox};
use support::ask;
use support::cases::{device_error, directory_error};

/// Kernel, `fs.may_detach_mounts`, and whether it drops foreign mounts.
const KERNELS: [(&str, Option<u8>, bool); 10] = [
    ("3.10.0-514.el7.x86_64", None, false),
    ("3.10.0-1160.el7.x86_64", Some(0), false),
    ("3.10.0-1160.el7.x86_64", Some(1), true),
    ("3.16.0-11-amd64", None, false),
    ("4.4.0-210-generic", None, true),
    ("4.4.180+", None, true),
    ("4.19.0-26-amd64", None, true),
    ("5.15.153.1-microsoft-standard-WSL2", None, true),
    ("5.4.278-1.el7.elrepo.x86_64", None, true),
    ("6.1.0-50-amd64", None, true),
];
const DOCKERS: [&str; 6] = ["1.12.6", "17.05.0-ce", "18.03.1-ce", "19.03.15", "20.10.24", "29.0.1"];

/// A web container that httpd, a monitoring container and an unshared shell hold.
fn report(kernel: &str, detach: Option<u8>, docker: &str, driver: Driver, init: &str) -> Report {
    let mut host = Host::new("web1", kernel);
    host.may_detach_mounts = detach;
    host.process(1).comm = init.into();
    host.link(1, "exe", &format!("/sbin/{init}"), "reg");
    let ns = host.ns;
    host.docker_in(driver, docker, ns);
    let web = host.run(&Run::new("web", "nginx"));
    host.wait(60);
    host.service("httpd.service", &["/usr/sbin/httpd"], 2, Sandbox::PrivateTmp);
    host.run(&Run::new("agent", "monitor").volume("/", "/rootfs"));
    let copy = host.mounts.copy_with(host.ns, Propagation::Private);
    host.spawn_in(copy, "bash", &["bash"]);
    host.stop(&web);
    match driver {
        Driver::DeviceMapper => device_error(&mut host, &web),
        Driver::Overlay2 => directory_error(&mut host, &web),
    }
    ask(&host.bundle(), "web")
}

fn advice(report: &Report) -> String {
    let remedies = report.holders.iter().flat_map(|h| &h.remedies);
    remedies.map(|r| format!("{} {} {}\n", r.command, r.effect, r.risk)).collect()
}

#[test]
fn no_advice_is_wrong_for_the_kernel_or_the_docker() {
    for (kernel, detach, drops) in KERNELS {
        for docker in DOCKERS {
            for driver in [Driver::DeviceMapper, Driver::Overlay2] {
                let report = report(kernel, detach, docker, driver, "systemd");
                let given = advice(&report);
                let context = || format!("{kernel} {detach:?} docker {docker} {driver:?}:\n{given}");
                assert_eq!(report.host.drops_foreign_mounts, Some(drops), "{}", context());
                let version: Vec<u32> =
                    docker.split(['.', '-']).take(2).filter_map(|p| p.parse().ok()).collect();
                let gives = |words: &str, right: bool| {
                    assert_eq!(given.contains(words), right, "{words}: {}", context())
                };
                let directory = driver == Driver::Overlay2;
                gives("sysctl -w fs.may_detach_mounts=1", directory && detach == Some(0));
                gives("yum update kernel", directory && !drops && kernel.contains("el7") && detach.is_none());
                gives("3.18 or newer", directory && !drops && !kernel.contains("el7"));
                gives("MountFlags=slave\\n", !drops);
                gives("rmdir ", drops && !directory);
                gives("Upgrade docker to 20.10", drops && !directory && version < vec![18, 0]);
                gives(
                    "Upgrade docker to 18.03",
                    version < vec![18, 0] && report.holders.iter().any(|h| !h.mounts.is_empty()),
                );
                gives("This docker does so by itself", version >= vec![18, 3] && given.contains("rslave"));
            }
        }
    }
}

#[test]
fn without_systemd_nobody_is_told_to_write_units() {
    let old = report("3.16.0-11-amd64", None, "17.05.0-ce", Driver::Overlay2, "init");
    let bash = old
        .holders
        .iter()
        .find(|h| h.process.as_ref().is_some_and(|p| p.comm == "bash"))
        .expect("it holds it");
    let given: String = bash.remedies.iter().map(|r| format!("{} {}", r.command, r.effect)).collect();
    assert!(given.contains("unshare -m -- dockerd") && !given.contains("systemctl daemon-reload"), "{given}");
}

#[test]
fn every_remedy_for_now_says_what_it_interrupts_and_nobody_is_told_to_kill_the_system() {
    for (kernel, detach, _) in KERNELS {
        for driver in [Driver::DeviceMapper, Driver::Overlay2] {
            let report = report(kernel, detach, "17.05.0-ce", driver, "systemd");
            let vital: Vec<u32> = [1].into();
            for holder in &report.holders {
                for remedy in holder.remedies.iter().filter(|r| r.when == When::Now) {
                    assert!(!remedy.risk.is_empty(), "{kernel}: {remedy:?}");
                    let killed = remedy.command.strip_prefix("kill ").unwrap_or_default();
                    assert!(
                        killed
                            .split(' ')
                            .filter_map(|p| p.parse().ok())
                            .all(|pid: u32| !vital.contains(&pid))
                    );
                    assert!(!remedy.command.contains("umount -l"), "{}", remedy.command);
                }
            }
            // Several must go: in which order, then the very command to try again.
            let blocking = report.holders.iter().filter(|h| h.effect == Effect::Blocking).count();
            if blocking > 1 {
                assert!(
                    report.next_steps[0].effect.contains("in this order: (1) "),
                    "{:?}",
                    report.next_steps
                );
                assert_eq!(report.next_steps[1].command, "docker rm -f web");
            }
        }
    }
}
