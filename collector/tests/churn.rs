//! Processes and mount namespaces that come and go all through the collection, as fast as the machine can make them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends by panicking")]

mod support;

use std::collections::BTreeSet;
use std::process::Command;

use support::{Bundle, Helper, Item, collect, inode_in, is_root};

/// Two loops that fork, and two that make mount namespaces with a mount of their own; all of it in a pid namespace that
/// ends with its first process. No bomb: each loop waits for its children.
const STORM: &str = r#"
fork() { while :; do /bin/true & (:) & /bin/true; wait; done; }
namespaces() { while :; do unshare -m /bin/sh -c 'mount -t tmpfs storm /mnt; (:) & exec /bin/true'; done; }
fork & fork & namespaces & namespaces &
echo ready
wait
"#;

#[test]
fn in_a_storm_of_forks_the_bundle_is_whole_and_its_counts_agree() {
    if !is_root("in_a_storm_of_forks_the_bundle_is_whole_and_its_counts_agree") {
        return;
    }
    let storm = Helper::start(Command::new("unshare").args([
        "-p",
        "-f",
        "--kill-child",
        "-m",
        "--mount-proc",
        "/bin/sh",
        "-c",
        STORM,
    ]));
    let mut vanished = 0;
    for _ in 0..4 {
        let bundle = collect(&[]);
        assert_eq!(bundle.name(storm.pid), "unshare");
        assert_agrees(&bundle);
        let summary = bundle.json("summary.json");
        let skipped = summary["skipped"].as_array().unwrap();
        let gone = skipped.iter().filter(|s| s["error"] == "ENOENT" || s["error"] == "ESRCH");
        vanished += gone.map(|s| s["count"].as_u64().unwrap()).sum::<u64>();
    }
    assert!(vanished > 0, "nothing ended while it was read: this was no storm");
}

/// What the summary counts is what is in the bundle, and nothing in it is half or leads nowhere.
fn assert_agrees(bundle: &Bundle) {
    let summary = bundle.json("summary.json");
    assert_eq!(summary["complete"], true, "{summary}");
    let position = |path: &str| bundle.order.iter().position(|known| known == path);
    let is_process =
        |path: &str| path.split('/').nth(1).is_some_and(|name| name.bytes().all(|b| b.is_ascii_digit()));
    let (mut processes, mut tables, mut without_table, mut namespaces) = (0, 0, 0, BTreeSet::new());
    for (path, item) in &bundle.items {
        if let Item::HardLink(target) = item {
            assert!(position(target) < position(path), "{path} comes before what it is linked to");
            assert!(matches!(bundle.items.get(target), Some(Item::File(_))), "{path} is linked to nothing");
        }
        match (path.rsplit('/').next(), item) {
            (Some("stat"), _) if is_process(path) => {
                processes += 1;
                let directory = path.trim_end_matches("/stat");
                let has = |name: &str| bundle.items.contains_key(&format!("{directory}/{name}"));
                assert!(has("status") && has("cmdline"), "{directory} is half");
                without_table += u64::from(!has("mountinfo"));
            }
            (Some("mountinfo"), Item::File(_)) => tables += 1,
            (Some("mnt"), Item::Symlink(text)) => drop(namespaces.insert(inode_in(text))),
            _ => {}
        }
        if let Some(inode) = path.strip_prefix("ns/mnt-").and_then(|path| path.strip_suffix("/mountinfo")) {
            namespaces.insert(inode_in(inode));
        }
    }
    let skipped = summary["skipped"].as_array().unwrap().iter();
    let of_tables = skipped.filter(|s| {
        let path = s["path"].as_str().unwrap();
        is_process(path) && path.ends_with("/mountinfo")
    });
    let counted: u64 = of_tables.map(|s| s["count"].as_u64().unwrap()).sum();
    assert_eq!(without_table, counted, "each table that is not there is counted: {summary}");
    assert_eq!(summary["processes"], processes);
    assert_eq!(summary["mount_tables"], tables);
    assert_eq!(summary["mount_namespaces"], namespaces.len());
}
