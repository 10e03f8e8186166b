//! A browser that opens the page anew for each file, and what its processes take.

use super::{Opened, Spent};
use anyhow::{Context as _, Result, bail};
use ebusy_tests::webdriver::{Browser, Engine};
use serde_json::json;
use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Notes when the first screen is there, when a file arrives, and when its verdict has been drawn. In the page itself:
/// what the driver takes does not count.
const NOTES: &str = "window.ebusyNotes = {}; \
    const note = name => { if (!(name in ebusyNotes)) ebusyNotes[name] = performance.now() }; \
    addEventListener('change', event => { if (event.target.type === 'file') note('dropped') }, true); \
    new MutationObserver(() => { \
      const has = what => document.querySelector(what) !== null; \
      if (has('[data-test=start]')) note('start'); \
      if (has('[data-test=verdict][data-waiting=false]')) requestAnimationFrame(() => setTimeout(() => note('verdict'))); \
    }).observe(document, { subtree: true, childList: true, attributes: true })";
/// Until somebody has found the file to drop; the page has made its worker ready by then.
const PAUSE: Duration = Duration::from_millis(1500);
const DEADLINE: Duration = Duration::from_secs(300);

/// The browser.
pub(super) struct Chromium {
    browser: Browser,
    url: String,
}

impl Chromium {
    /// Starts it.
    pub(super) fn start(page: &Path) -> Result<Self> {
        let browser = Browser::start("bench page", Engine::Chromium, None)
            .context("the page is measured in Chromium: apt-get install chromium chromium-driver")?;
        browser.look(1280, "light");
        browser.devtools("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": NOTES }));
        Ok(Self { browser, url: format!("file://{}", page.display()) })
    }

    /// Opens the page anew and gives it a file.
    pub(super) fn open(&self, file: &Path) -> Result<Opened> {
        self.browser.open("about:blank");
        self.browser.open(&self.url);
        let start = self.wait_for("start")?;
        sleep(PAUSE);
        let before = self.renderers(Resident::Now);
        for (pid, _) in &before {
            // Sets the peak to what it is now (proc_pid_clear_refs(5)).
            fs::write(format!("/proc/{pid}/clear_refs"), "5").context("the peak could not be reset")?;
        }
        let input = self.browser.wait_for("[data-test=file-input]");
        let cpu = self.cpu();
        self.browser.type_into(&input, &file.to_string_lossy());
        let verdict = self.wait_for("verdict")?;
        let cpu = self.cpu().saturating_sub(cpu);
        let dropped = self.wait_for("dropped")?;
        let grown = self.renderers(Resident::Peak).into_iter().filter_map(|(pid, peak)| {
            let (_, then) = before.iter().find(|(known, _)| *known == pid)?;
            Some(peak.saturating_sub(*then))
        });
        let peak = grown.max().context("the page's process was not found")?;
        let wall = verdict.saturating_sub(dropped);
        Ok(Opened { start, verdict: Spent { wall, cpu, peak_bytes: peak, ..Spent::default() } })
    }

    /// When something was noted, since the navigation.
    fn wait_for(&self, note: &str) -> Result<Duration> {
        let begun = Instant::now();
        while begun.elapsed() < DEADLINE {
            if let Some(time) = self.browser.script(&format!("return window.ebusyNotes?.{note}")).as_f64() {
                return Ok(Duration::from_secs_f64(time / 1000.0));
            }
            sleep(Duration::from_millis(100));
        }
        let shown = self.browser.script("return document.body.innerText").to_string();
        bail!("the page came to no {note} in {DEADLINE:?}; it shows {shown}")
    }

    /// The browser's processes that run pages, with what they have in memory, in bytes.
    fn renderers(&self, resident: Resident) -> Vec<(u32, u64)> {
        let is_renderer = |pid: u32| {
            fs::read(format!("/proc/{pid}/cmdline"))
                .is_ok_and(|line| String::from_utf8_lossy(&line).contains("--type=renderer"))
        };
        let key = match resident {
            Resident::Now => "VmRSS:",
            Resident::Peak => "VmHWM:",
        };
        let ours = self.processes().into_iter().filter(|(pid, _)| is_renderer(*pid));
        ours.filter_map(|(pid, status)| Some((pid, number(&status, key)? << 10))).collect()
    }

    /// Processors' time of all processes of the browser.
    fn cpu(&self) -> Duration {
        // User and system time are the 14th and 15th field, in hundredths of a second (proc_pid_stat(5)).
        let ticks = |pid: u32| -> Option<u64> {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            let times = stat.rsplit_once(')')?.1.split_whitespace().skip(11).take(2);
            Some(times.filter_map(|ticks| ticks.parse::<u64>().ok()).sum())
        };
        Duration::from_millis(10 * self.processes().iter().filter_map(|(pid, _)| ticks(*pid)).sum::<u64>())
    }

    /// The driver and all that it started, with their status.
    fn processes(&self) -> Vec<(u32, String)> {
        let status = |entry: fs::DirEntry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            Some((pid, fs::read_to_string(entry.path().join("status")).ok()?))
        };
        let mut others: Vec<(u32, String)> =
            fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(status).collect();
        let mut family: Vec<(u32, String)> = Vec::new();
        loop {
            let is_of_it = |(pid, status): &(u32, String)| {
                let parent = number(status, "PPid:");
                self.browser.pid() == Some(*pid)
                    || family.iter().any(|(known, _)| parent == Some(u64::from(*known)))
            };
            let (more, rest): (Vec<_>, Vec<_>) = others.into_iter().partition(is_of_it);
            others = rest;
            if more.is_empty() {
                return family;
            }
            family.extend(more);
        }
    }
}

/// A number in a process's status.
fn number(status: &str, key: &str) -> Option<u64> {
    status.lines().find_map(|line| line.strip_prefix(key))?.split_whitespace().next()?.parse().ok()
}

/// Which memory.
#[derive(Clone, Copy)]
enum Resident {
    Now,
    /// The most since it was reset.
    Peak,
}
