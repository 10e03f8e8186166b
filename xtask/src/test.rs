//! `cargo xtask test`: everything that the tests need, the tests, and what did not run.

use crate::programs::WithPage;
use crate::progress::Steps;
use crate::test_output::Totals;
use crate::workspace::Workspace;
use crate::{demo, guest_kernel, node_packages, npm, page, programs, python_packages, system_packages};
use anyhow::{Context as _, Result};
use std::ffi::OsString;
use std::fs;
use std::io::{BufRead as _, BufReader, IsTerminal as _, Write as _};
use std::process::{Command, ExitCode, Stdio};

/// What `cargo xtask test` was asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    /// Whether a skipped test is a failure.
    pub(crate) no_skips: bool,
    /// Words for `cargo test`, such as `--package X` or a part of a test's name; without `--package`, the whole
    /// workspace is tested.
    pub(crate) cargo: Vec<OsString>,
}

/// Prepares, tests and reports.
pub(crate) fn run_all(options: &Options) -> Result<ExitCode> {
    let workspace = Workspace::find()?;
    let mut steps = Steps::new(9);
    steps.step("system packages", || {
        system_packages::provide(options.no_skips);
        Ok(())
    })?;
    let demo = steps.step("demo bundle", || demo::write(&workspace))?;
    let page = steps.step("page (WebAssembly)", || page::build(&workspace))?;
    let programs = steps
        .step("collector and command (static)", || programs::build(&workspace, WithPage::Both(&page)))?;

    let (axe, typescript) = steps.step("axe-core and TypeScript", || {
        let provide = |package| node_packages::provide(&workspace, package);
        Ok((provide(node_packages::AXE), provide(node_packages::TYPESCRIPT)))
    })?;
    let (duckdb, schemas) = steps.step("DuckDB and JSON Schema", || {
        let provide = |packages| python_packages::provide(&workspace, packages);
        Ok((provide(python_packages::DUCKDB), provide(python_packages::SCHEMAS)))
    })?;
    let kernel = steps.step("kernel for an emulator", || Ok(guest_kernel::provide(&workspace)))?;
    let npm = steps.step("package for Node", || npm::build(&workspace))?;

    let artifacts = workspace.target.join("artifacts");
    fs::create_dir_all(&artifacts).with_context(|| format!("cannot create {}", artifacts.display()))?;
    let skips = artifacts.join("skips.txt");
    fs::write(&skips, "").with_context(|| format!("cannot write {}", skips.display()))?;

    let mut cargo = workspace.cargo();
    // All test programs run, even after one that failed.
    cargo.args(["test", "--no-fail-fast"]);
    if !options.cargo.iter().any(|word| word == "--package" || word == "-p") {
        cargo.arg("--workspace");
    }
    cargo.args(&options.cargo);
    for (variable, path) in [
        ("EBUSY_COLLECTOR", &programs.collector),
        ("EBUSY_BIN", &programs.ebusy),
        ("EBUSY_PAGE", &page.file),
        ("EBUSY_DEMO", &demo),
        ("EBUSY_NPM", &npm),
        ("EBUSY_ARTIFACTS", &artifacts),
        ("EBUSY_SKIPS", &skips),
    ] {
        cargo.env(variable, path);
    }
    let optional = [
        ("EBUSY_AXE", &axe),
        ("EBUSY_TSC", &typescript),
        ("EBUSY_DUCKDB", &duckdb),
        ("EBUSY_SCHEMAS", &schemas),
        ("EBUSY_GUEST_KERNEL", &kernel),
        ("EBUSY_COLLECTOR_HTML", &programs.collector_html),
    ];
    for (variable, path) in optional {
        if let Some(path) = path {
            cargo.env(variable, path);
        }
    }
    let mut totals = steps.step("tests", || watch(&mut cargo))?;
    totals
        .add_skips(&fs::read_to_string(&skips).with_context(|| format!("cannot read {}", skips.display()))?);

    println!("\nScreenshots and other artifacts: {}", artifacts.display());
    print!("{totals}");
    Ok(if totals.is_success(options.no_skips) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs `cargo test`, shows its output as it comes, and counts.
fn watch(cargo: &mut Command) -> Result<Totals> {
    let terminal = std::io::stdout().is_terminal();
    let mut child = cargo
        .env("CARGO_TERM_COLOR", if terminal { "always" } else { "never" })
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start `cargo test`")?;
    let mut totals = Totals::default();
    if let Some(stdout) = child.stdout.take() {
        let mut out = std::io::stdout().lock();
        for line in BufReader::new(stdout).split(b'\n') {
            let line = line.context("cannot read the output of `cargo test`")?;
            out.write_all(&line)?;
            out.write_all(b"\n")?;
            totals.see(&String::from_utf8_lossy(&line));
        }
    }
    let status = child.wait().context("`cargo test` vanished")?;
    totals.ended(status.success());
    Ok(totals)
}
