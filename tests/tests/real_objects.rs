//! What else this kernel can hold busy: a loop device inside, the device's node, a namespace behind a descriptor, an
//! overlay's upper directory, a cgroup, a pinned network namespace. Each is made for real, the kernel's own answer is
//! asked for first, and the remedy is run as printed.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

mod support;

use ebusy_analyzer::report::{BusyKind, Effect, HolderKind, Status, When};
use ebusy_tests::harness::{Background, TempDir, machine, need_command, output, run, sh, wait_until};
use ebusy_tests::synth::hex64;
use std::path::Path;
use std::process::Command;
use support::real::{Layer, blocking, follow_remedy, mount_namespace, tools, unshared};

#[test]
fn a_loop_device_whose_file_is_inside() {
    const TEST: &str = "real_objects::a_loop_device_whose_file_is_inside";
    let Some(tools) = tools(TEST) else { return };
    let _machine = machine();
    let layer = Layer::mount("loopinside");
    let upper = sh("truncate -s 1M \"$1/disk\"; losetup --find --show \"$1/disk\"", &[&layer.path]);
    let upper = upper.trim();
    run(Command::new("umount").arg("-l").arg(&layer.path));
    layer.assert_busy();
    let report = layer.report(&tools, &layer.device);
    let holders = blocking(&report, &[]);
    assert_eq!(holders.len(), 1, "{}", report.verdict.summary);
    assert_eq!(holders[0].kind, HolderKind::Device);
    let cause = holders[0].cause.as_ref().expect("the loop device's file tells");
    assert_eq!(cause.id, "loop-file-inside");
    assert!(cause.summary.contains(upper), "{}", cause.summary);
    follow_remedy(holders[0], &layer, upper);
}

#[test]
fn a_descriptor_on_the_device_itself() {
    const TEST: &str = "real_objects::a_descriptor_on_the_device_itself";
    let Some(tools) = tools(TEST) else { return };
    let _machine = machine();
    let layer = Layer::mount("opennode");
    let script = "exec 9< \"$1\"; echo ready; exec sleep 100000";
    let mut command = Command::new("sh");
    command.args(["-euc", script, "sh", &layer.device]);
    let holder = Background::start_until(&mut command, "ready").0;
    layer.umount();
    // A plain descriptor does not keep others from `O_EXCL`, but a loop device from being detached: it is only
    // marked to go with its last opener (loop(4), LO_FLAGS_AUTOCLEAR).
    let report = layer.report(&tools, &layer.device);
    let holders = blocking(&report, &[holder.pid()]);
    assert_eq!(holders[0].open_files[0].reference, "fd/9");
    assert_eq!(holders[0].kind, HolderKind::OpenFile);
    follow_remedy(holders[0], &layer, &holder.pid().to_string());
    wait_until("the remedy ended it", || {
        (!Path::new(&format!("/proc/{}/fd/9", holder.pid())).exists()).then_some(())
    });
}

#[test]
fn a_namespace_that_only_a_descriptor_keeps() {
    const TEST: &str = "real_objects::a_namespace_that_only_a_descriptor_keeps";
    let Some(tools) = tools(TEST) else { return };
    let _machine = machine();
    let layer = Layer::mount("nsfd");
    let short_lived = unshared("private", "", &[]);
    let link = format!("/proc/{}/ns/mnt", short_lived.pid());
    let number = mount_namespace(short_lived.pid());
    let script = "exec 9< \"$1\"; echo ready; exec sleep 100000";
    let mut command = Command::new("sh");
    command.args(["-euc", script, "sh", &link]);
    let keeper = Background::start_until(&mut command, "ready").0;
    drop(short_lived);
    layer.umount();
    layer.assert_busy();
    let report = layer.report(&tools, &layer.container);
    let holders = blocking(&report, &[keeper.pid()]);
    assert_eq!((holders[0].kind, holders[0].mount_namespace), (HolderKind::Pinned, Some(number)));
    assert!(!holders[0].mounts.is_empty(), "the collector entered it");
    follow_remedy(holders[0], &layer, &keeper.pid().to_string());
}

#[test]
fn an_upper_directory_that_another_overlay_has() {
    const TEST: &str = "real_objects::an_upper_directory_that_another_overlay_has";
    let Some(tools) = tools(TEST) else { return };
    let _machine = machine();
    let dir = TempDir::below(Path::new("/var/tmp"), "overlay");
    let (container, layer) =
        (hex64(&format!("c {}", std::process::id())), hex64(&format!("l {}", std::process::id())));
    let home = dir.join("var/lib/docker/overlay2");
    let own = home.join(&layer);
    sh(
        "mkdir -p \"$1/diff\" \"$1/work\" \"$1/merged\" \"$1/lower\"
         mount --bind \"$2\" \"$2\"; mount --make-private \"$2\"",
        &[&own, &home],
    );
    let mount = |index: &str| {
        let at = own.display();
        let options = format!("lowerdir={at}/lower,upperdir={at}/diff,workdir={at}/work,index={index}");
        let mut command = Command::new("mount");
        command.args(["-t", "overlay", "overlay", "-o", &options]).arg(own.join("merged"));
        command
    };
    run(&mut mount("on"));
    let holder = unshared("private", "", &[]);
    run(Command::new("umount").arg(own.join("merged")));
    let again = output(&mut mount("on"));
    let refused = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(!again.status.success() && refused.contains("busy"), "the kernel should answer EBUSY: {refused}");

    let log = dir.join("docker.log");
    let line = format!(
        "time=\"2026-11-22T07:35:16Z\" level=error msg=\"Handler for POST /v1.35/containers/{container}/start returned \
         error: error creating overlay mount to {}: device or resource busy\"\n",
        own.join("merged").display()
    );
    std::fs::write(&log, line).expect("the log can be written");
    let report = support::real::report_of(&tools, &dir, &log, &container);
    assert_eq!(report.target.busy, BusyKind::OverlayMount);
    let holders = blocking(&report, &[holder.pid()]);
    assert_eq!(holders[0].cause.as_ref().map(|c| c.id.as_str()), Some("overlay-upper-in-use"));
    let command = &support::real::own_remedy(holders[0], &dir, &holder.pid().to_string()).command;
    sh(command, &[] as &[&str]);
    wait_until("the overlay can be mounted after the remedy", || {
        output(&mut mount("on")).status.success().then_some(())
    });
    run(Command::new("umount").arg(own.join("merged")));
    run(Command::new("umount").arg(&home));
}

#[test]
fn a_cgroup_with_a_process_in_it() {
    const TEST: &str = "real_objects::a_cgroup_with_a_process_in_it";
    let Some(tools) = tools(TEST) else { return };
    let _machine = machine();
    let root = ["/sys/fs/cgroup/pids", "/sys/fs/cgroup"]
        .map(Path::new)
        .into_iter()
        .find(|p| p.join("cgroup.procs").exists());
    let Some(root) = root else { return ebusy_tests::harness::skip(TEST, "no cgroup file system") };
    let container = hex64(&format!("cgroup {}", std::process::id()));
    let cgroup = root.join("docker").join(&container);
    let parent_was_there = root.join("docker").exists();
    sh("mkdir -p \"$1\"", &[&cgroup]);
    let script = "echo $$ > \"$1/cgroup.procs\"; echo ready; exec sleep 100000";
    let mut command = Command::new("sh");
    command.args(["-euc", script, "sh"]).arg(&cgroup);
    let member = Background::start_until(&mut command, "ready").0;
    let refused = std::fs::remove_dir(&cgroup).expect_err("a process is in it");
    assert_eq!(refused.kind(), std::io::ErrorKind::ResourceBusy);

    let dir = TempDir::below(Path::new("/var/tmp"), "cgroup");
    let log = dir.join("kubelet.log");
    let line = format!(
        "time=\"2026-11-22T07:35:16Z\" level=error msg=\"Failed to remove cgroup\" error=\"rmdir {}: device or resource busy\"\n",
        cgroup.display()
    );
    std::fs::write(&log, line).expect("the log can be written");
    let report = support::real::report_of(&tools, &dir, &log, &cgroup.to_string_lossy());
    let holders = blocking(&report, &[member.pid()]);
    assert_eq!(holders[0].cause.as_ref().map(|c| c.id.as_str()), Some("cgroup-members"));
    sh(&support::real::own_remedy(holders[0], &dir, &member.pid().to_string()).command, &[] as &[&str]);
    wait_until("the cgroup can be removed after the remedy", || {
        std::fs::remove_dir(&cgroup).is_ok().then_some(())
    });
    if !parent_was_there {
        let _ = std::fs::remove_dir(root.join("docker"));
    }
}

#[test]
fn a_network_namespace_that_is_pinned_elsewhere_too() {
    const TEST: &str = "real_objects::a_network_namespace_that_is_pinned_elsewhere_too";
    let Some(tools) = tools(TEST) else { return };
    if need_command(TEST, "unshare").is_none() {
        return;
    }
    let _machine = machine();
    let dir = TempDir::below(Path::new("/var/tmp"), "netns");
    let home = dir.join("run/netns");
    let file = home.join("blue");
    sh(
        "mkdir -p \"$1\"; mount --bind \"$1\" \"$1\"; mount --make-private \"$1\"; touch \"$2\"; unshare --net=\"$2\" true",
        &[&home, &file],
    );
    let copy = unshared("private", "", &[]);
    let refused = std::fs::remove_file(&file).expect_err("it is a mount point here");
    assert_eq!(refused.kind(), std::io::ErrorKind::ResourceBusy);
    let log = dir.join("cni.log");
    let line = format!(
        "2026-11-22T07:35:16Z Cannot remove namespace file \"{}\": Device or resource busy\n",
        file.display()
    );
    std::fs::write(&log, line).expect("the log can be written");
    let path = file.to_string_lossy().into_owned();

    let report = support::real::report_of(&tools, &dir, &log, &path);
    assert_eq!(
        (report.target.busy, report.verdict.status),
        (BusyKind::NamespaceFile, Status::Held),
        "{}",
        report.verdict.summary
    );
    let here = report.holders.iter().find(|h| h.effect == Effect::Blocking).expect("the own mount blocks");
    assert_eq!(here.mount_namespace, Some(mount_namespace(std::process::id())));
    let umount = here
        .remedies
        .iter()
        .find(|r| r.when == When::Now && r.command.contains(&path))
        .expect("it can be unmounted");
    let (umount, remove) = umount.command.split_once('\n').expect("umount, then rm");
    sh(umount, &[] as &[&str]);

    // What is left is the copy, which keeps the network namespace but not the file, on this kernel.
    let report = support::real::report_of(&tools, &dir, &log, &path);
    let left = report.holders.iter().find(|h| h.pids.contains(&copy.pid())).expect("the copy is shown");
    assert_eq!(left.effect, Effect::Holding, "{}", left.effect_reason);
    // This kernel drops foreign mounts, as the report says.
    sh(remove, &[] as &[&str]);
    assert!(!file.exists());
    run(Command::new("umount").arg(&home));
}
