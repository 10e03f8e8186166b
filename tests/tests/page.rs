//! The page in a real browser, opened from a file and served, used as a person would.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

mod support;

use ebusy_analyzer::report::{Effect, When};
use ebusy_tests::demo;
use ebusy_tests::harness::{need_path, wait_until};
use ebusy_tests::synth::{Host, Propagation};
use serde_json::json;
use support::page::{Page, Server};

#[test]
fn the_demo_from_a_file_in_every_width_and_colour() {
    let Some(page) = Page::open("page::the_demo_from_a_file_in_every_width_and_colour") else { return };
    page.screenshot("start-1280-light");
    page.click("demo-button");
    assert_eq!(page.verdict_with("shop-frontend"), "held");
    let verdict = page.text("verdict");
    assert!(verdict.contains("httpd.service") && verdict.contains("cadvisor"), "{verdict}");

    let report = support::ask_default(&demo::bundle());
    let wanted: Vec<String> = support::with_effect(&report, Effect::Blocking)
        .iter()
        .filter_map(|holder| holder.mount_namespace.map(|inode| inode.to_string()))
        .collect();
    let cards = page.browser.all("[data-test=holder][data-effect=blocking]");
    let shown: Vec<String> =
        cards.iter().filter_map(|card| page.browser.attribute(card, "data-ns")).collect();
    assert_eq!(shown, wanted, "the holders' namespaces, in the report's order");
    assert!(page.browser.all("[data-test=error-item]").len() >= 2);
    assert!(page.browser.displayed(&page.element("picture")));

    page.click("tab-census");
    let census = support::open(&demo::bundle()).expect("the demo opens").census();
    assert_eq!(page.text("census-summary"), census.summary);
    let groups = page.browser.attribute(&page.element("census"), "data-groups");
    assert_eq!(groups, Some(census.groups.len().to_string()));
    page.screenshot("census");
    page.click("tab-report");

    let events: Vec<Option<String>> = page
        .browser
        .all("[data-test=event]")
        .iter()
        .map(|it| page.browser.attribute(it, "data-at"))
        .collect();
    let told: Vec<Option<String>> = report.timeline.iter().map(|event| event.at.clone()).collect();
    assert!(!told.is_empty() && events == told[..events.len()], "what happened when: {events:?} of {told:?}");

    for (width, scheme) in [(360, "light"), (360, "dark"), (1280, "light"), (1600, "light"), (1600, "dark")] {
        page.browser.look(width, scheme);
        let wide = page.browser.script("return document.documentElement.scrollWidth - window.innerWidth");
        assert!(wide.as_i64().is_some_and(|wide| wide <= 0), "{wide} pixels too wide at {width}");
        page.screenshot(&format!("demo-{width}-{scheme}"));
    }
    let colour = "return getComputedStyle(document.body).backgroundColor";
    let dark = page.browser.script(colour);
    page.browser.look(1600, "light");
    assert_ne!(page.browser.script(colour), dark, "dark differs from light");
    page.assert_quiet();
}

/// Who holds it, what to type and what to change for good: all of that without scrolling.
#[test]
fn the_answer_is_on_the_first_screen_at_every_size() {
    let Some(page) = Page::open("page::the_answer_is_on_the_first_screen_at_every_size") else { return };
    page.click("demo-button");
    page.verdict_with("shop-frontend");
    page.element("census");
    let report = support::ask_default(&demo::bundle());
    let blocking = support::with_effect(&report, Effect::Blocking);
    let command = |when| blocking[0].remedies.iter().find(|it| it.when == when).expect("a remedy");
    let (now, lasting) = (command(When::Now), command(When::Lasting));
    for (width, height) in [(360, 740), (768, 1024), (1280, 720), (1600, 900), (3840, 2160)] {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        page.browser.devtools("Emulation.setDeviceMetricsOverride", &size);
        page.browser.script("scrollTo(0, 0)");
        // The whole text of some element that is in sight.
        let in_sight = |text: &str| {
            let script = format!(
                "const wanted = {}; return [...document.querySelectorAll('h1, p, pre')].some(it => {{ \
                 const r = it.getBoundingClientRect(); \
                 return it.innerText.trim() === wanted && r.width > 0 && r.top >= 0 && r.bottom <= innerHeight; }})",
                serde_json::Value::from(text.trim())
            );
            wait_until(&format!("{text:?} is in sight at {width} × {height}"), || {
                (page.browser.script(&script) == true).then_some(())
            });
        };
        in_sight("httpd.service and container cadvisor hold container shop-frontend");
        in_sight(&now.command);
        in_sight(&lasting.effect);
    }
    page.assert_quiet();
}

/// On a very wide screen the picture's letters grow with all others.
#[test]
fn the_picture_is_as_large_as_the_text_around_it() {
    let Some(page) = Page::open("page::the_picture_is_as_large_as_the_text_around_it") else { return };
    page.click("demo-button");
    page.verdict_with("shop-frontend");
    page.element("picture");
    // Height of a line's letters in the picture, of those of the page's text.
    let ratio = "const l = document.querySelector('.details .picture text.note').getBoundingClientRect().height; \
                 return l / parseFloat(getComputedStyle(document.body).fontSize)";
    let mut ratios = Vec::new();
    for width in [1280, 3840] {
        page.browser.look(width, "light");
        let wide = "const p = document.querySelector('.details .picture'); const s = p.querySelector('svg'); \
                    const d = s.viewBox.baseVal.width * parseFloat(getComputedStyle(document.documentElement).fontSize) / 16; \
                    return Math.abs(p.clientWidth - d) < 3";
        wait_until("the picture is drawn for its width", || {
            (page.browser.script(wide) == true).then_some(())
        });
        ratios.push(page.browser.script(ratio).as_f64().expect("a number"));
    }
    let (usual, large) = (ratios[0], ratios[1]);
    assert!((large / usual - 1.0).abs() < 0.1, "{ratios:?}");
    page.assert_quiet();
}

#[test]
fn served_it_does_the_same_and_asks_for_nothing_more() {
    const TEST: &str = "page::served_it_does_the_same_and_asks_for_nothing_more";
    let Some(file) = need_path(TEST, "EBUSY_PAGE") else { return };
    let server = Server::start(&file);
    let Some(page) = Page::open_at(TEST, &format!("http://{}/", server.address)) else { return };
    page.give("web1.tar.gz", &demo::bundle());
    assert_eq!(page.verdict_with("shop-frontend"), "held");
    page.assert_quiet();
    // The policy holds for whatever might get into the page, too.
    let attempt =
        format!("return fetch('http://{}/leak').then(() => 'sent', () => 'refused')", server.address);
    assert_eq!(page.browser.script(&attempt), "refused");
    let image = format!(
        "return new Promise(done => {{ const i = new Image(); i.onload = i.onerror = () => done('over'); \
         i.src = 'http://{}/leak.png' }})",
        server.address
    );
    page.browser.script(&image);
    let asked: Vec<String> = server.asked().into_iter().filter(|path| path != "/favicon.ico").collect();
    assert_eq!(asked, ["/"]);
}

#[test]
fn a_given_bundle_is_read_and_its_containers_are_searched() {
    let Some(page) = Page::open("page::a_given_bundle_is_read_and_its_containers_are_searched") else {
        return;
    };
    let host = demo::host();
    page.give("web1.tar.gz", &host.bundle());
    let report = support::ask_default(&host.bundle());
    assert_eq!(page.verdict_with("shop-frontend"), "held");
    assert!(page.text("verdict").contains(&report.verdict.summary), "the page says what the analyzer says");

    page.search("nightly-report");
    assert_eq!(page.verdict_with("log-shipper"), "held");
    let containers = &host.docker.as_ref().expect("docker runs").containers;
    let shop = containers.iter().find(|c| c.name == "shop-frontend").expect("it was run");
    page.search(&shop.layer);
    assert_eq!(page.verdict_with("httpd.service"), "held");
    page.search("no-such-container");
    assert_eq!(page.verdict_with("no-such-container"), "unknown");
    assert!(page.browser.all("[data-test=holder]").is_empty(), "nobody is blamed");
    page.screenshot("not-found");

    let items = page.browser.all("[data-test=error-item]");
    page.browser.click(items.last().expect("there are two errors"));
    assert_eq!(page.verdict_with("nightly-report"), "held");
    page.assert_quiet();
}

#[test]
fn a_copy_button_puts_the_command_into_the_clipboard() {
    let Some(page) = Page::open("page::a_copy_button_puts_the_command_into_the_clipboard") else { return };
    page.click("demo-button");
    page.verdict_with("shop-frontend");
    let button = page.browser.wait_for("[data-test=remedy] [data-test=copy]");
    let wanted = page.browser.attribute(&button, "data-copy-text").expect("the button has its text");
    assert!(!wanted.is_empty());
    page.browser.click(&button);
    wait_until("the button says that it has copied", || {
        (page.browser.attribute(&button, "data-copied").as_deref() == Some("true")).then_some(())
    });
    // Pasted, as the reader will: Control and v.
    let input = page.element("search-input");
    page.browser.clear(&input);
    page.browser.type_into(&input, "\u{e009}v\u{e000}");
    let pasted = page.browser.script("return document.querySelector('[data-test=search-input]').value");
    let one_line = |text: &str| text.replace(['\r', '\n'], "");
    assert_eq!(pasted.as_str().map(one_line), Some(one_line(&wanted)));
    page.assert_quiet();
}

#[test]
fn reading_can_be_cancelled_and_the_page_goes_on() {
    let Some(page) = Page::open("page::reading_can_be_cancelled_and_the_page_goes_on") else { return };
    let path = page.dir.join("big.tar");
    support::write_big_bundle(&path, 600 << 20);
    page.give_path(&path);
    page.click("cancel");
    page.element("start");
    assert!(!page.has("verdict") && !page.has("failure"), "cancelled, not failed");
    page.click("demo-button");
    assert_eq!(page.verdict_with("shop-frontend"), "held");
    page.assert_quiet();
}

#[test]
fn garbage_is_refused_with_a_reason_and_the_page_goes_on() {
    let Some(page) = Page::open("page::garbage_is_refused_with_a_reason_and_the_page_goes_on") else {
        return;
    };
    let noise: Vec<u8> = demo::bundle().into_iter().map(|byte| byte ^ 0x5a).collect();
    for (name, content) in [("holiday.jpg", noise), ("empty.tar.gz", Vec::new())] {
        page.give(name, &content);
        let failure = page.element("failure");
        assert!(page.browser.attribute(&failure, "data-code").is_some_and(|code| !code.is_empty()));
        assert!(page.browser.text(&failure).len() > 30, "a sentence or two: {}", page.browser.text(&failure));
        page.screenshot(&format!("failure-{name}"));
        page.browser.open(&page.url);
        page.element("start");
    }
    // Without a reload, too.
    page.give("noise", b"time=now level=error");
    page.element("failure");
    page.give("web1.tar.gz", &demo::bundle());
    assert_eq!(page.verdict_with("shop-frontend"), "held");
    page.assert_quiet();
}

#[test]
fn pasted_text_is_explained() {
    let Some(page) = Page::open("page::pasted_text_is_explained") else { return };
    let submit = page.element("paste-submit");
    assert!(page.browser.attribute(&submit, "disabled").is_some(), "nothing to explain yet");
    page.browser.type_into(&page.element("paste-input"), "nothing of the kind");
    page.click("paste-submit");
    let failure = page.element("failure");
    assert_eq!(page.browser.attribute(&failure, "data-code").as_deref(), Some("no-mounts"));
    page.screenshot("failure-paste");

    let kept = page.browser.script("return document.querySelector('[data-test=paste-input]').value");
    assert_eq!(kept, "nothing of the kind", "what was typed is not lost");
    page.browser.clear(&page.element("paste-input"));
    page.browser.type_into(&page.element("paste-input"), support::PASTED);
    page.click("paste-submit");
    assert_eq!(page.verdict_with("89f5c1a2b3d4"), "held");
    assert!(page.browser.text(&page.element("holder")).contains("4241"), "the process is named");
    page.screenshot("pasted");
    page.assert_quiet();
}

#[test]
fn a_text_in_the_clipboard_is_opened_by_pasting_anywhere() {
    let Some(page) = Page::open("page::a_text_in_the_clipboard_is_opened_by_pasting_anywhere") else {
        return;
    };
    let paste = |target: &str| {
        let script = "const data = new DataTransfer(); data.setData('text/plain', TEXT);\
                      document.querySelector(TARGET).dispatchEvent(\
                      new ClipboardEvent('paste', { clipboardData: data, bubbles: true }))";
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        page.browser
            .script(&script.replace("TEXT", &quoted(support::PASTED)).replace("TARGET", &quoted(target)));
    };
    paste("[data-test=paste-input]");
    assert!(!page.has("verdict") && page.has("start"), "into the field is for the field");
    paste("h1");
    assert_eq!(page.verdict_with("89f5c1a2b3d4"), "held");
    page.assert_quiet();
}

#[test]
fn a_truncated_bundle_is_read_with_a_warning() {
    let Some(page) = Page::open("page::a_truncated_bundle_is_read_with_a_warning") else { return };
    let whole = demo::bundle();
    page.give("cut.tar.gz", &whole[..whole.len() / 2]);
    let warnings = page.element("warnings");
    assert!(!page.browser.text(&warnings).is_empty());
    page.screenshot("truncated");
    page.assert_quiet();
}

#[test]
fn in_chinese_the_answer_and_what_to_do_are_chinese() {
    let Some(page) = Page::open("page::in_chinese_the_answer_and_what_to_do_are_chinese") else { return };
    page.click("demo-button");
    page.verdict_with("shop-frontend");
    page.browser.script(
        "const s = document.querySelector('[data-test=prefer-language]'); s.value = 'zh-Hans'; \
         s.dispatchEvent(new Event('change', { bubbles: true }))",
    );
    page.verdict_with("容器 shop-frontend 的设备被 httpd.service 和 容器 cadvisor 占用");
    assert!(page.text("verdict").contains("只有英文"), "what is not translated is said");
    for remedy in page.browser.all("[data-test=remedy]") {
        let text = page.browser.text(&remedy);
        let (does, risk) = text.split_once("风险").expect("each has a risk");
        for words in [does, risk] {
            assert!(words.chars().any(|c| c >= '\u{4e00}'), "{text}");
        }
    }
    let card = page.text("holder");
    assert!(card.contains("运行在自己的挂载命名空间中") && card.contains("启动于"), "{card}");
    for side in ["tab-report", "tab-census"] {
        page.click(side);
        let english = "return [...document.querySelectorAll('main [lang=en]')].map(it => it.textContent)";
        assert_eq!(page.browser.script(english), json!([]), "nothing of {side} is left in English");
    }
    page.screenshot("chinese");
    page.assert_quiet();
}

#[test]
fn hostile_text_in_a_bundle_stays_text() {
    let Some(page) = Page::open("page::hostile_text_in_a_bundle_stays_text") else { return };
    let hostile = "<img src=x onerror=document.title='owned'><script>document.title='owned'</script>";
    let mut host = Host::new(hostile, "6.1.0-50-amd64");
    let fs = host.tmpfs(hostile, "rw");
    let ns = host.mounts.copy_with(host.ns, Propagation::Private);
    let path = format!("/mnt/{}", hostile.replace('/', "\\"));
    host.mounts.mount(ns, &path, &fs);
    host.spawn_in(ns, "<b>evil</b>", &["/bin/evil", hostile, "\u{202e}gnp.exe", "$(reboot)"]);
    page.give("hostile.tar.gz", &host.bundle());
    page.search(&path);
    page.verdict_with(&path);
    let card = page.element("holder");
    assert!(page.browser.text(&card).contains(hostile), "the command line is shown as it is");
    assert_ne!(page.browser.script("return document.title"), "owned");
    let injected =
        page.browser.script("return document.querySelectorAll('#app img, #app script, #app b').length");
    assert_eq!(injected, 0, "no element came out of the bundle");
    page.screenshot("hostile");
    page.assert_quiet();
}
