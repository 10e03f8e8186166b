//! The synthetic hosts' mounts against the real thing: the same calls, by a kernel and by `synth`, must give
//! the same tables. What the tests of device-mapper and 3.10 kernels say rests on it.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

use ebusy_tests::harness::{Background, TempDir, machine, need_command, need_root, run};
use ebusy_tests::synth::{Fs, Mounts, Ns, Propagation};
use std::collections::BTreeMap;
use std::process::Command;

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
        let mut lines: Vec<Vec<&str>> = text.lines().map(|line| line.split(' ').collect()).collect();
        lines.retain(|fields| fields[4].starts_with("/d"));
        lines.sort_by_key(|fields| (fields[4], fields[3]));
        let mut table = Vec::new();
        for fields in lines {
            let mut number = |kind: &str, name: &str| {
                let next = names.keys().filter(|known| known.starts_with(kind)).count() + 1;
                *names.entry(format!("{kind}{name}")).or_insert(next)
            };
            let mut line = format!("{} root {} dev {}", fields[4], fields[3], number("device ", fields[2]));
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
