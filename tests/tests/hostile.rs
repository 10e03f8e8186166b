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
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
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

/// What the commands call. None of it is run.
const PROGRAMS: [&str; 24] = [
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
    "echo",
    "sleep",
    "findmnt",
    "mkdir",
    "ps",
    "lvs",
    "rbd",
];

/// Real shells in which programs only write down their arguments, and `touch` leaves a canary.
struct Shells(TempDir);

/// What came of one command.
struct Ran {
    /// All arguments of all programs that it ran.
    arguments: Vec<Vec<u8>>,
    /// Something else was run.
    canary: bool,
}

impl Shells {
    fn new() -> Self {
        let dir = TempDir::new("shells");
        fs::create_dir(dir.join("bin")).expect("a directory");
        // Found where a shell looks for a program; the rest are functions, or 10,000 commands would take minutes. Both,
        // because what is substituted may run in a process of its own.
        for (name, body) in [("touch", CANARY), ("ebusy-collector", RECORD)] {
            let path = dir.join("bin").join(name);
            fs::write(&path, format!("#!/bin/sh\n{body}\n")).expect("a file");
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("a mode");
        }
        Self(dir)
    }

    /// Runs all commands in one process of the shell, each in a subshell.
    fn run(&self, shell: &Shell, commands: &[String]) -> Vec<Ran> {
        let work = self.0.join("work");
        let _ = fs::remove_dir_all(&work);
        fs::create_dir(&work).expect("a directory");
        for (number, command) in commands.iter().enumerate() {
            fs::write(work.join(number.to_string()), format!("{command}\n")).expect("a file");
        }
        let names = PROGRAMS.iter().copied().chain(shell.inside.iter().map(String::as_str));
        let mut script: String = names.map(|name| format!("{name}() {{ {RECORD}; }}\n")).collect();
        script.push_str(&format!(
            "touch() {{ {CANARY}; }}\nn=0\nwhile [ $n -lt {} ]; do export AT=$n; (. ./$n); n=$((n + 1)); done\n: > done\n",
            commands.len()
        ));
        let ended = Command::new(&shell.path)
            .args(shell.arguments)
            .args(["-c", &script])
            .current_dir(&work)
            .env("PATH", self.0.join("bin"))
            .stdin(std::process::Stdio::null())
            .output()
            .expect("a shell");
        assert!(work.join("done").exists(), "{} came to the end: {ended:?}", shell.name);
        let ran = |number: usize| Ran {
            arguments: fs::read(work.join(format!("{number}.arguments")))
                .unwrap_or_default()
                .split(|&b| b == 0)
                .map(<[u8]>::to_vec)
                .collect(),
            canary: work.join(format!("{number}.canary")).exists(),
        };
        (0..commands.len()).map(ran).collect()
    }
}

/// Writes down the arguments, each ended by NUL.
const RECORD: &str = "for a; do printf '%s\\0' \"$a\"; done >> $AT.arguments";
const CANARY: &str = ": > $AT.canary";

struct Shell {
    name: &'static str,
    path: PathBuf,
    arguments: &'static [&'static str],
    /// Programs that are a part of it, which no PATH keeps it from.
    inside: Vec<String>,
}

/// Those of the usual shells that there are.
fn shells() -> Vec<Shell> {
    let find = |name: &'static str, arguments: &'static [&'static str]| {
        let path = std::env::split_paths(&std::env::var_os("PATH")?)
            .map(|dir| dir.join(name))
            .find(|p| p.exists())?;
        let inside = if name == "busybox" { applets(&path) } else { Vec::new() };
        Some(Shell { name, path, arguments, inside })
    };
    let found: Vec<Shell> =
        [find("bash", &[]), find("dash", &[]), find("busybox", &["sh"])].into_iter().flatten().collect();
    assert!(found.iter().any(|shell| shell.name == "bash"), "bash is there");
    found
}

/// All but what the test itself needs.
fn applets(busybox: &Path) -> Vec<String> {
    let list = Command::new(busybox).arg("--list").output().expect("a list");
    let is_name = |name: &&str| {
        name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
            && !["printf", "test", "true"].contains(name)
    };
    String::from_utf8_lossy(&list.stdout).lines().filter(is_name).map(str::to_owned).collect()
}

#[test]
fn commands_run_with_hostile_paths_run_nothing_else() {
    let mut expected: BTreeMap<String, String> = BTreeMap::new();
    for hostile in corpus() {
        let (path, reports, _) = reports(&hostile);
        let of_report = |report: &Report| {
            let remedies =
                report.holders.iter().flat_map(|holder| &holder.remedies).chain(&report.next_steps);
            remedies.map(|remedy| remedy.command.clone()).collect::<Vec<_>>()
        };
        for command in reports.iter().flat_map(of_report).filter(|command| !command.is_empty()) {
            // Advice for any host, which would write to this one's `/etc`: nothing of the bundle is in it.
            if command.contains("> /") {
                assert!(!command.contains(&hostile), "{command}");
            } else {
                expected.insert(command, path.clone());
            }
        }
    }
    let commands: Vec<String> = expected.keys().cloned().collect();
    let place = Shells::new();
    for shell in shells() {
        let ran = place.run(&shell, &commands);
        for (command, ran) in commands.iter().zip(&ran) {
            assert!(!ran.canary, "{} ran something else: {command}", shell.name);
        }
        if shell.name == "bash" {
            let is_whole = |(ran, path): &(&Ran, &String)| ran.arguments.iter().any(|a| a == path.as_bytes());
            let whole: BTreeSet<&String> =
                ran.iter().zip(expected.values()).filter(is_whole).map(|(_, path)| path).collect();
            // Shown as it is, no longer than a path can be, and not as a paste with a quote at its end.
            let is_plain = |path: &&String| {
                bytes::visible(path.as_bytes()) == **path && path.len() < 4096 && !path.ends_with(['"', '\''])
            };
            let in_parts: BTreeSet<&String> =
                expected.values().filter(is_plain).filter(|path| !whole.contains(path)).collect();
            assert!(whole.len() > 150, "{} paths", whole.len());
            assert!(in_parts.is_empty(), "the path arrives whole, as one argument: not {in_parts:?}");
        }
    }
}

#[test]
fn a_quoted_word_is_that_word_in_each_shell() {
    let strings: Vec<String> = corpus().into_iter().filter(|text| text.len() < 1000).collect();
    let quoted = strings.iter().map(|text| format!("echo {}", bytes::shell_quote(text.as_bytes())));
    let quoted: Vec<String> = quoted.collect();
    let place = Shells::new();
    for shell in shells() {
        for ((string, command), ran) in strings.iter().zip(&quoted).zip(place.run(&shell, &quoted)) {
            assert!(!ran.canary, "{} ran something else: {command}", shell.name);
            // A shell without `$'…'` gets another word, but one word.
            assert_eq!(ran.arguments.len(), 2, "{}: {command}", shell.name);
            if shell.name == "bash" {
                assert_eq!(ran.arguments[0], string.as_bytes(), "{command}");
            }
        }
    }
}
