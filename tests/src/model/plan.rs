//! A host as a list of steps.

use crate::rng::Rng;

/// Storage of the containers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// docker's devicemapper.
    DeviceMapper,
    /// docker's overlay2.
    Overlay2,
    /// containerd's overlayfs snapshots.
    Containerd,
}

/// What a container binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Volume {
    /// Nothing.
    None,
    /// `/` at `/rootfs`, private.
    Root,
    /// `/` at `/host`, slave.
    RootSlave,
    /// The runtime's directory of containers, private.
    Containers,
    /// `/run`, private.
    Run,
}

/// How a namespace of the host's is copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copy {
    /// A service with `PrivateTmp=`.
    PrivateTmp,
    /// A service with `MountFlags=slave`.
    ServiceSlave,
    /// A service with `MountFlags=private`.
    ServicePrivate,
    /// `unshare -m --propagation private`.
    UnsharedPrivate,
    /// `unshare -m --propagation unchanged`.
    UnsharedShared,
    /// The same, kept by a bind mount after its process ended.
    KeptByBind,
    /// The same, kept by a descriptor.
    KeptByDescriptor,
}

/// How a process refers to a file of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reference {
    /// Working directory.
    Cwd,
    /// Descriptor.
    Fd,
    /// Mapping.
    Map,
    /// The block device's node.
    Node,
}

/// What the log says of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Complaint {
    /// Its device could not be removed.
    Device,
    /// Its root directory could not be removed.
    Root,
    /// The directory of its `/dev/shm` could not be removed.
    Shm,
    /// Its cgroup could not be removed.
    Cgroup,
    /// Its overlay could not be mounted again.
    Overlay,
}

/// Something that happens on the host. Numbers choose among what is there, modulo its count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A container is started.
    Run(Volume),
    /// A container is started whose id shares its first 12 digits with that one's.
    RunTwin(usize),
    /// Somebody copies the host's mount namespace.
    Copied(Copy),
    /// Another process joins a container's or copy's namespace (`nsenter -m`), outside of its cgroup.
    Enter(usize),
    /// A process of the host's namespace refers to a container's file.
    Refer(usize, Reference),
    /// The same from a copied namespace.
    ReferFrom(usize, usize),
    /// A container ends and the runtime unmounts it.
    Stop(usize),
    /// A container's processes are killed and nobody unmounts anything.
    Crash(usize),
    /// The runtime complains.
    Complain(usize, Complaint),
    /// A loop device with its file in a container's root, mounted on the host or not.
    Loop(usize, bool),
    /// A device-mapper device on top of a container's device.
    Stack(usize),
    /// Swap on a container's device.
    Swap(usize),
    /// A container's root is bound to another place in the host's namespace, or in a copied one.
    BindElsewhere(usize, usize),
    /// Something is mounted over a container's file system, or over a directory so many steps above it: in one of the
    /// namespaces, where one that shows it.
    Cover(usize, usize, usize),
    /// One of these covers is unmounted.
    Uncover(usize),
    /// A process of a copied namespace goes into a chroot.
    Chroot(usize),
    /// A copied namespace loses its processes.
    EndCopy(usize),
    /// Mounts whose paths only begin like a container's.
    Lookalike(usize),
    /// Unrelated processes: a thread of the kernel, a zombie, a shell.
    Noise,
    /// A process of a container has ended and nobody has waited for it, or only its first thread has.
    Zombie(usize, bool),
    /// The pid of a container that crashed is another process's now, and the runtime has not noticed.
    ReusePid(usize),
    /// A process moves from one namespace into another while it is read. 0 is the host's, others are copies.
    Move(usize, usize),
    /// Something that is no container's.
    Place(PlaceStep),
}

/// Something that happens to a place: a file system that an administrator mounted, or a name of a network namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlaceStep {
    /// A file system is mounted at a directory of its own.
    Mount,
    /// A network namespace is given a name (`ip netns add`).
    Name,
    /// A process of the host's namespace, or of a copied one, refers to a file there, through one of the mounts that
    /// show it.
    Refer(usize, usize, Reference),
    /// The file system is bound to another directory.
    Bind(usize),
    /// Another one is mounted inside.
    Inside(usize),
    /// Something is mounted over it, or over the directory above it: another file system, or a bind of another place;
    /// in the host's namespace or in a copied one.
    Cover(usize, usize, usize),
    /// A loop device or a swap file inside.
    Block(usize, bool),
    /// The host's own mount is gone (`umount -l`).
    Detach(usize),
    /// It cannot be unmounted, or the name not be removed.
    Complain(usize),
}

/// A host.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Kernel release, `fs.may_detach_mounts`, and whether that kernel drops mounts of other namespaces.
    pub kernel: (&'static str, Option<u8>, bool),
    /// Storage of containers.
    pub storage: Storage,
    /// docker's version.
    pub docker: &'static str,
    /// Whether the daemon has a mount namespace of its own (`MountFlags=slave` in its unit).
    pub own_namespace: bool,
    /// One hierarchy of cgroups.
    pub cgroup_v2: bool,
    /// Whether the collector ran as root.
    pub privileged: bool,
    /// Whether a security module refused the collector one of the processes.
    pub refused: bool,
    /// What happened.
    pub steps: Vec<Step>,
}

/// RHEL 7 before `fs.may_detach_mounts`, with it off and on; the last kernels that keep and the first that drop.
pub const KERNELS: [(&str, Option<u8>, bool); 9] = [
    ("3.10.0-514.el7.x86_64", None, false),
    ("3.10.0-1160.el7.x86_64", Some(0), false),
    ("3.10.0-1160.el7.x86_64", Some(1), true),
    ("3.16.0-11-amd64", None, false),
    ("3.17.8-300.fc21.x86_64", None, false),
    ("3.18.0-1-amd64", None, true),
    ("4.18.0-513.el8.x86_64", None, true),
    ("5.15.0-91-generic", None, true),
    ("6.1.0-50-amd64", None, true),
];

impl Plan {
    /// The host of this seed.
    pub fn random(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let mut steps = vec![Step::Run(Volume::None)];
        // On some hosts the most happens beside the containers.
        let is_about_places = rng.one_in(3);
        steps.extend((0..3 + rng.below(14)).map(|_| match is_about_places && !rng.one_in(3) {
            true => Step::Place(place_step(&mut rng)),
            false => step(&mut rng),
        }));
        Self {
            kernel: *rng.pick(&KERNELS),
            storage: *rng.pick(&[
                Storage::DeviceMapper,
                Storage::DeviceMapper,
                Storage::Overlay2,
                Storage::Overlay2,
                Storage::Containerd,
            ]),
            docker: *rng.pick(&["17.05.0-ce", "18.09.1", "20.10.5"]),
            own_namespace: rng.one_in(5),
            cgroup_v2: rng.one_in(3),
            privileged: !rng.one_in(12),
            refused: rng.one_in(20),
            steps,
        }
    }

    /// The shortest plan with steps of this one that still is at fault.
    #[must_use]
    pub fn shrunk(mut self, is_at_fault: &dyn Fn(&Self) -> bool) -> Self {
        let mut size = self.steps.len();
        while size > 0 {
            let mut at = 0;
            while at < self.steps.len() {
                let mut shorter = self.clone();
                shorter.steps.drain(at..(at + size).min(self.steps.len()));
                if is_at_fault(&shorter) {
                    self = shorter;
                } else {
                    at += size;
                }
            }
            size /= 2;
        }
        self
    }
}

fn step(rng: &mut Rng) -> Step {
    use Step::*;
    let (a, b) = (rng.below(64), rng.below(64));
    let copies = [
        Copy::PrivateTmp,
        Copy::ServiceSlave,
        Copy::ServicePrivate,
        Copy::UnsharedPrivate,
        Copy::UnsharedShared,
        Copy::KeptByBind,
        Copy::KeptByDescriptor,
    ];
    let volumes = [Volume::None, Volume::Root, Volume::RootSlave, Volume::Containers, Volume::Run];
    let references = [Reference::Cwd, Reference::Fd, Reference::Map, Reference::Node];
    let complaints =
        [Complaint::Device, Complaint::Root, Complaint::Shm, Complaint::Cgroup, Complaint::Overlay];
    match rng.below(52) {
        0..=4 => Run(*rng.pick(&volumes)),
        5 => RunTwin(a),
        6..=9 => Copied(*rng.pick(&copies)),
        10 | 11 => Enter(a),
        12..=14 => Refer(a, *rng.pick(&references)),
        15 => ReferFrom(a, b),
        16..=20 => Stop(a),
        21 => Crash(a),
        22..=24 => Complain(a, *rng.pick(&complaints)),
        25 => Loop(a, b % 2 == 0),
        26 => Stack(a),
        27 => Swap(a),
        28 => BindElsewhere(a, b),
        29 => Chroot(a),
        30 | 31 => EndCopy(a),
        32 => Lookalike(a),
        33 => Noise,
        34 => Zombie(a, b % 2 == 0),
        35 => ReusePid(a),
        36 => Move(a, b),
        37..=39 => Cover(a, b, rng.below(64)),
        40 => Uncover(a),
        _ => Place(place_step(rng)),
    }
}

fn place_step(rng: &mut Rng) -> PlaceStep {
    use PlaceStep::*;
    let (a, b) = (rng.below(64), rng.below(64));
    match rng.below(14) {
        0..=2 => Mount,
        3 => Name,
        4..=6 => Refer(a, b, *rng.pick(&[Reference::Cwd, Reference::Fd, Reference::Map])),
        7 => Bind(a),
        8 => Inside(a),
        9 => Block(a, b % 2 == 0),
        10 => Detach(a),
        11 | 12 => Cover(a, b, rng.below(64)),
        _ => Complain(a),
    }
}
