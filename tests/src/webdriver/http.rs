//! WebDriver over HTTP, as chromedriver and WebKitWebDriver speak it.

use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

/// A session of a driver.
#[derive(Debug)]
pub(super) struct Http {
    port: u16,
    session: String,
}

impl Http {
    /// Has the driver start its browser.
    pub(super) fn start(port: u16, capabilities: &Value) -> Result<Self, String> {
        let wanted = json!({ "capabilities": { "alwaysMatch": capabilities } });
        let answer = request(port, "POST", "/session", Some(&wanted))?;
        let session = answer["sessionId"].as_str().ok_or("a session has an id")?.to_owned();
        Ok(Self { port, session })
    }

    /// A command of the standard by the name that its algorithm has in it.
    pub(super) fn command(&self, name: &str, parameters: &Value) -> Result<Value, String> {
        let text = |key: &str| parameters[key].as_str().unwrap_or_default();
        let of_element = |what: &str| format!("/element/{}/{what}", text("id"));
        match name {
            "Navigate" => self.post("/url", parameters),
            "FindElements" => self.post("/elements", parameters),
            "GetElementText" => self.call("GET", &of_element("text"), None),
            "GetElementAttribute" => {
                self.call("GET", &of_element(&format!("attribute/{}", text("name"))), None)
            }
            "IsElementDisplayed" => self.call("GET", &of_element("displayed"), None),
            "ElementClick" => self.post(&of_element("click"), &json!({})),
            "ElementSendKeys" => self.post(&of_element("value"), parameters),
            "ExecuteScript" => self.post("/execute/sync", parameters),
            "SetWindowRect" => self.post("/window/rect", parameters),
            "TakeScreenshot" => self.call("GET", "/screenshot", None),
            "Back" => self.post("/back", &json!({})),
            other => Err(format!("no command {other}")),
        }
    }

    pub(super) fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, String> {
        request(self.port, method, &format!("/session/{}{path}", self.session), body)
    }

    pub(super) fn post(&self, path: &str, body: &Value) -> Result<Value, String> {
        self.call("POST", path, Some(body))
    }
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
