//! The page's main ways in three engines, opened from a file and served: start, demo, a bundle, a report, text, and
//! no request to anywhere.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

mod support;

use ebusy_analyzer::report::link;
use ebusy_analyzer::report::saved::{Saved, SavedBundle, write_whole};
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
    shared_ways(&page);
    page.assert_quiet();
}

/// A link and a saved page, made by the page itself and opened in the same browser.
fn shared_ways(page: &Page) {
    page.click("close");
    page.click("demo-button");
    page.verdict_with("shop-frontend");
    page.click("share");
    let output = || page.browser.text(&page.browser.wait_for("[data-test=share-result]"));
    let link = wait_until("there is a link", || Some(output()).filter(|text| text.contains("#r=1.")));
    let fragment = link.trim().split('#').nth(1).expect("a link has a fragment").to_owned();
    // The address changes, the page stays: it shows what the link says.
    page.browser.open(&format!("{}#{fragment}", page.url));
    page.verdict_with("container-1");
    let given = page.element("given");
    assert_eq!(page.browser.attribute(&given, "data-source").as_deref(), Some("link"));
    // And as somebody gets it: a new page.
    page.browser.open("about:blank");
    page.browser.open(&format!("{}#{fragment}", page.url));
    page.verdict_with("container-1");
    page.element("given");

    let bundle = demo::bundle();
    let report = support::ask_default(&bundle);
    let shared = link::Shared { report, left_out: Vec::new(), replaced: Vec::new() };
    let inside = SavedBundle { name: "web1.tar.gz".into(), host: 0, about: link::About::Default };
    let source = std::fs::read_to_string(&page.file).expect("the page can be read");
    let html = write_whole(&source, &Saved { shared, bundle: Some(inside) }, &bundle).expect("it is a page");
    let saved = page.dir.join("saved.html");
    std::fs::write(&saved, html).expect("a file can be written");
    page.browser.open(&format!("file://{}", saved.display()));
    page.verdict_with("shop-frontend");
    wait_until("the bundle takes the place of the saved report", || (!page.has("given")).then_some(()));
    page.search("nightly-report");
    assert_eq!(page.verdict_with("log-shipper"), "held");
    page.browser.open(&page.url);
    page.element("start");
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
