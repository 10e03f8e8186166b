//! The collector against `grep -l ID /proc/[0-9]*/mountinfo`, on a host made for it.
//!
//! The host is a pid namespace of its own: when its first process ends, all of it ends.

use super::Options;
use super::measure::{Pairs, run};
use super::table::Row;
use crate::programs;
use crate::workspace::Workspace;
use anyhow::{Context as _, Result, bail};
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The host that the goals are set for.
const PROCESSES: usize = 2000;
const MOUNTS: usize = 500;
/// Processes in each mount namespace.
const TOGETHER: usize = 10;
/// Hosts that show how time grows.
const GROWTH: [usize; 3] = [200, 1000, 5000];
const GROWTH_ROUNDS: usize = 3;

/// Makes the host: the mounts once, then namespaces that copy them, and in each its share of the processes.
/// `$1` directory, `$2` mounts, `$3` namespaces, `$4` processes in each.
const HOST: &str = r#"
mount -t tmpfs bench "$1"
id=0123456789abcdef0123456789abcdef0123456789abcdef01234567
i=0; while [ $i -lt $2 ]; do
  mkdir -p "$1/overlay2/$id$(printf %08x $i)/merged"
  mount -t tmpfs -o size=4k,mode=700 overlay "$1/overlay2/$id$(printf %08x $i)/merged"
  i=$((i+1))
done
n=0; while [ $n -lt $3 ]; do
  unshare -m /bin/sh -c 'p=1; while [ $p -lt $0 ]; do sleep 100000 & p=$((p+1)); done; echo ready; exec sleep 100000' $4 &
  n=$((n+1))
done
wait
"#;
/// Logs that the collector is given once, to see its memory.
const LOGS: usize = 5;
/// An id that is in no table: grep stops at the first match of a file, and most files of a real host have none.
const GREP: &str = "grep -l 89abcdef0123456799999999 /proc/[0-9]*/mountinfo 2>/dev/null || :";
/// What the size is compared over: the files and links that the collector takes of each process.
const FILES: [&str; 6] = ["mountinfo", "cmdline", "comm", "stat", "status", "cgroup"];
const LINKS: [&str; 5] = ["ns", "fd", "root", "cwd", "exe"];

/// Runs the comparison; its details go to the terminal at once.
pub(super) fn measure(options: Options) -> Result<Vec<Row>> {
    let workspace = Workspace::find()?;
    let collector = programs::build(&workspace, None)?.collector;
    let scratch = Scratch::new()?;
    let host = Host::make(&scratch.0, PROCESSES)?;
    let (pairs, bundle) = compare(&collector, &scratch.0, options.rounds())?;
    let with_logs = peak_with_logs(&collector, &scratch.0)?;
    let plain = plain_archive(&scratch.0.join("copy"))?;
    drop(host);
    eprintln!("      of grep's processors' time: {}", pairs.cpu());
    let mib = |bytes: u64| format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20));
    let what = format!(
        "the collector, {PROCESSES} processes, {} mount namespaces, {MOUNTS} mounts in each",
        PROCESSES / TOGETHER
    );
    let size = plain as f64 / bundle.max(1) as f64;
    let rows = vec![
        Row::ratio(&what, "`grep -l ID /proc/[0-9]*/mountinfo`", pairs.wall(), 0.30),
        Row::figure("its peak memory", "", mib(pairs.peak()), "32 MiB".into(), pairs.peak() <= 32 << 20),
        Row::figure(
            &format!("its peak memory with {LOGS} large logs"),
            "",
            mib(with_logs),
            "64 MiB".into(),
            with_logs <= 64 << 20,
        ),
        Row::figure("its bundle", "`tar \\| gzip -6`", format!("1/{size:.1}"), "1/8".into(), size >= 8.0),
    ];
    for processes in if options.quick { &[][..] } else { &GROWTH } {
        let host = Host::make(&scratch.0, *processes)?;
        let (pairs, _) = compare(&collector, &scratch.0, GROWTH_ROUNDS)?;
        drop(host);
        let (time, peak) = (pairs.ours(), mib(pairs.peak()));
        eprintln!("      {processes:>6} processes: {time} s, {} of grep's, {peak}", pairs.wall());
    }
    Ok(rows)
}

/// A directory that goes away at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self> {
        let dir = std::env::temp_dir().join(format!("ebusy-bench-{}", std::process::id()));
        fs::create_dir_all(dir.join("host"))?;
        Ok(Self(dir))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

/// A host, ended when dropped.
struct Host(Child);

impl Host {
    fn make(scratch: &Path, processes: usize) -> Result<Self> {
        let namespaces = processes / TOGETHER;
        let mut child = Command::new("unshare")
            .args(["-m", "-p", "-f", "--kill-child", "/bin/sh", "-ec", HOST, "host"])
            .arg(scratch.join("host"))
            .args([MOUNTS, namespaces, TOGETHER].map(|number| number.to_string()))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start `unshare` (util-linux)")?;
        let output = child.stdout.take();
        let host = Self(child);
        let ready = output.map_or(0, |output| BufReader::new(output).lines().take(namespaces).count());
        if ready < namespaces {
            bail!("the host could not be made: it wants root");
        }
        Ok(host)
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // --kill-child: the namespace's first process goes with it, and the others with that.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// The collector against grep, and the size of what it wrote in bytes.
fn compare(collector: &Path, scratch: &Path, rounds: usize) -> Result<(Pairs, u64)> {
    let bundle = scratch.join("bundle.tar.gz");
    let pairs = Pairs::run(
        rounds,
        || run(Command::new(collector).args(["-q", "-o"]).arg(&bundle)),
        || run(Command::new("/bin/sh").args(["-c", GREP])),
    )?;
    let bytes = fs::metadata(&bundle).context("the collector wrote nothing")?.len();
    Ok((pairs, bytes))
}

/// Peak memory in bytes when there are logs that are larger than what is taken of each.
fn peak_with_logs(collector: &Path, scratch: &Path) -> Result<u64> {
    let (log, bundle) = (scratch.join("large.log"), scratch.join("with-logs.tar.gz"));
    let mut text = String::new();
    for number in 0..200_000 {
        let line = "Nov 22 07:36:00 web1 dockerd[8]: level=error msg=\"Device is Busy\" --token";
        text.push_str(&format!("{line} {number}\n"));
    }
    fs::write(&log, text)?;
    let mut command = Command::new(collector);
    command.args(["-q", "-o"]).arg(&bundle);
    for _ in 0..LOGS {
        command.arg("--log").arg(&log);
    }
    Ok(run(&mut command)?.peak_bytes)
}

/// Size of `tar | gzip -6` over the same files. tar takes files of procfs as empty, so they are copied first.
fn plain_archive(copy: &Path) -> Result<u64> {
    let processes = fs::read_dir("/proc")?.flatten().map(|entry| entry.path());
    for process in processes.filter(|path| path.file_name().is_some_and(is_number)) {
        let target = copy.join("proc").join(process.file_name().unwrap_or_default());
        fs::create_dir_all(&target)?;
        for name in FILES {
            // A zombie has no mountinfo, and a process may have ended.
            if let Ok(bytes) = fs::read(process.join(name)) {
                fs::write(target.join(name), bytes)?;
            }
        }
        for name in LINKS {
            copy_links(&process.join(name), &target.join(name)).ok();
        }
    }
    let mut tar = Command::new("tar").arg("-C").arg(copy).args(["-c", "."]).stdout(Stdio::piped()).spawn()?;
    let packed = tar.stdout.take().context("tar has no output")?;
    let mut gzip = Command::new("gzip").arg("-6").stdin(packed).stdout(Stdio::piped()).spawn()?;
    let mut size = 0;
    let mut output = gzip.stdout.take().context("gzip has no output")?;
    let mut buffer = vec![0; 64 << 10];
    loop {
        match output.read(&mut buffer)? {
            0 => break,
            length => size += length as u64,
        }
    }
    tar.wait()?;
    gzip.wait()?;
    Ok(size)
}

fn is_number(name: &std::ffi::OsStr) -> bool {
    name.as_encoded_bytes().iter().all(u8::is_ascii_digit)
}

/// A link, or all links in a directory.
fn copy_links(from: &Path, to: &Path) -> Result<()> {
    if let Ok(text) = fs::read_link(from) {
        return Ok(symlink(text, to)?);
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)?.flatten() {
        symlink(fs::read_link(entry.path())?, to.join(entry.file_name())).ok();
    }
    Ok(())
}
