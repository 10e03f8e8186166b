//! Every cause by name: a host on which it is the cause, and one that only looks like it.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

mod support;

use ebusy_tests::synth::{Driver, Propagation, Run, Sandbox};
use support::ask;
use support::cases::{MODERN, OLD, advice, all_causes, causes, device_error, holder, host_with};
use support::commands;

#[test]
fn a_unit_with_private_tmp_and_a_unit_that_unshares_by_itself() {
    let (mut host, web) = host_with(OLD, Driver::DeviceMapper, "17.05.0-ce");
    host.service("httpd.service", &["/usr/sbin/httpd"], 2, Sandbox::PrivateTmp);
    let ns = host.mounts.copy_with(host.ns, Propagation::Private);
    let agent = host.spawn_as(1, ns, "agent", &["/opt/agent"], "/system.slice/agent.service");
    device_error(&mut host, &web);
    let report = ask(&host.bundle(), "web");
    assert_eq!(causes(&report), ["systemd-private-namespace", "unshared-copy"]);
    let unshared = holder(&report, "unshared-copy");
    assert_eq!((unshared.pids.as_slice(), unshared.unit.as_deref()), (&[agent][..], Some("agent.service")));
    // Its own unit is restarted, PrivateTmp= is not blamed.
    assert!(commands(unshared).contains("systemctl restart agent.service"));
    assert!(!advice(unshared).contains("PrivateTmp"), "{}", advice(unshared));
}

#[test]
fn a_container_that_has_the_hosts_root_and_one_that_does_not() {
    let (mut host, web) = host_with(OLD, Driver::DeviceMapper, "17.05.0-ce");
    let agent = host.run(&Run::new("agent", "monitor").volume("/", "/rootfs"));
    host.run(&Run::new("neighbour", "redis").volume("/srv", "/data"));
    device_error(&mut host, &web);
    let report = ask(&host.bundle(), "web");
    assert_eq!(causes(&report), ["host-bind-without-rslave"]);
    let found = holder(&report, "host-bind-without-rslave");
    assert_eq!(found.container.as_ref().map(|c| c.id.as_str()), Some(agent.id.as_str()));
    assert!(found.cause.as_ref().is_some_and(|c| c.summary.contains("below /rootfs")), "{:?}", found.cause);
    assert!(advice(found).contains("rslave") && commands(found).contains("docker restart agent"));
}

#[test]
fn kernel_advice_is_given_where_it_is_true() {
    let advice_on = |kernel: &str, detach: Option<u8>, driver: Driver| {
        let (mut host, web) = host_with(kernel, driver, "17.05.0-ce");
        host.may_detach_mounts = detach;
        host.service("httpd.service", &["/usr/sbin/httpd"], 1, Sandbox::PrivateTmp);
        match driver {
            Driver::DeviceMapper => device_error(&mut host, &web),
            Driver::Overlay2 => {
                host.stop(&web);
                host.docker_log(&format!(
                    "level=error msg=\"Handler for DELETE /v1.29/containers/web returned error: driver \\\"overlay2\\\" \
                     failed to remove root filesystem for {}: remove {}: device or resource busy\"",
                    web.id, web.rootfs
                ));
            }
        }
        advice(&ask(&host.bundle(), "web").holders[0])
    };
    let directory = |kernel, detach| advice_on(kernel, detach, Driver::Overlay2);
    assert!(directory("3.10.0-1160.el7.x86_64", Some(0)).contains("sysctl -w fs.may_detach_mounts=1"));
    assert!(directory(OLD, None).contains("yum update kernel"));
    assert!(directory("3.16.0-11-amd64", None).contains("3.18 or newer"));
    // A device is kept by a mount in any namespace on every kernel: there a new kernel alone does not help.
    let device = |kernel, detach| advice_on(kernel, detach, Driver::DeviceMapper);
    assert!(!device(OLD, None).contains("yum"), "{}", device(OLD, None));
    assert!(!device(OLD, None).contains("rmdir"), "an old kernel does not drop foreign mounts");
    let modern = device(MODERN, None);
    assert!(!modern.contains("may_detach_mounts") && !modern.contains("3.18"), "{modern}");
    // docker 17.05 leaves the mount point; a newer one removes it, and this kernel then drops all copies.
    assert!(modern.contains("Upgrade docker to 20.10"), "{modern}");
    assert!(modern.contains("rmdir /var/lib/docker/devicemapper/mnt/"), "{modern}");
}

#[test]
fn a_shm_that_was_copied_and_one_that_only_comes_along() {
    let (mut host, web) = host_with(OLD, Driver::DeviceMapper, "17.05.0-ce");
    host.service("ntpd.service", &["/usr/sbin/ntpd"], 1, Sandbox::PrivateTmp);
    let shipper = host.run(&Run::new("shipper", "fluentd").volume("/var/lib/docker/containers", "/logs"));
    host.stop(&web);
    let id = &web.id;
    host.docker_log(&format!(
        "level=error msg=\"Handler for DELETE /v1.29/containers/{id} returned error: unable to remove filesystem for \
         {id}: remove /var/lib/docker/containers/{id}/shm: device or resource busy\""
    ));
    let report = ask(&host.bundle(), "web");
    let found = holder(&report, "shm-copied");
    assert_eq!(found.pids, [shipper.pid]);
    // This docker has no such setting yet.
    assert!(
        advice(found).contains("19.03") && !advice(found).contains("default-ipc-mode"),
        "{}",
        advice(found)
    );

    // The device is busy: whoever has it mostly has the shm, too, and that is not the cause.
    let (mut host, web) = host_with(OLD, Driver::DeviceMapper, "17.05.0-ce");
    host.run(&Run::new("agent", "monitor").volume("/", "/rootfs"));
    device_error(&mut host, &web);
    assert!(!all_causes(&ask(&host.bundle(), "web")).contains(&"shm-copied"));
}

#[test]
fn a_shim_apart_from_its_daemon_and_one_beside_it() {
    let (mut host, web) = host_with(OLD, Driver::DeviceMapper, "17.05.0-ce");
    let apart = host.mounts.copy_with(host.ns, Propagation::Private);
    let shim = host.spawn_as(
        1,
        apart,
        "docker-containe",
        &["docker-containerd-shim"],
        "/system.slice/docker.service",
    );
    device_error(&mut host, &web);
    let report = ask(&host.bundle(), "web");
    assert_eq!(causes(&report), ["daemon-namespaces-differ"]);
    let found = holder(&report, "daemon-namespaces-differ");
    assert_eq!(found.pids, [shim]);
    // A shim's end is its containers' end: nobody is told to kill it.
    assert!(!commands(found).contains("kill"), "{}", commands(found));
    assert!(advice(found).contains("live-restore"));

    let (mut host, web) = host_with(OLD, Driver::DeviceMapper, "17.05.0-ce");
    host.spawn_as(1, host.ns, "docker-containe", &["docker-containerd-shim"], "/system.slice/docker.service");
    device_error(&mut host, &web);
    assert_eq!(causes(&ask(&host.bundle(), "web")), [""; 0]);
}

#[test]
fn a_namespace_kept_by_a_file_and_by_a_descriptor() {
    for (kept_by, command) in [("bind 1 /run/keep/ns", "umount /run/keep/ns"), ("fd 77 5", "kill 77")] {
        let (mut host, web) = host_with(MODERN, Driver::DeviceMapper, "17.05.0-ce");
        host.skip_to_pid(77);
        host.spawn("keeper", &["keeper"]);
        let pinned = host.mounts.copy_with(host.ns, Propagation::Private);
        host.keep(pinned, kept_by);
        device_error(&mut host, &web);
        let report = ask(&host.bundle(), "web");
        assert_eq!(causes(&report), ["pinned-namespace"], "{}", report.verdict.summary);
        assert!(commands(&report.holders[0]).contains(command), "{}", commands(&report.holders[0]));
    }
}

#[test]
fn a_process_that_entered_the_container_and_the_containers_own() {
    let (mut host, web) = host_with(MODERN, Driver::DeviceMapper, "17.05.0-ce");
    let debugger = host.spawn_in(web.ns, "gdb", &["gdb"]);
    device_error(&mut host, &web);
    let report = ask(&host.bundle(), "web");
    assert_eq!(causes(&report), ["entered-container-namespace"]);
    assert_eq!(report.holders[0].pids, [debugger]);

    let (host, web) = host_with(MODERN, Driver::DeviceMapper, "17.05.0-ce");
    let report = ask(&host.bundle(), "web");
    assert!(
        report.holders.iter().any(|h| h.pids.contains(&web.pid)),
        "a running container holds its own device"
    );
    assert_eq!(causes(&report), ["container-running"]);
    assert!(commands(&report.holders[0]).contains("docker stop web"));
}
