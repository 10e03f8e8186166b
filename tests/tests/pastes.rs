//! Outputs as people paste them, with prompts, prose and fences: each line is used for what it tells.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

mod support;

use ebusy_analyzer::Query;
use ebusy_analyzer::report::{AliasKind, Effect, Report, Status};
use ebusy_tests::synth::hex64;
use support::{ask, blocking_pids, open, with_effect};

fn paste(text: &str) -> Report {
    open(text.as_bytes()).expect("a text with something of a host").explain(&Query::Default)
}

fn error(container: &str, layer: &str) -> String {
    format!(
        "Error response from daemon: Driver devicemapper failed to remove root filesystem {container}: failed to remove device {layer}: Device is Busy\n"
    )
}

/// The pids of the paste's holders, and that it is held.
#[track_caller]
fn assert_held(report: &Report, pids: &[u32]) {
    assert_eq!(report.verdict.status, Status::Held, "{}", report.verdict.summary);
    assert_eq!(blocking_pids(report), pids, "{}", report.verdict.summary);
}

#[test]
fn names_of_tables_alone_name_the_holders() {
    let (ct, layer) = (hex64("ct"), hex64("layer"));
    let listed = "/proc/622/mountinfo\n/proc/623/mountinfo\n";
    for command in [
        format!("[root@web1 ~]# grep -l {} /proc/[0-9]*/mountinfo\n", &layer[..12]),
        format!("web1:~ # grep -l '{layer}' /proc/*/mountinfo\n"),
        String::new(),
    ] {
        let report = paste(&format!("{}```\n{command}{listed}```\n", error(&ct, &layer)));
        assert_held(&report, &[622, 623]);
        let steps: Vec<&str> = report.next_steps.iter().map(|s| s.command.as_str()).collect();
        assert!(steps.iter().any(|s| s.starts_with("grep -nF") && s.contains(&layer)), "{steps:?}");
        let evidence = &with_effect(&report, Effect::Blocking)[0].mounts[0].evidence;
        assert!(
            evidence.text.starts_with("/proc/622/mountinfo"),
            "the line itself is the evidence: {evidence:?}"
        );
        let text = format!("{}```\n{command}{listed}```\n", error(&ct, &layer));
        let line = evidence.line.and_then(|n| text.lines().nth(n as usize - 1));
        assert_eq!(line, Some(evidence.text.as_str()));
    }
    let other = format!("{}# grep -l {} /proc/*/mountinfo\n{listed}", error(&ct, &layer), hex64("other"));
    assert_ne!(paste(&other).verdict.status, Status::Held, "somebody looked for something else");
}

#[test]
fn a_script_that_lists_namespaces_names_the_holders() {
    let (ct, layer) = (hex64("ct"), hex64("layer"));
    let text = format!(
        "{}\nPID     NAME            MNTNS\n12244   php-fpm         mnt:[4026532285]\n12245   php-fpm         mnt:[4026532285]\n",
        error(&ct, &layer)
    );
    let report = paste(&text);
    assert_held(&report, &[12244, 12245]);
    assert_eq!(with_effect(&report, Effect::Blocking)[0].mount_namespace, Some(4_026_532_285));
}

#[test]
fn fuser_and_lsof_name_who_is_on_the_mount() {
    let umount = "[root@n1 ~]# umount /srv/data\numount: /srv/data: target is busy.\n";
    let fuser = "[root@n1 ~]# fuser -vm /srv/data\n                     USER        PID ACCESS COMMAND\n/srv/data:           root     kernel mount /srv/data\n                     app        1188 f.c.. java\n";
    let short = "$ fuser -m /srv/data\n/srv/data:            1188c\n";
    let lsof = "$ lsof +D /srv/data\nCOMMAND  PID USER   FD   TYPE DEVICE SIZE/OFF NODE NAME\njava    1188  app  cwd    DIR   8,17     4096    2 /srv/data/app\n";
    for output in [fuser, short, lsof] {
        let report = paste(&format!("{umount}{output}"));
        assert_held(&report, &[1188]);
        let files = &with_effect(&report, Effect::Blocking)[0].open_files;
        assert!(files.iter().any(|f| f.reference == "cwd"), "{files:?}");
    }
    let elsewhere = paste(&format!("{umount}{}", lsof.replace("/srv/data/app", "/srv/database")));
    assert_ne!(elsewhere.verdict.status, Status::Held, "another directory");
}

#[test]
fn a_mapped_image_leads_to_its_device() {
    let text = "# rbd unmap kube/vol1\nrbd: sysfs write failed\nrbd: unmap failed: (16) Device or resource busy\n\
        # rbd showmapped\nid pool image snap device\n0  kube vol0  -    /dev/rbd0\n1  kube vol1  -    /dev/rbd1\n\
        # grep rbd /proc/*/mountinfo\n/proc/4321/mountinfo:88 70 252:16 / /rootfs/vol rw,relatime - ext4 /dev/rbd1 rw\n\
        /proc/9999/mountinfo:99 71 252:0 / /rootfs/vol rw,relatime - ext4 /dev/rbd0 rw\n";
    assert_held(&paste(text), &[4321]);
}

#[test]
fn stacked_devices_and_loops_are_seen() {
    let lsblk = "lvremove vg0/my-web\n  Logical volume vg0/my-web is used by another device.\n\n# lsblk\n\
        NAME               MAJ:MIN RM SIZE RO TYPE  MOUNTPOINT\nsda                  8:0    0  20G  0 disk\n\
        \u{2514}\u{2500}vg0-my--web       253:0    0  19G  0 lvm\n  \u{2514}\u{2500}luks-web       253:1    0  19G  0 crypt /srv\n";
    let tree = "Logical volume vg0/my-web is used by another device.\n# dmsetup ls --tree\n\
        luks-web (253:1)\n \u{2514}\u{2500}vg0-my--web (253:0)\n    \u{2514}\u{2500} (8:0)\n";
    for text in [lsblk, tree] {
        let report = paste(text);
        assert_eq!(report.verdict.status, Status::Held, "{}", report.verdict.summary);
        let said = serde_json::to_string(&report.holders).expect("JSON");
        assert!(said.contains("luks-web"), "{said}");
    }
    let report = paste(
        "umount: /srv/data: target is busy.\n# losetup\nNAME SIZELIMIT OFFSET AUTOCLEAR RO BACK-FILE DIO LOG-SEC\n/dev/loop3 0 0 1 0 /srv/data/disk.img 0 512\n",
    );
    assert_eq!(report.verdict.status, Status::Held, "{}", report.verdict.summary);
    let report = paste(
        "umount: /srv/data: target is busy.\n$ swapon -s\nFilename\t\t\t\tType\t\tSize\tUsed\tPriority\n/srv/data/swapfile                      file    \t1048572\t0\t-2\n",
    );
    assert_eq!(report.verdict.status, Status::Held, "{}", report.verdict.summary);
}

#[test]
fn prompts_tell_whose_output_follows() {
    let (ct, layer) = (hex64("ct"), hex64("layer"));
    let mount = format!(
        "88 70 0:54 / /var/lib/docker/devicemapper/mnt/{layer} rw - xfs /dev/mapper/docker-8:1-7-{layer} rw"
    );
    let text = format!(
        "{}Here is what I see:\nroot@web7:~# nsenter -t 622 -m cat /proc/self/mountinfo\n{mount}\n\
         root@web7:~# cat /proc/622/cgroup\n12:memory:/system.slice/httpd.service\n1:name=systemd:/system.slice/httpd.service\n\
         root@web7:~# docker exec other cat /proc/1/mountinfo\n{}\n\nroot@web7:~# systemctl status httpd\n\
         \u{25cf} httpd.service - The Apache HTTP Server\n   CGroup: /system.slice/httpd.service\n           \u{251c}\u{2500}622 /usr/sbin/httpd -DFOREGROUND\n\
         root@web7:~# systemctl show -p PrivateTmp httpd\nPrivateTmp=yes\nroot@web7:~#\n",
        error(&ct, &layer),
        mount.replace("88 70", "99 71"),
    );
    let report = paste(&text);
    assert_held(&report, &[622]);
    assert_eq!(report.host.name.as_deref(), Some("web7"));
    let holder = with_effect(&report, Effect::Blocking)[0];
    assert_eq!(holder.unit.as_deref(), Some("httpd.service"));
    assert!(holder.process.as_ref().expect("a process").cmdline.contains("-DFOREGROUND"));
    assert_eq!(holder.cause.as_ref().map(|c| c.id.as_str()), Some("systemd-private-namespace"), "{holder:?}");
}

#[test]
fn runtimes_listings_name_containers() {
    let (ct, sandbox) = (hex64("ct"), hex64("sandbox"));
    let text = format!(
        "umount: /run/containerd/io.containerd.runtime.v2.task/k8s.io/{ct}/rootfs: target is busy.\n\
         # crictl ps\nCONTAINER      IMAGE   CREATED      STATE    NAME  ATTEMPT  POD ID  POD\n{}  9e1  3 hours ago  Running  api  0  {}  api-1\n\n\
         # crictl pods\nPOD ID  CREATED  STATE  NAME  NAMESPACE  ATTEMPT  RUNTIME\n{}  3 hours ago  Ready  api-1  shop  0  (default)\n\n\
         # ctr -n k8s.io tasks ls\nTASK  PID  STATUS\n{ct}  4242  RUNNING\n",
        &ct[..13],
        &sandbox[..13],
        &sandbox[..13]
    );
    let report = paste(&text);
    assert_eq!(report.target.name.as_deref(), Some("api"));
    assert_eq!(report.target.container_id.as_ref(), Some(&ct));
    assert_eq!(report.target.state.as_deref(), Some("running"));
}

#[test]
fn a_listed_dataset_has_its_mount_point() {
    let text = "# zfs list\nNAME        USED  AVAIL  REFER  MOUNTPOINT\ntank        10G   20G    1G     /tank\ntank/web    1M    20G    1M     /srv/web\n\n\
        /proc/17757/mounts:tank/web /srv/web zfs rw,relatime 0 0\n";
    let report = ask(text.as_bytes(), "tank/web");
    assert!(
        report.target.aliases.iter().any(|a| a.kind == AliasKind::Path && a.value == "/srv/web"),
        "{:?}",
        report.target.aliases
    );
    assert_held(&report, &[17757]);
}

/// Mounts of one table: the layer's is told by its device.
fn table(layer: &str) -> Vec<String> {
    vec![
        "21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw".into(),
        "22 21 0:21 / /mnt/x rw shared:2 master:1 odd:3 - fuse.sshfs user@h:/srv/a-b rw".into(),
        "23 21 0:22 / /run rw - tmpfs  rw,size=1k".into(),
        "25 21 0:24 / /mnt/- rw - - none rw".into(),
        format!(
            "24 21 0:41 / /var/lib/docker/overlay2/{layer}/merged rw,relatime - overlay overlay rw,lowerdir=/l/A:/l/B,upperdir=/var/lib/docker/overlay2/{layer}/diff,workdir=/w"
        ),
    ]
}

#[test]
fn tables_are_read_however_they_were_copied() {
    let layer = hex64("layer");
    let lines = table(&layer);
    let numbered: Vec<String> = (1..).zip(&lines).map(|(n, l)| format!("{n:6}\t{l}")).collect();
    let markdown: Vec<String> = lines
        .iter()
        .filter(|l| !l.contains("  "))
        .map(|l| format!("| {} |", l.replace(' ', " | ")))
        .collect();
    let wrapped: Vec<String> = lines
        .iter()
        .flat_map(|l| {
            l.as_bytes().chunks(80).map(|c| String::from_utf8_lossy(c).into_owned()).collect::<Vec<_>>()
        })
        .collect();
    for (what, text) in [
        ("plain", lines.join("\n")),
        ("CRLF", lines.join("\r\n")),
        ("a mark and a prompt", format!("\u{feff}{}\n[root@h ~]# ", lines.join("\n"))),
        ("tabs", lines.join("\n").replace(' ', "\t")),
        (
            "colours of grep",
            lines.join("\n").replace(&layer, &format!("\x1b[01;31m\x1b[K{layer}\x1b[m\x1b[K")),
        ),
        ("colours without escapes", lines.join("\n").replace(&layer, &format!("[01;31m[K{layer}[m[K"))),
        ("cat -n", numbered.join("\n")),
        ("a Markdown table", markdown.join("\n")),
        ("80 columns", wrapped.join("\n")),
        (
            "columns",
            lines
                .iter()
                .filter(|l| !l.contains("  "))
                .map(|l| l.replace(' ', "   "))
                .collect::<Vec<_>>()
                .join("\n"),
        ),
    ] {
        let report = ask(text.as_bytes(), &layer);
        assert!(report.target.found, "{what}: {}", report.verdict.summary);
        let bad: Vec<_> = report.warnings.iter().filter(|w| w.code == "bad-mountinfo-line").collect();
        assert!(bad.is_empty(), "{what}: {bad:?}");
        let upper = report.target.aliases.iter().find(|a| a.kind == AliasKind::UpperDir);
        assert!(upper.is_some_and(|a| a.value.ends_with("/diff")), "{what}: {:?}", report.target.aliases);
    }
}

#[test]
fn a_last_line_cut_off_is_named_and_the_others_count() {
    let layer = hex64("layer");
    let mut lines = table(&layer);
    lines.push("26 21 0:50 / /var/lib/docker/over".into());
    let report = ask(lines.join("\n").as_bytes(), &layer);
    assert!(report.target.found);
    let bad: Vec<_> =
        report.warnings.iter().filter(|w| w.code == "bad-mountinfo-line").map(|w| w.line).collect();
    assert_eq!(bad, [Some(6)]);
}

#[test]
fn no_damage_of_a_paste_makes_it_panic() {
    let (ct, layer) = (hex64("ct"), hex64("layer"));
    let whole = [
        error(&ct, &layer),
        format!("[root@web1 ~]# grep -l {} /proc/*/mountinfo\n/proc/622/mountinfo\n", &layer[..12]),
        "# fuser -vm /srv\n USER PID ACCESS COMMAND\n/srv: root kernel mount /srv\n app 11 f.c.. java\n".into(),
        "# lsblk\nNAME MAJ:MIN RM SIZE RO TYPE MOUNTPOINT\nsda 8:0 0 1G 0 disk\n\u{2514}\u{2500}vg-x 253:0 0 1G 0 lvm /\n".into(),
        "# dmsetup ls --tree\nvg-x (253:0)\n \u{2514}\u{2500} (8:0)\n# systemctl status x\n CGroup: /system.slice/x.service\n \u{251c}\u{2500}1 /x\n".into(),
        "# systemctl show x\nId=x.service\n# rbd showmapped\nid pool image snap device\n0 a b - /dev/rbd0\n".into(),
        "# zfs list\nNAME USED AVAIL REFER MOUNTPOINT\nt 1 1 1 /t\n# swapon\nNAME TYPE SIZE USED PRIO\n/s file 1 0 -2\n".into(),
        table(&layer).join("\n"),
        "\n\x1b[31m| 21 | 1 |\x1b[m\n#\n$\n".into(),
    ]
    .concat()
    .into_bytes();
    for at in (0..whole.len()).step_by(5) {
        let mut text = whole.clone();
        match at % 3 {
            0 => text[at] ^= 0x15,
            1 => drop(text.drain(at..(at + 9).min(whole.len()))),
            _ => text.insert(at, b"\n \t#$|["[at % 7]),
        }
        if let Ok(analysis) = open(&text) {
            let report = analysis.explain(&Query::Default);
            assert_ne!(report.verdict.status, Status::Free, "a text never proves that nothing holds it");
        }
    }
}

#[test]
fn a_mount_elsewhere_is_named_even_where_the_kernel_is_unknown() {
    let layer = hex64("layer");
    let mount = format!(
        "/proc/622/mountinfo:88 70 0:54 / /var/lib/docker/overlay2/{layer}/merged rw - overlay overlay rw\n"
    );
    let report = ask(mount.as_bytes(), &layer);
    assert_eq!(report.verdict.status, Status::Unknown);
    assert!(
        report.verdict.summary.contains("622") && report.verdict.summary.contains("uname"),
        "{}",
        report.verdict.summary
    );
    let old = format!("{mount}Linux web1 3.10.0-514.el7.x86_64 #1 SMP x86_64 GNU/Linux\n");
    assert_held(&ask(old.as_bytes(), &layer), &[622]);
}
