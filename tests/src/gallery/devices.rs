//! Open files, processes and what is stacked on devices.

use super::{Example, MODERN, asked, device_is_busy, example, left_open, on_device, on_overlay};
use crate::synth::{Block, Container, Fs, Host, Propagation};

pub(super) fn examples() -> Vec<Example> {
    vec![
        example("open-files", opened("tail", "fd/3", "/rootfs/var/log/app.log")),
        asked("container-running", on_device(MODERN).0, "web"),
        asked("uninterruptible-process", survivor(Some('D'), "sleep", "dead"), "web"),
        asked("container-survivor", survivor(None, "sleep", "dead"), "web"),
        asked("runc-init-stuck", survivor(None, "runc:[2:INIT]", "created"), "web"),
        example("shim-survivor", shim()),
        example("security-agent", opened("falcon-sensor", "fd/9", "/rootfs/bin/busybox")),
        example("device-scanner", with_node("pvscan")),
        example("nfs-silly-rename", opened("tail", "fd/3", "/rootfs/.nfs00000001")),
        asked("hung-server", hung(), "/mnt/nas/data"),
        example("swap-on-device", swap()),
        example("loop-file-inside", with_loop()),
        example("device-stack", stack()),
        example("virtual-machine", with_node("qemu-system-x86")),
        example("overlay-upper-in-use", overlay()),
        cgroup(),
    ]
}

fn opened(comm: &str, name: &str, path: &str) -> Host {
    let (mut host, web) = on_device(MODERN);
    let pid = host.spawn_as(1, host.ns, comm, &[comm], &format!("/system.slice/{comm}.service"));
    host.set_link(pid, left_open(name, path, web.device));
    device_is_busy(host, &web)
}

fn with_node(comm: &str) -> Host {
    let (mut host, web) = on_device(MODERN);
    let pid = host.spawn_as(1, host.ns, comm, &[comm], &format!("/system.slice/{comm}.service"));
    host.open_device(pid, "fd/9", "/dev/dm-3", web.device);
    device_is_busy(host, &web)
}

fn survivor(state: Option<char>, comm: &str, of: &str) -> Host {
    let (mut host, web) = on_device(MODERN);
    let left = host.exec(&web, &["sleep", "1000"]);
    let process = host.process(left);
    process.comm = comm.into();
    process.state = state.unwrap_or(process.state);
    host.kill(web.pid);
    host.set_state(&web, of);
    host
}

fn shim() -> Host {
    let (mut host, web) = on_device(MODERN);
    let args = ["docker-containerd-shim", web.id.as_str(), "/var/run/docker/libcontainerd/x"];
    let shim = host.spawn_as(1, host.ns, "docker-containe", &args, "/system.slice/docker.service");
    host.set_link(shim, left_open("fd/9", "/rootfs/log", web.device));
    device_is_busy(host, &web)
}

fn hung() -> Host {
    let mut host = Host::new("web1", MODERN);
    let fs = Fs::new((0, 90), "nfs4", "nas:/export", "rw,vers=4.2");
    host.mounts.mount(host.ns, "/mnt/nas/data", &fs);
    let pid = host.spawn("rsync", &["rsync"]);
    host.link(pid, "fd/4", "/mnt/nas/data/x", "reg");
    host.process(pid).state = 'D';
    host.log_line("umount", 900, "umount: /mnt/nas/data: target is busy.");
    host
}

fn swap() -> Host {
    let (mut host, web) = on_device(MODERN);
    // Something keeps the device active, or it would be gone with the container.
    let dd = host.spawn("dd", &["dd"]);
    host.open_device(dd, "fd/3", "/dev/dm-3", web.device);
    let name = web.device_name.clone().unwrap_or_default();
    let swaps = format!("Filename Type Size Used Priority\n/dev/mapper/{name} partition 1 0 -2\n");
    host.files.insert("proc/swaps".into(), swaps.into_bytes());
    device_is_busy(host, &web)
}

fn with_loop() -> Host {
    let (mut host, web) = on_device(MODERN);
    host.block_device("loop5", Block::on_file((7, 5), "/rootfs/tmp/disk", web.device));
    device_is_busy(host, &web)
}

fn stack() -> Host {
    let (mut host, web) = on_device(MODERN);
    let lower = kernel_name(&host, &web);
    host.block_device("dm-77", Block::device_mapper((253, 77), "vg0-snap", "LVM-x"));
    host.stack(&lower, "dm-77");
    device_is_busy(host, &web)
}

fn kernel_name(host: &Host, web: &Container) -> String {
    let block = host.blocks.iter().find(|(_, block)| block.device == web.device);
    block.map(|(name, _)| name.clone()).expect("a container's device is listed")
}

fn overlay() -> Host {
    let (mut host, web) = on_overlay("4.14.0", "17.12.0-ce");
    let ns = host.mounts.copy_with(host.ns, Propagation::Private);
    host.spawn_in(ns, "runc:[2:INIT]", &["runc", "init"]);
    host.stop(&web);
    host.docker_log(&format!(
        "level=error msg=\"Handler for POST /v1.35/containers/{}/start returned error: error creating overlay mount to \
         {}: device or resource busy\"",
        web.id, web.rootfs
    ));
    host
}

fn cgroup() -> Example {
    let (mut host, web) = on_overlay(MODERN, "20.10.24");
    let path = format!("/sys/fs/cgroup/system.slice/docker-{}.scope", web.id);
    let message = format!(
        "time=\"2026-01-01T00:00:00Z\" level=error msg=\"Failed to remove cgroup\" error=\"rmdir {path}: device or resource busy\""
    );
    host.log_line("kubelet", 900, &message);
    asked("cgroup-members", host, &path)
}
