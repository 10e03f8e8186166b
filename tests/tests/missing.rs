//! What a bundle does not have is not taken for what the host does not have: whatever is left out of a host where
//! something holds the target, no answer says that it is free.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

mod support;

use ebusy_analyzer::report::Status;
use ebusy_tests::synth::{Container, Entry, Host, Propagation, Run, Sandbox, gzip, tar};
use support::{ask, ask_default};

/// A kind of files, told by their paths.
type Part = (&'static str, fn(&str) -> bool);

/// What an archive may lack.
const PARTS: [Part; 11] = [
    ("mount tables but that of pid 1", |p| p.ends_with("/mountinfo") && p != "proc/1/mountinfo"),
    ("namespace links", |p| p.starts_with("proc/") && p.contains("/ns/")),
    ("entered namespaces", |p| p.starts_with("ns/")),
    ("what is behind links", |p| p.ends_with("/links")),
    ("links", |p| p.contains("/fd/") || p.ends_with("/cwd") || p.ends_with("/root") || p.ends_with("/exe")),
    ("cgroups", |p| p.ends_with("/cgroup")),
    ("block devices", |p| p.starts_with("sys/")),
    ("the runtime's state", |p| {
        p.starts_with("var/") || p.starts_with("runtime/") || p.starts_with("docker/")
    }),
    ("units", |p| p.starts_with("systemd/")),
    ("facts of the kernel", |p| p.starts_with("proc/sys/") || p == "proc/version"),
    ("manifest and summary", |p| p == "manifest.json" || p == "summary.json"),
];

fn host() -> (Host, Container) {
    let mut host = Host::new("web1", "6.1.0-50-amd64");
    host.docker_devicemapper("17.05.0-ce");
    let web = host.run(&Run::new("web", "nginx:1.13"));
    host.wait(10);
    (host, web)
}

fn fails(mut host: Host, web: &Container) -> Host {
    host.wait(10);
    host.stop(web);
    host.docker_log(&web.device_is_busy());
    host.set_state(web, "dead");
    host
}

/// A service has a copy of the mount.
fn service() -> (Host, Container) {
    let (mut host, web) = host();
    host.service("httpd.service", &["/usr/sbin/httpd"], 2, Sandbox::PrivateTmp);
    (fails(host, &web), web)
}

/// A process has a file open that no table shows any more.
fn open_file() -> (Host, Container) {
    let (mut host, web) = host();
    let tail = host.spawn("tail", &["tail", "-f", "x"]);
    host.open_unmounted(tail, web.device);
    (fails(host, &web), web)
}

/// All processes of the namespace that has a copy are in a chroot, and their tables do not show it.
fn chroot() -> (Host, Container) {
    let (mut host, web) = host();
    let private = host.mounts.copy_with(host.ns, Propagation::Private);
    let named = host.spawn_in(private, "named", &["named"]);
    host.chroot(named, "/var/named/chroot");
    (fails(host, &web), web)
}

fn bundle_without(host: &Host, gone: &dyn Fn(&str) -> bool) -> Vec<u8> {
    let entries: Vec<Entry> = host.entries().into_iter().filter(|entry| !gone(&entry.path)).collect();
    gzip(&tar(&host.top(), host.time(), &entries))
}

#[test]
fn what_was_left_out_never_makes_it_free() {
    for (scenario, (host, web)) in [("service", service()), ("file", open_file()), ("chroot", chroot())] {
        let whole = ask(&host.bundle(), &web.id);
        assert_eq!(whole.verdict.status, Status::Held, "{scenario}: {}", whole.verdict.summary);
        for (at, (first, is_first)) in PARTS.iter().enumerate() {
            for (second, is_second) in &PARTS[at..] {
                let bundle = bundle_without(&host, &|path| is_first(path) || is_second(path));
                for report in [ask(&bundle, &web.id), ask_default(&bundle)] {
                    let verdict = &report.verdict;
                    assert_ne!(
                        verdict.status,
                        Status::Free,
                        "{scenario} without {first} and {second}: {}",
                        verdict.summary
                    );
                }
            }
        }
    }
}

#[test]
fn what_every_archive_lacks_makes_no_doubt() {
    let (host, web) = host();
    let host = fails(host, &web);
    for (part, is_part) in [PARTS[2], PARTS[8]] {
        let report = ask(&bundle_without(&host, &is_part), &web.id);
        assert_eq!(report.verdict.status, Status::Free, "without {part}: {}", report.verdict.summary);
    }
}
