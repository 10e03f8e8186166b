//! Pages with bundles inside: as the collector writes one on the host, and as `ebusy fleet` writes one of many hosts.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

mod support;

use ebusy_tests::demo;
use ebusy_tests::harness::{TempDir, need_path, output, run, wait_until};
use ebusy_tests::webdriver::Engine;
use std::path::Path;
use std::process::Command;
use support::page::Page;

/// The page in that file, opened from the disk.
fn open(test: &str, file: &Path) -> Option<Page> {
    let mut page = Page::before(test, Engine::Chromium, None)?;
    page.url = format!("file://{}", file.display());
    page.browser.open(&page.url);
    Some(page)
}

#[test]
fn a_page_that_the_collector_wrote_opens_with_the_verdict() {
    const TEST: &str = "page_inside::a_page_that_the_collector_wrote_opens_with_the_verdict";
    let Some(collector) = need_path(TEST, "EBUSY_COLLECTOR_HTML") else { return };
    let dir = TempDir::new("inside");
    let packed = dir.join("demo.tar.gz");
    std::fs::write(&packed, demo::bundle()).expect("a file can be written");
    run(Command::new("tar").args(["xzf", "demo.tar.gz"]).current_dir(dir.join("")));
    let host = dir.join(demo::host().top());
    let logs = std::fs::read_dir(host.join("logs")).expect("the demo has logs");
    let file = dir.join("host.html");
    let mut command = Command::new(collector);
    command.arg("--root").arg(&host).arg("--html").arg(&file);
    for log in logs.flatten() {
        command.arg("--log").arg(log.path());
    }
    let done = output(&mut command);
    let told = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() && told.contains("host.html"), "{told}");

    let Some(page) = open(TEST, &file) else { return };
    assert_eq!(page.verdict_with("httpd"), "held");
    let name = page.browser.text(&page.browser.wait_for(".file-name"));
    assert!(name.starts_with("ebusy-web1-") && name.ends_with(".tar.gz"), "{name}");
    page.screenshot("from-collector");
    page.assert_quiet();

    // The way back to a bundle: the element holds it, byte for byte a gzip'd tar.
    let html = std::fs::read_to_string(&file).expect("it is text");
    assert_eq!(html.matches("class=\"ebusy-bundle\"").count(), 1);
    assert!(html.trim_end().ends_with("</html>"));
}

#[test]
fn a_collector_without_the_page_says_which_one_has_it() {
    const TEST: &str = "page_inside::a_collector_without_the_page_says_which_one_has_it";
    let Some(collector) = need_path(TEST, "EBUSY_COLLECTOR") else { return };
    let dir = TempDir::new("inside");
    let refused = Command::new(collector)
        .args(["--html", "host.html"])
        .current_dir(dir.join(""))
        .output()
        .expect("the collector starts");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(2) && said.contains("ebusy-collector-html"), "{said}");
    assert!(!dir.join("host.html").exists());
}

#[test]
fn a_bundle_and_a_page_at_once_are_refused_rather_than_one_left_out() {
    const TEST: &str = "page_inside::a_bundle_and_a_page_at_once_are_refused_rather_than_one_left_out";
    let Some(collector) = need_path(TEST, "EBUSY_COLLECTOR_HTML") else { return };
    let dir = TempDir::new("inside");
    for words in [["--html", "a.html", "-o", "a.tar.gz"], ["--output", "a.tar.gz", "--html", "a.html"]] {
        let refused = output(Command::new(&collector).args(words).current_dir(dir.path()));
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(
            refused.status.code() == Some(2) && said.contains("the page has the bundle inside"),
            "{said}"
        );
    }
    assert_eq!(std::fs::read_dir(dir.path()).expect("it is there").count(), 0);
}

#[test]
fn a_fleet_in_one_page_is_the_list_of_hosts_and_each_can_be_opened() {
    const TEST: &str = "page_inside::a_fleet_in_one_page_is_the_list_of_hosts_and_each_can_be_opened";
    let Some(ebusy) = need_path(TEST, "EBUSY_BIN") else { return };
    let dir = TempDir::new("inside");
    let mut other = demo::host();
    other.name = "web2".into();
    std::fs::write(dir.join("one.tar.gz"), demo::bundle()).expect("a file can be written");
    std::fs::write(dir.join("\"><b>.tar.gz"), other.bundle()).expect("a file can be written");
    std::fs::write(dir.join("not.tar.gz"), "no archive").expect("a file can be written");
    let html =
        run(Command::new(ebusy).arg("fleet").arg(dir.join("")).args(["--format", "html", "--with-bundle"]));
    let file = dir.join("fleet.html");
    std::fs::write(&file, html).expect("a file can be written");

    let Some(page) = open(TEST, &file) else { return };
    wait_until("all bundles are read", || {
        let fleet = page.browser.all("[data-test=fleet]").into_iter().next()?;
        (page.browser.attribute(&fleet, "data-over").as_deref() == Some("true")).then_some(())
    });
    let names: Vec<String> =
        page.browser.all("[data-test=host-row] th").iter().map(|it| page.browser.text(it)).collect();
    assert_eq!(names, ["web1", "web2", "not.tar.gz"]);
    // A bundle that is no archive is a row and no host.
    assert_eq!(page.text("fleet-title"), "2 hosts");
    assert_eq!(page.text("fleet-count"), "3 rows");
    page.browser.click(&page.browser.all("[data-test=host-open]")[1]);
    assert_eq!(page.verdict_with("shop-frontend"), "held");
    let name = page.browser.text(&page.browser.wait_for(".file-name"));
    assert_eq!(name, "\"><b>.tar.gz");
    page.assert_quiet();
}
