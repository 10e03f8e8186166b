//! Links and saved pages in a real browser: made, opened on other copies, and by keyboard.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

mod support;

use ebusy_analyzer::Query;
use ebusy_analyzer::report::link::{self, About, Fragment, USUAL_LENGTH};
use ebusy_analyzer::report::saved::{REPORT_ID, Saved, SavedBundle, write_whole};
use ebusy_tests::demo;
use ebusy_tests::harness::{TempDir, need_path, wait_until};
use ebusy_tests::webdriver::Engine;
use serde_json::json;
use std::path::{Path, PathBuf};
use support::page::{Page, Server};

/// Opens the share dialog of the demo.
fn share_the_demo(page: &Page) {
    page.click("demo-button");
    page.verdict_with("shop-frontend");
    page.click("share");
    page.element("share-length");
}

/// What comes out of the dialog.
fn output(page: &Page) -> String {
    page.browser.text(&page.browser.wait_for("[data-test=share-result]")).trim().to_owned()
}

/// The page in Chromium at an address that brings something at once, which is not the start screen.
fn arrive(test: &str, url: &str, ear: Option<Server>) -> Option<Page> {
    let mut page = Page::before(test, Engine::Chromium, ear)?;
    page.browser.open(url);
    url.clone_into(&mut page.url);
    Some(page)
}

/// What is saved next comes into `dir`; waits until it is whole.
fn saved_file(page: &Page, name: &str) -> PathBuf {
    let file = page.dir.join(name);
    wait_until("the download", || {
        let page = std::fs::read_to_string(&file).ok()?;
        page.trim_end().ends_with("</html>").then_some(())
    });
    file
}

fn download_into(page: &Page) {
    let dir = page.dir.join("").to_string_lossy().into_owned();
    page.browser.devtools("Browser.setDownloadBehavior", &json!({"behavior": "allow", "downloadPath": dir}));
}

fn page_source(test: &str) -> Option<(PathBuf, String)> {
    let file = need_path(test, "EBUSY_PAGE")?;
    let source = std::fs::read_to_string(&file).expect("the page can be read");
    Some((file, source))
}

fn file_url(path: &Path) -> String {
    format!("file://{}", path.display())
}

fn assert_fits(page: &Page, name: &str) {
    for (width, scheme) in [(360, "light"), (1280, "light"), (1280, "dark")] {
        page.browser.look(width, scheme);
        let wide = page.browser.script(
            "const d = document.querySelector('dialog[open]') || document.documentElement; \
             return d.scrollWidth - d.clientWidth",
        );
        assert!(wide.as_i64().is_some_and(|wide| wide <= 0), "{wide} pixels too wide at {width}");
        page.screenshot(&format!("{name}-{width}-{scheme}"));
    }
    page.browser.look(1280, "light");
}

#[test]
fn a_link_made_here_opens_on_another_copy_and_tells_the_same_without_names() {
    const TEST: &str = "page_share::a_link_made_here_opens_on_another_copy_and_tells_the_same_without_names";
    let Some((file, _)) = page_source(TEST) else { return };
    let Some(page) = Page::open(TEST) else { return };
    share_the_demo(&page);
    let hosted = Server::start(&file);
    let address = format!("http://{}/", hosted.address);
    page.browser.type_into(&page.element("share-address"), &address);
    let link =
        wait_until("the link has the address", || Some(output(&page)).filter(|l| l.starts_with(&address)));
    assert!(link.len() <= USUAL_LENGTH, "{}", link.len());
    let told = page.browser.attribute(&page.element("share-length"), "data-length");
    assert_eq!(told, Some(link.len().to_string()), "the length is that of the link");
    assert_fits(&page, "share-link");
    page.assert_quiet();
    drop(page);

    let Some(Ok(Fragment::Report(shared))) = link::open(&link) else { panic!("{link}") };
    for secret in ["web1", "shop-frontend", "cadvisor:", "-DFOREGROUND"] {
        let json = serde_json::to_string(&shared.report).expect("a report is JSON");
        assert!(!json.contains(secret), "{secret} is in the link");
    }
    for url in [link.clone(), format!("{}{}", file_url(&file), &link[address.len()..])] {
        let Some(page) = arrive(TEST, &url, Some(Server::start(&file))) else { return };
        assert_eq!(page.verdict_with("httpd.service"), "held", "{url}");
        let text = page.text("verdict");
        assert!(text.contains("container-1") && !text.contains("shop-frontend"), "{text}");
        assert!(page.text("given").contains("unverified"));
        assert!(page.browser.all("[data-test=holder]").len() >= 2);
        let asked = page.browser.script("return performance.getEntriesByType('resource').length");
        assert_eq!(asked, json!(0), "requests");
        assert_fits(&page, "from-link");
        assert_eq!(page.browser.console_errors(), [""; 0]);
    }
    // What is no path is a connection that the browser gave up.
    let paths: Vec<String> = hosted.asked().into_iter().filter(|asked| asked.starts_with('/')).collect();
    assert!(paths.iter().all(|path| path == "/" || path == "/favicon.ico"), "{paths:?}");
}

#[test]
fn a_damaged_or_newer_link_is_a_clear_screen_and_the_page_still_works() {
    const TEST: &str = "page_share::a_damaged_or_newer_link_is_a_clear_screen_and_the_page_still_works";
    let Some((file, _)) = page_source(TEST) else { return };
    for (fragment, code) in
        [("#r=1.AAAAAAA", "link-damaged"), ("#r=9.abc", "link-newer"), ("#v=1.", "link-damaged")]
    {
        let Some(page) = arrive(TEST, &format!("{}{fragment}", file_url(&file)), None) else { return };
        let failure = page.element("failure");
        assert_eq!(page.browser.attribute(&failure, "data-code").as_deref(), Some(code), "{fragment}");
        page.click("demo-button");
        page.verdict_with("shop-frontend");
    }
}

#[test]
fn hostile_text_in_a_link_is_text() {
    const TEST: &str = "page_share::hostile_text_in_a_link_is_text";
    let Some((file, _)) = page_source(TEST) else { return };
    let mut report = support::ask_default(&demo::bundle());
    let hostile = "\"><img src=x onerror=canary=1><script>canary=1</script><a href=javascript:canary=1>x</a>";
    report.verdict.summary = format!("httpd.service {hostile}");
    report.host.name = Some(hostile.into());
    report.holders.truncate(1);
    report.holders[0].remedies[0].command = hostile.into();
    report.holders[0].unit = Some(hostile.into());
    let shared = link::Shared { report, left_out: Vec::new(), replaced: Vec::new() };
    let (fragment, _) = link::report_fragment(&shared, USUAL_LENGTH);
    let Some(page) = arrive(TEST, &format!("{}{fragment}", file_url(&file)), None) else { return };
    page.verdict_with("<img src=x onerror=canary=1>");
    let state = page.browser.script(
        "return [typeof canary, document.querySelectorAll('#app img, #app script, #app a[href^=javascript]').length]",
    );
    assert_eq!(state, json!(["undefined", 0]));
    assert_eq!(page.browser.console_errors(), [""; 0]);
}

#[test]
fn a_view_link_asks_for_its_bundle_and_goes_on_to_its_place() {
    const TEST: &str = "page_share::a_view_link_asks_for_its_bundle_and_goes_on_to_its_place";
    let Some((file, _)) = page_source(TEST) else { return };
    let Some(page) = Page::open(TEST) else { return };
    page.give("case-7.tar.gz", &demo::bundle());
    page.verdict_with("shop-frontend");
    page.search("nightly-report");
    page.verdict_with("nightly-report");
    page.click("share");
    page.browser.script("document.querySelector('[data-test=share-view]').click()");
    let link =
        wait_until("the link to the bundle", || Some(output(&page)).filter(|text| text.contains("#v=1.")));
    drop(page);

    let fragment = &link[link.find('#').expect("it has one")..];
    let Some(Ok(Fragment::View(view))) = link::open(fragment) else { panic!("{link}") };
    assert_eq!((view.name.as_str(), view.size), ("case-7.tar.gz", demo::bundle().len() as u64));
    assert_eq!(view.about, About::Text("nightly-report".into()));
    let url = format!("{}{fragment}", file_url(&file));
    let Some(page) = arrive(TEST, &url, None) else { return };
    assert!(page.text("wanted").contains("case-7.tar.gz"));
    assert_fits(&page, "wanted");
    page.give("renamed.tar.gz", &demo::bundle());
    page.verdict_with("nightly-report");
    assert!(!page.has("another-bundle"), "the name does not matter, the bytes do");
    drop(page);

    let Some(page) = arrive(TEST, &url, None) else { return };
    page.element("wanted");
    let mut other = demo::host();
    other.name = "other".into();
    page.give("case-7.tar.gz", &other.bundle());
    page.verdict_with("shop-frontend");
    page.element("another-bundle");
}

#[test]
fn a_saved_page_is_the_page_with_the_report_and_the_command_writes_the_same() {
    const TEST: &str = "page_share::a_saved_page_is_the_page_with_the_report_and_the_command_writes_the_same";
    let Some((_, source)) = page_source(TEST) else { return };
    let Some(page) = Page::open(TEST) else { return };
    download_into(&page);
    page.give("web1.tar.gz", &demo::bundle());
    page.verdict_with("shop-frontend");
    page.click("share");
    page.browser.script("document.querySelector('[data-test=share-html]').click()");
    page.click("share-with-bundle");
    page.click("share-save");
    // Redacted: so is its name.
    let file = saved_file(&page, "ebusy-host-1.html");
    page.assert_quiet();
    let copy = TempCopy::of(&file);
    drop(page);

    let written = std::fs::read_to_string(&copy.file).expect("it is text");
    let element = written.split_once(&format!("id=\"{REPORT_ID}\">")).expect("it holds the report").1;
    let json = element.split_once("</script>").expect("it has an end").0;
    let saved: Saved = serde_json::from_str(json).expect("it is JSON");
    let inside = saved.bundle.as_ref().expect("the bundle is inside");
    assert_eq!((inside.name.as_str(), inside.host), ("web1.tar.gz", 0));
    assert_eq!(write_whole(&source, &saved, &demo::bundle()).as_ref(), Ok(&written), "byte for byte");

    let Some(page) = arrive(TEST, &file_url(&copy.file), None) else { return };
    assert_eq!(page.verdict_with("shop-frontend"), "held", "the bundle inside was analysed");
    wait_until("the bundle takes the place of the saved report", || (!page.has("given")).then_some(()));
    page.search("nightly-report");
    page.verdict_with("nightly-report");
    assert_eq!(page.browser.console_errors(), [""; 0]);
}

/// A copy that outlives the directory of the page that saved it.
struct TempCopy {
    file: PathBuf,
    /// Removed with the copy.
    _dir: TempDir,
}

impl TempCopy {
    fn of(file: &Path) -> Self {
        let dir = TempDir::new("saved");
        let copy = dir.join("saved.html");
        std::fs::copy(file, &copy).expect("a file can be copied");
        Self { file: copy, _dir: dir }
    }
}

#[test]
fn a_page_without_its_bundle_shows_the_report_as_saved() {
    const TEST: &str = "page_share::a_page_without_its_bundle_shows_the_report_as_saved";
    let Some((_, source)) = page_source(TEST) else { return };
    let mut report = support::open(&demo::bundle()).expect("the demo opens").explain(&Query::Default);
    report.verdict.summary = "</script><!-- <script> as it was saved".into();
    let shared = link::Shared { report, left_out: Vec::new(), replaced: Vec::new() };
    let dir = TempDir::new("saved");
    for (bundle, bytes) in [
        (None, Vec::new()),
        (Some(SavedBundle { name: "x".into(), host: 0, about: About::Default }), b"damaged".to_vec()),
    ] {
        let inside = bundle.is_some();
        let page =
            write_whole(&source, &Saved { shared: shared.clone(), bundle }, &bytes).expect("it is a page");
        let file = dir.join("saved.html");
        std::fs::write(&file, page).expect("a file can be written");
        let Some(page) = arrive(TEST, &file_url(&file), None) else { return };
        page.verdict_with("</script><!-- <script> as it was saved");
        let given = page.element("given");
        assert_eq!(page.browser.attribute(&given, "data-source").as_deref(), Some("file"));
        if inside {
            wait_until("the damage is told", || page.text("given").contains("cannot be read").then_some(()));
        }
        assert_eq!(page.browser.console_errors(), [""; 0]);
    }
}

#[test]
fn the_dialog_by_keyboard_and_what_is_replaced_is_chosen() {
    const TEST: &str = "page_share::the_dialog_by_keyboard_and_what_is_replaced_is_chosen";
    let Some(page) = Page::open(TEST) else { return };
    page.click("demo-button");
    page.verdict_with("shop-frontend");
    page.browser.script("document.querySelector('[data-test=share]').focus()");
    let focused = || {
        page.browser.script("return document.activeElement.dataset.test || document.activeElement.localName")
    };
    let press = |key: &str| {
        let active = page.browser.all(":focus").into_iter().next().expect("something has the focus");
        page.browser.type_into(&active, key);
    };
    press("\u{e007}");
    wait_until("the dialog is open", || (!page.browser.all("dialog[open]").is_empty()).then_some(()));
    assert_eq!(focused(), json!("share-close"), "the focus is in it");
    // Tab, then two to the right: Markdown.
    press("\u{e004}");
    assert_eq!(focused(), json!("share-link"));
    press("\u{e014}");
    press("\u{e014}");
    assert_eq!(focused(), json!("share-markdown"));
    let text = || output(&page);
    wait_until("Markdown without names", || {
        let text = text();
        (text.contains("### Held") && text.contains("container-1") && !text.contains("shop-frontend"))
            .then_some(())
    });
    assert_fits(&page, "share-markdown");
    // Container names stay, by keyboard: the fifth choice.
    page.browser.script("document.querySelector('[data-test=redact-4]').focus()");
    press(" ");
    wait_until("container names stay", || text().contains("shop-frontend").then_some(()));
    assert!(!text().contains("web1"), "host names are still replaced");
    assert!(page.text("share-preview").contains("shop-frontend"), "the preview tells the same");
    press("\u{e00c}");
    wait_until("Escape closes it", || page.browser.all("dialog[open]").is_empty().then_some(()));
    assert_eq!(focused(), json!("share"), "the focus is back");
    page.assert_quiet();
}

#[test]
fn a_report_that_was_saved_as_json_opens_as_it_was() {
    const TEST: &str = "page_share::a_report_that_was_saved_as_json_opens_as_it_was";
    let Some(page) = Page::open(TEST) else { return };
    let report = support::ask_default(&demo::bundle());
    let json = serde_json::to_vec_pretty(&report).expect("a report is JSON");
    page.give("report.json", &json);
    assert_eq!(page.verdict_with("httpd.service"), "held");
    assert!(page.text("verdict").contains(&report.verdict.summary));
    assert_eq!(page.browser.attribute(&page.element("given"), "data-source").as_deref(), Some("file"));
    assert_eq!(page.browser.all("[data-test=holder]").len(), report.holders.len());

    page.click("close");
    page.give_all(&[("report.json", json.clone()), ("web1.tar.gz", demo::bundle())]);
    page.browser.wait_for("[data-test=fleet][data-over=true]");
    assert!(page.text("fleet").contains("This is a saved report, not a bundle."));

    page.click("close");
    page.give("half.json", &json[..json.len() / 2]);
    let failure = page.element("failure");
    assert_eq!(page.browser.attribute(&failure, "data-code").as_deref(), Some("damaged-report"));
    page.assert_quiet();
}
