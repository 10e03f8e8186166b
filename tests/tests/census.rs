//! The census: what lives on where it no longer belongs, without any error.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

mod support;

use ebusy_analyzer::census::{Census, Leftover, LeftoverKind, text};
use ebusy_analyzer::report::{Effect, HolderKind};
use ebusy_tests::demo;
use ebusy_tests::harness::{TempDir, need_path, output};
use ebusy_tests::synth::{Driver, Fs, Host, Propagation, Run, Sandbox, hex64};
use std::process::Command;

fn host(kernel: &str) -> Host {
    let mut host = Host::new("web1", kernel);
    host.service("systemd-udevd.service", &["/usr/lib/systemd/systemd-udevd"], 1, Sandbox::MountFlagsSlave);
    host
}

fn census(host: &Host) -> Census {
    support::open(&host.bundle()).expect("a good bundle opens").census()
}

fn leftovers(census: &Census) -> Vec<&Leftover> {
    census.groups.iter().flat_map(|g| &g.leftovers).collect()
}

fn labels(census: &Census) -> Vec<&str> {
    census.groups.iter().map(|g| g.label.as_str()).collect()
}

#[track_caller]
fn assert_innocent(host: &Host) {
    let census = census(host);
    let found: Vec<String> = leftovers(&census)
        .iter()
        .map(|l| format!("{:?} {:?}", l.why, l.mount.as_ref().map(|m| &m.mount_point)))
        .collect();
    assert!(census.groups.is_empty(), "{:?}: {found:#?}", labels(&census));
    assert!(census.summary.starts_with("Nothing is left over"), "{}", census.summary);
    assert!(!census.looked_at.is_empty());
}

#[test]
fn hosts_whose_containers_run_and_end_as_they_should_have_nothing_left_over() {
    for (driver, version) in [
        (Driver::DeviceMapper, "17.05.0-ce"),
        (Driver::Overlay2, "17.05.0-ce"),
        (Driver::DeviceMapper, "20.10.24"),
        (Driver::Overlay2, "20.10.24"),
    ] {
        let mut host = host("3.10.0-514.el7.x86_64");
        let ns = host.ns;
        host.service("early.service", &["/usr/sbin/early"], 2, Sandbox::PrivateTmp);
        host.docker_in(driver, version, ns);
        host.run(&Run::new("cache", "redis:3.2").slave_volume("/run", "/run"));
        let web = host.run(&Run::new("web", "nginx:1.13"));
        let other = host.run(&Run::new("batch", "report:1"));
        host.exec(&web, &["/bin/sh"]);
        host.wait(60);
        host.stop(&other);
        assert_innocent(&host);
    }
}

#[test]
fn a_daemon_in_its_own_namespace_and_what_it_mounts_there_are_innocent() {
    let mut host = host("3.10.0-514.el7.x86_64");
    let ns = host.mounts.copy_with(host.ns, Propagation::Slave);
    host.docker_in(Driver::DeviceMapper, "1.12.6", ns);
    host.run(&Run::new("web", "nginx:1.13"));
    assert_innocent(&host);
}

#[test]
fn a_private_copy_of_a_running_container_is_tomorrows_error() {
    let mut host = host("3.10.0-514.el7.x86_64");
    host.docker_devicemapper("17.05.0-ce");
    let web = host.run(&Run::new("web", "nginx:1.13"));
    host.wait(10);
    let httpd = host.service("httpd.service", &["/usr/sbin/httpd"], 3, Sandbox::PrivateTmp);
    let census = census(&host);
    assert_eq!(labels(&census), ["httpd.service"]);
    let group = &census.groups[0];
    assert_eq!((group.kind, group.unit.as_deref()), (HolderKind::SystemdUnit, Some("httpd.service")));
    assert_eq!((group.pids.clone(), group.blocking), (httpd.pids, 1));
    assert_eq!(group.mount_namespaces, [host.inode_of(httpd.ns)]);
    // The shm is below a shared mount, whose umount reaches httpd: only the device counts.
    let [leftover] = &group.leftovers[..] else { panic!("{:#?}", group.leftovers) };
    assert_eq!((leftover.kind, leftover.effect), (LeftoverKind::ThinDevice, Effect::Blocking));
    assert_eq!(
        leftover.container.as_ref().map(|c| (c.id.as_str(), c.name.as_deref())),
        Some((&*web.id, Some("web")))
    );
    assert_eq!(leftover.container_state.as_deref(), Some("running"));
    let device = leftover.device.as_ref().expect("it pins a device");
    assert_eq!(device.number, format!("{}:{}", web.device.0, web.device.1));
    assert_eq!(
        device.name.as_deref(),
        web.device_name.as_ref().map(|n| format!("/dev/mapper/{n}")).as_deref()
    );
    assert_eq!((device.size_bytes, group.pinned_bytes), (Some(10 << 30), Some(10 << 30)));
    assert!(leftover.evidence[0].line.is_some() && leftover.evidence[0].file.ends_with("/mountinfo"));
}

#[test]
fn a_copy_that_the_umount_reaches_is_no_leftover() {
    // Without the private storage directory of old dockers, systemd's copies are slaves of the host.
    let mut host = host("6.1.0-50-amd64");
    host.docker_overlay2("20.10.24");
    let web = host.run(&Run::new("web", "nginx:1.13"));
    let httpd = host.service("httpd.service", &["/usr/sbin/httpd"], 1, Sandbox::PrivateTmp);
    assert!(host.mounts.at(httpd.ns, &web.rootfs).is_some(), "there is a copy");
    assert_innocent(&host);
    let census = census(&host);
    assert!(
        census.looked_at.iter().any(|s| s.contains("copies go with the runtime's own umount")),
        "{:?}",
        census.looked_at
    );
}

#[test]
fn what_is_left_of_an_ended_container_says_so_and_ends_with_its_holder() {
    let mut host = host("3.10.0-514.el7.x86_64");
    host.docker_devicemapper("17.05.0-ce");
    let web = host.run(&Run::new("web", "nginx:1.13"));
    let private = host.mounts.copy_with(host.ns, Propagation::Private);
    let top = host.spawn_in(private, "top", &["top"]);
    host.stop(&web);
    host.set_state(&web, "dead");
    let found = census(&host);
    assert_eq!(found.groups.len(), 1);
    assert_eq!((found.groups[0].kind, &found.groups[0].pids[..]), (HolderKind::Unshared, &[top][..]));
    let kinds: Vec<LeftoverKind> = leftovers(&found).iter().map(|l| l.kind).collect();
    assert_eq!(kinds, [LeftoverKind::ThinDevice, LeftoverKind::Shm]);
    assert!(leftovers(&found).iter().all(|l| l.container_state.as_deref() == Some("dead")));
    // 17.05 forgets the container; the layer database still knows it.
    host.forget(&web);
    assert_eq!(leftovers(&census(&host))[0].container_state.as_deref(), Some("gone"));
    host.kill(top);
    assert_innocent(&host);
}

#[test]
fn the_kernel_decides_what_a_foreign_directory_does_and_docker_what_a_device_does() {
    for (kernel, version, driver, effect) in [
        ("3.10.0-514.el7.x86_64", "17.05.0-ce", Driver::Overlay2, Effect::Blocking),
        ("6.1.0-50-amd64", "17.05.0-ce", Driver::Overlay2, Effect::Holding),
        ("6.1.0-50-amd64", "17.05.0-ce", Driver::DeviceMapper, Effect::Blocking),
        ("6.1.0-50-amd64", "20.10.24", Driver::DeviceMapper, Effect::Holding),
    ] {
        let mut host = host(kernel);
        let ns = host.ns;
        host.docker_in(driver, version, ns);
        host.run(&Run::new("web", "nginx:1.13"));
        let private = host.mounts.copy_with(host.ns, Propagation::Private);
        host.spawn_in(private, "top", &["top"]);
        let census = census(&host);
        let root =
            leftovers(&census).into_iter().find(|l| l.kind != LeftoverKind::Shm).expect("it has the root");
        assert_eq!(root.effect, effect, "{kernel} {version}: {}", root.effect_reason);
    }
}

#[test]
fn a_mount_in_the_daemons_own_namespace_is_a_leftover_once_the_container_ended() {
    let mut host = host("6.1.0-50-amd64");
    host.docker_overlay2("20.10.24");
    let web = host.run(&Run::new("web", "nginx:1.13"));
    assert_innocent(&host);
    host.kill(web.pid);
    host.kill(web.shim);
    host.set_state(&web, "exited");
    let census = census(&host);
    assert_eq!(census.groups[0].kind, HolderKind::Host);
    assert!(
        leftovers(&census)
            .iter()
            .any(|l| l.kind == LeftoverKind::RootFileSystem && l.effect == Effect::Blocking)
    );
}

#[test]
fn a_process_that_entered_an_ended_containers_namespace_is_found_without_any_path() {
    let mut host = host("6.1.0-50-amd64");
    host.docker_devicemapper("17.05.0-ce");
    let web = host.run(&Run::new("web", "nginx:1.13"));
    let gdb = host.spawn_in(web.ns, "gdb", &["gdb"]);
    assert_innocent(&host);
    host.stop(&web);
    let census = census(&host);
    assert_eq!(census.groups[0].pids, [gdb]);
    assert_eq!(leftovers(&census)[0].mount.as_ref().map(|m| m.mount_point.as_str()), Some("/"));
}

#[test]
fn a_namespace_without_a_process_is_at_fault_itself() {
    let mut host = host("6.1.0-50-amd64");
    host.docker_devicemapper("17.05.0-ce");
    let web = host.run(&Run::new("web", "nginx:1.13"));
    let pinned = host.mounts.copy_with(host.ns, Propagation::Private);
    host.keep(pinned, "bind 1 /run/namespaces/old");
    host.stop(&web);
    let census = census(&host);
    assert_eq!((census.groups[0].kind, census.groups[0].pids.len()), (HolderKind::Pinned, 0));
    assert_eq!(census.groups[0].mount_namespaces, [host.inode_of(pinned)]);
}

#[test]
fn a_monitor_with_the_hosts_root_is_one_group_worst_first() {
    let host = demo::host();
    let census = census(&host);
    let blocking: Vec<u32> = census.groups.iter().map(|g| g.blocking).collect();
    assert!(blocking.is_sorted_by(|a, b| a >= b), "{blocking:?}");
    let cadvisor = census.groups.iter().find(|g| g.label.contains("cadvisor")).expect("it holds copies");
    assert_eq!(cadvisor.kind, HolderKind::Container);
    let dead = cadvisor.leftovers.iter().any(|l| {
        l.container.as_ref().and_then(|c| c.name.as_deref()) == Some("shop-frontend")
            && l.container_state.as_deref() == Some("dead")
    });
    assert!(dead, "{:#?}", cadvisor.leftovers);
    assert!(labels(&census).contains(&"httpd.service"), "{:?}", labels(&census));
    for label in labels(&census) {
        assert!(!label.contains("udevd") && !label.contains("redis"), "{label} is innocent");
    }
    // redis runs and cadvisor has a private copy of it: tomorrow's error, not today's.
    assert!(cadvisor.leftovers.iter().any(|l| l.container_state.as_deref() == Some("running")));
}

/// What a bind of a namespace file mounts; its root is the namespace.
fn network() -> Fs {
    Fs::new((0, 4), "nsfs", "nsfs", "rw").options("rw")
}

#[test]
fn a_copied_sandbox_is_a_leftover_and_a_programs_own_network_namespace_is_not() {
    let mut host = host("3.10.0-514.el7.x86_64");
    host.docker_overlay2("17.05.0-ce");
    let web = host.run(&Run::new("web", "nginx:1.13"));
    let net = host.processes[&web.pid].other_ns.iter().find(|(k, _)| k == "net").expect("it has one").1;
    let at = "/run/docker/netns/0a1b2c3d4e5f";
    host.mounts.mount_root(host.ns, at, &network(), &format!("net:[{net}]"));
    host.mounts.mount_root(host.ns, "/run/docker/netns/default", &network(), "net:[4026531956]");
    assert_innocent(&host);
    let private = host.mounts.copy_with(host.ns, Propagation::Private);
    host.mounts.umount(private, &web.rootfs);
    host.mounts.umount(private, &format!("/var/lib/docker/containers/{}/shm", web.id));
    let agent = host.spawn_in(private, "agent", &["/usr/bin/agent"]);
    host.mounts.mount_root(private, "/run/netns/qrouter-1", &network(), "net:[4026539999]");
    host.mounts.umount(host.ns, at);
    host.stop(&web);
    let census = census(&host);
    let [leftover] = leftovers(&census)[..] else { panic!("{:#?}", leftovers(&census)) };
    assert_eq!(
        (leftover.kind, leftover.object.as_str()),
        (LeftoverKind::NetworkNamespace, &*format!("net:[{net}]"))
    );
    assert_eq!(leftover.effect, Effect::Blocking, "this kernel keeps the file from being removed");
    assert_eq!(census.groups[0].pids, [agent]);
}

#[test]
fn network_namespaces_that_only_a_file_keeps_hold_but_block_nothing() {
    let mut host = host("6.1.0-50-amd64");
    host.docker_overlay2("20.10.24");
    let web = host.run(&Run::new("web", "nginx:1.13"));
    let net = host.processes[&web.pid].other_ns.iter().find(|(k, _)| k == "net").expect("it has one").1;
    host.mounts.mount_root(host.ns, "/run/netns/used", &network(), &format!("net:[{net}]"));
    host.mounts.mount_root(host.ns, "/run/netns/host", &network(), "net:[4026531956]");
    assert_innocent(&host);
    host.mounts.mount_root(host.ns, "/run/netns/blue", &network(), "net:[4026539999]");
    let census = census(&host);
    let [leftover] = leftovers(&census)[..] else { panic!("{:#?}", leftovers(&census)) };
    assert_eq!((leftover.object.as_str(), leftover.effect), ("net:[4026539999]", Effect::Holding));
    assert!(leftover.why.contains("ip netns"), "{}", leftover.why);
    // A virtual machine lives in one without a process of the host's.
    let vm = host.spawn("qemu-system-x86", &["/usr/bin/qemu-system-x86_64"]);
    assert_innocent(&host);
    host.kill(vm);
}

#[test]
fn volumes_of_pods_that_are_gone_are_left_over() {
    const POD: &str = "0a1b2c3d-1111-2222-3333-444455556666";
    let mut host = host("5.15.0-91-generic");
    host.docker_overlay2("20.10.24");
    let group = format!("/kubepods/besteffort/pod{POD}/{}", hex64("app"));
    let app = host.spawn_as(1, host.ns, "app", &["app"], &group);
    let secret = host.tmpfs("tmpfs", "rw");
    let point = format!("/var/lib/kubelet/pods/{POD}/volumes/kubernetes.io~secret/token");
    host.mounts.mount(host.ns, &point, &secret);
    assert_innocent(&host);
    host.kill(app);
    let census = census(&host);
    let [leftover] = leftovers(&census)[..] else { panic!("{:#?}", leftovers(&census)) };
    assert_eq!((leftover.kind, leftover.object.as_str()), (LeftoverKind::PodVolume, POD));
    assert_eq!(leftover.effect, Effect::Blocking);
    assert!(leftover.why.contains("orphaned"), "{}", leftover.why);
}

#[test]
fn markdown_cannot_be_broken_out_of() {
    let mut host = demo::host();
    let hostile = "x`<img src=x onerror=alert(1)>|@all";
    for process in host.processes.values_mut().filter(|p| p.comm == "httpd") {
        process.args = vec![hostile.into()];
    }
    let shown = ebusy_analyzer::census::markdown::render(&census(&host));
    assert!(shown.starts_with("### ") && shown.contains("**1. "), "{shown}");
    assert!(shown.contains(&format!("``{hostile}``")), "in a code span of its own length: {shown}");
}

#[test]
fn a_thin_device_that_only_an_open_file_keeps_is_found() {
    let mut host = host("6.1.0-50-amd64");
    host.docker_devicemapper("17.05.0-ce");
    let web = host.run(&Run::new("web", "nginx:1.13"));
    let tail = host.spawn("tail", &["tail", "-f", "x"]);
    host.open_unmounted(tail, web.device);
    assert_innocent(&host);
    host.stop(&web);
    let census = census(&host);
    let [leftover] = leftovers(&census)[..] else { panic!("{:#?}", leftovers(&census)) };
    assert_eq!((census.groups[0].kind, &census.groups[0].pids[..]), (HolderKind::OpenFile, &[tail][..]));
    assert_eq!(leftover.open_files[0].reference, "fd/3");
    assert!(leftover.mount.is_none() && leftover.effect == Effect::Blocking);
}

#[test]
fn a_list_that_calls_a_container_running_is_older_than_a_host_without_its_processes_and_mounts() {
    let mut host = host("6.1.0-50-amd64");
    host.docker_devicemapper("17.05.0-ce");
    let web = host.run(&Run::new("web", "nginx:1.13"));
    let tail = host.spawn("tail", &["tail", "-f", "x"]);
    let mut as_device = host.clone();
    host.open_unmounted(tail, web.device);
    host.stop(&web);
    host.set_state(&web, "running");
    let census = census(&host);
    let [leftover] = leftovers(&census)[..] else { panic!("{:#?}", leftovers(&census)) };
    assert_eq!(census.groups[0].pids[..], [tail][..]);
    assert!(leftover.why.contains("no process of its container is left"), "{}", leftover.why);

    // A virtual machine mounts the device inside: its container may well run.
    as_device.open_device(tail, "fd/3", "/dev/dm-3", web.device);
    as_device.stop(&web);
    as_device.set_state(&web, "running");
    assert_innocent(&as_device);
}

#[test]
fn containers_that_share_memory_and_names_that_only_look_alike_are_innocent() {
    let mut host = host("6.1.0-50-amd64");
    host.docker_overlay2("20.10.24");
    let web = host.run(&Run::new("web", "nginx:1.13"));
    let log = host.run(&Run::new("log", "fluentd:1").volume("/srv", "/srv"));
    // `--ipc container:web`
    let shm = host.mounts.at(web.ns, "/dev/shm").expect("it has one").fs.clone();
    host.mounts.mount(log.ns, "/dev/shm", &shm);
    // A backup that has the ids in its directories' names.
    let private = host.mounts.copy_with(host.ns, Propagation::Private);
    for at in [
        web.rootfs.clone(),
        format!("/var/lib/docker/containers/{}/shm", web.id),
        log.rootfs.clone(),
        format!("/var/lib/docker/containers/{}/shm", log.id),
    ] {
        host.mounts.umount(private, &at);
    }
    let backup = host.tmpfs("tmpfs", "rw");
    host.mounts.mount(private, &format!("/backup/{}", web.id), &backup);
    host.mounts.mount(private, &format!("/backup/x{}/merged", hex64("x")), &backup);
    host.spawn_in(private, "rsync", &["rsync"]);
    assert_innocent(&host);
}

#[test]
fn without_a_list_of_containers_only_what_the_host_no_longer_has_is_told() {
    let mut host = host("6.1.0-50-amd64");
    host.docker_devicemapper("17.05.0-ce");
    let web = host.run(&Run::new("web", "nginx:1.13"));
    let open = |host: &Host| support::open(&host.plain_tar()).expect("a tar of /proc opens").census();
    let quiet = open(&host);
    assert!(quiet.groups.is_empty(), "{:?}", labels(&quiet));
    assert!(quiet.looked_at.iter().any(|s| s.contains("No list of containers")));
    let private = host.mounts.copy_with(host.ns, Propagation::Private);
    let top = host.spawn_in(private, "top", &["top"]);
    host.stop(&web);
    let found = open(&host);
    assert_eq!(found.groups[0].pids, [top]);
    assert_eq!(leftovers(&found)[0].container_state, None, "the bundle cannot tell");
}

#[test]
fn the_text_answers_first_and_survives_json() {
    let found = census(&demo::host());
    let shown = text::render(&found);
    assert!(shown.starts_with("WILL BLOCK: "), "{shown}");
    for word in ["httpd.service", "10 GiB", "Looked at"] {
        assert!(shown.contains(word), "{word}: {shown}");
    }
    let json = serde_json::to_string(&found).expect("it can be written");
    assert_eq!(serde_json::from_str::<Census>(&json).expect("and read"), found);
    assert_eq!(found.schema, "ebusy.census/1");
}

#[test]
fn the_command_answers_with_0_and_refuses_bad_input_with_2() {
    let Some(program) =
        need_path("census::the_command_answers_with_0_and_refuses_bad_input_with_2", "EBUSY_BIN")
    else {
        return;
    };
    let dir = TempDir::new("census");
    std::fs::write(dir.join("demo.tar.gz"), demo::bundle()).expect("a file can be written");
    std::fs::write(dir.join("noise"), b"no archive").expect("a file can be written");
    let call = |arguments: &[&str]| output(Command::new(&program).current_dir(dir.path()).args(arguments));
    let text = call(&["census", "demo.tar.gz"]);
    assert_eq!(text.status.code(), Some(0));
    let first = String::from_utf8_lossy(&text.stdout).lines().next().map(str::to_owned).unwrap_or_default();
    assert!(first.contains("cadvisor") || first.contains("httpd"), "{first}");
    let json = call(&["census", "demo.tar.gz", "--format", "json"]);
    let census: Census = serde_json::from_slice(&json.stdout).expect("a census");
    assert_eq!(census.schema, "ebusy.census/1");
    let markdown = call(&["census", "demo.tar.gz", "--format", "markdown"]);
    assert!(String::from_utf8_lossy(&markdown.stdout).starts_with("### "));
    for arguments in [
        &["census"][..],
        &["census", "noise"],
        &["census", "missing"],
        &["census", "demo.tar.gz", "--format", "xml"],
    ] {
        let refused = call(arguments);
        assert_eq!((refused.status.code(), &refused.stdout[..]), (Some(2), &b""[..]), "{arguments:?}");
        assert!(!refused.stderr.is_empty());
    }
}

/// A host on which 60 programs in namespaces of their own have copies of 40 running containers' mounts.
fn crowded() -> Host {
    let mut host = Host::new("crowded1", "3.10.0-514.el7.x86_64");
    host.docker_devicemapper("17.05.0-ce");
    for number in 0..40 {
        host.run(&Run::new(&format!("app-{number:02}"), "acme/app:1"));
    }
    for number in 0..60 {
        let namespace = host.mounts.copy_with(host.ns, Propagation::Private);
        host.spawn_in(namespace, &format!("agent-{number:02}"), &["/usr/bin/agent"]);
    }
    host
}

#[test]
fn where_there_are_very_many_all_are_counted_and_the_first_of_each_holder_listed() {
    let analysis = support::open(&crowded().bundle()).expect("it opens");
    let all = analysis.census_with(usize::MAX);
    // Each copy has a device and an shm of each container; the device blocks, on this kernel the directory, too.
    assert_eq!((all.total, all.blocking, all.total_groups), (60 * 40 * 2, 60 * 40 * 2, 60));
    assert_eq!(leftovers(&all).len(), 4_800);

    let census = analysis.census();
    assert_eq!((census.total, census.blocking, census.total_groups), (4_800, 4_800, 60));
    assert!(census.summary.starts_with("4800 things of containers live on"), "{}", census.summary);
    assert_eq!((census.summary.as_str(), labels(&census)), (all.summary.as_str(), labels(&all)));
    assert_eq!(leftovers(&census).len(), 60 * 33, "of 2,000 each has the same share");
    for (group, whole) in census.groups.iter().zip(&all.groups) {
        assert_eq!((group.total, group.blocking, group.pinned_bytes), (80, 80, whole.pinned_bytes));
        assert_eq!(group.leftovers, whole.leftovers[..33], "the first ones");
        let kinds: Vec<_> = group.kinds.iter().map(|k| (k.kind, k.count, k.blocking)).collect();
        assert_eq!(kinds, [(LeftoverKind::ThinDevice, 40, 40), (LeftoverKind::Shm, 40, 40)]);
    }
    let shown = text::render(&census);
    assert!(shown.contains("80 left over, 80 will block"), "{shown}");
    assert!(shown.contains("40 × thin device (40 will block), 40 × shm (40 will block)"), "{shown}");
    assert!(shown.contains("… and 68 more (see --format json --leftovers 4800)"), "{shown}");
    assert!(shown.contains("… and 35 more holders (see --format json --leftovers 4800)"), "{shown}");
    assert!(text::render(&all).contains("… and 68 more (see --format json)"));
    let shown = ebusy_analyzer::census::markdown::render(&census);
    assert!(shown.contains("80 left over") && shown.contains("… and 35 more holders"), "{shown}");
}

#[test]
fn the_command_lists_as_many_as_it_is_asked_for() {
    let Some(ebusy) = need_path("census::the_command_lists_as_many_as_it_is_asked_for", "EBUSY_BIN") else {
        return;
    };
    let dir = TempDir::new("census-many");
    let bundle = dir.path().join("bundle.tar.gz");
    std::fs::write(&bundle, crowded().bundle()).expect("a file of our own");
    let listed = |option: &[&str]| {
        let mut command = Command::new(&ebusy);
        command.arg("census").arg(&bundle).args(["--format", "json"]).args(option);
        let census: Census = serde_json::from_slice(&output(&mut command).stdout).expect("it is a census");
        (census.total, leftovers(&census).len())
    };
    assert_eq!(listed(&[]), (4_800, 1_980));
    assert_eq!(listed(&["--leftovers", "5000"]), (4_800, 4_800));
    assert_eq!(listed(&["--leftovers", "0"]), (4_800, 60), "one of each holder");
}

#[test]
fn of_more_holders_than_anybody_reads_the_worst_are_told() {
    let layer = hex64("layer");
    let mount = |pid: u32, id: u32| {
        format!(
            "/proc/{pid}/mountinfo:{id} 1 253:3 / /var/lib/docker/devicemapper/mnt/{layer} rw - xfs /dev/mapper/docker-8:1-1-{layer} rw\n"
        )
    };
    // Two processes have it twice.
    let lines =
        (1..=1_100).map(|n| mount(n + 100, n * 10)).chain([50, 1_050].map(|n| mount(n + 100, n * 10 + 1)));
    let text: String = lines.collect();
    let census = support::open(text.as_bytes()).expect("a text opens").census();
    assert_eq!(
        (census.total, census.total_groups, census.groups.len()),
        (1_102, 1_100, 1_000),
        "{}",
        census.summary
    );
    let first: Vec<_> = census.groups.iter().take(3).map(|group| (group.total, group.pids.clone())).collect();
    assert_eq!(first, [(2, vec![1_150]), (2, vec![150]), (1, vec![1_000])], "equal ones by name");
    assert!(text::render(&census).contains("… and 1075 more holders"), "{}", text::render(&census));
}
