//! The tree of one mount namespace and how it differs from the host's.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

mod support;

use ebusy_analyzer::Analysis;
use ebusy_analyzer::mount_tree::{Change, MountTree, TreeRow};
use ebusy_tests::demo;
use ebusy_tests::synth::{Host, Propagation};

fn tree_of(analysis: &Analysis, label: &str) -> MountTree {
    let names = analysis.namespaces();
    let name = names.iter().find(|name| name.label == label);
    let key = &name.unwrap_or_else(|| panic!("{label} among {names:?}")).key;
    analysis.mount_tree(key).expect("it has a table")
}

fn at<'t>(tree: &'t MountTree, path: &str) -> &'t TreeRow {
    tree.rows.iter().find(|row| row.mount_point == path).unwrap_or_else(|| panic!("{path} is in the tree"))
}

#[test]
fn the_demos_namespaces_are_named_and_the_hosts_is_first() {
    let analysis = support::open(&demo::bundle()).expect("the demo opens");
    let names = analysis.namespaces();
    let labels: Vec<&str> = names.iter().map(|name| name.label.as_str()).collect();
    assert_eq!(labels[0], "host");
    for wanted in ["httpd.service", "container cadvisor", "container log-shipper", "systemd-udevd.service"] {
        assert!(labels.contains(&wanted), "{wanted} in {labels:?}");
    }
    let host = analysis.mount_tree("").expect("the host has a table");
    assert_eq!((host.key.as_str(), &host.host_file), (names[0].key.as_str(), &None), "compared with nothing");
    assert!(host.rows.iter().all(|row| row.change == Change::Same));
    assert_eq!(analysis.mount_tree("17"), None);
}

#[test]
fn a_services_copy_has_what_the_host_no_longer_has() {
    let analysis = support::open(&demo::bundle()).expect("the demo opens");
    let tree = tree_of(&analysis, "httpd.service");
    let copy = tree.rows.iter().find(|row| row.device == "253:3").expect("it holds the device");
    assert_eq!((copy.change, &copy.elsewhere), (Change::Added, &None));
    let proc = at(&tree, "/proc");
    assert_eq!((proc.change, proc.depth), (Change::Same, 1));
    // Its own /tmp is a part of the root file system, which the host sees at /.
    let tmp = at(&tree, "/tmp");
    assert_eq!(tmp.change, Change::Added, "the host's /tmp is a directory: {tmp:?}");
    assert!(!tree.other_root && tree.host_file.is_some());
}

#[test]
fn a_containers_own_root_makes_nothing_missing_and_its_binds_are_found_on_the_host() {
    let analysis = support::open(&demo::bundle()).expect("the demo opens");
    let tree = tree_of(&analysis, "container cadvisor");
    assert!(tree.other_root);
    assert!(tree.rows.iter().all(|row| row.change != Change::Missing));
    let bind = at(&tree, "/rootfs/proc");
    assert_eq!((bind.change, bind.elsewhere.as_deref()), (Change::Added, Some("/proc")));
}

#[test]
fn missing_and_different_mounts_stand_where_the_host_has_them() {
    let mut host = Host::new("web1", "6.1.0-50-amd64");
    let [data, inner, other] = ["data", "inner", "other"].map(|name| host.tmpfs(name, "rw"));
    let ns = host.ns;
    host.mounts.mount(ns, "/mnt", &data);
    host.mounts.mount(ns, "/mnt/a", &inner);
    host.mounts.mount(ns, "/mnt/a/b", &inner);
    let copy = host.mounts.copy_with(ns, Propagation::Private);
    host.mounts.umount(copy, "/mnt/a/b");
    host.mounts.umount(copy, "/mnt/a");
    host.mounts.umount(copy, "/mnt");
    host.mounts.mount(copy, "/mnt", &other);
    host.spawn_in(copy, "lonely", &["/bin/lonely"]);
    let analysis = support::open(&host.bundle()).expect("a good bundle opens");
    let tree = tree_of(&analysis, "lonely");
    let found: Vec<(&str, u32, Change)> = tree
        .rows
        .iter()
        .filter(|row| row.mount_point.starts_with("/mnt"))
        .map(|row| (row.mount_point.as_str(), row.depth, row.change))
        .collect();
    assert_eq!(
        found,
        [("/mnt", 1, Change::Different), ("/mnt/a", 2, Change::Missing), ("/mnt/a/b", 3, Change::Missing)]
    );
    let line = at(&tree, "/mnt/a").line;
    let table = host.mounts.mountinfo(ns, "/");
    let text = table.lines().nth(line as usize - 1).expect("the line is there");
    assert!(text.contains(" /mnt/a "), "the line is the host's: {text}");
}
