//! Real mounts, namespaces and processes on this machine, the real collector, the real `ebusy` command.
//!
//! A "layer" is an ext4 image on a loop device, mounted where docker would mount a container's device. Somebody
//! gets hold of it, it is unmounted, and the device stays busy, which `O_EXCL` on its node proves. The report
//! must name who it is, and its remedy, run as printed, must free the device.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

use ebusy_analyzer::report::{Effect, Holder, HolderKind, Report, Status, When};
use ebusy_tests::harness::{
    Background, TempDir, machine, need_command, need_path, need_root, output, run, sh, wait_until,
};
use ebusy_tests::synth::hex64;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// `O_EXCL` of asm-generic/fcntl.h, the same on x86 and arm: on a block device it means "nobody else has it".
const O_EXCL: i32 = 0o200;

struct Tools {
    collector: PathBuf,
    ebusy: PathBuf,
}

/// What every test here needs; skips by name.
fn tools(test: &str) -> Option<Tools> {
    let collector = need_path(test, "EBUSY_COLLECTOR")?;
    let ebusy = need_path(test, "EBUSY_BIN")?;
    for command in ["unshare", "nsenter", "losetup", "mkfs.ext4", "mount"] {
        need_command(test, command)?;
    }
    need_root(test).then_some(Tools { collector, ebusy })
}

/// A container's device, mounted below a directory of the test.
struct Layer {
    dir: TempDir,
    container: String,
    device: String,
    path: PathBuf,
}

impl Layer {
    fn mount(test: &str) -> Self {
        // Not in /tmp: what a service has on /tmp would hide the mount from everyone in its namespace.
        let dir = TempDir::below(Path::new("/var/tmp"), test);
        let container = hex64(&format!("container {test} {}", std::process::id()));
        let layer = hex64(&format!("layer {test} {}", std::process::id()));
        let home = dir.join("var/lib/docker/devicemapper");
        let path = home.join("mnt").join(&layer);
        std::fs::create_dir_all(&path).expect("directories can be made");
        let image = dir.join("image");
        let device =
            sh("truncate -s 16M \"$1\"; mkfs.ext4 -q -F \"$1\" >&2; losetup --find --show \"$1\"", &[&image]);
        let layer = Self { dir, container, device: device.trim().to_owned(), path };
        // As docker's storage drivers did: bound on itself and private, so that no umount reaches the copies.
        sh("mount --bind \"$1\" \"$1\"; mount --make-private \"$1\"", &[&home]);
        sh("mount \"$1\" \"$2\"; echo log > \"$2/file\"", &[Path::new(&layer.device), &layer.path]);
        std::fs::write(layer.log(), layer.error_line()).expect("the log can be written");
        layer
    }

    fn log(&self) -> PathBuf {
        self.dir.join("docker.log")
    }

    fn layer_id(&self) -> String {
        self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    fn error_line(&self) -> String {
        format!(
            "time=\"2026-11-22T07:35:16.254781130Z\" level=error msg=\"Handler for DELETE /v1.29/containers/web \
             returned error: Driver devicemapper failed to remove root filesystem {}: failed to remove device {}: \
             Device is Busy\"\n",
            self.container,
            self.layer_id()
        )
    }

    fn umount(&self) {
        run(Command::new("umount").arg(&self.path));
    }

    fn is_free(&self) -> bool {
        std::fs::OpenOptions::new().read(true).custom_flags(O_EXCL).open(&self.device).is_ok()
    }

    fn assert_busy(&self) {
        assert!(!self.is_free(), "nothing holds {}: the test would prove nothing", self.device);
    }

    /// What the collector and the command make of the machine now.
    fn report(&self, tools: &Tools, query: &str) -> Report {
        let bundle = self.dir.join("bundle.tar.gz");
        run(Command::new(&tools.collector).arg("-o").arg(&bundle).arg("--log").arg(self.log()));
        let mut analyze = Command::new(&tools.ebusy);
        analyze.arg("analyze").arg(&bundle).args(["--id", query, "--format", "json"]);
        let answer = output(&mut analyze);
        let json = String::from_utf8_lossy(&answer.stdout);
        serde_json::from_str(&json)
            .unwrap_or_else(|error| panic!("{error}: {json}{}", String::from_utf8_lossy(&answer.stderr)))
    }
}

impl Drop for Layer {
    fn drop(&mut self) {
        let _ = output(Command::new("umount").arg("-l").arg(&self.path));
        let _ = output(Command::new("losetup").args(["-d", &self.device]));
    }
}

/// `unshare -m` with a script in it that goes on to sleep.
fn unshared(propagation: &str, script: &str, args: &[&Path]) -> Background {
    let script = format!("{script}\necho ready; exec sleep 100000");
    let mut command = Command::new("unshare");
    command.args(["-m", "--propagation", propagation, "sh", "-euc", &script, "sh"]).args(args);
    Background::start_until(&mut command, "ready").0
}

fn mount_namespace(pid: u32) -> u64 {
    inode(&std::fs::read_link(format!("/proc/{pid}/ns/mnt")).expect("it runs").to_string_lossy())
}

/// `4026532181` of `mnt:[4026532181]`.
fn inode(link: &str) -> u64 {
    link.trim_start_matches("mnt:[").trim_end_matches(']').parse().expect("a namespace has a number")
}

/// The blocking holders, by their first pid.
#[track_caller]
fn blocking<'a>(report: &'a Report, pids: &[u32]) -> Vec<&'a Holder> {
    assert_eq!(report.verdict.status, Status::Held, "{}", report.verdict.summary);
    let mut holders: Vec<&Holder> = report.holders.iter().filter(|h| h.effect == Effect::Blocking).collect();
    holders.sort_by_key(|holder| holder.pids.first().copied());
    let mut found: Vec<u32> = holders.iter().flat_map(|holder| holder.pids.clone()).collect();
    found.sort_unstable();
    let mut wanted = pids.to_vec();
    wanted.sort_unstable();
    assert_eq!(found, wanted, "{}", report.verdict.summary);
    holders
}

/// Runs the first `now` remedy that is about the test's own directory or process: nobody wants a test to
/// restart services of the machine.
#[track_caller]
fn follow_remedy(holder: &Holder, layer: &Layer, own: &str) {
    let dir = layer.dir.path().to_string_lossy();
    let mine = |command: &str| {
        let named = command.contains(dir.as_ref()) || command.split([' ', '\n']).any(|word| word == own);
        named && !["systemctl", "docker ", "reboot"].iter().any(|other| command.contains(other))
    };
    let remedy = holder.remedies.iter().find(|remedy| remedy.when == When::Now && mine(&remedy.command));
    let command = &remedy.unwrap_or_else(|| panic!("no remedy to try in {:#?}", holder.remedies)).command;
    eprintln!("remedy: {command}");
    sh(command, &[] as &[&str]);
    wait_until(&format!("{} is free after {command}", layer.device), || layer.is_free().then_some(()));
}

#[test]
fn a_private_copy_of_the_mount_table() {
    const TEST: &str = "real_host::a_private_copy_of_the_mount_table";
    let Some(tools) = tools(TEST) else { return };
    let _machine = machine();
    let earlier = unshared("private", "", &[]);
    let layer = Layer::mount("unshare");
    let holder = unshared("private", "", &[]);
    let without = unshared("private", "umount \"$1\"", &[&layer.path]);
    layer.umount();
    layer.assert_busy();
    let report = layer.report(&tools, &layer.container);
    let holders = blocking(&report, &[holder.pid()]);
    assert_eq!(holders[0].mount_namespace, Some(mount_namespace(holder.pid())));
    assert_eq!(holders[0].mounts[0].mount_point, layer.path.to_string_lossy());
    for innocent in [&earlier, &without] {
        assert!(report.holders.iter().all(|holder| !holder.pids.contains(&innocent.pid())));
    }
    follow_remedy(holders[0], &layer, &holder.pid().to_string());
    drop((earlier, without));
}

#[test]
fn several_processes_of_one_namespace_are_one_holder() {
    const TEST: &str = "real_host::several_processes_of_one_namespace_are_one_holder";
    let Some(tools) = tools(TEST) else { return };
    let _machine = machine();
    let layer = Layer::mount("several");
    let first = unshared("private", "", &[]);
    let pid = first.pid().to_string();
    let enter = ["-t", &pid, "-m", "sh", "-c", "echo ready; exec sleep 100000"];
    let second = Background::start_until(Command::new("nsenter").args(enter), "ready").0;
    layer.umount();
    layer.assert_busy();
    let report = layer.report(&tools, &layer.layer_id());
    let holders = blocking(&report, &[first.pid(), second.pid()]);
    assert_eq!(holders.len(), 1);
    follow_remedy(holders[0], &layer, &pid);
}

#[test]
fn a_service_with_private_tmp() {
    const TEST: &str = "real_host::a_service_with_private_tmp";
    let Some(tools) = tools(TEST) else { return };
    let _machine = machine();
    let layer = Layer::mount("privatetmp");
    // What systemd does for PrivateTmp=yes: a slave, a directory of its own on /tmp, shared again.
    let private = format!("/tmp/systemd-private-{}-fake.service-q2haoh", &hex64("boot")[..32]);
    let private = OwnDir::make(PathBuf::from(private));
    let script = "mount --bind \"$1\" /tmp; mount --make-rshared /";
    let holder = unshared("slave", script, &[&private.0.join("tmp")]);
    layer.umount();
    layer.assert_busy();
    let report = layer.report(&tools, &layer.container);
    let holders = blocking(&report, &[holder.pid()]);
    assert_eq!(holders[0].mount_namespace, Some(mount_namespace(holder.pid())));
    assert_eq!(holders[0].unit.as_deref(), Some("fake.service"), "the directory on /tmp names the unit");
    assert!(holders[0].cause.as_ref().is_some_and(|cause| cause.summary.contains("fake.service")));
    follow_remedy(holders[0], &layer, &holder.pid().to_string());
}

/// A directory in `/tmp` whose name is not free to choose.
struct OwnDir(PathBuf);

impl OwnDir {
    fn make(path: PathBuf) -> Self {
        std::fs::create_dir_all(path.join("tmp")).expect("directories can be made in /tmp");
        Self(path)
    }
}

impl Drop for OwnDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir(self.0.join("tmp"));
        let _ = std::fs::remove_dir(&self.0);
    }
}

#[test]
fn a_container_that_has_the_whole_host_at_rootfs() {
    const TEST: &str = "real_host::a_container_that_has_the_whole_host_at_rootfs";
    let Some(tools) = tools(TEST) else { return };
    if need_command(TEST, "pivot_root").is_none() {
        return;
    }
    let _machine = machine();
    let layer = Layer::mount("rootfs");
    let root = layer.dir.join("root");
    std::fs::create_dir(&root).expect("a directory can be made");
    let script = "mount -t tmpfs none \"$1\"; cd \"$1\"; mkdir rootfs old
        mount --rbind / rootfs; mount --make-rprivate rootfs
        for dir in bin sbin lib lib64 usr proc; do ln -s \"rootfs/$dir\" \"$dir\"; done
        pivot_root . old; cd /; umount -l /old";
    let holder = unshared("private", script, &[&root]);
    layer.umount();
    layer.assert_busy();
    let report = layer.report(&tools, &layer.container);
    let holders = blocking(&report, &[holder.pid()]);
    assert_eq!(holders[0].mount_namespace, Some(mount_namespace(holder.pid())));
    let inside = format!("/rootfs{}", layer.path.display());
    assert!(holders[0].mounts.iter().any(|mount| mount.mount_point == inside), "{:?}", holders[0].mounts);
    follow_remedy(holders[0], &layer, &holder.pid().to_string());
}

#[test]
fn a_namespace_that_only_a_file_keeps() {
    const TEST: &str = "real_host::a_namespace_that_only_a_file_keeps";
    let Some(tools) = tools(TEST) else { return };
    let _machine = machine();
    let layer = Layer::mount("pinned");
    let dir = layer.dir.join("ns");
    let pin = dir.join("pin");
    sh("mkdir \"$1\"; mount --bind \"$1\" \"$1\"; mount --make-private \"$1\"; touch \"$2\"", &[&dir, &pin]);
    let file = format!("--mount={}", pin.display());
    let link = run(Command::new("unshare").args([
        &file,
        "--propagation",
        "private",
        "readlink",
        "/proc/self/ns/mnt",
    ]));
    layer.umount();
    layer.assert_busy();
    let report = layer.report(&tools, &layer.container);
    let holders = blocking(&report, &[]);
    assert_eq!(holders.len(), 1, "{}", report.verdict.summary);
    assert_eq!(holders[0].kind, HolderKind::Pinned);
    assert_eq!(holders[0].mount_namespace, Some(inode(link.trim())));
    follow_remedy(holders[0], &layer, "no process");
}

#[test]
fn an_open_file_and_a_working_directory_after_a_lazy_umount() {
    const TEST: &str = "real_host::an_open_file_and_a_working_directory_after_a_lazy_umount";
    let Some(tools) = tools(TEST) else { return };
    let _machine = machine();
    let layer = Layer::mount("openfd");
    let start = |script: &str| {
        let script = format!("{script}; echo ready; exec sleep 100000");
        let mut command = Command::new("sh");
        command.args(["-euc", &script, "sh"]).arg(&layer.path);
        Background::start_until(&mut command, "ready").0
    };
    let reader = start("exec 9< \"$1/file\"");
    let shell = start("cd \"$1\"");
    run(Command::new("umount").arg("-l").arg(&layer.path));
    layer.assert_busy();
    // No table shows the mount any more; only the device leads to them.
    let report = layer.report(&tools, &layer.device);
    let holders = blocking(&report, &[reader.pid(), shell.pid()]);
    let mut references: Vec<(u32, &str)> = holders
        .iter()
        .flat_map(|holder| &holder.open_files)
        .map(|file| (file.pid, file.reference.as_str()))
        .collect();
    references.sort_unstable();
    let mut wanted = [(reader.pid(), "fd/9"), (shell.pid(), "cwd")];
    wanted.sort_unstable();
    assert_eq!(references, wanted);
    let own = [reader.pid().to_string(), shell.pid().to_string()];
    for holder in &holders {
        let commands = holder.remedies.iter().filter(|remedy| remedy.when == When::Now);
        let command = commands.map(|remedy| &remedy.command).find(|command| {
            command.contains("kill")
                && command.split([' ', '\n']).any(|word| own.iter().any(|pid| pid == word))
        });
        sh(command.unwrap_or_else(|| panic!("no way out in {:#?}", holder.remedies)), &[] as &[&str]);
    }
    wait_until("the device is free after the remedies", || layer.is_free().then_some(()));
}

#[test]
fn a_directory_that_only_others_have_mounted_does_not_block_on_this_kernel() {
    const TEST: &str = "real_host::a_directory_that_only_others_have_mounted_does_not_block_on_this_kernel";
    let Some(tools) = tools(TEST) else { return };
    let _machine = machine();
    let layer = Layer::mount("directory");
    layer.umount();
    let merged = layer.dir.join("var/lib/docker/overlay2").join(layer.layer_id()).join("merged");
    std::fs::create_dir_all(&merged).expect("directories can be made");
    let home = layer.dir.join("var/lib/docker/overlay2");
    sh(
        "mount --bind \"$1\" \"$1\"; mount --make-private \"$1\"; mount -t tmpfs none \"$2\"",
        &[&home, &merged],
    );
    let line = format!(
        "time=\"2026-11-22T07:35:16.254781130Z\" level=error msg=\"Handler for DELETE /v1.35/containers/web returned \
         error: container {}: driver \\\"overlay2\\\" failed to remove root filesystem: remove {}: device or resource \
         busy\"\n",
        layer.container,
        merged.display()
    );
    std::fs::write(layer.log(), line).expect("the log can be written");

    // Mounted here: rmdir fails, and that is what the report says.
    assert!(std::fs::remove_dir(&merged).is_err());
    let report = layer.report(&tools, &layer.container);
    assert_eq!(report.verdict.status, Status::Held, "{}", report.verdict.summary);
    let here = Some(mount_namespace(std::process::id()));
    let blocking = report.holders.iter().find(|holder| holder.effect == Effect::Blocking);
    assert_eq!(blocking.map(|holder| holder.mount_namespace), Some(here), "{}", report.verdict.summary);

    let holder = unshared("private", "", &[]);
    run(Command::new("umount").arg(&merged));
    let report = layer.report(&tools, &layer.container);
    assert_ne!(report.verdict.status, Status::Held, "{}", report.verdict.summary);
    let copy = report.holders.iter().find(|h| h.pids.contains(&holder.pid())).expect("the copy is shown");
    assert_eq!(copy.effect, Effect::Holding, "{}", copy.effect_reason);
    std::fs::remove_dir(&merged).expect("this kernel drops foreign mounts, as the report says");
}
