//! Many bundles one after another in one tab: each has a worker of its own, and its memory goes with it.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

mod support;

use ebusy_tests::harness::{need_path, wait_until};
use ebusy_tests::synth::{Driver, Host, Run};
use ebusy_tests::webdriver::Engine;
use serde_json::json;
use std::collections::BTreeMap;
use std::fs;
use support::page::Page;

/// After so many everything is warm: code is compiled, caches are full.
const WARM: u64 = 20;
const BUNDLES: u64 = 200;
/// A worker takes some MiB: 180 that stay would be far above.
const MOST_GROWTH: u64 = 128 << 20;

fn bundle() -> Vec<u8> {
    let mut host = Host::new("web1", "3.10.0-514.el7.x86_64");
    let ns = host.ns;
    host.docker_in(Driver::DeviceMapper, "17.05.0-ce", ns);
    let web = host.run(&Run::new("web", "nginx:1.13"));
    host.run(&Run::new("agent", "cadvisor").volume("/", "/rootfs"));
    host.stop(&web);
    host.docker_log(&web.device_is_busy());
    host.bundle()
}

/// Gives the page the same bundle again and again, and closes it when its report is there.
const LOOP: &str = "window.ebusyRead = 0; \
    const file = new File([new Uint8Array(BYTES)], 'web1.tar.gz'); \
    const find = name => document.querySelector('[data-test=' + name + ']'); \
    const there = condition => new Promise(done => { \
        const look = () => { if (condition()) { seen.disconnect(); done(); } }; \
        const seen = new MutationObserver(look); \
        seen.observe(document.body, { subtree: true, childList: true, attributes: true }); look(); }); \
    window.ebusyGo = async until => { while (ebusyRead < until) { \
        const input = find('file-input'), given = new DataTransfer(); \
        given.items.add(file); input.files = given.files; \
        input.dispatchEvent(new Event('change', { bubbles: true })); \
        await there(() => find('verdict') && find('verdict').dataset.status === 'held' && find('verdict').dataset.waiting === 'false'); \
        find('close').click(); \
        await there(() => find('start')); \
        ebusyRead++; } }; ebusyGo(WARM)";

#[test]
fn two_hundred_bundles_one_after_another_leave_nothing_behind() {
    const TEST: &str = "page_load::two_hundred_bundles_one_after_another_leave_nothing_behind";
    let Some(page) = Page::before(TEST, Engine::Chromium, None) else { return };
    let count = "window.ebusyWorkers = 0; const Real = Worker; window.Worker = class extends Real { \
        constructor(...all) { super(...all); ebusyWorkers++ } terminate() { ebusyWorkers--; super.terminate() } }";
    page.browser.devtools("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": count }));
    let Some(file) = need_path(TEST, "EBUSY_PAGE") else { return };
    let page = page.go_to(&format!("file://{}", file.display()));
    let script = LOOP.replace("BYTES", &json!(bundle()).to_string()).replace("WARM", &WARM.to_string());
    page.browser.script(&script);
    let warm = measured(&page, WARM);
    page.browser.script(&format!("ebusyGo({BUNDLES})"));
    let end = measured(&page, BUNDLES);
    println!("after {WARM} and after {BUNDLES} bundles: {warm:?}, {end:?}");
    assert!(end.nodes < 2 * warm.nodes, "nodes of the document: {warm:?}, {end:?}");
    assert!(end.heap < warm.heap + (8 << 20), "the page's own heap: {warm:?}, {end:?}");
    assert!(end.resident < warm.resident + MOST_GROWTH, "memory of the tab's process: {warm:?}, {end:?}");
    page.assert_quiet();
}

#[derive(Debug)]
struct Measured {
    nodes: u64,
    /// JavaScript's, in bytes.
    heap: u64,
    /// Of all renderer processes, in bytes: modules' memory is in it.
    resident: u64,
}

/// What there is once so many bundles were read, after the garbage was collected.
fn measured(page: &Page, bundles: u64) -> Measured {
    let mut before = 0;
    // As long as it goes on, it may take its time.
    let mut goes_on = || {
        let read = page.browser.script("return ebusyRead").as_u64().unwrap_or(0);
        std::mem::replace(&mut before, read) < read
    };
    loop {
        wait_until("another bundle is read", || goes_on().then_some(()));
        if page.browser.script("return ebusyRead").as_u64() == Some(bundles) {
            break;
        }
    }
    // It is made some time after a bundle was read.
    let workers = || page.browser.script("return ebusyWorkers").as_u64();
    wait_until("there is no worker but the spare one", || (workers() == Some(1)).then_some(()));
    page.browser.devtools("HeapProfiler.collectGarbage", &json!({}));
    page.browser.devtools("Performance.enable", &json!({}));
    let metrics = page.browser.devtools("Performance.getMetrics", &json!({}));
    let metric = |name: &str| {
        let list = metrics["metrics"].as_array().into_iter().flatten();
        list.filter(|it| it["name"] == name).find_map(|it| it["value"].as_f64()).unwrap_or(0.0) as u64
    };
    Measured { nodes: metric("Nodes"), heap: metric("JSHeapUsedSize"), resident: resident() }
}

/// Memory of the renderer processes that this test has started.
fn resident() -> u64 {
    let mut parents: BTreeMap<u32, u32> = BTreeMap::new();
    for entry in fs::read_dir("/proc").expect("/proc").flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<u32>() else { continue };
        let status = fs::read_to_string(entry.path().join("status")).unwrap_or_default();
        let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"));
        parents.insert(pid, parent.and_then(|text| text.trim().parse().ok()).unwrap_or(0));
    }
    let is_ours = |mut pid: u32| {
        while pid > 1 && pid != std::process::id() {
            pid = parents.get(&pid).copied().unwrap_or(0);
        }
        pid == std::process::id()
    };
    let renderers = parents.keys().copied().filter(|pid| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        is_ours(*pid) && String::from_utf8_lossy(&line).contains("--type=renderer")
    });
    let kib = |pid: u32| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0)
    };
    renderers.map(|pid| kib(pid) << 10).sum()
}
