//! `cargo xtask bombs`: inputs that stand for far more than they are, at full size, through the real command with its
//! usual limits; and hosts that have very many things of one kind. `tests/tests/limits.rs` and `multitudes.rs` have each
//! kind in small, and more of them.

use crate::programs;
use crate::spent::{self, Spent};
use crate::workspace::Workspace;
use anyhow::{Context as _, Result, bail};
use ebusy_tests::multitude::Many;
use ebusy_tests::synth::{Entry, Host, Run, gzip, tar};
use lzma_rust2::{XzOptions, XzWriter};
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const MIB: usize = 1 << 20;
/// More is a fault.
const MOST_MEMORY_MIB: u64 = 256;
const MOST_TIME: Duration = Duration::from_secs(180);

/// Something written into the command, and the limit that it must meet.
struct Bomb {
    name: &'static str,
    limit: &'static str,
    write: fn(&mut dyn Write) -> io::Result<()>,
}

const BOMBS: [Bomb; 6] = [
    Bomb { name: "gzip, 16 GiB of zeros", limit: "unpacked", write: gzip_zeros },
    Bomb { name: "xz, 16 GiB of zeros", limit: "unpacked", write: xz_zeros },
    Bomb { name: "zstd, 16 GiB of zeros", limit: "unpacked", write: zstd_zeros },
    Bomb { name: "a tar of 10 million entries", limit: "members", write: ten_million_members },
    Bomb { name: "a million processes", limit: "processes", write: a_million_processes },
    Bomb { name: "a line of 4 GiB", limit: "line", write: a_long_line },
];

/// So many things of each kind of [`Many`].
const MANY: u32 = 20_000;
/// An answer about so many takes longer only where something is looked for among all of them for each of them.
const MOST_TIME_FOR_MANY: Duration = Duration::from_secs(10);

/// Runs them all and prints what each took. `EBUSY_BIN` names a command that is built already.
pub(crate) fn run_all() -> Result<()> {
    let ebusy = match std::env::var_os("EBUSY_BIN") {
        Some(built) => built.into(),
        None => programs::build(&Workspace::find()?, programs::WithPage::Nothing)?.ebusy,
    };
    println!("| input | limit | CPU time | peak memory |\n|---|---|---|---|");
    let mut wrong = Vec::new();
    for Bomb { name, limit, write } in BOMBS {
        let (spent, said) = feed(&ebusy, &[], write)?;
        let (cpu, peak) = (spent.cpu, spent.peak_bytes >> 20);
        println!("| {name} | {limit} | {:.1} s | {peak} MiB |", cpu.as_secs_f64());
        let is_named = said.contains(&format!("the limit '{limit}'"));
        if !is_named || peak > MOST_MEMORY_MIB || cpu > MOST_TIME || spent.status.code().is_none() {
            wrong.push(format!("{name} ({})", spent.status));
        }
    }
    for many in Many::ALL {
        let name = format!("{MANY} {}", many.name());
        let bundle = gzip(&tar("b", 0, &many.entries(MANY)));
        let write = move |to: &mut dyn Write| to.write_all(&bundle);
        let (spent, said) = feed(&ebusy, &["--id", many.query()], write)?;
        // Of the memory the most is what this process had when it made the bundle.
        println!("| {name} | | {:.1} s | |", spent.cpu.as_secs_f64());
        if !said.starts_with('{') || spent.cpu > MOST_TIME_FOR_MANY {
            wrong.push(format!("{name} ({})", spent.status));
        }
    }
    if !wrong.is_empty() {
        bail!("not bounded, or without a word that names the limit: {}", wrong.join(", "));
    }
    Ok(())
}

/// Writes an input into the command; what that took and what it said.
fn feed(
    ebusy: &Path,
    arguments: &[&str],
    write: impl FnOnce(&mut dyn Write) -> io::Result<()> + Send + 'static,
) -> Result<(Spent, String)> {
    let output = std::env::temp_dir().join(format!("ebusy-bomb-{}", std::process::id()));
    let file = std::fs::File::create(&output).context("cannot write into the temporary directory")?;
    let mut child = Command::new(ebusy)
        .args(["analyze", "-", "--format", "json"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stderr(file.try_clone()?)
        .stdout(file)
        .spawn()
        .context("cannot start ebusy")?;
    let begun = Instant::now();
    let input = child.stdin.take();
    let writer = std::thread::spawn(move || match input {
        // It stops reading at its limit.
        Some(mut pipe) => write(&mut pipe).is_ok(),
        None => false,
    });
    let spent = spent::wait(child, begun);
    writer.join().ok();
    let said = std::fs::read_to_string(&output).context("cannot read what it said")?;
    std::fs::remove_file(&output).ok();
    Ok((spent, said))
}

/// A host's tar without its end, so that members can follow.
fn host() -> Vec<u8> {
    let mut host = Host::new("bomb", "6.1.0-50-amd64");
    host.docker_overlay2("20.10.5");
    host.run(&Run::new("web", "nginx:1.13"));
    let mut bytes = tar("b", 0, &host.entries());
    bytes.truncate(bytes.len() - 1024);
    bytes
}

/// The host, and the header of a member of 16 GiB.
fn huge_member() -> Vec<u8> {
    let mut bytes = host();
    let mut header = tar::Header::new_gnu();
    header.set_size(16 << 30);
    header.set_mode(0o600);
    if header.set_path("b/var/log/huge").is_ok() {
        header.set_cksum();
        bytes.extend_from_slice(header.as_bytes());
    }
    bytes
}

fn gzip_zeros(to: &mut dyn Write) -> io::Result<()> {
    to.write_all(&gzip(&huge_member()))?;
    let zeros = gzip(&vec![0; 64 * MIB]);
    (0..256).try_for_each(|_| to.write_all(&zeros))
}

fn xz(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut writer = XzWriter::new(Vec::new(), XzOptions::with_preset(1))?;
    writer.write_all(bytes)?;
    writer.finish()
}

fn xz_zeros(to: &mut dyn Write) -> io::Result<()> {
    to.write_all(&xz(&huge_member())?)?;
    let zeros = xz(&vec![0; 64 * MIB])?;
    (0..256).try_for_each(|_| to.write_all(&zeros))
}

fn zstd_zeros(to: &mut dyn Write) -> io::Result<()> {
    let pack =
        |bytes: &[u8]| ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest);
    to.write_all(&pack(&huge_member()))?;
    let zeros = pack(&vec![0; 64 * MIB]);
    (0..256).try_for_each(|_| to.write_all(&zeros))
}

/// Entries of a tar without its end.
fn members(entries: &[Entry]) -> Vec<u8> {
    let mut bytes = tar("b", 0, entries);
    bytes.truncate(bytes.len() - 1024);
    bytes
}

fn ten_million_members(to: &mut dyn Write) -> io::Result<()> {
    to.write_all(&gzip(&host()))?;
    let some: Vec<Entry> = (0..10_000).map(|n| Entry::file(format!("etc/x{n}"), "")).collect();
    let packed = gzip(&members(&some));
    (0..1000).try_for_each(|_| to.write_all(&packed))
}

fn a_million_processes(to: &mut dyn Write) -> io::Result<()> {
    to.write_all(&host())?;
    (0..1000_u32).try_for_each(|thousand| {
        let some =
            (0..1000).map(|n| Entry::file(format!("proc/{}/comm", 1000 + thousand * 1000 + n), "sleep\n"));
        to.write_all(&members(&some.collect::<Vec<_>>()))
    })
}

fn a_long_line(to: &mut dyn Write) -> io::Result<()> {
    to.write_all(b"21 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n")?;
    let part = vec![b'a'; MIB];
    (0..4096).try_for_each(|_| to.write_all(&part))
}
