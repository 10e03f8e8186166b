//! Archives of several hosts, and of a cluster: what each shows, and what not.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

mod support;

use ebusy_analyzer::Query;
use ebusy_analyzer::report::Status;
use ebusy_tests::synth::{Entry, Host, Propagation, Run, gzip, hex64, tar};
use std::fmt::Write as _;
use support::{ask_default, blocking_pids, open};

/// A node with a leaked mount as `sos report` keeps it, and the holder's pid.
fn sosreport(name: &str) -> (Vec<u8>, u32) {
    let mut host = Host::new(name, "3.10.0-514.el7.x86_64");
    host.docker_devicemapper("1.13.1");
    let web = host.run(&Run::new("web", "nginx:1.27"));
    let ns = host.mounts.copy_with(host.ns, Propagation::Private);
    let pid = host.spawn_in(ns, "agent", &["/opt/agent", "--all"]);
    host.stop(&web);
    let mut ps = "USER PID %CPU %MEM VSZ RSS TTY STAT START TIME COMMAND\n".to_owned();
    let mut entries = Vec::new();
    for process in host.processes.values().filter(|p| !p.is_kernel_thread()) {
        let table = host.mounts.mountinfo(process.ns, &process.root);
        entries.push(Entry::file(format!("proc/{}/mountinfo", process.pid), table));
        let _ = writeln!(ps, "root {} 0.0 0.1 1 1 ? S 07:34 0:00 {}", process.pid, process.args.join(" "));
    }
    let error = format!(
        "Jan 02 03:04:05 {name} dockerd[9]: Error removing mounted layer {}: remove {}: device or resource busy\n",
        web.id, web.rootfs
    );
    for (path, text) in [
        ("sos_commands/process/ps_auxwww", ps.as_str()),
        ("sos_commands/host/hostname", name),
        ("sos_commands/logs/journalctl_--no-pager_--catalog_--boot", error.as_str()),
        ("sos_commands/block/lsblk", "NAME MAJ:MIN RM SIZE RO TYPE MOUNTPOINT\nsda 8:0 0 20G 0 disk\n"),
        ("sos_logs/sos.log", "2026-01-02 done\n"),
        ("sos_reports/manifest.json", "{}"),
        ("version.txt", "sosreport: 4.5\n"),
    ] {
        entries.push(Entry::file(path, text));
    }
    (gzip(&tar(&format!("sosreport-{name}-2026-01-02-abcdefg"), 0, &entries)), pid)
}

#[test]
fn sos_collect_lists_its_nodes_and_each_answers_for_itself() {
    let ((one, first), (two, second)) = (sosreport("node1"), sosreport("node2"));
    let top = "sos-collector-bastion-2026-01-02-hijklmn";
    let input = tar(
        top,
        0,
        &[
            Entry::file("sosreport-node1-2026-01-02-abcdefg.tar.gz", one),
            Entry::file("sosreport-node1-2026-01-02-abcdefg.tar.gz.sha256", hex64("sum")),
            Entry::file("sosreport-node2-2026-01-02-abcdefg.tar.gz", two),
            Entry::file("sos_logs/sos.log", "collecting node1, node2\n"),
            Entry::file("sos_reports/manifest.json", "{\"components\":{}}"),
        ],
    );
    let mut analysis = open(&gzip(&input)).expect("two nodes");
    assert_eq!(analysis.hosts(), [Some("node1".to_owned()), Some("node2".to_owned())]);
    for (name, pid) in [("node1", first), ("node2", second)] {
        assert!(analysis.choose_host(name));
        let report = analysis.explain(&Query::Default);
        assert_eq!(report.bundle.format, "sosreport");
        assert_eq!(report.verdict.status, Status::Held, "{name}: {}", report.verdict.summary);
        assert_eq!(blocking_pids(&report), [pid], "{name}");
    }
}

/// What `oc adm must-gather` writes: logs of the nodes' services and of pods, and the cluster's objects.
fn must_gather(container: &str, pod: &str) -> Vec<u8> {
    let image = "quay-io-openshift-release-dev-sha256-0a1b2c";
    let kubelet = format!(
        "Jan 02 03:04:05.123456 node1 kubenswrapper[2588]: E0102 03:04:05.000001    2588 nestedpendingoperations.go:348] Operation failed. Error: UnmountVolume.TearDown failed for volume \"data\" pod \"{pod}\" (UID: \"{pod}\") : remove /var/lib/kubelet/pods/{pod}/volumes/kubernetes.io~csi/pvc-1/mount: device or resource busy\n"
    );
    let crio = format!(
        "Jan 02 03:04:06.123456 node1 crio[1500]: time=\"2026-01-02 03:04:06.5Z\" level=error msg=\"Failed to remove container {container}: unlinkat /var/lib/containers/storage/overlay-containers/{container}/userdata/shm: device or resource busy\"\n"
    );
    let csi = "2026-01-02T03:04:07.000000000Z rbd: unmap failed: (16) Device or resource busy\n";
    let entries = [
        ("host_service_logs/masters/kubelet_service.log", kubelet.as_str()),
        ("host_service_logs/masters/crio_service.log", crio.as_str()),
        ("namespaces/openshift-storage/pods/csi-1/csi/csi/logs/current.log", csi),
        ("namespaces/shop/pods/api-1/api-1.yaml", "kind: Pod\n"),
        ("cluster-scoped-resources/core/nodes/node1.yaml", "kind: Node\n"),
        ("version", "must-gather\n4.14\n"),
    ];
    let entries: Vec<Entry> =
        entries.iter().map(|(path, text)| Entry::file(format!("{image}/{path}"), *text)).collect();
    tar("must-gather.local.1234567890", 0, &entries)
}

#[test]
fn a_must_gather_shows_the_clusters_errors_and_says_that_it_shows_no_holder() {
    let (container, pod) = (hex64("ct"), "8ca1d5a2-1c2b-4f6e-9a31-0d3f7a6b1c22");
    let input = gzip(&must_gather(&container, pod));
    let overview = open(&input).expect("logs are something").overview();
    let paths: Vec<&str> = overview.errors.iter().filter_map(|e| e.path.as_deref()).collect();
    assert!(
        paths.iter().any(|p| p.ends_with("/mount")) && paths.iter().any(|p| p.ends_with("/shm")),
        "{paths:?}"
    );
    let files: Vec<&str> =
        overview.errors.iter().filter_map(|e| e.evidence.as_ref()).map(|e| e.file.as_str()).collect();
    assert!(files.contains(&"namespaces/openshift-storage/pods/csi-1/csi/csi/logs/current.log"), "{files:?}");
    let report = ask_default(&input);
    assert_eq!((report.bundle.format.as_str(), report.verdict.status), ("must-gather", Status::Unknown));
    let note = report.warnings.iter().find(|w| w.code == "no-mount-tables").expect("what it cannot show");
    assert!(note.advice.contains("node"), "{}", note.advice);
}

#[test]
fn a_sosreport_inside_a_must_gather_is_a_host() {
    let (sos, pid) = sosreport("node1");
    let image = "quay-io-openshift-release-dev-sha256-0a1b2c";
    let input = tar(
        "must-gather.local.1",
        0,
        &[
            Entry::file(format!("{image}/host_service_logs/masters/kubelet_service.log"), "Jan 02 x\n"),
            Entry::file(format!("{image}/sosreports/sosreport-node1.tar.gz"), sos),
        ],
    );
    let report = ask_default(&input);
    assert_eq!(report.bundle.format, "sosreport");
    assert_eq!(blocking_pids(&report), [pid], "{}", report.verdict.summary);
}
