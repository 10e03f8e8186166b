//! Prints the JSON Schema of one of the shapes that the analyzer gives out: `report`, `census`, `diff`, `fleet` or
//! `fleet-host`.

use ebusy_analyzer::{
    census::Census,
    diff::Diff,
    fleet::{Fleet, HostLine},
    report::Report,
};
use schemars::{Schema, schema_for};
use std::process::ExitCode;

fn main() -> ExitCode {
    let name = std::env::args().nth(1).unwrap_or_default();
    let schema: Schema = match name.as_str() {
        "report" => schema_for!(Report),
        "census" => schema_for!(Census),
        "diff" => schema_for!(Diff),
        "fleet" => schema_for!(Fleet),
        "fleet-host" => schema_for!(HostLine),
        _ => {
            eprintln!("schema: which one? report, census, diff, fleet or fleet-host");
            return ExitCode::from(2);
        }
    };
    println!("{:#}", schema.to_value());
    ExitCode::SUCCESS
}
