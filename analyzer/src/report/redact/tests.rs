#![allow(clippy::field_reassign_with_default, reason = "reads like the list of facts that it is")]

use super::*;
use crate::report::{ContainerRef, Evidence, Holder, MountView, OpenFile, ProcessView, Remedy};

const ID: &str = "f18f43d2bdf78929a13684dbdfd23ac72c2c20543f30081649adfcec1dea89b2";

/// A report that tells a lot.
fn report() -> Report {
    let mut report = Report::default();
    report.host.name = Some("db7.corp.example".into());
    report.target.name = Some("shop".into());
    report.target.container_id = Some(ID.into());
    report.verdict.summary = "httpd of httpd.service holds shop on db7, so does agent.".into();
    let mut holder = Holder::default();
    holder.unit = Some("httpd.service".into());
    holder.process = Some(ProcessView {
        pid: 7,
        cmdline: "/opt/acme/httpd --password hunter2 --peer 10.1.2.3".into(),
        ..ProcessView::default()
    });
    holder.container = Some(ContainerRef {
        id: ID.into(),
        name: Some("agent".into()),
        image: Some("registry.corp.example/agent:1".into()),
    });
    holder.mounts.push(MountView {
        mount_point: format!("/data/docker/mnt/{ID}"),
        source: "/dev/mapper/x".into(),
        ..MountView::default()
    });
    holder.open_files.push(OpenFile { path: "/srv/customer/book.db".into(), ..OpenFile::default() });
    holder.evidence.push(Evidence {
        file: "logs/journal.log".into(),
        line: Some(3),
        text: "Nov 22 10:53:17 db7 sshd: alice@example.com from fe80::1:2 or 00:16:3e:aa:bb:cc in /home/alice/x; \
               0::/system.slice/httpd.service 253:3 17.05.0 127.0.0.1 DELETE /v1.29/containers/shop"
            .into(),
    });
    holder.remedies.push(Remedy { command: "docker restart agent".into(), ..Remedy::default() });
    report.holders.push(holder);
    report
}

#[test]
fn nothing_that_tells_whose_host_it_is_stays() {
    let (redacted, replaced) = redact(&report(), &KINDS);
    let json = serde_json::to_string(&redacted).unwrap();
    for secret in [
        "db7", "corp", "shop", "hunter2", "10.1.2.3", "\"agent", "acme", "registry", "customer", "alice",
        "fe80", "00:16:3e",
    ] {
        assert!(!json.contains(secret), "{secret} in {json}");
    }
    let kinds: Vec<Kind> = replaced.iter().map(|r| r.kind).collect();
    assert_eq!(kinds, KINDS);
}

#[test]
fn what_the_finding_needs_stays() {
    let (redacted, _) = redact(&report(), &KINDS);
    let json = serde_json::to_string(&redacted).unwrap();
    for needed in [
        ID,
        &format!("/data/docker/mnt/{ID}"),
        "/dev/mapper/x",
        "httpd.service",
        "0::/system.slice/httpd.service 253:3 17.05.0 127.0.0.1",
        "10:53:17",
        "DELETE /v1.29/containers/container-1",
    ] {
        assert!(json.contains(needed), "{needed} in {json}");
    }
}

#[test]
fn the_same_name_gets_the_same_stand_in_everywhere() {
    let (redacted, _) = redact(&report(), &KINDS);
    assert_eq!(redacted.host.name.as_deref(), Some("host-1"));
    assert_eq!(
        redacted.verdict.summary,
        "httpd of httpd.service holds container-1 on host-1, so does container-2."
    );
    assert_eq!(redacted.holders[0].remedies[0].command, "docker restart container-2");
    assert_eq!(redacted.holders[0].process.as_ref().unwrap().cmdline, "/path-1 …");
}

#[test]
fn only_what_was_chosen_is_replaced() {
    let (redacted, replaced) = redact(&report(), &[Kind::Host]);
    assert_eq!(redacted.target.name.as_deref(), Some("shop"));
    assert!(redacted.holders[0].process.as_ref().unwrap().cmdline.contains("hunter2"));
    assert_eq!(replaced, [Replaced { kind: Kind::Host, different: 1, places: 3 }]);
    let (same, none) = redact(&report(), &[]);
    assert_eq!((same, none), (report(), Vec::new()));
}

#[test]
fn words_of_the_trade_and_parts_of_words_stay() {
    let mut report = report();
    report.target.name = Some("docker".into());
    report.host.name = Some("web".into());
    report.verdict.summary = "docker holds web-shop of webber on web".into();
    let (redacted, _) = redact(&report, &KINDS);
    assert_eq!(redacted.verdict.summary, "docker holds web-shop of webber on host-1");
}

#[test]
fn redacting_twice_changes_nothing_more() {
    let once = redact(&report(), &KINDS).0;
    let mut twice = redact(&once, &KINDS).0;
    // The stand-ins are names now, and get stand-ins again: their own.
    twice.verdict.summary.clone_from(&once.verdict.summary);
    assert_eq!(twice.holders[0].process, once.holders[0].process);
    assert_eq!(twice.host.name, once.host.name);
}

/// A sentence with a long name is cut elsewhere than the name is: parts of it were left in what others were shown.
#[test]
fn of_a_name_that_was_cut_nothing_is_left() {
    let long = format!("/srv/{}", "secret/".repeat(10_000));
    let cut = |text: String| {
        let mut text = text;
        bytes::shorten(&mut text);
        text
    };
    let mut report = report();
    report.target.name = Some(cut(long.clone()));
    report.verdict.summary = cut(format!("httpd holds container {long}."));
    report.holders[0].effect_reason = format!("It has {} open.", cut(long.clone()));
    report.holders[0].evidence[0].text = cut(format!("tar {long}"));
    report.holders[0].remedies[0].command = format!("rm -r {}", &long[..17_000]);
    for kinds in [&KINDS[..], &[Kind::Container], &[Kind::Path]] {
        let (public, _) = redact(&report, kinds);
        let text = serde_json::to_string(&public).unwrap();
        assert!(!text.contains("secret"), "{kinds:?}: {text}");
        assert!(public.verdict.summary.contains(" bytes) …"), "it is told that there was something");
        assert_eq!(public.holders[0].remedies[0].command, "");
        assert_eq!(public.holders[0].unit.as_deref(), Some("httpd.service"));
    }
    assert_eq!(redact(&report, &[]).0, report);
}
