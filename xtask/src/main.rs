//! The project's own tasks, so that cargo is the only tool to install: `cargo xtask run`, `test`, `web`, …

mod advisories;
mod bench;
mod bombs;
mod corpus;
mod csp;
mod demo;
mod dist;
mod docs;
mod fuzz;
mod guest_kernel;
mod lint;
mod node_packages;
mod npm;
mod pack;
mod page;
mod programs;
mod progress;
mod python_packages;
mod reproduce;
mod run;
mod rustc;
mod schema;
mod screenshots;
mod serve;
mod spent;
mod supply;
mod system_packages;
mod taken_apart;
mod tasks;
mod test;
mod test_output;
mod thin;
mod typescript;
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
