//! Causes that runtimes make themselves: leftovers of docker, runc, kubelet, LXD and their plugins, and what lets it come
//! to that. Each with one that only looks like it.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

mod support;

use ebusy_analyzer::report::Status;
use ebusy_tests::synth::{Block, Driver, Fs, Host, Propagation, Run, Sandbox, hex64};
use support::cases::{
    MODERN, OLD, advice, all_causes, causes, device_error, directory_error, holder, host_with,
};
use support::{ask, commands};

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
    let fs = Fs::new((253, 40), "xfs", "/dev/mapper/vg0-data", "rw");
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
fn a_start_of_runc_that_hangs_in_the_container() {
    for (comm, cause) in [("runc:[2:INIT]", "runc-init-stuck"), ("sh", "container-survivor")] {
        let (mut host, web) = host_with(MODERN, Driver::DeviceMapper, "17.05.0-ce");
        let left = host.exec(&web, &["/proc/self/exe"]);
        host.process(left).comm = comm.into();
        host.kill(web.pid);
        host.set_state(&web, "created");
        let report = ask(&host.bundle(), "web");
        assert_eq!(holder(&report, cause).pids, [left]);
        assert!(commands(holder(&report, cause)).contains(&format!("kill {left}")));
    }
}

#[test]
fn udevd_in_its_own_namespace_and_another_service_beside_it() {
    let (mut host, web) = host_with(MODERN, Driver::DeviceMapper, "17.05.0-ce");
    host.service("systemd-udevd.service", &["/lib/systemd/systemd-udevd"], 1, Sandbox::MountFlagsSlave);
    host.service("cups.service", &["/usr/sbin/cupsd"], 1, Sandbox::MountFlagsSlave);
    device_error(&mut host, &web);
    let report = ask(&host.bundle(), "web");
    assert_eq!(causes(&report), ["udevd-namespace", "systemd-private-namespace"]);
    assert!(commands(&report.holders[0]).contains("systemctl restart systemd-udevd.service"));
    // A drop-in for the setting that the unit really has.
    let typed = commands(&report.holders[1]);
    assert!(typed.contains("MountFlags=\\n") && !typed.contains("PrivateTmp"), "{typed}");
    assert!(typed.contains("systemctl daemon-reload"));
}

#[test]
fn a_private_storage_directory_and_a_shared_one() {
    for (docker, private) in [("17.05.0-ce", true), ("18.09.1", false)] {
        let (mut host, web) = host_with(MODERN, Driver::DeviceMapper, docker);
        let ns = host.mounts.copy_with(host.ns, Propagation::Slave);
        let agent = host.spawn_in(ns, "agent", &["agent"]);
        device_error(&mut host, &web);
        let report = ask(&host.bundle(), "web");
        let expected: &[&str] = if private { &["storage-root-private"] } else { &[] };
        assert_eq!(causes(&report), expected, "{}", report.verdict.summary);
        if private {
            let found = holder(&report, "storage-root-private");
            assert_eq!(found.pids, [agent]);
            assert!(found.cause.as_ref().is_some_and(|c| c.summary.contains("/var/lib/docker/devicemapper")));
            // It is a slave already: to make it one helps nobody.
            assert!(!advice(found).contains("propagation slave"), "{}", advice(found));
            assert!(advice(found).contains("Upgrade docker to 18.03"));
        }
    }
    // A namespace that follows the host in nothing is its own cause; the directory only let it come to that.
    let (mut host, web) = host_with(MODERN, Driver::DeviceMapper, "17.05.0-ce");
    let ns = host.mounts.copy_with(host.ns, Propagation::Private);
    host.spawn_in(ns, "agent", &["agent"]);
    device_error(&mut host, &web);
    let report = ask(&host.bundle(), "web");
    assert_eq!(causes(&report), ["unshared-copy"]);
    assert!(report.holders[0].more_causes.iter().any(|c| c.id == "storage-root-private"));
}

#[test]
fn a_daemon_in_the_hosts_namespace_on_an_old_kernel() {
    let conditions = |kernel: &str, docker: &str, apart: bool| {
        let mut host = Host::new("web1", kernel);
        let ns = if apart { host.mounts.copy_with(host.ns, Propagation::Shared) } else { host.ns };
        host.docker_in(Driver::Overlay2, docker, ns);
        let web = host.run(&Run::new("web", "nginx"));
        let copy = host.mounts.copy_with(ns, Propagation::Private);
        host.spawn_in(copy, "agent", &["agent"]);
        host.stop(&web);
        directory_error(&mut host, &web);
        let report = ask(&host.bundle(), "web");
        let ids = report.holders[0].more_causes.iter().map(|c| c.id.clone()).collect::<Vec<_>>();
        (ids, advice(&report.holders[0]))
    };
    let (ids, typed) = conditions(OLD, "17.05.0-ce", false);
    assert_eq!(ids, ["old-kernel", "daemon-shares-host-namespace", "storage-root-private"]);
    assert!(typed.contains("MountFlags=slave") && typed.contains("systemctl daemon-reload"), "{typed}");
    for (kernel, docker, apart) in
        [(MODERN, "17.05.0-ce", false), (OLD, "17.05.0-ce", true), (OLD, "1.11.2", false)]
    {
        let (ids, _) = conditions(kernel, docker, apart);
        assert!(
            !ids.contains(&"daemon-shares-host-namespace".to_owned()),
            "{kernel} {docker} {apart}: {ids:?}"
        );
    }
}

#[test]
fn a_pinned_network_namespace_that_a_container_has_too() {
    let mut host = Host::new("web1", OLD);
    host.docker_overlay2("18.09.1");
    let net = host.new_inode();
    let nsfs = Fs::new((0, 4), "nsfs", "nsfs", "rw");
    let tmpfs = host.tmpfs("tmpfs", "rw");
    host.mounts.mount(host.ns, "/run/netns", &tmpfs);
    host.mounts.mount_root(host.ns, "/run/netns/blue", &nsfs, &format!("net:[{net}]"));
    let busy = "Cannot remove namespace file \"/run/netns/blue\": Device or resource busy";
    host.log_line("cni", 900, busy);
    let report = ask(&host.bundle(), "/run/netns/blue");
    assert_eq!(causes(&report), ["namespace-file-pinned"]);
    assert_eq!(commands(&report.holders[0]), "umount /run/netns/blue\nrm /run/netns/blue");

    let agent = host.run(&Run::new("agent", "monitor").volume("/run", "/host/run"));
    // Its own view of another namespace's file keeps nothing of this one.
    let other = host.run(&Run::new("other", "monitor"));
    host.mounts.mount_root(other.ns, "/run/netns/blue", &nsfs, "net:[4026539999]");
    host.mounts.umount(host.ns, "/run/netns/blue");
    let report = ask(&host.bundle(), "/run/netns/blue");
    let blocking: Vec<_> = report.holders.iter().filter(|h| h.pids.contains(&agent.pid)).collect();
    assert_eq!(blocking[0].cause.as_ref().map(|c| c.id.as_str()), Some("namespace-file-copied"));
    assert!(commands(blocking[0]).contains("docker restart agent"));
}

#[test]
fn volumes_of_pods_in_foreign_namespaces_and_of_pods_that_are_gone() {
    const POD: &str = "0a1b2c3d-1111-2222-3333-444455556666";
    let point = format!("/var/lib/kubelet/pods/{POD}/volumes/kubernetes.io~csi/pvc-1/mount");
    let rbd = Fs::new((252, 16), "ext4", "/dev/rbd1", "rw");
    let with_agent = |unmounted: bool, alive: bool| {
        let mut host = Host::new("node1", "5.15.0-91-generic");
        host.docker_overlay2("20.10.24");
        host.block_device("rbd1", Block { device: (252, 16), ..Block::default() });
        host.mounts.mount(host.ns, &point, &rbd);
        let agent = host.run(&Run::new("agent", "monitor").volume("/", "/rootfs"));
        if unmounted {
            host.mounts.umount(host.ns, &point);
        } else {
            // Only the kubelet's own mount is left.
            host.mounts.umount(agent.ns, &format!("/rootfs{point}"));
        }
        if alive {
            let group = format!("/kubepods/besteffort/pod{}/{}", POD.replace('-', "_"), hex64("app"));
            host.spawn_as(1, host.ns, "app", &["app"], &group);
        }
        host.log_line(
            "kubelet",
            900,
            "rbd: sysfs write failed: rbd: unmap failed: (16) Device or resource busy",
        );
        (ask(&host.bundle(), "/dev/rbd1"), agent)
    };
    let (report, agent) = with_agent(true, false);
    let found = holder(&report, "volume-in-foreign-namespace");
    assert_eq!(found.pids, [agent.pid]);
    let typed = commands(found);
    assert!(typed.contains("docker restart agent") && typed.contains("rbd unmap /dev/rbd1"), "{typed}");
    assert!(advice(found).contains("HostToContainer"));

    let (report, _) = with_agent(false, false);
    let found = holder(&report, "orphaned-pod-volume");
    assert_eq!(
        commands(found).lines().take(2).collect::<Vec<_>>(),
        [format!("umount '{point}'"), format!("rmdir '{point}'")]
    );
    // The pod lives: its volume is where it belongs.
    let (report, _) = with_agent(false, true);
    assert!(!all_causes(&report).contains(&"orphaned-pod-volume"), "{:?}", all_causes(&report));
}

#[test]
fn volumes_that_docker_cp_left_in_the_root_file_system() {
    for left in [true, false] {
        let (mut host, web) = host_with(MODERN, Driver::Overlay2, "18.09.1");
        host.kill(web.pid);
        host.kill(web.shim);
        if left {
            host.mounts.bind(host.ns, "/srv", &format!("{}/data", web.rootfs), false);
        }
        directory_error(&mut host, &web);
        let report = ask(&host.bundle(), "web");
        let expected = if left { "archive-mounts" } else { "leftover-mount" };
        assert_eq!(causes(&report), [expected]);
        if left {
            let typed = commands(&report.holders[0]);
            let lines: Vec<&str> = typed.lines().collect();
            assert_eq!(lines[..2], [format!("umount {}/data", web.rootfs), format!("umount {}", web.rootfs)]);
        }
    }
}

#[test]
fn a_plugin_that_is_being_removed_and_a_directory_called_plugins() {
    let plugin = hex64("plugin");
    for (path, docker, cause) in [
        (format!("/var/lib/docker/plugins/{plugin}-removing/rootfs"), "17.05.0-ce", "plugin-mount"),
        (format!("/var/lib/docker/plugins/{plugin}/propagated-mount"), "20.10.24", "plugin-mount"),
        ("/srv/plugins/store/data".to_owned(), "17.05.0-ce", "leftover-mount"),
    ] {
        let mut host = Host::new("web1", MODERN);
        host.docker_overlay2(docker);
        let fs = host.tmpfs("tmpfs", "rw");
        host.mounts.mount(host.ns, &path, &fs);
        host.docker_log(&format!(
            "level=error msg=\"Handler for DELETE /v1.30/plugins/x returned error: remove {path}: device or resource busy\""
        ));
        let report = ask(&host.bundle(), &path);
        assert_eq!(causes(&report), [cause], "{}", report.verdict.summary);
        assert!(commands(&report.holders[0]).contains(&format!("umount {path}")));
        assert_eq!(
            advice(&report.holders[0]).contains("17.09"),
            docker == "17.05.0-ce" && cause == "plugin-mount"
        );
    }
}

#[test]
fn runcs_copy_of_itself_and_a_file_that_is_bound_on_purpose() {
    let id = hex64("runc");
    for (path, cause) in [
        (format!("/run/runc/{id}/runc.a1b2c3"), "runc-self-bind"),
        (format!("/run/runc/{id}/state.json"), "leftover-mount"),
    ] {
        let (mut host, _) = host_with(MODERN, Driver::Overlay2, "20.10.24");
        host.mounts.bind(host.ns, "/usr/sbin/runc", &path, false);
        host.log_line("runc", 900, &format!("unable to remove {path}: device or resource busy"));
        let report = ask(&host.bundle(), &path);
        assert_eq!(causes(&report), [cause], "{}", report.verdict.summary);
        assert!(commands(&report.holders[0]).contains(&format!("umount {path}")));
    }
}

#[test]
fn a_file_that_is_a_mount_point_on_purpose() {
    let (mut host, _) = host_with(MODERN, Driver::Overlay2, "20.10.24");
    host.mounts.bind(host.ns, "/run/resolv.conf", "/etc/resolv.conf", false);
    host.log_line(
        "dhclient-script",
        900,
        "mv: cannot move '/etc/resolv.conf.new' to '/etc/resolv.conf': Device or resource busy",
    );
    let report = ask(&host.bundle(), "/etc/resolv.conf");
    let found = holder(&report, "mount-point-on-purpose");
    assert!(advice(found).contains("in place") && !commands(found).contains("umount"), "{}", advice(found));
    assert_eq!(causes(&report), ["mount-point-on-purpose"], "{}", report.verdict.summary);
}

#[test]
fn a_dataset_that_lxds_monitor_has_and_one_that_nobody_has() {
    for held in [true, false] {
        let mut host = Host::new("lxd1", "5.15.0-91-generic");
        let zfs = Fs::new((0, 77), "zfs", "default/containers/web", "rw");
        let point = "/var/snap/lxd/common/lxd/storage-pools/default/containers/web";
        host.mounts.mount(host.ns, point, &zfs);
        if held {
            let ns = host.mounts.copy_with(host.ns, Propagation::Private);
            host.spawn_in(ns, "lxd", &["[lxc monitor] /var/snap/lxd/common/lxd/containers web"]);
        }
        host.mounts.umount(host.ns, point);
        host.log_line(
            "lxd.daemon",
            900,
            "Failed to destroy ZFS dataset: cannot destroy 'default/containers/web': dataset is busy",
        );
        let report = support::ask_default(&host.bundle());
        let expected: &[&str] = if held { &["lxd-namespace"] } else { &[] };
        assert_eq!(causes(&report), expected, "{}", report.verdict.summary);
        assert_eq!(report.verdict.status == Status::Free, !held, "{}", report.verdict.summary);
    }
}

#[test]
fn a_snaps_pinned_namespace_says_how_to_get_into_it() {
    let (mut host, web) = host_with(MODERN, Driver::DeviceMapper, "17.05.0-ce");
    let pinned = host.mounts.copy_with(host.ns, Propagation::Private);
    host.keep(pinned, "bind 1 /run/snapd/ns/lxd.mnt");
    device_error(&mut host, &web);
    let report = ask(&host.bundle(), "web");
    let found = holder(&report, "pinned-namespace");
    let typed = commands(found);
    // The gentle way first: the copy goes, the snap's namespace stays.
    let inside = format!("nsenter --mount=/run/snapd/ns/lxd.mnt -- umount {}", web.rootfs);
    assert!(
        typed.find(&inside)
            < typed.find("umount /run/snapd/ns/lxd.mnt\n").or(typed.rfind("umount /run/snapd")),
        "{typed}"
    );
    assert!(typed.contains(&inside), "{typed}");
}
