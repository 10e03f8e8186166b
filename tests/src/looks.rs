//! What there is to see of the page, for screenshots and for tests that compare them.

use crate::gallery::Example;
use crate::harness::{TempDir, wait_until};
use crate::webdriver::{Browser, Engine};
use crate::{crowd, demo};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// One view of the page.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// Name of its file, without ending.
    pub name: &'static str,
    /// Width of the window in CSS pixels.
    pub width: u32,
    /// `light` or `dark`.
    pub scheme: &'static str,
    /// What is opened.
    pub subject: Subject,
    /// What is done before looking, as JavaScript.
    pub script: &'static str,
    /// What is looked at: a CSS selector, or the top of the page where it is empty.
    pub part: &'static str,
    /// Height in CSS pixels that is looked at, at most.
    pub height: u32,
}

/// What the page has open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// Nothing.
    Start,
    /// The demo.
    Demo,
    /// The host with 200 namespaces.
    Crowd,
    /// A file that it cannot read.
    Failure,
    /// Three hosts, and a file that is none.
    Fleet,
}

const fn look(name: &'static str, width: u32, scheme: &'static str, subject: Subject) -> Look {
    Look { name, width, scheme, subject, script: "", part: "", height: 900 }
}

const fn part(whole: Look, part: &'static str, height: u32) -> Look {
    Look { part, height, ..whole }
}

const fn after(look: Look, script: &'static str) -> Look {
    Look { script, ..look }
}

const PICTURE: &str = "section[aria-labelledby=picture-title]";
const PICK: &str = "document.querySelectorAll('[data-test=lane]')[1].dispatchEvent(new MouseEvent('click', {bubbles: true}))";
const TREE: &str = "document.querySelector('[data-test=tab-mounts]').click(); \
    const done = () => { const s = document.querySelector('[data-test=tree-namespace]'); if (!s) return setTimeout(done, 20); \
    s.value = [...s.options].find(o => o.text.startsWith('httpd')).value; s.dispatchEvent(new Event('change', {bubbles: true})); }; done()";
const UNFOLD: &str =
    "document.querySelector('[data-form=folded]').dispatchEvent(new MouseEvent('click', {bubbles: true}))";
const PALETTE: &str = "document.querySelector('[data-test=palette-button]').click()";
const KEYS: &str = "document.querySelector('[data-test=keys-button]').click()";
const SHARE: &str = "document.querySelector('[data-test=share]').click()";
const CENSUS: &str = "document.querySelector('[data-test=tab-census]').click()";
const CHINESE: &str = "const s = document.querySelector('[data-test=prefer-language]'); s.value = 'zh-Hans'; \
    s.dispatchEvent(new Event('change', {bubbles: true}))";

/// The screens of the documentation.
pub const SCREENS: &[Look] = &[
    look("start-light", 1280, "light", Subject::Start),
    look("start-dark", 1280, "dark", Subject::Start),
    look("start-phone", 360, "light", Subject::Start),
    look("page", 1280, "light", Subject::Demo),
    look("page-dark", 1280, "dark", Subject::Demo),
    look("page-phone", 360, "light", Subject::Demo),
    part(look("picture-light", 1280, "light", Subject::Demo), PICTURE, 800),
    part(look("picture-dark", 1280, "dark", Subject::Demo), PICTURE, 800),
    part(look("picture-phone", 360, "light", Subject::Demo), PICTURE, 1400),
    after(part(look("evidence", 1280, "light", Subject::Demo), "#lane-evidence", 800), PICK),
    part(look("crowd", 1280, "light", Subject::Crowd), PICTURE, 1400),
    after(part(look("crowd-unfolded", 1280, "dark", Subject::Crowd), PICTURE, 1400), UNFOLD),
    after(part(look("tree-light", 1280, "light", Subject::Demo), "[data-test=tree]", 800), TREE),
    after(part(look("tree-dark", 1280, "dark", Subject::Demo), "[data-test=tree]", 800), TREE),
    after(look("palette", 1280, "light", Subject::Demo), PALETTE),
    after(look("keys", 1280, "dark", Subject::Demo), KEYS),
    after(look("share", 1280, "light", Subject::Demo), SHARE),
    after(look("census", 1280, "light", Subject::Demo), CENSUS),
    look("fleet", 1280, "light", Subject::Fleet),
    look("fleet-dark", 1280, "dark", Subject::Fleet),
    look("fleet-phone", 360, "light", Subject::Fleet),
    look("failure", 1280, "light", Subject::Failure),
    after(look("chinese", 1280, "light", Subject::Demo), CHINESE),
];

/// No letters: they differ with the fonts of a machine. Everything else of the picture is drawn by numbers.
const WITHOUT_LETTERS: &str = "document.styleSheets[1].insertRule('.picture text { visibility: hidden }')";
/// Width of the window for an example.
const EXAMPLE_WIDTH: u32 = 1280;
const SVG: &str = ".details .picture svg";

/// The picture as the tests compare it.
pub const PICTURE_REFERENCES: &[Look] = &[
    after(part(look("picture-light", 1280, "light", Subject::Demo), SVG, 2000), WITHOUT_LETTERS),
    after(part(look("picture-dark", 1280, "dark", Subject::Demo), SVG, 2000), WITHOUT_LETTERS),
    after(part(look("picture-phone", 360, "light", Subject::Demo), SVG, 2000), WITHOUT_LETTERS),
    after(part(look("picture-crowd", 1280, "light", Subject::Crowd), SVG, 2000), WITHOUT_LETTERS),
];

/// The beginning of a photograph.
const JPEG: &[u8] = &[0xff, 0xd8, 0xff, 0xe0, 0, 16, 74, 70, 73, 70];

/// Somebody who looks at the page.
#[derive(Debug)]
pub struct Viewer {
    /// The browser, for those who want to do more than look.
    pub browser: Browser,
    url: String,
    dir: TempDir,
}

impl Viewer {
    /// Opens Chromium, whose pictures are the same every time, for the page in that file; skips `test` where it is
    /// not installed.
    pub fn start(test: &str, page: &Path) -> Option<Self> {
        let url = format!("file://{}", page.display());
        Some(Self { browser: Browser::start(test, Engine::Chromium, None)?, url, dir: TempDir::new("looks") })
    }

    /// Opens the page anew, with the preferences of a first visit, and the subject in it.
    pub fn open(&self, width: u32, scheme: &str, subject: Subject) {
        self.browser.look(width, scheme);
        self.browser.open(&self.url);
        self.browser.script("try { localStorage.clear() } catch (e) {}");
        self.browser.open(&self.url);
        self.browser.wait_for("[data-test=start]");
        match subject {
            Subject::Start => {}
            Subject::Demo => self.give("ebusy-web1-20170412T105711Z.tar.gz", &demo::bundle()),
            Subject::Crowd => self.give("ebusy-crowd1-20170412T105711Z.tar.gz", &crowd::bundle()),
            Subject::Failure => self.give("holiday.jpg", JPEG),
            Subject::Fleet => {
                let mut other = demo::host();
                other.name = "web2".into();
                self.give_all(&[
                    ("web1.tar.gz", &demo::bundle()),
                    ("web2.tar.gz", &other.bundle()),
                    ("crowd1.tar.gz", &crowd::bundle()),
                    ("holiday.jpg", JPEG),
                ]);
            }
        }
        let there = match subject {
            Subject::Start => "[data-test=start]",
            Subject::Failure => "[data-test=failure]",
            Subject::Demo | Subject::Crowd => "[data-test=census]",
            Subject::Fleet => "[data-test=fleet][data-over=true]",
        };
        self.browser.wait_for(there);
    }

    /// What the page draws of a host of the gallery, as PNG: the picture, or the first holder where no mount
    /// namespace has a part in it.
    pub fn example(&self, example: &Example) -> Vec<u8> {
        self.open(EXAMPLE_WIDTH, "light", Subject::Start);
        self.give(&format!("ebusy-{}.tar.gz", example.cause), &example.host.bundle());
        self.browser.wait_for("[data-test=census]");
        let input = self.browser.wait_for("[data-test=search-input]");
        if let Some(ask) = &example.ask {
            self.browser.clear(&input);
            self.browser.type_into(&input, ask);
            self.browser.click(&self.browser.wait_for("[data-test=search-submit]"));
        }
        self.browser.wait_for("[data-test=holder]");
        self.hide_bar();
        self.wait_until_still();
        let part = if self.browser.all(SVG).is_empty() { "[data-test=holder]" } else { SVG };
        self.png_of(part, EXAMPLE_WIDTH, 900)
    }

    /// A file of that name among those that this viewer writes.
    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    fn give(&self, name: &str, bytes: &[u8]) {
        self.give_all(&[(name, bytes)]);
    }

    fn give_all(&self, files: &[(&str, &[u8])]) {
        let paths = files.iter().map(|(name, bytes)| {
            let path = self.dir.join(name);
            std::fs::write(&path, bytes).expect("a file can be written");
            path.to_string_lossy().into_owned()
        });
        let input = self.browser.wait_for("[data-test=file-input]");
        self.browser.type_into(&input, &paths.collect::<Vec<_>>().join("\n"));
    }

    /// A screenshot, as PNG.
    pub fn look(&self, look: &Look) -> Vec<u8> {
        self.open(look.width, look.scheme, look.subject);
        self.hide_bar();
        self.browser.script(look.script);
        self.wait_until_still();
        self.png_of(look.part, look.width, look.height)
    }

    /// Taking a picture makes the window as high as the page: without its bar the page would get wider then, and what
    /// was measured before would be elsewhere.
    fn hide_bar(&self) {
        self.browser.script("document.documentElement.style.scrollbarWidth = 'none'");
    }

    /// A part of the page as it is now, or its top.
    fn png_of(&self, part: &str, width: u32, most: u32) -> Vec<u8> {
        let area = if part.is_empty() {
            json!([0, 0, width, most])
        } else {
            let selector = Value::from(part);
            let script = format!(
                "const r = document.querySelector({selector}).getBoundingClientRect(); \
                 return [r.x + scrollX, r.y + scrollY, r.width, r.height]"
            );
            self.browser.script(&script)
        };
        let number = |index: usize| area[index].as_f64().unwrap_or_default();
        let height = number(3).min(f64::from(most)).floor();
        let clip =
            json!({"x": number(0), "y": number(1), "width": number(2).floor(), "height": height, "scale": 1});
        self.browser.png(&json!({"format": "png", "captureBeyondViewport": true, "clip": clip}))
    }

    /// Waits until two looks at the page's elements see the same, and nothing is being read.
    fn wait_until_still(&self) {
        let busy = "[aria-busy=true], [data-waiting=true]";
        let mut last = String::new();
        wait_until("the page is still", || {
            let script = format!(
                "return new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => \
                 done(document.querySelector('{busy}') ? '' : document.body.outerHTML))))"
            );
            let now = self.browser.script(&script).as_str().unwrap_or_default().to_owned();
            let same = !now.is_empty() && now == last;
            last = now;
            same.then_some(())
        });
    }
}
