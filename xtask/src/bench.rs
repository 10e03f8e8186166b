//! `cargo xtask bench collect`: the collector against `grep -l ID /proc/[0-9]*/mountinfo`, on a host made for it.
//!
//! The host is a pid namespace of its own: when its first process ends, all of it ends.

mod analyze;
mod host;

pub(crate) use analyze::analyze;

use crate::programs::{self, WithPage};
use crate::workspace::Workspace;
use anyhow::{Context as _, Result, bail};
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The host that the goals are set for.
const PROCESSES: usize = 2000;
const MOUNTS: usize = 500;
/// Processes in each mount namespace.
const TOGETHER: usize = 10;
const ROUNDS: usize = 7;
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
const GREP: &str = "grep -l 89abcdef0123456799999999 /proc/[0-9]*/mountinfo 2>/dev/null";
/// What the size is compared over: the files and links that the collector takes of each process.
const FILES: [&str; 6] = ["mountinfo", "cmdline", "comm", "stat", "status", "cgroup"];
const LINKS: [&str; 5] = ["ns", "fd", "root", "cwd", "exe"];

/// Runs the comparison and prints it.
pub(crate) fn collect() -> Result<()> {
    let workspace = Workspace::find()?;
    let collector = programs::build(&workspace, WithPage::Nothing)?.collector;
    let scratch = Scratch::new()?;
    let host = Host::make(&scratch.0, PROCESSES)?;
    let result = compare(&collector, &scratch.0, ROUNDS)?;
    let with_logs = peak_with_logs(&collector, &scratch.0)?;
    let plain = plain_archive(&scratch.0.join("copy"))?;
    drop(host);
    println!(
        "{PROCESSES} processes, {} mount namespaces, {MOUNTS} mounts in each; medians of {ROUNDS} alternating rounds",
        PROCESSES / TOGETHER
    );
    println!("load before {}", fs::read_to_string("/proc/loadavg").unwrap_or_default().trim());
    println!("{result}");
    let mib = |kib: i64| kib as f64 / 1024.0;
    println!("peak memory  {:.1} MiB (goal: at most 32)", mib(result.peak));
    println!("             {:.1} MiB with {LOGS} large logs (README: at most 64)", mib(with_logs));
    println!(
        "bundle       {} bytes, tar | gzip -6 {plain} bytes: 1/{:.1} (goal: at most 1/8)",
        result.bundle,
        plain as f64 / result.bundle.max(1) as f64
    );
    println!("\ngrowth, medians of {GROWTH_ROUNDS}");
    for processes in GROWTH {
        let host = Host::make(&scratch.0, processes)?;
        let result = compare(&collector, &scratch.0, GROWTH_ROUNDS)?;
        drop(host);
        println!("{processes:>6} processes: {result}, {:.1} MiB", result.peak as f64 / 1024.0);
    }
    Ok(())
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

/// Time of one run.
#[derive(Clone, Copy)]
struct Spent {
    wall: Duration,
    /// User and system.
    cpu: Duration,
}

/// Medians of both.
struct Comparison {
    grep: Spent,
    collector: Spent,
    /// KiB.
    peak: i64,
    /// Bytes.
    bundle: u64,
}

impl std::fmt::Display for Comparison {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ratio = |ours: Duration, theirs: Duration| ours.as_secs_f64() / theirs.as_secs_f64().max(1e-6);
        let (grep, ours) = (self.grep, self.collector);
        write!(
            f,
            "grep {:.3} s, collector {:.3} s: {:.2} of its wall time (goal: at most 0.30), {:.2} of its CPU time",
            grep.wall.as_secs_f64(),
            ours.wall.as_secs_f64(),
            ratio(ours.wall, grep.wall),
            ratio(ours.cpu, grep.cpu)
        )
    }
}

fn compare(collector: &Path, scratch: &Path, rounds: usize) -> Result<Comparison> {
    let bundle = scratch.join("bundle.tar.gz");
    let (mut greps, mut ours, mut peak) = (vec![], vec![], 0);
    for _ in 0..rounds {
        greps.push(run(Command::new("/bin/sh").args(["-c", GREP]))?.0);
        let (spent, memory) = run(Command::new(collector).args(["-q", "-o"]).arg(&bundle))?;
        ours.push(spent);
        peak = peak.max(memory);
    }
    let bundle = fs::metadata(&bundle).context("the collector wrote nothing")?.len();
    Ok(Comparison { grep: median(greps), collector: median(ours), peak, bundle })
}

fn median(mut spent: Vec<Spent>) -> Spent {
    spent.sort_by_key(|spent| spent.wall);
    spent[spent.len() / 2]
}

/// Runs a command; what it spent, and its peak memory in KiB.
fn run(command: &mut Command) -> Result<(Spent, i64)> {
    let begun = Instant::now();
    #[allow(clippy::zombie_processes, reason = "wait4 below, which also tells what was spent")]
    let child = command.stdout(Stdio::null()).spawn()?;
    let mut status = 0;
    // SAFETY: rusage is plain data, for which all zeroes is a value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the child is ours and is waited for only here; both pointers are writable.
    unsafe { libc::wait4(child.id().cast_signed(), &raw mut status, 0, &raw mut usage) };
    let time = |time: libc::timeval| {
        Duration::from_secs(time.tv_sec.unsigned_abs()) + Duration::from_micros(time.tv_usec.unsigned_abs())
    };
    let cpu = time(usage.ru_utime) + time(usage.ru_stime);
    Ok((Spent { wall: begun.elapsed(), cpu }, usage.ru_maxrss))
}

/// Peak memory in KiB when there are logs that are larger than what is taken of each.
fn peak_with_logs(collector: &Path, scratch: &Path) -> Result<i64> {
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
    Ok(run(&mut command)?.1)
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
