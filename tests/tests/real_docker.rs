//! A real docker daemon with overlay2: a container is stopped while somebody still has its file system.
//!
//! This docker removes a layer's mount point after its umount, and kernels since 3.18 then drop the copies that
//! other namespaces have. So the tests stack a second mount on the mount point: that removal fails with EBUSY,
//! in the daemon's own namespace, and the copies stay.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

use ebusy_analyzer::report::{AliasKind, Effect, Report, Status, When};
use ebusy_tests::harness::{
    Background, TempDir, machine, need_command, need_path, need_root, output, run, sh, wait_until,
};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A daemon with its own data, state and socket.
struct Daemon {
    // Ended before its directory goes.
    process: Option<Background>,
    dir: TempDir,
    collector: PathBuf,
    ebusy: PathBuf,
}

impl Daemon {
    /// Starts the daemon and imports an image; skips by name.
    fn start(test: &str) -> Option<Self> {
        let collector = need_path(test, "EBUSY_COLLECTOR")?;
        let ebusy = need_path(test, "EBUSY_BIN")?;
        let dockerd = need_command(test, "dockerd")?;
        let busybox = need_command(test, "busybox")?;
        for command in ["docker", "containerd", "runc", "unshare"] {
            need_command(test, command)?;
        }
        if !need_root(test) {
            return None;
        }
        let dir = TempDir::new("docker");
        let log = std::fs::File::create(dir.join("docker.log")).expect("the log can be made");
        let mut command = Command::new(dockerd);
        command
            .args(["--bridge=none", "--iptables=false", "--ip6tables=false", "--storage-driver=overlay2"])
            .arg("--data-root")
            .arg(dir.join("data"))
            .arg("--exec-root")
            .arg(dir.join("exec"))
            .arg("--pidfile")
            .arg(dir.join("pid"))
            .arg("--host")
            .arg(format!("unix://{}", dir.join("d.sock").display()))
            .stdout(Stdio::null())
            .stderr(log);
        let process = Some(Background::start(&mut command));
        let daemon = Self { process, dir, collector, ebusy };
        wait_until("the docker daemon answers", || {
            output(daemon.docker().arg("version")).status.success().then_some(())
        });
        let script = "mkdir -p \"$1/bin\"; cp \"$2\" \"$1/bin/busybox\"
            for name in sh sleep; do ln -s busybox \"$1/bin/$name\"; done
            tar -C \"$1\" -cf \"$1.tar\" .";
        sh(script, &[&daemon.dir.join("image"), &busybox]);
        run(daemon.docker().arg("import").arg(daemon.dir.join("image.tar")).arg("bb:1"));
        Some(daemon)
    }

    fn docker(&self) -> Command {
        let mut docker = Command::new("docker");
        docker.arg("--host").arg(format!("unix://{}", self.dir.join("d.sock").display()));
        docker.env_remove("DOCKER_HOST").env_remove("DOCKER_CONTEXT");
        docker
    }

    /// Starts a container; its full id and its pid.
    fn run(&self, name: &str, options: &[&str]) -> (String, u32) {
        let mut docker = self.docker();
        docker
            .args(["run", "-d", "--network=none", "--name", name])
            .args(options)
            .args(["bb:1", "sleep", "100000"]);
        let id = run(&mut docker).trim().to_owned();
        let pid = run(self.docker().args(["inspect", "--format", "{{.State.Pid}}", &id]));
        (id, pid.trim().parse().expect("a running container has a pid"))
    }

    /// Layer id and mount point of a container, as the daemon itself has them.
    fn merged(&self, id: &str) -> (String, String) {
        let path = run(self.docker().args(["inspect", "--format", "{{.GraphDriver.Data.MergedDir}}", id]));
        let path = path.trim().to_owned();
        let layer = path.rsplit('/').nth(1).expect("…/LAYER/merged").to_owned();
        (layer, path)
    }

    /// `docker stop`, with a second mount left on the mount point.
    fn stop_with_leftover(&self, name: &str, path: &str) {
        sh("mount --bind \"$1\" \"$1\"", &[path]);
        run(self.docker().args(["stop", "-t", "0", name]));
        assert!(std::fs::remove_dir(path).is_err(), "the mount point is busy");
    }

    fn collect(&self) -> PathBuf {
        let bundle = self.dir.join("bundle.tar.gz");
        let log = self.dir.join("docker.log");
        run(Command::new(&self.collector).arg("-o").arg(&bundle).arg("--log").arg(log));
        bundle
    }

    fn ask(&self, bundle: &PathBuf, query: &str) -> Report {
        let mut analyze = Command::new(&self.ebusy);
        analyze.arg("analyze").arg(bundle).args(["--id", query, "--format", "json"]);
        let answer = output(&mut analyze);
        let json = String::from_utf8_lossy(&answer.stdout);
        serde_json::from_str(&json)
            .unwrap_or_else(|error| panic!("{error}: {json}{}", String::from_utf8_lossy(&answer.stderr)))
    }

    /// Pids of daemon, containerd and shims: nobody who may be blamed.
    fn own_pids(&self) -> Vec<u32> {
        let dir = self.dir.path().to_string_lossy().into_owned();
        let pids = std::fs::read_dir("/proc").expect("/proc").flatten();
        let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        let own = |pid: &u32| {
            let cmdline = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let cmdline = String::from_utf8_lossy(&cmdline).into_owned();
            cmdline.contains(&dir) && ["dockerd", "containerd"].iter().any(|name| cmdline.contains(name))
        };
        pids.filter(own).collect()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let ids = output(self.docker().args(["ps", "-aq"]));
        for id in String::from_utf8_lossy(&ids.stdout).split_whitespace() {
            let _ = output(self.docker().args(["rm", "-f", id]));
        }
        if let Some(process) = self.process.take() {
            process.terminate();
        }
    }
}

fn mount_namespace(pid: u32) -> u64 {
    let link = std::fs::read_link(format!("/proc/{pid}/ns/mnt")).expect("it runs");
    let link = link.to_string_lossy();
    link.trim_start_matches("mnt:[").trim_end_matches(']').parse().expect("a namespace has a number")
}

fn has_mount(pid: u32, part: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/mountinfo")).is_ok_and(|table| table.contains(part))
}

/// The mount namespaces that have an effect on the target.
fn namespaces(report: &Report, effect: Effect) -> Vec<u64> {
    let holders = report.holders.iter().filter(|holder| holder.effect == effect);
    holders.filter_map(|holder| holder.mount_namespace).collect()
}

fn pids(report: &Report, effect: Effect) -> Vec<u32> {
    let holders = report.holders.iter().filter(|holder| holder.effect == effect);
    holders.flat_map(|holder| holder.pids.clone()).collect()
}

#[test]
fn a_leaked_namespace_is_found_by_every_name_of_the_removed_container() {
    const TEST: &str = "real_docker::a_leaked_namespace_is_found_by_every_name_of_the_removed_container";
    let _machine = machine();
    let Some(daemon) = Daemon::start(TEST) else { return };
    let (other, _) = daemon.run("other", &[]);
    let (id, _) = daemon.run("web", &[]);
    let (layer, path) = daemon.merged(&id);
    let mut unshare = Command::new("unshare");
    unshare.args(["-m", "--propagation", "private", "sh", "-c", "echo ready; exec sleep 100000"]);
    let leaked = Background::start_until(&mut unshare, "ready").0;
    daemon.stop_with_leftover("web", &path);
    assert!(has_mount(leaked.pid(), &layer), "the private copy keeps the mount");
    let here = mount_namespace(std::process::id());
    let bundle = daemon.collect();
    for query in ["web", &id, &id[..12], &layer, &path] {
        let report = daemon.ask(&bundle, query);
        assert_eq!(report.target.container_id.as_deref(), Some(id.as_str()), "{query}");
        let alias = report.target.aliases.iter().find(|a| a.kind == AliasKind::LayerId && a.value == layer);
        assert!(
            alias.is_some_and(|alias| !alias.evidence.is_empty()),
            "{query}: {:?}",
            report.target.aliases
        );
        assert_eq!(namespaces(&report, Effect::Blocking), [here], "{query}: {}", report.verdict.summary);
        let of_leaked = [mount_namespace(leaked.pid())];
        assert_eq!(
            namespaces(&report, Effect::Holding),
            of_leaked,
            "this kernel drops foreign mounts: {query}"
        );
        assert_eq!(report.verdict.status, Status::Held, "{query}: {}", report.verdict.summary);
    }
    let report = daemon.ask(&bundle, &other);
    assert_eq!(report.target.container_id.as_ref(), Some(&other));
    assert!(!pids(&report, Effect::Blocking).contains(&leaked.pid()), "{}", report.verdict.summary);

    // The remedy for the namespace that blocks, as printed; then only the copy is left.
    let report = daemon.ask(&bundle, "web");
    let holder = report.holders.iter().find(|h| h.effect == Effect::Blocking).expect("it was just there");
    let remedy = holder.remedies.iter().find(|r| r.when == When::Now && r.command.contains(&path));
    sh(&remedy.expect("a way out").command, &[] as &[&str]);
    let report = daemon.ask(&daemon.collect(), &id);
    assert_ne!(report.verdict.status, Status::Held, "{}", report.verdict.summary);
    assert_eq!(pids(&report, Effect::Holding), [leaked.pid()], "{}", report.verdict.summary);

    // And the kernel agrees: docker can remove it, which drops the copy.
    run(daemon.docker().args(["rm", "web"]));
    assert!(!has_mount(leaked.pid(), &layer), "removing the directory dropped the copy");
    let report = daemon.ask(&daemon.collect(), &id);
    assert_eq!(namespaces(&report, Effect::Blocking), [0; 0], "{}", report.verdict.summary);
    assert_eq!(namespaces(&report, Effect::Holding), [0; 0], "{}", report.verdict.summary);
}

#[test]
fn a_monitoring_container_is_named_and_the_daemon_is_not_blamed() {
    const TEST: &str = "real_docker::a_monitoring_container_is_named_and_the_daemon_is_not_blamed";
    let _machine = machine();
    let Some(daemon) = Daemon::start(TEST) else { return };
    let (id, _) = daemon.run("web", &[]);
    let (layer, path) = daemon.merged(&id);
    let (agent, agent_pid) = daemon.run("agent", &["-v", "/:/rootfs"]);
    daemon.stop_with_leftover("web", &path);
    assert!(has_mount(agent_pid, &layer), "the agent's private bind of / keeps the mount");
    let report = daemon.ask(&daemon.collect(), &id);
    assert_eq!(pids(&report, Effect::Holding), [agent_pid], "{}", report.verdict.summary);
    let holder =
        report.holders.iter().find(|holder| holder.effect == Effect::Holding).expect("it was just there");
    assert_eq!(holder.mount_namespace, Some(mount_namespace(agent_pid)));
    let container = holder.container.as_ref().expect("its cgroup names the container");
    assert_eq!((container.id.as_str(), container.name.as_deref()), (agent.as_str(), Some("agent")));
    assert!(holder.mounts.iter().any(|mount| mount.mount_point == format!("/rootfs{path}")));
    let own = daemon.own_pids();
    assert!(own.len() > 1, "daemon and containerd run");
    let foreign = report.holders.iter().filter(|holder| holder.effect != Effect::Blocking);
    assert!(foreign.flat_map(|holder| &holder.pids).all(|pid| !own.contains(pid)));
}

#[test]
fn a_running_container_is_no_leak() {
    const TEST: &str = "real_docker::a_running_container_is_no_leak";
    let _machine = machine();
    let Some(daemon) = Daemon::start(TEST) else { return };
    let (id, _) = daemon.run("web", &[]);
    let report = daemon.ask(&daemon.collect(), "web");
    assert_eq!(report.target.container_id.as_deref(), Some(id.as_str()));
    assert_eq!(report.target.state.as_deref(), Some("running"));
    let own = daemon.own_pids();
    assert!(report.holders.iter().all(|holder| holder.pids.iter().all(|pid| !own.contains(pid))));
}
