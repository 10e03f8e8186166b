//! The command line: one subcommand for each task.

use crate::progress::Steps;
use crate::workspace::Workspace;
use crate::{demo, page};
use anyhow::{Result, bail};
use lexopt::prelude::*;
use std::process::ExitCode;

const HELP: &str = "\
The project's own tasks. Cargo is all they need; what else a task wants, it gets or names.

Usage: cargo xtask TASK [OPTION…]

  web             build dist/ebusy.html, the page with everything in it
  demo            write dist/ebusy-demo.tar.gz, a bundle to try
";

/// Runs the task that the command line names.
pub(crate) fn main(mut arguments: lexopt::Parser) -> Result<ExitCode> {
    let task = match arguments.next()? {
        Some(Value(task)) => task.string()?,
        Some(Short('h') | Long("help")) | None => {
            print!("{HELP}");
            return Ok(ExitCode::SUCCESS);
        }
        Some(other) => return Err(other.unexpected().into()),
    };
    match task.as_str() {
        "web" => {
            no_options(arguments)?;
            web()
        }
        "demo" => {
            no_options(arguments)?;
            println!("{}", demo::write(&Workspace::find()?)?.display());
            Ok(ExitCode::SUCCESS)
        }
        "help" => {
            print!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        other => bail!("no task `{other}`; `cargo xtask help` lists them"),
    }
}

fn no_options(mut arguments: lexopt::Parser) -> Result<()> {
    match arguments.next()? {
        Some(argument) => Err(argument.unexpected().into()),
        None => Ok(()),
    }
}

fn web() -> Result<ExitCode> {
    let workspace = Workspace::find()?;
    let page = Steps::new(1).step("page", || page::build(&workspace))?;
    println!("{}: {} bytes, {} gzip'd (module {})", page.file.display(), page.raw, page.gzip, page.wasm);
    Ok(ExitCode::SUCCESS)
}
