//! The steps of a plan, taken on a synthetic host.

use super::covers::Cover;
use super::places::Place;
use super::plan::{Complaint, Copy, Plan, Reference, Step, Storage, Volume};
use crate::synth::{Block, Container, Driver, Fs, Host, Link, Mount, Ns, Propagation, Run, Sandbox, hex64};
use serde_json::json;

/// Something that can be busy: what is mounted, and where the runtime mounts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Device number of its file system.
    pub device: (u32, u32),
    /// Mount source: a minor number is given to another device once its first one is gone, a name is not.
    pub source: String,
    /// Which directory or file of it; `None` for all of it.
    pub root: Option<String>,
    /// Its path in the daemon's namespace.
    pub path: String,
}

impl Object {
    /// Whether a mount shows its file system.
    pub fn is_shown_by(&self, mount: &Mount) -> bool {
        let is_part = self.root.as_ref().is_none_or(|root| *root == mount.root);
        mount.fs.device == self.device && mount.fs.source == self.source && is_part
    }
}

/// A container with what it is made of.
#[derive(Debug, Clone)]
pub struct Subject {
    /// As the runtime knows it.
    pub container: Container,
    /// Its root file system.
    pub root: Object,
    /// Its `/dev/shm`; containerd's containers have none of their own here.
    pub shm: Option<Object>,
    /// Whether its processes live.
    pub running: bool,
    /// Whether they were killed and docker was not there to see it.
    pub crashed: bool,
    /// What the log says of it.
    pub complaint: Option<Complaint>,
}

/// A host after its steps.
#[derive(Debug, Clone)]
pub struct World {
    /// The host.
    pub host: Host,
    /// How it was planned.
    pub plan: Plan,
    /// Namespace in which the runtime mounts.
    pub daemon: Ns,
    /// Every container that ever ran, in order.
    pub subjects: Vec<Subject>,
    /// Copies of the host's namespace.
    pub copies: Vec<Ns>,
    /// What is no container's.
    pub places: Vec<Place>,
    pub(super) covers: Vec<Cover>,
    counter: usize,
}

const TASKS: &str = "/run/containerd/io.containerd.runtime.v2.task/k8s.io";
const SNAPSHOTS: &str = "/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots";

impl World {
    /// Takes all steps.
    pub fn new(plan: &Plan) -> Self {
        let (kernel, may_detach_mounts, _) = plan.kernel;
        let mut host = Host::new("model", kernel);
        host.may_detach_mounts = may_detach_mounts;
        host.cgroup_v2 = plan.cgroup_v2;
        host.collector_uid = if plan.privileged { 0 } else { 1000 };
        let daemon =
            if plan.own_namespace { host.mounts.copy_with(host.ns, Propagation::Slave) } else { host.ns };
        match plan.storage {
            Storage::DeviceMapper => {
                let pool = Block::device_mapper((253, 1), "vg0-docker--pool", "LVM-synthetic-pool-tpool");
                host.block_device("dm-1", pool);
                host.docker_in(Driver::DeviceMapper, plan.docker, daemon);
            }
            Storage::Overlay2 => host.docker_in(Driver::Overlay2, plan.docker, daemon),
            Storage::Containerd => {
                let args = ["/usr/bin/containerd"];
                host.spawn_as(1, daemon, "containerd", &args, "/system.slice/containerd.service");
            }
        }
        let mut world = Self {
            host,
            plan: plan.clone(),
            daemon,
            subjects: Vec::new(),
            copies: Vec::new(),
            places: Vec::new(),
            covers: Vec::new(),
            counter: 0,
        };
        for step in &plan.steps {
            world.host.wait(10);
            world.take(*step);
        }
        if plan.refused {
            world.host.refused.extend(world.host.processes.keys().next_back());
        }
        if plan.storage == Storage::Containerd {
            world.write_containerd_state();
        }
        world
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Run(volume) => self.run(volume, None),
            Step::RunTwin(of) => {
                let first = self.a_subject(of).map(|b| b.container.id[..12].to_owned());
                self.run(Volume::None, first);
            }
            Step::Copied(copy) => self.copy(copy),
            Step::Enter(which) => self.enter(which),
            Step::Refer(which, how) => self.refer(which, self.host.ns, how),
            Step::ReferFrom(which, from) => {
                if let Some(ns) = self.a_copy(from) {
                    self.refer(which, ns, Reference::Fd);
                }
            }
            Step::Stop(which) => self.stop(which),
            Step::Crash(which) => self.crash(which),
            Step::Complain(which, complaint) => self.complain(which, complaint),
            Step::Loop(on, mounted) => self.loop_device(on, mounted),
            Step::Stack(on) => self.stack(on),
            Step::Swap(on) => self.swap(on),
            Step::BindElsewhere(which, from) => self.bind_elsewhere(which, from),
            Step::Cover(which, from, how) => self.cover(which, from, how),
            Step::Uncover(which) => self.uncover(which),
            Step::Chroot(which) => self.chroot(which),
            Step::EndCopy(which) => self.end_copy(which),
            Step::Lookalike(of) => self.lookalike(of),
            Step::Noise => self.noise(),
            Step::Zombie(of, threads_live) => self.zombie(of, threads_live),
            Step::ReusePid(of) => self.reuse_pid(of),
            Step::Move(from, to) => self.moves(from, to),
            Step::Place(step) => self.at_places(step),
        }
    }

    pub(super) fn a_subject(&self, which: usize) -> Option<&Subject> {
        self.subjects.get(which % self.subjects.len().max(1))
    }

    pub(super) fn a_copy(&self, which: usize) -> Option<Ns> {
        let ns = *self.copies.get(which % self.copies.len().max(1))?;
        self.host.processes.values().any(|p| p.ns == ns).then_some(ns)
    }

    pub(super) fn number(&mut self) -> usize {
        self.counter += 1;
        self.counter
    }

    fn run(&mut self, volume: Volume, id_begins: Option<String>) {
        let number = self.number();
        let name = format!("box{number}");
        let id = hex64(&format!("model {name}"));
        let id = id_begins.map_or(id.clone(), |begin| format!("{begin}{}", &id[12..]));
        let containers =
            if self.plan.storage == Storage::Containerd { TASKS } else { "/var/lib/docker/containers" };
        let run = Run::new(&name, "image:1").id(&id);
        let run = match volume {
            Volume::None => run,
            Volume::Root => run.volume("/", "/rootfs"),
            Volume::RootSlave => run.slave_volume("/", "/host"),
            Volume::Containers => run.volume(containers, "/logs"),
            Volume::Run => run.volume("/run", "/var/run"),
        };
        let container = match self.plan.storage {
            Storage::Containerd => self.run_in_containerd(&run, &id, number),
            _ => self.host.run(&run),
        };
        let shm = format!("/var/lib/docker/containers/{id}/shm");
        let root = self.object(&container.rootfs).expect("it was mounted just now");
        let shm = self.object(&shm);
        self.subjects.push(Subject { container, root, shm, running: true, crashed: false, complaint: None });
    }

    /// What is mounted at a path of the daemon's namespace.
    fn object(&self, path: &str) -> Option<Object> {
        self.object_in(self.daemon, path)
    }

    /// What a path of a namespace leads to, where that is a mount point.
    pub(super) fn object_in(&self, ns: Ns, path: &str) -> Option<Object> {
        let mounts = &self.host.mounts;
        let mount = mounts.at(ns, path)?;
        Some(Object {
            device: mount.fs.device,
            source: mount.fs.source.clone(),
            root: None,
            path: path.into(),
        })
    }

    fn run_in_containerd(&mut self, run: &Run, id: &str, number: usize) -> Container {
        let rootfs = format!("{TASKS}/{id}/rootfs");
        let upper = format!("{SNAPSHOTS}/{number}");
        let options = format!("rw,lowerdir={SNAPSHOTS}/1/fs,upperdir={upper}/fs,workdir={upper}/work");
        let device = (0, 600 + number as u32);
        self.host.mounts.mount(self.daemon, &rootfs, &Fs::new(device, "overlay", "overlay", &options));
        let ns = self.host.mounts.copy_with(self.daemon, Propagation::Slave);
        for volume in &run.volumes {
            let at = format!("{rootfs}{}", volume.to);
            self.host.mounts.bind(ns, &volume.from, &at, true);
            self.host.mounts.make(ns, &at, true, volume.propagation);
        }
        self.host.mounts.pivot_root(ns, &rootfs);
        let shim_cgroup = "/system.slice/containerd.service";
        let shim = ["containerd-shim-runc-v2", "-namespace", "k8s.io", "-id", id];
        let shim = self.host.spawn_as(1, self.daemon, shim[0], &shim, shim_cgroup);
        let pid = self.host.spawn_as(shim, ns, &run.name, &[&run.name], &cgroup_of(Storage::Containerd, id));
        Container {
            id: id.into(),
            name: run.name.clone(),
            image: run.image.clone(),
            layer: hex64(&format!("no layer {id}")),
            rootfs,
            device,
            device_name: None,
            ns,
            pid,
            shim,
            state: "running".into(),
            started_at: self.host.time(),
            layer_released: false,
        }
    }

    fn write_containerd_state(&mut self) {
        let list: Vec<_> = self
            .subjects
            .iter()
            .map(|b| {
                let c = &b.container;
                json!({"runtime": "containerd", "id": c.id, "name": c.name, "image": c.image,
                    "state": if b.running { "running" } else { "exited" }, "pid": b.running.then_some(c.pid)})
            })
            .collect();
        let text = serde_json::Value::Array(list).to_string();
        self.host.files.insert("runtime/containers.json".into(), text.into_bytes());
    }

    fn copy(&mut self, copy: Copy) {
        let number = self.number();
        let unit = format!("svc{number}.service");
        let comm = format!("svc{number}");
        let service = |sandbox: Sandbox, host: &mut Host| {
            host.service(&unit, &[&format!("/usr/sbin/{comm}")], 1 + number % 3, sandbox).ns
        };
        let host = &mut self.host;
        let ns = match copy {
            Copy::PrivateTmp => service(Sandbox::PrivateTmp, host),
            Copy::ServiceSlave => service(Sandbox::MountFlagsSlave, host),
            Copy::ServicePrivate => service(Sandbox::MountFlagsPrivate, host),
            Copy::UnsharedPrivate | Copy::UnsharedShared => {
                let ns = match copy {
                    Copy::UnsharedPrivate => host.mounts.copy_with(host.ns, Propagation::Private),
                    _ => host.mounts.copy_of(host.ns),
                };
                host.spawn_in(ns, &comm, &[&comm]);
                ns
            }
            Copy::KeptByBind | Copy::KeptByDescriptor => {
                let ns = host.mounts.copy_with(host.ns, Propagation::Private);
                let by = if copy == Copy::KeptByBind {
                    format!("bind 1 /run/kept/{number}")
                } else {
                    format!("fd {} 9", host.spawn("keeper", &["keeper"]))
                };
                host.keep(ns, &by);
                ns
            }
        };
        self.copies.push(ns);
    }

    fn enter(&mut self, which: usize) {
        let of_subjects = self.subjects.iter().map(|b| b.container.ns);
        let all: Vec<Ns> = of_subjects.chain(self.copies.iter().copied()).collect();
        let Some(ns) = all.get(which % all.len().max(1)).copied() else { return };
        // Who enters a namespace is put on top of what covers its root (`mntns_install` in fs/namespace.c), and no table of
        // such a process shows what is below.
        let mounts = &self.host.mounts;
        let is_covered = mounts.covering(ns, "/").id != mounts.root(ns).id;
        if !is_covered && self.host.processes.values().any(|p| p.ns == ns) {
            self.host.spawn_in(ns, "nsenter", &["nsenter"]);
        }
    }

    /// The file is opened through whatever shows the container's root in that namespace.
    fn refer(&mut self, which: usize, ns: Ns, how: Reference) {
        let Some(b) = self.a_subject(which).cloned() else { return };
        let mounts = &self.host.mounts;
        let shown = mounts.table(ns).find(|m| b.root.is_shown_by(m)).cloned();
        let is_device = b.root.device.0 != 0;
        if how == Reference::Node {
            if is_device && self.is_active(&b.root) {
                let pid = self.host.spawn_in(ns, "dd", &["dd"]);
                let node = format!("/dev/mapper/{}", b.container.device_name.unwrap_or_default());
                self.host.open_device(pid, "fd/4", &node, b.root.device);
            }
            return;
        }
        let Some(mount) = shown else { return };
        let pid = self.host.spawn_in(ns, "tail", &["tail"]);
        let referred = mount.id;
        let (name, kind) = match how {
            Reference::Cwd => ("cwd", "dir"),
            Reference::Map => ("map/7f1c00000000", "reg"),
            _ => ("fd/3", "reg"),
        };
        let link = Link {
            name: name.into(),
            target: format!("{}/srv/file", mount.mount_point.trim_end_matches('/')),
            device: b.root.device,
            inode: 12,
            mount: (how != Reference::Map).then_some(mount.id),
            kind,
            node: None,
        };
        self.host.mounts.refer(referred);
        self.host.set_link(pid, link);
    }

    /// Whether a container's device is still there: the runtime's goes when nobody has it open any more.
    pub fn is_active(&self, object: &Object) -> bool {
        let name = object.source.strip_prefix("/dev/mapper/");
        name.is_some()
            && self.host.blocks.values().any(|block| {
                block.device == object.device && block.device_mapper.as_ref().map(|(n, _)| n.as_str()) == name
            })
    }

    fn stop(&mut self, which: usize) {
        let Some(b) = self.a_subject(which).cloned() else { return };
        if !b.running {
            return;
        }
        match self.plan.storage {
            Storage::Containerd => {
                let cgroup = cgroup_of(Storage::Containerd, &b.container.id);
                let shim = b.container.shim;
                self.host.processes.retain(|pid, p| p.cgroup != cgroup && *pid != shim);
                self.host.mounts.umount(self.daemon, &b.root.path);
            }
            _ => self.host.stop(&b.container),
        }
        self.ended(&b.container.id);
    }

    fn crash(&mut self, which: usize) {
        let Some(b) = self.a_subject(which).cloned() else { return };
        if !b.running {
            return;
        }
        let cgroup = cgroup_of(self.plan.storage, &b.container.id);
        self.host.processes.retain(|pid, p| p.cgroup != cgroup && *pid != b.container.shim);
        if self.plan.storage != Storage::Containerd {
            self.host.set_state(&b.container, "exited");
            for known in self.subjects.iter_mut().filter(|known| known.container.id == b.container.id) {
                known.crashed = true;
            }
        }
        self.ended(&b.container.id);
    }

    fn ended(&mut self, id: &str) {
        for b in self.subjects.iter_mut().filter(|b| b.container.id == id) {
            b.running = false;
        }
    }

    fn complain(&mut self, which: usize, complaint: Complaint) {
        let Some(b) = self.a_subject(which).cloned() else { return };
        let is_possible = match complaint {
            Complaint::Device => self.plan.storage == Storage::DeviceMapper,
            Complaint::Root => self.plan.storage == Storage::Overlay2,
            Complaint::Shm => b.shm.is_some(),
            Complaint::Cgroup => true,
            Complaint::Overlay => self.plan.storage == Storage::Overlay2,
        };
        // A cgroup may be removed too early.
        let too_early = b.running && complaint != Complaint::Cgroup;
        if too_early || b.complaint.is_some() || !is_possible {
            return;
        }
        let Container { id, rootfs, .. } = &b.container;
        let text = match complaint {
            Complaint::Device => b.container.device_is_busy(),
            Complaint::Root => format!(
                "level=error msg=\"Handler for DELETE /v1.35/containers/{id} returned error: container {id}: driver \
                 \\\"overlay2\\\" failed to remove root filesystem: remove {rootfs}: device or resource busy\""
            ),
            Complaint::Shm => format!(
                "level=error msg=\"Handler for DELETE /v1.29/containers/{id} returned error: unable to remove \
                 filesystem for {id}: remove /var/lib/docker/containers/{id}/shm: device or resource busy\""
            ),
            Complaint::Cgroup => {
                let hierarchy = if self.plan.cgroup_v2 { "" } else { "/memory" };
                let cgroup = cgroup_of(self.plan.storage, id);
                format!(
                    "level=error msg=\"Failed to remove cgroup\" error=\"rmdir /sys/fs/cgroup{hierarchy}{cgroup}: device or resource busy\""
                )
            }
            Complaint::Overlay => format!(
                "level=error msg=\"Handler for POST /v1.35/containers/{id}/start returned error: error creating overlay mount to \
                 {rootfs}: device or resource busy\""
            ),
        };
        if self.plan.storage == Storage::Containerd {
            self.host.log_line("containerd", 903, &text);
        } else {
            self.host.docker_log(&text);
            let state = if complaint == Complaint::Overlay { "exited" } else { "dead" };
            self.host.set_state(&b.container, state);
        }
        for other in self.subjects.iter_mut().filter(|other| other.container.id == *id) {
            other.complaint = Some(complaint);
        }
    }

    fn loop_device(&mut self, on: usize, mounted: bool) {
        let Some(b) = self.a_subject(on).cloned() else { return };
        let number = self.number();
        if !b.running || !self.is_active(&b.root) {
            return;
        }
        let (name, device) = (format!("loop{number}"), (7, number as u32));
        let file = format!("{}/img{number}", b.root.path);
        self.host.block_device(&name, Block::on_file(device, &file, b.root.device));
        if mounted {
            let fs = Fs::new(device, "ext4", &format!("/dev/{name}"), "rw");
            self.host.mounts.mount(self.host.ns, &format!("/mnt/loop{number}"), &fs);
        }
    }

    fn stack(&mut self, on: usize) {
        let Some(b) = self.a_subject(on).cloned() else { return };
        let number = self.number();
        let lower = self.host.blocks.iter().find(|(_, block)| block.device == b.root.device);
        let Some(lower) = lower.map(|(name, _)| name.clone()).filter(|_| self.is_active(&b.root)) else {
            return;
        };
        let upper = format!("dm-{}", 200 + number);
        let block = Block::device_mapper((253, 200 + number as u32), &format!("crypt{number}"), "CRYPT-x");
        self.host.block_device(&upper, block);
        self.host.stack(&lower, &upper);
    }

    fn swap(&mut self, on: usize) {
        let Some(b) = self.a_subject(on).cloned() else { return };
        let name = self.host.blocks.iter().find(|(_, block)| block.device == b.root.device);
        let Some(name) = name.map(|(name, _)| name.clone()).filter(|_| self.is_active(&b.root)) else {
            return;
        };
        self.add_swap(&format!("/dev/{name}"), "partition");
    }

    pub(super) fn add_swap(&mut self, path: &str, kind: &str) {
        let known = self
            .host
            .files
            .entry("proc/swaps".into())
            .or_insert_with(|| b"Filename\t\t\t\tType\t\tSize\tUsed\tPriority\n".to_vec());
        let line = format!("{path}                               {kind}\t1048572\t0\t-2\n");
        if !String::from_utf8_lossy(known).contains(&line) {
            known.extend_from_slice(line.as_bytes());
        }
    }

    fn bind_elsewhere(&mut self, which: usize, from: usize) {
        let number = self.number();
        let Some(b) = self.a_subject(which).cloned() else { return };
        let ns =
            if from.is_multiple_of(2) { self.host.ns } else { self.a_copy(from).unwrap_or(self.host.ns) };
        let shown = self.host.mounts.at(ns, &b.root.path).is_some_and(|m| b.root.is_shown_by(m));
        if shown {
            self.host.mounts.bind(ns, &b.root.path, &format!("/srv/inspect{number}"), false);
        }
    }

    fn chroot(&mut self, which: usize) {
        let Some(ns) = self.a_copy(which) else { return };
        // Of one that moved while it was read only a whole table tells where it is.
        let here = self.host.processes.values().filter(|p| p.ns == ns && p.came_from.is_none());
        let pids: Vec<u32> = here.map(|p| p.pid).collect();
        let root = if which.is_multiple_of(2) { "/var/lib" } else { "/srv/jail" };
        if let Some(pid) = pids.get(which % pids.len().max(1)) {
            self.host.chroot(*pid, root);
        }
    }

    fn end_copy(&mut self, which: usize) {
        let Some(ns) = self.a_copy(which) else { return };
        self.host.processes.retain(|_, p| p.ns != ns);
    }

    fn lookalike(&mut self, of: usize) {
        let Some(b) = self.a_subject(of).cloned() else { return };
        let ns = self.host.mounts.copy_with(self.host.ns, Propagation::Private);
        // The target's own mounts are not what this namespace is about.
        for object in [Some(&b.root), b.shm.as_ref()].into_iter().flatten() {
            self.host.mounts.umount(ns, &object.path);
        }
        let longer = b.root.path.replace(&b.container.layer, &format!("{}x", b.container.layer));
        let longer = longer.replace(&b.container.id, &format!("{}x", b.container.id));
        let other_id = format!("/backup/{}", flipped(&b.container.id));
        for path in [longer, other_id, format!("/backup/x{}", b.container.id)] {
            let fs = self.host.tmpfs("data", "rw");
            self.host.mounts.mount(ns, &path, &fs);
        }
        self.host.spawn_in(ns, "rsync", &["rsync", &b.container.id, &b.root.path]);
    }

    fn zombie(&mut self, of: usize, threads_live: bool) {
        let Some(b) = self.a_subject(of).cloned() else { return };
        let cgroup = cgroup_of(self.plan.storage, &b.container.id);
        let pid = self.host.spawn_as(1, self.host.ns, "defunct", &["defunct"], &cgroup);
        self.host.process(pid).state = 'Z';
        if threads_live {
            self.host.process(pid).threads = 2;
        } else {
            self.host.process(pid).links.clear();
        }
    }

    fn reuse_pid(&mut self, of: usize) {
        let Some(b) = self.a_subject(of).cloned() else { return };
        let is_free = !self.host.processes.contains_key(&b.container.pid);
        // Only docker's state tells a pid of what does not run.
        if b.running || !b.crashed || b.complaint.is_some() || !is_free {
            return;
        }
        self.host.set_state(&b.container, "running");
        self.host.reuse_pid(b.container.pid, "make", &["make"]);
    }

    /// Into a namespace that another process is in: nothing else would tell that there are two.
    fn moves(&mut self, from: usize, to: usize) {
        let choices: Vec<Ns> = [self.host.ns].into_iter().chain(self.copies.iter().copied()).collect();
        let (from, to) = (choices[from % choices.len()], choices[to % choices.len()]);
        let mut processes = self.host.processes.values();
        if from != to && processes.any(|p| p.ns == to && p.came_from.is_none() && p.is_alive()) {
            let pid = self.host.spawn_in(to, "nsenter", &["nsenter"]);
            self.host.process(pid).came_from = Some(from);
        }
    }

    fn noise(&mut self) {
        let number = self.number();
        self.host.kernel_threads(&["kworker/0:1"]);
        self.host.spawn("bash", &["-bash"]);
        let zombie = self.host.spawn("defunct", &["defunct"]);
        self.host.process(zombie).state = 'Z';
        self.host.process(zombie).links.clear();
        let fs = self.host.tmpfs("noise", "rw");
        self.host.mounts.mount(self.host.ns, &format!("/mnt/noise{number}"), &fs);
    }
}

/// The same id but for its last digit.
fn flipped(id: &str) -> String {
    let last = if id.ends_with('0') { '1' } else { '0' };
    format!("{}{last}", &id[..id.len() - 1])
}

/// The cgroup that the runtime puts a container in.
pub fn cgroup_of(storage: Storage, id: &str) -> String {
    match storage {
        Storage::Containerd => format!("/kubepods/besteffort/pod1/{id}"),
        _ => format!("/docker/{id}"),
    }
}
