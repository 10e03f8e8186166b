//! Docker: daemon, containers, their layers and what it mounts for them.

use super::{Block, Fs, Host, Ns, Propagation, hex64};
use serde_json::{Value, json};

/// Storage drivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Driver {
    /// A thin device for each container.
    DeviceMapper,
    /// An overlay for each container.
    Overlay2,
}

impl Driver {
    /// Name as docker writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::DeviceMapper => "devicemapper",
            Self::Overlay2 => "overlay2",
        }
    }
}

/// The daemon.
#[derive(Debug, Clone)]
pub struct Docker {
    /// Storage driver.
    pub driver: Driver,
    /// Mount namespace of daemon and shims.
    pub ns: Ns,
    /// Pid of dockerd.
    pub pid: u32,
    /// Pid of containerd, the shims' parent.
    pub containerd: u32,
    /// Every container that the daemon knows.
    pub containers: Vec<Container>,
}

/// A volume of `docker run -v`.
#[derive(Debug, Clone)]
pub struct Volume {
    /// Directory of the host.
    pub from: String,
    /// Directory in the container.
    pub to: String,
    /// Propagation of the bind; docker's default is private.
    pub propagation: Propagation,
}

/// What `docker run` is asked for.
#[derive(Debug, Clone)]
pub struct Run {
    /// Container name.
    pub name: String,
    /// Image.
    pub image: String,
    /// Command in the container.
    pub args: Vec<String>,
    /// Volumes.
    pub volumes: Vec<Volume>,
    /// Full id; made from the name where not given.
    pub id: Option<String>,
}

impl Run {
    /// A container that runs `/bin/NAME`.
    pub fn new(name: &str, image: &str) -> Self {
        let args = vec![format!("/bin/{name}")];
        Self { name: name.into(), image: image.into(), args, volumes: Vec::new(), id: None }
    }

    /// Another command.
    #[must_use]
    pub fn args(mut self, args: &[&str]) -> Self {
        self.args = args.iter().map(|arg| (*arg).to_owned()).collect();
        self
    }

    /// `-v FROM:TO`, with docker's default propagation.
    #[must_use]
    pub fn volume(mut self, from: &str, to: &str) -> Self {
        self.volumes.push(Volume { from: from.into(), to: to.into(), propagation: Propagation::Private });
        self
    }

    /// `-v FROM:TO:rslave`.
    #[must_use]
    pub fn slave_volume(mut self, from: &str, to: &str) -> Self {
        self.volumes.push(Volume { from: from.into(), to: to.into(), propagation: Propagation::Slave });
        self
    }

    /// With this id.
    #[must_use]
    pub fn id(mut self, id: &str) -> Self {
        self.id = Some(id.into());
        self
    }
}

/// A container.
#[derive(Debug, Clone)]
pub struct Container {
    /// Full id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Image.
    pub image: String,
    /// Layer id of its writable layer.
    pub layer: String,
    /// Where the daemon mounts its root file system.
    pub rootfs: String,
    /// Device number of the root file system.
    pub device: (u32, u32),
    /// Device-mapper name, with that driver.
    pub device_name: Option<String>,
    /// Its mount namespace.
    pub ns: Ns,
    /// Pid of its first process on the host.
    pub pid: u32,
    /// Pid of its shim.
    pub shim: u32,
    /// docker's word for its state.
    pub state: String,
    /// Seconds since 1970.
    pub started_at: u64,
    /// True once the layer was removed, and with it the layer database's entry.
    pub layer_released: bool,
}

impl Container {
    /// What dockerd logs when it cannot remove the container, because its thin device is busy.
    pub fn device_is_busy(&self) -> String {
        let Self { id, name, layer, .. } = self;
        format!(
            "level=error msg=\"Handler for DELETE /v1.29/containers/{name} returned error: Driver devicemapper failed \
             to remove root filesystem {id}: failed to remove device {layer}: Device is Busy\""
        )
    }
}

const ROOT: &str = "/var/lib/docker";

impl Host {
    /// Starts docker on devicemapper.
    pub fn docker_devicemapper(&mut self, version: &str) {
        let ns = self.ns;
        self.block_device(
            "dm-1",
            Block::device_mapper((253, 1), "vg0-docker--pool", "LVM-synthetic-pool-tpool"),
        );
        self.start_docker(Driver::DeviceMapper, version, ns, "docker.service");
    }

    /// Starts docker on overlay2.
    pub fn docker_overlay2(&mut self, version: &str) {
        let ns = self.ns;
        self.start_docker(Driver::Overlay2, version, ns, "docker.service");
    }

    /// Starts docker in a mount namespace that differs from the host's (`MountFlags=…` in its unit).
    pub fn docker_in(&mut self, driver: Driver, version: &str, ns: Ns) {
        self.start_docker(driver, version, ns, "docker.service");
    }

    fn start_docker(&mut self, driver: Driver, version: &str, ns: Ns, unit: &str) {
        let cgroup = format!("/system.slice/{unit}");
        // Up to 17.12 a storage driver's home was bound on itself and made private (moby#36047 ended it).
        if version.split('.').next().and_then(|major| major.parse().ok()).is_some_and(|major: u32| major < 18)
        {
            let home = format!("{ROOT}/{}", driver.name());
            self.mounts.bind(ns, &home, &home, false);
            self.mounts.make(ns, &home, false, Propagation::Private);
        }
        let storage = format!("--storage-driver={}", driver.name());
        let pid = self.spawn_as(1, ns, "dockerd", &["/usr/bin/dockerd", &storage], &cgroup);
        let containerd_args = [
            "docker-containerd",
            "-l",
            "unix:///var/run/docker/libcontainerd/docker-containerd.sock",
            "--state-dir",
            "/var/run/docker/libcontainerd/containerd",
        ];
        let containerd = self.spawn_as(pid, ns, "docker-containerd", &containerd_args, &cgroup);
        self.docker = Some(Docker { driver, ns, pid, containerd, containers: Vec::new() });
        let message = format!(
            "level=info msg=\"Docker daemon\" commit=89658be graphdriver={} version={version}",
            driver.name()
        );
        self.docker_log(&message);
    }

    fn docker(&mut self) -> &mut Docker {
        self.docker.as_mut().expect("docker was started")
    }

    /// A line of dockerd's log, its time before the text as logrus writes it.
    pub fn docker_log(&mut self, text: &str) {
        let pid = self.docker().pid;
        let time = super::rfc3339(self.time()).replace('Z', ".438508010Z");
        self.log_line("dockerd", pid, &format!("time=\"{time}\" {text}"));
    }

    /// `docker run -d`.
    pub fn run(&mut self, run: &Run) -> Container {
        let Docker { driver, ns: daemon, containerd, .. } = *self.docker();
        let id = run.id.clone().unwrap_or_else(|| hex64(&format!("container {}", run.name)));
        let layer = hex64(&format!("layer {id}"));
        let (rootfs, fs, device_name) = match driver {
            Driver::DeviceMapper => self.thin_device(&layer),
            Driver::Overlay2 => self.overlay(&layer),
        };
        self.mounts.mount(daemon, &rootfs, &fs);
        let shm = self.tmpfs("shm", "rw,size=65536k").options("rw,nosuid,nodev,noexec,relatime");
        let shm_path = format!("{ROOT}/containers/{id}/shm");
        self.mounts.mount(daemon, &shm_path, &shm);
        let ns = self.container_namespace(daemon, &rootfs, &shm_path, run);
        let cgroup = format!("/docker/{id}");
        let shim_args =
            ["docker-containerd-shim", &id, &format!("/var/run/docker/libcontainerd/{id}"), "docker-runc"];
        let shim =
            self.spawn_as(containerd, daemon, shim_args[0], &shim_args, "/system.slice/docker.service");
        let args: Vec<&str> = run.args.iter().map(String::as_str).collect();
        let comm = args.first().and_then(|path| path.rsplit('/').next()).unwrap_or_default();
        let pid = self.spawn_as(shim, ns, comm, &args, &cgroup);
        let other_ns: Vec<(String, u64)> =
            ["ipc", "net", "pid", "uts"].iter().map(|kind| ((*kind).to_owned(), self.new_inode())).collect();
        self.process(pid).other_ns = other_ns;
        let container = Container {
            id,
            name: run.name.clone(),
            image: run.image.clone(),
            layer,
            rootfs,
            device: fs.device,
            device_name,
            ns,
            pid,
            shim,
            state: "running".into(),
            started_at: self.time(),
            layer_released: false,
        };
        self.docker().containers.push(container.clone());
        container
    }

    /// Another process in a running container.
    pub fn exec(&mut self, container: &Container, args: &[&str]) -> u32 {
        let comm = args.first().and_then(|path| path.rsplit('/').next()).unwrap_or_default();
        let pid =
            self.spawn_as(container.pid, container.ns, comm, args, &format!("/docker/{}", container.id));
        self.process(pid).other_ns = self.processes[&container.pid].other_ns.clone();
        pid
    }

    /// Ends a container: its processes, and the daemon's mounts of it.
    pub fn stop(&mut self, container: &Container) {
        let cgroup = format!("/docker/{}", container.id);
        self.processes.retain(|pid, process| process.cgroup != cgroup && *pid != container.shim);
        let daemon = self.docker().ns;
        self.mounts.umount(daemon, &container.rootfs);
        self.mounts.umount(daemon, &format!("{ROOT}/containers/{}/shm", container.id));
        if !self.is_open(container.device) {
            self.deactivate(container.device);
        }
        self.set_state(container, "exited");
    }

    /// The thin device goes when nobody has it open.
    fn deactivate(&mut self, device: (u32, u32)) {
        let Some(name) = self.blocks.iter().find(|(_, b)| b.device == device).map(|(name, _)| name.clone())
        else {
            return;
        };
        self.blocks.remove(&name);
        for block in self.blocks.values_mut() {
            block.holders.retain(|holder| *holder != name);
        }
    }

    /// `docker rm` has removed the layer, before whatever failed next.
    pub fn release_layer(&mut self, container: &Container) {
        for known in self.docker().containers.iter_mut().filter(|known| known.id == container.id) {
            known.layer_released = true;
        }
    }

    /// What `docker ps -a` says of it from now on.
    pub fn set_state(&mut self, container: &Container, state: &str) {
        for known in self.docker().containers.iter_mut().filter(|known| known.id == container.id) {
            known.state = state.into();
        }
    }

    /// The daemon no longer knows the container (17.05 after a failed `rm -f`); its layer database does.
    pub fn forget(&mut self, container: &Container) {
        self.set_state(container, "forgotten");
    }

    /// `runtime/containers.json`.
    pub(super) fn containers_json(&self) -> Option<Value> {
        let docker = self.docker.as_ref()?;
        let mut known: Vec<&Container> =
            docker.containers.iter().filter(|c| c.state != "forgotten").collect();
        known.sort_by(|a, b| a.id.cmp(&b.id));
        let list = known.into_iter().map(|c| {
            json!({"runtime": "docker", "id": c.id, "name": c.name, "image": c.image, "state": c.state,
                "pid": (c.state == "running").then_some(c.pid), "started_at": super::rfc3339(c.started_at),
                "finished_at": null, "driver": docker.driver.name(),
                "layer_id": (!c.layer_released).then_some(&c.layer), "layer_path": null})
        });
        Some(Value::Array(list.collect()))
    }

    fn thin_device(&mut self, layer: &str) -> (String, Fs, Option<String>) {
        let used = |minor: &u32| self.blocks.values().any(|block| block.device == (253, *minor));
        let minor = (0..).find(|minor| !used(minor)).unwrap_or_default();
        let name = format!("docker-253:0-33664121-{layer}");
        let mut block = Block::device_mapper((253, minor), &name, "");
        block.counted = true;
        self.block_device(&format!("dm-{minor}"), block);
        self.stack("dm-1", &format!("dm-{minor}"));
        let fs =
            Fs::new((253, minor), "xfs", &format!("/dev/mapper/{name}"), "rw,nouuid,attr2,inode64,noquota");
        (format!("{ROOT}/devicemapper/mnt/{layer}"), fs, Some(name))
    }

    fn overlay(&mut self, layer: &str) -> (String, Fs, Option<String>) {
        self.next_minor += 1;
        let dir = format!("{ROOT}/overlay2/{layer}");
        let lower = hex64(&format!("lower {layer}"))[..26].to_uppercase();
        let options = format!("rw,lowerdir={ROOT}/overlay2/l/{lower},upperdir={dir}/diff,workdir={dir}/work");
        (format!("{dir}/merged"), Fs::new((0, self.next_minor), "overlay", "overlay", &options), None)
    }

    /// What runc makes of a copy of the daemon's namespace: all slave, the container's own file systems
    /// and volumes, `pivot_root`.
    fn container_namespace(&mut self, daemon: Ns, rootfs: &str, shm: &str, run: &Run) -> Ns {
        let ns = self.mounts.copy_with(daemon, Propagation::Slave);
        let below = |path: &str| format!("{rootfs}{path}");
        for (at, fs_type, options) in
            [("/proc", "proc", "rw"), ("/dev", "tmpfs", "rw,mode=755"), ("/sys", "sysfs", "ro")]
        {
            self.next_minor += 1;
            let fs = Fs::new((0, self.next_minor), fs_type, fs_type, options)
                .options("rw,nosuid,nodev,noexec,relatime");
            self.mounts.mount(ns, &below(at), &fs);
        }
        for volume in &run.volumes {
            let at = below(&volume.to);
            self.mounts.bind(ns, &volume.from, &at, true);
            self.mounts.make(ns, &at, true, volume.propagation);
        }
        for (from, to) in [(shm.to_owned(), "/dev/shm"), (format!("{}/hosts", parent(shm)), "/etc/hosts")] {
            self.mounts.bind(ns, &from, &below(to), false);
            self.mounts.make(ns, &below(to), false, Propagation::Private);
        }
        self.mounts.pivot_root(ns, rootfs);
        ns
    }
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("/", |(parent, _)| parent)
}
