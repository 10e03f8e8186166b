//! Every command that the documentation shows, run as a reader would type it.
//!
//! All fenced blocks of `sh`, `python` and `js` of the pages below are run, block after block, in one directory for each page
//! that has what the page speaks of. A block that cannot run here has a comment before it that says why:
//! `<!-- not run: REASON -->`.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

use ebusy_tests::demo;
use ebusy_tests::harness::{TempDir, need_command, need_path, need_root, output, run};
use ebusy_tests::synth::Host;
use std::ffi::OsString;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the repository is there")
}

/// What people read, from the repository's root.
fn pages() -> Vec<String> {
    let mut pages: Vec<String> =
        ["README.md", "CONTRIBUTING.md", "deploy/README.md", "web/npm/README.md"].map(String::from).into();
    let docs = std::fs::read_dir(root().join("docs")).expect("docs can be read").flatten();
    let names = docs.map(|entry| entry.file_name().to_string_lossy().into_owned());
    pages.extend(names.filter(|name| name.ends_with(".md")).map(|name| format!("docs/{name}")));
    pages.sort();
    pages
}

/// A fenced block.
#[derive(Debug, PartialEq, Eq)]
struct Block {
    /// Line of its fence in the page, from 1.
    line: usize,
    language: String,
    text: String,
    /// Why it is not run here.
    not_run: Option<String>,
}

fn blocks(page: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut lines = page.lines().enumerate();
    let mut not_run = None;
    while let Some((number, line)) = lines.next() {
        let trimmed = line.trim_start();
        if let Some(language) = trimmed.strip_prefix("```") {
            let indent = line.len() - trimmed.len();
            let mut text = String::new();
            for (_, line) in lines.by_ref().take_while(|(_, line)| line.trim() != "```") {
                text.push_str(line.get(indent..).unwrap_or_default());
                text.push('\n');
            }
            found.push(Block {
                line: number + 1,
                language: language.to_owned(),
                text,
                not_run: not_run.take(),
            });
        } else if !trimmed.is_empty() {
            let reason = trimmed.strip_prefix("<!-- not run: ").and_then(|rest| rest.strip_suffix(" -->"));
            not_run = reason.map(str::to_owned);
        }
    }
    found
}

#[test]
fn blocks_are_found_where_readers_see_them() {
    let page = "x\n```sh\na\n```\n1. y\n\n   <!-- not run: no cluster -->\n\n   ```sh\n   b \\\n     c\n   ```\n```text\nd\n```\n";
    let block = |line, language: &str, text: &str, not_run: Option<&str>| Block {
        line,
        language: language.into(),
        text: text.into(),
        not_run: not_run.map(Into::into),
    };
    assert_eq!(
        blocks(page),
        [
            block(2, "sh", "a\n", None),
            block(9, "sh", "b \\\n  c\n", Some("no cluster")),
            block(13, "text", "d\n", None)
        ]
    );
}

/// A directory in which a page's blocks run.
struct Reader {
    dir: TempDir,
    path: OsString,
    /// Report link of the demo, where a page says LINK.
    link: String,
}

impl Reader {
    fn new(test: &str) -> Option<Self> {
        let collector = need_path(test, "EBUSY_COLLECTOR")?;
        let with_page = need_path(test, "EBUSY_COLLECTOR_HTML")?;
        let ebusy = need_path(test, "EBUSY_BIN")?;
        let node_package = need_path(test, "EBUSY_NPM")?;
        for command in ["node", "parallel", "python3"] {
            need_command(test, command)?;
        }
        if !need_root(test) {
            return None;
        }
        let dir = TempDir::new("reader");
        let programs = dir.join("programs");
        std::fs::create_dir_all(dir.join("node_modules")).expect("a directory can be made");
        std::fs::create_dir(&programs).expect("a directory can be made");
        for (name, program) in [
            ("programs/ebusy-collector", &collector),
            ("programs/ebusy-collector-html", &with_page),
            ("programs/ebusy", &ebusy),
            ("node_modules/ebusy-analyzer", &node_package),
        ] {
            symlink(program, dir.join(name)).expect("a link can be made");
        }
        // The tests are root already, and the other host is this one.
        for (name, script) in [
            ("sudo", "#!/bin/sh\nexec \"$@\"\n"),
            ("ssh", "#!/bin/sh\nshift\ncd \"$EBUSY_REMOTE\" && exec sh -c \"$*\"\n"),
        ] {
            let file = programs.join(name);
            std::fs::write(&file, script).expect("a file can be written");
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
        }
        let mut path = programs.into_os_string();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        std::fs::write(dir.join("demo.tar.gz"), demo::bundle()).expect("a file can be written");
        let link =
            run(Command::new(&ebusy).arg("analyze").arg(dir.join("demo.tar.gz")).args(["--format", "link"]));
        Some(Self { dir, path, link: link.trim().to_owned() })
    }

    /// Makes what a page speaks of.
    fn prepare(&self, page: &str, text: &str) -> PathBuf {
        let dir = self.dir.join(page.replace('/', "-"));
        let put = |name: &str, content: &[u8]| {
            let file = dir.join(name);
            std::fs::create_dir_all(file.parent().expect("it is below")).expect("a directory can be made");
            std::fs::write(&file, content).expect("a file can be written");
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).expect("it is ours");
        };
        std::fs::create_dir(&dir).expect("a directory can be made");
        let demo = demo::bundle();
        for name in [
            "ebusy-demo.tar.gz",
            "ebusy-web1-20261122T073600Z.tar.gz",
            "BUNDLE",
            "A.tar.gz",
            "B.tar.gz",
            "before.tar.gz",
            "after.tar.gz",
        ] {
            if text.contains(name) {
                put(name, &demo);
            }
        }
        for bundles in ["DIR", "bundles"] {
            if text.contains(bundles) {
                put(&format!("{bundles}/web1.tar.gz"), &demo);
                put(&format!("{bundles}/calm.tar.gz"), &Host::new("calm", "6.1.0-50-amd64").bundle());
                put(&format!("{bundles}/broken.tar.gz"), b"no archive");
            }
        }
        put("docker.log", demo::host().log.join("\n").as_bytes());
        // The collector as a mail brought it, here and on the other host.
        for place in ["", "remote/"] {
            let collector = self.dir.join("programs/ebusy-collector");
            put(&format!("{place}ebusy-collector"), &std::fs::read(collector).expect("it can be read"));
        }
        let executable = std::fs::Permissions::from_mode(0o755);
        if text.contains("./ebusy-collector-html") {
            symlink(self.dir.join("programs/ebusy-collector-html"), dir.join("ebusy-collector-html"))
                .expect("a link can be made");
        }
        std::fs::set_permissions(dir.join("remote/ebusy-collector"), executable.clone()).expect("it is ours");
        if !text.contains("chmod +x ebusy-collector") {
            std::fs::set_permissions(dir.join("ebusy-collector"), executable).expect("it is ours");
        }
        dir
    }

    /// Runs a block to its end; what went wrong.
    fn run(&self, dir: &Path, block: &Block) -> Option<String> {
        let text = block.text.replace(" LINK", &format!(" '{}'", self.link));
        let mut command = match block.language.as_str() {
            "sh" => Command::new("bash"),
            "python" => Command::new("python3"),
            _ => Command::new("node"),
        };
        match block.language.as_str() {
            "sh" => command.args(["-euo", "pipefail", "-c"]),
            "python" => command.arg("-c"),
            _ => command.arg("-e"),
        };
        command.arg(text).current_dir(dir).env("PATH", &self.path).env("EBUSY_REMOTE", dir.join("remote"));
        command.env("NODE_PATH", self.dir.join("node_modules"));
        if let Some(duckdb) = std::env::var_os("EBUSY_DUCKDB") {
            command.env("PYTHONPATH", duckdb);
        }
        let answer = output(&mut command);
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (!answer.status.success())
            .then(|| format!("{}\n{}{}", answer.status, said(&answer.stdout), said(&answer.stderr)))
    }
}

#[test]
fn what_the_documentation_tells_to_type_works() {
    let test = "docs::what_the_documentation_tells_to_type_works";
    let Some(reader) = Reader::new(test) else { return };
    if need_path(test, "EBUSY_DUCKDB").is_none() {
        return;
    }
    let (mut wrong, mut ran) = (Vec::new(), 0);
    for page in pages() {
        let text = std::fs::read_to_string(root().join(&page)).expect("it can be read");
        let mut blocks = blocks(&text);
        blocks.retain(|block| ["sh", "python", "js"].contains(&block.language.as_str()));
        let commands: String = blocks.iter().map(|block| block.text.as_str()).collect();
        let dir = reader.prepare(&page, &commands);
        for block in &blocks {
            match &block.not_run {
                Some(reason) => assert!(reason.len() > 10, "{page}:{}: says why", block.line),
                None => {
                    ran += 1;
                    let failure = reader.run(&dir, block);
                    wrong.extend(failure.map(|why| format!("{page}:{}: {}\n{why}", block.line, block.text)));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(ran >= 10, "only {ran} blocks were found");
}

#[test]
fn the_answer_in_the_readme_is_the_demos() {
    let test = "docs::the_answer_in_the_readme_is_the_demos";
    let (Some(ebusy), Some(demo)) = (need_path(test, "EBUSY_BIN"), need_path(test, "EBUSY_DEMO")) else {
        return;
    };
    let readme = std::fs::read_to_string(root().join("README.md")).expect("it can be read");
    let answers: Vec<Block> =
        blocks(&readme).into_iter().filter(|block| block.text.starts_with("HELD: ")).collect();
    let [answer] = &answers[..] else { panic!("one answer: {answers:?}") };
    let said = run(Command::new(ebusy).arg("analyze").arg(demo));
    assert_eq!(said.lines().next(), Some(answer.text.trim_end()));
}

/// The words behind `program` in running text and in blocks that are options of it.
#[test]
fn options_that_the_documentation_names_exist() {
    let test = "docs::options_that_the_documentation_names_exist";
    let (Some(ebusy), Some(collector)) = (need_path(test, "EBUSY_BIN"), need_path(test, "EBUSY_COLLECTOR"))
    else {
        return;
    };
    for (name, program) in [("ebusy ", ebusy), ("ebusy-collector ", collector)] {
        let help = run(Command::new(program).arg("--help"));
        for page in pages() {
            let text = std::fs::read_to_string(root().join(&page)).expect("it can be read");
            // In code, up to a pipe or the end of the span.
            let calls = text.lines().flat_map(|line| {
                line.match_indices(name).map(move |(at, _)| line[at..].split(['`', '|', '#']).next())
            });
            for option in calls.flatten().flat_map(|call| call.split_whitespace()) {
                let option = option.split('=').next().unwrap_or_default().trim_end_matches([',', '.', ')']);
                let known = ["--version", "--help"].contains(&option) || help.contains(option);
                assert!(!option.starts_with("--") || option.len() < 4 || known, "{page}: {name}{option}");
            }
        }
    }
}
