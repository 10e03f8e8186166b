//! docker's devicemapper driver on a kernel that has it: thin devices that cannot be removed, each for a reason of its
//! own. The kernel says "Device or resource busy"; the report must name who holds, and what it tells to type must make
//! `dmsetup remove` succeed.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

mod support;

use ebusy_analyzer::report::{Effect, HolderKind, Report, Status, When};
use ebusy_tests::guest::{Guest, Parts};
use ebusy_tests::harness::{need_command, need_path, wait_until};
use ebusy_tests::synth::hex64;
use support::ask_default;

/// A pool on two loop devices, by docker's names: `docker-MAJOR:MINOR-INODE-pool`.
const POOL: &str = "
truncate -s 4M /tmp/metadata; truncate -s 256M /tmp/data
losetup /dev/loop6 /tmp/metadata; losetup /dev/loop7 /tmp/data
dmsetup create docker-8:1-131-pool --table '0 524288 thin-pool /dev/loop6 /dev/loop7 128 0'
mkdir -p /var/lib/docker/devicemapper/mnt
mount --bind /var/lib/docker/devicemapper /var/lib/docker/devicemapper
mount --make-private /var/lib/docker/devicemapper";

/// A way to keep a device, and how the report must show it.
struct Case {
    name: &'static str,
    /// Runs while the device `$DEVICE` is mounted on `$MOUNT`; prints the holder's pid where it is a process.
    hold: &'static str,
    /// What docker does then, where it has not been done yet.
    release: &'static str,
    kind: HolderKind,
    /// In the command that frees it.
    remedy: &'static str,
}

const UMOUNT: &str = "umount $MOUNT";

/// Starts in the background with no file of the script's open, and waits until it is where it shall be.
const START: &str = "start() { echo > /tmp/ready; \"$@\" < /dev/null > /dev/null 2>&1 & until ! [ -s /tmp/ready ]; do \
    usleep 10000; done; echo $!; }\n";

const CASES: [Case; 11] = [
    Case {
        name: "copy",
        hold: "start unshare -m sh -c ': > /tmp/ready; exec sleep 100000'",
        release: UMOUNT,
        kind: HolderKind::Unshared,
        remedy: "rmdir ",
    },
    Case {
        name: "copy elsewhere",
        hold: "mkdir -p /srv/copy; start unshare -m sh -c \"mount --bind $MOUNT /srv/copy; umount $MOUNT; : > /tmp/ready; \
               exec sleep 100000\"",
        release: UMOUNT,
        kind: HolderKind::Unshared,
        remedy: "nsenter ",
    },
    Case {
        name: "host mount",
        hold: "mkdir -p /mnt/look; mount --bind $MOUNT /mnt/look",
        release: UMOUNT,
        kind: HolderKind::Host,
        remedy: "umount /mnt/look",
    },
    Case {
        name: "open file after a lazy umount",
        hold: "start sh -c \"exec 9> $MOUNT/file; : > /tmp/ready; exec sleep 100000\"",
        release: "umount -l $MOUNT",
        kind: HolderKind::OpenFile,
        remedy: "kill ",
    },
    Case {
        name: "open device",
        hold: "start sh -c \"exec 9< $DEVICE; : > /tmp/ready; exec sleep 100000\"",
        release: UMOUNT,
        kind: HolderKind::OpenFile,
        remedy: "kill ",
    },
    Case {
        name: "device on top",
        hold: "umount $MOUNT; dmsetup create top --table \"0 8192 linear $DEVICE 0\"",
        release: "",
        kind: HolderKind::Device,
        remedy: "dmsetup remove top",
    },
    Case {
        name: "logical volume",
        hold: "umount $MOUNT; lvm pvcreate -qq -ff -y $DEVICE; lvm vgcreate -qq vg-data $DEVICE; \
               lvm lvcreate -qq -y -Zn -Wn -l 1 -n home vg-data",
        release: "",
        kind: HolderKind::Device,
        remedy: "lvchange -an vg-data/home",
    },
    Case {
        name: "encrypted volume",
        hold: "umount $MOUNT; dd if=/dev/urandom of=/tmp/key bs=32 count=1 2> /dev/null; \
               cryptsetup open -q --type plain --cipher aes-cbc-plain64 --key-size 256 --key-file /tmp/key $DEVICE secret",
        release: "",
        kind: HolderKind::Device,
        remedy: "cryptsetup close secret",
    },
    Case {
        name: "loop device",
        hold: "umount $MOUNT; losetup /dev/loop5 $DEVICE",
        release: "",
        kind: HolderKind::Device,
        remedy: "losetup -d ",
    },
    Case {
        name: "swap",
        hold: "umount $MOUNT; mkswap $DEVICE > /dev/null; swapon $DEVICE",
        release: "",
        kind: HolderKind::Device,
        remedy: "swapoff ",
    },
    Case {
        name: "namespace that a file keeps",
        hold: "touch /tmp/kept; start unshare -m sh -c ': > /tmp/ready; exec sleep 100000' > /tmp/pid; \
               mount --bind /proc/$(cat /tmp/pid)/ns/mnt /tmp/kept; kill $(cat /tmp/pid)",
        release: UMOUNT,
        kind: HolderKind::Pinned,
        remedy: "umount /tmp/kept",
    },
];

struct Device {
    container: String,
    layer: String,
}

impl Device {
    fn new(case: &str) -> Self {
        Self { container: hex64(&format!("container {case}")), layer: hex64(&format!("layer {case}")) }
    }

    fn name(&self) -> String {
        format!("docker-8:1-131-{}", self.layer)
    }

    /// Variables for scripts.
    fn variables(&self) -> String {
        format!(
            "DEVICE=/dev/mapper/{}; MOUNT=/var/lib/docker/devicemapper/mnt/{}\n{START}",
            self.name(),
            self.layer
        )
    }

    fn mount(&self, guest: &mut Guest, number: usize) {
        guest.sh(&format!(
            "{}dmsetup message docker-8:1-131-pool 0 'create_thin {number}'\n\
             dmsetup create {} --table '0 32768 thin /dev/mapper/docker-8:1-131-pool {number}'\n\
             /usr/sbin/mke2fs -q -t ext4 $DEVICE\nmkdir $MOUNT\nmount -t ext4 $DEVICE $MOUNT",
            self.variables(),
            self.name()
        ));
    }

    fn error_line(&self) -> String {
        format!(
            "time=\"2026-11-22T07:35:16.254781130Z\" level=error msg=\"Handler for DELETE /v1.29/containers/web \
             returned error: Driver devicemapper failed to remove root filesystem {}: failed to remove device {}: \
             Device is Busy\"",
            self.container, self.layer
        )
    }

    /// Whether `dmsetup remove` takes it away. The other answer is that it is busy, and no other.
    fn is_removed(&self, guest: &mut Guest) -> bool {
        let answer = guest.run(&format!("dmsetup remove {}", self.name()));
        assert!(answer.code == 0 || answer.text().contains("Device or resource busy"), "{}", answer.text());
        answer.code == 0
    }

    fn report(&self, guest: &mut Guest) -> Report {
        guest.sh(&format!("echo '{}' > /tmp/docker.log", self.error_line()));
        guest.sh("ebusy-collector --log /tmp/docker.log -o /tmp/bundle.tar.gz");
        ask_default(&guest.run("cat /tmp/bundle.tar.gz").output)
    }
}

/// A guest with device-mapper's tools and modules, before it boots.
fn parts(test: &str) -> Option<Parts> {
    let collector = need_path(test, "EBUSY_COLLECTOR")?;
    let dmsetup = need_command(test, "dmsetup")?;
    let mke2fs = need_command(test, "mke2fs")?;
    let lvm = need_command(test, "lvm")?;
    let cryptsetup = need_command(test, "cryptsetup")?;
    let parts = Parts::need(test)?;
    parts.program(&collector, "bin/ebusy-collector");
    parts.program_with_libraries(&dmsetup);
    parts.program_with_libraries(&mke2fs);
    parts.program_with_libraries(&lvm);
    parts.file("usr/sbin/lvchange", b"#!/bin/sh\nexec lvm lvchange \"$@\"\n");
    parts.program_with_libraries(&cryptsetup);
    parts.modules(&[
        "loop",
        "dm-mod",
        "dm-crypt",
        "dm-bio-prison",
        "dm-bufio",
        "libcrc32c",
        "dm-persistent-data",
        "dm-thin-pool",
    ]);
    // No udev waits for it here.
    parts.environment("DM_DISABLE_UDEV=1");
    Some(parts)
}

fn boot(test: &str) -> Option<Guest> {
    let mut guest = parts(test)?.boot("");
    guest.sh(POOL);
    Some(guest)
}

#[test]
fn what_keeps_a_thin_device_is_named_and_the_advice_frees_it() {
    const TEST: &str = "real_devicemapper::what_keeps_a_thin_device_is_named_and_the_advice_frees_it";
    let Some(mut guest) = boot(TEST) else { return };
    for (number, case) in CASES.iter().enumerate() {
        eprintln!("case: {}", case.name);
        let device = Device::new(case.name);
        device.mount(&mut guest, number);
        let pid = guest.sh(&format!("{}{}", device.variables(), case.hold));
        guest.sh(&format!("{}{}", device.variables(), case.release));
        assert!(!device.is_removed(&mut guest), "nothing holds it: this would prove nothing");

        let report = device.report(&mut guest);
        let summary = &report.verdict.summary;
        assert_eq!(report.verdict.status, Status::Held, "{summary}");
        assert_eq!(report.target.container_id.as_deref(), Some(&*device.container), "{summary}");
        let blocking: Vec<_> = report.holders.iter().filter(|h| h.effect == Effect::Blocking).collect();
        let [holder] = blocking[..] else { panic!("one holds it: {:#?}", report.holders) };
        assert_eq!(holder.kind, case.kind, "{summary}");
        let pids: Vec<u32> = pid.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        assert_eq!(holder.pids, pids, "{summary}");

        let now = || holder.remedies.iter().filter(|remedy| remedy.when == When::Now);
        let remedy = now().find(|remedy| remedy.command.contains(case.remedy));
        let remedy = remedy.unwrap_or_else(|| panic!("no {} in {:#?}", case.remedy, holder.remedies));
        guest.sh(&remedy.command);
        // A process that was told to end does so a moment later.
        wait_until(&format!("{} is removed after {}", case.name, remedy.command), || {
            device.is_removed(&mut guest).then_some(())
        });
    }
}

/// Two namespaces with copies, a file that is open after a lazy umount, and a loop device with its file inside, mounted
/// itself: each as the report tells, in its order, and the device is free after the last and not before.
#[test]
fn what_several_hold_is_free_after_the_last_advice_and_not_before() {
    const TEST: &str = "real_devicemapper::what_several_hold_is_free_after_the_last_advice_and_not_before";
    let Some(mut guest) = boot(TEST) else { return };
    let device = Device::new("several");
    device.mount(&mut guest, 0);
    guest.sh(&format!(
        "{}truncate -s 4M $MOUNT/image; /usr/sbin/mke2fs -q -t ext4 $MOUNT/image
        losetup /dev/loop5 $MOUNT/image; mkdir -p /mnt/inner; mount -t ext4 /dev/loop5 /mnt/inner
        start unshare -m sh -c 'umount /mnt/inner; : > /tmp/ready; exec sleep 100000'
        start unshare -m sh -c \"mkdir -p /srv/copy; umount /mnt/inner; mount --bind $MOUNT /srv/copy; umount $MOUNT; \
            : > /tmp/ready; exec sleep 100000\"
        start sh -c \"exec 9> $MOUNT/file; : > /tmp/ready; exec sleep 100000\"
        umount -l $MOUNT",
        device.variables()
    ));
    assert!(!device.is_removed(&mut guest), "nothing holds it: this would prove nothing");
    let report = device.report(&mut guest);
    let blocking: Vec<_> = report.holders.iter().filter(|h| h.effect == Effect::Blocking).collect();
    let mut kinds: Vec<HolderKind> = blocking.iter().map(|holder| holder.kind).collect();
    kinds.sort();
    assert_eq!(
        kinds,
        [HolderKind::Unshared, HolderKind::Unshared, HolderKind::OpenFile, HolderKind::Device],
        "{}",
        report.verdict.summary
    );
    for holder in blocking {
        assert!(!device.is_removed(&mut guest), "before {holder:#?}");
        let now = holder.remedies.iter().find(|remedy| remedy.when == When::Now).expect("there is a way out");
        guest.sh(&now.command);
    }
    wait_until("the device is removed after all advice", || device.is_removed(&mut guest).then_some(()));
}

const DOCKER: &str = "
mount -t tmpfs run /run; mount -t cgroup2 cgroup /sys/fs/cgroup; mkdir -p /var/lib/docker
truncate -s 8M /tmp/metadata; truncate -s 400M /tmp/data
losetup /dev/loop6 /tmp/metadata; losetup /dev/loop7 /tmp/data
dmsetup create pool --table '0 819200 thin-pool /dev/loop6 /dev/loop7 128 0'
mount --make-rshared /
dockerd --bridge=none --iptables=false --ip6tables=false --storage-driver=devicemapper \
    --storage-opt dm.thinpooldev=/dev/mapper/pool --storage-opt dm.basesize=64M --storage-opt dm.fs=ext4 \
    --storage-opt dm.use_deferred_removal=false --storage-opt dm.use_deferred_deletion=false \
    --storage-opt dm.override_udev_sync_check=true < /dev/null > /tmp/docker.log 2>&1 &
until docker version > /dev/null 2>&1; do kill -0 $! || { cat /tmp/docker.log; exit 1; }; usleep 100000; done
mkdir -p /tmp/image/bin; cp /bin/busybox /tmp/image/bin/; ln -s busybox /tmp/image/bin/sleep
tar -C /tmp/image -cf /tmp/image.tar .; docker import /tmp/image.tar box:1
docker run -d --net=none --name web box:1 sleep 100000";

/// What the whole project began with: dockerd's own `driver "devicemapper" failed to remove root filesystem`, said by
/// itself, and the way out up to the `docker rm` that works.
#[test]
fn dockerds_own_device_is_busy_ends_with_a_removed_container() {
    const TEST: &str = "real_devicemapper::dockerds_own_device_is_busy_ends_with_a_removed_container";
    let Some(mut parts) = parts(TEST) else { return };
    for name in ["dockerd", "containerd", "containerd-shim-runc-v2", "runc", "docker", "tune2fs", "blkid"] {
        let Some(program) = need_command(TEST, name) else { return };
        parts.program_with_libraries(&program);
    }
    let Some(mke2fs) = need_command(TEST, "mke2fs") else { return };
    parts.program(&mke2fs, "usr/sbin/mkfs.ext4");
    parts.memory(1_536);
    // It tries for forty seconds.
    parts.skip_waits();
    // Else dockerd wants a profile loaded.
    let mut guest = parts.boot("apparmor=0");
    guest.sh(DOCKER);
    // Bound elsewhere: a copy at its own place goes with the mount point, which dockerd removes.
    let pid = guest.sh(&format!(
        "{START}MOUNT=$(grep -o '/var/lib/docker/devicemapper/mnt/[0-9a-f]* ' /proc/self/mountinfo)
        mkdir -p /srv/copy; start unshare -m sh -c \"mount --bind $MOUNT /srv/copy; umount $MOUNT; : > /tmp/ready; \
            exec sleep 100000\""
    ));
    let refused = guest.run("docker rm -f web");
    assert!(refused.code != 0 && refused.text().contains("Device is Busy"), "{}", refused.text());

    guest.sh("ebusy-collector --log /tmp/docker.log -o /tmp/bundle.tar.gz");
    let report = ask_default(&guest.run("cat /tmp/bundle.tar.gz").output);
    let summary = &report.verdict.summary;
    assert_eq!(report.verdict.status, Status::Held, "{summary}");
    assert_eq!(report.target.name.as_deref(), Some("web"), "{summary}");
    let blocking: Vec<_> = report.holders.iter().filter(|h| h.effect == Effect::Blocking).collect();
    let [holder] = blocking[..] else { panic!("one holds it: {:#?}", report.holders) };
    assert_eq!(holder.pids, [pid.trim().parse::<u32>().expect("a pid")], "{summary}");
    let now = holder.remedies.iter().find(|remedy| remedy.when == When::Now).expect("there is a way out");
    guest.sh(&now.command);
    let again = report.next_steps.first().expect("there is a next step");
    assert_eq!(again.command, "docker rm -f web");
    guest.sh(&again.command);
    assert_eq!(guest.sh("docker ps -aq"), "");
}

#[test]
fn a_thin_device_that_nobody_holds_is_free() {
    const TEST: &str = "real_devicemapper::a_thin_device_that_nobody_holds_is_free";
    let Some(mut guest) = boot(TEST) else { return };
    let device = Device::new("free");
    device.mount(&mut guest, 0);
    guest.sh(&format!("{}{UMOUNT}", device.variables()));
    let report = device.report(&mut guest);
    assert_eq!(report.verdict.status, Status::Free, "{}", report.verdict.summary);
    assert!(device.is_removed(&mut guest), "the kernel sees it in the same way");
}
