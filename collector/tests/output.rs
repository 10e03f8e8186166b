//! Where the bundle goes, and what is left when it cannot.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends by panicking")]

mod support;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use support::{Bundle, Scratch, collector, stderr};

#[test]
fn the_file_is_whole_private_and_alone() {
    let scratch = Scratch::new();
    let output = collector().current_dir(&scratch.0).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let names = scratch.names("");
    let [name] = names.as_slice() else { panic!("{names:?}") };
    assert!(name.starts_with("ebusy-") && name.ends_with("Z.tar.gz"), "{name}");
    let path = scratch.0.join(name);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
    let bundle = Bundle::read(&std::fs::read(&path).unwrap());
    assert_eq!(bundle.json("summary.json")["complete"], true);
    let told = stderr(&output);
    let last = told.lines().last().unwrap();
    assert!(last.contains(path.to_str().unwrap()) && last.contains("iB)") && last.contains("send"), "{told}");
    assert!(output.stdout.is_empty());
}

#[test]
fn an_older_bundle_is_replaced_and_nothing_else_is() {
    let scratch = Scratch::new();
    scratch.write("old.tar.gz", "old");
    let run = |name: &str| collector().args(["-q", "-o", &scratch.path(name)]).output().unwrap();
    assert!(run("old.tar.gz").status.success());
    assert_ne!(std::fs::read(scratch.0.join("old.tar.gz")).unwrap(), b"old");

    scratch.write("victim", "precious");
    scratch.link("link", &scratch.path("victim"));
    let refused = run("link");
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("not a plain file"), "{}", stderr(&refused));
    assert_eq!(std::fs::read(scratch.0.join("victim")).unwrap(), b"precious");

    let nowhere = run("no/such/dir/x");
    assert_eq!(nowhere.status.code(), Some(1));
    assert!(stderr(&nowhere).contains("-o"), "{}", stderr(&nowhere));
    assert_eq!(scratch.names(""), ["link", "old.tar.gz", "victim"]);
}

#[test]
fn a_full_disk_leaves_no_file() {
    if !support::is_root("a_full_disk_leaves_no_file") {
        return;
    }
    let scratch = Scratch::new();
    let mount = scratch.path("small");
    std::fs::create_dir(&mount).unwrap();
    support::sh(&format!("mount -t tmpfs -o size=4k small {mount}"));
    let mounted = support::Mounted(mount.clone());
    let output = collector().args(["-o", &format!("{mount}/b.tar.gz")]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains("no room"), "{}", stderr(&output));
    assert_eq!(scratch.names("small"), [] as [&str; 0]);
    drop(mounted);
}

/// A log that is a pipe nobody writes to keeps the collector waiting, so that the signal meets it at work.
#[test]
fn a_signal_leaves_no_file() {
    let scratch = Scratch::new();
    let pipe = scratch.path("pipe.log");
    support::sh(&format!("mkfifo {pipe}"));
    for (signal, code) in [("TERM", 143), ("INT", 130)] {
        // A test run that a script started in the background ignores SIGINT, and its children with it.
        let mut child = Command::new("env")
            .args(["--default-signal=INT,TERM", env!("CARGO_BIN_EXE_ebusy-collector")])
            .args(["-o", &scratch.path("b.tar.gz"), "--log", &pipe])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let until = Instant::now() + Duration::from_secs(30);
        while !has_begun(&scratch, child.id()) {
            assert!(Instant::now() < until, "the unfinished file never appeared");
            std::thread::yield_now();
        }
        assert!(!scratch.0.join("b.tar.gz").exists(), "it must not have its name before it is whole");
        let kill =
            Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status().unwrap();
        assert!(kill.success());
        assert_eq!(child.wait().unwrap().code(), Some(code));
        assert_eq!(scratch.names(""), ["pipe.log"]);
    }
}

/// The unfinished file is there: with a name, or open without one.
fn has_begun(scratch: &Scratch, pid: u32) -> bool {
    let open = std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    let mut targets = open.filter_map(|entry| std::fs::read_link(entry.path()).ok());
    let dir = scratch.0.canonicalize().unwrap();
    let is_nameless = |path: &Path| path.starts_with(&dir) && path.to_string_lossy().ends_with(" (deleted)");
    scratch.names("") != ["pipe.log"] || targets.any(|target| is_nameless(&target))
}

#[test]
fn the_time_limit_ends_it_with_what_is_there() {
    let scratch = Scratch::new();
    let pipe = scratch.path("pipe.log");
    support::sh(&format!("mkfifo {pipe}"));
    let output = collector().args(["-o", "-", "--timeout", "3", "--log", &pipe]).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let bundle = Bundle::read(&output.stdout);
    assert_eq!(bundle.json("summary.json")["complete"], false);
    assert!(bundle.order.iter().any(|path| path.ends_with("/mountinfo")));
}

#[test]
fn a_dry_run_tells_what_would_be_taken_and_writes_nothing() {
    let scratch = Scratch::new();
    let output = collector().arg("--dry-run").current_dir(&scratch.0).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(scratch.names(""), [] as [&str; 0]);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    for kind in ["proc/PID/mountinfo", "proc/PID/cmdline", "proc/PID/links", "manifest.json"] {
        let line = told.lines().find(|line| line.starts_with(&format!("{kind} ")));
        let count: usize =
            line.unwrap_or_else(|| panic!("{told}")).split_whitespace().nth(1).unwrap().parse().unwrap();
        assert!(count > 0, "{told}");
    }
    assert!(told.ends_with("Nothing was written.\n"), "{told}");
}

/// The shells and man themselves judge what is made for them, where they are installed.
#[test]
fn man_page_and_completions_are_understood() {
    let text = |arguments: &[&str]| {
        let output = collector().args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let page = text(&["--help-man"]);
    assert!(page.starts_with(".TH EBUSY-COLLECTOR 8") && page.contains(".SH EXIT STATUS"), "{page}");
    let script = text(&["--completions", "bash"]);
    let check =
        "COMP_WORDS=(ebusy-collector --redact s); COMP_CWORD=2; _ebusy_collector; echo ${COMPREPLY[*]}";
    let output = Command::new("bash").args(["-c", &format!("{script}\n{check}")]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "secrets strict\n", "{}", stderr(&output));
    for shell in ["zsh", "fish"] {
        let script = text(&["--completions", shell]);
        assert!(script.contains("no-fds"));
        if support::is_installed(shell) {
            let scratch = Scratch::new();
            scratch.write("script", &script);
            let checked = Command::new(shell).args(["-n", &scratch.path("script")]).output().unwrap();
            assert!(checked.status.success(), "{shell}: {}", stderr(&checked));
        }
    }
    assert_eq!(collector().args(["--completions", "tcsh"]).output().unwrap().status.code(), Some(2));
}

#[test]
fn mistakes_on_the_command_line_are_explained() {
    let run = |arguments: &[&str]| collector().args(arguments).output().unwrap();
    let wrong = run(&["--frobnicate"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(stderr(&wrong).contains("--frobnicate") && stderr(&wrong).contains("--help"));
    let nowhere = run(&["--proc", "/nonexistent"]);
    assert_eq!(nowhere.status.code(), Some(1));
    assert!(stderr(&nowhere).contains("/nonexistent"));
    assert!(run(&["--help"]).status.success());
    assert!(String::from_utf8_lossy(&run(&["--version"]).stdout).starts_with("ebusy-collector "));
}
