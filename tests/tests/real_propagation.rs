//! "The umount takes this copy along" and "the umount does not reach it", held against what a real kernel does:
//! random peer groups, slaves, private and unbindable mounts, binds and namespaces, all from fixed seeds.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

mod support;

use ebusy_tests::harness::{Background, TempDir, machine, need_command, need_root, output, sh};
use ebusy_tests::synth::{Entry, hex64, tar};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;
use support::ask;

const SETUPS: u64 = 50;

/// Numbers that are the same at each run (Knuth's constants for a linear congruence).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % sides
    }

    fn of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.roll(choices.len())]
    }
}

/// A host of its own in a mount namespace, with a mount of a container and namespaces around it.
struct Setup {
    dir: TempDir,
    /// The runtime's namespace first.
    spaces: Vec<Background>,
    told: Vec<String>,
}

impl Setup {
    fn new() -> Self {
        let dir = TempDir::below(std::path::Path::new("/var/tmp"), "propagation");
        let script = "mount -t tmpfs base \"$1\"
            mkdir -p \"$1/lib/docker/devicemapper/mnt/$2\" \"$1/other\" \"$1/whole\"
            echo ready; exec sleep 100000";
        let mut command = Command::new("unshare");
        command
            .args(["-m", "--propagation", "private", "sh", "-euc", script, "sh"])
            .arg(dir.path())
            .arg(layer());
        let host = Background::start_until(&mut command, "ready").0;
        Self { dir, spaces: vec![host], told: Vec::new() }
    }

    fn path(&self) -> PathBuf {
        self.dir.join("lib/docker/devicemapper/mnt").join(layer())
    }

    /// Runs mount(8) in a namespace; it may refuse (no mount point, unbindable).
    fn mount(&mut self, space: usize, args: &[&str]) {
        let pid = self.spaces[space].pid().to_string();
        let done = output(Command::new("nsenter").args(["-t", &pid, "-m", "mount"]).args(args));
        self.told.push(format!("in {space}: mount {} {}", args.join(" "), done.status));
    }

    fn unshare(&mut self, from: usize, propagation: &str) {
        let pid = self.spaces[from].pid().to_string();
        let mut command = Command::new("nsenter");
        command.args(["-t", &pid, "-m", "unshare", "-m", "--propagation", propagation]);
        command.args(["sh", "-c", "echo ready; exec sleep 100000"]);
        self.spaces.push(Background::start_until(&mut command, "ready").0);
        self.told.push(format!("{} = {propagation} copy of {from}", self.spaces.len() - 1));
    }

    /// Something that changes where mounts and umounts go.
    fn step(&mut self, dice: &mut Dice) {
        let places = ["", "/lib", "/lib/docker/devicemapper", "/other", "/whole"];
        let place = format!("{}{}", self.dir.path().display(), dice.of(&places));
        let lib = format!("{}/lib", self.dir.path().display());
        let space = dice.roll(self.spaces.len());
        match dice.roll(10) {
            0..=4 => {
                let kinds =
                    ["shared", "shared", "slave", "private", "unbindable", "rshared", "rslave", "rprivate"];
                self.mount(space, &[&format!("--make-{}", dice.of(&kinds)), &place]);
            }
            5 => self.mount(space, &["--bind", &place, &place]),
            6 => self.mount(space, &["--rbind", &place, &place]),
            7 => self.mount(
                space,
                &[dice.of(&["--bind", "--rbind"]), &lib, &format!("{}/other", self.dir.path().display())],
            ),
            8 => {
                let inside = self.path().join("inside").to_string_lossy().into_owned();
                self.mount(space, &["-t", "tmpfs", "inside", &inside]);
            }
            _ => self.unshare(space, dice.of(&["unchanged", "slave", "private", "shared"])),
        }
    }

    fn tables(&self) -> Vec<String> {
        let read = |space: &Background| std::fs::read_to_string(format!("/proc/{}/mountinfo", space.pid()));
        self.spaces.iter().map(|space| read(space).expect("it runs")).collect()
    }

    /// The host as a plain tar: pid 1 and dockerd in the first namespace, somebody in each of the others.
    fn bundle(&self) -> Vec<u8> {
        let mut entries = vec![Entry::file("proc/version", "Linux version 6.1.0-50-amd64 (x) #1\n")];
        for (at, table) in self.tables().into_iter().enumerate() {
            let pids: &[(usize, &str)] =
                if at == 0 { &[(1, "systemd"), (50, "dockerd")] } else { &[(100 + at, "agent")] };
            for (pid, comm) in pids {
                entries.push(Entry::file(format!("proc/{pid}/mountinfo"), table.clone()));
                entries.push(Entry::file(format!("proc/{pid}/comm"), format!("{comm}\n")));
                entries
                    .push(Entry::link(format!("proc/{pid}/ns/mnt"), format!("mnt:[{}]", 4_026_532_000 + at)));
            }
        }
        tar("", 0, &entries)
    }

    fn ids(&self) -> BTreeSet<u32> {
        let tables = self.tables();
        let lines = tables.iter().flat_map(|table| table.lines());
        lines.filter_map(|line| line.split(' ').next()?.parse().ok()).collect()
    }

    fn umount(&self) -> bool {
        let pid = self.spaces[0].pid().to_string();
        output(Command::new("nsenter").args(["-t", &pid, "-m", "umount", "-l"]).arg(self.path()))
            .status
            .success()
    }
}

fn layer() -> String {
    hex64("layer")
}

#[test]
fn what_a_umount_takes_along_is_what_the_kernel_does() {
    const TEST: &str = "real_propagation::what_a_umount_takes_along_is_what_the_kernel_does";
    for command in ["unshare", "nsenter", "mount", "umount"] {
        if need_command(TEST, command).is_none() {
            return;
        }
    }
    if !need_root(TEST) {
        return;
    }
    let _machine = machine();
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    for seed in 0..SETUPS {
        for (claim, count) in compare(seed) {
            *seen.entry(claim).or_default() += count;
        }
    }
    eprintln!("claims that held: {seen:?}");
    // Otherwise the set-ups are too tame to show anything.
    for claim in ["goes along", "stays", "explained"] {
        assert!(seen.get(claim).copied().unwrap_or_default() >= 20, "{seen:?}");
    }
}

/// Makes a set-up, asks the analyzer, unmounts, and compares.
fn compare(seed: u64) -> BTreeMap<&'static str, u32> {
    let mut dice = Dice(seed.wrapping_mul(7919) + 1);
    let mut setup = Setup::new();
    let root = setup.dir.path().to_string_lossy().into_owned();
    // Mostly shared below, as a systemd host is; otherwise hardly anything would propagate.
    if dice.roll(4) > 0 {
        setup.mount(0, &["--make-shared", &root]);
    }
    for _ in 0..dice.roll(7) {
        setup.step(&mut dice);
    }
    let path = setup.path().to_string_lossy().into_owned();
    setup.mount(0, &["-t", "tmpfs", "target", &path]);
    let host = setup.spaces[0].pid().to_string();
    sh("nsenter -t \"$1\" -m mkdir -p \"$2/inside\"", &[&host, &path]);
    for _ in 0..1 + dice.roll(7) {
        setup.step(&mut dice);
    }
    let report = ask(&setup.bundle(), &path);
    let before = setup.ids();
    let tables = setup.tables();
    let mut right = BTreeMap::new();
    // A later bind may cover the target in the runtime's namespace.
    if !setup.umount() {
        return right;
    }
    let after = setup.ids();
    for mount in report.holders.iter().flat_map(|holder| &holder.mounts) {
        assert!(before.contains(&mount.id));
        let gone = !after.contains(&mount.id);
        let claim = match mount.follows {
            Some(true) => "goes along",
            Some(false) => "stays",
            None => "is unmounted itself",
        };
        let holds = gone == (mount.follows != Some(false));
        let story = || {
            setup
                .told
                .iter()
                .map(String::as_str)
                .chain(
                    tables
                        .iter()
                        .flat_map(|t| t.lines().chain([""]))
                        .filter(|line| line.is_empty() || line.contains(&root)),
                )
                .collect::<Vec<_>>()
                .join(
                    "
",
                )
        };
        assert!(
            holds,
            "seed {seed}: {} {claim}, it is said, but gone is {gone}
{}",
            mount.evidence.text,
            story()
        );
        *right.entry(claim).or_default() += 1;
    }
    // What is said of those that stayed must not be that the umount reached them.
    let report = ask(&setup.bundle(), &path);
    for sentence in report.propagation.iter().chain(report.namespaces.iter().map(|n| &n.propagation)) {
        assert!(!sentence.contains("does reach") && !sentence.contains("along"), "seed {seed}: {sentence}");
        *right.entry("explained").or_default() += 1;
    }
    right
}
