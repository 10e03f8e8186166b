//! The whole way from log to errors, on lines of our own: one for every wording, negative and wrapping.

use super::*;
use crate::errors::BusyKind;

const CT: &str = "0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9";
const LAYER: &str = "f9e8d7c6b5a4039281706f5e4d3c2b1a0f9e8d7c6b5a4039281706f5e4d3c2b1";
const POD: &str = "8f0c1ad2-11e6-4c4b-a953-dc01e182ac76";

/// `CT`, `LAYER` and `POD` in a line stand for the ids above.
fn fill(line: &str) -> String {
    line.replace("LAYER", LAYER).replace("POD", POD).replace("CT", CT)
}

fn one(line: &str) -> BusyError {
    let mut found = scan(fill(line).as_bytes());
    assert_eq!(found.len(), 1, "{line}: {found:?}");
    found.remove(0)
}

/// Container, path, device, driver and kind of the one error of a line.
#[track_caller]
fn says(line: &str, container: &str, path: &str, device: &str, driver: &str, busy: BusyKind) {
    let e = one(line);
    let text = |v: &Option<String>| v.clone().unwrap_or_default();
    let found = (text(&e.container_id), text(&e.path), text(&e.device), text(&e.driver), e.busy);
    assert_eq!(found, (fill(container), fill(path), fill(device), driver.to_owned(), busy), "{line}");
}

#[test]
fn every_wording_is_found() {
    for wording in wording::WORDINGS {
        let found = scan(wording.sample.as_bytes());
        let word_only = wording.sample.contains("layer busy");
        assert!(word_only || found.len() == 1, "{}: {found:?}", wording.sample);
        let lower = wording.sample.to_ascii_lowercase();
        assert!(wording::word(&lower, wording.phrase).is_some(), "{}", wording.sample);
    }
}

#[test]
fn docker_of_every_age() {
    use BusyKind::{Dataset, Device, Directory, OverlayMount};
    let dm = "devicemapper";
    says("Driver devicemapper failed to remove root filesystem CT: Device is Busy", "CT", "", "", dm, Device);
    says(
        "driver \"devicemapper\" failed to remove root filesystem for CT: failed to remove device LAYER:Device is Busy",
        "CT",
        "",
        "LAYER",
        dm,
        Device,
    );
    says(
        "error waiting for device CT to close: Timeout while waiting for device CT to close",
        "CT",
        "",
        "CT",
        dm,
        Device,
    );
    says(
        "Driver overlay2 failed to remove root filesystem CT: remove /data/overlay2/LAYER/merged: device or resource busy",
        "CT",
        "/data/overlay2/LAYER/merged",
        "",
        "overlay2",
        Directory,
    );
    says(
        "Driver aufs failed to remove root filesystem CT: rename /d/aufs/mnt/CT /d/aufs/mnt/CT-removing: device or resource busy",
        "CT",
        "/d/aufs/mnt/CT",
        "",
        "aufs",
        Directory,
    );
    says(
        "Driver btrfs failed to remove root filesystem CT: Failed to destroy btrfs snapshot /d/btrfs/subvolumes for CT: device or resource busy",
        "CT",
        "/d/btrfs/subvolumes",
        "",
        "btrfs",
        Dataset,
    );
    says(
        "Driver zfs failed to remove root filesystem CT: exit status 1: \"/sbin/zfs zfs destroy -r tank/LAYER\" => cannot destroy 'tank/LAYER': dataset is busy",
        "CT",
        "",
        "tank/LAYER",
        "zfs",
        Dataset,
    );
    says(
        "Unable to remove filesystem for CT: remove /d/containers/CT/shm: device or resource busy",
        "CT",
        "/d/containers/CT/shm",
        "",
        "shm",
        Directory,
    );
    says(
        "Unable to remove filesystem for CT: remove /d/containers/CT/secrets: device or resource busy",
        "CT",
        "/d/containers/CT/secrets",
        "",
        "secrets-tmpfs",
        Directory,
    );
    says(
        "Handler for POST /v1.30/containers/CT/start returned error: error creating overlay mount to /d/overlay2/LAYER/merged: device or resource busy",
        "CT",
        "/d/overlay2/LAYER/merged",
        "",
        "overlay2",
        OverlayMount,
    );
    says(
        "error removing plugin dir: remove /d/plugins/CT-removing/rootfs: device or resource busy",
        "",
        "/d/plugins/CT-removing/rootfs",
        "",
        "plugin",
        Directory,
    );
    let e = one("level=error msg=\"CT cleanup: failed to unmount secrets: device or resource busy\"");
    assert_eq!((e.container_id.as_deref(), e.driver.as_deref()), (Some(CT), Some("secrets-tmpfs")));
    let e = one(
        "Cannot destroy container 0a1b2c3d4e5f: Driver devicemapper failed to remove root filesystem CT: Device is Busy",
    );
    assert_eq!((e.container_id.as_deref(), e.other_ids), (Some(CT), vec!["0a1b2c3d4e5f".to_owned()]));
    assert_eq!(one("Cannot start container web: device or resource busy").name.as_deref(), Some("web"));
}

#[test]
fn podman_containerd_kubelet_and_crio() {
    use BusyKind::{Cgroup, Directory, NamespaceFile, Umount};
    says(
        "Error: error removing container CT root filesystem: 1 error occurred:\n\t* unlinkat /c/storage/overlay/LAYER/merged: device or resource busy",
        "CT",
        "/c/storage/overlay/LAYER/merged",
        "",
        "overlay",
        Directory,
    );
    says(
        "removing storage for container \"0a1b2c3d4e5f\": removing mount point \"/c/overlay/LAYER/merged\": device or resource busy",
        "0a1b2c3d4e5f",
        "/c/overlay/LAYER/merged",
        "",
        "overlay",
        Directory,
    );
    says(
        "failed rootfs umount: failed to unmount target /run/containerd/io.containerd.runtime.v2.task/k8s.io/CT/rootfs: device or resource busy: unknown",
        "CT",
        "/run/containerd/io.containerd.runtime.v2.task/k8s.io/CT/rootfs",
        "",
        "overlayfs",
        Umount,
    );
    says(
        "rmdir /sys/fs/cgroup/net_cls,net_prio/kubepods/podPOD/CT: device or resource busy",
        "CT",
        "/sys/fs/cgroup/net_cls,net_prio/kubepods/podPOD/CT",
        "",
        "cgroup",
        Cgroup,
    );
    says(
        "rmdir /sys/fs/cgroup/a.slice/crio-CT.scope: device or resource busy",
        "CT",
        "/sys/fs/cgroup/a.slice/crio-CT.scope",
        "",
        "cgroup",
        Cgroup,
    );
    says(
        "failed to remove ns path /run/netns/n1: remove /run/netns/n1: device or resource busy",
        "",
        "/run/netns/n1",
        "",
        "netns",
        NamespaceFile,
    );
    let e = one(
        "UnmountVolume.TearDown failed for volume \"a\" pod \"POD\" (UID: \"POD\") with: rename /k/pods/POD/volumes/kubernetes.io~secret/a /k/pods/POD/volumes/kubernetes.io~secret/wrapped_a.deleting~1: device or resource busy",
    );
    assert_eq!((e.other_ids, e.driver.as_deref()), (vec![POD.to_owned()], Some("secret-tmpfs")));
    assert_eq!(
        one(
            "error removing pod CT conmon cgroup: remove /sys/fs/cgroup/p/CT/conmon: device or resource busy"
        )
        .container_id,
        None
    );
}

#[test]
fn tools() {
    use BusyKind::{Cgroup, Dataset, Device, Directory, OverlayMount, Umount};
    says("umount: /my dir: target is busy.", "", "/my dir", "", "", Umount);
    says("umount: /dev/sdb1: target is busy", "", "", "/dev/sdb1", "", Umount);
    says("rm: cannot remove ‘/srv/a’: Device or resource busy", "", "/srv/a", "", "", Directory);
    says("OSError: [Errno 16] Device or resource busy: '/srv/a'", "", "/srv/a", "", "", Directory);
    says("cannot unmount '/tank/web': pool or dataset is busy", "", "/tank/web", "", "zfs", Dataset);
    says("rbd: unmap failed: (16) Device or resource busy", "", "", "", "rbd", Device);
    says("losetup: /dev/loop3: detach failed: Device or resource busy", "", "", "/dev/loop3", "loop", Device);
    says("Logical volume vg0/web contains a filesystem in use.", "", "", "vg0/web", "lvm", Device);
    says(
        "device-mapper: remove ioctl on vg0-web (253:4) failed: Device or resource busy",
        "",
        "",
        "vg0-web",
        "devicemapper",
        Device,
    );
    says(
        "mdadm: Cannot get exclusive access to /dev/md0:Perhaps a running process, mounted filesystem or active volume group?",
        "",
        "",
        "/dev/md0",
        "md",
        Device,
    );
    says("mdadm: failed to stop array /dev/md0: Device or resource busy", "", "", "/dev/md0", "md", Device);
    says(
        "lxc-start: Device or resource busy - failed to remove cgroup '/sys/fs/cgroup/cpu/lxc/web'",
        "",
        "/sys/fs/cgroup/cpu/lxc/web",
        "",
        "cgroup",
        Cgroup,
    );
    says(
        "overlayfs: upperdir is in-use by another mount, mount with '-o index=off'",
        "",
        "",
        "",
        "overlay",
        OverlayMount,
    );
    says(
        "Delete subvolume (no-commit): '/srv/btrfs/a'\nERROR: Could not destroy subvolume/snapshot: Device or resource busy",
        "",
        "/srv/btrfs/a",
        "",
        "btrfs",
        Dataset,
    );
}

#[test]
fn the_object_is_in_the_command_or_in_a_line_beside() {
    use BusyKind::{Device, Directory, Umount};
    let rbd = "rbd: sysfs write failed\nrbd: unmap failed: (16) Device or resource busy";
    says(&format!("[root@n1 ~]# rbd unmap rbd/web\n{rbd}"), "", "", "rbd/web", "rbd", Device);
    says(&format!("$ sudo rbd unmap /dev/rbd3\n{rbd}"), "", "", "/dev/rbd3", "rbd", Device);
    says(rbd, "", "", "", "rbd", Device);
    let path = "/var/lib/kubelet/pods/POD/volumes/kubernetes.io~csi/pvc-1/mount";
    let e = one(&format!(
        "UnmountVolume.TearDown failed for volume \"v\" pod \"POD\" (UID: \"POD\") : unmount failed: exit status 32\n\
         Unmounting arguments: {path}\nOutput: umount: {path}: target is busy."
    ));
    assert_eq!((e.path, e.other_ids), (Some(fill(path)), vec![POD.to_owned()]));
    says(
        "umount2: Device or resource busy\numount: /srv/old: device is busy",
        "",
        "/srv/old",
        "",
        "",
        Umount,
    );
    says("OSError: [Errno 16] Device or resource busy:\n'at/mounted'", "", "at/mounted", "", "", Directory);
    says(
        "shutil.rmtree(d) OSError: [Errno 16] Device or resource busy: 'work_dir'",
        "",
        "work_dir",
        "",
        "",
        Directory,
    );
}

#[test]
fn stacked_and_exported_devices() {
    use BusyKind::{Dataset, Device};
    says("Nov 21 06:32:34 n1 multipathd[98]: mpatha: map in use", "", "", "mpatha", "multipath", Device);
    says("Can't deactivate volume group \"vg0\" with 2 open logical volume(s)", "", "", "vg0", "lvm", Device);
    says(
        "Could not remove LV \"my--docker--1\": Logical volume vg0/my--docker--1 contains a filesystem in use.",
        "",
        "",
        "vg0/my--docker--1",
        "lvm",
        Device,
    );
    assert_eq!(
        one("State change failed: (-12) Device is held open by someone").driver.as_deref(),
        Some("drbd")
    );
    says(
        "mdadm: ADD_NEW_DISK for /dev/sdq failed: Device or resource busy",
        "",
        "",
        "/dev/sdq",
        "md",
        Device,
    );
    says(
        "device-mapper: remove ioctl on loop3p1 failed: Device or resource busy",
        "",
        "",
        "loop3p1",
        "devicemapper",
        Device,
    );
    let e = one("losetup: disk.img: failed to set up loop device: Device or resource busy");
    assert_eq!((e.path.as_deref(), e.device), (Some("disk.img"), None));
    says("cannot mount 'tank/web': mountpoint or dataset is busy", "", "", "tank/web", "zfs", Dataset);
    let e = one(
        "rbd: unmap for spec (pool/csi-vol-1) failed (exit status 16): (rbd: sysfs write failed\nrbd: unmap failed: (16) Device or resource busy\n))",
    );
    assert_eq!(e.device.as_deref(), Some("pool/csi-vol-1"));
    let e = one(
        "rbd: failed to unmap device /dev/rbd7, error exit status 16, rbd output: rbd: unmap failed: (16) Device or resource busy",
    );
    assert_eq!(e.device.as_deref(), Some("/dev/rbd7"));
    assert_eq!(one("mount.nfs: /mnt/share is busy or already mounted").path.as_deref(), Some("/mnt/share"));
}

#[test]
fn where_a_logger_was_called_from_is_no_busy_path() {
    let e = one(
        "level=error msg=\"failed to remove device\" file=\"/src/devmapper/snapshotter.go:31\" error=\"failed to deactivate device \\\"pool-snap-1\\\": device or resource busy\"",
    );
    assert_eq!(
        (e.path, e.device.as_deref(), e.driver.as_deref()),
        (None, Some("pool-snap-1"), Some("devicemapper"))
    );
    assert_eq!(scan(b"Jun 23 11:49:21 n5 rexray[75]: level=error msg=\"device or resource busy\"").len(), 1);
}

#[test]
fn other_problems_are_left_out() {
    for line in [
        "perror: Device or resource busy",
        "cp: cannot create regular file '/usr/bin/x': Text file busy",
        "could not open port /dev/ttyUSB0: [Errno 16] Device or resource busy: '/dev/ttyUSB0'",
        "{\"error\":{\"message\":\"Device or resource busy\"},\"port_name\":\"/dev/ttyACM0\"}",
        "SQLITE_BUSY: database is locked",
        "mv: cannot move '/etc/resolv.conf.new' to '/etc/resolv.conf': Resource busy",
        "OSError: [Errno 16] Device or resource busy: '/app/a.tmp' -> '/app/a'",
        "sed: cannot rename /etc/sedAbC: Device or resource busy",
        "sed: couldn't flush stdout: Device or resource busy",
        "docker run --rm busybox rm -rf /srv/a",
        "unable to remove filesystem for CT: unlinkat /d/containers/CT: directory not empty",
        "The container name \"/web\" is already in use by container CT. You have to remove that container.",
        "remove web: volume is in use - [CT]",
        "RTNETLINK answers: Device or resource busy",
        "rmmod: ERROR: Module overlay is in use",
        "write /sys/class/gpio/export: device or resource busy",
        "EBUSY: resource busy or locked, unlink 'C:\\Program Files\\a.dat'",
        "the server is busy, container web waits",
        "level=info msg=\"starting signal loop\" path=/srv/ebusy-1/exec/io.containerd.runtime.v2.task/moby/0a1b2c3d4e5f6071",
        "umount /var/lib/docker/busy/web: not mounted",
        "unmounted /srv/pool-busy.img",
        "AL lib: Could not open playback device 'plughw:CARD=A,DEV=0': Device or resource busy",
        "[error] /dev/video0: Device or resource busy",
        "hciconfig hci0 up: Can't init device hci0: Device or resource busy (16)",
        "sys_perf_event_open() syscall returned with 16 (Device or resource busy) for event (cycles).",
        "Error response from daemon: network n1 has active endpoints, network is in use",
        "OSError: [Errno 16] Opening input line handle: Device or resource busy",
    ] {
        assert_eq!(scan(fill(line).as_bytes()), [], "{line}");
    }
}

#[test]
fn a_message_says_the_same_in_every_wrapping() {
    let message = "Driver \"overlay2\" failed to remove root filesystem for CT: unlinkat /d/overlay2/LAYER/merged: device or resource busy";
    let quoted = message.replace('"', "\\\"");
    let deep = quoted.replace('\\', "\\\\").replace("\"", "\\\"");
    let plain = one(message);
    for wrapped in [
        format!("> {message}"),
        format!("- {message}\r\n"),
        format!("/var/log/docker.log:17:{message}"),
        format!("\x1b[31mERRO\x1b[0m[0002] {message}"),
        format!("2023-09-26T17:49:02.6708666Z   {message}"),
        format!("2023-09-26T17:49:02Z stderr F {message}"),
        format!(
            "Jul 14 15:22:06 db1 dockerd[12]: time=\"2017-07-14T15:22:06Z\" level=error msg=\"{quoted}\""
        ),
        format!("<30>1 2024-05-06T07:08:09Z db1 dockerd 33 - - {message}"),
        format!(
            "{{\"MESSAGE\":\"{quoted}\",\"__REALTIME_TIMESTAMP\":\"1500000000000000\",\"_CMDLINE\":\"/usr/bin/dockerd -g /d\"}}"
        ),
        format!("{{\"log\":\"{quoted}\\n\",\"stream\":\"stderr\",\"time\":\"2024-01-01T00:00:00Z\"}}"),
        format!("__REALTIME_TIMESTAMP=1500000000000000\nMESSAGE={message}\n_PID=1\n"),
        format!("failed: [10.0.0.1] => {{\"changed\": false, \"msg\": \"{deep}"),
        message.replace(": ", ":\n"),
        message.replace('"', "“"),
        format!("E0916 08:27:42.356361    2588 kubelet_volumes.go:154] {message}"),
    ] {
        let e = one(&wrapped);
        let facts = |e: &BusyError| {
            (e.container_id.clone(), e.other_ids.clone(), e.path.clone(), e.driver.clone(), e.busy)
        };
        assert_eq!(facts(&e), facts(&plain), "{wrapped}");
    }
}

#[test]
fn repeats_are_counted_with_first_and_last() {
    let log = "2024-01-02T00:00:00Z h dockerd[1]: remove /d/overlay2/x/merged: device or resource busy\n\
               2024-01-01T12:00:00+02:00 h dockerd[1]: remove /d/overlay2/x/merged: device or resource busy\n\
               umount: /srv/a: target is busy.\n\
               2024-01-03T00:00:00Z h dockerd[1]: remove /d/overlay2/y/merged: device or resource busy\n\
               umount: /srv/b: target is busy.\n";
    let errors = scan(log.as_bytes());
    let paths: Vec<_> = errors.iter().filter_map(|e| e.path.as_deref()).collect();
    assert_eq!(paths, ["/d/overlay2/y/merged", "/d/overlay2/x/merged", "/srv/b", "/srv/a"]);
    let e = &errors[1];
    assert_eq!(
        (e.count, e.first.as_deref(), e.last.as_deref()),
        (2, Some("2024-01-01T10:00:00Z"), Some("2024-01-02T00:00:00Z"))
    );
    assert_eq!(e.evidence.as_ref().and_then(|e| e.line), Some(1));
}

#[test]
fn a_time_that_comes_later_in_the_reading_is_taken_over() {
    let text = "Driver devicemapper failed to remove root filesystem CT: failed to remove device LAYER: Device is Busy";
    let mut scanner = LogScanner::new();
    scanner.push_file("docker.txt", fill(&format!("Error response from daemon: {text}\n")).as_bytes());
    let dated = format!(
        "time=\"2026-01-02T03:04:05Z\" level=error msg=\"Handler for DELETE returned error: {text}\"\n"
    );
    scanner.push_file("docker.log", fill(&dated).as_bytes());
    let found = scanner.finish();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (found[0].first.as_deref(), found[0].last.as_deref()),
        (Some("2026-01-02T03:04:05Z"), Some("2026-01-02T03:04:05Z"))
    );
}

#[test]
fn the_same_journal_as_text_and_json_counts_once() {
    let payload = "time=\"2017-07-14T02:40:00.5Z\" level=error msg=\"remove /d/overlay2/x/merged: device or resource busy\"";
    let text = format!("2017-07-14T04:40:00+0200 h dockerd[1]: {payload}\n").repeat(2);
    let json = format!(
        "{{\"__REALTIME_TIMESTAMP\":\"1500000000600000\",\"SYSLOG_IDENTIFIER\":\"dockerd\",\"MESSAGE\":\"{}\"}}\n",
        payload.replace('"', "\\\"")
    );
    let mut scanner = LogScanner::new();
    scanner.push_file("logs/text.log", text.as_bytes());
    scanner.push_file("logs/journal.json", json.as_bytes());
    assert_eq!(scanner.lines_read(), 3);
    let errors = scanner.finish();
    assert_eq!((errors.len(), errors[0].count), (1, 2));
    assert_eq!(errors[0].evidence.as_ref().map(|e| e.file.as_str()), Some("logs/text.log"));
}

#[test]
fn a_jobs_failure_belongs_to_its_error() {
    let job = "[8ad069f7] -job rm(0a1b2c3d4e5f) = ERR (1)\n";
    assert_eq!(one(job).container_id.as_deref(), Some("0a1b2c3d4e5f"));
    let e = one(&format!("Driver devicemapper failed to remove root filesystem CT: Device is Busy\n{job}"));
    assert_eq!((e.container_id.as_deref(), e.count), (Some(CT), 1));
}

#[test]
fn an_id_is_the_containers_where_another_line_says_so() {
    let layer =
        "Error removing mounted layer CT: remove /d/devicemapper/mnt/LAYER: device or resource busy\n";
    assert_eq!(one(layer).container_id, None);
    let log = fill(&format!("{layer}level=debug msg=\"GetMountID id: CT -> mountID: LAYER\"\n"));
    let mut scanner = LogScanner::new();
    scanner.push_file("docker.log", log.as_bytes());
    assert!(
        scanner
            .links()
            .iter()
            .any(|l| l.container_id == CT && l.layer_id.as_deref() == Some(LAYER) && l.certain)
    );
    let errors = scanner.finish();
    assert_eq!(
        (errors[0].container_id.as_deref(), &errors[0].other_ids),
        (Some(CT), &vec![LAYER.to_owned()])
    );
}

/// Cut, doubled, shuffled and damaged lines: nothing may panic, whatever the bytes.
#[test]
fn no_bytes_are_too_strange() {
    let mut seeds: Vec<Vec<u8>> = wording::WORDINGS.iter().map(|w| w.sample.as_bytes().to_vec()).collect();
    seeds.extend(clauses::CLAUSES.iter().map(|c| fill(&format!("{} EBUSY", c.sample)).into_bytes()));
    seeds.push("{\"MESSAGE\":[226,128,152,255],\"x\":\"‘é’ busy\"}".into());
    seeds
        .push("time=“2017 mv: cannot move ‘/var/lib/docker’ to ‘/é’: Device or resource busy\u{202e}".into());
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move |n: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap_or(0) % n.max(1)
    };
    let noise: [&[u8]; 10] =
        ["’".as_bytes(), b"\xff", b"\\", b"\"", b"\x1b[", b"\n", b"{\"", b"\\u00", b": ", b"\0"];
    let mut found = 0;
    for _ in 0..4000 {
        let mut line = seeds[random(seeds.len())].clone();
        for _ in 0..random(4) {
            let at = random(line.len());
            match random(3) {
                0 => line.truncate(at),
                1 => drop(line.splice(at..at, noise[random(noise.len())].iter().copied())),
                _ => line.extend(seeds[random(seeds.len())].clone()),
            }
        }
        found += scan(&line).len();
    }
    assert!(found > 1000, "{found}");
}
