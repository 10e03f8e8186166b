//! DuckDB, an engine that knows nothing of ebusy, reads what `ebusy fleet` writes. pip fetches it when the tests are
//! run, where there is a pip.

use crate::workspace::{Workspace, run, which};
use std::path::PathBuf;
use std::process::Command;

/// One version, so that the examples of the documentation mean the same for everybody.
const VERSION: &str = "1.4.5";

/// The directory for `PYTHONPATH`; `None` where it cannot be had, which the tests then say.
pub(crate) fn provide(workspace: &Workspace) -> Option<PathBuf> {
    let folder = workspace.target.join("duckdb");
    let record = folder.join(format!("duckdb-{VERSION}.dist-info/RECORD"));
    // Written last by pip.
    if record.is_file() {
        return Some(folder);
    }
    let python = which("python3").or_else(|| {
        eprintln!("      no python3: no DuckDB");
        None
    })?;
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "install", "--quiet", "--root-user-action=ignore", "--no-deps", "--target"])
        .arg(&folder)
        .arg(format!("duckdb=={VERSION}"));
    if let Err(error) = run(&mut pip) {
        eprintln!("      {error:#}: no DuckDB");
    }
    record.is_file().then_some(folder)
}
