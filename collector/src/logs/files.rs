//! Logs in files, rotated and compressed ones too.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use flate2::read::MultiGzDecoder;

use super::newest::Newest;
use super::relevance::{concerns_kernel, concerns_runtime};
use super::{LOG_MAX, Log};
use crate::context::{Context, Fact};
use crate::summary::Skip;
use crate::sys;
use crate::watchdog::Batch;

/// Of a larger plain file, only this much of the end is looked through.
const LOOK_THROUGH: u64 = 64 << 20;
/// Compressed files cannot be read from the end: at most this much of what is in them is looked through.
const LOOK_THROUGH_GZIP: u64 = 256 << 20;

/// Logs that belong to a runtime alone.
const OWN: [&str; 4] =
    ["var/log/docker.log", "var/log/upstart/docker.log", "var/log/docker", "var/log/containerd.log"];
/// Logs of all programs.
const SHARED: [&str; 3] = ["var/log/syslog", "var/log/messages", "var/log/daemon.log"];
const KERNEL: &str = "var/log/kern.log";

/// A file that the user named: taken whole, whatever is in it, unless it is too large.
pub(super) fn given(path: &Path, batch: &mut Batch<Fact>) -> Option<Log> {
    let shown = path.to_string_lossy().into_owned();
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    // Its own view of the file system, not the collected host's: the path was typed here.
    match File::open(path).and_then(|file| newest_of(file, &name, |_| true)) {
        Ok((text, truncated)) => Some(Log { name, source: shown, text, truncated }),
        Err(error) => {
            batch.skips.push(Skip::new("--log", shown.as_bytes(), &error));
            None
        }
    }
}

/// The usual files. With a journal, only those that the journal does not have.
pub(super) fn standard(
    context: &Arc<Context>,
    has_journal: bool,
    batch: &mut Batch<Fact>,
    add: &mut impl FnMut(Log, &mut Batch<Fact>),
) {
    for path in OWN {
        family(context, path, |_| true, batch, add);
    }
    if has_journal {
        return;
    }
    for path in SHARED {
        family(context, path, concerns_runtime, batch, add);
    }
    if !family(context, KERNEL, concerns_kernel, batch, add) && context.is_this_host() {
        match sys::kernel_log() {
            Ok(ring) => {
                let mut newest = Newest::new(LOG_MAX, concerns_kernel);
                newest.take(&ring);
                let (text, truncated) = newest.finish();
                let source = "the kernel's ring buffer".to_owned();
                add(Log { name: "kernel".into(), source, text, truncated }, batch);
            }
            Err(error) => batch.skips.push(Skip::new("kernel log", b"kernel log", &error)),
        }
    }
}

/// A log and its rotated predecessors, as far as they were written to since the wanted time. `true`: any was there.
fn family(
    context: &Arc<Context>,
    path: &str,
    wanted: fn(&[u8]) -> bool,
    batch: &mut Batch<Fact>,
    add: &mut impl FnMut(Log, &mut Batch<Fact>),
) -> bool {
    let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
    let names = context.root.list(directory.as_bytes()).unwrap_or_default();
    let names = names.into_iter().filter_map(|name| String::from_utf8(name).ok());
    let mut found = false;
    for file_name in names.filter(|file| is_of_family(file, name)) {
        let path = format!("{directory}/{file_name}");
        let file = match context.root.file(path.as_bytes()) {
            Ok(file) => file,
            // A directory of that name, as /var/log/docker may be.
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => continue,
            Err(error) => {
                batch.skips.push(Skip::new("logs", path.as_bytes(), &error));
                continue;
            }
        };
        found = true;
        if is_older(&file, context.logs_from()) {
            continue;
        }
        match newest_of(file, &file_name, wanted) {
            Ok((text, truncated)) => {
                add(Log { name: file_name, source: format!("/{path}"), text, truncated }, batch);
            }
            Err(error) => batch.skips.push(Skip::new("logs", path.as_bytes(), &error)),
        }
    }
    found
}

/// `syslog`, `syslog.1`, `syslog.2.gz`, `syslog-20261122`, `syslog-20261122.gz`.
fn is_of_family(file: &str, name: &str) -> bool {
    let Some(rest) = file.strip_prefix(name) else { return false };
    let rest = rest.strip_suffix(".gz").unwrap_or(rest);
    let Some(number) = rest.strip_prefix(['.', '-']) else { return rest.is_empty() };
    !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())
}

/// Whether the file was last written to before this time.
fn is_older(file: &File, seconds: u64) -> bool {
    let modified = file.metadata().and_then(|metadata| metadata.modified()).ok();
    let since = modified.and_then(|time| time.duration_since(std::time::SystemTime::UNIX_EPOCH).ok());
    since.is_some_and(|since| since.as_secs() < seconds)
}

/// The newest wanted lines of a file, and whether some were left out.
fn newest_of(mut file: File, name: &str, wanted: fn(&[u8]) -> bool) -> io::Result<(Vec<u8>, bool)> {
    let mut newest = Newest::new(LOG_MAX, wanted);
    let cut = if name.ends_with(".gz") {
        let mut inside = MultiGzDecoder::new(file).take(LOOK_THROUGH_GZIP);
        pour(&mut inside, &mut newest)?;
        inside.limit() == 0
    } else {
        let size = file.metadata()?.len();
        let start = size.saturating_sub(LOOK_THROUGH);
        if start > 0 {
            file.seek(SeekFrom::Start(start))?;
        }
        pour(&mut file.take(LOOK_THROUGH), &mut newest)?;
        start > 0
    };
    let (text, dropped) = newest.finish();
    Ok((text, dropped || cut))
}

fn pour<F: Fn(&[u8]) -> bool>(from: &mut impl Read, newest: &mut Newest<F>) -> io::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(length) => newest.take(&buffer[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotated_names() {
        for name in ["syslog", "syslog.1", "syslog.2.gz", "syslog-20261122", "syslog-20261122.gz"] {
            assert!(is_of_family(name, "syslog"), "{name}");
        }
        for name in ["syslog.old", "syslog2", "syslog.", "asyslog", "syslog.1.xz"] {
            assert!(!is_of_family(name, "syslog"), "{name}");
        }
    }
}
