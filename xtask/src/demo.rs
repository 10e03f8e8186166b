//! The demo bundle: an invented host on which something holds a container.

use crate::workspace::Workspace;
use anyhow::{Context as _, Result};
use std::fs;
use std::path::PathBuf;

/// The bundle's bytes, always the same.
pub(crate) fn bundle() -> Vec<u8> {
    ebusy_tests::demo::bundle()
}

/// Writes `dist/ebusy-demo.tar.gz`.
pub(crate) fn write(workspace: &Workspace) -> Result<PathBuf> {
    let file = workspace.dist().join("ebusy-demo.tar.gz");
    fs::create_dir_all(workspace.dist()).context("cannot create dist/")?;
    fs::write(&file, bundle()).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(file)
}
