//! The picture, the trees of mounts, keys, languages and colours in a real browser, as a person would use them.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

mod support;

use ebusy_analyzer::mount_tree::Change;
use ebusy_analyzer::report::{Effect, NamespaceRole};
use ebusy_tests::harness::{machine, need_path, wait_until};
use ebusy_tests::image::Image;
use ebusy_tests::looks::{PICTURE_REFERENCES, Subject, Viewer};
use ebusy_tests::synth::Host;
use ebusy_tests::webdriver::Element;
use ebusy_tests::{crowd, demo};
use serde_json::Value;
use std::path::Path;
use std::sync::MutexGuard;

/// Keys of the WebDriver protocol (section 15.4.2 of the standard).
const ENTER: &str = "\u{e007}";
const ESCAPE: &str = "\u{e00c}";
const DOWN: &str = "\u{e015}";
const CONTROL_K: &str = "\u{e009}k\u{e000}";

struct Page {
    viewer: Viewer,
    _alone: MutexGuard<'static, ()>,
}

impl Page {
    fn open(test: &str, width: u32, subject: Subject) -> Option<Self> {
        let file = need_path(test, "EBUSY_PAGE")?;
        let alone = machine();
        let viewer = Viewer::start(test, &file)?;
        viewer.open(width, "light", subject);
        Some(Self { viewer, _alone: alone })
    }

    fn all(&self, css: &str) -> Vec<Element> {
        self.viewer.browser.all(css)
    }

    fn element(&self, css: &str) -> Element {
        self.viewer.browser.wait_for(css)
    }

    fn text(&self, css: &str) -> String {
        self.viewer.browser.text(&self.element(css))
    }

    fn click(&self, css: &str) {
        self.viewer.browser.click(&self.element(css));
    }

    fn press(&self, css: &str, keys: &str) {
        self.viewer.browser.type_into(&self.element(css), keys);
    }

    fn attribute(&self, css: &str, name: &str) -> Option<String> {
        self.viewer.browser.attribute(&self.element(css), name)
    }

    fn script(&self, script: &str) -> Value {
        self.viewer.browser.script(script)
    }

    /// What `script` returns, once that is `true`.
    fn until(&self, what: &str, script: &str) {
        wait_until(what, || (self.script(script) == true).then_some(()));
    }

    fn assert_quiet(&self) {
        assert_eq!(self.viewer.browser.console_errors(), [""; 0], "the console");
    }
}

#[test]
fn a_lane_leads_to_its_evidence_and_on_to_the_holder() {
    const TEST: &str = "picture::a_lane_leads_to_its_evidence_and_on_to_the_holder";
    let Some(page) = Page::open(TEST, 1280, Subject::Demo) else { return };
    let report = support::ask_default(&demo::bundle());
    let lanes = page.all("[data-test=lane]");
    assert_eq!(lanes.len(), report.namespaces.len());

    // By keyboard: the picture is one stop, arrows go from lane to lane, Enter chooses.
    assert_eq!(page.all("[data-test=lane] [tabindex='0']").len(), 1);
    page.press("#lane-button-0", DOWN);
    page.until("the next lane has the focus", "return document.activeElement.id === 'lane-button-1'");
    page.press("#lane-button-1", ENTER);
    let evidence = page.text("[data-test=lane-evidence]");
    let view = report.namespaces.iter().find(|view| view.role == NamespaceRole::Holder).expect("a holder");
    let mount = &view.mounts[0].evidence;
    let place = format!("{}:{}", mount.file, mount.line.expect("a line"));
    assert!(evidence.contains(&place) && evidence.contains(&mount.text), "{evidence}");
    assert_eq!(page.attribute("#lane-button-1", "aria-pressed").as_deref(), Some("true"));
    let tips =
        page.script("return [...document.querySelectorAll('#lane-1 title')].map(t => t.textContent).join()");
    assert!(tips.as_str().is_some_and(|tips| tips.contains(&place)), "what the pointer sees: {tips}");

    page.click("[data-test=to-holder]");
    let there = "const h = document.activeElement; const r = h.getBoundingClientRect(); \
                 return h.dataset.test === 'holder' && h.dataset.ns === NS && r.top < innerHeight && r.bottom > 0";
    let namespace = Value::from(view.inode.expect("an inode").to_string()).to_string();
    page.until("the holder's card has the focus", &there.replace("NS", &namespace));

    // By pointer, the host's lane, which no card is about: what is below the mount is there.
    page.click("#lane-0");
    page.until(
        "the host's evidence",
        "return document.querySelector('#lane-evidence').innerText.includes('proc/1/mountinfo')",
    );
    page.assert_quiet();
}

#[test]
fn two_hundred_namespaces_are_a_few_lanes_that_unfold() {
    const TEST: &str = "picture::two_hundred_namespaces_are_a_few_lanes_that_unfold";
    let Some(page) = Page::open(TEST, 1280, Subject::Crowd) else { return };
    let report = support::ask_default(&crowd::bundle());
    let holders = report.namespaces.iter().filter(|view| view.role == NamespaceRole::Holder).count();
    assert!(holders >= 200, "{holders}");
    let few = page.all("[data-test=lane]").len();
    assert!(few < 12, "{few} lanes");
    let height =
        page.script("return document.querySelector('.details .picture svg').getBoundingClientRect().height");
    assert!(height.as_f64().is_some_and(|height| height < 1600.0), "{height}");
    let stacks = page.all("[data-form=folded]").len();
    for _ in 0..stacks {
        page.click("[data-form=folded]");
    }
    page.until("all are unfolded", "return !document.querySelector('[data-form=folded]')");
    let shown = page.all("[data-form=single]").len();
    assert_eq!(shown, report.namespaces.len(), "every namespace has its row");
    page.click("[data-form=unfolded]");
    page.until("one is folded again", "return !!document.querySelector('[data-form=folded]')");
    page.assert_quiet();
}

#[test]
fn the_picture_is_saved_as_svg_and_png_that_stand_alone() {
    const TEST: &str = "picture::the_picture_is_saved_as_svg_and_png_that_stand_alone";
    let Some(page) = Page::open(TEST, 1280, Subject::Demo) else { return };
    // What would go to the disk.
    page.script(
        "window.saved = []; const make = URL.createObjectURL; \
         URL.createObjectURL = blob => { window.saved.push(blob); return make.call(URL, blob) }; \
         HTMLAnchorElement.prototype.click = function () { window.savedName = this.download }",
    );
    page.click("[data-test=save-svg]");
    page.until("an SVG is saved", "return window.savedName === 'ebusy-web1.svg'");
    let svg = page.script("return window.saved.at(-1).text()");
    let svg = svg.as_str().expect("text");
    assert!(
        svg.contains("<title")
            && svg.contains("<desc")
            && svg.contains("xmlns=\"http://www.w3.org/2000/svg\"")
    );
    for of_page in ["class=", "var(--", " style=", "tabindex", "onclick"] {
        assert!(!svg.contains(of_page), "{of_page} in {svg}");
    }
    assert!(svg.contains("httpd.service") && svg.contains("fill=\"rgb("), "{svg}");

    page.click("[data-test=save-png]");
    page.until("a PNG is saved", "return window.savedName === 'ebusy-web1.png'");
    // Read again by the browser: the size is double, and it shows what the picture shows.
    let png = page.script(
        "return createImageBitmap(window.saved.at(-1)).then(b => { \
           const c = new OffscreenCanvas(b.width, b.height).getContext('2d'); c.drawImage(b, 0, 0); \
           const d = c.getImageData(0, 0, b.width, b.height).data; const seen = new Set(); \
           for (let i = 0; i < d.length; i += 4) seen.add(d[i] << 16 | d[i + 1] << 8 | d[i + 2]); \
           return [b.width, seen.size, seen.has(0xa8201a)] })",
    );
    let width =
        page.script("return +document.querySelector('.details .picture svg').getAttribute('width') * 2");
    assert_eq!(png[0].as_f64(), width.as_f64().map(f64::trunc), "{png}");
    assert!(png[1].as_u64().is_some_and(|colours| colours > 10), "{png}");
    assert_eq!(png[2], true, "the colour of what blocks is in it");
    page.assert_quiet();
}

#[test]
fn the_picture_looks_as_it_did() {
    const TEST: &str = "picture::the_picture_looks_as_it_did";
    let Some(page) = Page::open(TEST, 1280, Subject::Start) else { return };
    for look in PICTURE_REFERENCES {
        let file =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("references").join(format!("{}.png", look.name));
        let bytes = std::fs::read(&file).expect("`cargo xtask screenshots` writes the references");
        let reference = Image::read(&bytes).expect("a PNG");
        let now = Image::read(&page.viewer.look(look)).expect("a PNG");
        assert_eq!((now.width, now.height), (reference.width, reference.height), "{}", look.name);
        // Means of 4x4 pixels: how a browser smooths edges is no difference, a line that moved is.
        let share = now.smaller(4).difference(&reference.smaller(4), 24);
        assert!(
            share < 0.004,
            "{}: {:.2} % of the picture differs from {}",
            look.name,
            share * 100.0,
            file.display()
        );
    }
    // The comparison sees what it is for: without one lane the picture is another.
    let demo = &PICTURE_REFERENCES[0];
    let whole = Image::read(&page.viewer.look(demo)).expect("a PNG");
    let script = "document.styleSheets[1].insertRule('.picture text, .picture #lane-2 .mount-box { visibility: hidden }')";
    let without =
        Image::read(&page.viewer.look(&ebusy_tests::looks::Look { script, ..*demo })).expect("a PNG");
    assert!(whole.smaller(4).difference(&without.smaller(4), 24) > 0.004, "a missing box is noticed");
}

#[test]
fn the_start_screens_picture_is_that_of_the_demo() {
    const TEST: &str = "picture::the_start_screens_picture_is_that_of_the_demo";
    let Some(page) = Page::open(TEST, 1280, Subject::Start) else { return };
    let shown = page.script("return document.querySelector('[data-test=start-picture]').textContent");
    let shown = shown.as_str().expect("text");
    let report = support::ask_default(&demo::bundle());
    let drawn = report
        .namespaces
        .iter()
        .filter(|view| view.role == NamespaceRole::Host || view.effect == Some(Effect::Blocking));
    for view in drawn {
        assert!(shown.contains(&view.label), "{} in {shown}", view.label);
        let process = view
            .processes
            .iter()
            .find(|process| shown.contains(&format!("{} {}", process.comm, process.pid)));
        assert!(process.is_some(), "a process of {} in {shown}", view.label);
    }
    assert_eq!(page.all("[data-test=start-picture] .lane.blocking .effect-word").len(), 2, "{shown}");
}

#[test]
fn a_tree_of_mounts_is_compared_filtered_and_walked_by_keys() {
    const TEST: &str = "picture::a_tree_of_mounts_is_compared_filtered_and_walked_by_keys";
    let Some(page) = Page::open(TEST, 1280, Subject::Demo) else { return };
    page.press("#lane-button-1", ENTER);
    page.click("[data-test=to-tree]");
    page.element("[data-test=tree-row]");
    let analysis = support::open(&demo::bundle()).expect("the demo opens");
    let names = analysis.namespaces();
    let httpd = names.iter().find(|name| name.label == "httpd.service").expect("it is named");
    let tree = analysis.mount_tree(&httpd.key).expect("it has a table");
    let count = |change: Change| tree.rows.iter().filter(|row| row.change == change).count();
    assert_eq!(page.all("[data-test=tree-row][data-change=added]").len(), count(Change::Added));
    assert!(
        page.all("[data-test=tree-row]").len() < tree.rows.len(),
        "what is the same is left out at first"
    );
    page.click("[data-test=tree-changes]");
    let all = format!(
        "return document.querySelector('[role=treegrid]').ariaRowCount === '{}'",
        tree.rows.len() + 1
    );
    page.until("all rows are there", &all);

    page.press("[data-test=tree-filter]", "253:3");
    page.until(
        "the device is found, with the way to it",
        "const r = [...document.querySelectorAll('[data-test=tree-row]')]; \
         return r.length > 1 && r.length < 6 && r.at(-1).textContent.includes('the busy mount')",
    );
    // By keys: End is the last row, left goes to what it is on.
    page.press("[role=treegrid]", "\u{e010}");
    let active = "document.getElementById(document.querySelector('[role=treegrid]').getAttribute('aria-activedescendant'))";
    page.until("the last row is the active one", &format!("return {active}.textContent.includes('253:3')"));
    let before = page.script(&format!("return +{active}.ariaLevel"));
    page.press("[role=treegrid]", "\u{e012}");
    page.until("it goes up", &format!("return +{active}.ariaLevel === {} - 1", before));
    page.assert_quiet();
}

#[test]
fn five_thousand_mounts_are_few_elements() {
    const TEST: &str = "picture::five_thousand_mounts_are_few_elements";
    let Some(page) = Page::open(TEST, 1280, Subject::Start) else { return };
    // One namespace: what is mounted has no peers to go to.
    let mut host = Host::new("many1", "6.1.0-50-amd64");
    let fs = host.tmpfs("many", "rw");
    let ns = host.ns;
    for number in 0..5_000 {
        host.mounts.mount(ns, &format!("/srv/volume-{number:04}"), &fs);
    }
    let dir = ebusy_tests::harness::TempDir::new("many");
    let file = dir.join("many.tar.gz");
    std::fs::write(&file, host.bundle()).expect("a file can be written");
    page.press("[data-test=file-input]", &file.to_string_lossy());
    page.element("[data-test=census]");
    page.click("[data-test=tab-mounts]");
    page.element("[data-test=tree-row]");
    let rows = page.all("[data-test=tree-row]").len();
    assert!(rows < 60, "{rows} elements");
    page.press("[role=treegrid]", "\u{e010}");
    page.until(
        "the last of them comes into sight",
        "const r = document.getElementById(document.querySelector('[role=treegrid]').getAttribute('aria-activedescendant')); \
         return !!r && +r.ariaRowIndex > 5000 && r.getBoundingClientRect().height > 0",
    );
    page.press("[data-test=tree-filter]", "volume-4321");
    page.until(
        "one is found",
        "return document.querySelector('[data-test=tree-row]:last-of-type').textContent.includes('volume-4321')",
    );
    page.assert_quiet();
}

#[test]
fn keys_lead_everywhere_and_single_ones_can_be_switched_off() {
    const TEST: &str = "picture::keys_lead_everywhere_and_single_ones_can_be_switched_off";
    let Some(page) = Page::open(TEST, 1280, Subject::Demo) else { return };
    page.press("body", "?");
    assert!(page.text("[data-test=keys]").contains("Ctrl+K"));
    page.press("[data-test=keys]", ESCAPE);
    page.until("the sheet is gone", "return !document.querySelector('dialog[open]')");
    page.press("body", "/");
    page.until("the search has the focus", "return document.activeElement.id === 'search-input'");

    page.press("body", CONTROL_K);
    page.press("[data-test=palette-input]", "cadvisor holder");
    page.until("one entry", "return document.querySelectorAll('[data-test=palette-entry]').length === 1");
    page.press("[data-test=palette-input]", ENTER);
    page.until(
        "the holder has the focus",
        "return (document.activeElement.dataset.test === 'holder') && !document.querySelector('dialog[open]')",
    );
    assert!(
        page.script("return document.activeElement.innerText")
            .as_str()
            .is_some_and(|t| t.contains("cadvisor"))
    );

    page.press("body", CONTROL_K);
    page.press("[data-test=palette-input]", "nightly");
    page.press("[data-test=palette-input]", ENTER);
    page.until(
        "it is explained",
        "return document.querySelector('[data-test=verdict]').innerText.includes('nightly-report')",
    );

    page.press("body", "?");
    page.click("[data-test=single-keys]");
    page.press("[data-test=keys]", ESCAPE);
    page.until("the sheet is gone", "return !document.querySelector('dialog[open]')");
    page.press("body", "/");
    assert_ne!(page.script("return document.activeElement.id"), "search-input");
    page.assert_quiet();
}

#[test]
fn language_colours_and_zone_are_chosen_and_remembered() {
    const TEST: &str = "picture::language_colours_and_zone_are_chosen_and_remembered";
    let Some(page) = Page::open(TEST, 1280, Subject::Demo) else { return };
    let choose = |name: &str, value: &str| {
        page.script(&format!(
            "const s = document.querySelector('[data-test=prefer-{name}]'); s.value = '{value}'; \
             s.dispatchEvent(new Event('change', {{bubbles: true}}))"
        ));
    };
    assert_eq!(page.script("return document.documentElement.lang"), "en");
    choose("language", "zh-Hans");
    page.until("the page speaks Chinese", "return document.documentElement.lang === 'zh-Hans' && document.querySelector('#app h1').innerText.includes('容器')");
    let verdict = page.text("[data-test=verdict]");
    assert!(verdict.contains("被占用") && verdict.contains("httpd.service"), "{verdict}");
    assert!(verdict.contains("位于挂载命名空间"), "the analyzer's sentence, too: {verdict}");
    choose("theme", "dark");
    let ground = "return getComputedStyle(document.body).backgroundColor";
    let dark = page.script(ground);
    choose("theme", "light");
    assert_ne!(page.script(ground), dark);
    choose("zone", "local");
    page.until("times have an offset", "return /[+-]\\d\\d:\\d\\d$/.test(document.querySelector('time').innerText) && document.querySelector('time').title.endsWith('UTC')");
    // Opened again, it is as it was left.
    page.script("location.reload()");
    page.until("it is Chinese again", "return document.documentElement.lang === 'zh-Hans' && document.documentElement.dataset.theme === 'light' && !!document.querySelector('[data-test=start]')");
    page.assert_quiet();
}
