//! What holds for every input, tried on many: printing and parsing, the order of entries, JSON, truncation.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

mod support;

use ebusy_analyzer::archive::{Content as Read, End, Entry as ReadEntry};
use ebusy_analyzer::parse::mountinfo;
use ebusy_analyzer::report::{Report, Status};
use ebusy_analyzer::snapshot::Hosts;
use ebusy_analyzer::{Analysis, Query};
use ebusy_tests::model::{Plan, World};
use ebusy_tests::rng::Rng;
use ebusy_tests::synth::{Content, Entry, gzip, tar};
use std::io::Write as _;

#[test]
fn each_line_of_a_mount_table_is_printed_as_it_was_read() {
    for seed in 0..150 {
        let host = World::new(&Plan::random(seed)).host;
        for ns in host.namespaces() {
            for line in host.mounts.mountinfo(ns, "/").lines() {
                let mount = mountinfo::parse_line(line.as_bytes()).expect("a line of the kernel's");
                assert_eq!(mount.to_line(), line.as_bytes(), "seed {seed}");
            }
        }
    }
}

fn analysis_of(entries: &[Entry]) -> Analysis {
    let mut hosts = Hosts::default();
    for entry in entries {
        let content = match &entry.content {
            Content::File(bytes) => Read::File(bytes),
            Content::Link(target) => Read::Symlink(target.as_bytes()),
            Content::Same(of) => Read::HardLink(of.as_bytes()),
        };
        hosts.add(ReadEntry { archive: b"", path: entry.path.as_bytes(), content });
    }
    Analysis::of(hosts, &End::Complete).expect("a host is in it")
}

fn reports(analysis: &Analysis, world: &World) -> Vec<Report> {
    let errors = (0..analysis.overview().errors.len()).map(Query::Error);
    let names = world.subjects.iter().map(|s| Query::Text(s.container.id.clone()));
    errors.chain(names).map(|query| analysis.explain(&query)).collect()
}

#[test]
fn the_order_of_entries_changes_no_report() {
    for seed in 0..25 {
        let world = World::new(&Plan::random(seed));
        let mut entries = world.host.entries();
        let first = analysis_of(&entries);
        let (expected, census) = (reports(&first, &world), first.census());
        let mut rng = Rng::new(seed);
        for _ in 0..4 {
            rng.shuffle(&mut entries);
            let again = analysis_of(&entries);
            assert_eq!(reports(&again, &world), expected, "seed {seed}");
            assert_eq!(again.census(), census, "seed {seed}");
        }
    }
}

#[test]
fn a_report_is_the_same_after_json() {
    for seed in 0..60 {
        let world = World::new(&Plan::random(seed));
        for report in reports(&analysis_of(&world.host.entries()), &world) {
            let json = serde_json::to_string(&report).expect("a report is JSON");
            let again: Report = serde_json::from_str(&json).expect("a report's JSON is a report");
            assert_eq!(again, report, "seed {seed}");
        }
    }
}

/// As small as a host can be that has a holder and an error.
fn small_bundle() -> Vec<Entry> {
    let id = ebusy_tests::synth::hex64("small");
    let dir = format!("/var/lib/docker/overlay2/{id}/merged");
    let root = "21 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n";
    let leak = format!("40 39 8:1 / / rw - ext4 /dev/sda1 rw\n41 40 0:50 / {dir} rw - overlay overlay rw\n");
    vec![
        Entry::file("proc/1/mountinfo", root),
        Entry::file("proc/1/comm", "systemd\n"),
        Entry::file("proc/9/mountinfo", leak),
        Entry::file("proc/9/cmdline", "sleep\09\0"),
        Entry::file("proc/sys/kernel/osrelease", "3.10.0-514.el7.x86_64\n"),
        Entry::file("logs/journal.log", format!("remove {dir}: device or resource busy\n")),
    ]
}

#[test]
fn a_bundle_cut_at_any_byte_is_read_as_far_as_it_goes_and_never_called_whole() {
    let plain = tar("b", 0, &small_bundle());
    let end_of_members = plain.len() - 1024;
    let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
    bzip2.write_all(&plain).expect("memory");
    let zstd = ruzstd::encoding::compress_to_vec(&plain[..], ruzstd::encoding::CompressionLevel::Fastest);
    let whole = support::open(&plain).expect("it is whole").explain(&Query::Default);
    assert_eq!(whole.verdict.status, Status::Held, "{}", whole.verdict.summary);
    let packed = [("gzip", gzip(&plain)), ("bzip2", bzip2.finish().expect("memory")), ("zstd", zstd)];
    for (name, bytes) in packed.iter().map(|(name, bytes)| (*name, &bytes[..])).chain([("tar", &plain[..])]) {
        for length in 0..bytes.len() {
            let Ok(analysis) = support::open(&bytes[..length]) else { continue };
            let report = analysis.explain(&Query::Default);
            assert_ne!(report.verdict.status, Status::Free, "{name}, {length} bytes");
            // Without the end mark a tar looks as if it ended there; inside of a member it does not.
            let between = name == "tar" && (length % 512 == 0 || length >= end_of_members);
            let warned = !report.bundle.complete && !report.warnings.is_empty();
            assert!(warned || between, "{name}, {length} bytes: {:?}", report.warnings);
        }
    }
}

#[test]
fn a_bundle_with_flipped_bits_is_read_without_a_panic() {
    let plain = tar("b", 0, &small_bundle());
    let packed = gzip(&plain);
    for bytes in [&plain, &packed] {
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << (at % 8);
            if let Ok(analysis) = support::open(&damaged) {
                analysis.explain(&Query::Default);
            }
        }
    }
}
