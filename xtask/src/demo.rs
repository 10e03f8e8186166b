//! The demo bundle: an invented host on which something holds a container.

use crate::workspace::Workspace;
use anyhow::{Context as _, Result};
use flate2::read::GzDecoder;
use std::fs;
use std::io::Read as _;
use std::path::PathBuf;

/// The bundle's bytes, always the same.
pub(crate) fn bundle() -> Vec<u8> {
    ebusy_tests::demo::bundle()
}

/// The same without its compression, for the page, which packs it smaller.
pub(crate) fn tar() -> Result<Vec<u8>> {
    let mut tar = Vec::new();
    GzDecoder::new(&bundle()[..]).read_to_end(&mut tar).context("the demo is no gzip")?;
    Ok(tar)
}

/// Writes `dist/ebusy-demo.tar.gz`.
pub(crate) fn write(workspace: &Workspace) -> Result<PathBuf> {
    let file = workspace.dist().join("ebusy-demo.tar.gz");
    fs::create_dir_all(workspace.dist()).context("cannot create dist/")?;
    fs::write(&file, bundle()).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(file)
}
