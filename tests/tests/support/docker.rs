//! A docker daemon of its own for a test, with overlay2.

use ebusy_analyzer::report::Report;
use ebusy_tests::harness::{
    Background, TempDir, need_command, need_path, need_root, output, run, sh, wait_until,
};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A daemon with its own data, state and socket.
pub(crate) struct Daemon {
    // Ended before its directory goes.
    process: Option<Background>,
    dir: TempDir,
    collector: PathBuf,
    ebusy: PathBuf,
}

impl Daemon {
    /// Starts the daemon and imports an image; skips by name.
    pub(crate) fn start(test: &str) -> Option<Self> {
        Self::start_by(test, &[])
    }

    /// The same in a mount namespace where `/` is shared, as systemd makes it on every host and as a bind of `/` with
    /// `rslave` wants it. Here it may be private.
    pub(crate) fn start_with_shared_root(test: &str) -> Option<Self> {
        Self::start_by(test, &["unshare", "--mount", "--propagation", "shared"])
    }

    fn start_by(test: &str, starter: &[&str]) -> Option<Self> {
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
        let mut words = starter.iter().map(OsStr::new).chain([dockerd.as_os_str()]);
        let mut command = Command::new(words.next()?);
        command
            .args(words)
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

    /// What `DOCKER_HOST` is for it.
    pub(crate) fn address(&self) -> String {
        format!("unix://{}", self.dir.join("d.sock").display())
    }

    /// Its pid.
    pub(crate) fn pid(&self) -> u32 {
        self.process.as_ref().map_or(0, Background::pid)
    }

    /// A directory for whatever a test needs with it.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn docker(&self) -> Command {
        let mut docker = Command::new("docker");
        docker.arg("--host").arg(self.address());
        docker.env_remove("DOCKER_HOST").env_remove("DOCKER_CONTEXT");
        docker
    }

    /// Starts a container; its full id and its pid.
    pub(crate) fn run(&self, name: &str, options: &[&str]) -> (String, u32) {
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
    pub(crate) fn merged(&self, id: &str) -> (String, String) {
        let path = run(self.docker().args(["inspect", "--format", "{{.GraphDriver.Data.MergedDir}}", id]));
        let path = path.trim().to_owned();
        let layer = path.rsplit('/').nth(1).expect("…/LAYER/merged").to_owned();
        (layer, path)
    }

    /// `docker stop`, with a second mount left on the mount point.
    pub(crate) fn stop_with_leftover(&self, name: &str, path: &str) {
        sh("mount --bind \"$1\" \"$1\"", &[path]);
        run(self.docker().args(["stop", "-t", "0", name]));
        assert!(std::fs::remove_dir(path).is_err(), "the mount point is busy");
    }

    pub(crate) fn collect(&self) -> PathBuf {
        let bundle = self.dir.join("bundle.tar.gz");
        let log = self.dir.join("docker.log");
        run(Command::new(&self.collector).arg("-o").arg(&bundle).arg("--log").arg(log));
        bundle
    }

    pub(crate) fn ask(&self, bundle: &PathBuf, query: &str) -> Report {
        let mut analyze = Command::new(&self.ebusy);
        analyze.arg("analyze").arg(bundle).args(["--id", query, "--format", "json"]);
        let answer = output(&mut analyze);
        let json = String::from_utf8_lossy(&answer.stdout);
        serde_json::from_str(&json)
            .unwrap_or_else(|error| panic!("{error}: {json}{}", String::from_utf8_lossy(&answer.stderr)))
    }

    /// Pids of daemon, containerd and shims: nobody who may be blamed.
    pub(crate) fn own_pids(&self) -> Vec<u32> {
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
