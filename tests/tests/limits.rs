//! Inputs that stand for far more than they are: each ends early, with a word that names the limit, and what came before
//! is still told. Most of them never end by themselves, so that reading on would never return.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

mod support;

use ebusy_analyzer::archive::Limits;
use ebusy_analyzer::report::{Effect, HolderKind};
use ebusy_analyzer::{Analysis, Query, report};
use ebusy_tests::synth::{Driver, Entry, Host, Propagation, Run, gzip, tar};
use std::io::{Chain, Cursor, Read, Write as _};
use std::ops::ControlFlow;

const MIB: u64 = 1 << 20;

fn small() -> Limits {
    Limits {
        member: MIB,
        whole: 4 * MIB,
        line: MIB / 16,
        unpacked: 16 * MIB,
        kept: 8 * MIB,
        members: 20_000,
        ..Limits::default()
    }
}

fn open(input: impl Read, limits: &Limits) -> Analysis {
    Analysis::open_within(input, limits, &mut |_| ControlFlow::Continue(())).expect("a host is in it")
}

/// A tar with one container's host and no end mark, so that members can follow.
fn host() -> (Vec<u8>, String) {
    let mut host = Host::new("db7", "6.1.0-50-amd64");
    host.docker_overlay2("20.10.5");
    let web = host.run(&Run::new("web", "nginx:1.13"));
    let mut bytes = tar("b", 0, &host.entries());
    bytes.truncate(bytes.len() - 1024);
    (bytes, web.id)
}

/// A tar header for a file of this kind, name and size.
fn header(kind: tar::EntryType, name: &str, size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_path(name).expect("a short name");
    header.set_size(size);
    header.set_mode(0o600);
    header.set_cksum();
    header
}

/// The host, then `more`.
fn followed_by<R: Read>(more: R) -> Chain<Cursor<Vec<u8>>, R> {
    Cursor::new(host().0).chain(more)
}

/// The same bytes again and again, for ever.
struct Endless<'a>(std::iter::Cycle<std::slice::Iter<'a, u8>>);

fn endless(bytes: &[u8]) -> Endless<'_> {
    Endless(bytes.iter().cycle())
}

impl Read for Endless<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        for (to, from) in buffer.iter_mut().zip(&mut self.0) {
            *to = *from;
        }
        Ok(buffer.len())
    }
}

/// The limit is named, the bundle is not called whole, and the container of the part before is there.
#[track_caller]
fn assert_limited(analysis: &Analysis, limit: &str) {
    let report = analysis.explain(&Query::Text("web".into()));
    assert!(report.target.found, "what came before is still told");
    let said: Vec<&str> = report.warnings.iter().map(|w| w.message.as_str()).collect();
    assert!(
        said.iter().any(|message| message.contains(&format!("the limit '{limit}'"))),
        "{limit}: {said:?}"
    );
}

fn zeros_after_host(mib: usize) -> Vec<u8> {
    let (mut bytes, _) = host();
    bytes.extend_from_slice(header(tar::EntryType::Regular, "b/var/log/huge.bin", 1 << 33).as_bytes());
    bytes.resize(bytes.len() + (mib << 20), 0);
    bytes
}

#[test]
fn a_bomb_in_each_compression_ends_at_the_limit() {
    let bomb = zeros_after_host(40);
    let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
    bzip2.write_all(&bomb).expect("memory");
    let zstd = ruzstd::encoding::compress_to_vec(&bomb[..], ruzstd::encoding::CompressionLevel::Fastest);
    let mut xz =
        lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(1)).expect("memory");
    xz.write_all(&bomb).expect("memory");
    let (xz, bzip2) = (xz.finish().expect("memory"), bzip2.finish().expect("memory"));
    for (name, packed) in [("gzip", gzip(&bomb)), ("bzip2", bzip2), ("zstd", zstd), ("xz", xz)] {
        assert!(packed.len() < 1 << 20, "{name}: {} bytes are a bomb", packed.len());
        assert_limited(&open(&packed[..], &small()), "unpacked");
    }
}

#[test]
fn gzip_without_end_ends_at_the_limit() {
    let first = gzip(&zeros_after_host(1));
    let zeros = gzip(&vec![0; 4 << 20]);
    assert_limited(&open(Cursor::new(first).chain(endless(&zeros)), &small()), "unpacked");
}

#[test]
fn a_zip_whose_members_all_are_the_same_bytes_ends_at_the_limit() {
    let analysis = open(&overlapping_zip()[..], &small());
    let said: Vec<String> = analysis.overview().warnings.into_iter().map(|w| w.message).collect();
    let met = |m: &String| m.contains("the limit 'unpacked'") || m.contains("the limit 'kept'");
    assert!(said.iter().any(met), "{said:?}");
}

/// A process, and a thousand directory records that all point to one MiB of zeros.
fn overlapping_zip() -> Vec<u8> {
    let deflate = |data: &[u8]| {
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(data).expect("memory");
        encoder.finish().expect("memory")
    };
    let (mut zip, mut directory, mut count) = (Vec::new(), Vec::new(), 0_u16);
    let mut record = |name: &str, at: usize, packed: usize, size: usize| {
        directory
            .extend_from_slice(b"PK\x01\x02\x14\x00\x14\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00");
        directory.extend_from_slice(&(packed as u32).to_le_bytes());
        directory.extend_from_slice(&(size as u32).to_le_bytes());
        directory.extend_from_slice(&(name.len() as u16).to_le_bytes());
        directory.extend_from_slice(&[0; 12]);
        directory.extend_from_slice(&(at as u32).to_le_bytes());
        directory.extend_from_slice(name.as_bytes());
        count += 1;
    };
    let table = b"21 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n";
    for (name, data) in [("proc/1/mountinfo", &table[..]), ("var/log/messages", &vec![0; 1 << 20])] {
        let packed = deflate(data);
        let at = zip.len();
        zip.extend_from_slice(b"PK\x03\x04\x14\x00\x00\x00\x08\x00");
        zip.extend_from_slice(&[0; 16]);
        zip.extend_from_slice(&(name.len() as u16).to_le_bytes());
        zip.extend_from_slice(&[0; 2]);
        zip.extend_from_slice(name.as_bytes());
        zip.extend_from_slice(&packed);
        let times = if name.ends_with("messages") { 1000 } else { 1 };
        for _ in 0..times {
            record(name, at, packed.len(), data.len());
        }
    }
    let at = zip.len() as u32;
    let length = directory.len() as u32;
    zip.extend_from_slice(&directory);
    zip.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    zip.extend_from_slice(&[count.to_le_bytes(), count.to_le_bytes()].concat());
    zip.extend_from_slice(&[length.to_le_bytes(), at.to_le_bytes()].concat());
    zip.extend_from_slice(&[0; 2]);
    zip
}

#[test]
fn members_without_end_end_at_the_limit() {
    let empty = header(tar::EntryType::Regular, "b/etc/x", 0);
    assert_limited(&open(followed_by(endless(empty.as_bytes())), &small()), "members");
}

#[test]
fn a_name_without_end_ends_at_the_limit() {
    for kind in [tar::EntryType::GNULongName, tar::EntryType::GNULongLink, tar::EntryType::XHeader] {
        let long = header(kind, "b/long", 1 << 33);
        let more = Cursor::new(long.as_bytes().to_vec()).chain(endless(b"/a"));
        assert_limited(&open(followed_by(more), &small()), "header");
    }
}

#[test]
fn a_name_of_a_mebibyte_is_read() {
    let name = format!("b/{}", "n".repeat(1 << 20));
    let mut bytes = host().0;
    bytes.extend_from_slice(&tar("", 0, &[Entry::file(name, "x"), Entry::file("b/proc/77/comm", "late\n")]));
    let analysis = open(&bytes[..], &small());
    let late = analysis.snapshot().processes.values().any(|p| p.comm == b"late");
    assert!(late, "{:?}", analysis.overview().warnings);
}

#[test]
fn a_sparse_file_is_only_as_long_as_the_limit() {
    for name in ["b/var/log/messages", "b/holes.bin", "b/holes.txt"] {
        let mut sparse = header(tar::EntryType::GNUSparse, name, 0);
        let gnu = sparse.as_gnu_mut().expect("GNU's form");
        // One terabyte of hole.
        gnu.realsize.copy_from_slice(b"20000000000\0");
        gnu.sparse[0].offset.copy_from_slice(b"20000000000\0");
        gnu.sparse[0].numbytes.copy_from_slice(b"00000000000\0");
        sparse.set_cksum();
        let more =
            [sparse.as_bytes().to_vec(), tar("", 0, &[Entry::file("b/proc/77/comm", "late\n")])].concat();
        let analysis = open(followed_by(&more[..]), &small());
        let overview = analysis.overview();
        let limits = overview.warnings.iter().filter(|w| w.message.contains("the limit '"));
        let late = analysis.snapshot().processes.values().any(|p| p.comm == b"late");
        assert!(limits.count() > 0 || late, "{name}: {:?}", overview.warnings);
    }
}

#[test]
fn a_line_without_end_ends_at_the_limit() {
    let mount = b"21 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n".to_vec();
    let analysis = open(Cursor::new(mount).chain(endless(b"a")), &small());
    let warnings = analysis.overview().warnings;
    for limit in ["line", "unpacked"] {
        assert!(
            warnings.iter().any(|w| w.message.contains(&format!("the limit '{limit}'"))),
            "{limit}: {warnings:?}"
        );
    }
}

#[test]
fn lines_without_end_end_at_the_limit() {
    let mount = b"21 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n".to_vec();
    let analysis = open(Cursor::new(mount).chain(endless(b"whatever\n")), &small());
    let warnings = analysis.overview().warnings;
    assert!(warnings.iter().any(|w| w.message.contains("the limit 'whole'")), "{warnings:?}");
}

/// What an error says stands in the part that is kept, and so does what comes after it.
#[test]
fn after_a_line_above_the_limit_the_next_ones_are_read() {
    let text = format!(
        "rmdir: failed to remove '/srv/a': Device or resource busy {}\nrmdir: failed to remove '/srv/b': Device or resource busy\n",
        "x".repeat(1 << 20)
    );
    let analysis = open(text.as_bytes(), &small());
    let paths: Vec<_> = analysis.snapshot().errors.iter().filter_map(|e| e.path.clone()).collect();
    assert!(paths.iter().any(|p| p == "/srv/a") && paths.iter().any(|p| p == "/srv/b"), "{paths:?}");
    let cut = analysis.overview().warnings.into_iter().find(|w| w.code == "line-too-long");
    assert!(cut.is_some_and(|w| w.message.contains("Of 1 long lines")));
}

#[test]
fn a_file_above_the_limit_is_left_out_and_named() {
    let huge = header(tar::EntryType::Regular, "b/var/log/messages", 2 * MIB);
    let mut more = huge.as_bytes().to_vec();
    more.resize(more.len() + (2 << 20), b'a');
    let analysis = open(followed_by(&more[..]), &small());
    assert_limited(&analysis, "member");
    let named = analysis.overview().warnings.into_iter().find(|w| w.code == "file-too-large");
    assert_eq!(named.and_then(|w| w.file).as_deref(), Some("var/log/messages"));
}

#[test]
fn all_members_together_end_at_the_limit() {
    let log = Entry::file("b/var/log/messages", vec![b'a'; 1 << 20]);
    let mut one = tar("", 0, &[log]);
    one.truncate(one.len() - 1024);
    assert_limited(&open(followed_by(endless(&one)), &small()), "kept");
}

#[test]
fn processes_beyond_the_limit_are_left_out_and_the_answer_is_not_called_complete() {
    let processes = (1000..1500).map(|pid| Entry::file(format!("b/proc/{pid}/comm"), "x\n"));
    let mut bytes = host().0;
    bytes.extend_from_slice(&tar("", 0, &processes.collect::<Vec<_>>()));
    let analysis = open(&bytes[..], &Limits { processes: 100, ..small() });
    assert_limited(&analysis, "processes");
    assert_eq!(analysis.overview().bundle.processes, 100);
    assert!(!analysis.overview().bundle.complete);
    let all = open(&bytes[..], &small());
    assert!(all.overview().bundle.processes > 500, "{}", all.overview().bundle.processes);
}

#[test]
fn archives_in_archives_are_not_followed_for_ever() {
    let (bundle, _) = host();
    let mut nested = bundle.clone();
    for _ in 0..40 {
        nested = gzip(&tar("", 0, &[Entry::file("b/proc/9/comm", "x\n"), Entry::file("in.tar.gz", nested)]));
    }
    let analysis = open(&nested[..], &small());
    assert!(analysis.hosts().len() <= 2, "{:?}", analysis.hosts());
    let mut layers = bundle;
    for _ in 0..40 {
        layers = gzip(&layers);
    }
    let opened = Analysis::open_within(&layers[..], &small(), &mut |_| ControlFlow::Continue(()));
    assert_eq!(opened.err().map(|e| e.code), Some("unknown-format"));
}

#[test]
fn links_to_nowhere_later_and_in_circles_duplicates_and_odd_names_are_read_and_nothing_is_written() {
    let (mut bytes, _) = host();
    let link = |name: &str, to: &str| {
        let mut header = header(tar::EntryType::Link, name, 0);
        header.set_link_name(to).expect("a short name");
        header.set_cksum();
        header.as_bytes().to_vec()
    };
    for (name, to) in [
        ("b/proc/501/mountinfo", "b/proc/502/mountinfo"),
        ("b/proc/502/mountinfo", "b/proc/501/mountinfo"),
        ("b/proc/503/mountinfo", "b/proc/503/mountinfo"),
        ("b/proc/504/mountinfo", "b/proc/999/mountinfo"),
        ("b/proc/505/mountinfo", "b/proc/600/mountinfo"),
    ] {
        bytes.extend_from_slice(&link(name, to));
    }
    let canary = std::env::temp_dir().join(format!("ebusy-limits-{}", std::process::id()));
    for kind in [tar::EntryType::Char, tar::EntryType::Block, tar::EntryType::Fifo, tar::EntryType::Directory]
    {
        bytes.extend_from_slice(header(kind, "b/dev/sda", 0).as_bytes());
    }
    let table = "621 1 8:9 / / rw - ext4 /dev/sdi rw\n";
    let mut odd = Vec::new();
    for name in [
        &format!("../../../../../..{}", canary.display()),
        canary.to_str().expect("UTF-8"),
        "b/proc/600/mountinfo",
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_size(table.len() as u64);
        // As bytes: the crate refuses such names.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        odd.extend_from_slice(header.as_bytes());
        odd.extend_from_slice(table.as_bytes());
        odd.resize(odd.len().div_ceil(512) * 512, 0);
    }
    bytes.extend_from_slice(&[odd.clone(), odd].concat());
    let analysis = open(&bytes[..], &small());
    let snapshot = analysis.snapshot();
    let table_of =
        |pid: u32| snapshot.processes.get(&ebusy_analyzer::snapshot::Pid(pid)).and_then(|p| p.table);
    assert!(table_of(600).is_some() && table_of(505) == table_of(600), "a later member is found");
    for pid in [501, 502, 503, 504] {
        assert!(table_of(pid).is_none(), "{pid}");
    }
    assert!(!canary.exists(), "nothing is written by a name from an archive");
}

/// Everything that has a name is called by a megabyte, again and again.
fn host_of_long_names() -> (Vec<u8>, String) {
    let long = |letter: &str| letter.repeat(1 << 20);
    let mut host = Host::new(&long("h"), "3.10.0-514.el7.x86_64");
    let ns = host.ns;
    host.docker_in(Driver::DeviceMapper, "17.05.0-ce", ns);
    let web = host.run(&Run::new("web", &long("i")));
    host.run(&Run::new(&long("c"), "agent").args(&[&long("a")]).volume("/", &format!("/{}", long("v"))));
    for number in 0..2 {
        let namespace = host.mounts.copy_with(ns, Propagation::Private);
        let pid = host.spawn_in(namespace, &long("p"), &[&long("q"), &long("r")]);
        host.link(pid, "fd/3", &format!("{}/{number}{}", web.rootfs, long("f")), "reg");
        host.mounts.bind(namespace, &web.rootfs, &format!("/srv/{number}{}", long("m")), false);
    }
    host.stop(&web);
    host.docker_log(&format!("level=error msg=\"remove /srv/data/{}: device or resource busy\"", long("l")));
    host.docker_log(&web.device_is_busy());
    (host.bundle(), web.id)
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("it is JSON")
}

#[test]
fn a_name_of_a_megabyte_is_cut_before_it_is_shown() {
    let (bundle, id) = host_of_long_names();
    let analysis = open(&bundle[..], &Limits::default());
    let mut outputs: Vec<(&str, String)> = Vec::new();
    for query in [Query::Text(id), Query::Error(0), Query::Error(1), Query::Text("/srv".into())] {
        let report = analysis.explain(&query);
        outputs.push(("report", json(&report)));
        outputs.push(("text", report::text::render(&report)));
        outputs.push(("Markdown", report::markdown::render(&report)));
        for remedy in report.holders.iter().flat_map(|h| &h.remedies).chain(&report.next_steps) {
            assert!(!remedy.command.contains('…'), "a command with a part of a name: {}", remedy.command);
        }
    }
    outputs.push(("overview", json(&analysis.overview())));
    outputs.push(("census", json(&analysis.census())));
    outputs.push(("hosts", json(&analysis.hosts())));
    outputs.push(("fleet", json(&analysis.fleet_lines("bundle"))));
    for namespace in analysis.namespaces() {
        outputs.push(("tree", json(&analysis.mount_tree(&namespace.key))));
        outputs.push(("namespace", json(&namespace)));
    }
    for (what, output) in &outputs {
        assert!(output.len() < 1 << 20, "{what}: {} bytes", output.len());
    }
    let cut = outputs.iter().filter(|(_, output)| output.contains("bytes) …")).count();
    assert!(cut > 10, "{cut} outputs tell that something was cut");
}

/// Found by asking what a log of as many failures does: 200,000 took 24 s and 640 MB.
#[test]
fn of_a_flood_of_different_errors_the_last_are_kept() {
    let line = |n: u32| {
        format!(
            "2026-01-02T03:04:05Z host dockerd[8]: unlinkat /var/lib/docker/overlay2/{n:064x}/merged: device or resource busy\n"
        )
    };
    let text: String = (1..=21_000).map(line).collect();
    let analysis = open(text.as_bytes(), &Limits::default());
    let overview = analysis.overview();
    assert_eq!(overview.errors.len(), 10_000);
    let path = |n: u32| Some(format!("/var/lib/docker/overlay2/{n:064x}/merged"));
    assert!(overview.errors.iter().any(|e| e.path == path(21_000)), "the last one is there");
    assert!(overview.errors.iter().all(|e| e.path != path(1)), "the first one is not");
    let note = overview.warnings.iter().find(|w| w.code == "errors-left-out").expect("it is said");
    assert!(note.message.contains("11000 more"), "{}", note.message);
}

#[test]
fn of_more_holders_than_anybody_reads_the_first_are_told_and_all_judged() {
    let layer = "3f".repeat(32);
    let line = |pid: u32, id: u32| {
        format!(
            "/proc/{pid}/mountinfo:{id} 1 253:3 / /var/lib/docker/devicemapper/mnt/{layer} rw - xfs /dev/mapper/docker-8:1-1-{layer} rw\n"
        )
    };
    let text: String = (1..=1_200).map(|n| line(n + 100, n * 10)).collect();
    let report = open(text.as_bytes(), &Limits::default()).explain(&Query::Text(layer));
    assert_eq!(report.holders.len(), 1_000);
    assert!(report.verdict.summary.contains("1198 more"), "{}", report.verdict.summary);
    let note = report.warnings.iter().find(|w| w.code == "not-all-listed").expect("it is said");
    assert!(note.message.starts_with("1200 holders have 1200 mounts"), "{}", note.message);
}

/// Found by asking large hosts about directories: 120 MB of JSON, which no browser opens.
#[test]
fn of_the_mounts_of_many_holders_the_first_of_each_are_listed() {
    let mut host = Host::new("crowded1", "3.10.0-514.el7.x86_64");
    host.docker_devicemapper("17.05.0-ce");
    for number in 0..40 {
        host.run(&Run::new(&format!("app-{number:02}"), "acme/app:1"));
    }
    for number in 0..60 {
        let namespace = host.mounts.copy_with(host.ns, Propagation::Private);
        host.spawn_in(namespace, &format!("agent-{number:02}"), &["/usr/bin/agent"]);
    }
    let analysis = open(&host.bundle()[..], &Limits::default());
    let report = analysis.explain(&Query::Text("/var/lib/docker/devicemapper/mnt".into()));
    let copies: Vec<_> = report.holders.iter().filter(|h| h.kind == HolderKind::Unshared).collect();
    assert_eq!(copies.len(), 60, "{}", report.verdict.summary);
    let all = 61 * 40 + 40;
    let note = report.warnings.iter().find(|w| w.code == "not-all-listed").expect("it is said");
    assert!(note.message.contains(&format!("101 holders have {all} mounts")), "{}", note.message);
    let listed: usize = report.holders.iter().map(|h| h.mounts.len()).sum();
    assert!((1_900..=2_000).contains(&listed), "{listed}");
    assert!(copies.iter().all(|h| h.mounts.len() == copies[0].mounts.len() && h.effect == Effect::Blocking));
    assert!(report.namespaces.iter().all(|n| n.mounts.len() <= copies[0].mounts.len()));
    assert!(report.target.aliases.iter().all(|alias| alias.evidence.len() <= 100));
    let one = analysis.explain(&Query::Text("app-07".into()));
    assert!(one.warnings.iter().all(|w| w.code != "not-all-listed"), "{:?}", one.warnings);
}
