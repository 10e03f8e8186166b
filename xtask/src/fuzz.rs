//! `cargo xtask fuzz`: libFuzzer, guided by coverage, on the targets of `tests/fuzz`.
//!
//! Stable Rust has LLVM's coverage pass, and libFuzzer comes as a crate that its C++ is in: neither a nightly
//! toolchain nor another program is needed.

use crate::rustc;
use crate::workspace::{Workspace, run};
use anyhow::{Context as _, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// What `cargo xtask fuzz` was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// For each target.
    pub(crate) minutes: u64,
    /// Names of targets; all where there is none.
    pub(crate) targets: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self { minutes: 30, targets: Vec::new() }
    }
}

/// Counters in the code for libFuzzer (LLVM's SanitizerCoverage).
const COVERAGE: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
     -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1";

/// Inputs up to this size, in bytes.
const LARGEST: u64 = 1 << 20;
/// The most that one input may ask for at once, in MiB: 64 and four times the largest input.
const MEMORY_MIB: u64 = 64 + 4 * (LARGEST >> 20);
/// A second for each MiB is the promise; a busy machine gets some more before it is called a hang.
const SECONDS: u64 = 5;

/// Runs each target for its time; what was found lies in `target/fuzz/found`.
pub(crate) fn run_all(options: &Options) -> Result<ExitCode> {
    let workspace = Workspace::find()?;
    let program = build(&workspace)?;
    let all = names(&workspace)?;
    let targets = if options.targets.is_empty() { all.clone() } else { options.targets.clone() };
    if let Some(unknown) = targets.iter().find(|name| !all.contains(name)) {
        bail!("no target `{unknown}`; there are: {}", all.join(", "));
    }
    let mut failed = Vec::new();
    for name in &targets {
        println!("== {name}: {} minutes", options.minutes);
        // 0 would be for ever.
        if !fuzz(&workspace, &program, name, (options.minutes * 60).max(1))? {
            failed.push(name.as_str());
        }
    }
    if failed.is_empty() {
        println!("Nothing found in {} targets.", targets.len());
        return Ok(ExitCode::SUCCESS);
    }
    let found = workspace.target.join("fuzz/found");
    println!("Found something: {}. The inputs are in {}.", failed.join(", "), found.display());
    Ok(ExitCode::FAILURE)
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
    Ok(target_dir.join(triple).join("debug/ebusy-fuzz"))
}

/// The names in the table of targets.
fn names(workspace: &Workspace) -> Result<Vec<String>> {
    let table = workspace.root.join("tests/fuzz/src/targets.rs");
    let text = fs::read_to_string(&table).with_context(|| format!("cannot read {}", table.display()))?;
    let names = text.lines().filter_map(|line| line.split_once("Target { name: \"")?.1.split('"').next());
    Ok(names.map(str::to_owned).collect())
}

fn fuzz(workspace: &Workspace, program: &Path, name: &str, seconds: u64) -> Result<bool> {
    let directory = |kind: &str| -> Result<PathBuf> {
        let path = workspace.target.join("fuzz").join(kind).join(name);
        fs::create_dir_all(&path).with_context(|| format!("cannot create {}", path.display()))?;
        Ok(path)
    };
    let (corpus, seeds, found) = (directory("corpus")?, directory("seeds")?, directory("found")?);
    let mut command = Command::new(program);
    command
        .args([&corpus, &seeds])
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-max_len={LARGEST}"))
        .arg(format!("-malloc_limit_mb={MEMORY_MIB}"))
        .arg(format!("-timeout={SECONDS}"))
        .arg(format!("-artifact_prefix={}/", found.display()))
        .args(["-rss_limit_mb=1024", "-print_final_stats=1", "-verbosity=0"])
        .env("EBUSY_FUZZ_TARGET", name)
        .env("EBUSY_FUZZ_SEEDS", &seeds);
    let status = command.status().with_context(|| format!("cannot start {}", program.display()))?;
    Ok(status.success())
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
