//! Whatever the customer sent: every archive and every paste leads to the same holder.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

mod support;

use ebusy_analyzer::Query;
use ebusy_analyzer::report::{Report, Status};
use ebusy_tests::synth::{Content, Entry, Host, Run, Sandbox, gzip, hex64, tar};
use std::fmt::Write as _;
use std::io::Write as _;
use support::{ask, blocking_pids, open, with_effect};

/// A service with a private copy of the mounts keeps the device of a removed container.
struct Case {
    host: Host,
    container: String,
    layer: String,
    pids: Vec<u32>,
}

fn case(name: &str) -> Case {
    let mut host = Host::new(name, "3.10.0-514.el7.x86_64");
    host.docker_devicemapper("1.13.1");
    let web = host.run(&Run::new("web", "nginx:1.27"));
    let service = host.service("httpd.service", &["/usr/sbin/httpd", "-DFOREGROUND"], 3, Sandbox::PrivateTmp);
    host.stop(&web);
    host.log_line(
        "dockerd",
        900,
        &format!("Driver devicemapper failed to remove root filesystem {}: Device is Busy", web.id),
    );
    let mut pids = service.pids.clone();
    pids.sort_unstable();
    Case { container: web.id.clone(), layer: web.layer.clone(), pids, host }
}

/// Files in a zip, stored, as `zip -0` writes it.
fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut zip, mut directory) = (Vec::new(), Vec::new());
    for (name, data) in files {
        let offset = u32::try_from(zip.len()).expect("a small zip");
        let size = u32::try_from(data.len()).expect("a small file").to_le_bytes();
        let length = u16::try_from(name.len()).expect("a short name").to_le_bytes();
        let common =
            [&[20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0][..], &size, &size, &length, &[0, 0]].concat();
        for part in [b"PK\x03\x04", &common[..], name.as_bytes(), data] {
            zip.extend_from_slice(part);
        }
        for part in [&b"PK\x01\x02\x14\x03"[..], &common, &[0; 10], &offset.to_le_bytes(), name.as_bytes()] {
            directory.extend_from_slice(part);
        }
    }
    let count = u16::try_from(files.len()).expect("few files").to_le_bytes();
    let at = u32::try_from(zip.len()).expect("a small zip").to_le_bytes();
    let length = u32::try_from(directory.len()).expect("a small zip").to_le_bytes();
    [&zip[..], &directory, b"PK\x05\x06\0\0\0\0", &count, &count, &length, &at, &[0, 0]].concat()
}

fn bzip2(data: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(data).expect("writing to memory");
    encoder.finish().expect("writing to memory")
}

fn zstd(data: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(data, ruzstd::encoding::CompressionLevel::Fastest)
}

fn assert_held(report: &Report, pids: &[u32], what: &str) {
    assert_eq!(report.verdict.status, Status::Held, "{what}: {}", report.verdict.summary);
    assert_eq!(blocking_pids(report), pids, "{what}");
}

#[test]
fn every_packing_of_one_host_gives_the_same_holder() {
    let case = case("web1");
    let plain = tar("capture", 0, &case.host.entries());
    let bundle = case.host.bundle();
    let long = [zstd(&plain[..plain.len() / 2]), zstd(&plain[plain.len() / 2..])].concat();
    for (what, input) in [
        ("tar", plain.clone()),
        ("gzip", gzip(&plain)),
        ("gzip in gzip", gzip(&bundle)),
        ("zstd", zstd(&plain)),
        ("two zstd frames", long),
        ("bzip2", bzip2(&plain)),
        ("zip of the bundle", zip(&[("mail.txt", b"please help"), ("bundle.tar.gz", &bundle)])),
        ("tar of the bundle", tar("", 0, &[Entry::file("case-17/bundle.tar.gz", bundle.clone())])),
        ("tar of a zstd", tar("", 0, &[Entry::file("x", zstd(&plain))])),
    ] {
        assert_held(&ask(&input, "web"), &case.pids, what);
        assert_held(&ask(&input, &case.container[..12]), &case.pids, what);
    }
    let entries = case.host.entries();
    let files: Vec<(&str, &[u8])> = entries
        .iter()
        .filter_map(|e| match &e.content {
            Content::File(data) => Some((e.path.as_str(), &data[..])),
            Content::Link(_) | Content::Same(_) => None,
        })
        .collect();
    let report = ask(&zip(&files), &case.layer);
    assert!(report.target.found, "a zip of the tree itself: {}", report.verdict.summary);
}

#[test]
fn an_archive_of_several_hosts_lists_them_and_each_answers_for_itself() {
    let (one, two) = (case("web1"), case("web2"));
    let nested = tar(
        "collection",
        0,
        &[Entry::file("web1.tar.gz", one.host.bundle()), Entry::file("web2.tar.gz", two.host.bundle())],
    );
    let mut beside = Vec::new();
    for (top, host) in [("a", &one.host), ("b", &two.host)] {
        let entries = host.entries().into_iter();
        beside.extend(
            entries
                .filter(|e| matches!(e.content, Content::File(_)))
                .map(|e| Entry { path: format!("{top}/{}", e.path), ..e }),
        );
    }
    for input in [nested, tar("all", 0, &beside)] {
        let mut analysis = open(&input).expect("two hosts");
        assert_eq!(analysis.hosts(), [Some("web1".to_owned()), Some("web2".to_owned())]);
        for name in ["web1", "web2"] {
            assert!(analysis.choose_host(name));
            let report = analysis.explain(&Query::Text("web".into()));
            assert_eq!(report.host.name.as_deref(), Some(name));
            let list = report.warnings.iter().find(|w| w.code == "several-hosts").expect("the list of hosts");
            assert!(list.message.contains("web1, web2"), "{}", list.message);
        }
        assert!(!analysis.choose_host("web3"));
    }
}

#[test]
fn a_damaged_archive_in_an_archive_is_named_and_the_others_are_read() {
    let case = case("web1");
    let bundle = case.host.bundle();
    let input = zip(&[("broken.tar.gz", &bundle[..bundle.len() / 2]), ("good.tar.gz", &bundle)]);
    let mut analysis = open(&input).expect("one whole host");
    let names = analysis.hosts();
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(analysis.choose_host("good"));
    assert_held(&analysis.explain(&Query::Text("web".into())), &case.pids, "the whole one");
    assert!(analysis.choose_host("broken"));
    let report = analysis.explain(&Query::Text("web".into()));
    assert!(!report.bundle.complete);
    assert!(report.warnings.iter().any(|w| w.code == "truncated-bundle"), "{:?}", report.warnings);
}

/// Lines that mention the layer, as `grep` over all mount tables prints them.
fn grep(case: &Case, numbers: bool) -> String {
    let mut out = String::new();
    for process in case.host.processes.values().filter(|p| p.state != 'Z' && !p.is_kernel_thread()) {
        let table = case.host.mounts.mountinfo(process.ns, &process.root);
        for (number, line) in (1..).zip(table.lines()).filter(|(_, line)| line.contains(&case.layer)) {
            let number = if numbers { format!("{number}:") } else { String::new() };
            let _ = writeln!(out, "/proc/{}/mountinfo:{number}{line}", process.pid);
        }
    }
    assert!(!out.is_empty(), "the layer is still mounted somewhere");
    out
}

fn error_line(case: &Case) -> String {
    format!(
        "Error response from daemon: Driver devicemapper failed to remove root filesystem {}: failed to remove device {}: Device is Busy\n",
        case.container, case.layer
    )
}

fn paste(text: &str) -> Report {
    open(text.as_bytes()).expect("a text with something of a host").explain(&Query::Default)
}

#[test]
fn an_error_alone_is_answered_with_the_one_command_to_run() {
    let case = case("web1");
    let report = paste(&error_line(&case));
    assert_eq!(report.verdict.status, Status::Unknown);
    assert_eq!(report.target.container_id.as_deref(), Some(&case.container[..]));
    let [step] = &report.next_steps[..] else { panic!("{:?}", report.next_steps) };
    assert!(step.command.starts_with("grep -n"), "{}", step.command);
    assert!(step.command.contains(&case.layer), "mountinfo has the layer id: {}", step.command);
}

#[test]
fn an_error_and_a_grep_name_the_processes_and_what_to_add() {
    let case = case("web1");
    for numbers in [false, true] {
        for (before, after) in [("", ""), ("```\n[root@web1 ~]# grep x /proc/*/mountinfo\n", "```\n")] {
            let report = paste(&format!("{}\n{before}{}{after}", error_line(&case), grep(&case, numbers)));
            assert_held(&report, &case.pids, before);
            let steps: Vec<&str> = report.next_steps.iter().map(|s| s.command.as_str()).collect();
            assert!(steps.iter().any(|s| s.starts_with("ps ")), "names are missing: {steps:?}");
            let holder = with_effect(&report, ebusy_analyzer::report::Effect::Blocking)[0];
            let at = holder.mounts[0].evidence.line.expect("a line of the paste");
            assert!(at > 1, "evidence names the line of the paste");
        }
    }
}

#[test]
fn ps_and_namespaces_in_the_same_paste_name_the_holder() {
    let case = case("web1");
    let inode = case.host.inode_of(case.host.processes[&case.pids[0]].ns);
    let mut text = format!("> {}\n{}", error_line(&case), grep(&case, false));
    text += "\n$ ps -ww -o pid,ppid,lstart,args\n  PID  PPID                  STARTED COMMAND\n";
    for pid in &case.pids {
        let _ = writeln!(text, " {pid} 1 Sun Nov 22 07:34:28 2026 /usr/sbin/httpd -DFOREGROUND");
    }
    text += "\n# ls -l /proc/*/ns/mnt\n";
    for pid in &case.pids {
        let _ = writeln!(text, "lrwxrwxrwx 1 root root 0 Nov 22 08:40 /proc/{pid}/ns/mnt -> mnt:[{inode}]");
    }
    for pid in &case.pids {
        let _ = writeln!(text, "/proc/{pid}/cgroup:1:name=systemd:/system.slice/httpd.service");
    }
    text += "Linux web1 3.10.0-514.el7.x86_64 #1 SMP x86_64 GNU/Linux\n";
    let report = paste(&text);
    assert_held(&report, &case.pids, "everything pasted");
    let holder = with_effect(&report, ebusy_analyzer::report::Effect::Blocking)[0];
    assert_eq!(holder.mount_namespace, Some(inode));
    assert_eq!(holder.unit.as_deref(), Some("httpd.service"));
    assert_eq!(holder.process.as_ref().expect("a process").comm, "httpd");
    assert_eq!(report.host.kernel.as_deref(), Some("3.10.0-514.el7.x86_64"));
}

#[test]
fn lsns_findmnt_and_dmsetup_in_one_paste() {
    let case = case("web1");
    let pid = case.pids[0];
    let name = format!("docker-8:2-77-{}", case.layer);
    let text = format!(
        "{}\
         $ lsns -t mnt\n        NS TYPE NPROCS   PID USER COMMAND\n\
         4026531840 mnt      90     1 root /sbin/init\n4026532999 mnt       3 {pid} root /usr/sbin/httpd\n\n\
         $ findmnt\nTARGET SOURCE FSTYPE OPTIONS\n/      /dev/sda1 ext4 rw,relatime\n\u{2514}\u{2500}/sys sysfs sysfs rw\n\n\
         $ dmsetup info {name}\nName:              {name}\nState:             ACTIVE\nOpen count:        1\nMajor, minor:      253, 9\n\n\
         $ cat /proc/{pid}/mountinfo\n88 70 253:9 / / rw,relatime - xfs /dev/mapper/{name} rw\n",
        error_line(&case)
    );
    let report = paste(&text);
    assert_held(&report, &[pid], "entered the container: its mount point is /");
    let holder = with_effect(&report, ebusy_analyzer::report::Effect::Blocking)[0];
    assert_eq!(holder.mount_namespace, Some(4_026_532_999));
    assert!(
        report.looked_at.iter().any(|l| l.contains("open count of the device: 1")),
        "{:?}",
        report.looked_at
    );
}

#[test]
fn a_paste_without_the_mount_never_says_free() {
    let case = case("web1");
    let host_table = case.host.mounts.mountinfo(case.host.processes[&1].ns, "/");
    let text = format!("{}# cat /proc/1/mountinfo\n{host_table}", error_line(&case));
    assert_eq!(paste(&text).verdict.status, Status::Unknown);
}

#[test]
fn listings_without_device_numbers_lead_to_the_process_too() {
    let dataset = "tank/lxd/containers/demo";
    let point = "/var/snap/lxd/common/lxd/storage-pools/default/containers/demo";
    let text = format!("/proc/17757/mounts:{dataset} {point} zfs rw,relatime,xattr,posixacl 0 0\n");
    let report = open(text.as_bytes()).expect("a mount").explain(&Query::Text(dataset.into()));
    assert_held(&report, &[17757], "grep over /proc/*/mounts");
}

#[test]
fn a_lone_mountinfo_names_its_damaged_lines_and_keeps_the_others() {
    let layer = hex64("layer");
    let text = format!(
        "21 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n\
         22 21 foo:0 / /broken rw - tmpfs tmpfs rw\n\
         23 21 0:40 / /sys rw,relatime  sysfs sysfs rw\n\
         24 21 0:41 / /var/lib/docker/overlay2/{layer}/merged rw - overlay overlay rw,upperdir=/u\n"
    );
    let analysis = open(text.as_bytes()).expect("a mount table");
    let report = analysis.explain(&Query::Text(layer));
    assert!(report.target.found, "lines after the damaged ones count");
    let bad: Vec<(Option<u32>, &str)> = report
        .warnings
        .iter()
        .filter(|w| w.code == "bad-mountinfo-line")
        .map(|w| (w.line, w.message.as_str()))
        .collect();
    assert_eq!(bad.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [Some(2), Some(3)], "{bad:?}");
    assert!(bad[0].1.contains("column 7"), "{}", bad[0].1);
}

#[test]
fn of_many_damaged_lines_the_first_are_listed_and_the_others_counted() {
    let bad: String = (30..53).map(|id| format!("{id} 21 foo:0 / /broken rw - tmpfs tmpfs rw\n")).collect();
    let text = format!("21 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n{bad}");
    let analysis = open(text.as_bytes()).expect("a mount table");
    let warnings = analysis.overview().warnings;
    let bad: Vec<_> = warnings.iter().filter(|w| w.code == "bad-mountinfo-line").collect();
    assert_eq!(bad.iter().filter(|w| w.line.is_some()).count(), 20, "{bad:?}");
    assert!(bad.iter().any(|w| w.message == "3 more lines are not lines of mountinfo."), "{bad:?}");
}

#[test]
fn a_supportconfig_shows_who_has_files_open_and_says_what_it_lacks() {
    let case = case("sles1");
    let name = format!("docker-8:2-77-{}", case.layer);
    let section = |kind: &str, what: &str, text: &str| format!("#==[ {kind} ]====#\n# {what}\n{text}\n\n");
    let text = [
        "=====\n   Support Utilities - Supportconfig\n=====\n\n".to_owned(),
        section("Command", "/bin/uname -a", "Linux sles1 4.4.180-94.97-default #1 SMP x86_64 GNU/Linux"),
        section("Configuration File", "/proc/mounts", "/dev/sda2 / btrfs rw,relatime 0 0"),
        section(
            "Command",
            "/usr/bin/lsof -b +M -n -l",
            "COMMAND PID USER FD TYPE DEVICE SIZE/OFF NODE NAME\ntail 942 0 cwd DIR 253,1 4096 2 /rootfs",
        ),
        section(
            "Command",
            "/sbin/dmsetup info -c",
            &format!("Name Maj Min Stat Open Targ Event UUID\n{name} 253 1 L--w 1 1 0"),
        ),
        section("Log File", "/var/log/messages", &error_line(&case)),
    ]
    .concat();
    let report = paste_archive(&tar("scc_sles1", 0, &[Entry::file("docker.txt", text)]));
    assert_eq!(report.bundle.format, "supportconfig");
    assert_eq!(report.host.name.as_deref(), Some("sles1"));
    assert_held(&report, &[942], "lsof in a supportconfig");
    assert!(report.warnings.iter().any(|w| w.code == "one-mount-table"), "{:?}", report.warnings);
}

fn paste_archive(input: &[u8]) -> Report {
    open(input).expect("a support archive").explain(&Query::Default)
}

#[test]
fn text_about_nothing_is_refused_with_what_to_paste() {
    let error = open(b"hello\nworld\n").expect_err("nothing of a host");
    assert_eq!(error.code, "no-mounts");
    assert!(error.advice.contains("grep"), "{}", error.advice);
}

/// What `sos report` keeps of a host: mount tables, `ps`, logs and command outputs, no links and no `cmdline`.
fn sosreport(case: &Case, top: &str) -> Vec<u8> {
    let mut entries = Vec::new();
    let (mut ps, mut cgroups) = (
        "USER PID %CPU %MEM VSZ RSS TTY STAT START TIME COMMAND\n".to_owned(),
        "  PID  PPID USER GROUP LWP NLWP STARTED TIME COMMAND CGROUP\n".to_owned(),
    );
    for process in case.host.processes.values() {
        let pid = process.pid;
        if process.state != 'Z' && !process.is_kernel_thread() {
            let table = case.host.mounts.mountinfo(process.ns, &process.root);
            entries.push(Entry::file(format!("proc/{pid}/mountinfo"), table));
        }
        let command =
            if process.args.is_empty() { format!("[{}]", process.comm) } else { process.args.join(" ") };
        let _ = writeln!(ps, "root {pid} 0.0 0.1 1 1 ? S 07:34 0:00 {command}");
        let joined: Vec<&str> = process.cgroup.lines().collect();
        let cgroup = if joined.is_empty() { "-".to_owned() } else { joined.join(",") };
        let _ = writeln!(cgroups, "{pid} 1 root root {pid} 1 07:34 0:00 {} {cgroup}", process.comm);
    }
    let short = &case.container[..12];
    let list = format!(
        "CONTAINER ID IMAGE COMMAND CREATED STATUS PORTS NAMES\n{short} nginx:1.27 \"nginx\" 2 days ago Removal In Progress web\n"
    );
    let uname = "Linux web1 3.10.0-514.el7.x86_64 #1 SMP x86_64 GNU/Linux\n";
    for (path, text) in [
        ("sos_commands/process/ps_auxwww", ps.as_str()),
        ("sos_commands/process/ps_axo_pid_ppid_user_group_lwp_nlwp_start_time_comm_cgroup", &cgroups),
        ("sos_commands/docker/docker_ps_-a", &list),
        ("sos_commands/kernel/uname_-a", uname),
        ("sos_commands/host/hostname", "web1\n"),
        ("sos_commands/logs/journalctl_--no-pager_--boot", &error_line(case)),
        ("version.txt", "sosreport: 4.0\n"),
    ] {
        entries.push(Entry::file(path, text));
    }
    tar(top, 0, &entries)
}

#[test]
fn a_sosreport_names_the_holder_and_says_what_it_lacks() {
    let case = case("web1");
    for input in [gzip(&sosreport(&case, "sosreport-web1-2026")), sosreport(&case, "")] {
        let report = paste_archive(&input);
        assert_eq!(report.bundle.format, "sosreport");
        assert_held(&report, &case.pids, "by the mount ids of the tables");
        let holder = with_effect(&report, ebusy_analyzer::report::Effect::Blocking)[0];
        assert_eq!(holder.unit.as_deref(), Some("httpd.service"));
        assert!(holder.process.as_ref().expect("a process").cmdline.contains("-DFOREGROUND"));
        assert_eq!(report.target.name.as_deref(), Some("web"));
        assert_eq!(report.target.state.as_deref(), Some("removing"));
        for code in ["no-namespace-links", "no-open-files"] {
            assert!(report.warnings.iter().any(|w| w.code == code), "{code}: {:?}", report.warnings);
        }
    }
}

#[test]
fn no_paste_makes_it_panic() {
    let case = case("web1");
    let whole =
        format!("{}{}# ps\n  PID COMMAND\n 1 init\n", error_line(&case), grep(&case, true)).into_bytes();
    for at in (0..whole.len()).step_by(7) {
        let mut text = whole.clone();
        text[at] ^= 0x15;
        for input in [&text[..], &whole[..at], &whole[at..]] {
            if let Ok(analysis) = open(input) {
                let report = analysis.explain(&Query::Default);
                assert_ne!(report.verdict.status, Status::Free, "a text never proves that nothing holds it");
            }
        }
    }
}
