//! What goes wrong with the page itself: never a blank page, always a code, what happened, whose fault it is and what
//! to do; and a way on.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

mod support;

use ebusy_tests::demo;
use ebusy_tests::harness::{need_path, wait_until};
use ebusy_tests::webdriver::Engine;
use serde_json::json;
use support::page::{Page, Server};

/// The page's file with a change, in a browser that ran `script` before anything of the page.
fn broken(test: &str, change: impl Fn(String) -> String, script: &str) -> Option<Page> {
    let file = need_path(test, "EBUSY_PAGE")?;
    let page = Page::before(test, Engine::Chromium, None)?;
    let html = change(std::fs::read_to_string(file).expect("the page can be read"));
    let path = page.dir.join("page.html");
    std::fs::write(&path, html).expect("a file can be written");
    if !script.is_empty() {
        page.browser.devtools("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": script }));
    }
    page.browser.open(&format!("file://{}", path.display()));
    Some(page)
}

/// The shell's failure screen says all that it has to, and its text can be copied.
fn assert_tells(page: &Page, code: &str, words: &[&str]) {
    let screen = page.browser.wait_for(&format!("#ebusy-failure[data-code={code}]"));
    assert!(page.browser.displayed(&screen));
    let text = page.browser.text(&screen);
    for word in words.iter().chain(&["ebusy analyze BUNDLE.tar.gz", code]) {
        assert!(text.contains(word), "{word:?} is missing in: {text}");
    }
    page.browser.click(&page.browser.wait_for("#ebusy-failure-copy"));
    wait_until("the details are copied or selected", || {
        let said = page.browser.text(&page.browser.wait_for("#ebusy-failure-copy"));
        (said == "Copied" || said.starts_with("Selected")).then_some(())
    });
    page.screenshot(&format!("failure-{code}"));
}

#[test]
fn a_page_without_its_module_says_that_it_is_damaged() {
    const TEST: &str = "page_failures::a_page_without_its_module_says_that_it_is_damaged";
    let cut = |html: String| {
        let (before, rest) = html.split_once("id=\"ebusy-wasm\">").expect("the page has a module");
        let (_, after) = rest.split_once("</script>").expect("its element ends");
        format!("{before}id=\"ebusy-wasm\"></script>{after}")
    };
    let Some(page) = broken(TEST, cut, "") else { return };
    assert_tells(&page, "damaged-page", &["cannot start", "changed or cut off", "checksum"]);
}

#[test]
fn a_page_with_another_letter_in_its_module_says_that_it_is_damaged() {
    const TEST: &str = "page_failures::a_page_with_another_letter_in_its_module_says_that_it_is_damaged";
    let change = |mut html: String| {
        let module = html.find("id=\"ebusy-wasm\">").expect("the page has a module");
        let at = module + 100_000;
        let other = if &html[at..=at] == "A" { "B" } else { "A" };
        html.replace_range(at..=at, other);
        html
    };
    let Some(page) = broken(TEST, change, "") else { return };
    assert_tells(&page, "damaged-page", &["cannot start", "changed or cut off"]);
}

#[test]
fn a_page_that_was_cut_off_says_that_it_is_damaged() {
    const TEST: &str = "page_failures::a_page_that_was_cut_off_says_that_it_is_damaged";
    let cut = |html: String| html[..html.len() / 2].to_owned();
    let Some(page) = broken(TEST, cut, "") else { return };
    assert_tells(&page, "damaged-page", &["cannot start", "get it again"]);
}

#[test]
fn a_browser_that_lacks_something_is_told_what_and_which_ones_work() {
    const TEST: &str = "page_failures::a_browser_that_lacks_something_is_told_what_and_which_ones_work";
    for name in ["WebAssembly", "Blob", "BigInt", "Worker"] {
        let Some(page) = broken(TEST, |html| html, &format!("delete window.{name}")) else { return };
        assert_tells(&page, "browser-too-old", &[name, "Firefox", "Safari"]);
    }
}

#[test]
fn scripts_that_a_policy_blocks_leave_a_text_that_says_so() {
    const TEST: &str = "page_failures::scripts_that_a_policy_blocks_leave_a_text_that_says_so";
    let Some(file) = need_path(TEST, "EBUSY_PAGE") else { return };
    let server = Server::with_policy(&file, "script-src 'none'");
    let Some(page) = Page::before(TEST, Engine::Chromium, None) else { return };
    page.browser.open(&format!("http://{}/", server.address));
    let text = wait_until("the page tells why nothing happens", || {
        let text = page.browser.text(&page.browser.wait_for("#ebusy-stuck"));
        text.contains("Nothing happens?").then_some(text)
    });
    assert!(text.contains("scripts-blocked") && text.contains("ebusy analyze"), "{text}");
    page.screenshot("failure-scripts-blocked");
}

#[test]
fn a_browser_that_starts_no_worker_is_named_as_the_cause() {
    const TEST: &str = "page_failures::a_browser_that_starts_no_worker_is_named_as_the_cause";
    let refuse = "window.Worker = class { constructor() { throw new Error('workers are switched off') } }";
    let Some(page) = broken(TEST, |html| html, refuse) else { return };
    page.click("demo-button");
    let failure = page.element("failure");
    assert_eq!(page.browser.attribute(&failure, "data-code").as_deref(), Some("no-worker"));
    let text = page.browser.text(&failure);
    assert!(text.contains("workers are switched off") && text.contains("the browser"), "{text}");
    page.element("demo-button");
}

/// Has the worker's memory full before anything is read.
const FULL: &str = "const Real = Blob; window.Blob = class extends Real { constructor(parts, options) { \
    super((parts || []).map(part => typeof part !== 'string' || window.ebusyTestHealthy ? part : part.replace( \
    'wasm_bindgen.initSync({ module: event.data });', \
    'var memory = wasm_bindgen.initSync({ module: event.data }).memory; \
     try { while (true) memory.grow(64); } catch (full) {} try { while (true) memory.grow(1); } catch (full) {}' \
    )), options) } }";

#[test]
fn a_worker_without_memory_ends_with_a_reason_and_the_page_goes_on() {
    const TEST: &str = "page_failures::a_worker_without_memory_ends_with_a_reason_and_the_page_goes_on";
    let Some(page) = broken(TEST, |html| html, FULL) else { return };
    page.element("start");
    let path = page.dir.join("big.tar");
    support::write_big_bundle(&path, 8 << 20);
    page.give_path(&path);
    let failure = page.element("failure");
    assert_eq!(page.browser.attribute(&failure, "data-code").as_deref(), Some("worker-crashed"));
    let text = page.browser.text(&failure);
    assert!(text.contains("ebusy command") && text.contains("not about the file"), "{text}");
    page.screenshot("failure-worker");
    // A list goes on beside it, too: each bundle has a row that says so.
    page.give_all(&[("a.tar.gz", demo::bundle()), ("b.tar.gz", demo::bundle())]);
    wait_until("the list is complete", || {
        let fleet = page.browser.all("[data-test=fleet]").into_iter().next()?;
        (page.browser.attribute(&fleet, "data-over").as_deref() == Some("true")).then_some(())
    });
    assert_eq!(page.browser.all("[data-test=host-row]").len(), 2);
}

#[test]
fn a_panic_of_the_page_leaves_its_text_and_says_whose_fault_it_is() {
    const TEST: &str = "page_failures::a_panic_of_the_page_leaves_its_text_and_says_whose_fault_it_is";
    let Some(page) = Page::open(TEST) else { return };
    page.click("demo-button");
    page.verdict_with("shop-frontend");
    let search = page.element("search-input");
    page.browser.type_into(&search, "shop-f");
    page.element("suggestion");
    // An extension, maybe, takes away what the page is about to put something else in front of.
    page.browser.script("document.querySelector('#search-list').replaceChildren()");
    page.browser.type_into(&search, &"\u{e003}".repeat(6));
    assert_tells(
        &page,
        "page-stopped",
        &["a fault in ebusy, not in your bundle", "did not leave this browser"],
    );
    let rest = page.browser.text(&page.browser.wait_for("#app"));
    assert!(rest.contains("shop-frontend"), "what was shown can still be read");
}
