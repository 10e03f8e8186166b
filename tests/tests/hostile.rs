//! Three hundred strings that want to be more than text, as names of everything on a host, through every output: the
//! terminal, Markdown, JSON, and commands that are really run.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

#[path = "support/hostile.rs"]
mod strings;
mod support;

use ebusy_analyzer::report::{Report, markdown, text};
use ebusy_analyzer::{Query, bytes, census};
use ebusy_tests::harness::TempDir;
use ebusy_tests::synth::{Host, Propagation, Run};
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use strings::{assert_harmless_markdown, corpus};

/// A host on which a mount, a process, a container, an image, a volume and a line of the log are called so. Names of
/// files have no slash.
fn reports(hostile: &str) -> (String, Vec<Report>, census::Census) {
    let component: String = hostile.replace('/', "∕");
    let mut host = Host::new("db7", "3.10.0-514.el7.x86_64");
    host.docker_devicemapper("17.05.0-ce");
    let web = host.run(&Run::new(hostile, hostile).args(&[hostile]).volume("/", &format!("/{component}")));
    let ns = host.mounts.copy_with(host.ns, Propagation::Private);
    let path = format!("/srv/data/{component}");
    let fs = host.tmpfs(hostile, "rw");
    host.mounts.mount(host.ns, &path, &fs);
    host.mounts.mount(ns, &path, &fs);
    let pid = host.spawn_in(ns, hostile, &[hostile, hostile]);
    host.link(pid, "fd/3", &path, "reg");
    host.stop(&web);
    let id = &web.id;
    host.docker_log(&format!("level=error msg=\"remove {path}: device or resource busy\""));
    host.docker_log(&format!("level=error msg=\"Driver devicemapper failed to remove root filesystem {id}: {hostile}: Device is Busy\""));
    let analysis = support::open(&host.bundle()).expect("a good bundle opens");
    let mut queries =
        vec![Query::Text(path.clone()), Query::Text(web.id.clone()), Query::Text(hostile.to_owned())];
    queries.extend((0..analysis.overview().errors.len()).map(Query::Error));
    (path, queries.iter().map(|query| analysis.explain(query)).collect(), analysis.census())
}

#[test]
fn a_terminal_shows_escapes_and_obeys_none() {
    for hostile in corpus() {
        let (_, reports, census) = reports(&hostile);
        let shown = reports.iter().map(text::render).chain([census::text::render(&census)]);
        for text in shown {
            let odd = text.chars().find(|c| {
                (c.is_control() && *c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
            });
            assert_eq!(odd, None, "{hostile:?} in {text}");
        }
    }
}

#[test]
fn markdown_has_no_link_image_html_or_mention_of_the_hosts() {
    for hostile in corpus() {
        for report in reports(&hostile).1 {
            assert_harmless_markdown(&markdown::render(&report));
        }
    }
}

#[test]
fn json_is_json_and_has_no_control_character() {
    for hostile in corpus() {
        for report in reports(&hostile).1 {
            let json = serde_json::to_string(&report).expect("a report is JSON");
            assert_eq!(serde_json::from_str::<Report>(&json).expect("it reads back"), report, "{hostile:?}");
            assert!(!json.contains("\\u001b") && !json.contains("\\u0007"), "{hostile:?}");
        }
    }
}

/// Programs that write down their arguments and do nothing else; `touch` would leave the canary.
struct Stubs(TempDir);

impl Stubs {
    fn new() -> Self {
        let dir = TempDir::new("stubs");
        fs::create_dir(dir.join("bin")).expect("a directory");
        let names = [
            "nsenter",
            "umount",
            "systemctl",
            "docker",
            "rmdir",
            "rm",
            "kill",
            "mount",
            "dmsetup",
            "losetup",
            "swapoff",
            "fuser",
            "lsof",
            "grep",
            "cat",
            "ls",
            "sysctl",
            "ebusy-collector",
            "echo",
            "sleep",
            "findmnt",
            "mkdir",
            "ps",
        ];
        for name in names {
            program(&dir, name, "for a; do printf '%s\\0' \"$a\"; done >> arguments");
        }
        program(&dir, "touch", ": > canary");
        Self(dir)
    }

    /// All arguments of all programs that a command runs.
    fn run(&self, shell: &str, command: &str) -> Vec<Vec<u8>> {
        let out = self.0.join("arguments");
        let _ = fs::remove_file(&out);
        let script = self.0.join("script");
        // What is built into a shell must not be run either: `kill` would find a process of this machine.
        let stub = "{ for a; do printf '%s\\0' \"$a\"; done >> arguments; }";
        fs::write(&script, format!("kill() {stub}\necho() {stub}\n{command}\n")).expect("a file");
        Command::new(shell)
            .arg(&script)
            .current_dir(self.0.path())
            .env("PATH", self.0.join("bin"))
            .stdin(std::process::Stdio::null())
            .output()
            .expect("a shell");
        assert!(!self.0.join("canary").exists(), "{shell} ran something else: {command}");
        let bytes = fs::read(out).unwrap_or_default();
        bytes.split(|&b| b == 0).map(<[u8]>::to_vec).collect()
    }
}

fn program(dir: &TempDir, name: &str, body: &str) {
    let path = dir.join("bin").join(name);
    fs::write(&path, format!("#!/bin/sh\n{body}\n")).expect("a file");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("a mode");
}

#[test]
fn commands_run_with_hostile_paths_run_nothing_else() {
    let stubs = Stubs::new();
    let mut whole = 0;
    for hostile in corpus().into_iter().take(120) {
        let (path, reports, _) = reports(&hostile);
        for report in &reports {
            let of_holders = report.holders.iter().flat_map(|holder| &holder.remedies);
            let mut commands: Vec<&str> =
                of_holders.chain(&report.next_steps).map(|remedy| remedy.command.as_str()).collect();
            commands.sort_unstable();
            commands.dedup();
            for command in commands.into_iter().filter(|command| !command.is_empty()) {
                // Advice for any host, which would write to this one's `/etc`: nothing of the bundle is in it.
                if command.contains("> /") {
                    assert!(!command.contains(&hostile), "{command}");
                    continue;
                }
                stubs.run("/bin/sh", command);
                let arguments = stubs.run("/bin/bash", command);
                whole += usize::from(arguments.iter().any(|a| a == path.as_bytes()));
            }
        }
    }
    assert!(whole > 100, "the path arrives whole, as one argument: {whole} times");
}

#[test]
fn a_quoted_word_is_that_word_in_each_shell() {
    let stubs = Stubs::new();
    for hostile in corpus().into_iter().filter(|text| text.len() < 1000) {
        let quoted = bytes::shell_quote(hostile.as_bytes());
        let command = format!("echo {quoted}");
        let in_bash = stubs.run("/bin/bash", &command);
        assert_eq!(in_bash.first().map(Vec::as_slice), Some(hostile.as_bytes()), "{quoted}");
        // A shell without `$'…'` gets another word, but one word.
        assert_eq!(stubs.run("/bin/sh", &command).len(), 2, "{quoted}");
        assert!(std::ffi::OsStr::from_bytes(quoted.as_bytes()).len() >= hostile.len());
    }
}
