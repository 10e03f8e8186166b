//! Real mounts, namespaces and processes on this machine, the real collector, the real `ebusy` command.
//!
//! A "layer" is an ext4 image on a loop device, mounted where docker would mount a container's device. Somebody
//! gets hold of it, it is unmounted, and the device stays busy, which `O_EXCL` on its node proves. The report
//! must name who it is, and its remedy, run as printed, must free the device.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

mod support;

use ebusy_analyzer::report::{Effect, HolderKind, Status, When};
use ebusy_tests::harness::{Background, machine, need_command, run, sh, wait_until};
use ebusy_tests::synth::hex64;
use std::path::PathBuf;
use std::process::Command;
use support::real::{Layer, blocking, follow_remedy, inode, mount_namespace, tools, unshared};

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
