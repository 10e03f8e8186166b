//! Several bundles in the page: the list of hosts, two of one host, an archive of several.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

mod support;

use ebusy_tests::demo;
use ebusy_tests::harness::wait_until;
use ebusy_tests::synth::{Entry, Host, Run, gzip, tar};
use support::page::Page;

fn demo_host(name: &str) -> Host {
    let mut host = demo::host();
    host.name = name.into();
    host
}

fn calm(name: &str) -> Host {
    let mut host = Host::new(name, "6.1.0-50-amd64");
    host.docker_devicemapper("20.10.24");
    host.run(&Run::new("web", "nginx:1.13"));
    host
}

fn wait_for_all(page: &Page) {
    wait_until("all bundles are read", || {
        let fleet = page.browser.all("[data-test=fleet]").into_iter().next()?;
        (page.browser.attribute(&fleet, "data-over").as_deref() == Some("true")).then_some(())
    });
}

fn names(page: &Page) -> Vec<String> {
    page.browser.all("[data-test=host-row] th").iter().map(|cell| page.browser.text(cell)).collect()
}

/// Looks at it at every width and in both colours.
fn screenshots(page: &Page, name: &str) {
    for (width, scheme) in [(360, "light"), (1280, "dark"), (1600, "light")] {
        page.browser.look(width, scheme);
        let wide = page.browser.script("return document.documentElement.scrollWidth - window.innerWidth");
        assert!(wide.as_i64().is_some_and(|wide| wide <= 0), "{wide} pixels too wide at {width}");
        page.screenshot(&format!("{name}-{width}-{scheme}"));
    }
    page.browser.look(1280, "light");
}

#[test]
fn bundles_given_together_are_a_list_worst_first_and_each_can_be_opened() {
    const TEST: &str = "page_fleet::bundles_given_together_are_a_list_worst_first_and_each_can_be_opened";
    let Some(page) = Page::open(TEST) else { return };
    page.give_all(&[
        ("1.tar.gz", calm("calm1").bundle()),
        ("2.tar.gz", b"this is no bundle".to_vec()),
        ("3.tar.gz", demo_host("web1").bundle()),
        ("4.tar.gz", calm("calm2").bundle()),
        ("5.tar.gz", demo_host("web2").bundle()),
    ]);
    wait_for_all(&page);
    assert_eq!(names(&page), ["web1", "web2", "calm1", "calm2", "2.tar.gz"]);
    let summary = page.text("fleet-summary");
    assert!(summary.contains("2 of 4 hosts") && summary.contains("1 bundle could not be read"), "{summary}");
    screenshots(&page, "fleet");

    // What they have in common leads to the hosts that have it.
    let common: Vec<String> =
        page.browser.all("[data-test=common-holder]").iter().map(|it| page.browser.text(it)).collect();
    assert!(
        common.iter().any(|it| it.contains("httpd.service") && it.contains("2 of 4 hosts")),
        "{common:?}"
    );
    page.browser.type_into(&page.element("fleet-filter"), "httpd");
    wait_until("the filter has its effect", || (names(&page) == ["web1", "web2"]).then_some(()));

    page.click("host-open");
    assert_eq!(page.verdict_with("shop-frontend"), "held");
    assert!(page.browser.text(&page.browser.wait_for(".host")).contains("web1"));
    page.click("all-hosts");
    wait_until("the list is back", || (!page.browser.all("[data-test=host-row]").is_empty()).then_some(()));
    page.click("close");
    page.element("start");
    page.assert_quiet();
}

#[test]
fn two_bundles_of_one_host_are_compared() {
    let Some(page) = Page::open("page_fleet::two_bundles_of_one_host_are_compared") else { return };
    let host = demo_host("web1");
    let mut later = host.clone();
    later.wait(600);
    let httpd: Vec<u32> = later.processes.values().filter(|it| it.comm == "httpd").map(|it| it.pid).collect();
    httpd.iter().for_each(|pid| later.kill(*pid));
    let (before, after) = (host.bundle(), later.bundle());
    // In whatever order they are given.
    page.give_all(&[("a.tar.gz", after.clone()), ("b.tar.gz", before.clone())]);
    let summary = page.element("diff-summary");
    let [a, b] = [&before, &after].map(|bundle| support::open(bundle).expect("it opens"));
    let diff = ebusy_analyzer::diff::compare(&a, &b, None).diff;
    assert!(page.browser.text(&summary).contains(&diff.summary), "the page says what the analyzer says");
    let shown = |list: &str| page.browser.all(&format!("[data-test=diff-{list}] [data-test=change]")).len();
    assert_eq!(
        (shown("still"), shown("new"), shown("gone")),
        (diff.still.len(), diff.new.len(), diff.gone.len())
    );
    assert!(!diff.gone.is_empty() && !diff.still.is_empty(), "httpd is gone, cadvisor is not");
    screenshots(&page, "diff");
    // The later one's report, and back to the list, which does not lead here again by itself.
    let buttons = page.browser.all("[data-test=open-report]");
    page.browser.click(buttons.last().expect("there are two"));
    let verdict = page.verdict_with("shop-frontend");
    assert_eq!(verdict, "held", "by cadvisor");
    page.click("all-hosts");
    wait_for_all(&page);
    assert_eq!(page.browser.all("[data-test=host-row]").len(), 2);
    // Both are still chosen.
    page.click("compare");
    page.element("diff-summary");
    page.assert_quiet();
}

#[test]
fn an_archive_of_several_hosts_is_the_same_list() {
    let Some(page) = Page::open("page_fleet::an_archive_of_several_hosts_is_the_same_list") else { return };
    let members = [("calm", calm("calm").bundle()), ("web1", demo_host("web1").bundle())];
    let entries: Vec<Entry> =
        members.into_iter().map(|(name, bundle)| Entry::file(format!("{name}.tar.gz"), bundle)).collect();
    page.give("case-4711.tar.gz", &gzip(&tar("case-4711", 0, &entries)));
    wait_for_all(&page);
    assert_eq!(names(&page), ["web1", "calm"]);
    let rows = page.browser.all("[data-test=host-open]");
    page.browser.click(&rows[1]);
    wait_until("the other host is looked at", || {
        let host = page.browser.all(".host").into_iter().next()?;
        page.browser.text(&host).contains("calm").then_some(())
    });
    page.assert_quiet();
}

#[test]
fn reading_many_can_be_stopped_and_what_is_known_stays() {
    let Some(page) = Page::open("page_fleet::reading_many_can_be_stopped_and_what_is_known_stays") else {
        return;
    };
    let big = page.dir.join("big.tar");
    support::write_big_bundle(&big, 300 << 20);
    let small = page.dir.join("small.tar.gz");
    std::fs::write(&small, demo::bundle()).expect("a file can be written");
    let paths = [&big, &small, &small].map(|path| path.to_string_lossy().into_owned()).join("\n");
    page.browser.type_into(&page.element("file-input"), &paths);
    wait_until("the small ones are there", || (names(&page).len() == 2).then_some(()));
    page.screenshot("fleet-reading");
    page.click("fleet-stop");
    wait_for_all(&page);
    assert_eq!(names(&page).len(), 2, "what was read is still listed");
    page.assert_quiet();
}

#[test]
fn ten_thousand_containers_are_a_screenful_of_rows_that_a_filter_finds() {
    const TEST: &str = "page_fleet::ten_thousand_containers_are_a_screenful_of_rows_that_a_filter_finds";
    let Some(page) = Page::open(TEST) else { return };
    // As `docker ps -a` prints them.
    let mut list = String::from("CONTAINER ID   IMAGE   COMMAND   CREATED   STATUS   PORTS   NAMES\n");
    for n in 0..10_000 {
        list += &format!("{n:012x}   app:{}   \"sleep\"   2 days ago   Up 2 days       job-{n}\n", n % 7);
    }
    let entries = [
        Entry::file("proc/1/mountinfo", calm("x").mounts.mountinfo(calm("x").ns, "/")),
        Entry::file("proc/1/comm", "systemd\n"),
        Entry::file("sos_commands/docker/docker_ps_-a", list),
    ];
    page.give("many.tar.gz", &gzip(&tar("host", 0, &entries)));
    page.click("tab-containers");
    let table = page.browser.wait_for("[data-test=containers] table");
    assert_eq!(page.browser.attribute(&table, "aria-rowcount").as_deref(), Some("10001"));
    let rows = || page.browser.all("[data-test=container-row]").len();
    assert!((5..100).contains(&rows()), "{} rows", rows());
    // Scrolled to its end, the last one is there.
    page.browser.script("const it = document.querySelector('.virtual'); it.scrollTop = it.scrollHeight");
    page.browser.wait_for("[data-test=container-row][aria-rowindex='10001']");
    assert!(rows() < 100, "{} rows", rows());
    page.browser.type_into(&page.element("container-filter"), "job-777 app:0");
    wait_until("only what fits is listed", || {
        let shown = page.browser.all("[data-test=container-row]");
        // 777, 7770 and 7777.
        (shown.len() == 3).then_some(())
    });
    screenshots(&page, "containers");
    page.assert_quiet();
}
