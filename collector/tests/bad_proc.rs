//! A `/proc` that fails in every way a file system can.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends by panicking")]

mod support;

use support::fuse::{self, Node};
use support::{Item, Scratch, collect, is_root};

const TABLE: &str = "21 1 253:1 / / rw - ext4 /dev/vda1 rw\n";

fn process(pid: u32, changed: impl IntoIterator<Item = (&'static str, Node)>) -> (String, Node) {
    let stat = format!("{pid} (sh) S 1 1 1 0 -1 4194304 0");
    let mut files = vec![
        ("mountinfo", Node::Text(TABLE.into())),
        ("stat", Node::Text(stat)),
        ("status", Node::Text("Name:\tsh\n".into())),
        ("cmdline", Node::Text("sh\0-c\0x\0".into())),
        ("cgroup", Node::Text("0::/\n".into())),
        ("comm", Node::Text("sh\n".into())),
        ("root", Node::Link("/".into())),
        ("cwd", Node::Link("/root".into())),
        ("exe", Node::Link("/bin/sh".into())),
        ("ns", Node::directory([("mnt", Node::Link(format!("mnt:[{}]", 4_026_531_800 + pid)))])),
        ("fd", Node::directory([("3", Node::Link("/var/x".into()))])),
    ];
    for (name, node) in changed {
        files.retain(|(known, _)| *known != name);
        files.push((name, node));
    }
    (pid.to_string(), Node::directory(files))
}

#[test]
fn every_way_to_fail_is_counted_and_costs_only_what_failed() {
    if !is_root("every_way_to_fail_is_counted_and_costs_only_what_failed") {
        return;
    }
    let scratch = Scratch::new();
    let dir = scratch.dir();
    let long = TABLE.repeat(30);
    let tree = Node::Directory(vec![
        ("version".to_owned(), Node::Text("Linux version 6.1.0\n".into())),
        ("stat".to_owned(), Node::Broken),
        process(1, []),
        process(20, [("mountinfo", Node::Broken)]),
        process(
            30,
            [
                ("mountinfo", Node::ShortReads(long.clone())),
                ("stat", Node::ShortReads("30 (a b) S 1 1".into())),
            ],
        ),
        process(
            40,
            [("mountinfo", Node::directory([])), ("cmdline", Node::Pipe), ("root", Node::Text("x".into()))],
        ),
        process(50, [("cmdline", Node::Silent)]),
        process(
            60,
            [("stat", Node::Broken), ("fd", Node::Text("x".into())), ("ns", Node::Link("ns".into()))],
        ),
        ("70".to_owned(), Node::Text("no process".into())),
        ("80".to_owned(), Node::Link("80".into())),
        process(90, []),
    ]);
    let mounted = fuse::serve(tree, &dir);
    let bundle = collect(&["--proc", &dir, "--timeout", "60"]);
    drop(mounted);

    let summary = bundle.json("summary.json");
    assert_eq!(summary["complete"], true, "{summary}");
    let skipped = |path: &str| {
        let list = summary["skipped"].as_array().unwrap();
        let of = |s: &&serde_json::Value| s["path"] == path;
        list.iter().find(of).unwrap_or_else(|| panic!("{path} is not in {summary}")).clone()
    };
    assert_eq!(skipped("proc/20/mountinfo")["error"], "EIO");
    assert!(skipped("proc/20/mountinfo")["why"].as_str().unwrap().contains("does not answer"), "{summary}");
    assert_eq!(
        bundle.items["proc/30/mountinfo"],
        Item::File(long.into_bytes()),
        "short reads are put together"
    );
    assert_eq!(bundle.must("proc/30/stat").trim(), "30 (a b) S 1 1");
    assert!(!bundle.items.contains_key("proc/40/cmdline"));
    assert_eq!(skipped("proc/50")["error"], "timeout");
    assert_eq!(bundle.must("proc/50/mountinfo"), TABLE, "what does not hang is there");
    assert_eq!(skipped("proc/60/stat")["error"], "EIO");
    assert_eq!(bundle.must("proc/90/cmdline"), "sh\0-c\0x\0", "those after it are whole");
    assert_eq!(summary["processes"], 7, "{summary}");
}
