//! `cargo xtask schema`: what the reports' types say, for others: JSON Schema in `docs/schema/`, TypeScript for Node.

use crate::typescript;
use crate::workspace::{Workspace, output_of};
use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use std::fs;
use std::path::PathBuf;

/// Shapes and the version of each (see `docs/report-format.md`).
const SHAPES: [(&str, u32); 5] = [("report", 1), ("census", 1), ("diff", 1), ("fleet", 1), ("fleet-host", 1)];

/// Writes the files; with `check`, only compares.
///
/// # Errors
/// Where a file is not what the types say, by name.
pub(crate) fn run_all(check: bool) -> Result<()> {
    let workspace = Workspace::find()?;
    let mut stale = Vec::new();
    for (file, text) in generated(&workspace)? {
        let shown = file.strip_prefix(&workspace.root).unwrap_or(&file).display().to_string();
        if !check {
            fs::write(&file, &text).with_context(|| format!("cannot write {shown}"))?;
            println!("{shown}");
        } else if fs::read_to_string(&file).ok().as_deref() != Some(text.as_str()) {
            stale.push(shown);
        }
    }
    if !stale.is_empty() {
        bail!(
            "not what the types say: {}. Run `cargo xtask schema` and look at what changed",
            stale.join(", ")
        );
    }
    Ok(())
}

/// Every file with its text.
fn generated(workspace: &Workspace) -> Result<Vec<(PathBuf, String)>> {
    let mut files = Vec::new();
    for (name, version) in SHAPES {
        let mut schema = schema(workspace, name)?;
        schema["$id"] = Value::from(format!("ebusy.{name}/{version}"));
        if name == "report" {
            files.push((workspace.root.join("web/npm/report.d.ts"), typescript::declarations(&schema)?));
        }
        let file = workspace.root.join(format!("docs/schema/{name}-{version}.schema.json"));
        files.push((file, serde_json::to_string_pretty(&schema)? + "\n"));
    }
    Ok(files)
}

fn schema(workspace: &Workspace, name: &str) -> Result<Value> {
    let mut cargo = workspace.cargo();
    cargo.args(["run", "--quiet", "--package", "ebusy-analyzer", "--features", "schema"]);
    cargo.args(["--example", "schema", name]);
    Ok(serde_json::from_str(&output_of(&mut cargo)?)?)
}
