//! The synthetic hosts' mounts against the real thing: the same calls, by a kernel and by `synth`, must give
//! the same tables. What the tests of device-mapper and 3.10 kernels say rests on it.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

use ebusy_tests::harness::{Background, TempDir, machine, need_command, need_root, run};
use ebusy_tests::rng::Rng;
use ebusy_tests::synth::{Fs, Mounts, Ns, Propagation};
use std::collections::BTreeMap;
use std::process::Command;

/// Random scenes; 600 were tried when they were written.
const SCENES: u64 = 15;

type Call = Box<dyn Fn(&mut dyn Kernel)>;

/// Somebody who can be told to mount.
trait Kernel {
    /// `unshare -m --propagation …`; the number of the new namespace (0 is the first).
    fn copy(&mut self, of: usize, propagation: Option<Propagation>) -> usize;
    fn mount(&mut self, ns: usize, at: &str);
    fn bind(&mut self, ns: usize, from: &str, at: &str, recursive: bool);
    fn umount(&mut self, ns: usize, at: &str);
    fn make(&mut self, ns: usize, at: &str, recursive: bool, propagation: Propagation);
    /// mountinfo of a namespace.
    fn table(&self, ns: usize) -> String;
}

struct Synthetic {
    mounts: Mounts,
    namespaces: Vec<Ns>,
    minor: u32,
}

impl Synthetic {
    fn new() -> Self {
        let mut mounts = Mounts::default();
        let ns = mounts.new_namespace(&Fs::new((8, 1), "ext4", "/dev/sda1", "rw"));
        Self { mounts, namespaces: vec![ns], minor: 40 }
    }
}

impl Kernel for Synthetic {
    fn copy(&mut self, of: usize, propagation: Option<Propagation>) -> usize {
        let of = self.namespaces[of];
        self.namespaces.push(match propagation {
            Some(propagation) => self.mounts.copy_with(of, propagation),
            None => self.mounts.copy_of(of),
        });
        self.namespaces.len() - 1
    }

    fn mount(&mut self, ns: usize, at: &str) {
        self.minor += 1;
        self.mounts.mount(self.namespaces[ns], at, &Fs::new((0, self.minor), "tmpfs", "none", "rw"));
    }

    fn bind(&mut self, ns: usize, from: &str, at: &str, recursive: bool) {
        self.mounts.bind(self.namespaces[ns], from, at, recursive);
    }

    fn umount(&mut self, ns: usize, at: &str) {
        self.mounts.umount(self.namespaces[ns], at);
    }

    fn make(&mut self, ns: usize, at: &str, recursive: bool, propagation: Propagation) {
        self.mounts.make(self.namespaces[ns], at, recursive, propagation);
    }

    fn table(&self, ns: usize) -> String {
        self.mounts.mountinfo(self.namespaces[ns], "/")
    }
}

/// This machine's kernel: each namespace is kept by a sleeping process; paths are below a directory.
struct Real {
    dir: TempDir,
    namespaces: Vec<Background>,
}

impl Real {
    fn new() -> Self {
        let dir = TempDir::new("kernel");
        let first = sleeping(Command::new("unshare").args(["-m", "--propagation", "private"]));
        Self { dir, namespaces: vec![first] }
    }

    fn enter(&self, ns: usize) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["-t", &self.namespaces[ns].pid().to_string(), "-m"]);
        command
    }

    fn path(&self, at: &str) -> String {
        format!("{}{at}", self.dir.path().display())
    }

    fn make_directory(&self, ns: usize, at: &str) {
        run(self.enter(ns).args(["mkdir", "-p", &self.path(at)]));
    }
}

fn sleeping(command: &mut Command) -> Background {
    Background::start_until(command.args(["sh", "-c", "echo ready; exec sleep 100000"]), "ready").0
}

fn word(propagation: Option<Propagation>) -> &'static str {
    match propagation {
        Some(Propagation::Shared) => "shared",
        Some(Propagation::Slave) => "slave",
        Some(Propagation::Private) => "private",
        Some(Propagation::Unbindable) => "unbindable",
        None => "unchanged",
    }
}

impl Kernel for Real {
    fn copy(&mut self, of: usize, propagation: Option<Propagation>) -> usize {
        let new = sleeping(self.enter(of).args(["unshare", "-m", "--propagation", word(propagation)]));
        self.namespaces.push(new);
        self.namespaces.len() - 1
    }

    fn mount(&mut self, ns: usize, at: &str) {
        self.make_directory(ns, at);
        run(self.enter(ns).args(["mount", "-t", "tmpfs", "none", &self.path(at)]));
    }

    fn bind(&mut self, ns: usize, from: &str, at: &str, recursive: bool) {
        self.make_directory(ns, from);
        self.make_directory(ns, at);
        let how = if recursive { "--rbind" } else { "--bind" };
        run(self.enter(ns).args(["mount", how, &self.path(from), &self.path(at)]));
    }

    fn umount(&mut self, ns: usize, at: &str) {
        run(self.enter(ns).args(["umount", "-l", &self.path(at)]));
    }

    fn make(&mut self, ns: usize, at: &str, recursive: bool, propagation: Propagation) {
        let how = format!("--make-{}{}", if recursive { "r" } else { "" }, word(Some(propagation)));
        run(self.enter(ns).args(["mount", &how, &self.path(at)]));
    }

    fn table(&self, ns: usize) -> String {
        let table = std::fs::read_to_string(format!("/proc/{}/mountinfo", self.namespaces[ns].pid()));
        let dir = self.dir.path().to_string_lossy().into_owned();
        let own = |line: &&str| line.split(' ').nth(4).is_some_and(|at| at.starts_with(&dir));
        table.expect("it runs").lines().filter(own).map(|line| line.replace(&dir, "") + "\n").collect()
    }
}

/// The tables of all namespaces with everything that may differ from run to run counted from 1: mounts, devices
/// and peer groups get numbers in the order in which they appear.
fn normalized(kernel: &dyn Kernel, namespaces: usize) -> Vec<Vec<String>> {
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    let mut tables = Vec::new();
    for ns in 0..namespaces {
        let text = kernel.table(ns);
        // In the order of the paths: the order of a table's lines is not the kernel's promise.
        let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split(' ').collect()).collect();
        let mut lines: Vec<(usize, Vec<&str>)> =
            lines.iter().map(|fields| (below_at_its_point(&lines, fields), fields.clone())).collect();
        lines.retain(|(_, fields)| fields[4].starts_with("/d"));
        lines.sort_by_key(|(below, fields)| (fields[4], *below));
        let mut table = Vec::new();
        for (below, fields) in lines {
            let mut number = |kind: &str, name: &str| {
                let next = names.keys().filter(|known| known.starts_with(kind)).count() + 1;
                *names.entry(format!("{kind}{name}")).or_insert(next)
            };
            let device = number("device ", fields[2]);
            let mut line = format!("{} on {below} root {} dev {device}", fields[4], fields[3]);
            for field in fields[6..].iter().take_while(|field| **field != "-") {
                let (kind, group) = field.split_once(':').unwrap_or((field, ""));
                line += &format!(" {kind}:{}", number("group ", group));
            }
            table.push(line);
        }
        tables.push(table);
    }
    tables
}

/// How many mounts at the same mount point a mount is on.
fn below_at_its_point(lines: &[Vec<&str>], fields: &[&str]) -> usize {
    let parent = lines.iter().find(|other| other[0] == fields[1] && other[4] == fields[4]);
    parent.map_or(0, |parent| 1 + below_at_its_point(lines, parent))
}

/// Plays a scene on both and compares.
fn compare(test: &str, namespaces: usize, scene: impl Fn(&mut dyn Kernel)) {
    for command in ["unshare", "nsenter", "mount"] {
        if need_command(test, command).is_none() {
            return;
        }
    }
    if !need_root(test) {
        return;
    }
    let _machine = machine();
    let (mut real, mut synthetic) = (Real::new(), Synthetic::new());
    scene(&mut real);
    scene(&mut synthetic);
    let real = normalized(&real, namespaces);
    assert!(real.iter().all(|table| !table.is_empty()), "the scene mounted something everywhere: {real:#?}");
    assert_eq!(normalized(&synthetic, namespaces), real, "left: synth, right: this kernel");
}

#[test]
fn a_service_with_private_tmp_and_a_private_copy() {
    compare("synth_kernel::a_service_with_private_tmp_and_a_private_copy", 4, |kernel| {
        kernel.mount(0, "/d");
        kernel.make(0, "/d", false, Propagation::Shared);
        kernel.bind(0, "/d/home", "/d/home", false);
        kernel.make(0, "/d/home", false, Propagation::Private);
        kernel.mount(0, "/d/home/before");
        let service = kernel.copy(0, Some(Propagation::Slave));
        kernel.bind(service, "/d/tmp/private", "/d/tmp", false);
        kernel.make(service, "/d", true, Propagation::Shared);
        kernel.mount(0, "/d/home/after");
        kernel.mount(0, "/d/shm");
        let _copy = kernel.copy(0, Some(Propagation::Private));
        let _peer = kernel.copy(0, None);
        kernel.mount(0, "/d/late");
        kernel.umount(0, "/d/home/before");
        kernel.umount(0, "/d/shm");
        kernel.mount(service, "/d/only-here");
    });
}

#[test]
fn binds_and_chains_of_slaves() {
    compare("synth_kernel::binds_and_chains_of_slaves", 3, |kernel| {
        kernel.mount(0, "/d");
        kernel.make(0, "/d", false, Propagation::Shared);
        kernel.mount(0, "/d/a");
        kernel.mount(0, "/d/a/b");
        kernel.bind(0, "/d/a", "/d/c", true);
        kernel.bind(0, "/d/a/sub", "/d/part", false);
        let slave = kernel.copy(0, Some(Propagation::Slave));
        kernel.make(slave, "/d", true, Propagation::Shared);
        let _slave_of_slave = kernel.copy(slave, Some(Propagation::Slave));
        kernel.mount(0, "/d/a/new");
        kernel.umount(0, "/d/c/b");
        kernel.make(0, "/d/c", false, Propagation::Slave);
        kernel.mount(0, "/d/c/mine");
    });
}

#[test]
fn a_group_that_loses_its_members_hands_its_slaves_on() {
    compare("synth_kernel::a_group_that_loses_its_members_hands_its_slaves_on", 3, |kernel| {
        kernel.mount(0, "/d");
        kernel.make(0, "/d", false, Propagation::Shared);
        let middle = kernel.copy(0, Some(Propagation::Slave));
        kernel.make(middle, "/d", true, Propagation::Shared);
        let _last = kernel.copy(middle, Some(Propagation::Slave));
        kernel.make(middle, "/d", false, Propagation::Private);
        kernel.mount(0, "/d/x");
        kernel.mount(middle, "/d/y");
        kernel.make(0, "/d", true, Propagation::Private);
    });
}

#[test]
fn what_is_covered_and_what_covers() {
    compare("synth_kernel::what_is_covered_and_what_covers", 3, |kernel| {
        kernel.mount(0, "/d");
        kernel.make(0, "/d", false, Propagation::Shared);
        kernel.mount(0, "/d/a");
        let peer = kernel.copy(0, None);
        let slave = kernel.copy(0, Some(Propagation::Slave));
        // One more at the same place, a directory above, and one that finds its place taken.
        kernel.mount(slave, "/d/a");
        kernel.mount(peer, "/d/b");
        kernel.make(slave, "/d/b", false, Propagation::Private);
        kernel.mount(slave, "/d/b");
        kernel.mount(slave, "/d/c");
        kernel.mount(0, "/d/c");
        kernel.umount(0, "/d/a");
        kernel.umount(0, "/d/c");
        kernel.mount(slave, "/d");
        kernel.umount(0, "/d/b");
    });
}

/// Random mounts over, below and above each other, in namespaces that receive from each other.
#[test]
fn random_covers() {
    for seed in 0..SCENES {
        let mut rng = Rng::new(seed);
        let mut calls: Vec<Call> = Vec::new();
        let mut known = Synthetic::new();
        let mut take = |call: Call, known: &mut Synthetic| {
            call(known);
            calls.push(call);
        };
        take(Box::new(|k| k.mount(0, "/d")), &mut known);
        take(Box::new(|k| k.make(0, "/d", false, Propagation::Shared)), &mut known);
        for _ in 0..6 + rng.below(14) {
            let ns = rng.below(known.namespaces.len());
            let paths = ["/d", "/d/a", "/d/a", "/d/a/b", "/d/c", "/d/c"];
            let (at, from) = (*rng.pick(&paths), *rng.pick(&paths[1..]));
            let is_mounted = known.mounts.at(known.namespaces[ns], at).is_some();
            let how = *rng.pick(&[Propagation::Shared, Propagation::Slave, Propagation::Private]);
            let recursive = rng.one_in(2);
            let call: Call = match rng.below(12) {
                0..=3 => Box::new(move |k| k.mount(ns, at)),
                4 => Box::new(move |k| k.bind(ns, from, at, recursive)),
                5..=7 if is_mounted && at != "/d" => Box::new(move |k| k.umount(ns, at)),
                8 | 9 if is_mounted => Box::new(move |k| k.make(ns, at, recursive, how)),
                10 | 11 if known.namespaces.len() < 4 => Box::new(move |k| {
                    k.copy(ns, (how != Propagation::Private || recursive).then_some(how));
                }),
                _ => continue,
            };
            take(call, &mut known);
        }
        let test = "synth_kernel::random_covers";
        compare(test, known.namespaces.len(), |kernel| calls.iter().for_each(|call| call(kernel)));
    }
}
