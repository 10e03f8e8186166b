//! Whole screens, rendered to text natively: what a user would read is there, what a bundle brings is
//! text and nothing else, and the rules of the views are kept.

use super::*;
use crate::sample;
use crate::state::{Failed, FileInfo, Open, Reading};
use crate::worker::protocol::Failure;
use ebusy_analyzer::report::{Effect, Report, Status};
use std::rc::Rc;

async fn rendered(screen: Screen) -> String {
    let state = State { opening: 1, screen, dragging: false };
    let props = move || PageProps {
        state,
        open: Callback::noop(),
        ask: Callback::noop(),
        choose: Callback::noop(),
        close: Callback::noop(),
        demo: Callback::noop(),
    };
    yew::LocalServerRenderer::<Page>::with_props(props()).hydratable(false).render().await
}

fn file() -> Rc<FileInfo> {
    Rc::new(FileInfo { name: "web1.tar.gz".into(), size: 2048, of: 1 })
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
    let html = rendered(Screen::Reading(Reading { file: file(), bytes: 512, entries: 3 })).await;
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
    assert!(html.contains("Show 192 more"), "lanes");
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
