//! What is busy × which kernel × who holds it: the verdict, the holders, their effect.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

mod support;

use ebusy_analyzer::report::{BusyKind, Effect, HolderKind, Report, Status, When};
use ebusy_tests::demo;
use ebusy_tests::synth::{Container, Driver, Host, Link, Propagation, Run, Sandbox, Service};
use support::{ask, blocking_pids, commands, pids, with_effect};

/// RHEL 7 before `fs.may_detach_mounts`, with it off and on, and kernels that always drop foreign mounts.
const KERNELS: [(&str, Option<u8>, bool); 6] = [
    ("3.10.0-514.el7.x86_64", None, false),
    ("3.10.0-1160.el7.x86_64", Some(0), false),
    ("3.10.0-1160.el7.x86_64", Some(1), true),
    ("3.16.0-11-amd64", None, false),
    ("4.18.0-513.el8.x86_64", None, true),
    ("6.1.0-50-amd64", None, true),
];

fn host(kernel: &str, may_detach_mounts: Option<u8>) -> Host {
    let mut host = Host::new("web1", kernel);
    host.may_detach_mounts = may_detach_mounts;
    host.service("systemd-udevd.service", &["/usr/lib/systemd/systemd-udevd"], 1, Sandbox::MountFlagsSlave);
    host
}

/// A container that cannot be removed because its device is busy.
fn device_error(host: &mut Host, container: &Container) {
    host.docker_log(&container.device_is_busy());
    host.set_state(container, "dead");
}

/// A container that cannot be removed because its mount point is busy.
fn directory_error(host: &mut Host, container: &Container) {
    let Container { id, rootfs, .. } = container;
    let text = format!(
        "level=error msg=\"Handler for DELETE /v1.35/containers/{id} returned error: container {id}: driver \
         \\\"overlay2\\\" failed to remove root filesystem: remove {rootfs}: device or resource busy\""
    );
    host.docker_log(&text);
    host.set_state(container, "dead");
}

/// httpd with PrivateTmp is started while the container runs; the container is then removed.
fn httpd_has_a_copy(mut host: Host, driver: Driver) -> (Host, Container, Service) {
    let ns = host.ns;
    host.docker_in(driver, "17.05.0-ce", ns);
    host.run(&Run::new("cache", "redis:3.2"));
    let web = host.run(&Run::new("web", "nginx:1.13"));
    host.wait(100);
    let httpd = host.service("httpd.service", &["/usr/sbin/httpd", "-DFOREGROUND"], 3, Sandbox::PrivateTmp);
    host.wait(100);
    host.stop(&web);
    match driver {
        Driver::DeviceMapper => device_error(&mut host, &web),
        Driver::Overlay2 => directory_error(&mut host, &web),
    }
    (host, web, httpd)
}

#[track_caller]
fn assert_held_by(report: &Report, pids: &[u32]) {
    assert_eq!(report.verdict.status, Status::Held, "{}", report.verdict.summary);
    assert_eq!(blocking_pids(report), pids, "{}", report.verdict.summary);
}

#[test]
fn a_foreign_copy_of_a_device_blocks_on_every_kernel() {
    for (kernel, detach, _) in KERNELS {
        let (host, web, httpd) = httpd_has_a_copy(host(kernel, detach), Driver::DeviceMapper);
        let report = ask(&host.bundle(), &web.id);
        assert_held_by(&report, &httpd.pids);
        assert_eq!(report.target.busy, BusyKind::Device, "{kernel}");
        let holder = with_effect(&report, Effect::Blocking)[0];
        assert_eq!(holder.mount_namespace, Some(host.inode_of(httpd.ns)), "{kernel}");
        assert_eq!(holder.unit.as_deref(), Some("httpd.service"));
        assert_eq!(holder.kind, HolderKind::SystemdUnit);
    }
}

#[test]
fn a_foreign_copy_of_a_directory_blocks_only_where_the_kernel_cannot_drop_it() {
    for (kernel, detach, drops) in KERNELS {
        let (host, web, httpd) = httpd_has_a_copy(host(kernel, detach), Driver::Overlay2);
        let report = ask(&host.bundle(), &web.id);
        assert_eq!(report.host.drops_foreign_mounts, Some(drops), "{kernel} {detach:?}");
        assert_eq!(report.target.busy, BusyKind::Directory, "{kernel}");
        let effect = if drops { Effect::Holding } else { Effect::Blocking };
        assert_eq!(pids(&report, effect), httpd.pids, "{kernel} {detach:?}: {}", report.verdict.summary);
        assert_eq!(
            report.verdict.status == Status::Held,
            !drops,
            "{kernel} {detach:?}: {}",
            report.verdict.summary
        );
    }
}

#[test]
fn the_kernel_that_cannot_be_known_is_said_so() {
    let (mut host, web, httpd) = httpd_has_a_copy(host("3.10.0-1160.el7.x86_64", Some(1)), Driver::Overlay2);
    // A bundle of somebody who copied only part of /proc.
    host.kernel.clear();
    host.files.insert("proc/version".into(), Vec::new());
    host.files.insert("proc/sys/kernel/osrelease".into(), Vec::new());
    host.may_detach_mounts = None;
    let report = ask(&host.bundle(), &web.id);
    assert_eq!(report.host.drops_foreign_mounts, None);
    let all: Vec<u32> = report.holders.iter().flat_map(|holder| holder.pids.clone()).collect();
    assert_eq!(all, httpd.pids, "the copy is shown, whatever its effect");
    assert_ne!(report.verdict.status, Status::Free, "{}", report.verdict.summary);
}

#[test]
fn a_mount_in_the_daemons_own_namespace_blocks_on_every_kernel() {
    for (kernel, detach, _) in KERNELS {
        let mut host = host(kernel, detach);
        host.docker_overlay2("17.05.0-ce");
        let web = host.run(&Run::new("web", "nginx:1.13"));
        host.kill(web.pid);
        host.kill(web.shim);
        directory_error(&mut host, &web);
        let report = ask(&host.bundle(), &web.id);
        assert_eq!(report.verdict.status, Status::Held, "{kernel}: {}", report.verdict.summary);
        let blocking = with_effect(&report, Effect::Blocking);
        assert_eq!(blocking.len(), 1, "{kernel}: {}", report.verdict.summary);
        assert_eq!(blocking[0].mount_namespace, Some(host.inode_of(host.ns)));
        assert!(matches!(blocking[0].kind, HolderKind::Host | HolderKind::Daemon), "{:?}", blocking[0].kind);
    }
}

#[test]
fn private_tmp_is_the_cause_and_the_remedies_name_the_unit_and_the_mount() {
    let (host, web, httpd) = httpd_has_a_copy(host("3.10.0-514.el7.x86_64", None), Driver::DeviceMapper);
    let report = ask(&host.bundle(), "web");
    let holder = with_effect(&report, Effect::Blocking)[0];
    let cause = holder.cause.as_ref().expect("the marks of PrivateTmp are there");
    assert!(cause.id.contains("systemd"), "{}", cause.id);
    assert!(cause.summary.contains("httpd.service"), "{}", cause.summary);
    let commands = commands(holder);
    assert!(commands.contains("systemctl restart httpd.service"), "{commands}");
    assert!(commands.contains(&format!("nsenter -t {} -m", httpd.pids[0])), "{commands}");
    assert!(commands.contains(&web.rootfs), "{commands}");
    assert!(holder.remedies.iter().any(|remedy| remedy.when == When::Lasting), "{commands}");
    assert!(!holder.evidence.is_empty() || !holder.mounts.is_empty());
}

#[test]
fn a_service_started_before_the_container_is_not_blamed() {
    let mut host = host("3.10.0-514.el7.x86_64", None);
    host.service("ntpd.service", &["/usr/sbin/ntpd", "-u", "ntp:ntp"], 1, Sandbox::PrivateTmp);
    let (host, web, httpd) = httpd_has_a_copy(host, Driver::DeviceMapper);
    assert_held_by(&ask(&host.bundle(), &web.id), &httpd.pids);
}

#[test]
fn a_monitoring_container_with_the_root_bound_holds_it_and_one_with_rslave_does_not() {
    let mut host = host("3.10.0-514.el7.x86_64", None);
    // Not private: umounts reach slaves. What the storage driver makes private is another test's matter.
    host.docker_overlay2("18.09.1");
    let web = host.run(&Run::new("web", "nginx:1.13"));
    let cadvisor = host.run(&Run::new("cadvisor", "google/cadvisor:v0.25.0").volume("/", "/rootfs"));
    host.run(&Run::new("node-exporter", "prom/node-exporter").slave_volume("/", "/host"));
    host.stop(&web);
    directory_error(&mut host, &web);
    let report = ask(&host.bundle(), &web.id);
    assert_held_by(&report, &[cadvisor.pid]);
    let holder = with_effect(&report, Effect::Blocking)[0];
    assert_eq!(holder.kind, HolderKind::Container);
    let container = holder.container.as_ref().expect("the cgroup names the container");
    assert_eq!((container.id.as_str(), container.name.as_deref()), (cadvisor.id.as_str(), Some("cadvisor")));
    assert_eq!(holder.mounts[0].mount_point, format!("/rootfs{}", web.rootfs));
    assert!(holder.cause.is_some());
    let all = holder.remedies.iter().map(|r| format!("{} {}", r.command, r.effect)).collect::<String>();
    assert!(all.contains("docker restart") && all.contains("cadvisor") && all.contains("rslave"), "{all}");
}

#[test]
fn a_shm_that_a_log_shipper_has_is_found_by_its_path() {
    let mut host = host("3.10.0-514.el7.x86_64", None);
    host.docker_devicemapper("17.05.0-ce");
    let report_job = host.run(&Run::new("report", "acme/report:41"));
    let containers = "/var/lib/docker/containers";
    let shipper = host.run(&Run::new("shipper", "fluentd").volume(containers, containers));
    host.stop(&report_job);
    host.release_layer(&report_job);
    let id = &report_job.id;
    host.docker_log(&format!(
        "level=error msg=\"Handler for DELETE /v1.29/containers/{id} returned error: unable to remove filesystem for \
         {id}: remove {containers}/{id}/shm: device or resource busy\""
    ));
    let bundle = host.bundle();
    let report = ask(&bundle, id);
    assert_held_by(&report, &[shipper.pid]);
    assert_eq!(report.target.busy, BusyKind::Directory);
    let mounts = &with_effect(&report, Effect::Blocking)[0].mounts;
    assert!(mounts.iter().any(|mount| mount.mount_point.ends_with("/shm")), "{mounts:?}");
    assert_eq!(support::ask_default(&bundle).target.container_id.as_ref(), Some(id));
}

#[test]
fn a_daemon_in_a_namespace_of_its_own_is_told_from_the_host() {
    let mut host = host("6.1.0-50-amd64", None);
    let ns = host.mounts.copy_with(host.ns, Propagation::Private);
    host.docker_in(Driver::Overlay2, "17.05.0-ce", ns);
    let web = host.run(&Run::new("web", "nginx:1.13"));
    host.kill(web.pid);
    host.kill(web.shim);
    directory_error(&mut host, &web);
    let report = ask(&host.bundle(), &web.id);
    assert_eq!(report.verdict.status, Status::Held, "{}", report.verdict.summary);
    let blocking = with_effect(&report, Effect::Blocking);
    assert_eq!(blocking.len(), 1);
    assert_eq!(blocking[0].kind, HolderKind::Daemon, "its own namespace is what counts for its rmdir");
    assert_eq!(blocking[0].mount_namespace, Some(host.inode_of(ns)));
}

#[test]
fn a_working_directory_and_an_open_file_hold_a_device_after_a_lazy_umount() {
    let mut host = host("6.1.0-50-amd64", None);
    host.docker_devicemapper("17.05.0-ce");
    let web = host.run(&Run::new("web", "nginx:1.13"));
    let mount = host.mounts.at(host.ns, &web.rootfs).expect("it is mounted").id;
    let shell = host.spawn("bash", &["/bin/bash"]);
    let tail = host.spawn("tail", &["tail", "-f", "log"]);
    host.spawn("vim", &["vim"]);
    // The path has lost its prefix; device and mount id are all that is left.
    let left = |name: &str, target: &str, kind| Link {
        name: name.into(),
        target: target.into(),
        device: web.device,
        inode: 12,
        mount: Some(mount),
        kind,
        node: None,
    };
    host.set_link(shell, left("cwd", "/rootfs/srv", "dir"));
    host.set_link(tail, left("fd/3", "/rootfs/var/log/log", "reg"));
    host.stop(&web);
    device_error(&mut host, &web);
    let report = ask(&host.bundle(), &web.id);
    assert_held_by(&report, &[shell, tail]);
    let mut references: Vec<(u32, String)> = with_effect(&report, Effect::Blocking)
        .iter()
        .flat_map(|holder| &holder.open_files)
        .map(|file| (file.pid, file.reference.clone()))
        .collect();
    references.sort();
    assert_eq!(references, [(shell, "cwd".to_owned()), (tail, "fd/3".to_owned())]);
}

#[test]
fn a_process_that_entered_the_containers_namespace_is_found_by_the_device() {
    let mut host = host("6.1.0-50-amd64", None);
    host.docker_devicemapper("17.05.0-ce");
    let web = host.run(&Run::new("web", "nginx:1.13"));
    // `nsenter -t PID -m`: the root file system is at `/`, so no path has the layer id.
    let debugger = host.spawn_in(web.ns, "gdb", &["gdb"]);
    host.stop(&web);
    device_error(&mut host, &web);
    assert_held_by(&ask(&host.bundle(), "web"), &[debugger]);
}

#[test]
fn a_namespace_without_a_process_is_found_and_no_process_is_blamed() {
    let mut host = host("6.1.0-50-amd64", None);
    host.docker_devicemapper("17.05.0-ce");
    let web = host.run(&Run::new("web", "nginx:1.13"));
    let pinned = host.mounts.copy_with(host.ns, Propagation::Private);
    host.keep(pinned, "bind 1 /run/namespaces/old");
    host.stop(&web);
    device_error(&mut host, &web);
    let report = ask(&host.bundle(), &web.id);
    assert_held_by(&report, &[]);
    let holder = with_effect(&report, Effect::Blocking)[0];
    assert_eq!(holder.kind, HolderKind::Pinned);
    let entries = host.entries();
    let table = entries.iter().find(|entry| entry.path.starts_with("ns/mnt-")).expect("it was written");
    let inode = holder.mount_namespace.expect("a pinned namespace is known by its inode");
    assert!(table.path.contains(&inode.to_string()));
    assert!(commands(holder).contains("/run/namespaces/old"), "{}", commands(holder));
}

#[test]
fn where_nothing_holds_it_the_report_says_what_was_looked_at_and_what_to_do() {
    let (mut host, web, httpd) = httpd_has_a_copy(host("3.10.0-514.el7.x86_64", None), Driver::DeviceMapper);
    host.stop_service(&httpd);
    let report = ask(&host.bundle(), &web.id);
    assert_eq!(report.verdict.status, Status::Free, "{}", report.verdict.summary);
    assert_eq!(blocking_pids(&report), [0; 0]);
    assert!(!report.looked_at.is_empty() && !report.next_steps.is_empty());
    assert!(report.target.found);
}

#[test]
fn running_containers_shims_and_the_daemon_are_not_blamed() {
    let (host, web, httpd) = httpd_has_a_copy(host("3.10.0-514.el7.x86_64", None), Driver::DeviceMapper);
    let report = ask(&host.bundle(), &web.id);
    let blamed: Vec<u32> = report
        .holders
        .iter()
        .filter(|holder| holder.effect != Effect::Unrelated)
        .flat_map(|holder| holder.pids.clone())
        .collect();
    assert_eq!(blamed, httpd.pids);
}

#[test]
fn two_holders_are_both_named_and_the_picture_has_host_and_both() {
    let host = demo::host();
    let report = support::ask_default(&host.bundle());
    assert_eq!(report.target.name.as_deref(), Some("shop-frontend"), "the latest error comes first");
    let wanted: Vec<u32> = host
        .processes
        .values()
        .filter(|p| ["httpd", "cadvisor"].contains(&p.comm.as_str()))
        .map(|p| p.pid)
        .collect();
    assert_held_by(&report, &wanted);
    let labels: Vec<&str> = report.namespaces.iter().map(|view| view.label.as_str()).collect();
    for label in ["httpd.service", "cadvisor"] {
        assert!(labels.iter().any(|l| l.contains(label)), "{labels:?}");
    }
    assert!(!report.propagation.is_empty());
}

#[test]
fn a_mount_that_outlived_a_chroot_is_still_the_same_mount() {
    let mut host = host("6.1.0-50-amd64", None);
    host.docker_devicemapper("17.05.0-ce");
    let web = host.run(&Run::new("web", "nginx:1.13"));
    let jail = host.mounts.copy_with(host.ns, Propagation::Private);
    let named = host.spawn_in(jail, "named", &["/usr/sbin/named", "-t", "/var/lib/docker"]);
    host.chroot(named, "/var/lib/docker");
    host.stop(&web);
    device_error(&mut host, &web);
    let report = ask(&host.bundle(), &web.id);
    assert_held_by(&report, &[named]);
}

#[test]
fn a_pasted_line_of_one_process_makes_nobody_the_host() {
    let (host, web, httpd) = httpd_has_a_copy(host("6.1.0-50-amd64", None), Driver::DeviceMapper);
    let pid = httpd.pids[0];
    let table = host.mounts.mountinfo(httpd.ns, "/");
    let line = table.lines().find(|line| line.contains(&web.layer)).expect("it has the mount");
    let paste = format!("/proc/{pid}/mountinfo:{line}\n");
    let report = ask(paste.as_bytes(), &web.layer);
    assert_held_by(&report, &[pid]);
    let holder = with_effect(&report, Effect::Blocking)[0];
    assert_ne!(
        holder.kind,
        HolderKind::Host,
        "one line of one process does not tell whose namespace the host's is"
    );
    assert!(holder.cause.is_none(), "nor who made its namespace: {:?}", holder.cause);
}

#[test]
fn files_on_an_overlay_over_several_file_systems_are_told_by_their_mount() {
    let mut host = host("6.1.0-50-amd64", None);
    host.docker_overlay2("20.10.24");
    let web = host.run(&Run::new("web", "nginx:1.13"));
    host.kill(web.pid);
    host.kill(web.shim);
    let mount = host.mounts.at(host.ns, &web.rootfs).expect("it is mounted").id;
    let open = |host: &mut Host, mount| {
        let tail = host.spawn("tail", &["tail"]);
        // Not the overlay's own number: the layer's is behind it.
        let link = Link {
            name: "fd/3".into(),
            target: format!("{}/var/log/x", web.rootfs),
            device: (0, 230),
            inode: 12,
            mount: Some(mount),
            kind: "reg",
            node: None,
        };
        host.set_link(tail, link);
        tail
    };
    let tail = open(&mut host, mount);
    open(&mut host, 15);
    directory_error(&mut host, &web);
    let report = ask(&host.bundle(), "web");
    assert_eq!(blocking_pids(&report), [tail], "{}", report.verdict.summary);
}

#[test]
fn a_dataset_is_not_called_free_while_something_is_open_on_a_mount_that_no_table_shows() {
    let error = "Failed to destroy ZFS dataset: cannot destroy 'tank/docker/web': dataset is busy";
    let verdict = |path: Option<&str>| {
        let mut host = host("6.1.0-50-amd64", None);
        host.log_line("dockerd", 900, error);
        if let Some(path) = path {
            let tail = host.spawn("tail", &["tail"]);
            let (device, mount) = ((0, 99), Some(999_999));
            let link = Link {
                name: "fd/3".into(),
                target: path.into(),
                device,
                inode: 12,
                mount,
                kind: "reg",
                node: None,
            };
            host.set_link(tail, link);
        }
        let report = support::ask_default(&host.bundle());
        assert_eq!(report.target.busy, BusyKind::Dataset);
        report.verdict
    };
    let free = verdict(None);
    assert_eq!(free.status, Status::Free, "{}", free.summary);
    assert_eq!(verdict(Some("/memfd:x (deleted)")).status, Status::Free, "memory is no file system");
    let doubt = verdict(Some("/log/x"));
    assert_eq!(doubt.status, Status::Unknown);
    assert!(doubt.summary.contains("tail has /log/x open"), "{}", doubt.summary);
}

/// dockerd tells of one failure by the container's id and by its layer's; only together with what the bundle knows of
/// the container these are one thing.
#[test]
fn an_error_that_names_only_a_layer_is_its_containers() {
    let errors = support::open(&demo::bundle()).expect("the demo opens").overview().errors;
    let named: Vec<Option<&str>> = errors.iter().map(|error| error.name.as_deref()).collect();
    assert_eq!(named, [Some("shop-frontend"), Some("nightly-report")], "{errors:#?}");
    let lines: Vec<&str> = errors[0].all().map(|error| error.line.as_str()).collect();
    assert!(
        lines.iter().any(|line| line.contains("Error unmounting device")),
        "its evidence is kept: {lines:#?}"
    );

    let mut host = Host::new("web1", "3.10.0-514.el7.x86_64");
    host.docker_devicemapper("17.05.0-ce");
    let web = host.run(&Run::new("web", "nginx:1.13"));
    host.docker_log(&format!(
        "level=error msg=\"devmapper: Error unmounting device {}: Device is Busy\"",
        web.layer
    ));
    let errors = support::open(&host.bundle()).expect("it opens").overview().errors;
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].container_id.as_deref(), Some(web.id.as_str()));
    assert_eq!(errors[0].name.as_deref(), Some("web"));
}
