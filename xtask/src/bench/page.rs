//! The page in headless Chromium, from the file's arrival to the verdict that can be seen.

mod chromium;

use super::host::{LARGE, SMALL};
use super::inputs::{Inputs, check_tools, grep};
use super::measure::{Pairs, Spent, Spread, run};
use super::table::Row;
use super::{Options, given};
use crate::workspace::{Workspace, run as run_task};
use anyhow::Result;
use chromium::Chromium;
use std::process::Command;
use std::time::Duration;

pub(super) fn measure(options: Options) -> Result<Vec<Row>> {
    check_tools()?;
    let workspace = Workspace::find()?;
    let page = match given("EBUSY_PAGE") {
        Some(page) => page,
        None => {
            // In a process of its own: what builds the page takes memory, and who is started begins with the peak of
            // who started it.
            run_task(Command::new(std::env::current_exe()?).arg("web"))?;
            workspace.dist().join("ebusy.html")
        }
    };
    let chromium = Chromium::start(&page)?;
    let rounds = options.rounds();
    let hosts = if options.quick { &[SMALL][..] } else { &[SMALL, LARGE] };
    let mut rows = Vec::new();
    for host in hosts {
        let inputs = Inputs::of(&workspace, *host)?;
        let naive = Pairs::run(
            rounds,
            || Ok(chromium.open(&inputs.naive)?.verdict),
            || run(&mut grep('z', &inputs.naive)),
        )?;
        let what = format!("the page, {} in a .tar.gz, drop to verdict", host.name);
        rows.push(Row::ratio(&what, "`tar xzOf B \\| grep -c ID`", naive.wall(), 0.50));
        eprintln!("      seconds: {} and {}", naive.ours(), naive.theirs());
        eprintln!("      processors' time of the whole browser: {} of theirs", naive.cpu());
        // Of a smaller one, the report and what it is drawn with are a larger part.
        if host.name == LARGE.name {
            rows.push(Row::memory("growth of the page's process by it", naive.peak(), inputs.bytes, 0.08));
        }
        let (mut starts, mut verdicts) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            let opened = chromium.open(&inputs.collected)?;
            starts.push(opened.start.as_secs_f64() * 1000.0);
            verdicts.push(opened.verdict.wall.as_secs_f64() * 1000.0);
        }
        let (start, verdict) = (Spread::of(starts), Spread::of(verdicts));
        rows.push(Row::figure(
            &format!("the page, the collector's bundle of that host, {}, drop to verdict", host.name),
            &format!("the empty page is there after {:.0} ms", start.median),
            format!("+ {verdict} ms"),
            "+ 300 ms".into(),
            verdict.median <= 300.0,
        ));
    }
    Ok(rows)
}

/// How long the page took.
struct Opened {
    /// From the navigation to the first screen.
    start: Duration,
    /// From the file's arrival to the verdict, and what the page's process grew by meanwhile.
    verdict: Spent,
}
