//! The collector on a recorded host: files in a directory, as on a machine without the privilege, or an old kernel's.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends by panicking")]

mod support;

use support::{Bundle, Item, Scratch, collect, contains};

const TABLE: &str = "21 1 253:1 / / rw shared:1 - ext4 /dev/vda1 rw\n";
const OTHER: &str = "99 1 253:1 / / rw master:1 - ext4 /dev/vda1 rw\n";
const ID: &str = "ac05e1b8a2f14d4c9e7b6a5d4c3b2a1908f7e6d5c4b3a2918171615141312111";

/// Three processes of an old host and its docker.
fn host() -> Scratch {
    let host = Scratch::new();
    host.write("proc/version", "Linux version 3.10.0-514.el7.x86_64\n");
    host.write("proc/stat", "cpu  1 2 3\nbtime 1795332813\nprocesses 9\n");
    host.write("proc/sys/kernel/osrelease", "3.10.0-514.el7.x86_64\n");
    host.write("etc/hostname", "we b1/..\n");
    for (pid, table) in [(1, TABLE), (20, OTHER), (300, TABLE)] {
        let name = format!("proc/{pid}");
        host.write(&format!("{name}/mountinfo"), table);
        host.write(&format!("{name}/stat"), &format!("{pid} (sh) S 1 1 1 0 -1 4194304 0"));
        host.write(&format!("{name}/comm"), "sh\n");
        host.write(&format!("{name}/status"), "Name:\tsh\nUid:\t0\t0\t0\t0\n");
        host.write(&format!("{name}/cgroup"), "1:name=systemd:/system.slice/ntpd.service\n");
        host.write(&format!("{name}/cmdline"), "sh\0-c\0x --password hunter2\0");
        host.link(&format!("{name}/ns/mnt"), &format!("mnt:[{}]", 4_026_531_840_u64 + pid));
        host.link(&format!("{name}/root"), "/");
        host.link(&format!("{name}/cwd"), "/root");
        host.link(&format!("{name}/exe"), "/bin/sh");
        host.link(&format!("{name}/fd/10"), "/var/log/x (deleted)");
        host.link(&format!("{name}/fd/9"), "socket:[12]");
    }
    host
}

fn collect_host(host: &Scratch, more: &[&str]) -> Bundle {
    let root = host.dir();
    collect(&[&["--root", root.as_str()], more].concat())
}

#[test]
fn a_recorded_host_is_taken_as_it_is() {
    let host = host();
    let bundle = collect_host(&host, &[]);
    assert_eq!(bundle.order.first().map(String::as_str), Some("manifest.json"));
    assert_eq!(bundle.order.last().map(String::as_str), Some("summary.json"));
    let manifest = bundle.json("manifest.json");
    assert_eq!(manifest["format"], "ebusy.bundle/1");
    assert_eq!(manifest["host"], "web1");
    assert_eq!(manifest["kernel"], "3.10.0-514.el7.x86_64");
    assert_eq!(manifest["boot_time"], 1_795_332_813);
    assert!(manifest["pid"].is_null(), "the collector is no process of a recorded host");

    assert_eq!(bundle.items["proc/300/mountinfo"], Item::HardLink("proc/1/mountinfo".into()));
    assert_eq!(bundle.must("proc/300/mountinfo"), TABLE);
    assert_eq!(bundle.items["proc/20/mountinfo"], Item::File(OTHER.into()));
    assert_eq!(bundle.items["proc/20/ns/mnt"], Item::Symlink("mnt:[4026531860]".into()));
    assert_eq!(bundle.items["proc/20/fd/10"], Item::Symlink("/var/log/x (deleted)".into()));
    assert!(!bundle.items.contains_key("proc/20/fd/9"), "a socket leads to no file");
    assert_eq!(bundle.must("proc/stat"), "btime 1795332813\n");
    assert!(!bundle.items.contains_key("proc/1/links"), "recorded links lead to files of this machine");

    let summary = bundle.json("summary.json");
    assert_eq!((&summary["processes"], &summary["mount_tables"]), (&3.into(), &2.into()));
    assert_eq!(summary["mount_namespaces"], 3);
    let missing = summary["missing"].as_array().unwrap();
    assert!(missing.contains(&"proc/sys/fs/may_detach_mounts".into()), "{missing:?}");
}

#[test]
fn the_same_host_gives_the_same_entries() {
    let host = host();
    let entries = |bundle: Bundle| {
        let mut items = bundle.items;
        items.remove("manifest.json");
        items.remove("summary.json");
        (bundle.order, items)
    };
    assert_eq!(entries(collect_host(&host, &[])), entries(collect_host(&host, &[])));
}

#[test]
fn no_secret_of_a_command_line_is_in_the_bundle() {
    let host = host();
    host.write("proc/20/cmdline", "app\0--db=postgres://u:pa55w0rd@db/x\0--token\0tok3n-value\0");
    host.write("proc/cmdline", "root=/dev/vda1 registry_password=k3rnel-pw\n");
    let bundle = collect_host(&host, &[]);
    let all = bundle.all_bytes();
    for secret in ["hunter2", "pa55w0rd", "tok3n-value", "k3rnel-pw"] {
        assert!(!contains(&all, secret), "{secret} is in the bundle");
    }
    let mark = bundle.must("proc/1/cmdline");
    assert!(mark.contains("--password [redacted-"), "{mark}");
    assert_eq!(mark, bundle.must("proc/300/cmdline"), "equal secrets have equal marks");
}

#[test]
fn strict_redaction_leaves_no_name_and_no_address() {
    let host = host();
    host.write("etc/hosts", "10.1.2.3 we\n192.0.2.9 db7.corp.example.com db7\n");
    host.write("etc/passwd", "alice:x:1000:1000::/home/alice:/bin/sh\n");
    host.write("etc/hostname", "zephyr9\n");
    host.write("proc/sys/kernel/hostname", "zephyr9\n");
    host.write("proc/20/cmdline", "ssh\0-l\0alice\0db7.corp.example.com\0--peer=192.0.2.9\0--id\0zephyr9\0");
    host.write(
        "var/log/docker.log",
        &format!("zephyr9 dockerd[8]: {ID} Device is Busy, peer 192.0.2.9 db7\n"),
    );
    let plain = collect_host(&host, &[]).all_bytes();
    let bundle = collect_host(&host, &["--redact", "strict"]);
    let all = bundle.all_bytes();
    for name in ["zephyr9", "db7", "corp.example", "192.0.2.9"] {
        assert!(contains(&plain, name), "{name} is not there at all");
        assert!(!contains(&all, name), "{name} is left");
    }
    let command = bundle.must("proc/20/cmdline");
    assert!(!command.contains("alice"), "{command}");
    assert!(contains(&all, ID), "a container id is no name");
    // The same host has the same number in the manifest, in a command line and in a log.
    let own = bundle.json("manifest.json")["host"].as_str().unwrap().to_owned();
    assert!(own.starts_with("host-"), "{own}");
    assert!(command.ends_with(&format!("--id\0[{own}]\0")), "{command}");
    assert!(bundle.must("logs/docker.log").starts_with(&format!("[{own}] dockerd[8]: {ID} ")));
    assert_eq!(bundle.must("proc/sys/kernel/hostname"), format!("[{own}]\n"));
}

#[test]
fn strict_redaction_takes_users_out_of_paths_but_not_of_mounts() {
    let host = host();
    host.write("etc/passwd", "carol:x:1001:1001::/data/people/carol:/bin/sh\n");
    let table = format!("{TABLE}77 21 253:1 /home/bob/data /srv/data rw - ext4 /dev/vda1 rw\n");
    host.write("proc/20/mountinfo", &table);
    host.write("proc/mounts", "nas7.corp.example.com:/x /mnt nfs4 rw,addr=10.9.8.7 0 0\n");
    host.link("proc/1/mounts", "../mounts");
    host.write("proc/300/cmdline", "vi\0/home/alice/a\0--file=/home/bob/b\0/data/people/carol/c\0");
    host.link("proc/300/fd/11", "/home/alice/open (deleted)");
    host.link("proc/300/fd/12", "/home/bob/open");
    host.write("proc/300/links", "map/7f00 dev=253:1 ino=9 type=reg path=/home/alice/lib.so\n");
    host.write("home/alice/own.log", "started by /home/alice/bin/x\n");
    let (log, missing) = (host.path("home/alice/own.log"), "/home/alice/none.log");
    let bundle = collect_host(&host, &["--log", &log, "--log", missing, "--redact", "strict"]);
    assert_eq!(
        bundle.must("proc/300/cmdline"),
        "vi\0/home/[user-1]/a\0--file=/home/bob/b\0/data/people/[user-2]/c\0"
    );
    assert_eq!(bundle.items["proc/300/fd/11"], Item::Symlink("/home/[user-1]/open (deleted)".into()));
    assert_eq!(bundle.items["proc/300/fd/12"], Item::Symlink("/home/bob/open".into()));
    assert!(bundle.must("proc/300/links").ends_with("path=/home/[user-1]/lib.so\n"));
    assert_eq!(bundle.must("logs/own.log"), "started by /home/[user-1]/bin/x\n");
    assert_eq!(bundle.must("proc/20/mountinfo"), table, "what names mounts stays");
    let all = bundle.all_bytes();
    for name in ["alice", "carol", "nas7", "10.9.8.7"] {
        assert!(!contains(&all, name), "{name} is left");
    }
}

#[test]
fn missing_files_are_counted_and_cost_nothing_else() {
    let host = host();
    std::fs::remove_file(host.0.join("proc/20/mountinfo")).unwrap();
    std::fs::remove_file(host.0.join("proc/20/status")).unwrap();
    let bundle = collect_host(&host, &[]);
    assert!(!bundle.items.contains_key("proc/20/mountinfo"));
    assert_eq!(bundle.must("proc/20/comm"), "sh\n");
    let skipped = bundle.json("summary.json")["skipped"].clone();
    let of = |path: &str| skipped.as_array().unwrap().iter().find(|s| s["path"] == path).cloned();
    assert_eq!(of("proc/20/mountinfo").expect("mountinfo is counted")["error"], "ENOENT");
    assert_eq!(of("proc/20/status").expect("status is counted")["count"], 1);
}

#[test]
fn no_link_of_a_mounted_host_leads_out_of_it() {
    let host = host();
    let outside = Scratch::new();
    outside.write("outside.json", "{\"data-root\": \"/leaked\"}");
    outside.write("table", "leaked table\n");
    host.link("etc/docker/daemon.json", &outside.path("outside.json"));
    host.link("proc/1/oom", "x");
    std::fs::remove_file(host.0.join("proc/1/mountinfo")).unwrap();
    host.link("proc/1/mountinfo", &outside.path("table"));
    host.write("leaked/containers/evil/config.v2.json", "{\"ID\":\"evil\"}");
    let bundle = collect_host(&host, &[]);
    assert!(!contains(&bundle.all_bytes(), "leaked table"));
    assert_eq!(bundle.must("runtime/containers.json").trim(), "[]");
}

#[test]
fn dockers_containers_and_layers_without_their_environment() {
    let host = host();
    host.write("etc/docker/daemon.json", r#"{"data-root": "/srv/docker"}"#);
    host.write(
        &format!("srv/docker/containers/{ID}/config.v2.json"),
        &format!(
            r#"{{"ID":"{ID}","Name":"/web","Driver":"overlay2","Config":{{"Image":"nginx:1.27","Env":["S3CRET=x9x9"],
            "Labels":{{"l":"lab3l"}}}},"State":{{"Running":true,"Pid":4321,"StartedAt":"2026-11-22T07:34:40Z",
            "FinishedAt":"0001-01-01T00:00:00Z"}}}}"#
        ),
    );
    let mounts = format!("srv/docker/image/overlay2/layerdb/mounts/{ID}");
    host.write(&format!("{mounts}/mount-id"), "89f5aa");
    host.write(&format!("{mounts}/init-id"), "89f5aa-init");
    host.write("srv/docker/containers/broken/config.v2.json", "{");
    let bundle = collect_host(&host, &[]);
    let containers = bundle.json("runtime/containers.json");
    assert_eq!(
        containers[0],
        serde_json::json!({
            "runtime": "docker", "id": ID, "name": "web", "image": "nginx:1.27", "state": "running", "pid": 4321,
            "started_at": "2026-11-22T07:34:40Z", "finished_at": null, "driver": "overlay2", "layer_id": "89f5aa",
            "layer_path": "/srv/docker/overlay2/89f5aa/merged",
        })
    );
    assert_eq!(bundle.must(&format!("{mounts}/mount-id")), "89f5aa");
    assert_eq!(bundle.must(&format!("{mounts}/init-id")), "89f5aa-init");
    let all = bundle.all_bytes();
    assert!(!contains(&all, "x9x9") && !contains(&all, "lab3l"));
    assert!(bundle.must("summary.json").contains("broken/config.v2.json"));
}

#[test]
fn the_daemons_command_line_and_mounted_layers_tell_the_data_root() {
    let host = host();
    host.write("proc/20/cmdline", "/usr/bin/dockerd\0--data-root\0/by/option\0");
    host.write(
        "proc/20/mountinfo",
        "5 1 0:9 / /m rw - overlay overlay rw,lowerdir=/l,upperdir=/by/mount/overlay2/ab/diff,workdir=/w\n",
    );
    for (root, id) in [("by/option", "a1"), ("by/mount", "b2"), ("var/lib/docker", "c3")] {
        host.write(
            &format!("{root}/containers/{id}/config.v2.json"),
            &format!(r#"{{"ID":"{id}","State":{{}}}}"#),
        );
    }
    let containers = collect_host(&host, &[]).json("runtime/containers.json");
    let ids: Vec<_> = containers.as_array().unwrap().iter().map(|c| c["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["a1", "b2", "c3"]);
}

#[test]
fn podman_crio_and_containerd() {
    let host = host();
    host.write("proc/20/cmdline", "/usr/bin/conmon\0-b\0/home/u/st/overlay-containers/p2/userdata\0");
    let entry = |id: &str, metadata: &str| {
        format!(r#"[{{"id":"{id}","names":["n-{id}"],"layer":"L{id}","metadata":{metadata:?}}}]"#)
    };
    host.write(
        "var/lib/containers/storage/overlay-containers/containers.json",
        &entry("c1", r#"{"image-name":"i:1","pod-name":"pod1"}"#),
    );
    host.write(
        "var/lib/containers/storage/overlay-containers/c1/userdata/state.json",
        r#"{"pid":77,"status":"running","started":"2026-11-22T07:34:40Z","annotations":{"x":"ann0"}}"#,
    );
    host.write("home/u/st/overlay-containers/containers.json", &entry("p2", r#"{"image-name":"i:2"}"#));
    let task = "run/containerd/io.containerd.runtime.v2.task/k8s.io/d3";
    host.write(&format!("{task}/init.pid"), "300");
    host.write(
        &format!("{task}/config.json"),
        r#"{"process":{"env":["S3CRET=x9x9"]},"annotations":{"io.kubernetes.cri.container-name":"web"}}"#,
    );
    let bundle = collect_host(&host, &[]);
    let containers = bundle.json("runtime/containers.json");
    let facts: Vec<_> = containers
        .as_array()
        .unwrap()
        .iter()
        .map(|c| {
            format!("{} {} {} {} {}", c["id"], c["runtime"], c["name"], c["state"], c["layer_path"])
                .replace('"', "")
        })
        .collect();
    assert_eq!(
        facts,
        [
            "c1 crio n-c1 running /var/lib/containers/storage/overlay/Lc1/merged".to_owned(),
            format!("d3 containerd web running /{task}/rootfs"),
            "p2 podman n-p2 null /home/u/st/overlay/Lp2/merged".to_owned(),
        ]
    );
    assert!(!contains(&bundle.all_bytes(), "x9x9"));
}

#[test]
fn lxc_lxd_and_incus_as_far_as_files_tell() {
    let host = host();
    host.write("proc/20/cmdline", "[lxc monitor] /var/lib/lxc web\0");
    host.write("proc/300/cmdline", "[lxc monitor] /var/snap/lxd/common/lxd/containers db\0");
    host.write("var/lib/lxc/web/config", "lxc.rootfs.path = dir:/srv/web\nlxc.environment = K=s3cr3t-env\n");
    host.write("var/lib/lxc/idle/config", "lxc.rootfs.path = /srv/idle\n");
    let pool = "/var/snap/lxd/common/lxd/storage-pools/p/containers/db";
    host.link("var/snap/lxd/common/lxd/containers/db", pool);
    host.link("var/lib/incus/containers/mq", "/var/lib/incus/storage-pools/q/containers/mq");
    let bundle = collect_host(&host, &[]);
    let containers = bundle.json("runtime/containers.json");
    let fact = |c: &serde_json::Value| {
        format!("{} {} {} {}", c["id"], c["runtime"], c["state"], c["layer_path"]).replace('"', "")
    };
    let facts: Vec<_> = containers.as_array().unwrap().iter().map(fact).collect();
    assert_eq!(
        facts,
        [
            format!("db lxd running {pool}/rootfs"),
            "idle lxc null /srv/idle".to_owned(),
            "mq incus null /var/lib/incus/storage-pools/q/containers/mq/rootfs".to_owned(),
            "web lxc running /srv/web".to_owned(),
        ]
    );
    assert!(!contains(&bundle.all_bytes(), "s3cr3t-env"));
}

#[test]
fn logs_are_filtered_redacted_and_named() {
    let host = host();
    let line =
        "Nov 22 07:36:00 web1 dockerd[8]: level=error msg=\"Device is Busy\" url=https://u:pw9pw9@r/\n";
    host.write("var/log/syslog", &format!("Nov 22 07:35:00 web1 sshd[1]: Accepted for bob\n{line}"));
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, b"old line of containerd\n").unwrap();
    std::fs::write(host.0.join("var/log/syslog.2.gz"), gzip.finish().unwrap()).unwrap();
    let given = host.path("given.log");
    host.write("given.log", "anything at all\n");
    let bundle = collect_host(&host, &["--log", &given, "--log", "/nonexistent/x.log"]);
    assert_eq!(bundle.must("logs/given.log"), "anything at all\n");
    assert_eq!(bundle.must("logs/syslog.2.log"), "old line of containerd\n");
    let syslog = bundle.must("logs/syslog.log");
    assert!(
        syslog.contains("Device is Busy") && !syslog.contains("sshd") && !syslog.contains("pw9pw9"),
        "{syslog}"
    );
    let summary = bundle.json("summary.json");
    let log =
        summary["logs"].as_array().unwrap().iter().find(|l| l["file"] == "logs/syslog.log").unwrap().clone();
    assert_eq!((&log["source"], &log["lines"]), (&"/var/log/syslog".into(), &1.into()));
    assert!(bundle.must("summary.json").contains("/nonexistent/x.log"));
}

#[test]
fn old_logs_stay_where_they_are() {
    let host = host();
    host.write("var/log/docker.log", "from long ago\n");
    let file = std::fs::File::options().write(true).open(host.0.join("var/log/docker.log")).unwrap();
    file.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(9 * 86_400)).unwrap();
    assert!(!collect_host(&host, &[]).items.contains_key("logs/docker.log"));
    assert_eq!(collect_host(&host, &["--since", "10"]).must("logs/docker.log"), "from long ago\n");
}

#[test]
fn block_devices_and_their_stacks() {
    let host = host();
    host.write("sys/devices/dm-0/dev", "253:0\n");
    host.write("sys/devices/dm-0/dm/name", "docker-253:1-7-ac05\n");
    host.link("sys/devices/dm-0/slaves/loop0", "../../loop0");
    host.link("sys/block/dm-0", "../devices/dm-0");
    host.write("sys/block/vda/vda1/dev", "254:1\n");
    host.link("sys/block/vda/vda1/holders/dm-0", "../../../dm-0");
    let bundle = collect_host(&host, &[]);
    assert_eq!(bundle.must("sys/block/dm-0/dm/name"), "docker-253:1-7-ac05\n");
    assert_eq!(bundle.items["sys/block/dm-0/slaves/loop0"], Item::Symlink("../../loop0".into()));
    assert_eq!(bundle.must("sys/block/vda/vda1/dev"), "254:1\n");
    assert!(bundle.items.contains_key("sys/block/vda/vda1/holders/dm-0"));
}
