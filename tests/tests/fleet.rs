//! Many bundles: one line a host, what they have in common, and the command that reads them.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

mod support;

use ebusy_analyzer::fleet::{HostLine, Tally, markdown, text};
use ebusy_analyzer::report::{Effect, Status};
use ebusy_tests::demo;
use ebusy_tests::harness::{TempDir, need_command, need_path, output, run};
use ebusy_tests::synth::{Host, Run, Sandbox};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::{Command, Output};

/// A host whose dead container is held by a unit.
fn held_by(name: &str, unit: &str) -> Host {
    let mut host = Host::new(name, "3.10.0-514.el7.x86_64");
    host.docker_devicemapper("17.05.0-ce");
    let web = host.run(&Run::new("web", "nginx:1.13"));
    host.wait(5);
    host.service(unit, &["/usr/sbin/daemon"], 1, Sandbox::MountFlagsPrivate);
    host.wait(60);
    host.stop(&web);
    host.set_state(&web, "dead");
    host.docker_log(&web.device_is_busy());
    host
}

/// A host where nothing is wrong.
fn quiet(name: &str) -> Host {
    let mut host = Host::new(name, "6.1.0-50-amd64");
    host.docker_devicemapper("20.10.24");
    host.run(&Run::new("web", "nginx:1.13"));
    host
}

fn line(host: &Host) -> HostLine {
    let analysis = support::open(&host.bundle()).expect("a good bundle opens");
    let mut lines = analysis.fleet_lines(&format!("{}.tar.gz", host.name));
    assert_eq!(lines.len(), 1);
    lines.remove(0)
}

fn fleet_of(lines: &[HostLine]) -> ebusy_analyzer::fleet::Fleet {
    let mut tally = Tally::default();
    lines.iter().for_each(|line| tally.add(line));
    tally.fleet()
}

#[test]
fn a_line_has_the_reports_verdict_and_its_holders() {
    let bundle = demo::bundle();
    let report = support::ask_default(&bundle);
    let line = support::open(&bundle).expect("the demo opens").fleet_lines("demo.tar.gz").remove(0);
    assert_eq!((line.status, &line.summary), (Some(report.verdict.status), &report.verdict.summary));
    assert_eq!(line.source, "demo.tar.gz");
    let httpd = line.holders.iter().find(|h| h.who == "httpd.service").expect("httpd holds it");
    assert_eq!(httpd.effect, Effect::Blocking);
    assert!(httpd.cause.is_some() && httpd.mounts > 0, "{httpd:?}");
    let cadvisor = line.holders.iter().find(|h| h.who.contains("cadvisor")).expect("cadvisor holds it");
    assert!(!cadvisor.who.contains(':'), "without the tag: {}", cadvisor.who);
    assert!(line.will_block > 0 && line.leftovers >= line.will_block);
}

#[test]
fn the_worst_host_comes_first_and_the_unreadable_last() {
    let mut lines = [line(&quiet("a-quiet")), line(&held_by("b-held", "httpd.service"))].to_vec();
    let error = support::open(b"").expect_err("nothing is no bundle");
    lines.insert(0, HostLine::unread("broken.tar.gz", error.code, &error.message, &error.advice));
    lines.sort_by(HostLine::worst_first);
    let names: Vec<&str> = lines.iter().map(HostLine::name).collect();
    assert_eq!(names, ["b-held", "a-quiet", "broken.tar.gz"]);
}

#[test]
fn what_the_hosts_have_in_common_is_counted_once_a_host() {
    let mut lines: Vec<HostLine> =
        (0..3).map(|n| line(&held_by(&format!("web{n}"), "httpd.service"))).collect();
    lines.push(line(&held_by("db1", "named.service")));
    lines.push(line(&quiet("cache1")));
    let before = fleet_of(&lines);
    // The same host again, an hour later.
    lines.push(line(&held_by("web0", "httpd.service")));
    lines.reverse();
    let fleet = fleet_of(&lines);
    assert_eq!(fleet, before, "neither a second bundle of a host nor the order counts");
    assert_eq!((fleet.hosts, fleet.held, fleet.failed), (5, 4, 0));
    let httpd = &fleet.holders[0];
    assert_eq!((httpd.who.as_str(), httpd.hosts, httpd.blocking_hosts), ("httpd.service", 3, 3));
    let mounts: u32 = lines[..5]
        .iter()
        .flat_map(|line| &line.holders)
        .filter(|h| h.who == "httpd.service")
        .map(|h| h.mounts)
        .sum();
    assert_eq!(httpd.mounts, mounts);
    assert_eq!(httpd.sentence, format!("httpd.service holds {mounts} mounts on 3 of 5 hosts"));
    assert_eq!(httpd.examples, ["web0", "web1", "web2"]);
    let cause = &fleet.causes[0];
    assert_eq!(cause.holders, [("httpd.service".to_owned(), 3), ("named.service".to_owned(), 1)]);
    assert!(
        fleet.summary.contains("4 of 5 hosts") && fleet.summary.contains("httpd.service"),
        "{}",
        fleet.summary
    );
}

#[test]
fn text_and_markdown_show_every_host_and_stay_text() {
    let mut lines = vec![line(&held_by("web1", "httpd.service")), line(&quiet("evil|<img src=x>`host"))];
    lines.sort_by(HostLine::worst_first);
    let fleet = fleet_of(&lines);
    let text = text::render(&fleet, &lines);
    assert_eq!(text.lines().next(), Some(fleet.summary.as_str()), "the first line answers");
    assert!(text.contains("HELD     web1"), "{text}");
    let markdown = markdown::render(&fleet, &lines);
    let row = markdown.lines().find(|line| line.contains("<img")).expect("the host has a row");
    assert!(row.contains("``evil\\|<img src=x>`host``"), "in a code span that nothing ends: {row}");
}

struct Ebusy {
    program: PathBuf,
    dir: TempDir,
}

impl Ebusy {
    fn new(test: &str) -> Option<Self> {
        Some(Self { program: need_path(test, "EBUSY_BIN")?, dir: TempDir::new("fleet") })
    }

    fn call(&self, arguments: &[&str]) -> Output {
        output(Command::new(&self.program).current_dir(self.dir.path()).args(arguments))
    }

    fn lines(&self, arguments: &[&str]) -> Vec<Value> {
        let answer = self.call(arguments);
        assert_eq!(answer.status.code(), Some(0), "{}", String::from_utf8_lossy(&answer.stderr));
        let text = String::from_utf8(answer.stdout).expect("UTF-8");
        text.lines().map(|line| serde_json::from_str(line).expect("an object a line")).collect()
    }

    /// A directory with bundles of every kind, and what is none.
    fn fill(&self) {
        let write = |name: &str, content: &[u8]| {
            let path = self.dir.join("in").join(name);
            std::fs::create_dir_all(path.parent().expect("it is below")).expect("a directory can be made");
            std::fs::write(path, content).expect("a file can be written");
        };
        write("01.tar.gz", &quiet("calm").bundle());
        write("02.tar.gz", b"not an archive at all");
        write("sub/03.tgz", &held_by("web1", "httpd.service").bundle());
        write("SHA256SUMS", b"00 01.tar.gz");
        let tree = self.dir.join("in/unpacked");
        std::fs::create_dir(&tree).expect("a directory can be made");
        let host = held_by("web2", "httpd.service");
        host.write_tree(&tree).expect("a tree can be written");
        std::fs::write(tree.join("docker.log"), host.log.join("\n")).expect("a file can be written");
    }
}

#[test]
fn a_directory_of_bundles_is_read_whatever_is_broken_in_it() {
    let Some(ebusy) = Ebusy::new("fleet::a_directory_of_bundles_is_read_whatever_is_broken_in_it") else {
        return;
    };
    ebusy.fill();
    let hosts = ebusy.lines(&["fleet", "in", "--format", "ndjson"]);
    let names: Vec<&str> = hosts.iter().map(|line| line["host"]["name"].as_str().unwrap_or("-")).collect();
    assert_eq!(names, ["calm", "-", "web1", "web2"], "in the order of the files");
    assert!(hosts[1]["failure"]["code"].is_string() && hosts[1]["status"].is_null(), "{}", hosts[1]);
    let keys = |line: &Value| line.as_object().map(|it| it.keys().cloned().collect::<Vec<_>>());
    assert!(hosts.iter().all(|line| keys(line) == keys(&hosts[0])), "a table has one kind of row");

    let answer = ebusy.call(&["fleet", "in"]);
    let text = String::from_utf8_lossy(&answer.stdout);
    assert!(text.lines().next().is_some_and(|line| line.contains("held on 2 of 3 hosts")), "{text}");
    assert!(text.contains("httpd.service holds") && text.contains("UNREAD"), "{text}");
    assert!(String::from_utf8_lossy(&answer.stderr).contains("1 files are no archives"));
    let json: Value = serde_json::from_slice(&ebusy.call(&["fleet", "in", "--format", "json"]).stdout)
        .expect("one document");
    assert_eq!((json["fleet"]["hosts"].as_u64(), json["fleet"]["failed"].as_u64()), (Some(3), Some(1)));
    assert_eq!(json["hosts"][0]["status"], "held", "the worst first");
    for jobs in ["1", "3"] {
        assert_eq!(ebusy.call(&["fleet", "in", "--jobs", jobs]).stdout, answer.stdout, "{jobs} jobs");
    }
}

/// The row of the table that a line's holder has.
fn row(line: &Value, holder: &Value) -> Value {
    let host = &line["host"];
    let known = line["failure"].is_null();
    let if_read = |value: &Value| if known { value.clone() } else { Value::Null };
    json!({
        "source": line["source"], "schema": line["schema"], "host": host["name"], "kernel": host["kernel"],
        "runtime": host["runtime"], "collected_at": host["collected_at"], "boot_id": host["boot_id"],
        "drops_foreign_mounts": host["drops_foreign_mounts"], "booted_at": line["booted_at"],
        "status": line["status"], "target": line["target"], "summary": line["summary"],
        "errors": if_read(&line["errors"]), "leftovers": if_read(&line["leftovers"]),
        "will_block": if_read(&line["will_block"]), "pinned_bytes": line["pinned_bytes"],
        "complete": if_read(&line["complete"]), "privileged": line["privileged"],
        "failure_code": line["failure"]["code"], "failure_advice": line["failure"]["advice"],
        "holder_who": holder["who"], "holder_effect": holder["effect"], "holder_mounts": holder["mounts"],
        "holder_open_files": holder["open_files"], "cause_id": holder["cause"]["id"],
        "cause_summary": holder["cause"]["summary"],
    })
}

/// Prints the rows of the file `$1` as JSON.
const READ_TABLE: &str = "import duckdb, json, sys
table = duckdb.sql(f\"FROM '{sys.argv[1]}'\")
print(json.dumps([dict(zip(table.columns, row)) for row in table.fetchall()]))";

#[test]
fn another_engine_reads_from_the_table_what_the_lines_say() {
    let test = "fleet::another_engine_reads_from_the_table_what_the_lines_say";
    let Some(ebusy) = Ebusy::new(test) else { return };
    let (Some(duckdb), Some(python)) = (need_path(test, "EBUSY_DUCKDB"), need_command(test, "python3"))
    else {
        return;
    };
    ebusy.fill();
    let answer = ebusy.call(&["fleet", "in", "--format", "parquet"]);
    assert_eq!(answer.status.code(), Some(0), "{}", String::from_utf8_lossy(&answer.stderr));
    let file = ebusy.dir.join("fleet.parquet");
    std::fs::write(&file, &answer.stdout).expect("a file can be written");
    let mut read = Command::new(python);
    let rows = run(read.args(["-c", READ_TABLE]).arg(&file).env("PYTHONPATH", duckdb));
    let rows: Vec<Value> = serde_json::from_str(&rows).expect("rows");

    let mut expected = Vec::new();
    for line in ebusy.lines(&["fleet", "in", "--format", "ndjson"]) {
        let holders = line["holders"].as_array().cloned().unwrap_or_default();
        expected.extend(holders.iter().map(|holder| row(&line, holder)));
        if holders.is_empty() {
            expected.push(row(&line, &Value::Null));
        }
    }
    assert!(expected.iter().any(|row| row["cause_id"].is_string()), "{expected:?}");
    assert_eq!(rows, expected);
    let again = ebusy.call(&["fleet", "in", "--format", "parquet", "--jobs", "3"]);
    assert!(again.stdout == answer.stdout, "the same bytes each time");
}

#[test]
fn somebody_at_a_terminal_sees_how_far_it_is_and_gets_no_table_there() {
    let test = "fleet::somebody_at_a_terminal_sees_how_far_it_is_and_gets_no_table_there";
    let Some(ebusy) = Ebusy::new(test) else { return };
    let Some(script) = need_command(test, "script") else { return };
    ebusy.fill();
    let at_terminal = |format: &str| {
        let call = format!("'{}' fleet in --format {format}", ebusy.program.display());
        let mut terminal = Command::new(&script);
        let answer = output(terminal.current_dir(ebusy.dir.path()).args(["-qec", &call, "/dev/null"]));
        (answer.status.code(), String::from_utf8_lossy(&answer.stdout).into_owned())
    };
    let (code, shown) = at_terminal("text");
    assert!(code == Some(0) && shown.contains("1 of 4 bundles"), "{shown}");
    let (code, shown) = at_terminal("parquet");
    assert!(code == Some(2) && shown.contains("redirect") && !shown.contains("PAR1"), "{shown}");
}

#[test]
fn one_html_file_shows_every_host_and_runs_nothing() {
    let Some(ebusy) = Ebusy::new("fleet::one_html_file_shows_every_host_and_runs_nothing") else { return };
    std::fs::create_dir(ebusy.dir.join("in")).expect("a directory can be made");
    for (name, host) in
        [("1", held_by("web1", "httpd.service")), ("2", quiet("<script>alert(1)</script>&amp;"))]
    {
        std::fs::write(ebusy.dir.join(format!("in/{name}.tar.gz")), host.bundle())
            .expect("it can be written");
    }
    let answer = ebusy.call(&["fleet", "in", "--format", "html"]);
    let page = String::from_utf8(answer.stdout).expect("UTF-8");
    let text = String::from_utf8(ebusy.call(&["fleet", "in"]).stdout).expect("UTF-8");
    let summary = text.lines().next().unwrap_or_default();
    assert!(page.contains(&format!("<h1>{summary}</h1>")), "{page}");
    assert!(page.contains(">web1<") && page.contains("httpd.service holds"), "{page}");
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;"), "{page}");
    assert!(!page.contains("<script") && page.contains("default-src 'none'"), "{page}");
}

#[test]
fn reports_of_many_bundles_are_a_line_each() {
    let Some(ebusy) = Ebusy::new("fleet::reports_of_many_bundles_are_a_line_each") else { return };
    ebusy.fill();
    let lines =
        ebusy.lines(&["analyze", "--format", "ndjson", "in/sub/03.tgz", "in/02.tar.gz", "in/unpacked"]);
    let verdict = |n: usize| lines[n]["report"]["verdict"]["status"].as_str();
    assert_eq!((verdict(0), verdict(1), verdict(2)), (Some("held"), None, Some("held")));
    assert_eq!(lines[1]["source"], "in/02.tar.gz");
    assert!(lines[1]["failure"].as_str().is_some_and(|why| why.len() > 20), "{}", lines[1]);
}

#[test]
fn a_fleet_without_a_host_ends_with_2_and_says_why() {
    let Some(ebusy) = Ebusy::new("fleet::a_fleet_without_a_host_ends_with_2_and_says_why") else { return };
    std::fs::create_dir(ebusy.dir.join("empty")).expect("a directory can be made");
    std::fs::write(ebusy.dir.join("noise.tar"), "noise").expect("a file can be written");
    for (arguments, word) in [
        (&["fleet", "empty"][..], "empty"),
        (&["fleet"], "directory"),
        (&["fleet", "noise.tar", "--format", "ndjson"], "could not be read"),
        (&["fleet", "noise.tar", "--format", "xml"], "xml"),
    ] {
        let answer = ebusy.call(arguments);
        assert_eq!(answer.status.code(), Some(2), "{arguments:?}");
        let said = String::from_utf8_lossy(&answer.stderr).into_owned();
        assert!(said.contains(word), "{arguments:?}: {said}");
    }
}

#[test]
fn the_verdict_of_a_quiet_host_is_no_alarm() {
    let line = line(&quiet("calm"));
    assert!(line.holders.is_empty() && line.leftovers == 0, "{line:?}");
    assert_ne!(line.status, Some(Status::Held));
}

#[test]
fn the_hosts_for_measuring_are_what_they_are_said_to_be() {
    let lines: Vec<HostLine> = (0..12).map(|number| line(&ebusy_tests::fleet::host(number))).collect();
    let fleet = fleet_of(&lines);
    assert_eq!(fleet.hosts, 12, "no two alike");
    assert!(fleet.held >= 4 && fleet.held < 12, "{}", fleet.summary);
    assert!(support::open(&ebusy_tests::fleet::bundle(ebusy_tests::fleet::BROKEN - 1)).is_err());
}
