//! Three hundred hostile strings in the page, in all that it shows of a bundle, in the Markdown that it writes and in
//! the page that it saves. A canary tells whether a script of theirs ran.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

#[path = "support/hostile.rs"]
mod strings;
mod support;

use ebusy_analyzer::bytes::visible;
use ebusy_tests::harness::{TempDir, wait_until};
use ebusy_tests::synth::{Driver, Host, Run};
use ebusy_tests::webdriver::Engine;
use serde_json::{Value, json};
use std::path::PathBuf;
use strings::{assert_harmless_markdown, corpus};
use support::page::Page;

/// So many of the strings are in one bundle.
const TOGETHER: usize = 100;

/// A host on which everything that has a name is called by one of the strings: itself, containers, images, units,
/// processes, their arguments and files, mounts, and lines of the log. Everything holds the first container.
fn host(strings: &[String]) -> Host {
    let name = |index: usize| strings[index % strings.len()].as_str();
    let component = |index: usize| name(index).replace('/', "\u{2215}").replace('\0', "");
    let mut host = Host::new(name(0), "3.10.0-514.el7.x86_64");
    let ns = host.ns;
    host.docker_in(Driver::DeviceMapper, "17.05.0-ce", ns);
    let first = host.run(&Run::new("target", name(1)));
    for index in 0..4 {
        let volume = format!("/{}", component(index + 2));
        host.run(&Run::new(name(index), name(index + 1)).args(&[name(index + 2)]).volume("/", &volume));
    }
    for index in 0..strings.len() {
        // Few units of many processes: every holder has its card.
        let cgroup = format!("/system.slice/{}.service", component(index / 20));
        let pid = host.spawn_as(1, ns, name(index), &[name(index), name(index + 1)], &cgroup);
        host.link(pid, "fd/3", &format!("{}/{}", first.rootfs, component(index)), "reg");
        host.mounts.bind(ns, &first.rootfs, &format!("/srv/{}", component(index)), false);
    }
    host.stop(&first);
    for string in strings {
        host.docker_log(&format!("level=error msg=\"remove /srv/data/{string}: device or resource busy\""));
    }
    host.docker_log(&first.device_is_busy());
    host
}

/// What the strings call; whoever calls it is caught.
const CANARY: &str = "window.ebusyCanary = 0;\
    for (const name of ['alert', 'x', 'prompt', 'confirm', 'open', 'eval']) window[name] = () => { window.ebusyCanary++; };";

/// Nothing of the strings became more than text.
fn assert_text_only(page: &Page, place: &str) {
    page.browser.script(
        "[...document.querySelectorAll('button')].filter(it => /^(show|and) \\d+ more/i.test(it.textContent)).forEach(it => it.click());\
         document.querySelectorAll('details').forEach(it => it.open = true)",
    );
    let found = page.browser.script(
        "const all = [...document.querySelectorAll('body *')];\
         const odd = all.filter(it => [...it.attributes].some(a => /^on/i.test(a.name) || /^\\s*(javascript|vbscript):/i.test(a.value)\
             || (/^(src|href|action|formaction|poster|background)$/i.test(a.name) && /evil|^data:text/i.test(a.value))));\
         const foreign = document.querySelectorAll('#app script, #app img, #app iframe, #app object, #app embed, #app base, #app meta, #app form[action], #app animate, #app foreignObject');\
         return [window.ebusyCanary, document.title.includes('owned'), odd.map(it => it.outerHTML.slice(0, 200)), foreign.length]",
    );
    assert_eq!(found, json!([0, false, [], 0]), "{place}");
}

fn markdown(page: &Page) -> String {
    page.browser.script("document.querySelector('[data-test=share-markdown]').click()");
    wait_until("the Markdown is there", || {
        let shown = page.browser.all("pre[data-test=share-result]").into_iter().next()?;
        Some(page.browser.script("return document.querySelector('pre[data-test=share-result]').textContent"))
            .filter(|_| page.browser.displayed(&shown))
            .and_then(|text| text.as_str().map(str::to_owned))
            .filter(|text| text.contains("###"))
    })
}

/// Where the page was saved to.
fn save(page: &Page) -> PathBuf {
    let dir = page.dir.join("saved");
    std::fs::create_dir_all(&dir).expect("a directory");
    let path = dir.to_string_lossy().into_owned();
    page.browser.devtools("Browser.setDownloadBehavior", &json!({"behavior": "allow", "downloadPath": path}));
    page.browser.script("document.querySelector('[data-test=share-html]').click()");
    page.click("share-save");
    wait_until("the page is saved", || {
        let files = std::fs::read_dir(&dir).ok()?.flatten().map(|entry| entry.path());
        let mut whole = files.filter(|file| file.extension().is_some_and(|end| end == "html"));
        whole
            .find(|file| std::fs::read_to_string(file).is_ok_and(|text| text.trim_end().ends_with("</html>")))
    })
}

/// The newest question has its answer: an answer that comes later would close the dialog.
fn answered(page: &Page) {
    wait_until("the newest question is answered", || {
        let verdict = page.browser.all("[data-test=verdict]").into_iter().next()?;
        (page.browser.attribute(&verdict, "data-waiting")? == "false").then_some(())
    });
}

/// Names are not replaced: all of them are to be seen.
fn keep_all_names(page: &Page) {
    wait_until("no name is replaced", || {
        let left = page.browser.script(
            "const left = document.querySelector('[data-test^=redact-]:checked'); if (left) left.click(); return !!left",
        );
        (left == false).then_some(())
    });
}

#[test]
fn three_hundred_strings_are_text_wherever_the_page_shows_or_writes_them() {
    const TEST: &str = "page_hostile::three_hundred_strings_are_text_wherever_the_page_shows_or_writes_them";
    let Some(page) = Page::open(TEST) else { return };
    page.browser.script(CANARY);
    // With a name of a megabyte a host of a hundred of each would be a text of gigabytes.
    let (strings, long): (Vec<String>, Vec<String>) = corpus().into_iter().partition(|it| it.len() < 1000);
    let long = [long, vec!["second".to_owned(), "third".to_owned()]].concat();
    let kept = TempDir::new("hostile");
    let mut saved = Vec::new();
    for (number, strings) in strings.chunks(TOGETHER).chain([&long[..]]).enumerate() {
        page.give(&format!("hostile-{number}.tar.gz"), &host(strings).bundle());
        page.element("verdict");
        assert_text_only(&page, "what is shown first");
        page.search("target");
        answered(&page);
        wait_until("its holders are shown", || {
            (!page.browser.all("[data-test=holder]").is_empty()).then_some(())
        });
        let held = page.browser.script("return document.querySelector('#app').textContent");
        let shown = |it: &&String| held.as_str().is_some_and(|text| text.contains(&visible(it.as_bytes())));
        let seen = strings.iter().filter(shown).count();
        assert!(seen * 2 > strings.len(), "{seen} of {} are on the page as they are", strings.len());
        assert_text_only(&page, "the report");
        for tab in page.browser.all("[role=tab]") {
            page.browser.click(&tab);
            assert_text_only(&page, &page.browser.text(&tab));
        }
        page.click("tab-report");
        for item in page.browser.all("[data-test=error-item]").iter().take(2) {
            page.browser.click(item);
            answered(&page);
            assert_text_only(&page, "an error's report");
        }
        page.search("target");
        answered(&page);
        page.click("share");
        page.element("share-markdown");
        keep_all_names(&page);
        assert_harmless_markdown(&markdown(&page));
        assert_text_only(&page, "the dialog");
        let file = kept.join(format!("{number}.html"));
        std::fs::copy(save(&page), &file).expect("a file can be copied");
        saved.push(file);
        page.browser.script("document.querySelector('[data-test=share-close]').click()");
        page.click("close");
        page.element("start");
    }
    page.assert_quiet();
    drop(page);

    let Some(page) = Page::before(TEST, Engine::Chromium, None) else { return };
    // Before the first script of a page.
    page.browser.devtools("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": CANARY }));
    for file in saved {
        page.browser.open(&format!("file://{}", file.display()));
        page.verdict_with("target");
        assert_text_only(&page, "the saved page");
        assert_eq!(page.browser.console_errors(), [""; 0], "{}", file.display());
    }
    let canary: Value = page.browser.script("alert(); return window.ebusyCanary");
    assert_eq!(canary, 1, "the canary sings when it is called");
}
