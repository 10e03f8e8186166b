//! The timeline: what happened when, by the bundle's clocks.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

mod support;

use ebusy_analyzer::report::{Report, TimelineEvent, TimelineKind, text};
use ebusy_tests::synth::{Container, Host, Run, Sandbox, rfc3339};
use support::{ask, ask_default};

/// httpd takes a copy of a running container's device; the container cannot be removed then, three times.
fn leak() -> (Host, Container) {
    let mut host = Host::new("web1", "3.10.0-514.el7.x86_64");
    host.wait(20);
    host.docker_devicemapper("17.05.0-ce");
    host.wait(100);
    let web = host.run(&Run::new("web", "nginx:1.13"));
    host.wait(300);
    host.service("httpd.service", &["/usr/sbin/httpd"], 3, Sandbox::PrivateTmp);
    host.wait(500);
    host.stop(&web);
    for _ in 0..3 {
        host.wait(50);
        fail(&mut host, &web);
    }
    host.set_state(&web, "dead");
    host.wait(9);
    (host, web)
}

fn message(web: &Container) -> String {
    let Container { id, layer, .. } = web;
    format!(
        "Handler for DELETE /v1.29/containers/web returned error: Driver devicemapper failed to remove root \
         filesystem {id}: failed to remove device {layer}: Device is Busy"
    )
}

fn fail(host: &mut Host, web: &Container) {
    host.docker_log(&format!("level=error msg=\"{}\"", message(web)));
}

fn event(report: &Report, kind: TimelineKind) -> &TimelineEvent {
    let found: Vec<&TimelineEvent> = report.timeline.iter().filter(|e| e.kind == kind).collect();
    let [event] = found[..] else { panic!("{kind:?}: {:#?}", report.timeline) };
    event
}

#[test]
fn everything_is_in_order_with_its_evidence() {
    let (mut host, web) = leak();
    let finished = host.boot_time + 921;
    let inspect = format!(
        r#"[{{"Id":"{}","Name":"/web","State":{{"Status":"dead","FinishedAt":"{}"}}}}]"#,
        web.id,
        rfc3339(finished).replace('Z', ".25Z")
    );
    host.files.insert("docker/inspect.json".into(), inspect.into_bytes());
    let report = ask_default(&host.bundle());
    let kinds: Vec<TimelineKind> = report.timeline.iter().map(|e| e.kind).collect();
    use TimelineKind::*;
    assert_eq!(
        kinds,
        [Booted, ContainerStarted, HolderStarted, ContainerFinished, FirstError, LastError, Collected],
        "{:#?}",
        report.timeline
    );
    let at = |kind| event(&report, kind).at.clone().unwrap_or_default();
    assert_eq!(at(Booted), rfc3339(host.boot_time));
    assert_eq!(at(ContainerStarted), rfc3339(web.started_at));
    assert!(
        at(HolderStarted).starts_with(rfc3339(host.boot_time + 421).trim_end_matches('Z')),
        "{}",
        at(HolderStarted)
    );
    assert_eq!(at(ContainerFinished), rfc3339(finished).replace('Z', ".250Z"));
    assert!(at(FirstError) < at(LastError));
    assert_eq!(at(Collected), rfc3339(host.time()));
    assert!(report.timeline.is_sorted_by(|a, b| a.at <= b.at));
    assert!(report.timeline.iter().all(|e| !e.evidence.is_empty() && e.written.is_none()));
    let holder = event(&report, HolderStarted);
    assert!(holder.what.contains("httpd.service"), "{}", holder.what);
    assert!(holder.evidence[0].file.ends_with("/stat"), "{:?}", holder.evidence);
    let log = &event(&report, FirstError).evidence[0];
    assert!(log.file == "logs/journal.log" && log.line.is_some(), "{log:?}");
}

#[test]
fn a_restarted_unit_is_told_by_systemds_own_time_and_an_ambiguous_zone_is_left_as_it_is() {
    let (mut host, web) = leak();
    let show = host.units["httpd.service"].clone();
    let stamp = rfc3339(host.boot_time + 430).replace(['T', 'Z'], " ");
    host.units
        .insert("httpd.service".into(), format!("{show}ActiveEnterTimestamp=Wed {stamp}UTC\nNRestarts=2\n"));
    let unit = ask(&host.bundle(), &web.id);
    let unit = event(&unit, TimelineKind::UnitActive);
    assert_eq!(unit.at.as_deref(), Some(&*rfc3339(host.boot_time + 430)));
    assert!(unit.what.contains("httpd.service") && unit.what.contains("2 times"), "{}", unit.what);

    let local = format!("Wed {stamp}CEST");
    host.units.insert("httpd.service".into(), format!("{show}ActiveEnterTimestamp={local}\n"));
    let report = ask(&host.bundle(), &web.id);
    let unit = event(&report, TimelineKind::UnitActive);
    assert_eq!((unit.at.as_deref(), unit.written.as_deref()), (None, Some(&*local)));
    assert!(unit.what.contains("zone"), "{}", unit.what);
    assert_eq!(report.timeline.last(), Some(unit), "what cannot be placed comes last");

    // A unit that was never active has no time.
    host.units.insert("httpd.service".into(), format!("{show}ActiveEnterTimestamp=\n"));
    assert!(ask(&host.bundle(), &web.id).timeline.iter().all(|e| e.kind != TimelineKind::UnitActive));
}

#[test]
fn a_log_without_zone_keeps_its_words_and_is_never_placed_by_guess() {
    let (mut host, web) = leak();
    host.log = vec![
        format!("Apr 12 10:00:00 web1 dockerd[9]: level=error msg=\"{}\"", message(&web)),
        format!("Apr 12 10:05:00 web1 dockerd[9]: level=error msg=\"{}\"", message(&web)),
    ];
    let report = ask_default(&host.bundle());
    let (first, last) = (event(&report, TimelineKind::FirstError), event(&report, TimelineKind::LastError));
    assert_eq!((first.at.as_deref(), first.written.as_deref()), (None, Some("Apr 12 10:00:00")));
    assert_eq!(last.written.as_deref(), Some("Apr 12 10:05:00"));
    assert!(first.what.contains("year or zone"), "{}", first.what);
    let text = text::render(&report);
    assert!(text.contains("Timeline") && text.contains("Apr 12 10:00:00"), "{text}");
}

#[test]
fn a_line_of_the_log_that_has_both_stamps_dates_those_that_lack_year_and_zone() {
    let (mut host, web) = leak();
    host.log = vec![
        format!(
            "Apr 12 10:00:00 web1 systemd[1]: var-lib-docker-devicemapper-mnt-{}.mount: Succeeded.",
            web.layer
        ),
        format!("Apr 12 10:00:02 web1 dockerd[9]: level=error msg=\"{}\"", message(&web)),
        "Apr 12 10:00:09 web1 dockerd[9]: time=\"2017-04-12T08:00:09.5Z\" level=info msg=\"API listen\""
            .into(),
        format!("Apr 12 10:05:00 web1 dockerd[9]: level=error msg=\"{}\"", message(&web)),
    ];
    let report = ask_default(&host.bundle());
    let at = |kind| event(&report, kind).at.as_deref();
    assert_eq!(at(TimelineKind::Unmounted), Some("2017-04-12T08:00:00Z"));
    assert_eq!(at(TimelineKind::FirstError), Some("2017-04-12T08:00:02Z"));
    assert_eq!(at(TimelineKind::LastError), Some("2017-04-12T08:05:00Z"));
    let first = event(&report, TimelineKind::FirstError);
    assert_eq!(first.written.as_deref(), Some("Apr 12 10:00:02"), "as it stands there, too");
    assert!(first.what.contains("Another line"), "{}", first.what);
    assert!(first.evidence.iter().any(|e| e.text.contains("API listen")), "{:?}", first.evidence);
}

#[test]
fn systemds_lines_about_the_targets_mount_are_events_and_those_of_others_are_not() {
    let (mut host, web) = leak();
    let other = ebusy_tests::synth::hex64("another");
    for (id, word) in
        [(&web.layer, "Succeeded."), (&other, "Succeeded."), (&web.layer, "Consumed 1s CPU time.")]
    {
        let line = format!("var-lib-docker-devicemapper-mnt-{id}.mount: {word}");
        host.log_line("systemd", 1, &line);
    }
    host.log_line("systemd", 1, &format!("home-x{}.mount: Succeeded.", web.layer));
    let report = ask(&host.bundle(), &web.id);
    let unmounted = event(&report, TimelineKind::Unmounted);
    assert_eq!(unmounted.at.as_deref(), Some(&*rfc3339(host.time())));
    assert!(unmounted.what.contains(&web.layer));
}

#[test]
fn offsets_of_logs_are_counted() {
    let (mut host, web) = leak();
    host.log =
        vec![format!("2017-04-12T10:00:00+0200 web1 dockerd[9]: level=error msg=\"{}\"", message(&web))];
    let report = ask_default(&host.bundle());
    assert_eq!(event(&report, TimelineKind::FirstError).at.as_deref(), Some("2017-04-12T08:00:00Z"));
    assert!(report.timeline.iter().all(|e| e.kind != TimelineKind::LastError), "one error is one event");
}

#[test]
fn an_unknown_target_has_no_timeline_and_old_reports_without_one_are_read() {
    let (host, _) = leak();
    let report = ask(&host.bundle(), "no-such-container");
    assert!(report.timeline.is_empty());
    let mut json = serde_json::to_value(&report).expect("it can be written");
    json.as_object_mut().expect("an object").remove("timeline");
    let read: Report = serde_json::from_value(json).expect("a report of an earlier version is read");
    assert_eq!(read, report);
}

#[test]
fn without_boot_time_no_process_is_dated() {
    let (mut host, web) = leak();
    host.files.insert("proc/stat".into(), b"cpu 1\n".to_vec());
    let report =
        support::open(&host.plain_tar()).expect("it opens").explain(&ebusy_analyzer::Query::Text(web.layer));
    assert!(!report.holders.is_empty());
    assert!(report.timeline.iter().all(|e| e.kind != TimelineKind::HolderStarted), "{:#?}", report.timeline);
}
