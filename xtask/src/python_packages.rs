//! Packages for Python that the tests use: programs that know nothing of ebusy judge what it writes. Their code is not
//! in this repository: pip fetches them when the tests are run, where there is a pip.

use crate::workspace::{Workspace, run, which};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// Packages that are used together, each of one version, so that the same input gives the same findings.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Packages {
    /// Of the directory below `target/`.
    name: &'static str,
    /// All that is needed: pip looks for no others.
    packages: &'static [&'static str],
}

/// An engine that reads what `ebusy fleet` writes.
pub(crate) const DUCKDB: Packages = Packages { name: "duckdb", packages: &["duckdb==1.4.5"] };
/// A validator of JSON Schema with what it needs, and the schemas of CycloneDX.
pub(crate) const SCHEMAS: Packages = Packages {
    name: "schemas",
    packages: &[
        "jsonschema==4.26.0",
        "attrs==26.1.0",
        "jsonschema-specifications==2025.9.1",
        "referencing==0.37.0",
        "rpds-py==2026.9.1",
        "typing-extensions==4.16.0",
        "cyclonedx-python-lib==11.12.0",
    ],
};

/// The directory for `PYTHONPATH`; `None` where it cannot be had, which the tests then say.
pub(crate) fn provide(workspace: &Workspace, wanted: Packages) -> Option<PathBuf> {
    let Packages { name, packages } = wanted;
    let folder = workspace.target.join(name);
    let stamp = folder.join("installed");
    let list = packages.join("\n");
    if fs::read_to_string(&stamp).is_ok_and(|there| there == list) {
        return Some(folder);
    }
    let python = which("python3").or_else(|| {
        eprintln!("      no python3: no {name}");
        None
    })?;
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "install", "--quiet", "--root-user-action=ignore", "--no-deps", "--upgrade"]);
    match run(pip.arg("--target").arg(&folder).args(packages)) {
        Ok(()) => fs::write(&stamp, list).ok().map(|()| folder),
        Err(error) => {
            eprintln!("      {error:#}: no {name}");
            None
        }
    }
}
