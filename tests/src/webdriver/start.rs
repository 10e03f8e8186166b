//! Starts each engine headless, with a profile of its own, and talks to nobody but the page.

use super::http::Http;
use super::marionette::Marionette;
use super::{Engine, Link};
use crate::harness::{Background, TempDir, wait_until};
use serde_json::json;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A running engine with what it needs: ended and removed in this order.
pub(super) type Started = (Link, Vec<Background>, TempDir);

/// Where the engine is, and what else it takes.
pub(super) fn start(engine: Engine, program: &Path, proxy: Option<SocketAddr>) -> Started {
    match engine {
        Engine::Chromium => chromium(program),
        Engine::Firefox => firefox(program, proxy),
        Engine::WebKit => webkit(program, proxy),
    }
}

fn chromium(chromedriver: &Path) -> Started {
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
    let capabilities = json!({
        "browserName": "chrome",
        "goog:chromeOptions": {"args": args},
        "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
    });
    let session = Http::start(port, &capabilities).expect("the browser starts");
    (Link::Http(session), vec![driver], profile)
}

/// Firefox listens for Marionette on a port that it chooses, and writes the number into its profile.
fn firefox(program: &Path, proxy: Option<SocketAddr>) -> Started {
    let profile = TempDir::new("profile");
    let mut preferences = vec![
        "user_pref(\"marionette.port\", 0);".to_owned(),
        // What Mozilla recommends for tests: no updates, no telemetry, no first-run pages.
        "user_pref(\"remote.prefs.recommended\", true);".to_owned(),
        "user_pref(\"app.normandy.enabled\", false);".to_owned(),
        "user_pref(\"services.settings.server\", \"data:,\");".to_owned(),
    ];
    if let Some(proxy) = proxy {
        preferences.push("user_pref(\"network.proxy.type\", 1);".to_owned());
        preferences.push("user_pref(\"network.proxy.allow_hijacking_localhost\", true);".to_owned());
        for kind in ["http", "ssl"] {
            preferences.push(format!("user_pref(\"network.proxy.{kind}\", \"{}\");", proxy.ip()));
            preferences.push(format!("user_pref(\"network.proxy.{kind}_port\", {});", proxy.port()));
        }
    }
    std::fs::write(profile.join("user.js"), preferences.join("\n")).expect("a profile can be written");
    let mut command = Command::new(program);
    command.args(["--headless", "--marionette", "--no-remote", "--profile"]).arg(profile.path());
    command.env("HOME", profile.path()).env("MOZ_HEADLESS", "1").stdout(Stdio::null()).stderr(Stdio::null());
    let process = Background::start(&mut command);
    let port = wait_until("Firefox listens", || {
        std::fs::read_to_string(profile.join("MarionetteActivePort")).ok()?.trim().parse().ok()
    });
    let session = Marionette::start(port, &json!({})).expect("Firefox starts a session");
    (Link::Marionette(session), vec![process], profile)
}

/// WebKit has no headless mode: it draws on a display that nobody sees.
fn webkit(program: &Path, proxy: Option<SocketAddr>) -> Started {
    let home = TempDir::new("profile");
    let mut xvfb = Command::new("Xvfb");
    // Xvfb writes the number of the display that it chose to that descriptor.
    xvfb.args(["-displayfd", "1", "-screen", "0", "1600x1200x24", "-nolisten", "tcp"]).stderr(Stdio::null());
    let (display, number) = Background::start_until(&mut xvfb, "\n");
    let port =
        TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a port is free").port();
    let mut command = Command::new(program);
    command.arg(format!("--port={port}")).env("DISPLAY", format!(":{}", number.trim()));
    command.env("HOME", home.path()).env("XDG_RUNTIME_DIR", home.path()).env("LIBGL_ALWAYS_SOFTWARE", "1");
    let driver = Background::start(command.stdout(Stdio::null()).stderr(Stdio::null()));
    wait_until("WebKitWebDriver listens", || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
    let mut capabilities = json!({
        "webkitgtk:browserOptions": { "binary": mini_browser(), "args": ["--automation"] },
    });
    if let Some(proxy) = proxy {
        let proxy = proxy.to_string();
        capabilities["proxy"] = json!({"proxyType": "manual", "httpProxy": proxy, "sslProxy": proxy});
    }
    let session = Http::start(port, &capabilities).expect("WebKit starts");
    // The driver first: the browser ends with it, and then nobody draws on the display.
    (Link::Http(session), vec![driver, display], home)
}

/// Debian keeps it out of `PATH`, below the name of the library's version.
fn mini_browser() -> PathBuf {
    let places = ["4.1", "4.0", "6.0", "gtk-6.0"].map(|version| {
        ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib", "/usr/libexec"]
            .map(|lib| PathBuf::from(format!("{lib}/webkit2gtk-{version}/MiniBrowser")))
    });
    places.into_iter().flatten().find(|path| path.is_file()).expect("webkit2gtk-driver brings MiniBrowser")
}
