//! Every cause by name: a host on which it is the cause, and one that only looks like it.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

mod support;

use ebusy_analyzer::report::{Effect, Holder, Report};
use ebusy_tests::synth::{Block, Container, Driver, Host, Link, Propagation, Run, Sandbox};
use support::{ask, commands};

const MODERN: &str = "6.1.0-50-amd64";
const OLD: &str = "3.10.0-514.el7.x86_64";

/// A host with docker and one container.
fn host_with(kernel: &str, driver: Driver, docker: &str) -> (Host, Container) {
    let mut host = Host::new("web1", kernel);
    match driver {
        Driver::DeviceMapper => host.docker_devicemapper(docker),
        Driver::Overlay2 => host.docker_overlay2(docker),
    }
    let web = host.run(&Run::new("web", "nginx:1.13"));
    host.wait(60);
    (host, web)
}

fn device_error(host: &mut Host, web: &Container) {
    host.stop(web);
    host.set_state(web, "dead");
    let Container { id, layer, .. } = web;
    host.docker_log(&format!(
        "level=error msg=\"Handler for DELETE /v1.29/containers/web returned error: Driver devicemapper failed to \
         remove root filesystem {id}: failed to remove device {layer}: Device is Busy\""
    ));
}

/// Causes of the holders that block, in their order.
fn causes(report: &Report) -> Vec<&str> {
    let blocking = report.holders.iter().filter(|h| h.effect == Effect::Blocking);
    blocking.map(|h| h.cause.as_ref().map_or("unknown", |c| c.id.as_str())).collect()
}

fn all_causes(report: &Report) -> Vec<&str> {
    report.holders.iter().filter_map(|h| h.cause.as_ref()).map(|c| c.id.as_str()).collect()
}

#[track_caller]
fn holder<'r>(report: &'r Report, cause: &str) -> &'r Holder {
    let found = report.holders.iter().find(|h| h.cause.as_ref().is_some_and(|c| c.id == cause));
    found.unwrap_or_else(|| {
        panic!("no holder with cause {cause}: {:?}; {}", all_causes(report), report.verdict.summary)
    })
}

fn advice(holder: &Holder) -> String {
    holder.remedies.iter().map(|r| format!("{} {} {}\n", r.command, r.effect, r.risk)).collect()
}

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
    assert!(advice(found).contains("default-ipc-mode"));

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
fn a_working_directory_and_one_on_another_device() {
    let (mut host, web) = host_with(MODERN, Driver::DeviceMapper, "17.05.0-ce");
    let (shell, other) = (host.spawn("bash", &["bash"]), host.spawn("bash", &["bash"]));
    let cwd = |device| Link {
        name: "cwd".into(),
        target: "/rootfs/srv".into(),
        device,
        inode: 7,
        mount: None,
        kind: "dir",
        node: None,
    };
    host.set_link(shell, cwd(web.device));
    host.set_link(other, cwd((253, 99)));
    device_error(&mut host, &web);
    let report = ask(&host.bundle(), "web");
    assert_eq!(causes(&report), ["open-files"]);
    assert_eq!(holder(&report, "open-files").pids, [shell]);
    assert!(commands(holder(&report, "open-files")).contains(&format!("kill {shell}")));
}

#[test]
fn a_virtual_machine_has_the_device_as_its_disk() {
    for (comm, exe, cause) in [
        ("qemu-system-x86", "/usr/bin/qemu-system-x86_64", "virtual-machine"),
        ("dd", "/usr/bin/dd", "open-files"),
    ] {
        let (mut host, web) = host_with(MODERN, Driver::DeviceMapper, "17.05.0-ce");
        let pid = host.spawn(comm, &[exe]);
        host.open_device(pid, "fd/9", "/dev/dm-3", web.device);
        device_error(&mut host, &web);
        let report = ask(&host.bundle(), "web");
        assert_eq!(causes(&report), [cause], "{comm}");
        assert_eq!(
            commands(&report.holders[0]).contains("kill"),
            cause == "open-files",
            "a machine is not killed"
        );
    }
}

#[test]
fn a_silly_renamed_file_on_nfs() {
    for (path, cause) in [("/rootfs/.nfs00000001", "nfs-silly-rename"), ("/rootfs/nfs.log", "open-files")] {
        let (mut host, web) = host_with(MODERN, Driver::DeviceMapper, "17.05.0-ce");
        let pid = host.spawn("tail", &["tail"]);
        let link = Link {
            name: "fd/3".into(),
            target: path.into(),
            device: web.device,
            inode: 7,
            mount: None,
            kind: "reg",
            node: None,
        };
        host.set_link(pid, link);
        device_error(&mut host, &web);
        assert_eq!(causes(&ask(&host.bundle(), "web")), [cause], "{path}");
    }
}

#[test]
fn a_loop_file_inside_and_one_outside() {
    for (on_target, expected) in [(true, vec!["loop-file-inside"]), (false, vec![])] {
        let (mut host, web) = host_with(MODERN, Driver::DeviceMapper, "17.05.0-ce");
        let backing = if on_target { web.device } else { (253, 0) };
        host.block_device("loop5", Block::on_file((7, 5), "/rootfs/tmp/disk", backing));
        device_error(&mut host, &web);
        let report = ask(&host.bundle(), "web");
        assert_eq!(causes(&report), expected, "{}", report.verdict.summary);
        if on_target {
            assert!(commands(&report.holders[0]).contains("losetup -d /dev/loop5"));
        }
    }
}

#[test]
fn a_device_on_top_and_swap() {
    let (mut host, web) = host_with(MODERN, Driver::DeviceMapper, "17.05.0-ce");
    let name = web.device_name.clone().expect("devicemapper names it");
    let (kernel_name, _) = host
        .blocks
        .iter()
        .find(|(_, b)| b.device_mapper.as_ref().is_some_and(|(n, _)| *n == name))
        .expect("it is listed");
    let lower = kernel_name.clone();
    host.block_device("dm-77", Block::device_mapper((253, 77), "snap", "LVM-x"));
    host.stack(&lower, "dm-77");
    device_error(&mut host, &web);
    let report = ask(&host.bundle(), "web");
    assert_eq!(causes(&report), ["device-stack"]);
    assert!(commands(&report.holders[0]).contains("dmsetup remove snap"));

    let (mut host, web) = host_with(MODERN, Driver::DeviceMapper, "17.05.0-ce");
    // Something else keeps it active, or the device would be gone.
    let dd = host.spawn("dd", &["dd"]);
    host.open_device(dd, "fd/3", "/dev/dm-3", web.device);
    device_error(&mut host, &web);
    let swap = format!(
        "Filename Type Size Used Priority\n/dev/mapper/{} partition 1 0 -2\n",
        web.device_name.expect("named")
    );
    host.files.insert("proc/swaps".into(), swap.into_bytes());
    let mut both = causes(&ask(&host.bundle(), "web")).into_iter().map(str::to_owned).collect::<Vec<_>>();
    both.sort();
    assert_eq!(both, ["open-files", "swap-on-device"]);
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

#[test]
fn survivors_of_a_dead_container() {
    for (state, cause) in [('S', "container-survivor"), ('D', "uninterruptible-process")] {
        let (mut host, web) = host_with(MODERN, Driver::DeviceMapper, "17.05.0-ce");
        let left = host.exec(&web, &["sleep", "1000"]);
        host.process(left).state = state;
        host.kill(web.pid);
        host.set_state(&web, "dead");
        let report = ask(&host.bundle(), "web");
        assert_eq!(report.holders[0].pids, [left], "{}", report.verdict.summary);
        assert_eq!(report.holders[0].cause.as_ref().map(|c| c.id.as_str()), Some(cause));
        assert_eq!(
            commands(&report.holders[0]).contains("kill"),
            state == 'S',
            "what waits in the kernel cannot be killed"
        );
    }
}

#[test]
fn a_mount_that_the_runtime_left() {
    let (mut host, web) = host_with(MODERN, Driver::Overlay2, "20.10.24");
    host.kill(web.pid);
    host.kill(web.shim);
    host.set_state(&web, "exited");
    host.docker_log(&format!(
        "level=error msg=\"Handler for DELETE /v1.41/containers/web returned error: container {}: driver \\\"overlay2\\\" \
         failed to remove root filesystem: unlinkat {}: device or resource busy\"",
        web.id, web.rootfs
    ));
    let report = ask(&host.bundle(), "web");
    assert_eq!(causes(&report), ["leftover-mount"]);
    assert!(commands(&report.holders[0]).contains(&format!("umount {}", web.rootfs)));
}

#[test]
fn an_overlay_that_is_mounted_elsewhere_already() {
    let (mut host, web) = host_with("4.14.0", Driver::Overlay2, "17.12.0-ce");
    let ns = host.mounts.copy_with(host.ns, Propagation::Private);
    let init = host.spawn_in(ns, "runc:[2:INIT]", &["runc", "init"]);
    host.stop(&web);
    host.docker_log(&format!(
        "level=error msg=\"Handler for POST /v1.35/containers/{}/start returned error: error creating overlay mount to \
         {}: device or resource busy\"",
        web.id, web.rootfs
    ));
    let report = ask(&host.bundle(), "web");
    assert_eq!(causes(&report), ["overlay-upper-in-use"], "{}", report.verdict.summary);
    assert_eq!(report.holders[0].pids, [init]);
    assert!(advice(&report.holders[0]).contains("index"));
    assert!(report.next_steps.iter().any(|s| s.command == "docker start web"), "{:?}", report.next_steps);
}

#[test]
fn a_cgroup_with_members_and_an_empty_one() {
    for alive in [true, false] {
        let (mut host, web) = host_with(MODERN, Driver::Overlay2, "20.10.24");
        let path = format!("/sys/fs/cgroup/system.slice/docker-{}.scope", web.id);
        host.log_line(
            "kubelet",
            900,
            &format!("time=\"2026-01-01T00:00:00Z\" level=error msg=\"Failed to remove cgroup\" error=\"rmdir {path}: device or resource busy\""),
        );
        if !alive {
            host.stop(&web);
        }
        let report = ask(&host.bundle(), &path);
        let expected: &[&str] = if alive { &["cgroup-members"] } else { &[] };
        assert_eq!(causes(&report), expected, "{}", report.verdict.summary);
        if alive {
            assert!(report.holders[0].pids.contains(&web.pid));
        }
    }
}

#[test]
fn a_volume_of_its_own_is_no_leftover() {
    let (mut host, _) = host_with(MODERN, Driver::Overlay2, "20.10.24");
    let fs = ebusy_tests::synth::Fs::new((253, 40), "xfs", "/dev/mapper/vg0-data", "rw");
    host.mounts.mount(host.ns, "/srv/data", &fs);
    let report = ask(&host.bundle(), "/srv/data");
    assert_eq!(causes(&report), ["mount-point-on-purpose"], "{}", report.verdict.summary);
    assert!(!commands(&report.holders[0]).contains("umount"), "{}", commands(&report.holders[0]));
}

#[test]
fn lxcfs_in_a_namespace_of_its_own() {
    for (comm, cause) in [("lxcfs", "lxd-namespace"), ("cron", "unshared-copy")] {
        let (mut host, web) = host_with(OLD, Driver::DeviceMapper, "17.05.0-ce");
        let ns = host.mounts.copy_with(host.ns, Propagation::Private);
        host.spawn_in(ns, comm, &[comm]);
        device_error(&mut host, &web);
        assert_eq!(causes(&ask(&host.bundle(), "web")), [cause]);
    }
}
