//! A hundred secrets of twenty shapes, planted wherever people leave them on a host: none may be in the bundle.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends by panicking")]

mod support;

use std::collections::BTreeSet;
use std::process::Command;

use support::{Helper, Scratch, collect, contains};

/// Words of a command line with a secret in them.
type Shape = fn(&str) -> Vec<String>;

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

const SHAPES: [Shape; 20] = [
    |s| words(&["app", &format!("--password={s}")]),
    |s| words(&["app", "--token", s]),
    |s| words(&["env", &format!("SECRET_KEY={s}"), "app"]),
    |s| words(&["docker", "run", "-e", &format!("DB_PASSWD={s}"), "image"]),
    |s| words(&["app", &format!("postgres://u:{s}@db/x")]),
    |s| words(&["curl", "-u", &format!("bob:{s}"), "https://h/"]),
    |s| words(&["curl", "-H", &format!("Authorization: Bearer {s}")]),
    |s| words(&["curl", "-H", &format!("X-Api-Key: {s}")]),
    |s| words(&["mysqldump", &format!("-p{s}"), "db"]),
    |s| words(&["sshpass", "-p", s, "ssh", "h"]),
    |s| words(&["docker", "login", "-p", s, "registry"]),
    |s| words(&["app", &format!(r#"{{"client_secret":"{s}"}}"#)]),
    |s| words(&["mount", "-o", &format!("username=u,password={s}"), "//h/x"]),
    |s| words(&["app", &format!("https://h/?sig={s}&x=1")]),
    |s| words(&["app", &format!("ghp_{s}{s}")]),
    |s| words(&["app", &format!("glpat-{s}{s}")]),
    |s| words(&["app", &format!("eyJhbGciOiJIUzI1NiJ9.{s}.{s}")]),
    |s| words(&["sh", "-c", &format!("a && PGPASSWORD='{s}' psql")]),
    |s| words(&["app", &format!("SWMTKN-1-{s}{s}-{s}")]),
    |s| words(&["app", &format!("xoxb-{s}-{s}")]),
];
/// Command lines, logs, the runtimes' files, unit files with their environment, and labels.
const PLACES: usize = 5;

fn secret(shape: usize, place: usize) -> String {
    format!("q{place}zw{shape:02}kjxv7")
}

/// A recorded host in the given state, with the secrets of every shape in every place.
fn host() -> Scratch {
    let host = Scratch::new();
    host.write("proc/version", "Linux version 6.1.0\n");
    host.write("proc/stat", "btime 1795332813\n");
    let (mut log, mut unit) = (String::new(), "[Service]\n".to_owned());
    let (mut environment, mut labels, mut arguments) = (vec![], serde_json::Map::new(), vec![]);
    for (number, shape) in SHAPES.iter().enumerate() {
        let line = |place: usize| shape(&secret(number, place)).join(" ");
        let process = format!("proc/{}", 100 + number);
        host.write(&format!("{process}/stat"), &format!("{} (app) S 1 1 1 0 -1 4194304 0", 100 + number));
        host.write(&format!("{process}/comm"), "app\n");
        host.write(&format!("{process}/mountinfo"), "21 1 253:1 / / rw - ext4 /dev/vda1 rw\n");
        host.write(&format!("{process}/cmdline"), &(shape(&secret(number, 0)).join("\0") + "\0"));
        // Never collected at all.
        host.write(&format!("{process}/environ"), &format!("X={}\0", line(3)));
        log += &format!("Nov 22 07:36:00 web1 dockerd[8]: level=error msg=\"exec failed\" cmd={}\n", line(1));
        environment.push(format!("V{number}={}", line(2)));
        arguments.push(line(2));
        unit += &format!("ExecStart={0}\nEnvironment=\"V{number}={0}\"\n", line(3));
        labels.insert(format!("label-{number}"), line(4).into());
    }
    host.write("var/log/syslog", &log);
    host.write("etc/systemd/system/app.service", &unit);
    host.write("etc/docker/daemon.json", &serde_json::json!({ "labels": arguments }).to_string());
    let config = serde_json::json!({
        "ID": "ac05", "Name": "/web", "Driver": "overlay2", "Path": "app", "Args": arguments,
        "State": {"Running": true, "Pid": 100}, "Config": {"Image": "i", "Env": environment, "Labels": labels, "Cmd": arguments},
    });
    host.write("var/lib/docker/containers/ac05/config.v2.json", &config.to_string());
    let task = "run/containerd/io.containerd.runtime.v2.task/k8s.io/d3";
    host.write(&format!("{task}/init.pid"), "100");
    let spec = serde_json::json!({"process": {"env": environment, "args": arguments}, "annotations": labels});
    host.write(&format!("{task}/config.json"), &spec.to_string());
    let metadata = serde_json::json!({"image-name": "i:1", "labels": labels}).to_string();
    let storage = serde_json::json!([{"id": "c1", "names": ["n"], "layer": "L", "metadata": metadata}]);
    host.write("var/lib/containers/storage/overlay-containers/containers.json", &storage.to_string());
    let state = serde_json::json!({"pid": 100, "status": "running", "annotations": labels});
    host.write("var/lib/containers/storage/overlay-containers/c1/userdata/state.json", &state.to_string());
    host
}

fn assert_none_is_left(all: &[u8]) {
    for place in 0..PLACES {
        for shape in 0..SHAPES.len() {
            let secret = secret(shape, place);
            assert!(!contains(all, &secret), "shape {shape} of place {place} is in the bundle: {secret}");
        }
    }
}

#[test]
fn a_hundred_planted_secrets_are_not_in_the_bundle() {
    let host = host();
    for arguments in [&[][..], &["--redact", "strict"]] {
        let root = host.dir();
        let bundle = collect(&[&["--root", root.as_str()], arguments].concat());
        assert_none_is_left(&bundle.all_bytes());
        // They were there to be found: each command line and each log line has a mark instead.
        for number in 0..SHAPES.len() {
            let command = bundle.must(&format!("proc/{}/cmdline", 100 + number));
            assert!(command.contains("[redacted-"), "shape {number}: {command}");
        }
        let log = bundle.must("logs/syslog.log");
        assert_eq!(log.lines().filter(|line| line.contains("[redacted-")).count(), SHAPES.len(), "{log}");
        let list = bundle.json("runtime/containers.json");
        let ids: BTreeSet<_> = list.as_array().unwrap().iter().map(|c| c["id"].as_str().unwrap()).collect();
        assert_eq!(ids, BTreeSet::from(["ac05", "c1", "d3"]), "the files with secrets in them were read");
        assert_eq!(
            bundle.json("summary.json")["secrets_replaced"].as_u64().unwrap() as usize,
            distinct(&bundle.all_bytes())
        );
    }
}

/// How many different marks there are.
fn distinct(all: &[u8]) -> usize {
    let text = String::from_utf8_lossy(all);
    let marks: BTreeSet<&str> =
        text.split("[redacted-").skip(1).filter_map(|rest| rest.split(']').next()).collect();
    marks.len()
}

#[test]
fn equal_secrets_have_equal_marks_in_all_places() {
    let host = host();
    host.write("proc/100/cmdline", "app\0--password\0same-one-77\0");
    host.write("proc/101/cmdline", "app\0--db=mysql://u:same-one-77@h/x\0");
    host.write("proc/102/cmdline", "app\0--password\0another-78\0");
    host.write("var/log/docker.log", "dockerd: retry with --token same-one-77 and PGPASSWORD=another-78\n");
    let bundle = collect(&["--root", &host.dir()]);
    let mark = |text: &str| {
        let start = text.find("[redacted-").unwrap_or_else(|| panic!("{text}"));
        text[start..=start + text[start..].find(']').unwrap()].to_owned()
    };
    let (same, other) = (mark(&bundle.must("proc/100/cmdline")), mark(&bundle.must("proc/102/cmdline")));
    assert_ne!(same, other);
    assert_eq!(mark(&bundle.must("proc/101/cmdline")), same);
    assert_eq!(
        bundle.must("logs/docker.log"),
        format!("dockerd: retry with --token {same} and PGPASSWORD={other}\n")
    );
}

/// Real processes, with secrets in what they were started with.
#[test]
fn secrets_of_running_processes_are_not_in_the_bundle() {
    // It waits by itself, for a line that never comes: a child would outlive it.
    let pipe = Scratch::new();
    support::sh(&format!("mkfifo {}", pipe.path("wait")));
    let script = format!("echo ready; read line <> {}", pipe.path("wait"));
    let mut helpers = Vec::new();
    for (number, shape) in SHAPES.iter().enumerate() {
        let mut command = Command::new("/bin/sh");
        // What follows the script are its arguments: $0 is the program that the shape is about.
        command.args(["-c", script.as_str()]).args(shape(&secret(number, 0)));
        command.env("PLANTED", shape(&secret(number, 3)).join(" "));
        helpers.push(Helper::start(&mut command));
    }
    let bundle = collect(&[]);
    for helper in &helpers {
        let command = bundle.must(&format!("proc/{}/cmdline", helper.pid));
        assert!(command.contains("[redacted-"), "{command}");
    }
    assert_none_is_left(&bundle.all_bytes());
}
