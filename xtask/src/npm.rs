//! `dist/npm/`: the analyzer for Node, from the module that the page has, too.

use crate::wasm_target;
use crate::workspace::Workspace;
use anyhow::{Context as _, Result};
use serde_json::json;
use std::fs;
use std::path::PathBuf;
use wasm_bindgen_cli_support::Bindgen;

/// Files of the package that are kept in `web/npm/`.
const KEPT: [&str; 4] = ["index.js", "index.d.ts", "report.d.ts", "README.md"];

/// Builds the package; its directory can be given to `npm pack` or required from Node as it is.
pub(crate) fn build(workspace: &Workspace) -> Result<PathBuf> {
    let module = wasm_target::WasmTarget::get()?.build(workspace, "ebusy-web")?;
    let package = workspace.dist().join("npm");
    if package.exists() {
        fs::remove_dir_all(&package).with_context(|| format!("cannot empty {}", package.display()))?;
    }
    fs::create_dir_all(&package).with_context(|| format!("cannot create {}", package.display()))?;
    Bindgen::new()
        .input_path(&module)
        .nodejs(true)?
        .typescript(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(&package)
        .with_context(|| format!("wasm-bindgen cannot read {}", module.display()))?;
    for name in KEPT {
        let from = workspace.root.join("web/npm").join(name);
        fs::copy(&from, package.join(name)).with_context(|| format!("cannot copy {}", from.display()))?;
    }
    let manifest = json!({
        "name": "ebusy-analyzer",
        "version": env!("CARGO_PKG_VERSION"),
        "description": "Says who keeps a container's mount busy, from a captured /proc",
        "license": "MIT OR Apache-2.0",
        "main": "index.js",
        "types": "index.d.ts",
        "files": ["index.js", "index.d.ts", "report.d.ts", "ebusy_web.js", "ebusy_web_bg.wasm"],
        "engines": {"node": ">=18"},
    });
    let text = serde_json::to_string_pretty(&manifest)? + "\n";
    fs::write(package.join("package.json"), text).context("cannot write package.json")?;
    Ok(package)
}
