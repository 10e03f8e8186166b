//! What is fuzzed. A target panics where the analyzer does, or where one of its promises does not hold.

use crate::seeds;
use ebusy_analyzer::archive::{self, Content, End, Entry, Limits, Want};
use ebusy_analyzer::parse::{
    cgroup, container_list, device_tools, device_trees, fuser, kernel_release, links, lsof, mountinfo,
    mounts_table, namespace_link, process_files, process_list, runtime_state, security_label,
    systemctl_status,
};
use ebusy_analyzer::report::link::{self, Fragment, LinkError};
use ebusy_analyzer::report::{Report, markdown, redact, saved, text};
use ebusy_analyzer::snapshot::Hosts;
use ebusy_analyzer::{Analysis, Query, bytes, census, diff, errors, fleet};
use std::fs;
use std::ops::ControlFlow;

/// A function that must return, whatever the bytes.
#[derive(Clone, Copy)]
pub struct Target {
    /// Name on the command line.
    pub name: &'static str,
    /// Inputs to begin with.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Reads bytes.
    pub run: fn(&[u8]),
    /// Inputs of the short run: as many as take a few seconds unoptimized.
    pub short: u32,
}

/// All of them.
pub const TARGETS: [Target; 17] = [
    Target { name: "mountinfo", seeds: || seeds::lines("/mountinfo"), run: mountinfo, short: 40_000 },
    Target { name: "mounts-table", seeds: seeds::listed_mounts, run: mounts_table, short: 40_000 },
    Target { name: "cgroup", seeds: || seeds::files("/cgroup"), run: cgroup, short: 10_000 },
    Target { name: "links", seeds: || seeds::files("/links"), run: links, short: 10_000 },
    Target { name: "process-files", seeds: process_seeds, run: process_files, short: 10_000 },
    Target { name: "runtime-state", seeds: seeds::runtime_states, run: runtime_state, short: 5_000 },
    Target { name: "tools", seeds: seeds::pastes, run: tools, short: 2_000 },
    Target { name: "names", seeds: name_seeds, run: names, short: 20_000 },
    Target { name: "log", seeds: || seeds::lines("journal.log"), run: log, short: 2_000 },
    Target { name: "paste", seeds: seeds::pastes, run: report_of_bytes, short: 400 },
    Target { name: "archive", seeds: seeds::archives, run: archive, short: 1_000 },
    Target { name: "bundle", seeds: seeds::archives, run: report_of_bytes, short: 60 },
    Target { name: "members", seeds: || vec![seeds::members()], run: members, short: 60 },
    Target { name: "report-json", seeds: report_seeds, run: report_json, short: 100 },
    Target { name: "link", seeds: seeds::links, run: link, short: 2_000 },
    Target { name: "link-payload", seeds: seeds::link_payloads, run: link_payload, short: 2_000 },
    Target { name: "saved", seeds: seeds::saved, run: saved, short: 200 },
];

/// CPU time of this thread in nanoseconds (proc_pid_schedstat); 0 where the kernel does not tell.
pub fn cpu_time() -> u64 {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    stat.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0)
}

/// The target of that name.
pub fn named(name: &str) -> Option<Target> {
    TARGETS.into_iter().find(|target| target.name == name)
}

fn process_seeds() -> Vec<Vec<u8>> {
    ["/stat", "/status", "/cmdline"].iter().flat_map(|name| seeds::files(name)).collect()
}

fn name_seeds() -> Vec<Vec<u8>> {
    [
        "mnt:[4026531840]",
        "docker-default (enforce)",
        "system_u:system_r:container_t:s0",
        "Linux version 3.10.0-514.el7.x86_64 (x@y)",
        "/var/lib/docker\\040a/b",
        "it's $(x)",
    ]
    .iter()
    .map(|text| text.as_bytes().to_vec())
    .collect()
}

fn report_seeds() -> Vec<Vec<u8>> {
    let analysis = open(&seeds::archives()[0]).expect("a good bundle opens");
    vec![serde_json::to_vec(&analysis.explain(&Query::Default)).expect("a report is JSON")]
}

/// A line that is understood can be put together again from its parts.
fn mountinfo(data: &[u8]) {
    for line in data.split(|&b| b == b'\n') {
        match mountinfo::parse_line(line) {
            Ok(mount) => {
                let again = mount.to_line();
                let reread = mountinfo::parse_line(&again).expect("what was printed is a line");
                assert_eq!(reread.to_line(), again, "printing is stable");
                let _ = (mount.root(), mount.mount_point(), mount.source(), mount.shared(), mount.master());
                let _ = (mount.super_option(b"upperdir"), mount.super_options_named(b"lowerdir+"));
            }
            Err(bad) => assert!(bad.column >= 1 && bad.column <= line.len() + 1, "{}", bad.column),
        }
    }
}

fn mounts_table(data: &[u8]) {
    for (number, line) in (1..).zip(data.split(|&b| b == b'\n')) {
        mounts_table::parse_line(line, number);
    }
}

fn cgroup(data: &[u8]) {
    cgroup::parse(data);
}

fn links(data: &[u8]) {
    links::listing(data);
    links::stat_listing(data);
}

fn process_files(data: &[u8]) {
    process_files::stat(data);
    process_files::status(data);
    process_files::cmdline(data);
}

fn runtime_state(data: &[u8]) {
    runtime_state::containers(data);
    runtime_state::docker(data);
}

fn tools(data: &[u8]) {
    device_tools::dmsetup_info(data);
    device_tools::dmsetup_blocks(data);
    device_tools::losetup(data);
    device_tools::losetup_table(data);
    device_tools::rbd_showmapped(data);
    device_tools::zfs(data);
    device_tools::swapon(data);
    device_trees::lsblk(data);
    device_trees::dmsetup_ls(data);
    fuser::parse(data);
    systemctl_status::parse(data);
    container_list::parse(data);
    process_list::parse(data);
    lsof::parse(data);
}

fn names(data: &[u8]) {
    namespace_link::parse(data);
    kernel_release::parse(data);
    security_label::confinement(&String::from_utf8_lossy(data));
    bytes::decode_octal(data);
    let visible = bytes::visible(data);
    assert!(!visible.chars().any(char::is_control), "{visible:?}");
    let quoted = bytes::shell_quote(data);
    assert!(!quoted.contains('\n') || data.contains(&b'\n'));
    let (a, b) = data.split_at(data.len() / 2);
    if bytes::is_at_or_below(a, b) {
        assert!(bytes::contains_path(a, b) || bytes::components(b).next().is_none());
    }
}

fn log(data: &[u8]) {
    for error in errors::scan(data) {
        assert!(error.count > 0);
    }
}

/// Only the reading of the archive, nothing of its members.
fn archive(data: &[u8]) {
    let mut seen = 0_usize;
    let all = |path: &[u8]| if path.len().is_multiple_of(2) { Want::Bytes } else { Want::Text };
    let mut visit = |entry: Entry<'_>| {
        if let Content::File(bytes) = entry.content {
            seen += bytes.len();
        }
    };
    let end = archive::read_entries(data, &limits(), &mut |_| ControlFlow::Continue(()), &all, &mut visit);
    if let Err(error) = end {
        assert!(!error.message.is_empty() && !error.advice.is_empty());
    }
}

fn open(data: &[u8]) -> Option<Analysis> {
    Analysis::open_within(data, &limits(), &mut |_| ControlFlow::Continue(())).ok()
}

/// Small ones: what is unpacked counts as input, and an input is at most a MiB.
fn limits() -> Limits {
    Limits { member: 1 << 20, whole: 1 << 20, unpacked: 4 << 20, kept: 2 << 20, ..Limits::default() }
}

fn report_of_bytes(data: &[u8]) {
    if let Some(analysis) = open(data) {
        everything(&analysis);
    }
}

/// Members told by a text, see [`seeds::members`].
fn members(data: &[u8]) {
    let mut hosts = Hosts::default();
    let mut rest = data;
    while let Some(at) = find(rest, seeds::NEXT) {
        rest = &rest[at + seeds::NEXT.len()..];
        let member = &rest[..find(rest, seeds::NEXT).unwrap_or(rest.len())];
        let name_end = member.iter().position(|&b| b == b'\n').unwrap_or(member.len());
        let (name, content) = (&member[..name_end], member.get(name_end + 1..).unwrap_or_default());
        let (path, content) = match name {
            [b'>', path @ ..] => (path, Content::Symlink(content)),
            [b'=', path @ ..] => (path, Content::HardLink(content)),
            path => (path, Content::File(content)),
        };
        hosts.add(Entry { archive: b"", path, content });
    }
    if let Ok(analysis) = Analysis::of(hosts, &End::Complete) {
        everything(&analysis);
    }
}

fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    text.windows(needle.len()).position(|window| window == needle)
}

/// All that a user can ask for; what it says must be JSON that reads back as the same.
fn everything(analysis: &Analysis) {
    let overview = analysis.overview();
    let mut queries = vec![Query::Default, Query::Error(usize::MAX), Query::Text("253:3".into())];
    queries.extend((0..overview.errors.len().min(2)).map(Query::Error));
    queries.extend(overview.containers.first().map(|c| Query::Text(c.id.clone())));
    for query in &queries {
        let report = analysis.explain(query);
        let json = serde_json::to_string(&report).expect("a report is JSON");
        let again: Report = serde_json::from_str(&json).expect("a report's JSON is a report");
        assert_eq!(report, again);
        text::render(&report);
        markdown::render(&report);
        diff::text::render(&diff::of_reports(&report, &again));
        redact::redact(&report, &redact::KINDS);
    }
    let taken = analysis.census();
    census::text::render(&taken);
    census::markdown::render(&taken);
    diff::markdown::render(&diff::of_censuses(analysis, analysis));
    let mut tally = fleet::Tally::default();
    let lines = analysis.fleet_lines("fuzzed");
    lines.iter().for_each(|line| tally.add(line));
    fleet::text::render(&tally.fleet(), &lines);
    for namespace in analysis.namespaces() {
        analysis.mount_tree(&namespace.key);
    }
}

/// A report that somebody else wrote.
fn report_json(data: &[u8]) {
    if let Ok(report) = serde_json::from_slice::<Report>(data) {
        text::render(&report);
        markdown::render(&report);
        diff::of_reports(&report, &report);
    }
}

/// A link from a stranger, as text.
fn link(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    match link::open(text) {
        Some(Ok(fragment)) => opened(fragment),
        Some(Err(error)) => assert!(!error.message().is_empty() && !error.advice().is_empty()),
        None => {}
    }
}

/// The same below its base64, of a report or of a view, and below its compression: the first byte chooses.
fn link_payload(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else { return };
    let start = if kind & 1 == 0 { "#r=" } else { "#v=" };
    let packed = if kind & 2 == 0 { rest.to_vec() } else { seeds::stored(rest) };
    link(format!("{start}1.{}", seeds::base64url(&packed)).as_bytes());
}

/// What a link says is shown, and passed on as a link that says the same.
fn opened(fragment: Fragment) {
    match fragment {
        Fragment::Report(shared) => {
            text::render(&shared.report);
            markdown::render(&shared.report);
            let (again, shown) = link::report_fragment(&shared, usize::MAX);
            is_same(&again, Fragment::Report(Box::new(shown)));
        }
        Fragment::View(view) => is_same(&view.fragment(), Fragment::View(view)),
    }
}

fn is_same(link: &str, fragment: Fragment) {
    match link::open(link) {
        // What was packed better than ebusy packs may need more room than a link has.
        Some(Err(LinkError::TooLong)) => {}
        opened => assert_eq!(opened, Some(Ok(fragment))),
    }
}

/// The data in a saved page.
fn saved(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    if let Ok(saved) = saved::read(text) {
        text::render(&saved.shared.report);
        markdown::render(&saved.shared.report);
    }
}
