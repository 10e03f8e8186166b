//! `ebusy-collector`: run once as root on a host, it writes one file that shows who keeps a mount or device busy.
//!
//! [`collect`] has the steps in order. Every file of the host is opened by [`host_files`], every secret is taken out
//! by [`redact`] in [`bundle::writer`], every system call is in [`sys`].

mod args;
mod bundle;
mod collect;
mod command;
mod context;
mod devices;
mod host_facts;
mod host_files;
mod html;
mod logs;
mod manual;
mod namespaces;
mod process;
mod progress;
mod redact;
mod runtimes;
mod summary;
mod sys;
mod systemd;
mod utc;
mod watchdog;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use crate::args::Request;
use crate::bundle::output::{Finished, Output};
use crate::bundle::writer::Writer;
use crate::collect::Outcome;
use crate::context::{Context, Options, Proc, Redact};
use crate::host_files::Dir;
use crate::progress::Progress;
use crate::redact::Redactor;
use crate::redact::strict::Strict;

const NOTHING_WRITTEN: u8 = 1;
const USAGE: u8 = 2;
const INCOMPLETE: u8 = 3;

fn main() -> ExitCode {
    match args::parse(std::env::args_os().skip(1)) {
        Ok(Request::Print(text)) => print(&text),
        Ok(Request::StandBy) => {
            sys::wait_for_the_end();
            ExitCode::SUCCESS
        }
        Ok(Request::Collect(options)) => match run(*options) {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::from(INCOMPLETE),
            Err(message) => fail(&message, NOTHING_WRITTEN),
        },
        Err(message) => fail(&format!("{message}; see --help"), USAGE),
    }
}

fn print(text: &str) -> ExitCode {
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(NOTHING_WRITTEN),
    }
}

fn print_or_fail(text: &str) -> Result<(), String> {
    std::io::stdout()
        .write_all(text.as_bytes())
        .map_err(|error| format!("cannot write to standard output: {error}"))
}

fn fail(message: &str, code: u8) -> ExitCode {
    say(&format!("ebusy-collector: {message}"));
    ExitCode::from(code)
}

/// A line on standard error; that it is closed is no reason to stop.
fn say(line: &str) {
    writeln!(std::io::stderr(), "{line}").ok();
}

/// Collects. `false`: the time limit came first.
fn run(options: Options) -> Result<bool, String> {
    let quiet = options.quiet;
    let context = Arc::new(open_host(options)?);
    let mut host = host_facts::host_name(&context);
    let mut redactor = Redactor::default();
    if context.options.redact == Redact::Strict {
        let mut strict = Strict::new(&context, &host);
        host = strict.own_name(&host);
        redactor = Redactor::strict(strict);
    }
    let started = context.started.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let top = format!("ebusy-{host}-{}", utc::compact(started));

    sys::catch_signals();
    sys::yield_to_others();
    let output = match &context.options.output {
        _ if context.options.dry_run => Output::Nowhere(0),
        Some(path) => {
            let output = if path == Path::new("-") { Output::stdout()? } else { Output::file(path)? };
            if cfg!(feature = "html") && context.options.html {
                html::around(output, &format!("{top}.tar.gz"))?
            } else {
                output
            }
        }
        None => Output::file(&PathBuf::from(format!("{top}.tar.gz")))?,
    };
    let mut writer = Writer::new(output, &top, started, redactor);
    if context.options.dry_run {
        writer.count_sizes();
    }
    let mut progress = Progress::new(quiet);
    let not_written = |error: std::io::Error| match error.raw_os_error() {
        Some(libc::ENOSPC | libc::EDQUOT) => {
            "no room for the bundle; nothing was kept. Choose another file system with -o".to_owned()
        }
        _ => format!("the bundle could not be written: {error}; nothing was kept"),
    };
    let outcome = collect::collect(&context, &mut writer, &host, &mut progress).map_err(not_written)?;
    let sizes = writer.sizes();
    let finished = writer.finish().and_then(Output::commit).map_err(not_written)?;
    if context.options.dry_run {
        let size = finished.map_or(0, |finished| finished.size);
        print_or_fail(&manual::dry_run(&sizes, size, outcome.summary.logs()))?;
    } else if !quiet {
        report(&context, &outcome, finished.as_ref());
    }
    Ok(outcome.complete)
}

/// Opens the host's root and `/proc` and starts the clock.
fn open_host(options: Options) -> Result<Context, String> {
    let deadline = Instant::now() + options.timeout;
    let shown = options.root.display().to_string();
    let root =
        Dir::host_root(&options.root).map_err(|error| format!("cannot open --root {shown}: {error}"))?;
    let path = options.proc.clone().unwrap_or_else(|| default_proc(&options.root));
    let shown = path.display();
    let (dir, live) = Dir::proc(&path).map_err(|error| format!("cannot open {shown}: {error}"))?;
    dir.listable(b"").map_err(|error| format!("cannot list {shown}: {error}"))?;
    Ok(Context { options, proc: Proc { dir, live }, root, started: SystemTime::now(), deadline })
}

/// The mounted host's own `/proc` if processes are in it, else this kernel's.
fn default_proc(root: &Path) -> PathBuf {
    let inner = root.join("proc");
    let pids = Dir::proc(&inner).and_then(|(dir, _)| dir.listable(b"")?.numbers());
    let has_processes = pids.is_ok_and(|pids| !pids.is_empty());
    if has_processes { inner } else { PathBuf::from("/proc") }
}

/// The last lines: what is missing, what was taken, where it is and how to send it.
fn report(context: &Context, outcome: &Outcome, finished: Option<&Finished>) {
    let summary = &outcome.summary;
    if !outcome.complete {
        say("The time limit ended the collection early; give it more with --timeout.");
    }
    if summary.refused() > 0 {
        let kinds = summary.refused_kinds().join(", ");
        say(&format!("Not permitted to read: {kinds}."));
        if sys::effective_uid() != 0 {
            say("Run it as root: without that, most holders cannot be seen.");
        } else {
            say(&format!(
                "Root was refused: {}. Run it on the host itself, unconfined; `dmesg` or `ausearch -m avc` tell what \
                 refused it.",
                summary::who_refuses(host_facts::security_label(context).as_deref())
            ));
        }
    }
    let (processes, namespaces, tables) = (summary.processes, summary.mount_namespaces.len(), outcome.tables);
    say(&format!(
        "Collected {processes} processes, {namespaces} mount namespaces, {tables} distinct mount tables in {} ms.",
        context.started.elapsed().unwrap_or_default().as_millis()
    ));
    if let Some(Finished { path, size }) = finished {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
        say(&format!(
            "Wrote {} ({}); send this one file to whoever asked for it, e.g. attached to the case.",
            path.display(),
            human(*size)
        ));
    }
}

/// Bytes for people.
pub(crate) fn human(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        1024..1_048_576 => format!("{} KiB", bytes.div_ceil(1024)),
        _ => format!("{}.{} MiB", bytes >> 20, ((bytes & 0xf_ffff) * 10) >> 20),
    }
}
