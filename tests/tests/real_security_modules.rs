//! AppArmor and SELinux refuse the collector what root may else read, each in a kernel that enforces it: it says who
//! refused, writes a bundle, and the answer says what could not be seen.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

mod support;

use ebusy_analyzer::report::Status;
use ebusy_tests::guest::{Guest, Parts};
use ebusy_tests::harness::{TempDir, need_command, need_path, run};
use std::process::Command;
use support::ask;

/// Reads and writes everything, but may look into no process that is not confined in the same way: no `ptrace` rule.
const PROFILE: &str = "abi <abi/3.0>,
profile confined-collector /bin/ebusy-collector {
  file,
  capability,
  mount,
  umount,
  signal,
  network,
  unix,
}
";

/// The smallest policy that a kernel takes: processes of the host, and a domain that may not read what is theirs in
/// `/proc`. What is not in it is allowed.
const POLICY: &str = "
(handleunknown allow)
(mls false)
(class file (read))
(class process (transition dyntransition))
(classorder (file process))
(sid kernel)
(sid security)
(sid unlabeled)
(sidorder (kernel security unlabeled))
(type host_t)
(type confined_t)
(type thing_t)
(role r)
(role object_r)
(roletype r host_t)
(roletype r confined_t)
(roletype r thing_t)
(roletype object_r thing_t)
(user u)
(userrole u r)
(userrole u object_r)
(sensitivity s0)
(sensitivityorder (s0))
(userlevel u (s0))
(userrange u ((s0) (s0)))
(sidcontext kernel (u r host_t ((s0) (s0))))
(sidcontext security (u r thing_t ((s0) (s0))))
(sidcontext unlabeled (u r thing_t ((s0) (s0))))
(allow host_t host_t (file (read)))
(allow host_t confined_t (file (read)))
(allow host_t thing_t (file (read)))
(allow host_t confined_t (process (transition)))
(allow confined_t thing_t (file (read)))
(allow confined_t confined_t (file (read)))
";

/// A process with a mount that only its namespace has.
const HOLDER: &str = "mkdir /tmp/held; unshare -m sh -c 'mount -t tmpfs held /tmp/held; exec sleep 100000' \
    < /dev/null > /dev/null 2>&1 & until grep -q /tmp/held /proc/$!/mountinfo; do usleep 10000; done; echo $!";

fn parts(test: &str) -> Option<Parts> {
    let collector = need_path(test, "EBUSY_COLLECTOR")?;
    let parts = Parts::need(test)?;
    parts.program(&collector, "bin/ebusy-collector");
    Some(parts)
}

/// What the collector says, and its bundle.
fn collect(guest: &mut Guest, how: &str) -> (String, Vec<u8>) {
    let said = guest.sh(&format!("{how} ebusy-collector -o /tmp/bundle.tar.gz"));
    (said, guest.run("cat /tmp/bundle.tar.gz").output)
}

#[test]
fn unconfined_it_reads_everything_under_apparmor() {
    const TEST: &str = "real_security_modules::unconfined_it_reads_everything_under_apparmor";
    let Some(parts) = parts(TEST) else { return };
    let mut guest = parts.boot("lsm=apparmor");
    assert!(guest.sh("cat /sys/kernel/security/lsm").contains("apparmor"));
    guest.sh(HOLDER);
    let (said, bundle) = collect(&mut guest, "");
    assert!(!said.contains("Not permitted"), "{said}");
    let report = ask(&bundle, "/tmp/held");
    assert_eq!(report.verdict.status, Status::Free, "{}", report.verdict.summary);
    // No runtime is here that could have unmounted it.
    let here = report.namespaces.iter().find(|view| view.processes.iter().any(|process| process.pid == 1));
    assert_eq!(here.map(|view| &*view.propagation), Some("Not mounted here any more, or never was."));
}

#[test]
fn an_apparmor_profile_that_lets_it_into_no_process_is_named() {
    const TEST: &str = "real_security_modules::an_apparmor_profile_that_lets_it_into_no_process_is_named";
    let Some(parser) = need_command(TEST, "apparmor_parser") else { return };
    let Some(parts) = parts(TEST) else { return };
    let dir = TempDir::new("apparmor");
    let (source, binary) = (dir.join("profile"), dir.join("binary"));
    std::fs::write(&source, PROFILE).expect("a file can be written");
    let mut compile = Command::new(parser);
    compile.args([
        "--skip-kernel-load",
        "--skip-cache",
        "--kernel-features=/etc/apparmor.d/abi/3.0",
        "--ofile",
    ]);
    run(compile.arg(&binary).arg(&source));
    parts.program(&binary, "etc/profile");

    let mut guest = parts.boot("lsm=apparmor");
    let holder: u32 = guest.sh(HOLDER).trim().parse().expect("a pid");
    guest.sh("cat /etc/profile > /sys/kernel/security/apparmor/.replace");
    let (said, bundle) = collect(&mut guest, "");
    assert!(said.contains("AppArmor confines this program with the profile confined-collector"), "{said}");
    assert!(guest.sh("dmesg").contains("apparmor=\"DENIED\" operation=\"ptrace\""));

    // Mount tables are not refused; what a process has open is.
    let report = ask(&bundle, "/tmp/held");
    let summary = &report.verdict.summary;
    assert_eq!(report.verdict.status, Status::Unknown, "{summary}");
    assert!(summary.starts_with("Nothing that was read blocks /tmp/held, but"), "{summary}");
    assert!(summary.contains("while AppArmor confined it with the profile confined-collector"), "{summary}");
    assert!(summary.contains(&format!("(pid {holder}) still has a copy")), "{summary}");
    assert!(
        report.next_steps.iter().any(|step| step.effect.contains("not confined by SELinux or AppArmor")),
        "{:#?}",
        report.next_steps
    );
}

#[test]
fn a_selinux_domain_that_may_not_read_processes_is_named() {
    const TEST: &str = "real_security_modules::a_selinux_domain_that_may_not_read_processes_is_named";
    let Some(compiler) = need_command(TEST, "secilc") else { return };
    let Some(parts) = parts(TEST) else { return };
    let dir = TempDir::new("selinux");
    let (source, binary) = (dir.join("policy.cil"), dir.join("policy"));
    std::fs::write(&source, POLICY).expect("a file can be written");
    run(Command::new(compiler).args(["-f", "/dev/null", "-o"]).arg(&binary).arg(&source));
    parts.program(&binary, "etc/policy");

    let mut guest = parts.boot("lsm=selinux");
    guest.sh(HOLDER);
    // The kernel takes a policy in one piece.
    guest.sh("mount -t selinuxfs selinux /sys/fs/selinux; dd if=/etc/policy of=/sys/fs/selinux/load bs=1M; \
         echo 1 > /sys/fs/selinux/enforce");
    let (said, bundle) = collect(&mut guest, "echo -n u:r:confined_t > /proc/self/attr/exec; exec");
    assert!(said.contains("SELinux confines this program to the domain confined_t"), "{said}");
    assert!(guest.sh("dmesg").contains("scontext=u:r:confined_t tcontext=u:r:host_t tclass=file"));

    // Hardly a process could be read: that nothing was found says little, and that is said.
    let report = ask(&bundle, "/tmp/held");
    let summary = &report.verdict.summary;
    assert_eq!(report.verdict.status, Status::Unknown, "{summary}");
    assert!(
        summary.starts_with("Nothing in the part of the host that could be read goes by \"/tmp/held\": "),
        "{summary}"
    );
    assert!(summary.contains("while SELinux confined it to the domain confined_t"), "{summary}");
}
