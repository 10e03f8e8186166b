//! The collector against `grep -l ID /proc/[0-9]*/mountinfo`, on a host made for it.
//!
//! `cargo bench -p collector --bench collect -- [PROCESSES] [NAMESPACES] [MOUNTS] [ROUNDS]`, as root;
//! 2000 200 500 5 by default. The host is a pid namespace of its own: when its first process ends, all of it ends.
//! Prints medians, the ratio of the two, peak memory, and the bundle's size next to that of `tar | gzip -6`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a bench ends by panicking")]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

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

struct Host {
    child: Child,
    dir: std::path::PathBuf,
}

impl Host {
    fn make(processes: usize, namespaces: usize, mounts: usize) -> Self {
        let dir = std::env::temp_dir().join(format!("ebusy-bench-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let mut child = Command::new("unshare")
            .args(["-m", "-p", "-f", "--kill-child", "/bin/sh", "-ec", HOST, "host"])
            .arg(&dir)
            .args([mounts, namespaces, processes / namespaces].map(|n| n.to_string()))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let ready = BufReader::new(child.stdout.take().unwrap()).lines().take(namespaces).count();
        assert_eq!(ready, namespaces, "the host could not be made; are you root?");
        Self { child, dir }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // --kill-child: the namespace's first process goes with it, and the others with that.
        self.child.kill().ok();
        self.child.wait().ok();
        std::fs::remove_dir(&self.dir).ok();
    }
}

/// Wall time and peak memory in KiB of a shell command.
fn run(script: &str) -> (Duration, i64) {
    let begun = Instant::now();
    #[allow(clippy::zombie_processes, reason = "wait4 below, which also tells the memory")]
    let child = Command::new("/bin/sh").args(["-c", script]).stdout(Stdio::null()).spawn().unwrap();
    let mut status = 0;
    // SAFETY: rusage is plain data, for which all zeroes is a value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the child is ours and is waited for only here; both pointers are writable.
    unsafe { libc::wait4(child.id().cast_signed(), &raw mut status, 0, &raw mut usage) };
    (begun.elapsed(), usage.ru_maxrss)
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64()
}

fn main() {
    let numbers: Vec<usize> = std::env::args().skip(1).filter_map(|text| text.parse().ok()).collect();
    let number = |at: usize, default| numbers.get(at).copied().unwrap_or(default);
    let (processes, namespaces, mounts, rounds) =
        (number(0, 2000), number(1, 200), number(2, 500), number(3, 5));
    let host = Host::make(processes, namespaces, mounts);
    let bundle = std::env::temp_dir().join(format!("ebusy-bench-{}.tar.gz", std::process::id()));
    // An id that is in no table: grep stops at the first match of a file, and most files of a real host have none.
    let grep = "grep -l 89abcdef0123456799999999 /proc/[0-9]*/mountinfo 2>/dev/null";
    let collect = format!("exec {} -q -o {}", env!("CARGO_BIN_EXE_ebusy-collector"), bundle.display());
    let (mut greps, mut collections, mut peak) = (vec![], vec![], 0);
    for _ in 0..rounds {
        greps.push(run(grep).0);
        let (time, memory) = run(&collect);
        collections.push(time);
        peak = peak.max(memory);
    }
    let size = std::fs::metadata(&bundle).map_or(0, |metadata| metadata.len());
    let files = "/proc/[0-9]*/mountinfo /proc/[0-9]*/cmdline /proc/[0-9]*/comm /proc/[0-9]*/stat \
                 /proc/[0-9]*/status /proc/[0-9]*/cgroup";
    // tar takes files of procfs as empty, so they are copied first.
    let copy = std::env::temp_dir().join(format!("ebusy-bench-copy-{}", std::process::id()));
    let tar = format!(
        "mkdir -p {0}; cp --parents {files} {0} 2>/dev/null; tar -C {0} -c . | gzip -6 | wc -c; rm -rf {0}",
        copy.display()
    );
    let output = Command::new("/bin/sh").args(["-c", &tar]).output().unwrap();
    let plain: u64 = String::from_utf8_lossy(&output.stdout).trim().parse().unwrap_or(0);
    let (grep, collect) = (median(greps), median(collections));
    println!(
        "{processes} processes, {namespaces} mount namespaces, {mounts} mounts in each; median of {rounds}"
    );
    println!("grep {grep:.3} s, collector {collect:.3} s, ratio {:.2}", collect / grep);
    println!("peak memory {} MiB", peak / 1024);
    println!("bundle {size} bytes, tar | gzip -6 {plain} bytes, 1/{:.1}", plain as f64 / size.max(1) as f64);
    std::fs::remove_file(bundle).ok();
    drop(host);
}
