//! Two bundles of one host: what is gone, new and still there.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

mod support;

use ebusy_analyzer::diff::{Diff, HolderChange, of_both, of_censuses, of_reports, text};
use ebusy_analyzer::report::Effect;
use ebusy_tests::demo;
use ebusy_tests::harness::{TempDir, need_path, output};
use ebusy_tests::synth::{Container, Host, Ns, Propagation, Run, Sandbox};
use std::process::Command;
use support::{ask, open};

/// A container that could not be removed: its device is held by `top` in a private namespace.
fn held() -> (Host, Container, Ns, u32) {
    let mut host = Host::new("web1", "6.1.0-50-amd64");
    host.docker_devicemapper("17.05.0-ce");
    let web = host.run(&Run::new("web", "nginx:1.13"));
    host.wait(5);
    let private = host.mounts.copy_with(host.ns, Propagation::Private);
    let top = host.spawn_in(private, "top", &["top"]);
    host.wait(60);
    host.stop(&web);
    host.set_state(&web, "dead");
    host.docker_log(&web.device_is_busy());
    (host, web, private, top)
}

fn diff(a: &Host, b: &Host, id: &str) -> Diff {
    of_reports(&ask(&a.bundle(), id), &ask(&b.bundle(), id))
}

fn pids(changes: &[HolderChange]) -> Vec<u32> {
    changes.iter().filter_map(|c| c.pid).collect()
}

fn codes(diff: &Diff) -> Vec<&str> {
    diff.warnings.iter().map(|w| w.code.as_str()).collect()
}

#[test]
fn who_holds_it_at_both_times_leaks() {
    let (host, web, _, top) = held();
    let mut later = host.clone();
    later.wait(600);
    // A neighbour that is older takes another place in the list.
    later.spawn("cron", &["/usr/sbin/cron"]);
    let diff = diff(&host, &later, &web.id);
    assert_eq!((pids(&diff.still), diff.gone.len(), diff.new.len()), (vec![top], 0, 0));
    assert_eq!(diff.still[0].after, Some(Effect::Blocking));
    assert!(diff.summary.contains("a leak, not a race") && diff.summary.contains("top"), "{}", diff.summary);
    assert_eq!(codes(&diff), [""; 0]);
    assert!(!diff.still[0].evidence.is_empty());
}

#[test]
fn who_is_gone_by_itself_was_a_race() {
    let (host, web, _, top) = held();
    let mut later = host.clone();
    later.wait(30);
    later.kill(top);
    let diff = diff(&host, &later, &web.id);
    assert_eq!((pids(&diff.gone), diff.still.len(), diff.new.len()), (vec![top], 0, 0));
    assert!(diff.summary.contains("it was a race"), "{}", diff.summary);
}

#[test]
fn a_pid_that_was_given_to_another_process_is_not_the_same_holder() {
    let (host, web, private, top) = held();
    let mut later = host.clone();
    later.wait(500);
    // The same pid, the same name, even the same number of the namespace; only the start differs.
    later.process(top).started = later.now as f64;
    let changed = diff(&host, &later, &web.id);
    assert_eq!((pids(&changed.gone), pids(&changed.new), changed.still.len()), (vec![top], vec![top], 0));
    assert!(changed.new[0].note.contains("pid is the same"), "{}", changed.new[0].note);
    assert_eq!(changed.new[0].mount_namespace, Some(later.inode_of(private)));
    // A boot time that is read a second later is the same process all the same.
    let mut jitter = host.clone();
    jitter.wait(500);
    jitter.boot_time += 1;
    let same = diff(&host, &jitter, &web.id);
    assert_eq!((pids(&same.still), same.new.len()), (vec![top], 0));
    assert_eq!(codes(&same), [""; 0]);
}

#[test]
fn a_restart_of_the_host_is_told_by_the_boot_id_whatever_the_clock_says() {
    let (host, web, _, top) = held();
    let without_clock = |host: &Host| {
        let mut host = host.clone();
        // Nothing tells when it booted, so nothing tells when a process started.
        host.boot_time = 0;
        host.files.insert("proc/stat".into(), Vec::new());
        host
    };
    let mut later = without_clock(&host);
    later.boots += 1;
    let diff_of = |a: &Host, b: &Host| {
        let (a, b) = (without_clock(a), without_clock(b));
        diff(&a, &b, &web.id)
    };
    // The same pid, name and namespace number: after a restart it is another process all the same.
    let changed = diff_of(&host, &later);
    assert_eq!((pids(&changed.gone), pids(&changed.new), changed.still.len()), (vec![top], vec![top], 0));
    assert!(codes(&changed).contains(&"different-boots"), "{:?}", codes(&changed));
    assert!(changed.summary.contains("since the host was restarted"), "{}", changed.summary);
    // Gone with the restart: neither a race nor a leak.
    later.kill(top);
    let gone = diff_of(&host, &later);
    assert!(gone.summary.contains("neither race nor leak"), "{}", gone.summary);
    // A clock that was set in between is no restart.
    let mut set = host.clone();
    set.wait(60);
    set.boot_time += 3_600;
    for process in set.processes.values_mut() {
        process.started -= 3_600.0;
    }
    assert!(!codes(&diff(&host, &set, &web.id)).contains(&"different-boots"));
}

#[test]
fn a_restarted_service_that_takes_the_mount_again_is_said_to_be_restarted() {
    let mut host = Host::new("web1", "3.10.0-514.el7.x86_64");
    host.docker_devicemapper("17.05.0-ce");
    let web = host.run(&Run::new("web", "nginx:1.13"));
    let httpd = host.service("httpd.service", &["/usr/sbin/httpd"], 2, Sandbox::PrivateTmp);
    let mut later = host.clone();
    later.wait(100);
    later.stop_service(&httpd);
    let again = later.service("httpd.service", &["/usr/sbin/httpd"], 2, Sandbox::PrivateTmp);
    let diff = diff(&host, &later, &web.id);
    assert_eq!(pids(&diff.gone), httpd.pids[..1]);
    assert_eq!(pids(&diff.new), again.pids[..1]);
    assert!(diff.new[0].note.contains("restarted"), "{}", diff.new[0].note);
    assert!(diff.summary.contains("again after a restart"), "{}", diff.summary);
    assert_eq!((diff.still.len(), diff.gone.len()), (0, 1), "the running container's own mounts are no leak");
    // Some of its processes come and go while the first lives on: that is no restart.
    let mut workers = host.clone();
    workers.wait(100);
    workers.kill(httpd.pids[1]);
    let same = self::diff(&host, &workers, &web.id);
    assert_eq!((same.still.len(), same.gone.len(), same.new.len()), (1, 0, 0));
}

#[test]
fn somebody_new_is_told_from_who_was_there() {
    let (host, web, private, top) = held();
    let mut later = host.clone();
    later.wait(60);
    let jail = later.mounts.copy_with(private, Propagation::Private);
    let named = later.spawn_in(jail, "named", &["/usr/sbin/named"]);
    let both = diff(&host, &later, &web.id);
    assert_eq!((pids(&both.still), pids(&both.new)), (vec![top], vec![named]));
    later.kill(top);
    let other = diff(&host, &later, &web.id);
    assert_eq!((pids(&other.gone), pids(&other.new), other.still.len()), (vec![top], vec![named], 0));
    assert!(other.summary.contains("something new takes hold"), "{}", other.summary);
}

#[test]
fn a_namespace_without_a_process_is_the_same_as_long_as_its_mounts_are() {
    let (mut host, web, private, top) = held();
    host.kill(top);
    host.keep(private, "bind 1 /run/namespaces/old");
    let mut later = host.clone();
    later.wait(60);
    assert_eq!(diff(&host, &later, &web.id).still.len(), 1);
    later.kept.clear();
    let gone = diff(&host, &later, &web.id);
    assert_eq!((gone.gone.len(), gone.still.len()), (1, 0));
}

#[test]
fn bundles_that_cannot_be_compared_are_warned_about() {
    let (host, web, ..) = held();
    let mut other = host.clone();
    other.wait(60);
    other.name = "web2".into();
    assert_eq!(codes(&diff(&host, &other, &web.id)), ["different-hosts"]);

    let mut booted = host.clone();
    booted.boot_time += 86_400;
    booted.boots += 1;
    assert_eq!(codes(&diff(&host, &booted, &web.id)), ["different-boots"]);

    let mut later = host.clone();
    later.wait(60);
    let reversed = diff(&later, &host, &web.id);
    assert_eq!(codes(&reversed), ["wrong-order"]);
    assert!(reversed.warnings[0].message.contains("after the second"), "{:?}", reversed.warnings);
    assert_eq!(codes(&diff(&host, &host, &web.id)), ["same-time"]);
}

#[test]
fn a_container_that_was_removed_in_between_is_no_unknown_target() {
    let (host, web, _, top) = held();
    let mut later = Host::new("web1", "6.1.0-50-amd64");
    later.docker_devicemapper("17.05.0-ce");
    later.wait(1000);
    let removed = diff(&host, &later, &web.id);
    assert_eq!(pids(&removed.gone), [top]);
    assert!(removed.summary.contains("removed in between"), "{}", removed.summary);
}

#[test]
fn the_census_of_the_whole_host_is_compared_too() {
    let (mut host, _, private, top) = held();
    let cache = host.run(&Run::new("cache", "redis:3.2"));
    let mut later = host.clone();
    later.wait(60);
    let jail = later.mounts.copy_with(later.ns, Propagation::Private);
    let named = later.spawn_in(jail, "named", &["/usr/sbin/named"]);
    let compared = |a: &Host, b: &Host| {
        of_censuses(&open(&a.bundle()).expect("it opens"), &open(&b.bundle()).expect("it opens"))
    };
    let changes = |a: &Host, b: &Host| compared(a, b).census.expect("it was asked for");
    let new = changes(&host, &later);
    assert!(new.still.iter().all(|c| c.leftover.mount_namespace == Some(host.inode_of(private))));
    assert!(!new.still.is_empty() && new.gone.is_empty());
    assert!(new.new.iter().all(|c| c.holder.contains(&named.to_string())), "{:?}", new.new);
    assert!(new.new.iter().any(|c| c.leftover.container.as_ref().is_some_and(|x| x.id == cache.id)));
    later.kill(named);
    later.kill(top);
    let gone = changes(&host, &later);
    assert!(gone.still.is_empty() && gone.new.is_empty() && !gone.gone.is_empty());
    let both = compared(&host, &later);
    assert!(both.summary.contains("gone by themselves"), "{}", both.summary);
    assert!(compared(&later, &later).summary.contains("Nothing is left over"));
}

#[test]
fn of_very_many_leftovers_all_are_compared_and_the_first_listed() {
    let mut host = Host::new("crowded1", "3.10.0-514.el7.x86_64");
    host.docker_devicemapper("17.05.0-ce");
    for number in 0..40 {
        host.run(&Run::new(&format!("app-{number:02}"), "acme/app:1"));
    }
    let agent = |host: &mut Host, name: &str| {
        let namespace = host.mounts.copy_with(host.ns, Propagation::Private);
        host.spawn_in(namespace, name, &["/usr/bin/agent"])
    };
    let first = agent(&mut host, "agent-00");
    for number in 1..30 {
        agent(&mut host, &format!("agent-{number:02}"));
    }
    let mut later = host.clone();
    later.wait(60);
    later.kill(first);
    agent(&mut later, "late");
    let (a, b) = (open(&host.bundle()).expect("it opens"), open(&later.bundle()).expect("it opens"));
    let diff = of_censuses(&a, &b);
    assert!(
        diff.summary.contains("2320 leftovers are in both bundles, 80 new, 80 gone"),
        "29 holders, each with device and shm of 40 containers: {}",
        diff.summary
    );
    let changes = diff.census.as_ref().expect("it was asked for");
    assert_eq!((changes.still_count, changes.new_count, changes.gone_count), (2_320, 80, 80));
    assert_eq!((changes.still.len(), changes.new.len(), changes.gone.len()), (2_000, 80, 80));
    assert!(
        changes.new.iter().all(|change| change.holder.starts_with("late")),
        "{:?}",
        changes.new[0].holder
    );
    let shown = text::render(&diff);
    assert!(shown.contains("… and 2300 more (--format json has the first 2000)"), "{shown}");
    assert!(shown.contains("… and 60 more (see --format json)"), "{shown}");
    assert_eq!(of_censuses(&a, &b), diff, "the same each time");
}

#[test]
fn the_text_answers_first_and_survives_json() {
    let (host, web, ..) = held();
    let mut later = host.clone();
    later.wait(60);
    let (a, b) = (open(&host.bundle()).expect("it opens"), open(&later.bundle()).expect("it opens"));
    let query = ebusy_analyzer::Query::Text(web.id);
    let diff = of_both((&a.explain(&query), &b.explain(&query)), (&a, &b));
    let shown = text::render(&diff);
    assert_eq!(shown.lines().next(), Some(diff.summary.as_str()));
    assert!(shown.contains("Still there") && shown.contains("Left over on the whole host"), "{shown}");
    let json = serde_json::to_string(&diff).expect("it can be written");
    assert_eq!(serde_json::from_str::<Diff>(&json).expect("and read"), diff);
    assert_eq!(diff.schema, "ebusy.diff/1");
}

#[test]
fn the_command_compares_and_refuses_what_it_cannot_read() {
    let Some(program) = need_path("diff::the_command_compares_and_refuses_what_it_cannot_read", "EBUSY_BIN")
    else {
        return;
    };
    let dir = TempDir::new("diff");
    let (host, ..) = held();
    let mut later = host.clone();
    later.wait(60);
    for (name, bytes) in [
        ("a.tar.gz", host.bundle()),
        ("b.tar.gz", later.bundle()),
        ("demo.tar.gz", demo::bundle()),
        ("noise", b"no archive".to_vec()),
    ] {
        std::fs::write(dir.join(name), bytes).expect("a file can be written");
    }
    let call = |arguments: &[&str]| output(Command::new(&program).current_dir(dir.path()).args(arguments));
    let shown = |arguments: &[&str]| String::from_utf8(call(arguments).stdout).expect("UTF-8");
    let answer = call(&["diff", "a.tar.gz", "b.tar.gz"]);
    assert_eq!(answer.status.code(), Some(0));
    let first = String::from_utf8_lossy(&answer.stdout).lines().next().map(str::to_owned).unwrap_or_default();
    assert!(first.contains("top") && first.contains("a leak"), "{first}");
    let json: Diff =
        serde_json::from_str(&shown(&["diff", "a.tar.gz", "b.tar.gz", "--id", "web", "--format", "json"]))
            .expect("a comparison");
    assert_eq!(json.still.len(), 1);
    assert!(shown(&["diff", "b.tar.gz", "a.tar.gz"]).contains("[wrong-order]"));
    assert!(shown(&["diff", "a.tar.gz", "demo.tar.gz"]).contains("[different-boots]"), "kernels differ");
    assert_eq!(call(&["diff", "a.tar.gz", "b.tar.gz", "--id", "no-such"]).status.code(), Some(3));
    for arguments in [
        &["diff"][..],
        &["diff", "a.tar.gz"],
        &["diff", "a.tar.gz", "noise"],
        &["diff", "missing", "a.tar.gz"],
        &["diff", "-", "-"],
        &["diff", "a.tar.gz", "b.tar.gz", "c.tar.gz"],
        &["diff", "a.tar.gz", "b.tar.gz", "--format", "xml"],
    ] {
        let refused = call(arguments);
        assert_eq!((refused.status.code(), &refused.stdout[..]), (Some(2), &b""[..]), "{arguments:?}");
        assert!(!refused.stderr.is_empty());
    }
}
