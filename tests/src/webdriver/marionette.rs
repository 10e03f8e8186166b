//! Marionette, what Firefox itself speaks: geckodriver does nothing but translate it, and takes minutes to build.
//!
//! A message is `LENGTH:JSON`; a command is `[0, number, name, parameters]`, an answer `[1, number, error, result]`
//! (Mozilla's documentation, "Marionette protocol").

use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

/// A session of Firefox.
#[derive(Debug)]
pub(super) struct Marionette {
    stream: RefCell<BufReader<TcpStream>>,
    last: Cell<u32>,
}

impl Marionette {
    /// Starts a session with a Firefox that listens there.
    pub(super) fn start(port: u16, capabilities: &Value) -> Result<Self, String> {
        let stream = TcpStream::connect(("127.0.0.1", port)).map_err(said)?;
        let this = Self { stream: RefCell::new(BufReader::new(stream)), last: Cell::new(0) };
        // It greets first.
        this.receive()?;
        this.call("WebDriver:NewSession", &json!({ "capabilities": { "alwaysMatch": capabilities } }))?;
        Ok(this)
    }

    /// A command of the standard by the name that its algorithm has in it.
    pub(super) fn command(&self, name: &str, parameters: &Value) -> Result<Value, String> {
        let mut answer = self.call(&format!("WebDriver:{name}"), parameters)?;
        Ok(if answer.get("value").is_some() { answer["value"].take() } else { answer })
    }

    /// Any command.
    pub(super) fn call(&self, name: &str, parameters: &Value) -> Result<Value, String> {
        let number = self.last.get() + 1;
        self.last.set(number);
        let message = json!([0, number, name, parameters]).to_string();
        let whole = format!("{}:{message}", message.len());
        self.stream.borrow_mut().get_mut().write_all(whole.as_bytes()).map_err(said)?;
        loop {
            let mut answer = self.receive()?;
            if answer[1] != number {
                continue;
            }
            return match &answer[2] {
                Value::Null => Ok(answer[3].take()),
                error => Err(format!("{}: {}", error["error"], error["message"])),
            };
        }
    }

    fn receive(&self) -> Result<Value, String> {
        let mut stream = self.stream.borrow_mut();
        let mut length = Vec::new();
        stream.read_until(b':', &mut length).map_err(said)?;
        length.pop();
        let length: usize =
            String::from_utf8_lossy(&length).parse().map_err(|_| "Firefox hung up".to_owned())?;
        let mut message = vec![0; length];
        stream.read_exact(&mut message).map_err(said)?;
        serde_json::from_slice(&message).map_err(|error| error.to_string())
    }
}

fn said(error: std::io::Error) -> String {
    error.to_string()
}
