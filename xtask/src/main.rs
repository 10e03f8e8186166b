//! The project's own tasks, so that cargo is the only tool to install: `cargo xtask run`, `test`, `web`, …

mod csp;
mod demo;
mod page;
mod progress;
mod rustc;
mod tasks;
mod wasm_target;
mod workspace;

use std::process::ExitCode;

fn main() -> ExitCode {
    match tasks::main(lexopt::Parser::from_env()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
