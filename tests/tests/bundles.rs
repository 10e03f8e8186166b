//! Whatever the bundle's state: no panic, what is there is used, what is missing is said.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

mod support;

use ebusy_analyzer::report::Status;
use ebusy_analyzer::{Analysis, Query};
use ebusy_tests::demo;
use ebusy_tests::synth::{Content, Entry, gzip, tar};
use std::ops::ControlFlow;
use support::{ask, ask_default, blocking_pids, open};

#[test]
fn cut_anywhere_it_is_read_as_far_as_it_goes_and_says_so() {
    let whole = demo::bundle();
    let mut read = 0;
    for length in (0..whole.len()).step_by(whole.len() / 97) {
        let Ok(analysis) = open(&whole[..length]) else { continue };
        read += 1;
        let overview = analysis.overview();
        assert!(!overview.bundle.complete, "{length} of {} bytes", whole.len());
        assert!(
            overview.warnings.iter().any(|warning| warning.code.contains("truncated")),
            "{length}: {:?}",
            overview.warnings
        );
        let report = analysis.explain(&Query::Text("shop-frontend".into()));
        assert_ne!(report.verdict.status, Status::Free, "{length}: what was cut off may hold it");
    }
    assert!(read > 50, "only {read} of 97 beginnings were read");
}

#[test]
fn a_plain_tar_cut_inside_of_a_header_or_a_file_is_read_too() {
    let whole = demo::host().plain_tar();
    for length in (whole.len() / 3..whole.len() - 2048).step_by(whole.len() / 50 + 7) {
        let analysis = open(&whole[..length]).expect("a third of the processes is a host");
        assert!(!analysis.overview().bundle.complete, "{length}");
    }
}

#[test]
fn flipped_bytes_do_not_make_it_panic() {
    let host = demo::host();
    let mut plain = tar(&host.top(), 0, &host.entries());
    for at in (300..plain.len()).step_by(plain.len() / 211) {
        let before = plain[at];
        plain[at] ^= 0xff;
        if let Ok(analysis) = open(&plain) {
            analysis.explain(&Query::Default);
        }
        plain[at] = before;
    }
}

#[test]
fn the_order_of_the_entries_changes_nothing() {
    let host = demo::host();
    let in_order = ask_default(&host.bundle());
    let mut entries = host.entries();
    entries.reverse();
    assert_eq!(ask_default(&gzip(&tar(&host.top(), 0, &entries))), in_order, "reversed");
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    assert_eq!(ask_default(&gzip(&tar(&host.top(), 0, &entries))), in_order, "by path");
}

#[test]
fn where_the_tree_begins_does_not_matter() {
    let host = demo::host();
    let pids = blocking_pids(&ask_default(&host.bundle()));
    for top in ["", ".", "tmp/captures/web1", "./x"] {
        let report = ask_default(&tar(top, 0, &host.entries()));
        assert_eq!(blocking_pids(&report), pids, "below {top:?}");
    }
}

#[test]
fn a_plain_tar_of_proc_names_the_same_pids() {
    let host = demo::host();
    let wanted = blocking_pids(&ask_default(&host.bundle()));
    let plain = host.plain_tar();
    let containers = &host.docker.as_ref().expect("docker runs").containers;
    let shop = containers.iter().find(|c| c.name == "shop-frontend").expect("it was run");
    // Without the layer database, docker's own log lines lead from the container to the layer.
    for query in [&shop.layer, &shop.id] {
        let report = ask(&plain, query);
        assert_eq!(report.verdict.status, Status::Held, "{query}: {}", report.verdict.summary);
        assert_eq!(blocking_pids(&report), wanted, "{query}");
        assert_ne!(report.bundle.format, "ebusy.bundle/1");
    }
}

#[test]
fn an_unprivileged_bundle_says_so_and_clears_nobody() {
    let mut host = demo::host();
    host.collector_uid = 1000;
    let httpd: Vec<u32> = host.processes.values().filter(|p| p.comm == "httpd").map(|p| p.pid).collect();
    for pid in httpd {
        host.kill(pid);
    }
    let cadvisor = host.processes.values().find(|p| p.comm == "cadvisor").expect("it runs").pid;
    host.kill(cadvisor);
    let report = ask(&host.bundle(), "shop-frontend");
    assert_eq!(report.bundle.privileged, Some(false));
    assert!(!report.warnings.is_empty());
    assert_eq!(report.verdict.status, Status::Unknown, "{}", report.verdict.summary);
}

#[test]
fn a_zombie_has_no_table_and_does_not_matter() {
    let mut host = demo::host();
    let wanted = blocking_pids(&ask_default(&host.bundle()));
    let zombie = host.spawn("defunct", &["x"]);
    host.process(zombie).state = 'Z';
    let report = ask_default(&host.bundle());
    assert_eq!(report.verdict.status, Status::Held, "{}", report.verdict.summary);
    assert_eq!(blocking_pids(&report), wanted);
}

#[test]
fn what_is_no_bundle_is_refused_with_a_reason_and_advice() {
    let noise: Vec<u8> = (0..4096_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let other = [Entry::file("readme.txt", "hello")];
    for (what, input) in [
        ("nothing", Vec::new()),
        ("noise", noise.clone()),
        ("text", b"time=\"x\" level=error msg=\"device or resource busy\"\n".repeat(20)),
        ("gzip of noise", gzip(&noise)),
        ("a gzip header alone", gzip(b"x")[..10].to_vec()),
        ("a zip", [b"PK\x03\x04".as_slice(), &noise].concat()),
        ("zeros", vec![0; 10240]),
        ("a tar of something else", tar("x", 0, &other)),
        ("a gzip'd tar of something else", gzip(&tar("x", 0, &other))),
        ("a picture", b"\x89PNG\r\n\x1a\n".repeat(100)),
    ] {
        let error = open(&input).expect_err(what);
        assert!(
            !error.message.is_empty() && !error.advice.is_empty() && !error.code.is_empty(),
            "{what}: {error:?}"
        );
    }
}

#[test]
fn reading_can_be_stopped_and_tells_how_far_it_is() {
    let bundle = demo::bundle();
    let stopped = Analysis::open(bundle.as_slice(), &mut |_| ControlFlow::Break(()));
    assert_eq!(stopped.expect_err("it was told to stop").code, "cancelled");
    let mut seen = Vec::new();
    let analysis = Analysis::open(bundle.as_slice(), &mut |progress| {
        seen.push(progress.bytes);
        ControlFlow::Continue(())
    });
    assert!(analysis.is_ok());
    assert!(seen.is_sorted() && seen.last().is_some_and(|last| *last <= bundle.len() as u64), "{seen:?}");
}

#[test]
fn the_same_bytes_give_the_same_report() {
    let json = || serde_json::to_string(&ask_default(&demo::bundle())).expect("a report is JSON");
    assert_eq!(json(), json());
}

#[test]
fn the_overview_has_the_hosts_facts_errors_and_containers() {
    let overview = open(&demo::bundle()).expect("the demo opens").overview();
    assert_eq!(overview.host.name.as_deref(), Some("web1"));
    assert_eq!(overview.host.kernel.as_deref(), Some("3.10.0-514.el7.x86_64"));
    assert_eq!(overview.host.drops_foreign_mounts, Some(false));
    assert!(overview.host.runtime.is_some_and(|runtime| runtime.contains("17.05.0-ce")));
    let names: Vec<_> = overview.containers.iter().filter_map(|c| c.name.as_deref()).collect();
    assert_eq!(names, ["cadvisor", "log-shipper", "nightly-report", "redis-cache", "shop-frontend"]);
    let last = overview.errors.first().expect("the log has errors");
    assert!(last.count >= 3, "{} of the repeated error", last.count);
    assert!(
        overview.errors.iter().any(|error| error.path.as_deref().is_some_and(|path| path.ends_with("/shm")))
    );
    assert!(overview.bundle.complete && overview.bundle.privileged == Some(true));
    assert_eq!(overview.bundle.processes as usize, demo::host().processes.len());
    assert!(overview.warnings.is_empty(), "{:?}", overview.warnings);
}

#[test]
fn every_evidence_is_in_the_bundle_as_quoted() {
    let host = demo::host();
    let entries = host.entries();
    let text_of = |path: &str| {
        let mut path = path;
        loop {
            match entries.iter().find(|entry| entry.path == path).map(|entry| &entry.content) {
                Some(Content::Same(of)) => path = of,
                Some(Content::File(data)) => return Some(String::from_utf8_lossy(data).into_owned()),
                Some(Content::Link(target)) => return Some(target.clone()),
                None => return None,
            }
        }
    };
    let report = ask_default(&host.bundle());
    let mut checked = 0;
    let of_holders =
        report.holders.iter().flat_map(|h| h.evidence.iter().chain(h.mounts.iter().map(|m| &m.evidence)));
    let of_aliases = report.target.aliases.iter().flat_map(|alias| &alias.evidence);
    for evidence in of_holders.chain(of_aliases) {
        let text =
            text_of(&evidence.file).unwrap_or_else(|| panic!("{} is not in the bundle", evidence.file));
        if let Some(line) = evidence.line {
            let quoted = text.lines().nth(line as usize - 1).unwrap_or_default();
            assert_eq!(quoted.trim_end(), evidence.text.trim_end(), "{}:{line}", evidence.file);
            checked += 1;
        }
    }
    assert!(checked > 3, "only {checked} lines were quoted");
}
