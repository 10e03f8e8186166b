//! axe-core, which looks for what keeps people out of a page. Its code is not in this repository: npm fetches it when
//! the tests are run, where there is an npm.

use crate::workspace::{Workspace, run, which};
use std::path::PathBuf;
use std::process::Command;

/// One version, so that the same page gives the same findings.
const PACKAGE: &str = "axe-core@4.14.1";

/// Where its script is; `None` where npm is missing or cannot get it, which the tests then say.
pub(crate) fn provide(workspace: &Workspace) -> Option<PathBuf> {
    let folder = workspace.target.join("axe");
    let script = folder.join("node_modules/axe-core/axe.min.js");
    if script.is_file() {
        return Some(script);
    }
    let npm = which("npm").or_else(|| {
        eprintln!("      no npm: the page is checked without axe-core");
        None
    })?;
    let mut command = Command::new(npm);
    command.args(["install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"]);
    if let Err(error) = run(command.arg(&folder).arg(PACKAGE)) {
        eprintln!("      {error:#}: the page is checked without axe-core");
    }
    script.is_file().then_some(script)
}
