//! The host that the page's "try the demo" button opens.
//!
//! `web1` runs docker 17.05 on devicemapper under CentOS 7's first kernels. The container `shop-frontend` cannot
//! be removed: `httpd.service` (PrivateTmp) was restarted and cadvisor (with `/` bound at `/rootfs`) was started
//! while it ran, and both still have its device mounted. Another container, `nightly-report`, left a `/dev/shm` that a
//! log shipper with `/var/lib/docker/containers` bound still has: a directory, which this kernel cannot remove either.

use crate::synth::{Container, Host, Run, Sandbox};

/// The demo bundle. The same bytes every time.
pub fn bundle() -> Vec<u8> {
    host().bundle()
}

/// The demo host, for tests that want to know what is true of it.
pub fn host() -> Host {
    let mut host = booted();
    host.wait(21);
    host.docker_devicemapper("17.05.0-ce");
    host.wait(40);
    host.run(&Run::new("redis-cache", "redis:3.2").args(&["redis-server", "*:6379"]));
    let shop = Run::new("shop-frontend", "acme/shop-frontend:2.14").args(&["nginx", "-g", "daemon off;"]);
    let shop = host.run(&shop);
    host.exec(&shop, &["nginx: worker process"]);
    host.wait(7_300);
    host.service("httpd.service", &["/usr/sbin/httpd", "-DFOREGROUND"], 8, Sandbox::PrivateTmp);
    host.wait(610);
    let agent = Run::new("cadvisor", "google/cadvisor:v0.25.0")
        .args(&["/usr/bin/cadvisor", "-logtostderr"])
        .volume("/", "/rootfs")
        .volume("/sys", "/sys");
    host.run(&agent);
    host.wait(45);
    let batch = Run::new("nightly-report", "acme/report:41").args(&["/usr/local/bin/report", "--nightly"]);
    let batch = host.run(&batch);
    host.wait(20);
    let shipper = Run::new("log-shipper", "fluent/fluentd:v0.14")
        .args(&["ruby", "/usr/bin/fluentd", "-c", "/fluentd/etc/fluent.conf"])
        .volume("/var/lib/docker/containers", "/var/lib/docker/containers");
    host.run(&shipper);
    host.wait(1_800);
    fail_to_remove_shm(&mut host, &batch);
    host.wait(3_333);
    host.stop(&shop);
    for _ in 0..3 {
        fail_to_remove_device(&mut host, &shop);
        host.wait(64);
    }
    host.set_state(&shop, "dead");
    host.kernel_threads(&["kworker/u4:2", "kworker/0:1", "kworker/1:2"]);
    host.spawn("sshd", &["sshd: root@pts/0"]);
    host.spawn("bash", &["-bash"]);
    host
}

/// The host with its usual services, before docker.
fn booted() -> Host {
    let mut host = Host::new("web1", "3.10.0-514.el7.x86_64");
    host.kernel_threads(&[
        "ksoftirqd/0",
        "kworker/0:0H",
        "migration/0",
        "rcu_bh",
        "rcu_sched",
        "watchdog/0",
        "watchdog/1",
        "migration/1",
        "ksoftirqd/1",
        "kworker/1:0H",
        "khelper",
        "kdevtmpfs",
        "netns",
        "khungtaskd",
        "writeback",
        "kintegrityd",
        "bioset",
        "kblockd",
        "md",
        "kswapd0",
        "ksmd",
        "khugepaged",
        "fsnotify_mark",
        "crypto",
        "kthrotld",
        "kmpath_rdacd",
        "kpsmoused",
        "ipv6_addrconf",
        "deferwq",
        "kauditd",
        "ata_sff",
        "scsi_eh_0",
        "scsi_tmf_0",
        "scsi_eh_1",
        "scsi_tmf_1",
        "kdmflush",
        "bioset",
        "xfsalloc",
        "xfs_mru_cache",
        "xfs-buf/dm-0",
        "xfs-data/dm-0",
        "xfs-conv/dm-0",
        "xfs-cil/dm-0",
        "xfsaild/dm-0",
        "kworker/0:1H",
        "kworker/1:1H",
    ]);
    host.wait(2);
    host.service("systemd-journald.service", &["/usr/lib/systemd/systemd-journald"], 1, Sandbox::None);
    host.service("lvm2-lvmetad.service", &["/usr/sbin/lvmetad", "-f"], 1, Sandbox::None);
    host.service("systemd-udevd.service", &["/usr/lib/systemd/systemd-udevd"], 1, Sandbox::MountFlagsSlave);
    host.wait(4);
    host.skip_to_pid(612);
    for (unit, args) in [
        ("auditd.service", &["/sbin/auditd", "-n"][..]),
        ("dbus.service", &["/bin/dbus-daemon", "--system", "--address=systemd:", "--nofork", "--nopidfile"]),
        ("irqbalance.service", &["/usr/sbin/irqbalance", "--foreground"]),
        ("polkit.service", &["/usr/lib/polkit-1/polkitd", "--no-debug"]),
        ("systemd-logind.service", &["/usr/lib/systemd/systemd-logind"]),
        ("gssproxy.service", &["/usr/sbin/gssproxy", "-D"]),
        ("crond.service", &["/usr/sbin/crond", "-n"]),
        ("NetworkManager.service", &["/usr/sbin/NetworkManager", "--no-daemon"]),
        ("getty@tty1.service", &["/sbin/agetty", "--noclear", "tty1", "linux"]),
        ("sshd.service", &["/usr/sbin/sshd", "-D"]),
        ("tuned.service", &["/usr/bin/python", "-Es", "/usr/sbin/tuned", "-l", "-P"]),
        ("rsyslog.service", &["/usr/sbin/rsyslogd", "-n"]),
    ] {
        host.service(unit, args, 1, Sandbox::None);
    }
    host.service("postfix.service", &["/usr/libexec/postfix/master", "-w"], 3, Sandbox::None);
    host
}

/// What docker writes when it cannot unmount and remove the thin device.
pub(crate) fn fail_to_remove_device(host: &mut Host, container: &Container) {
    let Container { id, layer, name, .. } = container;
    for text in [
        format!("level=error msg=\"devmapper: Error unmounting device {layer}: Device is Busy\""),
        format!("level=error msg=\"Error unmounting container {id}: Device is Busy\""),
    ] {
        host.docker_log(&text);
    }
    host.wait(21);
    let failed = format!("failed to remove device {layer}: Device is Busy");
    let text = format!("level=error msg=\"Error removing mounted layer {id}: {failed}\"");
    host.docker_log(&text);
    let text = format!(
        "level=error msg=\"Handler for DELETE /v1.29/containers/{name} returned error: \
         Driver devicemapper failed to remove root filesystem {id}: {failed}\""
    );
    host.docker_log(&text);
}

/// The second error: a directory that is still a mount point in another namespace.
fn fail_to_remove_shm(host: &mut Host, container: &Container) {
    host.stop(container);
    host.release_layer(container);
    let Container { id, name, .. } = container;
    let text = format!(
        "level=error msg=\"Handler for DELETE /v1.29/containers/{name} returned error: unable to remove filesystem \
         for {id}: remove /var/lib/docker/containers/{id}/shm: device or resource busy\""
    );
    host.docker_log(&text);
    host.set_state(container, "dead");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The namespaces, by label of their first process, whose table has a mount of the device.
    fn with_device(host: &Host, device: (u32, u32)) -> Vec<String> {
        let mut labels: Vec<String> = host
            .processes
            .values()
            .filter(|p| host.mounts.table(p.ns).any(|m| m.fs.device == device))
            .map(|p| p.comm.clone())
            .collect();
        labels.dedup();
        labels
    }

    #[test]
    fn httpd_and_cadvisor_alone_keep_the_device() {
        let host = host();
        let containers = &host.docker.as_ref().expect("docker runs").containers;
        let shop = containers.iter().find(|c| c.name == "shop-frontend").expect("it was run");
        assert_eq!(with_device(&host, shop.device), ["httpd", "cadvisor"]);
        let cadvisor = host.processes.values().find(|p| p.comm == "cadvisor").expect("it runs");
        let place = format!("/rootfs/var/lib/docker/devicemapper/mnt/{}", shop.layer);
        assert!(host.mounts.at(cadvisor.ns, &place).is_some());
    }

    #[test]
    fn the_log_shipper_alone_keeps_the_other_containers_shm() {
        let host = host();
        let containers = &host.docker.as_ref().expect("docker runs").containers;
        let batch = containers.iter().find(|c| c.name == "nightly-report").expect("it was run");
        let place = format!("containers/{}/shm", batch.id);
        let holders: Vec<&str> = host
            .processes
            .values()
            .filter(|p| host.mounts.table(p.ns).any(|m| m.mount_point.ends_with(&place)))
            .map(|p| p.comm.as_str())
            .collect();
        assert_eq!(holders, ["ruby"]);
        assert_eq!(with_device(&host, batch.device), [""; 0]);
    }

    #[test]
    fn is_the_same_every_time_and_small() {
        let bundle = bundle();
        assert_eq!(bundle, super::bundle());
        assert!(bundle.len() < 40_000, "{} bytes are inlined in the page", bundle.len());
        assert!(host().processes.len() >= 85, "{} processes", host().processes.len());
    }
}
