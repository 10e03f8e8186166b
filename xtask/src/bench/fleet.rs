//! `cargo xtask bench fleet`: 10,000 bundles of small hosts, and what each costs.

use super::given;
use super::measure::{Spent, median, run};
use crate::programs;
use crate::workspace::Workspace;
use anyhow::{Context as _, Result};
use ebusy_tests::fleet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Bundles in one directory, and directories that are read at once: 625, 2,500 and 10,000 bundles.
const TOGETHER: usize = 625;
const GROWTH: [usize; 3] = [1, 4, 16];
const ROUNDS: usize = 3;
const FORMATS: [&str; 3] = ["text", "ndjson", "parquet"];

/// Runs all and prints it as a table for the documentation.
pub(super) fn fleet() -> Result<()> {
    let workspace = Workspace::find()?;
    let ebusy = match given("EBUSY_BIN") {
        Some(ebusy) => ebusy,
        None => programs::build(&workspace, None)?.ebusy,
    };
    let directories = make(&workspace.target.join("bench-fleet"))?;
    let cores = std::thread::available_parallelism()?;
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("{cores} cores, load before {}; medians of {ROUNDS} alternating rounds\n", load.trim());
    println!("| bundles | format | time | CPU time | CPU time a bundle | peak memory |");
    println!("|---|---|---|---|---|---|");
    let mut spent = vec![vec![]; GROWTH.len() * FORMATS.len()];
    for _ in 0..ROUNDS {
        for (index, (number, format)) in cases().enumerate() {
            let mut command = Command::new(&ebusy);
            command.args(["fleet", "--format", format]).args(&directories[..number]).stderr(Stdio::null());
            spent[index].push(run(&mut command)?);
        }
    }
    let spent: Vec<Spent> = spent.into_iter().map(median).collect();
    for ((number, format), took) in cases().zip(&spent) {
        let bundles = number * TOGETHER;
        println!(
            "| {bundles} | {format} | {:.1} s | {:.1} s | {:.2} ms | {:.1} MiB |",
            took.wall.as_secs_f64(),
            took.cpu.as_secs_f64(),
            took.cpu.as_secs_f64() * 1000.0 / bundles as f64,
            took.peak_bytes as f64 / f64::from(1 << 20)
        );
    }
    for (index, format) in FORMATS.iter().enumerate() {
        let cpu = |case: usize| spent[case * FORMATS.len() + index].cpu.as_secs_f64();
        let (first, last) = (cpu(0), cpu(GROWTH.len() - 1));
        let more = (GROWTH[GROWTH.len() - 1] / GROWTH[0]) as f64;
        println!("\n{format}: CPU time grows with exponent {:.2}", (last / first).ln() / more.ln());
    }
    Ok(())
}

fn cases() -> impl Iterator<Item = (usize, &'static str)> {
    GROWTH.into_iter().flat_map(|number| FORMATS.map(|format| (number, format)))
}

/// The directories with the bundles, as far as they are not there from an earlier run.
fn make(top: &Path) -> Result<Vec<PathBuf>> {
    let mut directories = Vec::new();
    let mut bytes = 0;
    for number in 0..GROWTH[GROWTH.len() - 1] {
        let directory = top.join(format!("{number:02}"));
        fs::create_dir_all(&directory).with_context(|| format!("cannot create {}", directory.display()))?;
        for host in number * TOGETHER..(number + 1) * TOGETHER {
            let file = directory.join(format!("node{host:05}.tar.gz"));
            if !file.is_file() {
                fs::write(&file, fleet::bundle(host))
                    .with_context(|| format!("cannot write {}", file.display()))?;
            }
            bytes += fs::metadata(&file)?.len();
        }
        directories.push(directory);
    }
    println!("{} bundles in {}, {} MiB", directories.len() * TOGETHER, top.display(), bytes >> 20);
    Ok(directories)
}
