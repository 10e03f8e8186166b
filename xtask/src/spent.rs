//! What a command spends: time and memory.

use anyhow::{Context as _, Result};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

/// What one run took.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Spent {
    pub(crate) wall: Duration,
    /// User and system, of all its processes.
    pub(crate) cpu: Duration,
    /// The most memory that one of its processes had at once, in bytes.
    pub(crate) peak_bytes: u64,
    /// How it ended.
    pub(crate) status: ExitStatus,
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> Result<Spent> {
    let begun = Instant::now();
    let child =
        command.spawn().with_context(|| format!("cannot start {}", command.get_program().display()))?;
    Ok(wait(child, begun))
}

/// Waits for a command that began then.
pub(crate) fn wait(child: Child, begun: Instant) -> Spent {
    let mut status = 0;
    // SAFETY: rusage is plain data, for which all zeroes is a value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the child is ours and is waited for only here; both pointers are writable.
    unsafe { libc::wait4(child.id().cast_signed(), &raw mut status, 0, &raw mut usage) };
    let time = |time: libc::timeval| {
        Duration::from_secs(time.tv_sec.unsigned_abs()) + Duration::from_micros(time.tv_usec.unsigned_abs())
    };
    Spent {
        wall: begun.elapsed(),
        cpu: time(usage.ru_utime) + time(usage.ru_stime),
        peak_bytes: usage.ru_maxrss.unsigned_abs() << 10,
        status: ExitStatus::from_raw(status),
    }
}
