//! The page for those who see little, or use no pointer: every screen by axe-core, and a whole session by keys alone.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

use ebusy_tests::harness::{machine, need_path, wait_until};
use ebusy_tests::looks::{Subject, Viewer};
use serde_json::{Value, json};
use std::sync::MutexGuard;

struct Page {
    viewer: Viewer,
    _alone: MutexGuard<'static, ()>,
}

impl Page {
    fn open(test: &str) -> Option<Self> {
        let file = need_path(test, "EBUSY_PAGE")?;
        let alone = machine();
        let viewer = Viewer::start(test, &file)?;
        viewer.open(1280, "light", Subject::Start);
        Some(Self { viewer, _alone: alone })
    }

    fn script(&self, script: &str) -> Value {
        self.viewer.browser.script(script)
    }

    /// What `script` returns, once that is `true`.
    fn until(&self, what: &str, script: &str) {
        wait_until(what, || (self.script(script) == true).then_some(()));
    }

    /// A key, to whatever has the focus. `text` is what it types, where it does.
    fn key(&self, key: &str, code: u32, text: &str) {
        for kind in ["keyDown", "keyUp"] {
            let event = json!({"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code,
                "text": if kind == "keyDown" { text } else { "" }});
            self.viewer.browser.devtools("Input.dispatchKeyEvent", &event);
        }
    }

    fn enter(&self) {
        self.key("Enter", 13, "\r");
    }

    fn right(&self) {
        self.key("ArrowRight", 39, "");
    }

    fn escape(&self) {
        self.key("Escape", 27, "");
    }

    fn types(&self, text: &str) {
        self.viewer.browser.devtools("Input.insertText", &json!({ "text": text }));
    }

    /// Goes on with Tab to an element, and looks whether each stop on the way can be seen to have the focus.
    fn tab_to(&self, css: &str) {
        let look = format!(
            "const it = document.activeElement; const r = it.getBoundingClientRect(); const s = getComputedStyle(it); \
             const box = getComputedStyle(it.closest('label') || it); \
             const ring = s.outlineStyle !== 'none' || box.outlineStyle !== 'none' || !!it.closest('svg'); \
             const seen = r.bottom > 0 && r.top < innerHeight && ring; \
             return [it.matches({}), it === document.body || it.id === 'main' || seen, it.outerHTML.slice(0, 120)]",
            Value::from(css)
        );
        for _ in 0..80 {
            self.key("Tab", 9, "");
            let stop = self.script(&look);
            assert_eq!(stop[1], true, "cannot be seen to have the focus: {}", stop[2]);
            if stop[0] == true {
                return;
            }
        }
        panic!("Tab does not come to {css}");
    }
}

#[test]
fn a_whole_session_by_keys_alone() {
    let Some(page) = Page::open("page_access::a_whole_session_by_keys_alone") else { return };
    page.tab_to("[data-test=demo-button]");
    page.enter();
    let verdict = |name: &str| {
        format!(
            "const v = document.querySelector('[data-test=verdict][data-waiting=false]'); \
             return !!v && v.innerText.includes('{name}')"
        )
    };
    page.until("the demo is explained", &verdict("shop-frontend"));
    page.until("it is read to the end", "return !!document.querySelector('[data-test=census]')");

    // Another question, and back by the list of errors.
    page.tab_to("[data-test=search-input]");
    page.types("nightly-report");
    page.enter();
    page.until("the other is explained", &verdict("nightly-report"));
    page.tab_to("[data-test=error-item]");
    page.enter();
    page.until("the first again", &verdict("shop-frontend"));

    // The way to a part of the report, from beside it.
    page.tab_to("[data-test=contents] li:nth-child(2) button");
    page.enter();
    page.until(
        "what to change is in sight",
        "const r = document.querySelector('#lasting-title').getBoundingClientRect(); return r.top >= 0 && r.bottom <= innerHeight",
    );

    // The sides of the host: one stop, arrows between them.
    page.script("scrollTo(0, 0); document.querySelector('[data-test=error-item]').focus()");
    page.tab_to("[data-test=tab-report]");
    page.right();
    page.until("the census", "return !document.querySelector('#panel-census').hidden");
    page.right();
    page.until("the containers", "return !!document.querySelector('[data-test=container-row]')");
    page.right();
    page.until("the mounts", "return !!document.querySelector('[data-test=tree-row]')");
    page.tab_to("[data-test=tree] [role=treegrid]");
    page.key("ArrowDown", 40, "");
    page.until(
        "a row is the active one",
        "const g = document.activeElement; return !!document.getElementById(g.getAttribute('aria-activedescendant'))",
    );
    page.script("document.querySelector('[data-test=tab-mounts]').focus()");
    page.key("Home", 36, "");
    page.until("the report again", "return !document.querySelector('#panel-report').hidden");

    // The dialog keeps the focus, and gives it back.
    page.tab_to("[data-test=share]");
    page.enter();
    page.until("the dialog", "return !!document.querySelector('[data-test=share-dialog][open]')");
    page.tab_to("[data-test=share-link]");
    page.right();
    page.until("the next form", "return document.querySelector('[data-test=share-view]').checked");
    page.escape();
    page.until("the button has the focus", "return document.activeElement.dataset.test === 'share'");

    page.tab_to("[data-test=remedy] [data-test=copy]");
    page.enter();
    page.until("it is copied", "return document.activeElement.dataset.copied === 'true'");

    // From the picture to the evidence and on to the holder.
    page.tab_to("#lane-button-0");
    page.key("ArrowDown", 40, "");
    page.enter();
    page.tab_to("[data-test=to-holder]");
    page.enter();
    page.until("the holder's card", "return document.activeElement.dataset.test === 'holder'");

    // Away by the palette.
    page.viewer.browser.type_into(&page.viewer.browser.wait_for("body"), "\u{e009}k\u{e000}");
    page.until("the palette", "return document.activeElement.dataset.test === 'palette-input'");
    page.types("close");
    page.until("few are left", "return document.querySelectorAll('[data-test=palette-entry]').length < 5");
    page.enter();
    page.until("the start", "return !!document.querySelector('[data-test=start]')");
    assert_eq!(page.viewer.browser.console_errors(), [""; 0], "the console");
}

/// What a screen reader and weak eyes need, as far as a program can tell, in every screen and both colour schemes.
#[test]
fn nobody_is_kept_out_in_light_and_dark() {
    const TEST: &str = "page_access::nobody_is_kept_out_in_light_and_dark";
    let Some(page) = Page::open(TEST) else { return };
    let axe =
        std::env::var_os("EBUSY_AXE").map(|path| std::fs::read_to_string(path).expect("axe-core's script"));
    if axe.is_none() {
        eprintln!("{TEST}: without axe-core (no npm), by the checks of this test alone");
    }
    let unfold = "document.querySelectorAll('details').forEach(d => d.open = true); \
                  document.querySelector('#lane-1')?.dispatchEvent(new MouseEvent('click', {bubbles: true}))";
    let markdown = "document.querySelector('[data-test=share]').click(); \
                    setTimeout(() => document.querySelector('[data-test=share-markdown]').click())";
    let compare = "document.querySelectorAll('[data-test=mark]').forEach((mark, i) => i < 2 && mark.click()); \
                   setTimeout(() => document.querySelector('[data-test=compare]').click())";
    let press = |name: &str| format!("document.querySelector('[data-test={name}]').click()");
    let mut found = Vec::new();
    for scheme in ["light", "dark"] {
        // What is opened, how wide, what is done, and what is there then.
        for (subject, width, script, there) in [
            (Subject::Start, 1280, String::new(), ""),
            (Subject::Failure, 360, String::new(), ""),
            (Subject::Demo, 1280, unfold.to_owned(), "#lane-evidence"),
            (Subject::Demo, 360, unfold.to_owned(), "[data-test=brief]"),
            (Subject::Demo, 1280, press("tab-mounts"), "[data-test=tree-row]"),
            (Subject::Demo, 1280, press("tab-containers"), "[data-test=container-row]"),
            (Subject::Demo, 1280, press("tab-census"), "[data-test=leftover]"),
            (Subject::Demo, 1280, press("palette-button"), "[data-test=palette-entry]"),
            (Subject::Demo, 1280, press("keys-button"), "[data-test=keys]"),
            (Subject::Demo, 1280, press("share"), "[data-test=share-length]"),
            (Subject::Demo, 1280, markdown.to_owned(), "[data-test=share-result]"),
            (Subject::Fleet, 1280, String::new(), ""),
            (Subject::Fleet, 1280, compare.to_owned(), "[data-test=diff][data-waiting=false]"),
            (Subject::Crowd, 1280, String::new(), ""),
        ] {
            page.viewer.open(width, scheme, subject);
            page.script(&script);
            if !there.is_empty() {
                page.viewer.browser.wait_for(there);
            }
            let what = format!("{subject:?} {scheme} {width} {there}");
            let own = page.script(include_str!("support/access.js"));
            found.extend(own.as_array().into_iter().flatten().map(|it| format!("{what}: {it}")));
            if let Some(axe) = &axe {
                page.script(axe);
                let violations = page.script(
                    "return axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'], \
                     rules: {'label-content-name-mismatch': {enabled: true}}}) \
                     .then(r => r.violations.map(v => v.id + ': ' + v.nodes.slice(0, 3).map(n => n.html.slice(0, 160) + ' ' + n.failureSummary).join(' | ')))",
                );
                found.extend(
                    violations.as_array().into_iter().flatten().map(|it| format!("{what}: axe {it}")),
                );
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}
