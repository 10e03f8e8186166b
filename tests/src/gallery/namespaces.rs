//! Copies of a mount in other mount namespaces, with and without processes.

use super::{Example, MODERN, OLD, asked, device_is_busy, directory_is_busy, example, on_device, on_overlay};
use crate::synth::{Block, Fs, Host, Propagation, Run, Sandbox};

pub(super) fn examples() -> Vec<Example> {
    vec![
        example(
            "systemd-private-namespace",
            unit("httpd.service", "/usr/sbin/httpd", OLD, Sandbox::PrivateTmp),
        ),
        example("host-bind-without-rslave", agent_with_root()),
        example("unshared-copy", with_process("unshare", &["bash"], Propagation::Private, OLD)),
        example("entered-container-namespace", entered()),
        example("daemon-namespaces-differ", shim_apart()),
        example("daemon-shares-host-namespace", shared_daemon()),
        example("old-kernel", shared_daemon()),
        example(
            "udevd-namespace",
            unit("systemd-udevd.service", "/lib/systemd/systemd-udevd", MODERN, Sandbox::MountFlagsSlave),
        ),
        example("shm-copied", shm()),
        example("storage-root-private", with_process("agent", &["agent"], Propagation::Slave, MODERN)),
        example("lxd-namespace", with_process("lxcfs", &["lxcfs"], Propagation::Private, OLD)),
        asked("volume-in-foreign-namespace", volume(true), "/dev/rbd1"),
        asked("orphaned-pod-volume", volume(false), "/dev/rbd1"),
        example("pinned-namespace", pinned()),
        asked("namespace-file-pinned", netns(false), "/run/netns/blue"),
        asked("namespace-file-copied", netns(true), "/run/netns/blue"),
    ]
}

fn unit(name: &str, program: &str, kernel: &str, sandbox: Sandbox) -> Host {
    let (mut host, web) = on_device(kernel);
    host.service(name, &[program], 2, sandbox);
    device_is_busy(host, &web)
}

fn agent_with_root() -> Host {
    let (mut host, web) = on_device(OLD);
    host.run(&Run::new("cadvisor", "google/cadvisor:v0.25.0").volume("/", "/rootfs"));
    device_is_busy(host, &web)
}

fn with_process(comm: &str, args: &[&str], propagation: Propagation, kernel: &str) -> Host {
    let (mut host, web) = on_device(kernel);
    let ns = host.mounts.copy_with(host.ns, propagation);
    host.spawn_in(ns, comm, args);
    device_is_busy(host, &web)
}

fn entered() -> Host {
    let (mut host, web) = on_device(MODERN);
    host.spawn_in(web.ns, "gdb", &["gdb"]);
    device_is_busy(host, &web)
}

fn shim_apart() -> Host {
    let (mut host, web) = on_device(OLD);
    let apart = host.mounts.copy_with(host.ns, Propagation::Private);
    let unit = "/system.slice/docker.service";
    host.spawn_as(1, apart, "docker-containe", &["docker-containerd-shim"], unit);
    device_is_busy(host, &web)
}

fn shared_daemon() -> Host {
    let (mut host, web) = on_overlay(OLD, "17.05.0-ce");
    let copy = host.mounts.copy_with(host.ns, Propagation::Private);
    host.spawn_in(copy, "agent", &["agent"]);
    host.stop(&web);
    directory_is_busy(&mut host, &web);
    host
}

fn shm() -> Host {
    let (mut host, web) = on_device(OLD);
    host.service("ntpd.service", &["/usr/sbin/ntpd"], 1, Sandbox::PrivateTmp);
    host.run(&Run::new("shipper", "fluentd").volume("/var/lib/docker/containers", "/logs"));
    host.stop(&web);
    let id = &web.id;
    host.docker_log(&format!(
        "level=error msg=\"Handler for DELETE /v1.29/containers/{id} returned error: unable to remove filesystem for \
         {id}: remove /var/lib/docker/containers/{id}/shm: device or resource busy\""
    ));
    host
}

/// A volume of a pod that only an agent still has, or only the kubelet's own mount of a pod that is gone.
fn volume(in_agent: bool) -> Host {
    let pod = "0a1b2c3d-1111-2222-3333-444455556666";
    let point = format!("/var/lib/kubelet/pods/{pod}/volumes/kubernetes.io~csi/pvc-1/mount");
    let mut host = Host::new("node1", "5.15.0-91-generic");
    host.docker_overlay2("20.10.24");
    host.block_device("rbd1", Block { device: (252, 16), ..Block::default() });
    host.mounts.mount(host.ns, &point, &Fs::new((252, 16), "ext4", "/dev/rbd1", "rw"));
    let agent = host.run(&Run::new("agent", "monitor").volume("/", "/rootfs"));
    if in_agent {
        host.mounts.umount(host.ns, &point);
    } else {
        host.mounts.umount(agent.ns, &format!("/rootfs{point}"));
    }
    host.log_line("kubelet", 900, "rbd: sysfs write failed: rbd: unmap failed: (16) Device or resource busy");
    host
}

fn pinned() -> Host {
    let (mut host, web) = on_device(MODERN);
    let pinned = host.mounts.copy_with(host.ns, Propagation::Private);
    host.keep(pinned, "bind 1 /run/keep/ns");
    device_is_busy(host, &web)
}

fn netns(copied: bool) -> Host {
    let mut host = Host::new("web1", OLD);
    host.docker_overlay2("18.09.1");
    let net = host.new_inode();
    let tmpfs = host.tmpfs("tmpfs", "rw");
    host.mounts.mount(host.ns, "/run/netns", &tmpfs);
    let nsfs = Fs::new((0, 4), "nsfs", "nsfs", "rw");
    host.mounts.mount_root(host.ns, "/run/netns/blue", &nsfs, &format!("net:[{net}]"));
    host.log_line("cni", 900, "Cannot remove namespace file \"/run/netns/blue\": Device or resource busy");
    if copied {
        host.run(&Run::new("agent", "monitor").volume("/run", "/host/run"));
        host.mounts.umount(host.ns, "/run/netns/blue");
    }
    host
}
