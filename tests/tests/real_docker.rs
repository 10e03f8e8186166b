//! A real docker daemon with overlay2: a container is stopped while somebody still has its file system.
//!
//! This docker removes a layer's mount point after its umount, and kernels since 3.18 then drop the copies that
//! other namespaces have. So the tests stack a second mount on the mount point: that removal fails with EBUSY,
//! in the daemon's own namespace, and the copies stay.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

mod support;

use ebusy_analyzer::report::{AliasKind, Effect, Report, Status, When};
use ebusy_tests::harness::{Background, machine, run, sh};
use std::process::Command;
use support::docker::Daemon;

fn mount_namespace(pid: u32) -> u64 {
    let link = std::fs::read_link(format!("/proc/{pid}/ns/mnt")).expect("it runs");
    let link = link.to_string_lossy();
    link.trim_start_matches("mnt:[").trim_end_matches(']').parse().expect("a namespace has a number")
}

fn has_mount(pid: u32, part: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/mountinfo")).is_ok_and(|table| table.contains(part))
}

/// The mount namespaces that have an effect on the target.
fn namespaces(report: &Report, effect: Effect) -> Vec<u64> {
    let holders = report.holders.iter().filter(|holder| holder.effect == effect);
    holders.filter_map(|holder| holder.mount_namespace).collect()
}

fn pids(report: &Report, effect: Effect) -> Vec<u32> {
    let holders = report.holders.iter().filter(|holder| holder.effect == effect);
    holders.flat_map(|holder| holder.pids.clone()).collect()
}

#[test]
fn a_leaked_namespace_is_found_by_every_name_of_the_removed_container() {
    const TEST: &str = "real_docker::a_leaked_namespace_is_found_by_every_name_of_the_removed_container";
    let _machine = machine();
    let Some(daemon) = Daemon::start(TEST) else { return };
    let (other, _) = daemon.run("other", &[]);
    let (id, _) = daemon.run("web", &[]);
    let (layer, path) = daemon.merged(&id);
    let mut unshare = Command::new("unshare");
    unshare.args(["-m", "--propagation", "private", "sh", "-c", "echo ready; exec sleep 100000"]);
    let leaked = Background::start_until(&mut unshare, "ready").0;
    daemon.stop_with_leftover("web", &path);
    assert!(has_mount(leaked.pid(), &layer), "the private copy keeps the mount");
    let here = mount_namespace(std::process::id());
    let bundle = daemon.collect();
    for query in ["web", &id, &id[..12], &layer, &path] {
        let report = daemon.ask(&bundle, query);
        assert_eq!(report.target.container_id.as_deref(), Some(id.as_str()), "{query}");
        let alias = report.target.aliases.iter().find(|a| a.kind == AliasKind::LayerId && a.value == layer);
        assert!(
            alias.is_some_and(|alias| !alias.evidence.is_empty()),
            "{query}: {:?}",
            report.target.aliases
        );
        assert_eq!(namespaces(&report, Effect::Blocking), [here], "{query}: {}", report.verdict.summary);
        let of_leaked = [mount_namespace(leaked.pid())];
        assert_eq!(
            namespaces(&report, Effect::Holding),
            of_leaked,
            "this kernel drops foreign mounts: {query}"
        );
        assert_eq!(report.verdict.status, Status::Held, "{query}: {}", report.verdict.summary);
    }
    let report = daemon.ask(&bundle, &other);
    assert_eq!(report.target.container_id.as_ref(), Some(&other));
    assert!(!pids(&report, Effect::Blocking).contains(&leaked.pid()), "{}", report.verdict.summary);

    // The remedy for the namespace that blocks, as printed; then only the copy is left.
    let report = daemon.ask(&bundle, "web");
    let holder = report.holders.iter().find(|h| h.effect == Effect::Blocking).expect("it was just there");
    let remedy = holder.remedies.iter().find(|r| r.when == When::Now && r.command.contains(&path));
    sh(&remedy.expect("a way out").command, &[] as &[&str]);
    let report = daemon.ask(&daemon.collect(), &id);
    assert_ne!(report.verdict.status, Status::Held, "{}", report.verdict.summary);
    assert_eq!(pids(&report, Effect::Holding), [leaked.pid()], "{}", report.verdict.summary);

    // And the kernel agrees: docker can remove it, which drops the copy.
    run(daemon.docker().args(["rm", "web"]));
    assert!(!has_mount(leaked.pid(), &layer), "removing the directory dropped the copy");
    let report = daemon.ask(&daemon.collect(), &id);
    assert_eq!(namespaces(&report, Effect::Blocking), [0; 0], "{}", report.verdict.summary);
    assert_eq!(namespaces(&report, Effect::Holding), [0; 0], "{}", report.verdict.summary);
}

#[test]
fn a_monitoring_container_is_named_and_the_daemon_is_not_blamed() {
    const TEST: &str = "real_docker::a_monitoring_container_is_named_and_the_daemon_is_not_blamed";
    let _machine = machine();
    let Some(daemon) = Daemon::start(TEST) else { return };
    let (id, _) = daemon.run("web", &[]);
    let (layer, path) = daemon.merged(&id);
    let (agent, agent_pid) = daemon.run("agent", &["-v", "/:/rootfs"]);
    daemon.stop_with_leftover("web", &path);
    assert!(has_mount(agent_pid, &layer), "the agent's private bind of / keeps the mount");
    let report = daemon.ask(&daemon.collect(), &id);
    assert_eq!(pids(&report, Effect::Holding), [agent_pid], "{}", report.verdict.summary);
    let holder =
        report.holders.iter().find(|holder| holder.effect == Effect::Holding).expect("it was just there");
    assert_eq!(holder.mount_namespace, Some(mount_namespace(agent_pid)));
    let container = holder.container.as_ref().expect("its cgroup names the container");
    assert_eq!((container.id.as_str(), container.name.as_deref()), (agent.as_str(), Some("agent")));
    assert!(holder.mounts.iter().any(|mount| mount.mount_point == format!("/rootfs{path}")));
    let own = daemon.own_pids();
    assert!(own.len() > 1, "daemon and containerd run");
    let foreign = report.holders.iter().filter(|holder| holder.effect != Effect::Blocking);
    assert!(foreign.flat_map(|holder| &holder.pids).all(|pid| !own.contains(pid)));
}

#[test]
fn a_running_container_is_no_leak() {
    const TEST: &str = "real_docker::a_running_container_is_no_leak";
    let _machine = machine();
    let Some(daemon) = Daemon::start(TEST) else { return };
    let (id, _) = daemon.run("web", &[]);
    let report = daemon.ask(&daemon.collect(), "web");
    assert_eq!(report.target.container_id.as_deref(), Some(id.as_str()));
    assert_eq!(report.target.state.as_deref(), Some("running"));
    let own = daemon.own_pids();
    assert!(report.holders.iter().all(|holder| holder.pids.iter().all(|pid| !own.contains(pid))));
}
