//! Whole screens, rendered to text natively: what a user would read is there, what a bundle brings is
//! text and nothing else, and the rules of the views are kept.

use super::*;
use crate::sample;
use crate::state::fleet::Fleet;
use crate::state::given::{Given, Inside, Origin, Source};
use crate::state::{Comparing, Failed, FileInfo, Open, Reading, Tab};
use crate::worker::protocol::Failure;
use ebusy_analyzer::diff::{CensusChanges, LeftoverChange};
use ebusy_analyzer::fleet::HostLine;
use ebusy_analyzer::report::link::{LeftOut, Part};
use ebusy_analyzer::report::redact::{Kind, Replaced};
use ebusy_analyzer::report::{Cause, Effect, Report, Status};
use std::rc::Rc;

async fn rendered(screen: Screen) -> String {
    rendered_with(screen, None).await
}

async fn rendered_with(screen: Screen, fleet: Option<Rc<Fleet>>) -> String {
    let state = State { opening: 1, screen, fleet, ..State::default() };
    let props = move || PageProps { state, act: Acts::none() };
    yew::LocalServerRenderer::<Page>::with_props(props()).hydratable(false).render().await
}

fn file() -> Rc<FileInfo> {
    Rc::new(FileInfo { name: "web1.tar.gz".into(), size: 2048 })
}

fn open(report: Report) -> Screen {
    Screen::Open(Rc::new(Open {
        file: file(),
        overview: Rc::new(sample::overview()),
        question: Question::Error(0),
        request: 1,
        answered: 1,
        report: Some(Rc::new(report)),
        waiting: false,
        census: Some(Rc::new(sample::census())),
        mounts: None,
        mounts_wanted: None,
        hosts: vec![Some("web1".into())],
        host: 0,
        choosing: None,
        place: None,
        tab: Tab::Report,
        given: Given::default(),
    }))
}

/// How often `hook` is on the page.
fn count(html: &str, hook: &str) -> usize {
    html.matches(&format!("data-test=\"{hook}\"")).count()
}

#[tokio::test(flavor = "current_thread")]
async fn the_start_screen_has_its_ways_in() {
    let html = rendered(Screen::Start).await;
    for hook in ["start", "file-input", "paste-input", "paste-submit", "demo-button", "copy"] {
        assert_eq!(count(&html, hook), 1, "{hook}");
    }
    assert!(html.contains("sudo ./ebusy-collector"));
}

#[tokio::test(flavor = "current_thread")]
async fn reading_shows_bytes_percent_and_a_way_out() {
    let html = rendered(Screen::Reading(Reading {
        file: file(),
        bytes: 512,
        entries: 3,
        all_read: false,
        place: None,
    }))
    .await;
    assert!(html.contains("512 B of 2.0 KiB · 25 %"), "{html}");
    assert_eq!(count(&html, "cancel"), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn a_failure_tells_what_to_do_and_leaves_the_start_screen_usable() {
    let failure = Failure {
        code: "not-an-archive".into(),
        message: "This is <b>text</b>.".into(),
        advice: "Drop the .tar.gz.".into(),
    };
    let html = rendered(Screen::Failed(Rc::new(Failed { file: file(), failure }))).await;
    assert!(html.contains("data-code=\"not-an-archive\"") && html.contains("Drop the .tar.gz."), "{html}");
    assert!(html.contains("This is &lt;b&gt;text"), "{html}");
    assert_eq!((count(&html, "file-input"), count(&html, "demo-button")), (1, 1));
}

#[tokio::test(flavor = "current_thread")]
async fn a_held_report_answers_and_tells_what_to_type() {
    let html = rendered(open(sample::report())).await;
    assert!(html.contains("data-status=\"held\"") && html.contains(">Held<"), "{html}");
    for wanted in
        ["container web", "systemctl restart httpd.service", "mnt:[4026532201]", "proc/4241/mountinfo:37"]
    {
        assert!(html.contains(wanted), "{wanted}");
    }
    assert_eq!(count(&html, "holder"), 3);
    assert_eq!(html.matches("data-test=\"holder\" data-effect=\"blocking\"").count(), 2);
    assert_eq!(html.matches("aria-current=\"true\"").count(), 1);
    assert_eq!((count(&html, "picture"), count(&html, "warnings"), count(&html, "verdict")), (1, 1, 1));
    assert!(html.contains(&format!("<mark>/var/lib/docker/devicemapper/mnt/{}</mark>", sample::LAYER)));
}

#[tokio::test(flavor = "current_thread")]
async fn what_happened_when_is_told_in_order_with_its_places() {
    let html = rendered(open(sample::report())).await;
    assert_eq!((count(&html, "timeline"), count(&html, "event")), (1, 3));
    let at = |wanted: &str| html.find(wanted).unwrap_or_else(|| panic!("{wanted} is missing"));
    let list = at("data-test=\"timeline\"");
    let (active, error) = (at("httpd.service became active."), at("The first busy error."));
    let undated = at(">Nov 22 07:35:58<");
    assert!(list < active && active < error && error < undated, "in the report's order");
    assert!(html.contains("2026-11-22 07:31:12 UTC") && html.contains("systemd/httpd.service.show:3"));
    assert!(html.contains("systemd saw &lt;i&gt;a umount"), "text stays text");
}

#[tokio::test(flavor = "current_thread")]
async fn what_lives_on_is_told_with_or_without_a_report() {
    let html = rendered(open(sample::report())).await;
    assert_eq!((count(&html, "census"), count(&html, "census-group"), count(&html, "leftover")), (1, 1, 1));
    assert!(html.contains("1 left over · 1 will block a removal · pins 10.0 GiB"), "{html}");
    assert!(html.contains("knows &lt;b&gt;its"), "text stays text");

    let Screen::Open(bundle) = open(sample::report()) else { panic!("not open") };
    let mut innocent = sample::census();
    innocent.groups.clear();
    innocent.summary = "Nothing is left over.".into();
    let alone = Open { report: None, census: Some(Rc::new(innocent)), ..Open::clone(&bundle) };
    let html = rendered(Screen::Open(Rc::new(alone))).await;
    assert!(html.contains("Nothing is left over.") && html.contains("42 mounts in 3 tables"), "{html}");
    assert_eq!(count(&html, "census-group"), 0);

    let mut large = sample::census();
    (large.total_groups, large.groups[0].total) = (3, 170);
    large.groups[0].kinds[0].count = 170;
    let alone = Open { report: None, census: Some(Rc::new(large)), ..Open::clone(&bundle) };
    let html = rendered(Screen::Open(Rc::new(alone))).await;
    assert!(html.contains("170 left over") && html.contains("170 × Thin device"), "{html}");
    assert!(
        html.contains("169 more are counted, not listed") && html.contains("2 more are counted"),
        "{html}"
    );
}

#[tokio::test(flavor = "current_thread")]
async fn several_hosts_can_be_chosen_and_one_alone_is_not_asked_for() {
    let one = open(sample::report());
    assert_eq!(count(&rendered(one.clone()).await, "host-select"), 0);
    let Screen::Open(bundle) = one else { panic!("not open") };
    let hosts = vec![Some("db<1>".into()), None];
    let several = Open { hosts, host: 1, ..Open::clone(&bundle) };
    let html = rendered(Screen::Open(Rc::new(several))).await;
    assert_eq!(count(&html, "host-select"), 1);
    assert!(html.contains("db&lt;1>") || html.contains("db&lt;1&gt;"), "{html}");
    assert!(html.contains(text::t().no_name) && html.contains("2 hosts"), "{html}");
}

fn line(host: &str) -> HostLine {
    let mut line = HostLine::unread("x.tar.gz", "", "", "");
    line.failure = None;
    line.status = Some(Status::Held);
    line.target = Some("container web".into());
    line.host.name = Some(host.into());
    line
}

#[tokio::test(flavor = "current_thread")]
async fn a_list_of_ten_thousand_hosts_makes_a_screenful_of_rows() {
    let lines = (0..10_000).map(|n| line(&format!("host-{n:05}"))).collect();
    let fleet = Rc::new(Fleet::of_archive(1, &file(), lines));
    let html = rendered_with(Screen::Hosts(None), Some(fleet)).await;
    let rows = count(&html, "host-row");
    assert!((10..100).contains(&rows), "{rows} rows");
    assert!(html.contains("aria-rowcount=\"10001\"") && html.contains("aria-rowindex=\"2\""), "{html}");
    assert!(html.contains("10000 hosts") && html.contains("host-00000"));
}

#[tokio::test(flavor = "current_thread")]
async fn a_bundle_that_was_not_read_is_a_row_with_what_to_do() {
    let bad = HostLine::unread("bad<1>.tar.gz", "no-proc", "There is <b>no host</b> in it.", "Ask again.");
    let fleet = Rc::new(Fleet::of_archive(1, &file(), vec![line("web1"), bad]));
    let html = rendered_with(Screen::Hosts(None), Some(fleet)).await;
    assert_eq!((count(&html, "host-row"), count(&html, "host-open"), count(&html, "mark")), (2, 1, 1));
    assert!(html.contains("Ask again. [no-proc]") && html.contains("&lt;b&gt;no host"), "{html}");
    assert!(html.find("web1") < html.find("bad&lt;1"), "it is last");
}

#[tokio::test(flavor = "current_thread")]
async fn the_comparison_answers_and_leads_to_both_reports() {
    let (a, b) = (sample::report(), sample::report());
    let mut diff = ebusy_analyzer::diff::of_reports(&a, &b);
    let leftover = sample::census().groups[0].leftovers[0].clone();
    let new = vec![LeftoverChange { holder: "httpd.service".into(), leftover }];
    diff.census = Some(CensusChanges { new_count: 4_000, new, ..CensusChanges::default() });
    let pair = [Place { bundle: 0, host: 0 }, Place { bundle: 1, host: 0 }];
    let comparing = Comparing { pair, diff: Some(Rc::new(diff.clone())) };
    let html = rendered(Screen::Comparing(Rc::new(comparing))).await;
    assert!(html.contains(&diff.summary), "{html}");
    assert_eq!((count(&html, "diff-side"), count(&html, "open-report")), (2, 2));
    assert_eq!(count(&html, "change"), diff.still.len());
    assert!(html.contains("New (4000)") && html.contains("3999 more are counted, not listed"), "{html}");
    let waiting = rendered(Screen::Comparing(Rc::new(Comparing { pair, diff: None }))).await;
    assert_eq!(count(&waiting, "cancel"), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn without_events_there_is_no_timeline() {
    let mut report = sample::report();
    report.timeline.clear();
    let html = rendered(open(report)).await;
    assert_eq!(count(&html, "timeline"), 0);
    assert!(!html.contains(text::t().timeline_title));
}

#[tokio::test(flavor = "current_thread")]
async fn effects_are_told_by_words_not_only_by_colour() {
    let mut report = sample::report();
    report.holders[1].effect = Effect::Holding;
    let html = rendered(open(report)).await;
    for word in ["Blocking", "Holding", "Unrelated"] {
        assert!(html.contains(word), "{word}");
    }
}

/// A heading with nothing below it but "as root on the host" stood there.
#[tokio::test(flavor = "current_thread")]
async fn where_a_holder_has_no_command_its_cause_is_told_in_its_place() {
    let mut report = sample::report();
    report.holders.truncate(1);
    report.holders[0].remedies.clear();
    report.holders[0].effect = Effect::Blocking;
    let summary = "The container is running; this is the mount that the runtime made for it.";
    report.holders[0].cause = Some(Cause { id: "container-running".into(), summary: summary.into() });
    let html = rendered(open(report.clone())).await;
    let remedies =
        html.split("class=\"section remedies\"").nth(1).and_then(|rest| rest.split("</ol>").next());
    assert!(
        remedies.is_some_and(|it| it.contains(summary) && !it.contains(text::t().one_way)),
        "{remedies:?}"
    );
    report.holders[0].cause = None;
    let html = rendered(open(report.clone())).await;
    let remedies =
        html.split("class=\"section remedies\"").nth(1).and_then(|rest| rest.split("</ol>").next());
    assert!(remedies.is_some_and(|it| it.contains(&report.holders[0].effect_reason)), "{remedies:?}");
}

#[tokio::test(flavor = "current_thread")]
async fn a_free_report_has_no_remedies_but_next_steps() {
    let mut report = sample::report();
    report.verdict.status = Status::Free;
    report.holders.clear();
    let html = rendered(open(report)).await;
    assert!(html.contains("data-status=\"free\"") && html.contains(">Free<"));
    assert!(html.contains(text::t().next_title) && !html.contains(text::t().remedies_title));
    assert!(html.contains("docker rm -f web"));
}

#[tokio::test(flavor = "current_thread")]
async fn what_a_bundle_brings_is_text() {
    let mut report = sample::report();
    let hostile = "\"><script>alert(1)</script><img src=x onerror=alert(1)>";
    report.target.name = Some(hostile.into());
    report.verdict.summary = hostile.into();
    report.host.name = Some(hostile.into());
    report.warnings[0].message = hostile.into();
    report.errors[0].line = hostile.into();
    for holder in &mut report.holders {
        holder.unit = Some(hostile.into());
        holder.effect_reason = hostile.into();
        for remedy in &mut holder.remedies {
            remedy.command = hostile.into();
        }
    }
    for lane in &mut report.namespaces {
        lane.label = hostile.into();
        lane.propagation = hostile.into();
    }
    let html = rendered(open(report)).await;
    assert!(html.contains("&lt;script"), "the text itself is shown");
    assert!(!html.contains("<script") && !html.contains("<img"), "{html}");
    assert!(html.contains("data-copy-text=\"&quot;"), "a quote does not end an attribute");
}

#[tokio::test(flavor = "current_thread")]
async fn two_hundred_namespaces_are_folded() {
    let html = rendered(open(sample::report_with(200))).await;
    assert!(html.contains("195 more like these"), "lanes");
    assert_eq!(count(&html, "lane"), 8, "host, daemon, five holders and the stack of the rest");
    assert!(count(&html, "holder") < 20, "{}", count(&html, "holder"));
    assert!(html.contains("200 holders"));
}

#[tokio::test(flavor = "current_thread")]
async fn while_the_first_answer_is_awaited_the_page_says_so() {
    let Screen::Open(bundle) = open(sample::report()) else { panic!("not open") };
    let waiting = Open { report: None, waiting: true, ..Open::clone(&bundle) };
    let html = rendered(Screen::Open(Rc::new(waiting))).await;
    assert!(html.contains("data-waiting=\"true\"") && html.contains(text::t().looking), "{html}");
}

#[tokio::test(flavor = "current_thread")]
async fn a_report_from_a_link_is_marked_and_says_what_it_lacks() {
    let Screen::Open(bundle) = open(sample::report()) else { panic!("not open") };
    let left_out = vec![LeftOut { part: Part::Timeline, count: 7 }];
    let replaced = vec![Replaced { kind: Kind::Host, different: 1, places: 4 }];
    let mut origin = Origin { source: Source::Link, left_out, replaced, inside: Inside::Nothing };
    let mut from = Open::clone(&bundle);
    from.given.origin = Some(Rc::new(origin.clone()));
    let html = rendered(Screen::Open(Rc::new(from.clone()))).await;
    assert!(html.contains("From a link, unverified"), "{html}");
    assert!(html.contains("7 events of the timeline") && html.contains("Host names (1)"), "{html}");

    origin.source = Source::File;
    from.given.origin = Some(Rc::new(origin));
    let html = rendered(Screen::Open(Rc::new(from))).await;
    assert!(html.contains("A saved report") && !html.contains("unverified"));
    assert_eq!(
        count(&rendered(Screen::Open(bundle)).await, "given"),
        0,
        "a bundle that was read here is not marked"
    );
}

/// yewstack/yew#4092 and the page's policy: see the rules in the crate's documentation. What is looked
/// for is split, so that this file does not find itself.
#[test]
fn the_rules_of_the_views_are_kept() {
    let banned = [
        concat!("html! ", "{}"),
        concat!("html!", "{}"),
        concat!("style", "="),
        concat!("from_html", "_unchecked"),
    ];
    let mut folders = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            seen += 1;
            let source = std::fs::read_to_string(&path).unwrap();
            for (number, line) in source.lines().enumerate().filter(|(_, line)| !line.contains("//!")) {
                for rule in banned {
                    assert!(!line.contains(rule), "{}:{}: {rule}", path.display(), number + 1);
                }
            }
        }
    }
    assert!(seen > 20, "only {seen} files were looked at");
}
