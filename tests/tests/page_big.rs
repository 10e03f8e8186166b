//! A big bundle: the page stays quick while it is read, says how far it is, and can be stopped.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

mod support;

use ebusy_tests::harness::wait_until;
use ebusy_tests::synth::{Host, Run, Sandbox};
use ebusy_tests::webdriver::Engine;
use support::page::Page;

/// Longest task of the page's thread in milliseconds that a user does not feel (the Long Tasks API's own limit).
const LONG: f64 = 50.0;

/// So many times it is tried: a machine with other work stretches short tasks, but not each time. What is long by
/// itself is long every time.
const TRIES: usize = 3;

#[test]
fn no_task_of_the_page_is_long_while_a_big_bundle_is_read() {
    const TEST: &str = "page_big::no_task_of_the_page_is_long_while_a_big_bundle_is_read";
    let Some(page) = Page::open_in(TEST, Engine::Chromium, false) else { return };
    let path = page.dir.join("big.tar");
    support::write_big_bundle(&path, 200 << 20);
    page.browser.script(
        "window.ebusyLong = []; new PerformanceObserver(list => list.getEntries().forEach(it => \
         ebusyLong.push(it.duration))).observe({ entryTypes: ['longtask'] })",
    );
    // What the driver's own questions take on the page's thread is no work of the page: the page is left alone, and
    // notes by itself when it is done and what it has shown meanwhile.
    page.browser.script(
        "window.ebusySeen = []; new MutationObserver(() => { \
           const name = id => document.querySelector('[data-test=' + id + ']'); \
           const progress = name('progress'); if (progress) ebusySeen.push(+progress.dataset.percent); \
           const verdict = name('verdict'); \
           if (verdict && verdict.dataset.waiting === 'false' && name('census')) window.ebusyDone = true; \
         }).observe(document.querySelector('#app'), { subtree: true, childList: true, attributes: true, characterData: true })",
    );
    let mut long = Vec::new();
    for _ in 0..TRIES {
        page.browser.script("window.ebusyLong = []; window.ebusySeen = []; window.ebusyDone = false");
        page.give_path(&path);
        wait_until("the big bundle is read", || {
            std::thread::sleep(std::time::Duration::from_millis(200));
            page.browser.script("return window.ebusyDone === true").as_bool().filter(|done| *done)
        });
        let seen = page.browser.script("return ebusySeen");
        let seen: Vec<f64> =
            seen.as_array().into_iter().flatten().filter_map(serde_json::Value::as_f64).collect();
        assert!(seen.len() > 10 && seen.is_sorted(), "progress moves, and only forward: {seen:?}");
        let tasks = page.browser.script("return ebusyLong");
        let longest =
            tasks.as_array().into_iter().flatten().filter_map(serde_json::Value::as_f64).fold(0.0, f64::max);
        long.push(longest);
        page.click("close");
        page.element("start");
        if longest <= LONG {
            return;
        }
    }
    panic!("the longest tasks, in milliseconds: {long:?}");
}

/// As many as a report may list by name, and a screen can show, are elements; all are counted.
#[test]
fn ten_thousand_processes_of_a_holder_are_a_page_of_usual_size() {
    const TEST: &str = "page_big::ten_thousand_processes_of_a_holder_are_a_page_of_usual_size";
    let Some(page) = Page::open(TEST) else { return };
    let mut host = Host::new("big1", "3.10.0-514.el7.x86_64");
    host.docker_devicemapper("17.05.0-ce");
    let web = host.run(&Run::new("web", "nginx:1.13"));
    host.wait(5);
    host.service("workers.service", &["/usr/sbin/worker", "--queue"], 10_000, Sandbox::MountFlagsPrivate);
    host.wait(60);
    host.stop(&web);
    host.set_state(&web, "dead");
    host.docker_log(&web.device_is_busy());
    page.give("big1.tar.gz", &host.bundle());
    assert_eq!(page.verdict_with("workers.service"), "held");
    let card = page.browser.text(&page.element("holder"));
    assert!(card.contains("and 9992 more"), "{card}");
    let elements = || page.browser.script("return document.querySelectorAll('#app *').length").as_u64();
    page.element("census");
    assert!(elements().is_some_and(|count| count < 2500), "{:?} elements", elements());
    // Everything that folds, unfolded.
    page.browser.script("document.querySelectorAll('button.fold').forEach(it => it.click())");
    wait_until("all is unfolded", || page.browser.all("button.fold").is_empty().then_some(()));
    assert!(elements().is_some_and(|count| count < 5000), "{:?} elements", elements());
    page.assert_quiet();
}

/// The memory of a WebAssembly module never shrinks: only the end of its worker gives it back.
#[test]
fn a_closed_bundle_leaves_no_worker_but_the_spare_one() {
    const TEST: &str = "page_big::a_closed_bundle_leaves_no_worker_but_the_spare_one";
    let Some(page) = Page::before(TEST, Engine::Chromium, None) else { return };
    let count = "window.ebusyWorkers = 0; const Real = Worker; window.Worker = class extends Real { \
        constructor(...all) { super(...all); ebusyWorkers++ } terminate() { ebusyWorkers--; super.terminate() } }";
    page.browser.devtools("Page.addScriptToEvaluateOnNewDocument", &serde_json::json!({ "source": count }));
    let Some(file) = ebusy_tests::harness::need_path(TEST, "EBUSY_PAGE") else { return };
    let page = page.go_to(&format!("file://{}", file.display()));
    let workers = |wanted: u64| {
        wait_until(&format!("there are {wanted} workers"), || {
            (page.browser.script("return ebusyWorkers").as_u64() == Some(wanted)).then_some(())
        });
    };
    workers(1);
    page.click("demo-button");
    page.verdict_with("shop-frontend");
    // The warm one was taken, and there is a new one.
    workers(2);
    page.click("close");
    page.element("start");
    workers(1);
}
