//! `ebusy`: the analyzer on the command line.

mod errors;

use lexopt::prelude::*;
use std::process::ExitCode;

const USAGE: &str = "usage: ebusy errors LOG|- [--format text|json]";

fn main() -> ExitCode {
    let mut args = lexopt::Parser::from_env();
    let command = match args.next() {
        Ok(Some(Value(command))) => command,
        Ok(Some(Short('h') | Long("help"))) => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprintln!("ebusy: say what to do. {USAGE}");
            return ExitCode::from(2);
        }
    };
    match command.to_str() {
        Some("errors") => errors::run(args),
        _ => {
            eprintln!("ebusy: there is no command {command:?}. {USAGE}");
            ExitCode::from(2)
        }
    }
}
