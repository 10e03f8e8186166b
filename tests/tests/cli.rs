//! The `ebusy` command: exit codes, what it says where, its formats.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

use ebusy_analyzer::report::{Report, Status};
use ebusy_tests::harness::{TempDir, need_path, output, output_with};
use ebusy_tests::{demo, fleet};
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

struct Ebusy {
    program: PathBuf,
    dir: TempDir,
}

impl Ebusy {
    fn new(test: &str) -> Option<Self> {
        let program = need_path(test, "EBUSY_BIN")?;
        Some(Self { program, dir: TempDir::new("cli") })
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.current_dir(self.dir.path());
        command
    }

    fn call(&self, arguments: &[&str]) -> Output {
        output(self.command().args(arguments))
    }

    fn file(&self, name: &str, content: &[u8]) {
        std::fs::write(self.dir.join(name), content).expect("a file can be written");
    }
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("the command writes UTF-8")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn the_first_line_is_the_answer() {
    let Some(ebusy) = Ebusy::new("cli::the_first_line_is_the_answer") else { return };
    ebusy.file("demo.tar.gz", &demo::bundle());
    for arguments in [&["analyze", "demo.tar.gz"][..], &["analyze", "demo.tar.gz", "--id", "shop-frontend"]] {
        let answer = ebusy.call(arguments);
        assert_eq!(answer.status.code(), Some(0), "{}", stderr(&answer));
        let text = stdout(&answer);
        let first = text.lines().next().unwrap_or_default();
        for word in ["shop-frontend", "httpd.service", "cadvisor"] {
            assert!(first.contains(word), "{word} in: {first}");
        }
    }
}

#[test]
fn json_is_the_report_and_markdown_has_the_commands() {
    let Some(ebusy) = Ebusy::new("cli::json_is_the_report_and_markdown_has_the_commands") else { return };
    ebusy.file("demo.tar.gz", &demo::bundle());
    let answer = ebusy.call(&["analyze", "demo.tar.gz", "--format", "json"]);
    let report: Report = serde_json::from_slice(&answer.stdout).expect("a report");
    assert_eq!((report.schema.as_str(), report.verdict.status), ("ebusy.report/1", Status::Held));
    let markdown = stdout(&ebusy.call(&["analyze", "demo.tar.gz", "--format", "markdown"]));
    let command = &report.holders[0].remedies[0].command;
    assert!(markdown.contains(command.as_str()), "{markdown}");
    assert!(markdown.contains("```"), "commands stand in code blocks");
}

#[test]
fn a_bundle_can_come_through_a_pipe() {
    let Some(ebusy) = Ebusy::new("cli::a_bundle_can_come_through_a_pipe") else { return };
    ebusy.file("demo.tar.gz", &demo::bundle());
    let piped = output_with(ebusy.command().args(["analyze", "-"]), &demo::bundle());
    assert_eq!(piped.status.code(), Some(0), "{}", stderr(&piped));
    assert_eq!(stdout(&piped), stdout(&ebusy.call(&["analyze", "demo.tar.gz"])));
}

#[test]
fn a_directory_and_an_archive_of_several_hosts() {
    let Some(ebusy) = Ebusy::new("cli::a_directory_and_an_archive_of_several_hosts") else { return };
    let tree = ebusy.dir.join("tree");
    std::fs::create_dir(&tree).expect("a directory can be made");
    demo::host().write_tree(&tree).expect("a tree can be written");
    std::fs::write(tree.join("docker.log"), demo::host().log.join("\n")).expect("a file can be written");
    let unpacked = ebusy.call(&["analyze", "tree"]);
    assert_eq!(unpacked.status.code(), Some(0), "{}", stderr(&unpacked));
    assert!(stdout(&unpacked).contains("shop-frontend"), "{}", stdout(&unpacked));

    let several = ebusy.dir.join("several");
    std::fs::create_dir(&several).expect("a directory can be made");
    let mut other = demo::host();
    other.name = "other-host".into();
    std::fs::write(several.join("one.tgz"), demo::bundle()).expect("a file can be written");
    std::fs::write(several.join("two.tgz"), other.bundle()).expect("a file can be written");
    let unclear = ebusy.call(&["analyze", "several"]);
    assert_eq!(unclear.status.code(), Some(2));
    for word in [demo::host().name.as_str(), "other-host", "--host"] {
        assert!(stderr(&unclear).contains(word), "{}", stderr(&unclear));
    }
    let chosen = ebusy.call(&["analyze", "several", "--host", "other-host"]);
    assert_eq!(chosen.status.code(), Some(0), "{}", stderr(&chosen));
    assert!(stdout(&chosen).contains("other-host"));
    assert_eq!(ebusy.call(&["analyze", "several", "--host", "third"]).status.code(), Some(2));
}

#[test]
fn pasted_text_through_a_pipe_is_answered() {
    let Some(ebusy) = Ebusy::new("cli::pasted_text_through_a_pipe_is_answered") else { return };
    let text = b"tank/demo busy\n/proc/4711/mounts:tank/demo /srv/demo zfs rw 0 0\n";
    let answer = output_with(ebusy.command().args(["analyze", "-", "--id", "tank/demo"]), text);
    assert_eq!(answer.status.code(), Some(0), "{}", stderr(&answer));
    assert!(stdout(&answer).lines().next().unwrap_or_default().contains("4711"), "{}", stdout(&answer));
}

#[test]
fn what_is_not_in_the_bundle_ends_with_3_and_says_what_to_do() {
    let Some(ebusy) = Ebusy::new("cli::what_is_not_in_the_bundle_ends_with_3_and_says_what_to_do") else {
        return;
    };
    ebusy.file("demo.tar.gz", &demo::bundle());
    for query in ["no-such-container", "0123456789abcdef", "/no/such/path"] {
        let answer = ebusy.call(&["analyze", "demo.tar.gz", "--id", query]);
        assert_eq!(answer.status.code(), Some(3), "{query}");
        assert!(stderr(&answer).contains(query), "{}", stderr(&answer));
        assert!(stderr(&answer).contains("--id"), "what to do: {}", stderr(&answer));
        assert!(!stdout(&answer).contains("httpd"), "nobody is blamed: {}", stdout(&answer));
    }
}

#[test]
fn bad_input_and_bad_calls_end_with_2_and_name_the_matter() {
    let Some(ebusy) = Ebusy::new("cli::bad_input_and_bad_calls_end_with_2_and_name_the_matter") else {
        return;
    };
    ebusy.file("demo.tar.gz", &demo::bundle());
    ebusy.file("empty", b"");
    ebusy.file("noise", &demo::bundle().into_iter().map(|byte| byte ^ 0x5a).collect::<Vec<u8>>());
    for (arguments, word) in [
        (&["analyze", "missing.tar.gz"][..], "missing.tar.gz"),
        (&["analyze", "empty"], "empty"),
        (&["analyze", "noise"], "tar"),
        (&["analyze"], "bundle"),
        (&["analyze", "demo.tar.gz", "--format", "xml"], "xml"),
        (&["analyze", "demo.tar.gz", "--no-such-option"], "--no-such-option"),
        (&["analyze", "demo.tar.gz", "second.tar.gz"], "second.tar.gz"),
        (&["errors", "missing.log"], "missing.log"),
        (&["no-such-command"], "no-such-command"),
        (&[], "--help"),
    ] {
        let answer = ebusy.call(arguments);
        assert_eq!(answer.status.code(), Some(2), "{arguments:?}: {}", stderr(&answer));
        assert!(stderr(&answer).contains(word), "{arguments:?}: {}", stderr(&answer));
        assert!(!stderr(&answer).contains("panicked"), "{arguments:?}");
        assert_eq!(stdout(&answer), "", "{arguments:?}");
    }
}

#[test]
fn help_and_version_go_to_standard_output() {
    let Some(ebusy) = Ebusy::new("cli::help_and_version_go_to_standard_output") else { return };
    let help = ebusy.call(&["--help"]);
    assert_eq!(help.status.code(), Some(0));
    assert!(stdout(&help).contains("analyze") && stdout(&help).contains("errors"), "{}", stdout(&help));
    let version = ebusy.call(&["--version"]);
    let version = stdout(&version);
    assert!(version.starts_with("ebusy "), "{version}");
    for format in ["bundle/1", "report/1", "census/1", "diff/1", "fleet/1", "fleet-host/1"] {
        assert!(version.contains(&format!("ebusy.{format}")), "{version}");
    }
}

#[test]
fn each_command_tells_of_itself() {
    let Some(ebusy) = Ebusy::new("cli::each_command_tells_of_itself") else { return };
    for command in ["analyze", "errors", "census", "diff", "fleet"] {
        for words in [vec![command, "--help"], vec![command, "a.tar.gz", "-h"], vec!["help", command]] {
            let answer = ebusy.call(&words);
            let help = stdout(&answer);
            assert_eq!(answer.status.code(), Some(0), "{words:?}");
            assert!(help.starts_with(&format!("  ebusy {command} ")), "{help}");
            assert!(help.contains("--limit NAME=NUMBER") && help.contains("Exit codes:"), "{help}");
            let others = ["analyze", "errors", "census", "diff", "fleet"]
                .into_iter()
                .filter(|other| *other != command);
            others.for_each(|other| assert!(!help.contains(&format!("  ebusy {other} ")), "{help}"));
        }
    }
    assert_eq!(ebusy.call(&["nothing", "--help"]).status.code(), Some(2));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let Some(ebusy) = Ebusy::new("cli::a_reader_that_goes_away_is_no_error") else { return };
    ebusy.file("demo.tar.gz", &demo::bundle());
    let mut command = ebusy.command();
    command
        .args(["analyze", "demo.tar.gz"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    drop(child.stdout.take());
    let ended = child.wait_with_output().expect("it ends");
    assert!(!stderr(&ended).contains("panicked"), "{}", stderr(&ended));
}

/// A docker daemon's log, with lines that are about something else.
fn log() -> String {
    let host = demo::host();
    let other = "2017-04-12T10:00:00+0000 web1 sshd[77]: error: connect to port 22: Device or resource busy\n\
                 2017-04-12T10:00:01+0000 web1 dockerd[634]: time=\"2017-04-12T10:00:01Z\" level=info msg=\"API listen\"\n";
    format!("{other}{}\n", host.log.join("\n"))
}

#[test]
fn errors_lists_the_busy_errors_as_json_lines() {
    let Some(ebusy) = Ebusy::new("cli::errors_lists_the_busy_errors_as_json_lines") else { return };
    ebusy.file("docker.log", log().as_bytes());
    let answer = ebusy.call(&["errors", "docker.log", "--format", "json"]);
    assert_eq!(answer.status.code(), Some(0), "{}", stderr(&answer));
    let errors: Vec<Value> =
        stdout(&answer).lines().map(|line| serde_json::from_str(line).expect("an object a line")).collect();
    let host = demo::host();
    let containers = &host.docker.as_ref().expect("docker runs").containers;
    for (name, times) in [("shop-frontend", 3), ("nightly-report", 1)] {
        let container = containers.iter().find(|c| c.name == name).expect("it was run");
        let of_it: Vec<&Value> =
            errors.iter().filter(|e| e["container_id"] == container.id.as_str()).collect();
        assert!(of_it.iter().any(|e| e["count"].as_u64() >= Some(times)), "{name}: {errors:#?}");
        assert!(of_it.iter().all(|e| e["runtime"] == "docker"), "{name}: {of_it:#?}");
        for key in ["other_ids", "path", "device", "driver", "line", "first", "last"] {
            assert!(of_it.iter().all(|error| error.get(key).is_some()), "{key} is there, if null");
        }
    }
    assert!(errors.iter().all(|error| !error["line"].to_string().contains("sshd")), "{errors:#?}");
    let piped = output_with(ebusy.command().args(["errors", "-", "--format", "json"]), log().as_bytes());
    assert_eq!(stdout(&piped), stdout(&answer));
}

#[test]
fn a_log_without_busy_errors_ends_with_3() {
    let Some(ebusy) = Ebusy::new("cli::a_log_without_busy_errors_ends_with_3") else { return };
    ebusy.file(
        "quiet.log",
        b"2017-04-12T10:00:00 web1 dockerd[1]: level=info msg=\"API listen on /run/docker.sock\"\n",
    );
    ebusy.file("empty.log", b"");
    for log in ["quiet.log", "empty.log"] {
        let answer = ebusy.call(&["errors", log]);
        assert_eq!(answer.status.code(), Some(3), "{log}");
        assert!(!stderr(&answer).is_empty() || !stdout(&answer).is_empty(), "a sentence says so");
    }
}

#[test]
fn limits_can_be_raised_and_lowered() {
    let Some(ebusy) = Ebusy::new("cli::limits_can_be_raised_and_lowered") else { return };
    ebusy.file("demo.tar.gz", &demo::bundle());
    let call = |limit: &[&str]| {
        let answer = ebusy.call(&[&["analyze", "demo.tar.gz"], limit].concat());
        (answer.status.code(), stdout(&answer), stderr(&answer))
    };
    let (code, text, _) = call(&["--limit", "members=100000"]);
    assert!(code == Some(0) && !text.contains("the limit"), "{text}");
    let (_, text, _) = call(&["--limit=processes=5"]);
    assert!(text.contains("the limit 'processes' of 5 was met"), "{text}");
    for wrong in ["nonsense=5", "members=many", "members"] {
        let (code, _, error) = call(&["--limit", wrong]);
        assert!(code == Some(2) && error.contains("unpacked"), "{error}");
    }
}

/// A leak of 10 KiB for each bundle would be 6 MiB after 650 more of them.
#[test]
fn a_thousand_bundles_in_one_run_take_no_more_memory_than_a_hundred() {
    let test = "cli::a_thousand_bundles_in_one_run_take_no_more_memory_than_a_hundred";
    let Some(ebusy) = Ebusy::new(test) else { return };
    let names: Vec<String> = (0..1_000).map(|number| format!("{number:04}.tar.gz")).collect();
    let kinds: Vec<Vec<u8>> = (0..20).map(|number| fleet::host(number).bundle()).collect();
    for (name, bundle) in names.iter().zip(kinds.iter().cycle()) {
        ebusy.file(name, bundle);
    }
    for arguments in [["analyze", "--format", "ndjson"], ["fleet", "--format", "ndjson"]] {
        let mut command = ebusy.command();
        command.args(arguments).args(&names).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("it starts");
        let mut lines = BufReader::new(child.stdout.take().expect("it is a pipe")).lines();
        // What was not read from the pipe yet keeps it from ending.
        let mut peak_after = |count: usize| {
            let read =
                lines.by_ref().take(count).map_while(Result::ok).filter(|l| l.starts_with('{')).count();
            assert_eq!(read, count, "{arguments:?}");
            let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).expect("Linux");
            let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("it runs still");
            peak.split_whitespace().next().and_then(|n| n.parse::<u64>().ok()).expect("a number")
        };
        let (before, after) = (peak_after(100), peak_after(650));
        assert_eq!(lines.count(), 250, "{arguments:?}");
        assert!(child.wait().expect("it ends").success(), "{arguments:?}");
        assert!(after < before + 6 * 1024, "{arguments:?}: {before} kB, then {after} kB");
    }
}
