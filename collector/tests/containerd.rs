//! containerd's databases, written by a real containerd while the collector reads them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends by panicking")]

mod support;

use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use support::{Bundle, Scratch, collect, contains};

/// A containerd of its own, below a scratch directory.
struct Containerd {
    scratch: Scratch,
    child: Child,
}

impl Containerd {
    /// `None`, and said, where there is none or it cannot run.
    fn start(test: &str) -> Option<Self> {
        if !support::is_root(test) {
            return None;
        }
        for program in ["containerd", "ctr", "busybox"] {
            if !support::is_installed(program) {
                println!("skipped: {test}: no {program}");
                return None;
            }
        }
        let scratch = Scratch::new();
        let (root, state, socket) = (scratch.path("root"), scratch.path("state"), scratch.path("sock"));
        scratch.write(
            "config.toml",
            &format!(
                "version = 2\nroot = \"{root}\"\nstate = \"{state}\"\n\
                 disabled_plugins = [\"io.containerd.grpc.v1.cri\", \"io.containerd.internal.v1.opt\"]\n\
                 [grpc]\n  address = \"{socket}\"\n"
            ),
        );
        let mut command = Command::new("containerd");
        command.args(["--config", &scratch.path("config.toml")]);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let containerd = Self { scratch, child };
        let until = Instant::now() + Duration::from_secs(60);
        while !containerd.try_ctr("default", &["version"]).status.success() {
            assert!(Instant::now() < until, "containerd did not start");
            std::thread::yield_now();
        }
        Some(containerd)
    }

    fn try_ctr(&self, namespace: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new("ctr");
        command.args(["--address", &self.scratch.path("sock"), "--namespace", namespace]).args(arguments);
        command.stdin(Stdio::null()).output().unwrap()
    }

    fn ctr(&self, namespace: &str, arguments: &[&str]) {
        let output = self.try_ctr(namespace, arguments);
        assert!(output.status.success(), "ctr {arguments:?}: {}", support::stderr(&output));
    }

    /// An image of one layer with busybox in it, in `docker save`'s form.
    fn import_image(&self, namespaces: &[&str]) {
        let dir = self.scratch.dir();
        support::sh(&format!(
            "mkdir -p {dir}/image/rootfs/bin; cd {dir}/image; cp \"$(command -v busybox)\" rootfs/bin/busybox
             tar -C rootfs -cf layer.tar .
             sum=$(sha256sum layer.tar | cut -d' ' -f1)
             echo '{{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{{}},\"rootfs\":{{\"type\":\"layers\",\"diff_ids\":[\"sha256:'$sum'\"]}}}}' > config.json
             echo '[{{\"Config\":\"config.json\",\"RepoTags\":[\"{IMAGE}\"],\"Layers\":[\"layer.tar\"]}}]' > manifest.json
             tar -cf ../image.tar manifest.json config.json layer.tar"
        ));
        for namespace in namespaces {
            self.ctr(namespace, &["image", "import", &self.scratch.path("image.tar")]);
        }
    }

    /// The upper directory of a container's snapshot, as containerd itself says it.
    fn upper_dir(&self, namespace: &str, id: &str) -> String {
        let mut command = Command::new("ctr");
        command.args(["--address", &self.scratch.path("sock"), "--namespace", namespace]);
        let output = command.args(["snapshot", "mounts", "/nowhere", id]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.split([',', ' ']).find_map(|word| word.strip_prefix("upperdir=")).expect("an overlay").to_owned()
    }

    /// Copies its databases into a host's directory, as they are at the moment.
    fn copy_databases(&self, host: &Scratch) {
        for name in
            ["io.containerd.metadata.v1.bolt/meta.db", "io.containerd.snapshotter.v1.overlayfs/metadata.db"]
        {
            let to = host.0.join("var/lib/containerd").join(name);
            std::fs::create_dir_all(to.parent().unwrap()).unwrap();
            std::fs::copy(self.scratch.0.join("root").join(name), to).unwrap();
        }
    }
}

impl Drop for Containerd {
    fn drop(&mut self) {
        self.try_ctr("k8s.io", &["task", "kill", "--signal", "KILL", &running_id()]);
        self.child.kill().ok();
        self.child.wait().ok();
        // The shim of a task outlives containerd; it has its state directory in its arguments or its working directory.
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let inside = |link: &str| {
                let target = std::fs::read_link(entry.path().join(link));
                target.is_ok_and(|target| target.starts_with(&self.scratch.0))
            };
            if inside("cwd") {
                let pid = entry.file_name().into_string().unwrap();
                Command::new("kill").args(["-9", &pid]).status().ok();
            }
        }
        support::sh(&format!("umount {}/state/*/*/*/rootfs 2>/dev/null || true", self.scratch.dir()));
    }
}

/// The id of the container that runs. It becomes a cgroup, of which there is one of a name on the whole machine.
fn running_id() -> String {
    format!("running-{}", std::process::id())
}

const IMAGE: &str = "docker.io/library/bb:1";

fn by_id<'a>(containers: &'a Value, id: &str) -> &'a Value {
    let list = containers.as_array().expect("a list");
    list.iter().find(|c| c["id"] == id).unwrap_or_else(|| panic!("no {id} in {containers:#}"))
}

fn containers(bundle: &Bundle) -> Value {
    bundle.json("runtime/containers.json")
}

#[test]
fn stopped_containers_and_their_snapshots_are_read_from_containerds_database() {
    let Some(containerd) =
        Containerd::start("stopped_containers_and_their_snapshots_are_read_from_containerds_database")
    else {
        return;
    };
    containerd.import_image(&["k8s.io", "moby"]);
    let labels = [
        "io.kubernetes.pod.name=web-abc",
        "io.kubernetes.pod.namespace=shop",
        "io.kubernetes.container.name=web",
        "some.label=lab3l-s3cret",
    ];
    let labels: Vec<&str> = labels.iter().flat_map(|label| ["--label", label]).collect();
    containerd.ctr(
        "k8s.io",
        &[&["container", "create"], labels.as_slice(), &["--env", "K=env-s3cret", IMAGE, "stopped"]].concat(),
    );
    containerd.ctr(
        "k8s.io",
        &["run", "--detach", "--net-host", IMAGE, &running_id(), "/bin/busybox", "sleep", "1000"],
    );

    // Containers come and go while it is read: what stays must be told right every time.
    let until_done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !until_done.load(std::sync::atomic::Ordering::Relaxed) {
                containerd.ctr("k8s.io", &["container", "create", IMAGE, "transient"]);
                containerd.ctr("k8s.io", &["container", "delete", "transient"]);
            }
        });
        for _ in 0..5 {
            let bundle = collect(&[]);
            let list = containers(&bundle);
            let stopped = by_id(&list, "stopped");
            assert_eq!(stopped["upper_dir"], containerd.upper_dir("k8s.io", "stopped"));
            let running = by_id(&list, &running_id());
            assert_eq!(running["upper_dir"], containerd.upper_dir("k8s.io", &running_id()));
            let told = ["runtime", "namespace", "name", "image", "pod", "pod_namespace", "state", "driver"];
            let told = told.map(|key| stopped[key].as_str().unwrap_or("-"));
            assert_eq!(
                told,
                ["containerd", "k8s.io", "web", IMAGE, "web-abc", "shop", "exited", "overlayfs"]
            );
            assert!(stopped["created_at"].as_str().unwrap().starts_with("20"), "{stopped}");
            assert_eq!(running["state"], "running");
            assert!(
                running["pid"]
                    .as_u64()
                    .is_some_and(|pid| bundle.items.contains_key(&format!("proc/{pid}/stat")))
            );
            let all = bundle.all_bytes();
            assert!(!contains(&all, "lab3l-s3cret") && !contains(&all, "env-s3cret"));
        }
        until_done.store(true, std::sync::atomic::Ordering::Relaxed);
    });

    // docker's containerd image store keeps a container's layer as a snapshot that has the container's id as its key.
    let docker_id = "d0".repeat(32);
    let dir = containerd.scratch.dir();
    support::sh(&format!(
        "ctr --address {dir}/sock --namespace moby snapshot prepare {docker_id} sha256:$(sha256sum < {dir}/image/layer.tar | cut -d' ' -f1)"
    ));
    let host = Scratch::new();
    host.write("proc/stat", "btime 1795332813\n");
    host.write(
        &format!("var/lib/docker/containers/{docker_id}/config.v2.json"),
        &format!(r#"{{"ID":"{docker_id}","Name":"/shop","Driver":"overlayfs","State":{{"StartedAt":"2026-11-22T07:34:40Z"}}}}"#),
    );
    containerd.copy_databases(&host);
    let list = containers(&collect(&["--root", &host.dir()]));
    let docker = by_id(&list, &docker_id);
    let upper = containerd
        .upper_dir("moby", &docker_id)
        .replace(&containerd.scratch.path("root"), "/var/lib/containerd");
    assert_eq!((&docker["runtime"], &docker["state"]), (&"docker".into(), &"exited".into()));
    assert_eq!(docker["upper_dir"], upper);
    assert_eq!(
        by_id(&list, "stopped")["state"],
        Value::Null,
        "this copy has no directory of tasks: nothing is known"
    );

    damaged_databases_are_reported(&host);
}

/// Cut off anywhere and with bits turned over: never a crash, and never silence.
fn damaged_databases_are_reported(host: &Scratch) {
    let path = host.0.join("var/lib/containerd/io.containerd.metadata.v1.bolt/meta.db");
    let whole = std::fs::read(&path).unwrap();
    for cut in (0..whole.len()).step_by(whole.len() / 6 + 1) {
        std::fs::write(&path, &whole[..cut]).unwrap();
        collect(&["--root", &host.dir()]);
    }
    for turned in (0..10).map(|n| (n * 7919 + 13) % whole.len().min(128 << 10)) {
        let mut bytes = whole.clone();
        bytes[turned] ^= 0x55;
        std::fs::write(&path, bytes).unwrap();
        collect(&["--root", &host.dir()]);
    }
    std::fs::write(&path, vec![0x5a; 100_000]).unwrap();
    let summary = collect(&["--root", &host.dir()]).must("summary.json");
    assert!(summary.contains("meta.db") && summary.contains("not a bbolt database"), "{summary}");
}
