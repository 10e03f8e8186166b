//! `cargo xtask bench analyze`: the whole report against the shell line that it replaces.

use super::host::{Host, LARGE, SMALL};
use super::{ROUNDS, Scratch, Spent, run};
use crate::programs::{self, WithPage};
use crate::workspace::{Workspace, which};
use anyhow::{Context as _, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs all comparisons and prints them as a table for the README.
pub(crate) fn analyze() -> Result<()> {
    let ebusy = programs::build(&Workspace::find()?, WithPage::Nothing)?.ebusy;
    let scratch = Scratch::new()?;
    let small = Inputs::make(&scratch.0, "small", SMALL)?;
    let large = Inputs::make(&scratch.0, "large", LARGE)?;
    let with_ebusy = |file: &Path| {
        let mut command = Command::new(&ebusy);
        command.arg("analyze").arg(file);
        command
    };
    println!("Medians of {ROUNDS} alternating rounds, lowest and highest ratio in brackets.\n");
    println!("| what | time | against | time | ratio | goal | peak memory |");
    println!("|---|---|---|---|---|---|---|");
    for (name, inputs) in [("128 MB", &small), ("1 GB", &large)] {
        row(
            &format!("{name} .tar.gz"),
            &|| with_ebusy(&inputs.naive),
            "tar xzOf | grep -c",
            &|| grep("z", &inputs.naive),
            0.35,
        )?;
        row(
            &format!("{name} collected"),
            &|| with_ebusy(&inputs.collected),
            "the naive .tar.gz",
            &|| with_ebusy(&inputs.naive),
            0.15,
        )?;
    }
    if let Some(xz) = small.xz(&scratch.0)? {
        row("128 MB .tar.xz", &|| with_ebusy(&xz), "tar xJOf | grep -c", &|| grep("J", &xz), 0.90)?;
    }
    let (mut times, mut peaks) = ((vec![], vec![]), (0, 0));
    for _ in 0..ROUNDS {
        let (spent, peak) = run(&mut with_ebusy(&small.naive))?;
        times.0.push(spent);
        peaks.0 = peak;
        let (spent, peak) = run(&mut with_ebusy(&large.naive))?;
        times.1.push(spent);
        peaks.1 = peak;
    }
    let seconds = |spent: Vec<Spent>| super::median(spent).wall.as_secs_f64();
    let (bytes, times) = (large.bytes as f64 / small.bytes as f64, seconds(times.1) / seconds(times.0));
    println!(
        "\ngrowth       {bytes:.2} times the bytes, {times:.2} times the time: exponent {:.2} (goal: at most 1.05)",
        times.ln() / bytes.ln()
    );
    println!(
        "peak memory  {:.1} MiB for {} MiB: {:.3} of it (goal: at most 0.08)",
        peaks.1 as f64 / 1024.0,
        large.bytes >> 20,
        peaks.1 as f64 * 1024.0 / large.bytes as f64
    );
    Ok(())
}

/// What a host is stored as.
pub(super) struct Inputs {
    pub(super) naive: PathBuf,
    pub(super) collected: PathBuf,
    /// Size of the naive one without its compression.
    pub(super) bytes: u64,
}

impl Inputs {
    pub(super) fn make(dir: &Path, name: &str, host: Host) -> Result<Self> {
        let naive = dir.join(format!("{name}.tar.gz"));
        let collected = dir.join(format!("{name}-collected.tar.gz"));
        host.write_naive(&naive)?;
        host.write_collected(&collected)?;
        let bytes =
            std::io::copy(&mut flate2::read::GzDecoder::new(fs::File::open(&naive)?), &mut std::io::sink())?;
        Ok(Self { naive, collected, bytes })
    }

    /// The naive one as .tar.xz; `None` where there is no xz here.
    fn xz(&self, dir: &Path) -> Result<Option<PathBuf>> {
        if which("xz").is_none() {
            println!("| .tar.xz | left out: there is no `xz` here | | | | | |");
            return Ok(None);
        }
        let file = dir.join("small.tar.xz");
        let script = "gzip -dc \"$0\" | xz -6 > \"$1\"";
        Command::new("/bin/sh")
            .args(["-c", script])
            .args([&self.naive, &file])
            .status()
            .context("cannot start /bin/sh")?;
        Ok(Some(file))
    }
}

/// The line that somebody would type.
pub(super) fn grep(decompress: &str, file: &Path) -> Command {
    let mut command = Command::new("/bin/sh");
    let script = format!("tar x{decompress}Of \"$0\" | grep -c {}", Host::busy_id());
    command.args(["-c", &script]).arg(file);
    command
}

fn row(
    what: &str,
    ours: &dyn Fn() -> Command,
    than: &str,
    theirs: &dyn Fn() -> Command,
    goal: f64,
) -> Result<()> {
    let (mut times, mut others, mut ratios, mut peak) = (vec![], vec![], vec![], 0);
    for _ in 0..ROUNDS {
        let (spent, memory) = run(&mut ours())?;
        let (other, _) = run(&mut theirs())?;
        ratios.push(spent.wall.as_secs_f64() / other.wall.as_secs_f64());
        times.push(spent);
        others.push(other);
        peak = peak.max(memory);
    }
    ratios.sort_by(f64::total_cmp);
    println!(
        "| {what} | {:.3} s | {than} | {:.3} s | {:.2} ({:.2} to {:.2}) | {goal:.2} | {:.1} MiB |",
        super::median(times).wall.as_secs_f64(),
        super::median(others).wall.as_secs_f64(),
        ratios[ratios.len() / 2],
        ratios[0],
        ratios[ratios.len() - 1],
        peak as f64 / 1024.0
    );
    Ok(())
}
