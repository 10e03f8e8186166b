//! A handmade report in which everything occurs, for tests: it shows views what an
//! analysis may bring, hostile text included. Not a real host.

use ebusy_analyzer::census::{
    Census, CensusGroup, KindCount, Leftover, LeftoverKind, PinnedDevice, SCHEMA as CENSUS,
};
use ebusy_analyzer::report::*;

/// Layer id of the sample's container.
pub const LAYER: &str = "89f5c1a2b3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e";
/// Full id of the sample's container.
pub const CONTAINER: &str = "ac05ff3c2d1e0b4a59687786958473625140f1e2d3c4b5a69788796a5b4c3d2e";

fn evidence(file: &str, line: u32, text: &str) -> Evidence {
    Evidence { file: file.into(), line: Some(line), text: text.into() }
}

fn process(pid: u32, comm: &str, cmdline: &str) -> ProcessView {
    ProcessView {
        pid,
        comm: comm.into(),
        cmdline: cmdline.into(),
        state: Some('S'),
        started_at: Some("2026-11-22T07:31:12Z".into()),
    }
}

fn mount(pid: u32, id: u32, prefix: &str, shared: Option<u32>, master: Option<u32>) -> MountView {
    let mount_point = format!("{prefix}/var/lib/docker/devicemapper/mnt/{LAYER}");
    let device = format!("/dev/mapper/docker-253:0-4711-{LAYER}");
    let optional = match (shared, master) {
        (Some(group), _) => format!(" shared:{group}"),
        (None, Some(group)) => format!(" master:{group}"),
        (None, None) => String::new(),
    };
    let line = format!(
        "{id} 201 253:3 / {mount_point} rw,relatime{optional} - ext4 {device} rw,stripe=16,data=ordered"
    );
    MountView {
        id,
        mount_point,
        root: "/".into(),
        device: "253:3".into(),
        fs_type: "ext4".into(),
        source: device,
        shared,
        master,
        propagate_from: None,
        unbindable: false,
        follows: None,
        matched_by: "mount point has the layer id".into(),
        evidence: evidence(&format!("proc/{pid}/mountinfo"), 37, &line),
    }
}

fn parent(id: u32, shared: Option<u32>, master: Option<u32>) -> MountView {
    let mut parent = mount(1, id, "", shared, master);
    parent.mount_point = "/".into();
    parent.device = "8:1".into();
    parent.source = "/dev/sda1".into();
    parent.matched_by = "parent of the target's mount".into();
    parent
}

fn remedy(when: When, command: &str, effect: &str, risk: &str) -> Remedy {
    Remedy { when, command: command.into(), effect: effect.into(), risk: risk.into() }
}

fn systemd_holder() -> Holder {
    let mut worker = process(4242, "httpd", "/usr/sbin/httpd -DFOREGROUND");
    worker.started_at = Some("2026-11-22T07:31:13Z".into());
    Holder {
        kind: HolderKind::SystemdUnit,
        effect: Effect::Blocking,
        effect_reason: "It has the device 253:3 mounted, and a device cannot be removed while any mount \
                        namespace has it mounted, on every kernel."
            .into(),
        mount_namespace: Some(4_026_532_201),
        pids: vec![4241, 4242, 4243],
        process: Some(process(4241, "httpd", "/usr/sbin/httpd -DFOREGROUND")),
        more_processes: vec![
            worker,
            process(4243, "<script>alert(1)</script>", "<img src=x onerror=alert(1)> --mode=\"a b\""),
        ],
        unit: Some("httpd.service".into()),
        container: None,
        mounts: vec![mount(4241, 245, "", None, None)],
        open_files: Vec::new(),
        cause: Some(Cause {
            id: "systemd-private-namespace".into(),
            summary: "httpd.service runs in a mount namespace of its own (PrivateTmp=yes). It was started \
                      while the container ran, so it got a copy of the container's mount."
                .into(),
        }),
        more_causes: Vec::new(),
        evidence: vec![
            evidence("proc/4241/cgroup", 1, "0::/system.slice/httpd.service"),
            Evidence { file: "proc/4241/ns/mnt".into(), line: None, text: "mnt:[4026532201]".into() },
            evidence("systemd/httpd.service.show", 12, "PrivateTmp=yes"),
        ],
        remedies: vec![
            remedy(
                When::Now,
                "systemctl restart httpd.service",
                "Starts the service with a fresh mount namespace, which has no copy of the mount.",
                "The service is down for the time of a restart.",
            ),
            remedy(
                When::Now,
                &format!("nsenter -t 4241 -m -- umount /var/lib/docker/devicemapper/mnt/{LAYER}"),
                "Unmounts the copy inside the service's namespace; the service keeps running.",
                "None known, as long as the container is really gone.",
            ),
            remedy(
                When::Lasting,
                "mkdir -p /etc/systemd/system/httpd.service.d\ncat > /etc/systemd/system/httpd.service.d/ebusy.conf <<'EOF'\n[Service]\nMountFlags=slave\nEOF\nsystemctl daemon-reload",
                "Umounts on the host then reach the service's namespace.",
                "Takes effect with the service's next start.",
            ),
        ],
    }
}

fn agent_holder() -> Holder {
    Holder {
        kind: HolderKind::Container,
        effect: Effect::Blocking,
        effect_reason: "It has the device 253:3 mounted.".into(),
        mount_namespace: Some(4_026_532_377),
        pids: vec![5100],
        process: Some(process(5100, "cadvisor", "/usr/bin/cadvisor -logtostderr")),
        more_processes: Vec::new(),
        unit: None,
        container: Some(ContainerRef {
            id: "77aa01f2e3d4c5b6a798877665544332211000ffeeddccbbaa99887766554433".into(),
            name: Some("cadvisor".into()),
            image: Some("google/cadvisor:v0.27".into()),
        }),
        mounts: vec![mount(5100, 612, "/rootfs", None, None)],
        open_files: vec![OpenFile {
            pid: 5100,
            reference: "fd/9".into(),
            path: "/rootfs/var/log/app.log".into(),
            evidence: evidence("proc/5100/links", 4, "fd/9 dev=253:3 ino=23 mnt=612 type=reg"),
        }],
        cause: Some(Cause {
            id: "bind-of-root-without-slave".into(),
            summary: "The container cadvisor binds / to /rootfs without rslave: it copied every mount that \
                      was there when it started, and no later umount reaches it."
                .into(),
        }),
        more_causes: Vec::new(),
        evidence: vec![evidence("proc/5100/cgroup", 2, "4:memory:/docker/77aa01f2e3d4")],
        remedies: vec![
            remedy(
                When::Now,
                "docker restart cadvisor",
                "Ends the copy together with the container's namespace.",
                "Monitoring has a gap of a few seconds.",
            ),
            remedy(
                When::Lasting,
                "docker run … --volume /:/rootfs:ro,rslave …",
                "Umounts on the host then reach the container.",
                "The container must be made anew.",
            ),
        ],
    }
}

fn unrelated_holder() -> Holder {
    Holder {
        kind: HolderKind::OpenFile,
        effect: Effect::Unrelated,
        effect_reason: "Its open file is on another file system of the same name.".into(),
        mount_namespace: Some(4_026_531_841),
        pids: vec![900],
        process: Some(process(900, "tail", "tail -F /var/lib/docker/containers/x.log")),
        more_processes: Vec::new(),
        unit: None,
        container: None,
        mounts: Vec::new(),
        open_files: vec![OpenFile {
            pid: 900,
            reference: "fd/3".into(),
            path: "/var/lib/docker/containers/x.log".into(),
            evidence: evidence("proc/900/links", 2, "fd/3 dev=8:1 ino=99 mnt=28 type=reg"),
        }],
        cause: None,
        more_causes: Vec::new(),
        evidence: Vec::new(),
        remedies: Vec::new(),
    }
}

fn namespaces(holders: &[Holder]) -> Vec<NamespaceView> {
    let host = NamespaceView {
        role: NamespaceRole::Host,
        inode: Some(4_026_531_841),
        label: "host".into(),
        process_count: 118,
        processes: vec![process(1, "systemd", "/sbin/init"), process(640, "sshd", "sshd: listener")],
        mounts: Vec::new(),
        parent_mount: Some(parent(21, Some(1), None)),
        effect: None,
        propagation: "Mounts and umounts here reach all that share peer group 1.".into(),
    };
    let daemon = NamespaceView {
        role: NamespaceRole::Daemon,
        inode: Some(4_026_532_180),
        label: "dockerd".into(),
        process_count: 2,
        processes: vec![process(801, "dockerd", "dockerd"), process(823, "containerd", "containerd")],
        mounts: Vec::new(),
        parent_mount: Some(parent(150, None, Some(1))),
        effect: None,
        propagation: "It receives what happens in the host's peer group 1, and sends nothing back.".into(),
    };
    let mut lanes = vec![host, daemon];
    lanes.extend(holders.iter().filter(|holder| !holder.mounts.is_empty()).map(|holder| NamespaceView {
        role: NamespaceRole::Holder,
        inode: holder.mount_namespace,
        label: holder.unit.clone().unwrap_or_else(|| "container cadvisor".into()),
        process_count: u32::try_from(holder.pids.len()).unwrap_or(u32::MAX),
        processes: holder.process.iter().chain(&holder.more_processes).cloned().collect(),
        mounts: holder.mounts.clone(),
        parent_mount: Some(parent(201, None, None)),
        effect: Some(holder.effect),
        propagation: "Its mounts are private: the umount in the daemon's namespace did not reach it.".into(),
    }));
    lanes
}

/// A busy error of the sample's log.
pub fn error() -> BusyError {
    BusyError {
        container_id: Some(CONTAINER.into()),
        other_ids: vec![LAYER.into()],
        path: Some(format!("/var/lib/docker/devicemapper/mnt/{LAYER}")),
        device: None,
        driver: Some("devicemapper".into()),
        runtime: Some("docker".into()),
        line: format!(
            "Nov 22 07:36:00 web1 dockerd[801]: time=\"2026-11-22T07:36:00.118Z\" level=error msg=\"Handler \
             for DELETE /v1.29/containers/web returned error: Driver devicemapper failed to remove root \
             filesystem {CONTAINER}: Device is Busy\""
        ),
        count: 5,
        first: Some("2026-11-22T07:36:00Z".into()),
        last: Some("2026-11-22T07:41:10Z".into()),
        name: Some("web".into()),
        busy: BusyKind::Device,
        evidence: Some(evidence("logs/journal.log", 1187, "")),
        wordings: Vec::new(),
    }
}

fn bundle() -> BundleInfo {
    BundleInfo {
        format: "ebusy.bundle/1".into(),
        collector: Some("0.1.0".into()),
        complete: true,
        privileged: Some(true),
        processes: 131,
        mount_namespaces: 9,
        mount_tables: 12,
        log_lines: 1200,
    }
}

fn host() -> Host {
    Host {
        name: Some("web1".into()),
        kernel: Some("3.10.0-514.el7.x86_64".into()),
        collected_at: Some("2026-11-22T07:45:02Z".into()),
        runtime: Some("docker 17.05.0-ce".into()),
        drops_foreign_mounts: Some(false),
        boot_id: None,
    }
}

/// A held target with two blocking holders and one that has nothing to do with it.
pub fn report() -> Report {
    let holders = vec![systemd_holder(), agent_holder(), unrelated_holder()];
    let alias = |value: &str, kind, file: &str, text: &str| Alias {
        value: value.into(),
        kind,
        evidence: vec![Evidence { file: file.into(), line: None, text: text.into() }],
    };
    Report {
        schema: SCHEMA.into(),
        host: host(),
        bundle: bundle(),
        target: Target {
            query: CONTAINER.into(),
            found: true,
            container_id: Some(CONTAINER.into()),
            name: Some("web".into()),
            driver: Some("devicemapper".into()),
            state: Some("dead".into()),
            busy: BusyKind::Device,
            aliases: vec![
                alias(CONTAINER, AliasKind::ContainerId, "runtime/containers.json", "web"),
                alias(
                    LAYER,
                    AliasKind::LayerId,
                    "image/devicemapper/layerdb/mounts/ac05ff3c2d1e/mount-id",
                    LAYER,
                ),
                alias("253:3", AliasKind::DeviceNumber, "sys/block/dm-3/dev", "253:3"),
            ],
            candidates: Vec::new(),
        },
        verdict: Verdict {
            status: Status::Held,
            summary: "httpd.service and the container cadvisor still have the root file system of container \
                      web mounted, each in a mount namespace of its own."
                .into(),
        },
        namespaces: namespaces(&holders),
        holders,
        errors: vec![error()],
        propagation: vec![
            "docker unmounted the file system in its own namespace; the umount went along peer group 1."
                .into(),
            "httpd.service and cadvisor hold private copies, which no umount elsewhere reaches.".into(),
        ],
        timeline: timeline(),
        looked_at: vec![
            "Looked through 12 mount tables of 9 mount namespaces for 7 names of the target.".into(),
            "Looked at 1,904 links of 131 processes for open files on device 253:3.".into(),
        ],
        next_steps: vec![remedy(
            When::Now,
            "docker rm -f web",
            "Tries the removal again once the holders are gone.",
            "None.",
        )],
        warnings: vec![Diagnostic {
            code: "vanished-process".into(),
            file: Some("proc/990/mountinfo".into()),
            line: None,
            message: "The process ended while it was being read.".into(),
            advice: "Nothing to do: other processes of its namespace were read.".into(),
        }],
    }
}

/// The overview that goes with [`report`].
pub fn overview() -> Overview {
    let mut shm = error();
    shm.name = None;
    shm.container_id = Some("5d1e9c7b3a5f".into());
    shm.driver = Some("shm".into());
    shm.line =
        "Nov 21 22:10:04 web1 dockerd[801]: error unmounting /var/lib/docker/containers/5d1e9c7b3a5f/shm: \
                device or resource busy"
            .into();
    (shm.count, shm.first, shm.last) =
        (1, Some("2026-11-21T22:10:04Z".into()), Some("2026-11-21T22:10:04Z".into()));
    let container = |id: &str, name: &str, image: &str, state: &str| ContainerSummary {
        id: id.into(),
        name: Some(name.into()),
        image: Some(image.into()),
        state: Some(state.into()),
        driver: Some("devicemapper".into()),
    };
    Overview {
        host: host(),
        bundle: bundle(),
        errors: vec![error(), shm],
        containers: vec![
            container("77aa01f2e3d4c5b6a798", "cadvisor", "google/cadvisor:v0.27", "running"),
            container(CONTAINER, "web", "nginx:1.27", "dead"),
            container("10be2f9d8c7b6a594837", "web-2", "nginx:1.27", "running"),
        ],
        warnings: Vec::new(),
    }
}

fn timeline() -> Vec<TimelineEvent> {
    let event = |at: Option<&str>, kind, what: &str, evidence: Evidence| TimelineEvent {
        at: at.map(Into::into),
        written: at.is_none().then(|| "Nov 22 07:35:58".into()),
        kind,
        what: what.into(),
        evidence: vec![evidence],
    };
    let show = evidence("systemd/httpd.service.show", 3, "ActiveEnterTimestamp=Sun 2026-11-22 07:31:12 UTC");
    let log = evidence("logs/journal.json", 88, "level=error msg=\"<b>Device is Busy</b>\"");
    vec![
        event(Some("2026-11-22T07:31:12Z"), TimelineKind::UnitActive, "httpd.service became active.", show),
        event(Some("2026-11-22T07:36:00Z"), TimelineKind::FirstError, "The first busy error.", log.clone()),
        event(None, TimelineKind::Unmounted, "systemd saw <i>a umount</i>.", log),
    ]
}

/// A census in which one unit keeps a device.
pub fn census() -> Census {
    let holder = systemd_holder();
    let leftover = Leftover {
        kind: LeftoverKind::ThinDevice,
        object: LAYER.into(),
        mount_namespace: holder.mount_namespace,
        container: None,
        container_state: Some("gone".into()),
        why: "The runtime no longer knows <b>its</b> container.".into(),
        effect: Effect::Blocking,
        effect_reason: holder.effect_reason.clone(),
        device: Some(PinnedDevice { number: "253:3".into(), name: None, size_bytes: Some(10 << 30) }),
        mount: holder.mounts.first().cloned(),
        open_files: Vec::new(),
        evidence: Vec::new(),
    };
    Census {
        schema: CENSUS.into(),
        host: host(),
        bundle: bundle(),
        booted_at: None,
        summary: "1 thing of a container lives on where it does not belong.".into(),
        total: 1,
        blocking: 1,
        pinned_bytes: Some(10 << 30),
        total_groups: 1,
        groups: vec![CensusGroup {
            label: "httpd.service".into(),
            kind: holder.kind,
            unit: holder.unit,
            container: None,
            mount_namespaces: holder.mount_namespace.into_iter().collect(),
            pids: holder.pids,
            process: holder.process,
            total: 1,
            blocking: 1,
            kinds: vec![KindCount { kind: LeftoverKind::ThinDevice, count: 1, blocking: 1 }],
            pinned_bytes: Some(10 << 30),
            leftovers: vec![leftover],
        }],
        looked_at: vec!["42 mounts in 3 tables of 3 mount namespaces.".into()],
        warnings: Vec::new(),
    }
}

/// A held target with `count` holders of one kind, as on a large host.
pub fn report_with(count: u32) -> Report {
    let mut report = report();
    let lane = report.namespaces.pop().into_iter().next();
    let template = systemd_holder();
    report.holders = (0..count)
        .map(|index| {
            let mut holder = template.clone();
            holder.mount_namespace = Some(4_026_533_000 + u64::from(index));
            holder.unit = Some(format!("app-{index}.service"));
            holder
        })
        .collect();
    report.namespaces.truncate(2);
    report.namespaces.extend((0..count).filter_map(|index| {
        let mut lane = lane.clone()?;
        lane.label = format!("app-{index}.service");
        lane.inode = Some(4_026_533_000 + u64::from(index));
        Some(lane)
    }));
    report
}
