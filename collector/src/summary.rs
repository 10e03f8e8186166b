//! What was taken and, as important, what could not be: `summary.json`.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use serde_json::{Value, json};

/// One thing that could not be read.
#[derive(Clone, Debug)]
pub(crate) struct Skip {
    /// Kind of file, the group it is counted in, e.g. `proc/PID/mountinfo`.
    pub(crate) kind: String,
    /// The file itself.
    pub(crate) path: Vec<u8>,
    /// Name of the error, e.g. `EACCES`.
    pub(crate) error: String,
    pub(crate) why: String,
}

impl Skip {
    pub(crate) fn new(kind: &str, path: &[u8], error: &io::Error) -> Self {
        Self {
            kind: kind.to_owned(),
            path: path.to_vec(),
            error: error_name(error),
            why: explain(kind, error.raw_os_error()).to_owned(),
        }
    }

    /// A skip that has no error number: a cap, a time limit.
    pub(crate) fn because(kind: &str, path: &[u8], error: &str, why: impl Into<String>) -> Self {
        Self { kind: kind.to_owned(), path: path.to_vec(), error: error.to_owned(), why: why.into() }
    }
}

/// One log in the bundle.
#[derive(Clone, Debug)]
pub(crate) struct LogNote {
    pub(crate) file: String,
    /// The file or the command that it came from.
    pub(crate) source: String,
    pub(crate) lines: usize,
    /// Older lines were left out.
    pub(crate) truncated: bool,
}

/// Counts for the end of the bundle.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    pub(crate) processes: usize,
    pub(crate) mount_namespaces: BTreeSet<u64>,
    skipped: BTreeMap<(String, String), (Vec<u8>, String, usize)>,
    logs: Vec<LogNote>,
    missing: BTreeSet<String>,
}

impl Summary {
    pub(crate) fn skip(&mut self, skip: Skip) {
        let group = self.skipped.entry((skip.kind, skip.error));
        group.or_insert((skip.path, skip.why, 0)).2 += 1;
    }

    pub(crate) fn log(&mut self, note: LogNote) {
        self.logs.push(note);
    }

    /// A file that this host does not have, which is normal.
    pub(crate) fn missing(&mut self, path: String) {
        self.missing.insert(path);
    }

    /// Replaces the texts that hold names of files.
    pub(crate) fn redact(&mut self, mut replace: impl FnMut(&str) -> String) {
        for (path, why, _) in self.skipped.values_mut() {
            *path = replace(&String::from_utf8_lossy(path)).into_bytes();
            *why = replace(why);
        }
        for log in &mut self.logs {
            log.source = replace(&log.source);
        }
    }

    /// The logs taken.
    pub(crate) fn logs(&self) -> &[LogNote] {
        &self.logs
    }

    /// How many were refused for want of privilege.
    pub(crate) fn refused(&self) -> usize {
        let refused = |error: &str| error == "EACCES" || error == "EPERM";
        self.skipped.iter().filter(|((_, error), _)| refused(error)).map(|(_, (_, _, count))| count).sum()
    }

    /// One line for each group, for the terminal.
    pub(crate) fn refused_kinds(&self) -> Vec<String> {
        let refused = |error: &str| error == "EACCES" || error == "EPERM";
        let groups = self.skipped.iter().filter(|((_, error), _)| refused(error));
        groups.map(|((kind, _), (_, _, count))| format!("{kind} ({count})")).collect()
    }

    pub(crate) fn to_json(&self, tables: usize, secrets: usize, milliseconds: u128, complete: bool) -> Value {
        let skipped: Vec<Value> = self
            .skipped
            .iter()
            .map(|((_, error), (path, why, count))| {
                let path = String::from_utf8_lossy(path);
                json!({"path": path, "error": error, "count": count, "why": why})
            })
            .collect();
        let log = |l: &LogNote| json!({"file": l.file, "source": l.source, "lines": l.lines, "truncated": l.truncated});
        json!({
            "processes": self.processes,
            "mount_tables": tables,
            "mount_namespaces": self.mount_namespaces.len(),
            "duration_ms": u64::try_from(milliseconds).unwrap_or(u64::MAX),
            "complete": complete,
            "secrets_replaced": secrets,
            "skipped": skipped,
            "logs": self.logs.iter().map(log).collect::<Vec<_>>(),
            "missing": self.missing,
        })
    }
}

/// The error's name as in errno(3), or its number.
pub(crate) fn error_name(error: &io::Error) -> String {
    let Some(number) = error.raw_os_error() else { return error.kind().to_string() };
    let name = match number {
        libc::EPERM => "EPERM",
        libc::ENOENT => "ENOENT",
        libc::ESRCH => "ESRCH",
        libc::EINTR => "EINTR",
        libc::EIO => "EIO",
        libc::ENXIO => "ENXIO",
        libc::EACCES => "EACCES",
        libc::EBUSY => "EBUSY",
        libc::ENODEV => "ENODEV",
        libc::ENOTDIR => "ENOTDIR",
        libc::EISDIR => "EISDIR",
        libc::EINVAL => "EINVAL",
        libc::EMFILE => "EMFILE",
        libc::ENFILE => "ENFILE",
        libc::ENOMEM => "ENOMEM",
        libc::ELOOP => "ELOOP",
        libc::ENAMETOOLONG => "ENAMETOOLONG",
        libc::ESTALE => "ESTALE",
        libc::ENOTCONN => "ENOTCONN",
        libc::EHOSTDOWN => "EHOSTDOWN",
        libc::ENOTTY => "ENOTTY",
        libc::ENOSYS => "ENOSYS",
        libc::EOPNOTSUPP => "EOPNOTSUPP",
        _ => return format!("errno {number}"),
    };
    name.to_owned()
}

/// Who refuses root, as far as the label tells what a security module runs this program as.
pub(crate) fn who_refuses(label: Option<&str>) -> String {
    let unknown = || "by a security module (SELinux, AppArmor) or because this is a container".to_owned();
    let Some(label) = label else { return unknown() };
    // A label is one line of a policy's own names; whatever else it is does not reach the terminal.
    let label: String = label.chars().filter(|c| !c.is_control()).take(256).collect();
    if let Some((profile, "enforce)" | "kill)")) = label.rsplit_once(" (") {
        return format!("AppArmor confines this program with the profile {profile}");
    }
    // user:role:type[:level], of which the type is the domain.
    match label.split(':').nth(2) {
        Some("unconfined_t" | "spc_t" | "kernel_t" | "init_t") | None => unknown(),
        Some(domain) => format!("SELinux confines this program to the domain {domain}"),
    }
}

fn explain(kind: &str, error: Option<i32>) -> &'static str {
    match (kind, error) {
        ("proc/PID/mountinfo", Some(libc::EINVAL)) => "zombie processes have no mount table",
        (_, Some(libc::EACCES | libc::EPERM)) => {
            "not permitted; run the collector as root in the host's namespaces. Where it was root, a security module \
             (SELinux, AppArmor) or a container's limits refused it"
        }
        (kind, Some(libc::ENOENT | libc::ESRCH)) if kind.starts_with("proc/PID") => {
            "the process ended while it was read, or this copy of /proc lacks it"
        }
        (_, Some(libc::ENOENT)) => "not on this host",
        (_, Some(libc::ESTALE | libc::EIO | libc::ENOTCONN | libc::EHOSTDOWN)) => {
            "the file system or its server does not answer"
        }
        (_, Some(libc::EMFILE | libc::ENFILE | libc::ENOMEM)) => "the host is short of files or memory",
        _ => "could not be read",
    }
}
