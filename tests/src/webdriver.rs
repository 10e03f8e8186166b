//! A browser, driven through the WebDriver protocol (<https://www.w3.org/TR/webdriver2/>): just what the page's
//! tests need, so that no async runtime comes into the build. Chromium and WebKit speak it over HTTP, Firefox speaks
//! Marionette, which has the same commands.

mod http;
mod marionette;
mod start;

use crate::harness::{Background, TempDir, need_command, wait_until};
use http::Http;
use marionette::Marionette;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;

/// Key of an element's id in answers (section 11.1 of the standard).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// The engines that the page works in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Chromium, and with it Chrome and Edge.
    Chromium,
    /// Firefox ESR.
    Firefox,
    /// WebKitGTK's MiniBrowser, the nearest to Safari that there is here.
    WebKit,
}

impl Engine {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Chromium, Self::Firefox, Self::WebKit];

    /// Its name in names of files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Chromium => "chromium",
            Self::Firefox => "firefox",
            Self::WebKit => "webkit",
        }
    }
}

/// How commands reach the browser.
#[derive(Debug)]
enum Link {
    Http(Http),
    Marionette(Marionette),
}

/// A headless browser with a profile of its own.
#[derive(Debug)]
pub struct Browser {
    engine: Engine,
    link: Link,
    processes: Vec<Background>,
    _profile: TempDir,
}

/// An element of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element(String);

impl Browser {
    /// Starts an engine; skips `test` where something of it is not installed. Firefox and WebKit ask `proxy` for all
    /// that they want from the network; Chromium tells by itself what it asks for.
    pub fn start(test: &str, engine: Engine, proxy: Option<SocketAddr>) -> Option<Self> {
        let (program, beside) = match engine {
            Engine::Chromium => ("chromedriver", "chromium"),
            Engine::Firefox => ("firefox-esr", "firefox-esr"),
            Engine::WebKit => ("WebKitWebDriver", "Xvfb"),
        };
        let program = need_command(test, program)?;
        need_command(test, beside)?;
        let (link, processes, _profile) = start::start(engine, &program, proxy);
        Some(Self { engine, link, processes, _profile })
    }

    /// Which engine it is.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// Pid of the driver or the browser, whose children are the browser's other processes.
    pub fn pid(&self) -> Option<u32> {
        self.processes.first().map(Background::pid)
    }

    fn command(&self, name: &str, parameters: &Value) -> Result<Value, String> {
        match &self.link {
            Link::Http(session) => session.command(name, parameters),
            Link::Marionette(session) => session.command(name, parameters),
        }
    }

    fn must(&self, name: &str, parameters: &Value) -> Value {
        self.command(name, parameters).unwrap_or_else(|error| fail(name, &error))
    }

    /// What only Chromium has.
    fn of_chromium(&self, path: &str, body: &Value) -> Value {
        let answer = match &self.link {
            Link::Http(session) if self.engine == Engine::Chromium => session.post(path, body),
            _ => Err(format!("{} has no such command", self.engine.name())),
        };
        answer.unwrap_or_else(|error| fail(path, &error))
    }

    /// Opens an address.
    pub fn open(&self, url: &str) {
        self.must("Navigate", &json!({ "url": url }));
    }

    /// Opens an address that may not answer.
    pub fn try_open(&self, url: &str) {
        let _ = self.command("Navigate", &json!({ "url": url }));
    }

    /// Every element that a CSS selector fits, in the page's order.
    pub fn all(&self, css: &str) -> Vec<Element> {
        let found = self.must("FindElements", &json!({"using": "css selector", "value": css}));
        let ids = found.as_array().into_iter().flatten().filter_map(|element| element[ELEMENT].as_str());
        ids.map(|id| Element(id.to_owned())).collect()
    }

    /// The first element that a CSS selector fits, as soon as there is one.
    pub fn wait_for(&self, css: &str) -> Element {
        wait_until(&format!("the page has {css}"), || self.all(css).into_iter().next())
    }

    /// Visible text.
    pub fn text(&self, element: &Element) -> String {
        let answer = self.command("GetElementText", &json!({ "id": element.0 }));
        answer.ok().and_then(|text| text.as_str().map(str::to_owned)).unwrap_or_default()
    }

    /// An attribute's value.
    pub fn attribute(&self, element: &Element, name: &str) -> Option<String> {
        let answer = self.command("GetElementAttribute", &json!({ "id": element.0, "name": name }));
        answer.ok()?.as_str().map(str::to_owned)
    }

    /// True where it can be seen.
    pub fn displayed(&self, element: &Element) -> bool {
        self.command("IsElementDisplayed", &json!({ "id": element.0 })) == Ok(Value::Bool(true))
    }

    /// Clicks; whoever is in the way gets the click's blame.
    pub fn click(&self, element: &Element) {
        self.must("ElementClick", &json!({ "id": element.0 }));
    }

    /// Types into an element; for a file input, `text` is a path, or several with line ends between.
    pub fn type_into(&self, element: &Element, text: &str) {
        self.must("ElementSendKeys", &json!({ "id": element.0, "text": text }));
    }

    /// Types text of several lines, as a person does: with the Return key at the end of each.
    pub fn type_lines(&self, element: &Element, text: &str) {
        self.type_into(element, &text.replace('\n', "\u{e006}"));
    }

    /// Empties an input as a person does, with Control and a, so that the page hears of it.
    pub fn clear(&self, element: &Element) {
        self.type_into(element, "\u{e009}a\u{e000}\u{e003}");
    }

    /// Runs JavaScript; `return` gives the answer.
    pub fn script(&self, script: &str) -> Value {
        self.must("ExecuteScript", &json!({"script": script, "args": []}))
    }

    /// A command of the Chrome DevTools protocol.
    pub fn devtools(&self, command: &str, params: &Value) -> Value {
        self.of_chromium("/goog/cdp/execute", &json!({"cmd": command, "params": params}))
    }

    /// Gives the page a width and a colour scheme (`light` or `dark`); engines other than Chromium keep theirs.
    pub fn look(&self, width: u32, scheme: &str) {
        if self.engine != Engine::Chromium {
            self.must("SetWindowRect", &json!({"width": width, "height": 900}));
            return;
        }
        let size = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", &size);
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.devtools("Emulation.setEmulatedMedia", &features);
        // The page hears of it before its next frame.
        self.script("return new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))");
    }

    /// The whole page as PNG; in WebKit, what the window shows.
    pub fn screenshot(&self, path: &Path) {
        let picture = match self.engine {
            Engine::Chromium => {
                let params = json!({"format": "png", "captureBeyondViewport": true});
                self.devtools("Page.captureScreenshot", &params)["data"].take()
            }
            _ => self.must("TakeScreenshot", &json!({ "full": true })),
        };
        let png = base64(picture.as_str().unwrap_or_default());
        assert!(png.starts_with(b"\x89PNG"), "no picture");
        std::fs::write(path, png).expect("a screenshot can be written");
    }

    /// A screenshot with the parameters of `Page.captureScreenshot`, in Chromium.
    pub fn png(&self, params: &Value) -> Vec<u8> {
        let answer = self.devtools("Page.captureScreenshot", params);
        let png = base64(answer["data"].as_str().unwrap_or_default());
        assert!(png.starts_with(b"\x89PNG"), "no picture in {answer}");
        png
    }

    /// The page as PDF, with the parameters of `Page.printToPDF`, in Chromium.
    pub fn pdf(&self, params: &Value) -> Vec<u8> {
        let answer = self.devtools("Page.printToPDF", params);
        let pdf = base64(answer["data"].as_str().unwrap_or_default());
        assert!(pdf.starts_with(b"%PDF"), "no PDF in {answer}");
        pdf
    }

    /// What came into a log (`browser` is the console, `performance` the network) since it was last asked for.
    pub fn log(&self, kind: &str) -> Vec<Value> {
        match self.of_chromium("/se/log", &json!({ "type": kind })) {
            Value::Array(entries) => entries,
            _ => Vec::new(),
        }
    }

    /// Errors and warnings of the console.
    pub fn console_errors(&self) -> Vec<String> {
        let bad = |entry: &Value| matches!(entry["level"].as_str(), Some("SEVERE" | "WARNING"));
        self.log("browser")
            .iter()
            .filter(|entry| bad(entry))
            .map(|entry| entry["message"].to_string())
            .collect()
    }

    /// Addresses that the browser asked for.
    pub fn requests(&self) -> Vec<String> {
        let entries = self.log("performance");
        let messages =
            entries.iter().filter_map(|entry| serde_json::from_str::<Value>(entry["message"].as_str()?).ok());
        let sent = messages.filter(|event| event["message"]["method"] == "Network.requestWillBeSent");
        sent.filter_map(|event| event["message"]["params"]["request"]["url"].as_str().map(str::to_owned))
            .collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Ends the browser; a driver itself is ended by its pid.
        let _ = match &self.link {
            Link::Http(session) => session.call("DELETE", "", None),
            Link::Marionette(session) => session.call("Marionette:Quit", &json!({"flags": ["eForceQuit"]})),
        };
    }
}

#[expect(clippy::panic, reason = "ends the test with the driver's words")]
fn fail(what: &str, error: &str) -> ! {
    panic!("WebDriver {what}: {error}")
}

/// Decodes base64; what is not of its alphabet is passed over.
fn base64(text: &str) -> Vec<u8> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let digits: Vec<u8> = text.bytes().filter_map(digit).collect();
    let quad = |quad: &[u8]| {
        let bits = quad.iter().fold(0, |bits, digit| bits << 6 | u32::from(*digit)) << (6 * (4 - quad.len()));
        bits.to_be_bytes()[1..quad.len()].to_vec()
    };
    digits.chunks(4).flat_map(quad).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn base64_of_every_length() {
        for (text, bytes) in [("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYg==", "foob")] {
            assert_eq!(super::base64(text), bytes.as_bytes());
        }
    }
}
