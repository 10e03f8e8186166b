//! A browser, driven through the WebDriver protocol (<https://www.w3.org/TR/webdriver2/>): just what the page's
//! tests need, over one connection for each command, so that no async runtime comes into the build.

use crate::harness::{Background, TempDir, wait_until};
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};

/// Key of an element's id in answers (section 11.1 of the standard).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A headless Chromium with a profile of its own.
#[derive(Debug)]
pub struct Browser {
    port: u16,
    session: String,
    _driver: Background,
    _profile: TempDir,
}

/// An element of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element(String);

impl Browser {
    /// Starts `chromedriver` on a free port, and Chromium through it.
    pub fn start(chromedriver: &Path) -> Self {
        let profile = TempDir::new("profile");
        let mut command = Command::new(chromedriver);
        command.arg("--port=0").stderr(Stdio::null());
        let (driver, line) = Background::start_until(&mut command, "started successfully on port");
        let digits: String =
            line.chars().rev().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
        let port = digits.chars().rev().collect::<String>().parse().expect("chromedriver names its port");
        let user_data = format!("--user-data-dir={}", profile.path().display());
        let args = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            &user_data,
        ];
        let capabilities = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": {"args": args},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }}});
        let answer = request(port, "POST", "/session", Some(&capabilities)).expect("the browser starts");
        let session = answer["sessionId"].as_str().expect("a session has an id").to_owned();
        Self { port, session, _driver: driver, _profile: profile }
    }

    fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, String> {
        request(self.port, method, &format!("/session/{}{path}", self.session), body)
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        self.call("POST", path, Some(body)).unwrap_or_else(|error| fail(path, &error))
    }

    /// Opens an address.
    pub fn open(&self, url: &str) {
        self.post("/url", &json!({ "url": url }));
    }

    /// Every element that a CSS selector fits, in the page's order.
    pub fn all(&self, css: &str) -> Vec<Element> {
        let found = self.post("/elements", &json!({"using": "css selector", "value": css}));
        let ids = found.as_array().into_iter().flatten().filter_map(|element| element[ELEMENT].as_str());
        ids.map(|id| Element(id.to_owned())).collect()
    }

    /// The first element that a CSS selector fits, as soon as there is one.
    pub fn wait_for(&self, css: &str) -> Element {
        wait_until(&format!("the page has {css}"), || self.all(css).into_iter().next())
    }

    /// Visible text.
    pub fn text(&self, element: &Element) -> String {
        let answer = self.call("GET", &format!("/element/{}/text", element.0), None);
        answer.ok().and_then(|text| text.as_str().map(str::to_owned)).unwrap_or_default()
    }

    /// An attribute's value.
    pub fn attribute(&self, element: &Element, name: &str) -> Option<String> {
        let answer = self.call("GET", &format!("/element/{}/attribute/{name}", element.0), None);
        answer.ok()?.as_str().map(str::to_owned)
    }

    /// True where it can be seen.
    pub fn displayed(&self, element: &Element) -> bool {
        self.call("GET", &format!("/element/{}/displayed", element.0), None) == Ok(Value::Bool(true))
    }

    /// Clicks; whoever is in the way gets the click's blame.
    pub fn click(&self, element: &Element) {
        self.post(&format!("/element/{}/click", element.0), &json!({}));
    }

    /// Types into an element; for a file input, `text` is a path.
    pub fn type_into(&self, element: &Element, text: &str) {
        self.post(&format!("/element/{}/value", element.0), &json!({ "text": text }));
    }

    /// Empties an input as a person does, with Control and a, so that the page hears of it.
    pub fn clear(&self, element: &Element) {
        self.type_into(element, "\u{e009}a\u{e000}\u{e003}");
    }

    /// Runs JavaScript; `return` gives the answer.
    pub fn script(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({"script": script, "args": []}))
    }

    /// A command of the Chrome DevTools protocol.
    pub fn devtools(&self, command: &str, params: &Value) -> Value {
        self.post("/goog/cdp/execute", &json!({"cmd": command, "params": params}))
    }

    /// Gives the page a width and a colour scheme (`light` or `dark`).
    pub fn look(&self, width: u32, scheme: &str) {
        let size = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", &size);
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.devtools("Emulation.setEmulatedMedia", &features);
    }

    /// The whole page as PNG.
    pub fn screenshot(&self, path: &Path) {
        let params = json!({"format": "png", "captureBeyondViewport": true});
        std::fs::write(path, self.png(&params)).expect("a screenshot can be written");
    }

    /// A screenshot with the parameters of `Page.captureScreenshot`.
    pub fn png(&self, params: &Value) -> Vec<u8> {
        let answer = self.devtools("Page.captureScreenshot", params);
        let png = base64(answer["data"].as_str().unwrap_or_default());
        assert!(png.starts_with(b"\x89PNG"), "no picture in {answer}");
        png
    }

    /// What came into a log (`browser` is the console, `performance` the network) since it was last asked for.
    pub fn log(&self, kind: &str) -> Vec<Value> {
        match self.post("/se/log", &json!({ "type": kind })) {
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
        // Ends Chromium; the driver itself is ended by its pid.
        let _ = self.call("DELETE", "", None);
    }
}

#[expect(clippy::panic, reason = "ends the test with the driver's words")]
fn fail(what: &str, error: &str) -> ! {
    panic!("WebDriver {what}: {error}")
}

fn request(port: u16, method: &str, path: &str, body: Option<&Value>) -> Result<Value, String> {
    let said = |error: std::io::Error| error.to_string();
    let body = body.map(Value::to_string).unwrap_or_default();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).map_err(said)?;
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).map_err(said)?;
    let answer = read_body(&mut stream).map_err(said)?;
    let mut answer: Value = serde_json::from_slice(&answer).map_err(|error| error.to_string())?;
    let value = answer["value"].take();
    match value.get("error") {
        Some(error) => Err(format!("{error}: {}", value["message"])),
        None => Ok(value),
    }
}

/// The body of an HTTP answer, by its `Content-Length`: the driver may keep the connection open.
fn read_body(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut data = Vec::new();
    let mut buffer = [0; 65536];
    loop {
        let end = data.windows(4).position(|window| window == b"\r\n\r\n");
        if let Some(end) = end {
            let head = String::from_utf8_lossy(&data[..end]).to_ascii_lowercase();
            let length =
                head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
            let body = end + 4;
            let wanted = length.map(|length: usize| body + length);
            if wanted.is_some_and(|wanted| data.len() >= wanted) {
                return Ok(data.split_off(body));
            }
        }
        match stream.read(&mut buffer)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            read => data.extend_from_slice(&buffer[..read]),
        }
    }
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
