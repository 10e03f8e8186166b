//! Causes at devices and open files: stacks, scanners, agents, shims, virtual machines, servers. Each with one that only
//! looks like it.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

mod support;

use ebusy_tests::model::{Effect, Holder};
use ebusy_tests::synth::{Block, Driver, Fs, Host, Link, Run};
use std::collections::BTreeMap;
use support::cases::{self, MODERN, causes, device_error, holder, host_with};
use support::said::said;
use support::{ask, commands};

#[test]
fn a_working_directory_and_one_on_another_device() {
    let (mut host, web) = host_with(MODERN, Driver::DeviceMapper, "17.05.0-ce");
    let (shell, other) = (host.spawn("bash", &["bash"]), host.spawn("bash", &["bash"]));
    let cwd = |device| Link {
        name: "cwd".into(),
        target: "/rootfs/srv".into(),
        device,
        inode: 7,
        mount: None,
        kind: "dir",
        node: None,
    };
    host.set_link(shell, cwd(web.device));
    host.set_link(other, cwd((253, 99)));
    device_error(&mut host, &web);
    let report = ask(&host.bundle(), "web");
    assert_eq!(causes(&report), ["open-files"]);
    assert_eq!(holder(&report, "open-files").pids, [shell]);
    assert!(commands(holder(&report, "open-files")).contains(&format!("kill {shell}")));
}

#[test]
fn a_virtual_machine_has_the_device_as_its_disk() {
    for (comm, exe, cause) in [
        ("qemu-system-x86", "/usr/bin/qemu-system-x86_64", "virtual-machine"),
        ("dd", "/usr/bin/dd", "open-files"),
    ] {
        let (mut host, web) = host_with(MODERN, Driver::DeviceMapper, "17.05.0-ce");
        let pid = host.spawn(comm, &[exe]);
        host.open_device(pid, "fd/9", "/dev/dm-3", web.device);
        device_error(&mut host, &web);
        let report = ask(&host.bundle(), "web");
        assert_eq!(causes(&report), [cause], "{comm}");
        assert_eq!(
            commands(&report.holders[0]).contains("kill"),
            cause == "open-files",
            "a machine is not killed"
        );
    }
}

#[test]
fn a_silly_renamed_file_on_nfs() {
    for (path, cause) in [("/rootfs/.nfs00000001", "nfs-silly-rename"), ("/rootfs/nfs.log", "open-files")] {
        let (mut host, web) = host_with(MODERN, Driver::DeviceMapper, "17.05.0-ce");
        let pid = host.spawn("tail", &["tail"]);
        let link = Link {
            name: "fd/3".into(),
            target: path.into(),
            device: web.device,
            inode: 7,
            mount: None,
            kind: "reg",
            node: None,
        };
        host.set_link(pid, link);
        device_error(&mut host, &web);
        assert_eq!(causes(&ask(&host.bundle(), "web")), [cause], "{path}");
    }
}

#[test]
fn a_loop_file_inside_and_one_outside() {
    for (on_target, expected) in [(true, vec!["loop-file-inside"]), (false, vec![])] {
        let (mut host, web) = host_with(MODERN, Driver::DeviceMapper, "17.05.0-ce");
        let backing = if on_target { web.device } else { (253, 0) };
        host.block_device("loop5", Block::on_file((7, 5), "/rootfs/tmp/disk", backing));
        device_error(&mut host, &web);
        let report = ask(&host.bundle(), "web");
        assert_eq!(causes(&report), expected, "{}", report.verdict.summary);
        if on_target {
            assert!(commands(&report.holders[0]).contains("losetup -d /dev/loop5"));
        }
    }
}

#[test]
fn a_loop_device_on_the_device_itself() {
    let (_, web) = host_with(MODERN, Driver::DeviceMapper, "17.05.0-ce");
    let mapped = format!("/dev/mapper/{}", web.device_name.expect("devicemapper names it"));
    let kernel = format!("/dev/dm-{}", web.device.1);
    // By the number that the kernel tells, whatever the path; by either path alone, as older collectors left it.
    for (path, is_told) in [("/srv/node", true), (&mapped, false), (&kernel, false)] {
        let (mut host, web) = host_with(MODERN, Driver::DeviceMapper, "17.05.0-ce");
        let mut block = Block::on_device((7, 5), path, web.device);
        block.backing = block.backing.filter(|_| is_told);
        host.block_device("loop5", block);
        device_error(&mut host, &web);
        let report = ask(&host.bundle(), "web");
        assert_eq!(causes(&report), ["device-stack"], "{path}: {}", report.verdict.summary);
        assert_eq!(commands(&report.holders[0]), "losetup -d /dev/loop5");
        let said = report.holders[0].cause.as_ref().map(|cause| &*cause.summary).unwrap_or_default();
        assert!(said.contains(&format!("(a loop device on {path})")), "{said}");
    }
}

#[test]
fn a_device_on_top_and_swap() {
    let (mut host, web) = host_with(MODERN, Driver::DeviceMapper, "17.05.0-ce");
    let name = web.device_name.clone().expect("devicemapper names it");
    let (kernel_name, _) = host
        .blocks
        .iter()
        .find(|(_, b)| b.device_mapper.as_ref().is_some_and(|(n, _)| *n == name))
        .expect("it is listed");
    let lower = kernel_name.clone();
    host.block_device("dm-77", Block::device_mapper((253, 77), "vg----data-snap", "LVM-x"));
    host.stack(&lower, "dm-77");
    device_error(&mut host, &web);
    let report = ask(&host.bundle(), "web");
    assert_eq!(causes(&report), ["device-stack"]);
    assert!(
        commands(&report.holders[0]).contains("lvchange -an vg--data/snap"),
        "{}",
        commands(&report.holders[0])
    );

    let (mut host, web) = host_with(MODERN, Driver::DeviceMapper, "17.05.0-ce");
    // Something else keeps it active, or the device would be gone.
    let dd = host.spawn("dd", &["dd"]);
    host.open_device(dd, "fd/3", "/dev/dm-3", web.device);
    device_error(&mut host, &web);
    let swap = format!(
        "Filename Type Size Used Priority\n/dev/mapper/{} partition 1 0 -2\n",
        web.device_name.expect("named")
    );
    host.files.insert("proc/swaps".into(), swap.into_bytes());
    let mut both = causes(&ask(&host.bundle(), "web")).into_iter().map(str::to_owned).collect::<Vec<_>>();
    both.sort();
    assert_eq!(both, ["open-files", "swap-on-device"]);
}

#[test]
fn each_kind_of_device_on_top_is_taken_down_by_its_own_tool() {
    for (kernel_name, name, uuid, command) in [
        ("dm-70", "vg0-data", "LVM-abc", "lvchange -an vg0/data"),
        ("dm-71", "mpatha", "mpath-3600", "multipath -f mpatha"),
        ("dm-72", "secret", "CRYPT-LUKS2-x", "cryptsetup close secret"),
        ("dm-73", "plain", "", "dmsetup remove plain"),
        ("md7", "", "", "mdadm --stop /dev/md7"),
    ] {
        let (mut host, web) = host_with(MODERN, Driver::DeviceMapper, "17.05.0-ce");
        let lower = cases::kernel_name(&host, &web);
        let mut block = Block::device_mapper((253, 70), name, uuid);
        if name.is_empty() {
            block = Block { device: (9, 7), ..Block::default() };
        }
        host.block_device(kernel_name, block);
        host.stack(&lower, kernel_name);
        device_error(&mut host, &web);
        let report = ask(&host.bundle(), "web");
        assert_eq!(causes(&report), ["device-stack"]);
        assert_eq!(commands(&report.holders[0]), command);
    }
}

#[test]
fn a_stack_is_followed_to_the_mount_that_ends_it() {
    let (mut host, web) = host_with(MODERN, Driver::DeviceMapper, "17.05.0-ce");
    let lower = cases::kernel_name(&host, &web);
    host.block_device("dm-70", Block::device_mapper((253, 70), "vg0-data", "LVM-x"));
    host.stack(&lower, "dm-70");
    host.block_device("loop5", Block::on_file((7, 5), "/srv/disk", (253, 70)));
    host.mounts.mount(host.ns, "/mnt/disk", &Fs::new((7, 5), "ext4", "/dev/loop5", "rw"));
    device_error(&mut host, &web);
    let report = ask(&host.bundle(), "web");
    assert_eq!(causes(&report), ["loop-file-inside", "device-stack"], "the uppermost goes first");
    assert_eq!(commands(&report.holders[0]), "umount /mnt/disk\nlosetup -d /dev/loop5");
    let order = &report.next_steps[0].effect;
    assert!(order.find("loop5") < order.find("dm-70"), "{order}");
}

#[test]
fn scanners_of_devices_and_a_program_that_is_none() {
    for (comm, node, cause) in [
        ("pvscan", true, "device-scanner"),
        ("multipathd", true, "device-scanner"),
        ("systemd-udevd", true, "device-scanner"),
        ("udisksd", true, "device-scanner"),
        ("dd", true, "open-files"),
        // It has a file open, not the device.
        ("multipathd", false, "open-files"),
    ] {
        let (mut host, web) = host_with(MODERN, Driver::DeviceMapper, "17.05.0-ce");
        let pid = host.spawn_as(1, host.ns, comm, &[comm], &format!("/system.slice/{comm}.service"));
        match node {
            true => host.open_device(pid, "fd/9", "/dev/dm-3", web.device),
            false => host.set_link(pid, cases::left_open("fd/9", "/rootfs/etc/x", web.device)),
        }
        device_error(&mut host, &web);
        let report = ask(&host.bundle(), "web");
        assert_eq!(causes(&report), [cause], "{comm} {node}");
        let has = |word: &str| commands(&report.holders[0]).contains(word);
        assert_eq!(has("udevadm settle"), cause == "device-scanner", "{comm}");
        // What only passes by need not be ended.
        assert!(!(has("kill") && cause == "device-scanner"), "{}", commands(&report.holders[0]));
    }
}

#[test]
fn an_endpoint_agent_and_a_shell_with_the_same_file_open() {
    for (comm, cause) in [("falcon-sensor", "security-agent"), ("bash", "open-files")] {
        let (mut host, web) = host_with(MODERN, Driver::DeviceMapper, "17.05.0-ce");
        let unit = format!("/system.slice/{comm}.service");
        let pid = host.spawn_as(1, host.ns, comm, &[comm], &unit);
        host.set_link(pid, cases::left_open("fd/9", "/rootfs/bin/busybox", web.device));
        device_error(&mut host, &web);
        let report = ask(&host.bundle(), "web");
        assert_eq!(causes(&report), [cause]);
        assert_eq!(
            cases::advice(&report.holders[0]).contains("Exclude the runtime's directories"),
            comm != "bash"
        );
        assert!(commands(&report.holders[0]).contains(&format!("systemctl restart {comm}.service")));
    }
}

#[test]
fn a_shim_is_ended_only_where_nothing_dies_with_it() {
    for survives in [true, false] {
        let (mut host, web) = host_with(MODERN, Driver::DeviceMapper, "17.05.0-ce");
        let other = host.run(&Run::new("other", "redis"));
        let of = if survives { &web.id } else { &other.id };
        let args = ["docker-containerd-shim", of.as_str(), "/var/run/docker/libcontainerd/x"];
        let shim = host.spawn_as(1, host.ns, "docker-containe", &args, "/system.slice/docker.service");
        host.set_link(shim, cases::left_open("fd/9", "/rootfs/log", web.device));
        device_error(&mut host, &web);
        let report = ask(&host.bundle(), "web");
        assert_eq!(causes(&report), ["shim-survivor"]);
        let typed = commands(&report.holders[0]);
        assert_eq!(typed.contains(&format!("kill {shim}")), survives, "{typed}");
        assert_eq!(typed.contains("docker stop other"), !survives, "{typed}");
        assert!(!typed.contains("systemctl restart docker"), "{typed}");
    }
    // Without the shim's container id there is no telling what dies.
    let (mut host, web) = host_with(MODERN, Driver::DeviceMapper, "17.05.0-ce");
    let shim = host.spawn_as(1, host.ns, "docker-containe", &["docker-containerd-shim"], "/user.slice");
    host.set_link(shim, cases::left_open("fd/9", "/rootfs/log", web.device));
    device_error(&mut host, &web);
    let report = ask(&host.bundle(), "web");
    assert_eq!(causes(&report), ["open-files"]);
    assert!(!commands(&report.holders[0]).contains("kill"), "{}", commands(&report.holders[0]));
}

#[test]
fn a_server_that_does_not_answer_and_one_that_does() {
    for (state, cause) in [('D', "hung-server"), ('S', "open-files")] {
        let mut host = Host::new("web1", MODERN);
        let fs = Fs::new((0, 90), "nfs4", "nas:/export", "rw,vers=4.2");
        host.mounts.mount(host.ns, "/mnt/nas/data", &fs);
        let pid = host.spawn("rsync", &["rsync"]);
        host.link(pid, "fd/4", "/mnt/nas/data/x", "reg");
        host.process(pid).state = state;
        host.log_line("umount", 900, "umount: /mnt/nas/data: target is busy.");
        let report = ask(&host.bundle(), "/mnt/nas/data");
        let found: Vec<_> = report.holders.iter().filter(|h| h.pids == [pid]).collect();
        assert_eq!(found[0].cause.as_ref().map(|c| c.id.as_str()), Some(cause), "{}", report.verdict.summary);
        assert_eq!(commands(found[0]).contains("umount -f /mnt/nas/data"), state == 'D');
        assert_eq!(
            commands(found[0]).contains("kill"),
            state == 'S',
            "what waits in the kernel cannot be ended"
        );
    }
}

#[test]
fn of_several_mounts_at_a_path_a_umount_takes_the_uppermost() {
    let mut host = Host::new("nas1", "6.1.0-50-amd64");
    let below = host.tmpfs("below", "rw");
    host.mounts.mount(host.ns, "/mnt/data", &below);
    let reader = host.spawn("less", &["less"]);
    host.link(reader, "fd/3", "/mnt/data/a", "reg");
    host.mounts.mount(host.ns, "/mnt/data", &Fs::new((0, 90), "btrfs", "/dev/sdb1", "rw"));
    host.log_line("umount", 900, "umount: /mnt/data: target is busy.");
    let host_itself = (Holder::Namespace(host.inode_of(host.ns), Vec::new()), Effect::Holding);
    host.block_device("loop1", Block::on_file((7, 1), "/mnt/data/old.img", below.device));
    let free = said(&support::ask_default(&host.bundle()));
    assert_eq!(free.holders, BTreeMap::from([host_itself.clone()]), "all else is on what is covered");
    // A file of btrfs has a number that no table shows: its path tells.
    host.block_device("loop0", Block::on_file((7, 0), "/mnt/data/disk.img", (0, 91)));
    let held = said(&support::ask_default(&host.bundle()));
    let device = (Holder::Device("/dev/loop0".into()), Effect::Blocking);
    assert_eq!(held.holders, BTreeMap::from([host_itself, device]));
}
