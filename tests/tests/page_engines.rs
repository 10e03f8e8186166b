//! The page's main ways in three engines, opened from a file and served: start, demo, a bundle, a report, text, and
//! no request to anywhere.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

mod support;

use ebusy_tests::demo;
use ebusy_tests::harness::wait_until;
use ebusy_tests::webdriver::Engine;
use support::page::Page;

fn main_ways(test: &str, engine: Engine, hosted: bool) {
    let Some(page) = Page::open_in(test, engine, hosted) else { return };
    let report = support::ask_default(&demo::bundle());
    page.click("demo-button");
    assert_eq!(page.verdict_with("shop-frontend"), "held");
    assert!(page.text("verdict").contains(&report.verdict.summary), "the page says what the analyzer says");
    assert!(page.browser.displayed(&page.element("picture")));
    page.screenshot(&format!("{}-{}", engine.name(), if hosted { "hosted" } else { "file" }));

    page.click("tab-census");
    let census = support::open(&demo::bundle()).expect("the demo opens").census();
    assert_eq!(page.text("census-summary"), census.summary);

    // A file of the disk, two at once, and the way back.
    page.click("close");
    page.give("web1.tar.gz", &demo::bundle());
    assert_eq!(page.verdict_with("shop-frontend"), "held");
    page.search("nightly-report");
    assert_eq!(page.verdict_with("log-shipper"), "held");
    let mut other = demo::host();
    other.name = "web2".into();
    page.give_all(&[("a.tar.gz", demo::bundle()), ("b.tar.gz", other.bundle())]);
    wait_until("both are read", || {
        let fleet = page.browser.all("[data-test=fleet]").into_iter().next()?;
        (page.browser.attribute(&fleet, "data-over").as_deref() == Some("true")).then_some(())
    });
    assert_eq!(page.browser.all("[data-test=host-row]").len(), 2);

    page.click("close");
    page.browser.type_lines(&page.element("paste-input"), support::PASTED);
    let typed = page.browser.script("return document.querySelector('[data-test=paste-input]').value");
    assert_eq!(typed, support::PASTED);
    page.click("paste-submit");
    assert_eq!(page.verdict_with("89f5c1a2b3d4"), "held");
    page.assert_quiet();
}

#[test]
fn firefox_from_a_file() {
    main_ways("page_engines::firefox_from_a_file", Engine::Firefox, false);
}

#[test]
fn firefox_hosted() {
    main_ways("page_engines::firefox_hosted", Engine::Firefox, true);
}

/// There no worker may read a file: the page reads it and hands the pieces over.
#[test]
fn webkit_from_a_file() {
    main_ways("page_engines::webkit_from_a_file", Engine::WebKit, false);
}

#[test]
fn webkit_hosted() {
    main_ways("page_engines::webkit_hosted", Engine::WebKit, true);
}

#[test]
fn chromium_hosted() {
    main_ways("page_engines::chromium_hosted", Engine::Chromium, true);
}
