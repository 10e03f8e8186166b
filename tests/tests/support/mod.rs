//! What the tests of the analyzer's answers share.
#![allow(dead_code, reason = "each test binary uses its part")]

pub(crate) mod cases;
pub(crate) mod docker;
pub(crate) mod page;
pub(crate) mod real;
pub(crate) mod said;

use ebusy_analyzer::report::{Effect, Holder, Report};
use ebusy_analyzer::{Analysis, OpenError, Query};
use ebusy_tests::demo;
use ebusy_tests::synth::{Content, Entry, tar};
use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::Path;

/// Reads a bundle.
pub(crate) fn open(bundle: &[u8]) -> Result<Analysis, OpenError> {
    Analysis::open(bundle, &mut |_| ControlFlow::Continue(()))
}

/// The answer for something that somebody typed.
pub(crate) fn ask(bundle: &[u8], query: &str) -> Report {
    open(bundle).expect("a good bundle opens").explain(&Query::Text(query.to_owned()))
}

/// The answer for the first busy error.
pub(crate) fn ask_default(bundle: &[u8]) -> Report {
    open(bundle).expect("a good bundle opens").explain(&Query::Default)
}

/// The holders with an effect.
pub(crate) fn with_effect(report: &Report, effect: Effect) -> Vec<&Holder> {
    report.holders.iter().filter(|holder| holder.effect == effect).collect()
}

/// Pids of every holder that blocks, ascending.
pub(crate) fn blocking_pids(report: &Report) -> Vec<u32> {
    pids(report, Effect::Blocking)
}

/// Pids of every holder with an effect, ascending.
pub(crate) fn pids(report: &Report, effect: Effect) -> Vec<u32> {
    let mut pids: Vec<u32> = with_effect(report, effect).into_iter().flat_map(|h| h.pids.clone()).collect();
    pids.sort_unstable();
    pids.dedup();
    pids
}

/// Everything that the report wants typed, in one string.
pub(crate) fn commands(holder: &Holder) -> String {
    holder.remedies.iter().map(|remedy| remedy.command.as_str()).collect::<Vec<_>>().join("\n")
}

/// What `grep ID /proc/[0-9]*/mountinfo` printed, and the error before it.
pub(crate) const PASTED: &str = concat!(
    "Error response from daemon: Driver devicemapper failed to remove root filesystem ",
    "89f5c1a2b3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e: Device is Busy\n",
    "/proc/4241/mountinfo:245 201 253:3 / ",
    "/var/lib/docker/devicemapper/mnt/89f5c1a2b3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e ",
    "rw,relatime - ext4 ",
    "/dev/mapper/docker-253:0-4711-89f5c1a2b3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e rw\n",
);

/// The demo's host with so many tables, no two alike, that nobody has read them before the mouse is at the button.
pub(crate) fn write_big_bundle(path: &Path, size: usize) {
    let host = demo::host();
    let table = host.mounts.mountinfo(host.ns, "/");
    // The end of a tar is two blocks of zeros, which would be in the middle here.
    let without_end = |mut tar: Vec<u8>| {
        let end = tar.iter().rposition(|byte| *byte != 0).map_or(0, |last| (last + 1).next_multiple_of(512));
        tar.truncate(end);
        tar
    };
    let mut file = std::io::BufWriter::new(std::fs::File::create(path).expect("a file can be made"));
    let mut written = 0;
    let mut pid = 100_000;
    let start: Vec<Entry> = host
        .entries()
        .into_iter()
        .filter(|entry| !matches!(entry.content, Content::Same(_)))
        .take(40)
        .collect();
    file.write_all(&without_end(tar(&host.top(), 0, &start))).expect("the disk has room");
    while written < size {
        let many = table.repeat(256).replace("relatime", &format!("relatime{pid}"));
        let chunk = without_end(tar(&host.top(), 0, &[Entry::file(format!("proc/{pid}/mountinfo"), many)]));
        file.write_all(&chunk).expect("the disk has room");
        (written, pid) = (written + chunk.len(), pid + 1);
    }
    file.flush().expect("the disk has room");
}
