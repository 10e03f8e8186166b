//! Inputs to begin with, all from the project's own synthetic hosts.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ebusy_analyzer::report::link::{About, Shared, ViewLink, report_fragment};
use ebusy_analyzer::report::saved::{Saved, SavedBundle};
use ebusy_analyzer::{Analysis, Query};
use ebusy_tests::synth::{Content, Driver, Entry, Host, Run, Sandbox, gzip, tar};
use std::ops::ControlFlow;

/// A small host with something of every kind: a service's copy, open files, a pinned namespace, devices, a log.
pub fn host() -> Host {
    let mut host = Host::new("seed", "3.10.0-514.el7.x86_64");
    let ns = host.ns;
    host.docker_in(Driver::DeviceMapper, "17.05.0-ce", ns);
    let web = host.run(&Run::new("web", "nginx:1.13"));
    host.run(&Run::new("agent", "cadvisor").volume("/", "/rootfs"));
    host.service("httpd.service", &["/usr/sbin/httpd"], 1, Sandbox::PrivateTmp);
    let kept = host.mounts.copy_of(ns);
    host.keep(kept, "bind 1 /run/ns/old");
    let tail = host.spawn("tail", &["tail", "-f"]);
    host.link(tail, "fd/3", &format!("{}/log", web.rootfs), "reg");
    host.stop(&web);
    host.docker_log(&format!(
        "level=error msg=\"Error removing mounted layer {}: failed to remove device {}: Device is Busy\"",
        web.id, web.layer
    ));
    // Only what the target is about: virtual file systems make a seed long and say nothing.
    for table in [ns, kept] {
        for path in ["/sys", "/dev/shm", "/dev/pts", "/dev/mqueue", "/dev/hugepages"] {
            host.mounts.umount(table, path);
        }
    }
    host
}

/// Contents of the host's files whose path ends so.
pub fn files(suffix: &str) -> Vec<Vec<u8>> {
    let entries = host().entries().into_iter().filter(|entry| entry.path.ends_with(suffix));
    entries
        .filter_map(|entry| match entry.content {
            Content::File(data) => Some(data),
            _ => None,
        })
        .collect()
}

/// Each line of these files.
pub fn lines(suffix: &str) -> Vec<Vec<u8>> {
    let mut lines: Vec<Vec<u8>> = files(suffix)
        .iter()
        .flat_map(|file| file.split(|&b| b == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>())
        .filter(|line| !line.is_empty())
        .collect();
    lines.sort();
    lines.dedup();
    lines
}

/// Mounts as mount(8), findmnt(8), fstab(5) and mountinfo show them.
pub fn listed_mounts() -> Vec<Vec<u8>> {
    let others = [
        "/dev/mapper/a on /var/lib/x y type xfs (rw,relatime)",
        "│ ├─/tank      tank/a[/sub]   zfs  rw,xattr",
        "/dev/sda1 /mnt\\040a ext4 rw,noatime 0 2",
    ];
    let others = others.iter().map(|line| line.as_bytes().to_vec());
    others.chain(lines("/mountinfo")).collect()
}

/// Between two members of [`members`].
pub const NEXT: &[u8] = b"\n@@ ";

/// The host as one text that [`super::targets`] takes apart into members again: no compression and no checksum
/// stand between a changed byte and the parser that it is meant for.
pub fn members() -> Vec<u8> {
    let mut text = Vec::new();
    for Entry { path, content } in host().entries() {
        text.extend_from_slice(NEXT);
        let (mark, data) = match &content {
            Content::File(data) => ("", data.as_slice()),
            Content::Link(target) => (">", target.as_bytes()),
            Content::Same(of) => ("=", of.as_bytes()),
        };
        text.extend_from_slice(format!("{mark}{path}\n").as_bytes());
        text.extend_from_slice(data);
    }
    text
}

/// One process, packed by the usual tools in the ways for which the project has no writer.
const PACKED: [&[u8]; 5] = [
    include_bytes!("../seeds/host.tar.xz"),
    include_bytes!("../seeds/host.tar.zst"),
    include_bytes!("../seeds/host.tar.bz2"),
    include_bytes!("../seeds/host.zip"),
    include_bytes!("../seeds/sparse.tar.gz"),
];

/// The host in each kind of archive.
pub fn archives() -> Vec<Vec<u8>> {
    let host = host();
    let plain = tar(&host.top(), host.time(), &host.entries());
    let nested = tar("outer", 0, &[Entry::file("a.tar.gz", gzip(&plain))]);
    let mut archives = vec![gzip(&plain), host.plain_tar(), gzip(&nested)];
    archives.extend(PACKED.iter().map(|packed| packed.to_vec()));
    archives
}

/// Texts as people paste them.
pub fn pastes() -> Vec<Vec<u8>> {
    let table = lines("/mountinfo").join(&b'\n');
    let grep: Vec<Vec<u8>> =
        lines("/mountinfo").iter().map(|line| [b"/proc/812/mountinfo:", &line[..]].concat()).collect();
    let mut pastes = vec![table, grep.join(&b'\n'), files("journal.log").concat()];
    pastes.extend(LISTINGS.iter().map(|text| text.as_bytes().to_vec()));
    pastes
}

/// Output of tools.
pub const LISTINGS: [&str; 6] = [
    "Name              Maj Min Stat Open Targ Event  UUID\nvg0-root          253   0 L--w    1    1      0 LVM-x\n\
     docker-253:0-1-ab 253   3 L--w    1    1      0 \n",
    "NAME       SIZELIMIT OFFSET AUTOCLEAR RO BACK-FILE DIO LOG-SEC\n/dev/loop0         0      0         0  0 /srv/a.img   0     512\n",
    "CONTAINER ID   IMAGE     COMMAND   CREATED       STATUS                   PORTS   NAMES\n\
     0123456789ab   nginx     \"nginx\"   2 hours ago   Exited (0) 1 hour ago            web\n",
    "COMMAND   PID USER   FD   TYPE DEVICE SIZE/OFF NODE NAME\ntail    812 root  cwd    DIR  253,3     4096   64 /var/lib/x\n",
    "USER       PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND\nroot         1  0.0  0.1 125500  3900 ?        Ss   09:00   0:01 /usr/lib/systemd/systemd\n",
    "umount: /mnt/data: target is busy.\nrm: cannot remove '/var/lib/docker/overlay2/0123456789ab/merged': Device or resource busy\n",
];

/// What runtimes tell of their containers.
pub fn runtime_states() -> Vec<Vec<u8>> {
    let mut seeds = files("containers.json");
    seeds.push(
        br#"[{"Id":"0123456789abcdef","Name":"/web","State":{"Status":"exited","Pid":0},"GraphDriver":{"Name":"overlay2","Data":{"UpperDir":"/var/lib/docker/overlay2/ab/diff"}}}]"#
            .to_vec(),
    );
    seeds
}

/// The host's report, as it stands in a link.
pub fn shared() -> Shared {
    let archive = archives().swap_remove(0);
    let analysis =
        Analysis::open(&archive[..], &mut |_| ControlFlow::Continue(())).expect("a good bundle opens");
    Shared { report: analysis.explain(&Query::Default), left_out: Vec::new(), replaced: Vec::new() }
}

/// Links of a report, whole and cut, and of a view.
pub fn links() -> Vec<Vec<u8>> {
    let view = ViewLink {
        sha256: "0123456789abcdef".repeat(4),
        name: "ebusy-seed.tar.gz".into(),
        size: 4096,
        about: About::Text("web".into()),
        ..ViewLink::default()
    };
    let shared = shared();
    let texts = [report_fragment(&shared, usize::MAX).0, report_fragment(&shared, 600).0, view.fragment()];
    texts.into_iter().map(String::into_bytes).collect()
}

/// What is below the base64 of links, each behind the byte that says what it is.
pub fn link_payloads() -> Vec<Vec<u8>> {
    let payload = |link: &[u8]| {
        let text = String::from_utf8_lossy(link).into_owned();
        let packed = text.split_once('.').and_then(|(_, text)| URL_SAFE_NO_PAD.decode(text).ok());
        [&[u8::from(text.starts_with("#v"))], &packed.unwrap_or_default()[..]].concat()
    };
    links().iter().map(|link| payload(link)).collect()
}

/// Base64 as links have it.
pub fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A deflate stream (RFC 1951) that only stores.
pub fn stored(bytes: &[u8]) -> Vec<u8> {
    let mut stream = Vec::new();
    let blocks: Vec<&[u8]> = bytes.chunks(0xffff).collect();
    for (index, block) in blocks.iter().enumerate() {
        let length = block.len() as u16;
        stream.push(u8::from(index + 1 == blocks.len()));
        stream.extend_from_slice(&length.to_le_bytes());
        stream.extend_from_slice(&(!length).to_le_bytes());
        stream.extend_from_slice(block);
    }
    stream
}

/// The data of a saved page.
pub fn saved() -> Vec<Vec<u8>> {
    let bundle = SavedBundle { name: "a.tar.gz".into(), host: 0, about: About::Default };
    let saved = Saved { shared: shared(), bundle: Some(bundle) };
    vec![serde_json::to_vec(&saved).expect("a saved page's data is JSON")]
}
