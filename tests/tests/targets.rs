//! Every name of a target leads to the same holders, and nothing that only looks alike does.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

mod support;

use ebusy_analyzer::report::{AliasKind, Status};
use ebusy_tests::synth::{Container, Entry, Host, Propagation, Run, hex64, tar};
use support::{ask, blocking_pids};

/// A container that was removed while somebody had a private copy of the mount table, and that pid.
fn leaked(name: &str, id: Option<&str>) -> (Host, Container, u32) {
    let mut host = Host::new("db7", "3.10.0-514.el7.x86_64");
    host.docker_devicemapper("17.05.0-ce");
    let mut run = Run::new(name, "nginx:1.13");
    run.id = id.map(str::to_owned);
    let web = host.run(&run);
    let ns = host.mounts.copy_with(host.ns, Propagation::Private);
    let pid = host.spawn_in(ns, "top", &["top"]);
    host.stop(&web);
    host.set_state(&web, "dead");
    (host, web, pid)
}

#[test]
fn every_name_of_the_container_finds_the_same_holder() {
    let (host, web, pid) = leaked("web", None);
    let bundle = host.bundle();
    let device = web.device_name.clone().expect("devicemapper");
    let (major, minor) = web.device;
    for query in [
        web.id.clone(),
        web.id[..12].to_owned(),
        "web".into(),
        "/web".into(),
        web.layer.clone(),
        web.layer[..16].to_owned(),
        device.clone(),
        format!("/dev/mapper/{device}"),
        format!("{major}:{minor}"),
        web.rootfs.clone(),
        format!("{}/", web.rootfs),
        format!(" {} ", web.id),
    ] {
        let report = ask(&bundle, &query);
        assert!(report.target.found, "{query}");
        assert_eq!(report.verdict.status, Status::Held, "{query}: {}", report.verdict.summary);
        assert_eq!(blocking_pids(&report), [pid], "{query}: {}", report.verdict.summary);
        assert_eq!(report.target.container_id.as_ref(), Some(&web.id), "{query}");
    }
}

#[test]
fn each_alias_has_its_evidence() {
    let (host, web, _) = leaked("web", None);
    let report = ask(&host.bundle(), "web");
    for (kind, value) in [(AliasKind::ContainerId, &web.id), (AliasKind::LayerId, &web.layer)] {
        let alias = report.target.aliases.iter().find(|alias| alias.kind == kind && alias.value == *value);
        let alias = alias.unwrap_or_else(|| panic!("{kind:?} {value} in {:?}", report.target.aliases));
        assert!(!alias.evidence.is_empty(), "{kind:?}");
    }
    let layer_evidence = report.target.aliases.iter().find(|a| a.value == web.layer).map(|a| &a.evidence);
    let files: Vec<&str> = layer_evidence.into_iter().flatten().map(|e| e.file.as_str()).collect();
    assert!(
        files.iter().any(|file| file.ends_with("mount-id") || file.ends_with("containers.json")),
        "{files:?}"
    );
}

#[test]
fn a_container_that_the_daemon_forgot_is_still_in_its_layer_database() {
    let (mut host, web, pid) = leaked("web", None);
    host.forget(&web);
    assert_eq!(blocking_pids(&ask(&host.bundle(), &web.id)), [pid]);
}

#[test]
fn a_prefix_that_two_containers_share_names_both() {
    let prefix = "0123456789ab";
    let first = format!("{prefix}{}", &hex64("first")[12..]);
    let second = format!("{prefix}{}", &hex64("second")[12..]);
    let (mut host, web, pid) = leaked("web", Some(&first));
    let other = host.run(&Run::new("other", "nginx:1.13").id(&second));
    let bundle = host.bundle();

    let report = ask(&bundle, prefix);
    let mut named: Vec<&str> = report.target.candidates.iter().map(String::as_str).collect();
    named.extend(report.target.container_id.as_deref());
    for id in [&first, &second] {
        assert!(named.iter().any(|name| name.contains(id.as_str())), "{named:?}");
    }
    assert_eq!(blocking_pids(&ask(&bundle, &web.id)), [pid]);
    let of_other = ask(&bundle, &other.id);
    assert!(!blocking_pids(&of_other).contains(&pid), "{}", of_other.verdict.summary);
}

#[test]
fn a_path_that_only_begins_alike_is_another_path() {
    let (mut host, ..) = leaked("web", None);
    let fs = host.tmpfs("data", "rw");
    let other_fs = host.tmpfs("data", "rw");
    let ns = host.mounts.copy_with(host.ns, Propagation::Private);
    let other_ns = host.mounts.copy_with(host.ns, Propagation::Private);
    host.mounts.mount(ns, "/srv/data", &fs);
    host.mounts.mount(other_ns, "/srv/data-old", &other_fs);
    let right = host.spawn_in(ns, "right", &["right"]);
    let wrong = host.spawn_in(other_ns, "wrong", &["wrong"]);
    let report = ask(&host.bundle(), "/srv/data");
    let all: Vec<u32> = report.holders.iter().flat_map(|holder| holder.pids.clone()).collect();
    assert!(all.contains(&right) && !all.contains(&wrong), "{all:?}");
}

#[test]
fn an_id_inside_of_something_else_is_no_match() {
    let (mut host, web, pid) = leaked("web", None);
    let fs = host.tmpfs("backup", "rw");
    let ns = host.mounts.copy_with(host.ns, Propagation::Private);
    let layer = &web.layer;
    host.mounts.umount(ns, &web.rootfs);
    // One hex digit more on either side: another id altogether. And the id as a mere argument.
    host.mounts.mount(ns, &format!("/backup/a{layer}"), &fs);
    host.mounts.mount(ns, &format!("/backup/{layer}b"), &fs);
    host.mounts.mount(ns, &format!("/backup/x{}y", web.id), &fs);
    let innocent = host.spawn_in(ns, "rsync", &["rsync", "-a", &format!("/backup/{layer}"), &web.id]);
    let report = ask(&host.bundle(), &web.id);
    assert_eq!(blocking_pids(&report), [pid]);
    assert!(
        report.holders.iter().all(|holder| !holder.pids.contains(&innocent)),
        "{}",
        report.verdict.summary
    );
}

#[test]
fn what_is_not_in_the_bundle_is_not_found_and_nobody_is_blamed() {
    let (host, ..) = leaked("web", None);
    let bundle = host.bundle();
    for query in [hex64("elsewhere").as_str(), "no-such-name", "/no/such/path", "/dev/sdz", "", "a"] {
        let report = ask(&bundle, query);
        assert!(!report.target.found, "{query:?}");
        assert_ne!(report.verdict.status, Status::Held, "{query:?}: {}", report.verdict.summary);
        assert_eq!(blocking_pids(&report), [0; 0], "{query:?}");
    }
}

#[test]
fn names_with_blanks_backslashes_and_controls_are_read_and_shown_safely() {
    let mut host = Host::new("db7", "6.1.0-50-amd64");
    let fs = host.tmpfs("a b\\c", "rw");
    let ns = host.mounts.copy_with(host.ns, Propagation::Private);
    host.mounts.mount(ns, "/mnt/two words\nand \x1b[31mred\\", &fs);
    host.spawn_in(ns, "evil\x1b]0;x\x07", &["/bin/evil", "$(reboot)", "<img src=x onerror=alert(1)>"]);
    let report = ask(&host.bundle(), "/mnt/two words\nand \x1b[31mred\\");
    let json = serde_json::to_string(&report).expect("a report is JSON");
    assert!(json.contains("two words"), "{}", report.verdict.summary);
    assert!(
        !json.contains("\\u001b") && !json.contains("\\u0007"),
        "control characters are made visible: {json}"
    );
}

/// A host with one pod: its sandbox and one container of containerd, on snapshot 77.
fn pod_host() -> (Vec<u8>, [String; 3]) {
    pod_host_with_log("")
}

fn pod_host_with_log(log: &str) -> (Vec<u8>, [String; 3]) {
    let (sandbox, app, layer) = (hex64("sandbox"), hex64("app"), hex64("image"));
    let uid = "8ca1d5a2-1c2b-4f6e-9a31-0d3f7a6b1c22";
    let cgroup = |id: &str| {
        let slice = uid.replace('-', "_");
        format!("0::/kubepods.slice/kubepods-pod{slice}.slice/cri-containerd-{id}.scope\n")
    };
    let root = "21 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n";
    let rbd = "30 21 252:0 / /var/lib/kubelet/plugins/kubernetes.io/rbd/mounts/kube-image-vol1 rw - ext4 /dev/rbd0 rw\n";
    let rootfs = format!(
        "31 21 0:50 / /run/containerd/io.containerd.runtime.v2.task/k8s.io/{app}/rootfs rw - overlay overlay rw,lowerdir=/l,upperdir=/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots/77/fs\n"
    );
    let containers = format!(
        r#"[{{"id":"{app}","name":"api_job-4711","image":"sha256:{layer}","runtime":"containerd","state":"running"}}]"#
    );
    let entries = [
        Entry::file("proc/1/mountinfo", format!("{root}{rbd}{rootfs}")),
        Entry::file("proc/1/comm", "systemd\n"),
        Entry::file("proc/50/mountinfo", "40 39 0:60 / / rw - overlay overlay rw\n"),
        Entry::file("proc/50/comm", "pause\n"),
        Entry::file("proc/50/cgroup", cgroup(&sandbox)),
        Entry::file("proc/60/mountinfo", "50 49 0:50 / / rw - overlay overlay rw\n"),
        Entry::file("proc/60/comm", "api\n"),
        Entry::file("proc/60/cgroup", cgroup(&app)),
        Entry::file("runtime/containers.json", containers),
        Entry::file("logs/kubelet.log", log),
    ];
    (tar("", 0, &entries), [uid.to_owned(), app, layer])
}

#[test]
fn a_wrong_id_is_told_for_what_it_is_and_leads_to_the_container() {
    let (bundle, [uid, app, image]) = pod_host();
    for (query, what) in [
        (uid.clone(), "pod's uid"),
        (uid.replace('-', "_"), "pod's uid"),
        ("77".to_owned(), "snapshot"),
        ("/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots/77/fs".to_owned(), "snapshot"),
        (format!("sha256:{image}"), "image"),
        (image[..12].to_owned(), "image"),
        ("job-4711".to_owned(), "name"),
    ] {
        let report = ask(&bundle, &query);
        assert!(report.target.found, "{query}: {}", report.verdict.summary);
        assert_eq!(report.target.container_id.as_ref(), Some(&app), "{query}");
        let note = report.warnings.iter().find(|w| w.code == "other-id").expect("what it is");
        assert!(note.message.contains(what), "{query}: {}", note.message);
    }
    let unknown = ask(&bundle, "00000000-1111-2222-3333-444444444444");
    assert!(!unknown.target.found);
    assert!(unknown.warnings.iter().any(|w| w.message.contains("pod's uid")), "{:?}", unknown.warnings);
}

#[test]
fn an_rbd_image_leads_to_its_device() {
    let (bundle, _) = pod_host();
    for query in ["kube/vol1", "vol1"] {
        let report = ask(&bundle, query);
        assert!(report.target.found, "{query}");
        assert!(report.target.aliases.iter().any(|a| a.value == "252:0"), "{:?}", report.target.aliases);
    }
    assert!(!ask(&bundle, "kube/vol").target.found, "never by a part of a name");
}

#[test]
fn a_pods_uid_in_an_error_names_the_pods_containers() {
    let (_, [uid, app, _]) = pod_host();
    let (bundle, _) = pod_host_with_log(&format!(
        "Jan 02 03:04:05 n1 kubelet[1]: E0102 03:04:05.000001 1 x.go:1] UnmountVolume.TearDown failed for volume \"data\" pod \"{uid}\" (UID: \"{uid}\") : remove /var/lib/kubelet/pods/{uid}/volumes/kubernetes.io~csi/pvc-1/mount: device or resource busy\n"
    ));
    let report = support::ask_default(&bundle);
    assert!(report.target.aliases.iter().any(|a| a.kind == AliasKind::ContainerId && a.value == app));
    let note = report.warnings.iter().find(|w| w.code == "other-id").expect("what the uid is");
    assert!(note.message.contains("api_job-4711"), "{}", note.message);
    assert!(report.target.query.ends_with("/mount"), "the volume stays the target: {}", report.target.query);
}

#[test]
fn an_rbd_image_of_an_error_leads_to_its_device() {
    let (bundle, _) = pod_host_with_log(
        "# rbd unmap kube/vol1\nrbd: sysfs write failed\nrbd: unmap failed: (16) Device or resource busy\n",
    );
    let report = support::ask_default(&bundle);
    assert!(report.target.aliases.iter().any(|a| a.value == "252:0"), "{:?}", report.target.aliases);
    assert_eq!(report.verdict.status, Status::Held, "{}", report.verdict.summary);
}

#[test]
fn a_directory_above_mount_points_lists_what_is_mounted_below() {
    let (host, web, pid) = leaked("web", None);
    let bundle = host.bundle();
    for directory in ["/var/lib/docker/devicemapper/mnt", "/var/lib/docker/devicemapper/mnt/"] {
        let report = ask(&bundle, directory);
        assert!(report.target.found, "{directory}: {}", report.verdict.summary);
        assert_eq!(report.verdict.status, Status::Held, "{directory}: {}", report.verdict.summary);
        assert_eq!(blocking_pids(&report), [pid], "{directory}");
        let note = report.warnings.iter().find(|w| w.code == "mounts-below").expect("the list");
        assert!(note.message.contains(&web.rootfs), "{}", note.message);
    }
    assert!(!ask(&bundle, "/var/lib/docker/devicemapper/mn").target.found, "whole components only");
}

#[test]
fn of_the_mounts_below_a_directory_the_failed_one_is_the_target() {
    let (mut host, web, pid) = leaked("web", None);
    let other = host.run(&Run::new("other", "nginx:1.13"));
    let ns = host.mounts.copy_with(host.ns, Propagation::Private);
    let innocent = host.spawn_in(ns, "sleep", &["sleep"]);
    host.docker_log(&format!("rm: cannot remove '{}': Device or resource busy", web.rootfs));
    let report = ask(&host.bundle(), "/var/lib/docker");
    let note = report.warnings.iter().find(|w| w.code == "mounts-below").expect("the list");
    assert!(note.message.contains(&web.rootfs) && !note.message.contains(&other.rootfs), "{}", note.message);
    let pids = blocking_pids(&report);
    assert_eq!(pids, [pid], "not {innocent}: {}", report.verdict.summary);
    assert_eq!(report.target.container_id.as_ref(), Some(&web.id));
}

#[test]
fn one_failure_in_several_wordings_is_listed_once_with_all_its_lines() {
    let (mut host, web, _) = leaked("web", None);
    for message in [
        format!(
            "Error removing mounted layer {}: failed to remove device {}: Device is Busy",
            web.id, web.layer
        ),
        format!(
            "Handler for DELETE /v1.29/containers/web returned error: Driver devicemapper failed to remove root filesystem {}: remove {}: device or resource busy",
            web.id, web.rootfs
        ),
        format!(
            "Unable to remove filesystem for {0}: remove /var/lib/docker/containers/{0}/shm: device or resource busy",
            web.id
        ),
    ] {
        host.docker_log(&message);
    }
    let analysis = support::open(&host.bundle()).expect("a bundle");
    let overview = analysis.overview();
    let about: Vec<_> = overview.errors.iter().filter(|e| e.container_id.as_ref() == Some(&web.id)).collect();
    assert_eq!(about.len(), 2, "the root file system and the shm: {about:#?}");
    let root = about.iter().find(|e| e.driver.as_deref() == Some("devicemapper")).expect("the root");
    assert_eq!(root.wordings.len(), 1, "{root:#?}");
    let report = analysis.explain(&ebusy_analyzer::Query::Text("web".into()));
    let lines: Vec<&str> = report.errors.iter().map(|e| e.line.as_str()).collect();
    for part in ["removing mounted layer", "Handler for DELETE"] {
        assert!(lines.iter().any(|l| l.contains(part)), "{part} is evidence: {lines:?}");
    }
}

#[test]
fn a_listing_without_propagation_is_not_called_private() {
    let text = "/proc/17757/mounts:tank/web /srv/web zfs rw,relatime 0 0\n/proc/1/mounts:tank/web /srv/web zfs rw,relatime 0 0\n";
    let report = ask(text.as_bytes(), "tank/web");
    assert!(!report.holders.is_empty());
    let said = serde_json::to_string(&report).expect("JSON");
    assert!(!said.contains("private"), "absent is not private: {said}");
    assert!(report.holders.iter().flat_map(|h| &h.mounts).all(|m| m.propagation() == "unknown propagation"));
}
