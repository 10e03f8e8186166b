//! Directories, child processes and skips of tests that run on a real machine.
//!
//! The tests get what they test from the environment, as `cargo xtask test` sets it:
//!
//! | variable | meaning |
//! |---|---|
//! | `EBUSY_COLLECTOR` | the static collector |
//! | `EBUSY_COLLECTOR_HTML` | the same with the page inside |
//! | `EBUSY_BIN` | the `ebusy` command |
//! | `EBUSY_PAGE` | the page, `dist/ebusy.html` |
//! | `EBUSY_AXE` | axe-core's script; not set where there is no npm |
//! | `EBUSY_DUCKDB` | a directory for `PYTHONPATH` with DuckDB; not set where there is no pip |
//! | `EBUSY_SCHEMAS` | the same with a validator of JSON Schema and the schemas of CycloneDX |
//! | `EBUSY_TSC` | TypeScript's compiler; not set where there is no npm |
//! | `EBUSY_GUEST_KERNEL` | a directory with `boot/vmlinuz-*` and `lib/modules/`; not set where Debian's cannot be had |
//! | `EBUSY_NPM` | the package for Node, a directory |
//! | `EBUSY_ARTIFACTS` | directory for screenshots |
//! | `EBUSY_SKIPS` | file that each skipped test adds a line `NAME: reason` to |

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long anything may take that a test waits for. Generous: only a broken test gets there.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// Says by name that a test did not run, on stderr and in `EBUSY_SKIPS`.
pub fn skip(test: &str, reason: &str) {
    let mut stderr = std::io::stderr().lock();
    // Straight to the file descriptor: `eprintln` would be swallowed for a test that passes.
    let _ = writeln!(stderr, "SKIPPED {test}: {reason}");
    if let Some(path) = std::env::var_os("EBUSY_SKIPS") {
        let mut file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .expect("EBUSY_SKIPS can be written");
        writeln!(file, "{test}: {reason}").expect("EBUSY_SKIPS can be written");
    }
}

/// The path in an environment variable; skips `test` where it is not set.
pub fn need_path(test: &str, variable: &str) -> Option<PathBuf> {
    let path = std::env::var_os(variable).map(PathBuf::from);
    if path.is_none() {
        skip(test, &format!("{variable} is not set; `cargo xtask test` sets it"));
    }
    path.map(|path| std::path::absolute(&path).unwrap_or(path))
}

/// True for root; skips `test` otherwise.
pub fn need_root(test: &str) -> bool {
    let root = run(Command::new("id").arg("-u")).trim() == "0";
    if !root {
        skip(test, "needs root");
    }
    root
}

/// Where a command of the system is; skips `test` where it is missing.
pub fn need_command(test: &str, name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from);
    let found =
        std::env::split_paths(&path).chain(system).map(|dir| dir.join(name)).find(|path| path.is_file());
    if found.is_none() {
        skip(test, &format!("`{name}` is not installed"));
    }
    found
}

/// Keeps tests apart that change the machine's mounts: a namespace that one makes has a copy of the other's.
pub fn machine() -> MutexGuard<'static, ()> {
    static MACHINE: Mutex<()> = Mutex::new(());
    // A test that failed has cleaned up as it unwound.
    MACHINE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs a command that must succeed; its standard output.
pub fn run(command: &mut Command) -> String {
    let output = output(command);
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Runs a command to its end, whatever that is.
pub fn output(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic_on(command, &error))
}

/// Runs a command with `input` on its standard input.
pub fn output_with(command: &mut Command, input: &[u8]) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic_on(command, &error));
    let mut stdin = child.stdin.take().expect("it was piped");
    std::thread::scope(|scope| {
        // A command that does not read to the end closes the pipe: its answer tells.
        scope.spawn(move || stdin.write_all(input));
        child.wait_with_output().expect("a child can be waited for")
    })
}

#[expect(clippy::panic, reason = "ends the test with the command's name")]
fn panic_on(command: &Command, error: &std::io::Error) -> ! {
    panic!("{command:?} did not start: {error}")
}

/// `sh -c SCRIPT` with arguments as `$1`, `$2`, …; must succeed.
pub fn sh<A: AsRef<OsStr>>(script: &str, args: &[A]) -> String {
    run(Command::new("sh").args(["-euc", script, "sh"]).args(args))
}

/// Asks again and again until there is an answer.
pub fn wait_until<T>(what: &str, mut answer: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = answer() {
            return answer;
        }
        assert!(start.elapsed() < DEADLINE, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A directory that is removed with everything in it, mounts first.
#[derive(Debug)]
pub struct TempDir(PathBuf);

impl TempDir {
    /// A new directory below the system's own for temporary files.
    pub fn new(purpose: &str) -> Self {
        Self::below(&std::env::temp_dir(), purpose)
    }

    /// A new directory below another one.
    pub fn below(parent: &Path, purpose: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("ebusy-test-{purpose}-{}-{number}", std::process::id());
        let path = parent.join(name);
        std::fs::create_dir(&path).expect("a directory for temporary files can be made");
        // mountinfo has the real path.
        Self(path.canonicalize().expect("it was just made"))
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Path of something in it.
    pub fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.join(name)
    }

    fn mounts(&self) -> Vec<String> {
        let table = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let below = |line: &&str| line.split(' ').nth(4).is_some_and(|at| Path::new(at).starts_with(&self.0));
        let mut points: Vec<String> = table
            .lines()
            .filter(below)
            .filter_map(|line| line.split(' ').nth(4))
            .map(str::to_owned)
            .collect();
        points.reverse();
        points
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        for point in self.mounts() {
            let _ = output(Command::new("umount").args(["-l", &point]));
        }
        // Never delete through a mount that would not go: it may be a bind of `/`.
        if self.mounts().is_empty() {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}

/// A child process that is killed, by its pid, when the test is over.
#[derive(Debug)]
pub struct Background(Child);

impl Background {
    /// Starts a command.
    pub fn start(command: &mut Command) -> Self {
        Self(command.stdin(Stdio::null()).spawn().unwrap_or_else(|error| panic_on(command, &error)))
    }

    /// Starts a command and waits until a line of its standard output has `mark`. Returns that line.
    pub fn start_until(command: &mut Command, mark: &str) -> (Self, String) {
        let mut child = Self::start(command.stdout(Stdio::piped()));
        let mut stdout = BufReader::new(child.0.stdout.take().expect("it was piped"));
        let mut line = String::new();
        while !line.contains(mark) {
            line.clear();
            let read = stdout.read_line(&mut line).expect("a pipe can be read");
            assert!(read > 0, "{command:?} ended before it said {mark:?}");
        }
        // Its later output must not block it.
        std::thread::spawn(move || {
            let mut rest = Vec::new();
            let _ = stdout.read_to_end(&mut rest);
        });
        (child, line)
    }

    /// Its pid.
    pub fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Asks it to end (SIGTERM) and waits until it has: for a daemon that has children of its own to end.
    pub fn terminate(mut self) {
        let _ = output(Command::new("kill").arg(self.pid().to_string()));
        wait_until("a daemon has ended", || (!self.runs()).then_some(()));
    }

    /// True as long as it runs.
    pub fn runs(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
