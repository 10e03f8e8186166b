//! Three hundred strings that want to be more than text, as names of everything on a host, through every output: the
//! terminal, Markdown, JSON, and commands that are really run.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

mod support;

use ebusy_analyzer::report::{Report, markdown, text};
use ebusy_analyzer::{Query, bytes, census};
use ebusy_tests::harness::TempDir;
use ebusy_tests::rng::Rng;
use ebusy_tests::synth::{Host, Propagation, Run};
use pulldown_cmark::{Event, Options, Parser, Tag};
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

/// What a single string tries.
const TRIES: [&str; 60] = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "</title><script>x()</script>",
    "<a href=\"javascript:alert(1)\">x</a>",
    "javascript:alert(1)",
    "data:text/html,<script>x()</script>",
    "\"><img src=x>",
    "'><iframe src=//evil.example>",
    "<!--",
    "-->",
    "]]>",
    "<![CDATA[x]]>",
    "&lt;b&gt;",
    "&#x3c;b>",
    "[x](https://evil.example)",
    "![x](https://evil.example/x.png)",
    "[x]: https://evil.example",
    "[x][y]",
    "https://evil.example/x",
    "www.evil.example",
    "<https://evil.example>",
    "mail@evil.example",
    "@octocat",
    "org/repo#1",
    "#1",
    "```",
    "``x``",
    "`",
    "~~~",
    "# x",
    "> x",
    "- x",
    "| a | b |",
    "***x***",
    "__x__",
    "\\[x\\](y)",
    "\x1b[31mred",
    "\x1b[2J\x1b[H",
    "\x1b]0;title\x07",
    "\x1b]8;;https://evil.example\x1b\\x\x1b]8;;\x1b\\",
    "\u{9b}31m",
    "\x07\x08\x7f",
    "a\rb",
    "\u{202e}gnp.exe",
    "\u{2066}x\u{2069}",
    "\u{200b}\u{feff}",
    "\u{e0041}",
    "$(touch canary)",
    "`touch canary`",
    "; touch canary",
    "| touch canary",
    "&& touch canary",
    "' ; touch canary ; '",
    "\" ; touch canary ; \"",
    "\x01' ; touch canary #",
    "\x01\\' ; touch canary #",
    "-rf",
    "!! !$",
    "*?[a]{b,c}~ $HOME",
];

/// The tries alone, and joined at random.
fn corpus() -> Vec<String> {
    let mut rng = Rng::new(7);
    let mut corpus: Vec<String> = TRIES.iter().map(|text| (*text).to_owned()).collect();
    while corpus.len() < 299 {
        let (a, b) = (*rng.pick(&TRIES), *rng.pick(&TRIES));
        let between = *rng.pick(&["", " ", "x", "\t", "é"]);
        corpus.push(format!("{a}{between}{b}"));
    }
    corpus.push("m".repeat(1 << 20));
    corpus
}

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
            let rendered = markdown::render(&report);
            let mut text = String::new();
            for event in Parser::new_ext(&rendered, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH) {
                match event {
                    Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                        panic!("{hostile:?} made a link to {dest_url}: {rendered}")
                    }
                    // The evidence is folded by HTML of our own.
                    Event::Html(html) | Event::InlineHtml(html) => {
                        let own = ["<details>", "</details>", "<summary>", "</summary>"];
                        let left = own.iter().fold(html.to_string(), |rest, tag| rest.replace(tag, ""));
                        assert!(!left.contains('<'), "{hostile:?} made HTML: {html}");
                    }
                    Event::Text(part) => text.push_str(&part),
                    _ => text.push('\n'),
                }
            }
            // What GitHub makes of plain text. Code is not in `text` as one piece with it.
            let prose = prose_of(&rendered);
            let mention = prose
                .match_indices('@')
                .find(|(at, _)| prose[at + 1..].starts_with(|c: char| c.is_ascii_alphanumeric()));
            assert_eq!(mention, None, "{hostile:?}: {prose}");
            for link in ["://", "www."] {
                assert!(!prose.contains(link), "{hostile:?}: {prose}");
            }
        }
    }
}

/// The text outside of code.
fn prose_of(markdown: &str) -> String {
    let (mut prose, mut in_code) = (String::new(), false);
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::CodeBlock(_)) => in_code = true,
            Event::End(pulldown_cmark::TagEnd::CodeBlock) => in_code = false,
            Event::Text(part) if !in_code => prose.push_str(&part),
            Event::Code(_) | Event::SoftBreak | Event::HardBreak | Event::End(_) => prose.push('\n'),
            _ => {}
        }
    }
    prose
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
