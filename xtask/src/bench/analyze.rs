//! `ebusy analyze`, whole report, against the shell line that it replaces.

use super::host::{LARGE, SMALL};
use super::inputs::{Inputs, check_tools, grep};
use super::measure::{Pairs, run};
use super::table::Row;
use super::{Options, given};
use crate::programs;
use crate::workspace::Workspace;
use anyhow::Result;
use std::path::Path;
use std::process::Command;

pub(super) fn measure(options: Options) -> Result<Vec<Row>> {
    check_tools()?;
    let workspace = Workspace::find()?;
    let hosts = if options.quick { &[SMALL][..] } else { &[SMALL, LARGE] };
    let inputs = hosts.iter().map(|host| Ok((host.name, Inputs::of(&workspace, *host)?)));
    let inputs = inputs.collect::<Result<Vec<(&str, Inputs)>>>()?;
    let ebusy = match given("EBUSY_BIN") {
        Some(ebusy) => ebusy,
        None => programs::build(&workspace, None)?.ebusy,
    };
    let analyze = |file: &Path| run(Command::new(&ebusy).arg("analyze").arg(file));
    let rounds = options.rounds();
    let (mut rows, mut growth) = (Vec::new(), Vec::new());
    for (name, inputs) in &inputs {
        let naive = Pairs::run(rounds, || analyze(&inputs.naive), || run(&mut grep('z', &inputs.naive)))?;
        let what = format!("`ebusy analyze`, {name} in a .tar.gz");
        rows.push(Row::ratio(&what, "`tar xzOf B \\| grep -c ID`", naive.wall(), 0.35));
        eprintln!("      of its processors' time: {}", naive.cpu());
        eprintln!("      seconds: {} and {}", naive.ours(), naive.theirs());
        rows.push(Row::memory("its peak memory", naive.peak(), inputs.bytes, 0.08));
        growth.push((inputs.bytes as f64, naive.ours().median));

        let collected = Pairs::run(rounds, || analyze(&inputs.collected), || analyze(&inputs.naive))?;
        let what = format!("the collector's bundle of that host, {name}");
        rows.push(Row::ratio(&what, "the same host's .tar.gz", collected.wall(), 0.15));
    }
    let xz = Inputs::of(&workspace, SMALL)?.xz()?;
    let pairs = Pairs::run(rounds, || analyze(&xz), || run(&mut grep('J', &xz)))?;
    let what = format!("`ebusy analyze`, {} in a .tar.xz", SMALL.name);
    rows.push(Row::ratio(&what, "`tar xJOf B \\| grep -c ID`", pairs.wall(), 0.90));
    if let [(bytes, seconds), (more_bytes, more_seconds)] = growth[..] {
        let exponent = (more_seconds / seconds).ln() / (more_bytes / bytes).ln();
        let what = format!("growth from {} to {}, exponent", SMALL.name, LARGE.name);
        rows.push(Row::figure(&what, "linear: 1", format!("{exponent:.2}"), "1.05".into(), exponent <= 1.05));
    }
    Ok(rows)
}
