//! Ways out, run as printed on this machine: the gentle `rmdir`, mounts that a later one covers, swap, loop devices in
//! loop devices, binds of a part, namespaces that a file or a descriptor keeps.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

mod support;

use ebusy_analyzer::report::{Effect, Holder, HolderKind, Remedy, When};
use ebusy_tests::harness::{Background, TempDir, machine, need_command, output, run, sh, skip, wait_until};
use std::path::Path;
use std::process::Command;
use support::real::{Layer, blocking, mount_namespace, report_of, tools, unshared};

/// The remedies for now with that word in their command.
#[track_caller]
fn remedy_with<'h>(holder: &'h Holder, word: &str) -> &'h Remedy {
    let now = || holder.remedies.iter().filter(|r| r.when == When::Now);
    now().find(|r| r.command.contains(word)).unwrap_or_else(|| panic!("no {word} in {:#?}", holder.remedies))
}

#[track_caller]
fn run_as_printed(remedy: &Remedy) {
    eprintln!("remedy: {}", remedy.command);
    sh(&remedy.command, &[] as &[&str]);
}

#[track_caller]
fn frees(layer: &Layer, remedy: &Remedy) {
    run_as_printed(remedy);
    wait_until(&format!("{} is free after {}", layer.device, remedy.command), || {
        layer.is_free().then_some(())
    });
}

#[test]
fn removing_the_mount_point_frees_the_device_from_all_copies_and_no_process_notices() {
    const TEST: &str =
        "real_remedies::removing_the_mount_point_frees_the_device_from_all_copies_and_no_process_notices";
    let Some(tools) = tools(TEST) else { return };
    let _machine = machine();
    let layer = Layer::mount("gentle");
    let (mut one, mut other) = (unshared("private", "", &[]), unshared("slave", "", &[]));
    layer.umount();
    layer.assert_busy();
    let report = layer.report(&tools, &layer.container);
    let holders = blocking(&report, &[one.pid(), other.pid()]);
    let remedy = remedy_with(holders[0], "rmdir ");
    for holder in &holders {
        assert_eq!(holder.remedies[0], *remedy, "it is the gentlest, and the same for both");
    }
    frees(&layer, remedy);
    assert!(one.runs() && other.runs());
}

#[test]
fn removing_the_mount_point_is_not_advised_where_the_copy_is_bound_elsewhere() {
    const TEST: &str =
        "real_remedies::removing_the_mount_point_is_not_advised_where_the_copy_is_bound_elsewhere";
    let Some(tools) = tools(TEST) else { return };
    let _machine = machine();
    let layer = Layer::mount("elsewhere");
    let place = layer.dir.join("elsewhere");
    std::fs::create_dir(&place).expect("a directory can be made");
    let holder = unshared("private", "mount --move \"$1\" \"$2\"", &[&layer.path, &place]);
    layer.umount();
    layer.assert_busy();
    let report = layer.report(&tools, &layer.device);
    let holders = blocking(&report, &[holder.pid()]);
    assert!(
        holders[0].remedies.iter().all(|r| !r.command.starts_with("rmdir")),
        "{:#?}",
        holders[0].remedies
    );
    // The advice not given would not have helped.
    std::fs::remove_dir(&layer.path).expect("nothing is mounted there");
    layer.assert_busy();
    frees(&layer, remedy_with(holders[0], "nsenter"));
}

#[test]
fn a_part_of_it_that_is_bound_elsewhere() {
    const TEST: &str = "real_remedies::a_part_of_it_that_is_bound_elsewhere";
    let Some(tools) = tools(TEST) else { return };
    let _machine = machine();
    let layer = Layer::mount("part");
    let place = layer.dir.join("bound");
    sh("mkdir \"$1\" \"$2/srv\"", &[&place, &layer.path]);
    let script = "mount --bind \"$1/srv\" \"$2\"; umount \"$1\"";
    let mut holder = unshared("private", script, &[&layer.path, &place]);
    layer.umount();
    layer.assert_busy();
    let report = layer.report(&tools, &layer.device);
    let holders = blocking(&report, &[holder.pid()]);
    assert_eq!(holders[0].mounts[0].root, "/srv", "the layer's id is nowhere in that mount");
    frees(&layer, remedy_with(holders[0], "nsenter"));
    assert!(holder.runs());
}

#[test]
fn a_copy_that_a_later_mount_covers() {
    const TEST: &str = "real_remedies::a_copy_that_a_later_mount_covers";
    let Some(tools) = tools(TEST) else { return };
    let _machine = machine();
    let layer = Layer::mount("covered");
    // Over the directory that the mount is in: its path leads nowhere, its umount fails.
    let parent = layer.path.parent().expect("it has one").to_path_buf();
    let holder = unshared("private", "mount -t tmpfs cover \"$1\"", &[&parent]);
    layer.umount();
    layer.assert_busy();
    let pid = holder.pid().to_string();
    let plain = output(Command::new("nsenter").args(["-t", &pid, "-m", "umount"]).arg(&layer.path));
    assert!(!plain.status.success(), "otherwise there is nothing to show");
    let report = layer.report(&tools, &layer.container);
    let holders = blocking(&report, &[holder.pid()]);
    let remedy = remedy_with(holders[0], "nsenter");
    assert!(
        remedy.effect.contains("covers") && remedy.risk.contains(&*parent.to_string_lossy()),
        "{remedy:#?}"
    );
    frees(&layer, remedy);
}

#[test]
fn a_copy_over_which_the_same_was_mounted_again() {
    const TEST: &str = "real_remedies::a_copy_over_which_the_same_was_mounted_again";
    let Some(tools) = tools(TEST) else { return };
    let _machine = machine();
    let layer = Layer::mount("twice");
    let holder = unshared("private", "mount --bind \"$1\" \"$1\"", &[&layer.path]);
    layer.umount();
    layer.assert_busy();
    let report = layer.report(&tools, &layer.container);
    let holders = blocking(&report, &[holder.pid()]);
    assert_eq!(holders[0].mounts.len(), 2);
    frees(&layer, remedy_with(holders[0], "nsenter"));
}

#[test]
fn a_namespace_is_entered_through_what_keeps_it() {
    const TEST: &str = "real_remedies::a_namespace_is_entered_through_what_keeps_it";
    let Some(tools) = tools(TEST) else { return };
    let _machine = machine();
    let layer = Layer::mount("enter");
    let dir = layer.dir.join("ns");
    let pin = dir.join("pin");
    sh("mkdir \"$1\"; mount --bind \"$1\" \"$1\"; mount --make-private \"$1\"; touch \"$2\"", &[&dir, &pin]);
    run(Command::new("unshare").args([
        &format!("--mount={}", pin.display()),
        "--propagation",
        "private",
        "true",
    ]));
    layer.umount();
    layer.assert_busy();
    let report = layer.report(&tools, &layer.container);
    let holders = blocking(&report, &[]);
    assert_eq!(holders[0].kind, HolderKind::Pinned);
    frees(&layer, remedy_with(holders[0], "nsenter --mount="));
    // The pin is still there: the namespace was left alone. The other way takes it away.
    let unpin = format!("umount {}", pin.display());
    run_as_printed(holders[0].remedies.iter().find(|r| r.command == unpin).expect("the pin can go, too"));
    assert!(!output(Command::new("umount").arg(&pin)).status.success());
}

#[test]
fn a_namespace_is_entered_through_a_descriptor() {
    const TEST: &str = "real_remedies::a_namespace_is_entered_through_a_descriptor";
    let Some(tools) = tools(TEST) else { return };
    let _machine = machine();
    let layer = Layer::mount("enterfd");
    let short_lived = unshared("private", "", &[]);
    let link = format!("/proc/{}/ns/mnt", short_lived.pid());
    let number = mount_namespace(short_lived.pid());
    let mut command = Command::new("sh");
    command.args(["-euc", "exec 9< \"$1\"; echo ready; exec sleep 100000", "sh", &link]);
    let mut keeper = Background::start_until(&mut command, "ready").0;
    drop(short_lived);
    layer.umount();
    layer.assert_busy();
    let report = layer.report(&tools, &layer.container);
    let holders = blocking(&report, &[keeper.pid()]);
    assert_eq!(holders[0].mount_namespace, Some(number));
    frees(&layer, remedy_with(holders[0], "nsenter --mount=/proc/"));
    assert!(keeper.runs(), "the gentle way ends nobody");
}

#[test]
fn a_loop_device_in_a_loop_device_is_taken_down_from_its_top() {
    const TEST: &str = "real_remedies::a_loop_device_in_a_loop_device_is_taken_down_from_its_top";
    let Some(tools) = tools(TEST) else { return };
    let _machine = machine();
    let layer = Layer::mount("nested");
    let (outer, inner) = (layer.dir.join("outer"), layer.dir.join("inner"));
    let devices = sh(
        "mkdir \"$2\" \"$3\"
         truncate -s 8M \"$1/disk\"; mkfs.ext4 -q -F \"$1/disk\" >&2; a=$(losetup --find --show \"$1/disk\"); mount \"$a\" \"$2\"
         truncate -s 2M \"$2/disk\"; mkfs.ext4 -q -F \"$2/disk\" >&2; b=$(losetup --find --show \"$2/disk\"); mount \"$b\" \"$3\"
         umount -l \"$1\"; echo \"$a $b\"",
        &[&layer.path, &outer, &inner],
    );
    let (lower, upper) = devices.trim().split_once(' ').expect("two devices");
    layer.assert_busy();
    let report = layer.report(&tools, &layer.device);
    let holders: Vec<&Holder> = report.holders.iter().filter(|h| h.effect == Effect::Blocking).collect();
    assert_eq!(holders.len(), 2, "{}", report.verdict.summary);
    // In the order of the report: the top goes first.
    for (holder, device) in holders.iter().zip([upper, lower]) {
        assert!(holder.cause.as_ref().is_some_and(|c| c.summary.contains(device)), "{:?}", holder.cause);
        run_as_printed(remedy_with(holder, "losetup -d"));
    }
    wait_until("the layer's device is free", || layer.is_free().then_some(()));
    let order = &report.next_steps[0].effect;
    assert!(order.find(upper) < order.find(lower), "{order}");
}

#[test]
fn a_swap_file_on_it() {
    const TEST: &str = "real_remedies::a_swap_file_on_it";
    let Some(tools) = tools(TEST) else { return };
    if need_command(TEST, "mkswap").is_none() || !Path::new("/proc/swaps").exists() {
        return;
    }
    let _machine = machine();
    let layer = Layer::mount("swap");
    let file = layer.path.join("swap");
    sh("dd if=/dev/zero of=\"$1\" bs=64k count=16 2>/dev/null; chmod 600 \"$1\"; mkswap \"$1\"", &[&file]);
    if !output(Command::new("swapon").arg(&file)).status.success() {
        return skip(TEST, "this kernel refuses swap files");
    }
    assert!(!output(Command::new("umount").arg(&layer.path)).status.success(), "swap keeps it mounted");
    let line = format!("umount: {}: target is busy.\n", layer.path.display());
    std::fs::write(layer.log(), line).expect("the log can be written");
    let report = layer.report(&tools, &layer.path.to_string_lossy());
    let swap = report.holders.iter().find(|h| h.cause.as_ref().is_some_and(|c| c.id == "swap-on-device"));
    let swap = swap.unwrap_or_else(|| panic!("{} {:#?}", report.verdict.summary, report.holders));
    assert_eq!(swap.effect, Effect::Blocking, "{}", swap.effect_reason);
    run_as_printed(remedy_with(swap, "swapoff"));
    layer.umount();
    wait_until("the layer's device is free", || layer.is_free().then_some(()));
}

#[test]
fn a_cgroup_below_the_one_that_cannot_be_removed() {
    const TEST: &str = "real_remedies::a_cgroup_below_the_one_that_cannot_be_removed";
    let Some(tools) = tools(TEST) else { return };
    let _machine = machine();
    let roots = ["/sys/fs/cgroup/pids", "/sys/fs/cgroup"].map(Path::new);
    let Some(root) = roots.into_iter().find(|p| p.join("cgroup.procs").exists()) else {
        return skip(TEST, "no cgroup file system");
    };
    let id = ebusy_tests::synth::hex64(&format!("nested cgroup {}", std::process::id()));
    let parent_was_there = root.join("docker").exists();
    let cgroup = root.join("docker").join(&id);
    let below = cgroup.join("init.scope");
    sh("mkdir -p \"$1\"", &[&below]);
    let mut command = Command::new("sh");
    command.args(["-euc", "echo $$ > \"$1/cgroup.procs\"; echo ready; exec sleep 100000", "sh"]).arg(&below);
    let member = Background::start_until(&mut command, "ready").0;
    let dir = TempDir::below(Path::new("/var/tmp"), "cgroup2");
    let log = dir.join("kubelet.log");
    let line = format!(
        "time=\"2026-11-22T07:35:16Z\" level=error msg=\"Failed to remove cgroup\" error=\"rmdir {}: device or resource busy\"\n",
        cgroup.display()
    );
    std::fs::write(&log, line).expect("the log can be written");
    let report = report_of(&tools, &dir, &log, &cgroup.to_string_lossy());
    let holders = blocking(&report, &[member.pid()]);
    run_as_printed(remedy_with(holders[0], "kill"));
    wait_until("both can be removed after the remedy", || {
        (std::fs::remove_dir(&below).is_ok() && std::fs::remove_dir(&cgroup).is_ok()).then_some(())
    });
    if !parent_was_there {
        let _ = std::fs::remove_dir(root.join("docker"));
    }
}
