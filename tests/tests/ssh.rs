//! Collecting through a real sshd, with the line that `deploy/README.md` shows.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

mod support;

use ebusy_tests::harness::{TempDir, machine, need_command, need_path, need_root, output, run};
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// An sshd for one connection, started by the client itself: it needs no port, and answers nobody else.
struct Remote {
    dir: TempDir,
    path: OsString,
}

impl Remote {
    fn new(test: &str) -> Option<Self> {
        let collector = need_path(test, "EBUSY_COLLECTOR")?;
        let (sshd, ssh) = (need_command(test, "sshd")?, need_command(test, "ssh")?);
        need_command(test, "sudo")?;
        if !need_root(test) {
            return None;
        }
        let dir = TempDir::new("ssh");
        for (name, permissions) in [("home", 0o755), ("bin", 0o755), ("keys", 0o700)] {
            fs::create_dir(dir.join(name)).expect("a directory can be made");
            fs::set_permissions(dir.join(name), fs::Permissions::from_mode(permissions)).expect("it is ours");
        }
        fs::copy(collector, dir.join("home/ebusy-collector")).expect("it can be copied");
        for key in ["keys/host", "keys/user"] {
            run(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(dir.join(key)));
        }
        let own = |name: &str| dir.join(name).display().to_string();
        let host_key = fs::read_to_string(own("keys/host.pub")).expect("it was made");
        fs::write(own("keys/known"), format!("web1 {host_key}")).expect("a file can be written");
        // Its users' home is none of ours: the command runs where the collector was copied to.
        let sshd_config = format!(
            "HostKey {}\nAuthorizedKeysFile {}\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n\
             PermitRootLogin prohibit-password\nForceCommand cd {} && eval \"$SSH_ORIGINAL_COMMAND\"\n",
            own("keys/host"),
            own("keys/user.pub"),
            own("home"),
        );
        fs::write(own("keys/sshd_config"), sshd_config).expect("a file can be written");
        let ssh_config = format!(
            "Host web1\nUser root\nIdentityFile {}\nIdentitiesOnly yes\nBatchMode yes\nHostKeyAlias web1\n\
             UserKnownHostsFile {}\nStrictHostKeyChecking yes\nProxyCommand {} -i -e -f {} 2>{}\n",
            own("keys/user"),
            own("keys/known"),
            sshd.display(),
            own("keys/sshd_config"),
            own("keys/log"),
        );
        fs::write(own("keys/config"), ssh_config).expect("a file can be written");
        let script = format!("#!/bin/sh\nexec {} -F {} \"$@\"\n", ssh.display(), own("keys/config"));
        fs::write(own("bin/ssh"), script).expect("a file can be written");
        fs::set_permissions(own("bin/ssh"), fs::Permissions::from_mode(0o755)).expect("it is ours");
        let mut path = dir.join("bin").into_os_string();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        Some(Self { dir, path })
    }

    /// A line of a shell, in an empty directory of whoever asks.
    fn type_here(&self, line: &str) -> (PathBuf, std::process::Output) {
        let here = self.dir.join("here");
        fs::create_dir_all(&here).expect("a directory can be made");
        let answer =
            output(Command::new("sh").args(["-uc", line]).env("PATH", &self.path).current_dir(&here));
        (here, answer)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.dir.join("keys/log")).unwrap_or_default()
    }
}

/// sshd keeps its children in there; the service's own start makes it.
fn provide_run_directory() {
    let _ = fs::create_dir("/run/sshd");
}

/// The line of the table, with the host's name.
fn documented_line() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/README.md");
    let readme = fs::read_to_string(file).expect("it is there");
    let row = readme.lines().find(|line| line.starts_with("| ssh |")).expect("a row for ssh");
    row.split('`').nth(1).expect("a command").replace("HOST", "web1")
}

#[test]
fn a_bundle_comes_through_ssh_and_nothing_stays_there() {
    let test = "ssh::a_bundle_comes_through_ssh_and_nothing_stays_there";
    let _machine = machine();
    let Some(remote) = Remote::new(test) else { return };
    provide_run_directory();
    let line = documented_line();
    assert_eq!(line, "ssh web1 sudo ./ebusy-collector -o - > web1.tar.gz");
    let (here, answer) = remote.type_here(&line);
    let said = String::from_utf8_lossy(&answer.stderr).into_owned();
    assert!(answer.status.success(), "{said}{}", remote.log());
    // What the collector says arrives, too.
    assert!(said.contains("Collected"), "{said}");
    let bundle = fs::read(here.join("web1.tar.gz")).expect("a bundle came");
    let report = support::ask(&bundle, "/proc");
    assert_eq!(
        (report.bundle.complete, report.bundle.privileged),
        (true, Some(true)),
        "{:?}",
        report.warnings
    );
    let left: Vec<_> = fs::read_dir(remote.dir.join("home")).expect("it is there").flatten().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn what_is_wrong_there_is_said_here() {
    let test = "ssh::what_is_wrong_there_is_said_here";
    let _machine = machine();
    let Some(remote) = Remote::new(test) else { return };
    provide_run_directory();
    let line = documented_line().replace("-o -", "-o - --frobnicate");
    let (here, answer) = remote.type_here(&line);
    let said = String::from_utf8_lossy(&answer.stderr).into_owned();
    assert!(answer.status.code() == Some(2) && said.contains("--frobnicate"), "{said}{}", remote.log());
    assert_eq!(fs::read(here.join("web1.tar.gz")).expect("the shell made it").len(), 0);
}
