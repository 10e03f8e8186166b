//! `cargo xtask lint`: formatting and clippy, natively and for the browser.

use crate::progress::Steps;
use crate::wasm_target::{self, WasmTarget};
use crate::workspace::{Workspace, output_of, run};
use anyhow::Result;
use std::process::Command;

/// Checks everything that is checked before the tests.
pub(crate) fn run_all() -> Result<()> {
    let workspace = Workspace::find()?;
    let mut steps = Steps::new(3);
    steps.step("formatting", || {
        component("rustfmt", "cargo-fmt");
        run(workspace.cargo().args(["fmt", "--all", "--check"]))
    })?;
    steps.step("clippy", || {
        component("clippy", "cargo-clippy");
        clippy(&workspace, &["--workspace", "--all-targets"])
    })?;
    // What a browser runs is compiled differently: 32-bit sizes, other dependencies.
    steps.step("clippy (WebAssembly)", || match WasmTarget::get()? {
        WasmTarget::Installed => clippy(
            &workspace,
            &[
                "--package",
                "ebusy-web",
                "--package",
                "ebusy-analyzer",
                "--lib",
                "--target",
                wasm_target::TARGET,
            ],
        ),
        WasmTarget::Debian => {
            eprintln!("      left out: clippy has no standard library for WebAssembly here");
            Ok(())
        }
    })
}

fn clippy(workspace: &Workspace, arguments: &[&str]) -> Result<()> {
    run(workspace.cargo().arg("clippy").args(arguments).args(["--", "-D", "warnings"]))
}

/// Gets a component by rustup where it is missing. Where that fails, cargo says what it lacks.
fn component(name: &str, program: &str) {
    let there = output_of(Command::new(program).arg("--version")).is_ok();
    if !there && let Err(error) = run(Command::new("rustup").args(["component", "add", name])) {
        eprintln!("      {error:#}");
    }
}
