//! `cargo xtask fuzz`: libFuzzer, guided by coverage, on the targets of `tests/fuzz`.
//!
//! Stable Rust has LLVM's coverage pass, and libFuzzer comes as a crate that its C++ is in: neither a nightly
//! toolchain nor another program is needed.
//!
//! The targets take turns, so that a run that is ended early has done something for each. What each was given and what
//! it took at most is kept in `target/fuzz/figures.tsv` over all runs.

mod figures;
mod words;

use crate::rustc;
use crate::spent;
use crate::workspace::{Workspace, run};
use anyhow::{Context as _, Result, bail};
use figures::{Figures, Table};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// What `cargo xtask fuzz` was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// CPU minutes for each target.
    pub(crate) minutes: u64,
    /// A directory with more seeds, as `cargo xtask corpus` reads it.
    pub(crate) corpus: Option<PathBuf>,
    /// Names of targets; all where there is none.
    pub(crate) targets: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self { minutes: 30, corpus: None, targets: Vec::new() }
    }
}

/// Counters in the code for libFuzzer (LLVM's SanitizerCoverage).
const COVERAGE: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
     -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1";

/// Inputs up to this size, in bytes.
const LARGEST: u64 = 1 << 20;
/// The most memory of the whole process in MiB: 64 and four times the largest input is the promise, the rest is the
/// inputs and counters that libFuzzer itself keeps.
const MEMORY_MIB: u64 = 64 + 4 * (LARGEST >> 20) + 188;
/// A second for each MiB is the promise, of CPU time and without counters in the code; on the clock of a busy machine
/// it gets some more before it is called a hang.
const SECONDS: u64 = 60;
/// A target's turn, in seconds.
const TURN: u64 = 100;

/// Runs each target for its time; what was found lies in `target/fuzz/found`.
pub(crate) fn run_all(options: &Options) -> Result<ExitCode> {
    let workspace = Workspace::find()?;
    let program = build(&workspace)?;
    let all = names(&workspace)?;
    let targets = if options.targets.is_empty() { all.clone() } else { options.targets.clone() };
    if let Some(unknown) = targets.iter().find(|name| !all.contains(name)) {
        bail!("no target `{unknown}`; there are: {}", all.join(", "));
    }
    if let Some(corpus) = &options.corpus {
        more_seeds(&workspace, corpus)?;
    }
    let words = dictionary_path(&workspace);
    fs::write(&words, words::dictionary(&workspace.root.join("analyzer/src"))?)
        .with_context(|| format!("cannot write {}", words.display()))?;
    let mut table = Table::read(workspace.target.join("fuzz/figures.tsv"))?;
    let failed = take_turns(&workspace, &program, &targets, options.minutes * 60, &mut table)?;
    print!("{}", table.text());
    if failed.is_empty() {
        println!("Nothing found in {} targets.", targets.len());
        return Ok(ExitCode::SUCCESS);
    }
    let found = workspace.target.join("fuzz/found");
    println!("Found something: {}. The inputs are in {}.", failed.join(", "), found.display());
    Ok(ExitCode::FAILURE)
}

/// Runs the targets in turns until each has spent so many seconds of CPU time; those that something was found in.
fn take_turns<'t>(
    workspace: &Workspace,
    program: &Path,
    targets: &'t [String],
    seconds: u64,
    table: &mut Table,
) -> Result<Vec<&'t str>> {
    let mut failed = Vec::new();
    let mut left: Vec<(&str, u64)> = targets.iter().map(|name| (name.as_str(), seconds.max(1))).collect();
    while !left.is_empty() {
        for (name, seconds) in &mut left {
            let turn = fuzz(workspace, program, name, TURN.min(*seconds))?;
            println!("{name}: {}", turn.figures);
            // At least a second, or a program that does not even start would never be done.
            *seconds = seconds.saturating_sub(turn.figures.cpu.as_secs().max(1));
            table.add(name, turn.figures)?;
            if !turn.is_good {
                println!("{}", turn.output);
                failed.push(*name);
                *seconds = 0;
            }
        }
        left.retain(|(_, seconds)| *seconds > 0);
    }
    Ok(failed)
}

/// Optimized, with the checks of a debug build (overflow, `debug_assert`).
fn build(workspace: &Workspace) -> Result<PathBuf> {
    let target_dir = workspace.target.join("fuzz/build");
    let triple = rustc::host()?;
    run(workspace
        .cargo()
        .args(["build", "--package", "ebusy-fuzz", "--features", "libfuzzer", "--bin", "ebusy-fuzz"])
        // Named, so that build scripts and proc macros stay without counters.
        .args(["--target", &triple])
        .args(["--config", "profile.dev.opt-level=2"])
        .env("CARGO_TARGET_DIR", &target_dir)
        .env("RUSTFLAGS", COVERAGE))?;
    // A program of its own for this run, which another build may not change.
    let built = target_dir.join(triple).join("debug/ebusy-fuzz");
    let program = workspace.target.join("fuzz/ebusy-fuzz");
    fs::copy(&built, &program).with_context(|| format!("cannot copy {}", built.display()))?;
    Ok(program)
}

/// The names in the table of targets.
fn names(workspace: &Workspace) -> Result<Vec<String>> {
    let table = workspace.root.join("tests/fuzz/src/targets.rs");
    let text = fs::read_to_string(&table).with_context(|| format!("cannot read {}", table.display()))?;
    let names = text.lines().filter_map(|line| line.split_once("Target { name: \"")?.1.split('"').next());
    Ok(names.map(str::to_owned).collect())
}

/// Log lines and mount tables of a corpus as seeds of the targets that read such.
fn more_seeds(workspace: &Workspace, corpus: &Path) -> Result<()> {
    let add = |target: &str, name: &str, data: &[u8]| -> Result<()> {
        let dir = directory(workspace, "seeds", target)?;
        fs::write(dir.join(name), data).with_context(|| format!("cannot write into {}", dir.display()))
    };
    let errors = corpus.join("errors.jsonl");
    let text = fs::read_to_string(&errors).with_context(|| format!("cannot read {}", errors.display()))?;
    for (number, line) in text.lines().enumerate() {
        let entry: Value = serde_json::from_str(line)
            .with_context(|| format!("{}:{} is not JSON", errors.display(), number + 1))?;
        let line = entry["line"].as_str().unwrap_or_default().as_bytes();
        for target in ["log", "paste"] {
            add(target, &format!("corpus-{number}"), line)?;
        }
    }
    let tables = corpus.join("mountinfo");
    for entry in fs::read_dir(&tables).with_context(|| format!("cannot read {}", tables.display()))? {
        let entry = entry?;
        let (name, data) =
            (format!("corpus-{}", entry.file_name().to_string_lossy()), fs::read(entry.path())?);
        for target in ["mountinfo", "mounts-table", "paste"] {
            add(target, &name, &data)?;
        }
    }
    Ok(())
}

fn dictionary_path(workspace: &Workspace) -> PathBuf {
    workspace.target.join("fuzz/words.dict")
}

fn directory(workspace: &Workspace, kind: &str, target: &str) -> Result<PathBuf> {
    let path = workspace.target.join("fuzz").join(kind).join(target);
    fs::create_dir_all(&path).with_context(|| format!("cannot create {}", path.display()))?;
    Ok(path)
}

/// A target's turn.
struct Turn {
    is_good: bool,
    figures: Figures,
    /// What libFuzzer wrote.
    output: String,
}

fn fuzz(workspace: &Workspace, program: &Path, name: &str, seconds: u64) -> Result<Turn> {
    let corpus = directory(workspace, "corpus", name)?;
    let seeds = directory(workspace, "seeds", name)?;
    let found = directory(workspace, "found", name)?;
    let slowest = directory(workspace, "slowest", name)?.join("time");
    fs::write(&slowest, "").with_context(|| format!("cannot write {}", slowest.display()))?;
    let log = workspace.target.join("fuzz/output.txt");
    let output = fs::File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
    let mut command = Command::new(program);
    command
        .args([&corpus, &seeds])
        .arg(format!("-dict={}", dictionary_path(workspace).display()))
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-max_len={LARGEST}"))
        .arg(format!("-rss_limit_mb={MEMORY_MIB}"))
        .arg(format!("-timeout={SECONDS}"))
        .arg(format!("-artifact_prefix={}/", found.display()))
        .args(["-print_final_stats=1", "-verbosity=0"])
        .env("EBUSY_FUZZ_TARGET", name)
        .env("EBUSY_FUZZ_SEEDS", &seeds)
        .env("EBUSY_FUZZ_SLOWEST", &slowest)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(output);
    let spent = spent::run(&mut command)?;
    let output = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
    let figures = Figures::of(&spent, &output, &fs::read_to_string(&slowest)?);
    Ok(Turn { is_good: spent.status.success(), figures, output })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_targets_is_found() {
        let names = names(&Workspace::find().unwrap()).unwrap();
        assert!(names.contains(&"mountinfo".to_owned()) && names.contains(&"bundle".to_owned()), "{names:?}");
    }
}
