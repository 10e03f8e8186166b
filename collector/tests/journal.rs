//! The journal: real files of it through the real `journalctl`, and one that misbehaves.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends by panicking")]

mod support;

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use support::{Bundle, Scratch, collect, is_root, stderr};

/// Makes journal files from systemd's export format; in Debian's package systemd-journal-remote.
const JOURNAL_REMOTE: [&str; 2] =
    ["/usr/lib/systemd/systemd-journal-remote", "/lib/systemd/systemd-journal-remote"];

/// Seconds ago, and the fields of a message.
type Message<'a> = (u64, &'a str, &'a str);

/// One boot's messages, oldest first, in the export format (systemd's `JOURNAL_EXPORT_FORMATS`).
fn export(messages: &[Message<'_>]) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let boot = "b0".repeat(16);
    let entry = |(ago, fields, text): &Message<'_>| {
        let (time, since_boot) = ((now - ago) * 1_000_000, (2_000_000 - ago) * 1_000_000);
        let fields = fields.replace(' ', "\n");
        format!(
            "__REALTIME_TIMESTAMP={time}\n__MONOTONIC_TIMESTAMP={since_boot}\n_BOOT_ID={boot}\n_HOSTNAME=web1\n{fields}\nMESSAGE={text}\n\n"
        )
    };
    messages.iter().map(entry).collect()
}

#[test]
fn a_mounted_hosts_journal_is_read() {
    let test = "a_mounted_hosts_journal_is_read";
    let writer = JOURNAL_REMOTE.into_iter().find(|path| support::exists(path));
    let (Some(writer), true) = (writer, support::is_installed("journalctl")) else {
        println!("skipped: {test}: no journalctl or no systemd-journal-remote");
        return;
    };
    let host = Scratch::new();
    host.write("proc/1/comm", "init\n");
    host.write("var/log/syslog", "web1 dockerd: this is in the journal, too\n");
    let directory = "var/log/journal/0123456789abcdef0123456789abcdef";
    std::fs::create_dir_all(host.0.join(directory)).unwrap();
    let file = host.path(&format!("{directory}/system.journal"));
    let docker = "_SYSTEMD_UNIT=docker.service SYSLOG_IDENTIFIER=dockerd _PID=8";
    let kernel = "_TRANSPORT=kernel SYSLOG_IDENTIFIER=kernel";
    let messages = [
        (9 * 86_400, docker, "too old"),
        (60, docker, "failed to remove: Device is Busy, --token tok3n-in-journal"),
        (50, "_SYSTEMD_UNIT=ssh.service SYSLOG_IDENTIFIER=sshd _PID=9", "Accepted password for bob"),
        (40, kernel, "overlayfs: upperdir is in-use by another mount"),
        (30, kernel, "usb 1-1: new high-speed USB device"),
        (20, "_COMM=containerd SYSLOG_IDENTIFIER=containerd _PID=7", "shim disconnected"),
    ];
    let mut command = Command::new(writer);
    let mut child =
        command.args(["-o", &file, "-"]).stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(export(&messages).as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());

    let bundle = collect(&["--root", &host.dir()]);
    let journal = bundle.must("logs/journal.log");
    let lines: Vec<&str> = journal.lines().collect();
    let [busy, shim] = lines.as_slice() else { panic!("{journal}") };
    assert!(busy.ends_with("dockerd[8]: failed to remove: Device is Busy, --token [redacted-1]"), "{busy}");
    assert!(shim.contains(" web1 containerd[7]: shim disconnected"), "{shim}");
    let kernel = bundle.must("logs/kernel.log");
    assert!(kernel.ends_with("kernel: overlayfs: upperdir is in-use by another mount\n"), "{kernel}");
    assert_eq!(kernel.lines().count(), 1);
    assert!(!bundle.items.contains_key("logs/syslog.log"), "syslog would say it all again");
    let logs = bundle.json("summary.json")["logs"].clone();
    assert!(logs[0]["source"].as_str().unwrap().starts_with("journalctl"), "{logs}");
    let older = collect(&["--root", &host.dir(), "--since", "10"]).must("logs/journal.log");
    assert!(older.lines().next().unwrap().ends_with("too old"), "{older}");
}

/// Runs the collector where `journalctl` is this script, in a mount namespace of its own.
fn with_journalctl(script: &str, timeout: &str) -> Bundle {
    let scratch = Scratch::new();
    scratch.write("fake/journalctl", script);
    let dir = scratch.dir();
    let program = env!("CARGO_BIN_EXE_ebusy-collector");
    let script = format!(
        "chmod +x {dir}/fake/journalctl
         mount -t overlay fake -o lowerdir={dir}/fake:/usr/bin /usr/bin
         mkdir {dir}/log; mkdir {dir}/log/journal; mount --bind {dir}/log /var/log
         exec {program} -o - --timeout {timeout}"
    );
    let output = Command::new("unshare").args(["-m", "/bin/sh", "-ec", &script]).output().unwrap();
    assert!(matches!(output.status.code(), Some(0 | 3)), "{}", stderr(&output));
    Bundle::read(&output.stdout)
}

#[test]
fn a_journalctl_that_hangs_is_ended() {
    if !is_root("a_journalctl_that_hangs_is_ended") {
        return;
    }
    let mark = format!("31{}", std::process::id());
    let bundle = with_journalctl(&format!("#!/bin/sh\necho t0 the newest line\nexec sleep {mark}\n"), "6");
    let summary = bundle.must("summary.json");
    assert!(summary.contains("journalctl did not end in time"), "{summary}");
    assert_eq!(bundle.must("logs/journal.log"), "t0 the newest line\n");
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let mut commands = processes.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    assert!(!commands.any(|command| command == format!("sleep\0{mark}\0").into_bytes()), "it is still there");
}

#[test]
fn a_journalctl_that_prints_garbage_or_fails_does_no_harm() {
    if !is_root("a_journalctl_that_prints_garbage_or_fails_does_no_harm") {
        return;
    }
    let garbage = with_journalctl("#!/bin/sh\nhead -c 300000 /dev/urandom; printf '\\377\\0end'\n", "60");
    assert_eq!(garbage.json("summary.json")["complete"], true);
    assert!(garbage.items.contains_key("logs/journal.log"));
    let endless = with_journalctl("#!/bin/sh\nexec yes 't1 dockerd: again'\n", "60");
    let logs = endless.json("summary.json")["logs"].clone();
    let log = logs.as_array().unwrap().iter().find(|log| log["file"] == "logs/journal.log").expect("the log");
    assert_eq!(log["truncated"], true);
    let failed = with_journalctl("#!/bin/sh\nexit 3\n", "60").must("summary.json");
    assert!(failed.contains("journalctl ended with 3"), "{failed}");
}
