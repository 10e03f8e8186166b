//! What `deploy/` offers to collect with: the plugins of docker and kubectl, the manifest, the Ansible role.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

mod support;

use ebusy_analyzer::report::{Effect, Report};
use ebusy_tests::harness::{
    Background, TempDir, machine, need_command, need_path, need_root, output, run, wait_until,
};
use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::core::v1::{Container, Namespace, Pod, PodSpec};
use serde::Deserialize as _;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::docker::Daemon;
use support::pids;

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy")
}

/// A directory with the collector and the command under their own names, and a `PATH` that begins with it.
struct Installed {
    dir: TempDir,
    path: OsString,
}

impl Installed {
    fn new(test: &str) -> Option<Self> {
        let collector = need_path(test, "EBUSY_COLLECTOR")?;
        let ebusy = need_path(test, "EBUSY_BIN")?;
        let dir = TempDir::new("installed");
        for (name, program) in [("ebusy-collector", collector), ("ebusy", ebusy)] {
            std::os::unix::fs::symlink(program, dir.join(name)).expect("a link can be made");
        }
        let mut path = dir.path().as_os_str().to_owned();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        Some(Self { dir, path })
    }

    fn script(&self, name: &str, text: &str) {
        let file = self.dir.join(name);
        std::fs::write(&file, text).expect("a script can be written");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
    }

    /// The collector as on a host in such trouble that its time is over before it is done: it writes what it has.
    fn end_early(&self) -> PathBuf {
        let collector = self.dir.join("ebusy-collector");
        let real = std::fs::canonicalize(&collector).expect("it is linked");
        std::fs::remove_file(&collector).expect("it is ours");
        self.script("ebusy-collector", &format!("#!/bin/sh\n'{}' \"$@\" && exit 3\n", real.display()));
        collector
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env("PATH", &self.path).env("TMPDIR", self.dir.path());
        command
    }
}

/// Reads a manifest as the API server's types, and checks that nothing of it was unknown to them.
fn manifest<T: DeserializeOwned + serde::Serialize>(written: &Value) -> T {
    let typed: T = serde_json::from_value(written.clone()).expect("the API server takes it");
    let back = serde_json::to_value(&typed).expect("it can be written");
    assert_eq!(&back, written, "a field that Kubernetes does not know");
    typed
}

fn the_container(spec: &PodSpec) -> &Container {
    let [container] = &spec.containers[..] else { panic!("one container: {spec:?}") };
    container
}

/// The rights that both pods have, and no more.
fn assert_rights(spec: &PodSpec) {
    let container = the_container(spec);
    let security = container.security_context.as_ref().expect("it says what it may");
    let capabilities = security.capabilities.as_ref().expect("named one by one");
    assert_eq!(capabilities.drop.as_deref(), Some(&["ALL".to_owned()][..]));
    let added: Vec<_> = capabilities.add.iter().flatten().map(String::as_str).collect();
    assert_eq!(added, ["SYS_PTRACE", "DAC_READ_SEARCH", "SYS_ADMIN", "SYS_CHROOT"]);
    assert_ne!(security.privileged, Some(true));
    assert_eq!(security.read_only_root_filesystem, Some(true));
    assert_eq!((spec.host_pid, spec.host_network, spec.host_ipc), (Some(true), None, None));
    assert_eq!(spec.automount_service_account_token, Some(false));
    let [mount] = &container.volume_mounts.as_deref().unwrap_or_default() else { panic!("one volume") };
    assert_eq!(mount.read_only, Some(true));
    // Without it the pod would be a holder itself.
    assert_eq!(mount.mount_propagation.as_deref(), Some("HostToContainer"));
}

#[test]
fn the_daemon_set_is_what_kubernetes_takes() {
    let text = std::fs::read_to_string(deploy().join("kubernetes/daemonset.yaml")).expect("it is there");
    let documents: Vec<Value> = serde_yaml_ng::Deserializer::from_str(&text)
        .map(|document| Value::deserialize(document).expect("it is YAML"))
        .collect();
    let [namespace, daemon_set] = &documents[..] else { panic!("two documents: {documents:?}") };
    assert_eq!(manifest::<Namespace>(namespace).metadata.name.as_deref(), Some("ebusy"));
    let daemon_set: DaemonSet = manifest(daemon_set);
    let spec = daemon_set.spec.expect("it has one");
    let pod = spec.template.spec.expect("it has one");
    assert_eq!(the_container(&pod).command.as_deref().unwrap_or_default()[1], "--stand-by");
    assert_rights(&pod);
}

#[test]
fn the_waiting_collector_ends_when_it_is_told_to() {
    let Some(collector) = need_path("the_waiting_collector_ends_when_it_is_told_to", "EBUSY_COLLECTOR")
    else {
        return;
    };
    let mut waiting = Background::start(Command::new(collector).arg("--stand-by"));
    let status = format!("/proc/{}/status", waiting.pid());
    // Asleep after exec: it does nothing before it waits for signals that could sleep.
    wait_until("it waits for signals", || {
        let status = std::fs::read_to_string(&status).ok()?;
        (status.starts_with("Name:\tebusy-collector") && status.contains("State:\tS")).then_some(())
    });
    assert!(waiting.runs());
    waiting.terminate();
}

#[test]
fn docker_busy_collects_and_explains() {
    let test = "docker_busy_collects_and_explains";
    let Some(installed) = Installed::new(test) else { return };
    let Some(docker) = need_command(test, "docker") else { return };
    if !need_root(test) {
        return;
    }
    let plugins = installed.dir.join("config/cli-plugins");
    std::fs::create_dir_all(&plugins).expect("a directory can be made");
    std::os::unix::fs::symlink(deploy().join("plugins/docker-busy"), plugins.join("docker-busy"))
        .expect("a link can be made");
    let docker = |words: &[&str]| {
        let mut command = installed.command(&docker);
        command.arg("--config").arg(installed.dir.join("config")).args(words);
        command
    };
    assert!(run(&mut docker(&["--help"])).contains("Say who keeps a container's mount busy"));
    // /proc is a mount on every host, and its name needs quoting nowhere.
    let kept = installed.dir.join("kept.tar.gz");
    let kept = kept.to_str().expect("a plain path");
    let answer = output(&mut docker(&["busy", "/proc", "--keep", kept, "--format", "json"]));
    let report: Value = serde_json::from_slice(&answer.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&answer.stderr)));
    assert_eq!(report["target"]["query"], "/proc");
    assert!(std::fs::metadata(kept).is_ok_and(|file| file.len() > 1000));
    // Nothing else is left.
    let left: Vec<_> = std::fs::read_dir(installed.dir.path())
        .expect("it is there")
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("tmp."))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

/// Somebody with a private copy of all mounts of a process.
fn leak_from(pid: u32) -> Background {
    let mut command = Command::new("nsenter");
    command.args(["-m", "-t", &pid.to_string(), "unshare", "-m", "--propagation", "private"]);
    command.args(["sh", "-c", "echo ready; exec sleep 100000"]);
    Background::start_until(&mut command, "ready").0
}

#[test]
fn docker_busy_names_the_holder_of_a_real_container() {
    let test = "deploy::docker_busy_names_the_holder_of_a_real_container";
    let _machine = machine();
    let Some(installed) = Installed::new(test) else { return };
    let Some(daemon) = Daemon::start(test) else { return };
    let plugins = installed.dir.join("config/cli-plugins");
    std::fs::create_dir_all(&plugins).expect("a directory can be made");
    std::os::unix::fs::symlink(deploy().join("plugins/docker-busy"), plugins.join("docker-busy"))
        .expect("a link can be made");
    let (id, _) = daemon.run("web", &[]);
    let (_, path) = daemon.merged(&id);
    let leaked = leak_from(std::process::id());
    daemon.stop_with_leftover("web", &path);
    let mut docker = installed.command("docker");
    docker.env("DOCKER_HOST", daemon.address()).arg("--config").arg(installed.dir.join("config"));
    let answer = output(docker.args(["busy", "web", "--format", "json"]));
    let report: Report = serde_json::from_slice(&answer.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&answer.stderr)));
    assert_eq!(report.target.container_id.as_deref(), Some(id.as_str()));
    assert_eq!(pids(&report, Effect::Holding), [leaked.pid()], "{}", report.verdict.summary);
}

#[test]
fn the_image_with_nothing_but_the_collector_finds_the_holder_on_its_host() {
    let test = "deploy::the_image_with_nothing_but_the_collector_finds_the_holder_on_its_host";
    let _machine = machine();
    let Some(collector) = need_path(test, "EBUSY_COLLECTOR") else { return };
    let Some(daemon) = Daemon::start_with_shared_root(test) else { return };
    let (id, _) = daemon.run("web", &[]);
    let (_, path) = daemon.merged(&id);
    let leaked = leak_from(daemon.pid());
    // Or docker removes the mount point, and the kernel every copy with it.
    let pid = daemon.pid().to_string();
    run(Command::new("nsenter").args(["-m", "-t", &pid, "mount", "--bind", &path, &path]));
    run(daemon.docker().args(["stop", "-t", "0", "web"]));

    // As the documentation says it, word for word.
    let readme = std::fs::read_to_string(deploy().join("README.md")).expect("it is there");
    let commands = readme.split("```sh\n").nth(1).and_then(|rest| rest.split("```").next());
    let commands = commands.expect("it has a block of commands");
    assert!(commands.contains("docker build") && commands.contains("docker run"), "{commands}");
    let context = daemon.dir().join("deploy/container");
    std::fs::create_dir_all(&context).expect("a directory can be made");
    std::fs::copy(deploy().join("container/Dockerfile"), context.join("Dockerfile"))
        .expect("it can be copied");
    std::fs::copy(collector, context.join("ebusy-collector")).expect("it can be copied");
    let mut shell = Command::new("sh");
    shell.args(["-euc", commands]).current_dir(daemon.dir());
    // The builder that needs no further plugin.
    shell.env("DOCKER_HOST", daemon.address()).env("DOCKER_BUILDKIT", "0");
    run(&mut shell);

    let report = daemon.ask(&daemon.dir().join("host.tar.gz"), "web");
    assert_eq!(report.target.container_id.as_deref(), Some(id.as_str()));
    assert!(pids(&report, Effect::Holding).contains(&leaked.pid()), "{}", report.verdict.summary);
    assert_eq!(report.bundle.privileged, Some(true), "{:?}", report.warnings);
}

/// Stands for kubectl: notes what it is called with, and runs what it is told to execute.
const KUBECTL: &str = r#"#!/bin/sh
dir=$(dirname "$0")
echo "$*" >> "$dir/calls"
case "$*" in
*" create -f -") cat > "$dir/pod.json" ;;
*" exec "*)
    while [ "$1" != -- ]; do shift; done
    shift
    # Its root is this machine's own here.
    [ "$1 $2 $3" = "/ebusy-collector --root /host" ] || exit 9
    shift 3
    exec ebusy-collector "$@"
    ;;
esac
"#;

#[test]
fn kubectl_ebusy_makes_a_pod_and_takes_it_away() {
    let test = "kubectl_ebusy_makes_a_pod_and_takes_it_away";
    let Some(installed) = Installed::new(test) else { return };
    installed.script("kubectl", KUBECTL);
    let plugin = deploy().join("plugins/kubectl-ebusy");
    let answer = output(installed.command(&plugin).args(["node-1.example", "/proc", "--format", "json"]));
    let report: Value = serde_json::from_slice(&answer.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&answer.stderr)));
    assert_eq!(report["target"]["query"], "/proc");

    let written = std::fs::read_to_string(installed.dir.join("pod.json")).expect("a pod was made");
    let pod: Pod = manifest(&serde_json::from_str(&written).expect("it is JSON"));
    let spec = pod.spec.expect("it has one");
    assert_eq!(spec.node_name.as_deref(), Some("node-1.example"));
    assert_rights(&spec);
    let calls = std::fs::read_to_string(installed.dir.join("calls")).expect("kubectl was called");
    let last = calls.lines().last().unwrap_or_default();
    assert!(
        last.contains("delete pod") && last.contains(pod.metadata.name.as_deref().unwrap_or("?")),
        "{calls}"
    );
}

#[test]
fn what_was_collected_until_the_time_was_over_is_explained() {
    let test = "what_was_collected_until_the_time_was_over_is_explained";
    let Some(installed) = Installed::new(test) else { return };
    installed.script("kubectl", KUBECTL);
    installed.end_early();
    for (plugin, words) in [("docker-busy", ["busy", "/proc"]), ("kubectl-ebusy", ["node-1", "/proc"])] {
        if plugin == "docker-busy" && !need_root(test) {
            return;
        }
        let plugin = deploy().join("plugins").join(plugin);
        let answer = output(installed.command(&plugin).args(words).args(["--format", "json"]));
        let report: Value = serde_json::from_slice(&answer.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&answer.stderr)));
        assert_eq!(report["target"]["query"], "/proc", "{}", plugin.display());
    }
}

#[test]
fn kubectl_ebusy_puts_no_foreign_text_into_the_manifest() {
    let test = "kubectl_ebusy_puts_no_foreign_text_into_the_manifest";
    let Some(installed) = Installed::new(test) else { return };
    installed.script("kubectl", KUBECTL);
    let plugin = deploy().join("plugins/kubectl-ebusy");
    let hostile = output(installed.command(&plugin).arg("n\", \"hostNetwork\": true, \"x\": \""));
    let image = output(installed.command(&plugin).env("EBUSY_IMAGE", "a\",\"b").arg("node"));
    let none = output(&mut installed.command(&plugin));
    for answer in [hostile, image, none] {
        assert_eq!(answer.status.code(), Some(2), "{}", String::from_utf8_lossy(&answer.stderr));
    }
    assert!(!installed.dir.join("pod.json").exists());
}

#[test]
fn the_ansible_role_fetches_a_bundle_and_leaves_nothing() {
    let test = "the_ansible_role_fetches_a_bundle_and_leaves_nothing";
    let Some(installed) = Installed::new(test) else { return };
    let Some(ansible) = need_command(test, "ansible-playbook") else { return };
    if !need_root(test) {
        return;
    }
    let remote = installed.dir.join("remote");
    std::fs::create_dir(&remote).expect("a directory can be made");
    // It is fetched from a host in trouble, too.
    let collector = installed.end_early();
    let mut play = installed.command(ansible);
    play.args(["-i", "web1,", "-c", "local", "-e"])
        .arg(format!("ebusy_binary={}", collector.display()))
        .arg("-e")
        .arg(format!("ebusy_bundles={}", installed.dir.join("bundles").display()))
        .arg(deploy().join("ansible/collect.yml"))
        .env("HOME", installed.dir.path())
        .env("ANSIBLE_LOCAL_TEMP", installed.dir.join("local"))
        .env("ANSIBLE_REMOTE_TEMP", &remote)
        .env("ANSIBLE_NOCOLOR", "1");
    run(&mut play);
    let bundle = installed.dir.join("bundles/web1.tar.gz");
    let answer = output(installed.command("ebusy").arg("census").arg(&bundle).args(["--format", "json"]));
    assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
    let left: Vec<_> = walk(&remote).into_iter().filter(|file| file.is_file()).collect();
    assert!(left.is_empty(), "{left:?}");
}

fn walk(dir: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        all.push(entry.path());
        if entry.path().is_dir() {
            all.extend(walk(&entry.path()));
        }
    }
    all
}
