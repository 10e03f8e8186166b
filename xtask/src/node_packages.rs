//! Packages for Node that the tests use. Their code is not in this repository: npm fetches them when the tests are
//! run, where there is an npm.

use crate::workspace::{Workspace, run, which};
use std::path::PathBuf;
use std::process::Command;

/// A package of one version, so that the same input gives the same findings.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Package {
    name: &'static str,
    version: &'static str,
    /// What is used of it.
    file: &'static str,
    /// What the tests do without it.
    without: &'static str,
}

/// Looks for what keeps people out of a page.
pub(crate) const AXE: Package = Package {
    name: "axe-core",
    version: "4.14.1",
    file: "axe.min.js",
    without: "the page is checked without axe-core",
};
/// Judges the types of the package for Node.
pub(crate) const TYPESCRIPT: Package = Package {
    name: "typescript",
    version: "5.9.3",
    file: "bin/tsc",
    without: "the package for Node is checked without a compiler",
};

/// Where the package's file is; `None` where npm is missing or cannot get it, which the tests then say.
pub(crate) fn provide(workspace: &Workspace, package: Package) -> Option<PathBuf> {
    let Package { name, version, file, without } = package;
    let folder = workspace.target.join("npm").join(name);
    let file = folder.join("node_modules").join(name).join(file);
    if file.is_file() {
        return Some(file);
    }
    let npm = which("npm").or_else(|| {
        eprintln!("      no npm: {without}");
        None
    })?;
    let mut command = Command::new(npm);
    command.args(["install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"]);
    if let Err(error) = run(command.arg(&folder).arg(format!("{name}@{version}"))) {
        eprintln!("      {error:#}: {without}");
    }
    file.is_file().then_some(file)
}
