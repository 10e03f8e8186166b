//! What kind of host it is: the kernel's own description, and who the collector is on it.

use serde_json::{Value, json};

use crate::bundle::{Entry, Secrets};
use crate::context::{Context, Fact};
use crate::host_files::Dir;
use crate::summary::Skip;
use crate::watchdog::Batch;
use crate::{sys, utc};

const PROC_FILES: [&str; 11] = [
    "version",
    "uptime",
    "cmdline",
    "swaps",
    "filesystems",
    "partitions",
    "devices",
    "sys/kernel/osrelease",
    "sys/kernel/hostname",
    "sys/fs/may_detach_mounts",
    "sys/kernel/random/boot_id",
];
const FILE_MAX: usize = 4 << 20;

/// Copies of the host's own files.
pub(crate) fn read(context: &Context) -> Batch<Fact> {
    let mut batch = Batch::new();
    for name in PROC_FILES {
        let path = format!("proc/{name}");
        match context.proc.dir.read_virtual(name.as_bytes(), FILE_MAX) {
            Ok(content) => {
                // The kernel's command line is written by people, who put tokens there.
                let secrets = match name {
                    "cmdline" => Secrets::Lines,
                    "sys/kernel/hostname" => Secrets::Names,
                    _ => Secrets::None,
                };
                batch.entries.push(Entry::File { path: path.into_bytes(), data: content.bytes, secrets });
            }
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => batch.missing.push(path),
            Err(error) => batch.skips.push(Skip::new(&path, path.as_bytes(), &error)),
        }
    }
    match boot_time_line(&context.proc.dir) {
        Some(line) => batch.entries.push(Entry::plain("proc/stat", line)),
        None => batch.missing.push("proc/stat".into()),
    }
    // proc/mounts is a link to the reader's own: the host's is that of process 1.
    let mounts = ["1/mounts", "self/mounts", "mounts"];
    let content =
        mounts.iter().find_map(|name| context.proc.dir.read_virtual(name.as_bytes(), 64 << 20).ok());
    match content {
        Some(content) => batch.entries.push(Entry::File {
            path: b"proc/mounts".to_vec(),
            data: content.bytes,
            secrets: Secrets::Urls,
        }),
        None => batch.missing.push("proc/mounts".into()),
    }
    for name in ["etc/os-release", "usr/lib/os-release"] {
        if let Ok(content) = context.root.read(name.as_bytes(), 64 << 10) {
            batch.entries.push(Entry::plain("etc/os-release", content.bytes));
            break;
        }
    }
    batch
}

/// The `btime` line of `/proc/stat`, the only one that is of interest.
fn boot_time_line(proc: &Dir) -> Option<Vec<u8>> {
    let stat = proc.read_virtual(b"stat", FILE_MAX).ok()?.bytes;
    let line = stat.split(|&b| b == b'\n').find(|line| line.starts_with(b"btime "))?;
    Some([line, b"\n"].concat())
}

/// `manifest.json`. `seconds` is the start of the collection since 1970, `label` what [`security_label`] told,
/// `options` those that were given.
pub(crate) fn manifest(
    context: &Context,
    host: &str,
    seconds: u64,
    label: Option<&str>,
    options: &[String],
) -> Value {
    let text = |path: &str| {
        let content = context.proc.dir.read_virtual(path.as_bytes(), FILE_MAX).ok()?;
        Some(String::from_utf8_lossy(&content.bytes).trim().to_owned())
    };
    let boot_time = boot_time_line(&context.proc.dir)
        .and_then(|line| String::from_utf8(line).ok()?.split_whitespace().nth(1)?.parse::<u64>().ok());
    let (_, machine) = sys::node_and_machine();
    let pid = context.proc.dir.link(b"self").ok();
    let pid = pid.and_then(|pid| String::from_utf8(pid).ok()?.parse::<u32>().ok());
    let capabilities = text("self/status").and_then(|status| {
        status.lines().find_map(|line| Some(line.strip_prefix("CapEff:")?.trim().to_owned()))
    });
    json!({
        "format": "ebusy.bundle/1",
        "collector": env!("CARGO_PKG_VERSION"),
        "host": host,
        "kernel": text("sys/kernel/osrelease"),
        "machine": context.proc.live.then(|| String::from_utf8_lossy(&machine).into_owned()),
        "started_at": utc::iso(seconds),
        "boot_time": boot_time,
        "clock_ticks": sys::clock_ticks(),
        "uid": sys::effective_uid(),
        "capabilities": if context.proc.live { capabilities } else { None },
        "pid": if context.proc.live { pid } else { None },
        "security_label": label,
        "options": options,
    })
}

/// What a security module runs this program as: AppArmor's profile and its mode, as `docker-default (enforce)`, or
/// SELinux's context. `None` without such a module, and for a recorded copy of `/proc`.
pub(crate) fn security_label(context: &Context) -> Option<String> {
    if !context.proc.live {
        return None;
    }
    let content = context.proc.dir.read_virtual(b"self/attr/current", FILE_MAX).ok()?;
    // SELinux ends it with NUL, AppArmor with a line feed.
    let label = String::from_utf8_lossy(&content.bytes).trim_end_matches(['\0', '\n']).to_owned();
    (!label.is_empty()).then_some(label)
}

/// The host's name, fit for a file name.
pub(crate) fn host_name(context: &Context) -> String {
    let first_line = |bytes: Vec<u8>| bytes.split(|&b| b == b'\n').next().unwrap_or_default().to_vec();
    let name = if context.is_this_host() {
        sys::node_and_machine().0
    } else {
        // A container has its own idea of the kernel's host name; the file is the host's.
        let file = context.root.read(b"etc/hostname", 1024).ok();
        let recorded = || context.proc.dir.read_virtual(b"sys/kernel/hostname", 1024).ok();
        file.or_else(recorded).map(|content| first_line(content.bytes)).unwrap_or_default()
    };
    let fit = |b: &&u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    let name: String = name.iter().filter(fit).take(64).map(|&b| char::from(b)).collect();
    let name = name.trim_matches('.');
    if name.is_empty() { "host".to_owned() } else { name.to_owned() }
}
