//! `SHA256SUMS`, in the form that `sha256sum -c` checks.

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};
use std::fs;
use std::path::{Path, PathBuf};

/// Writes the sums of all files below `release`; returns how many there are.
pub(super) fn write(release: &Path) -> Result<usize> {
    let mut names = Vec::new();
    list(release, Path::new(""), &mut names)?;
    names.sort();
    let mut text = String::new();
    for name in &names {
        let content =
            fs::read(release.join(name)).with_context(|| format!("cannot read {}", name.display()))?;
        let sum: String = Sha256::digest(&content).iter().map(|byte| format!("{byte:02x}")).collect();
        text.push_str(&format!("{sum}  {}\n", name.display()));
    }
    fs::write(release.join("SHA256SUMS"), text).context("cannot write SHA256SUMS")?;
    Ok(names.len())
}

fn list(release: &Path, below: &Path, names: &mut Vec<PathBuf>) -> Result<()> {
    let dir = release.join(below);
    for entry in dir.read_dir().with_context(|| format!("cannot list {}", dir.display()))? {
        let entry = entry?;
        let name = below.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            list(release, &name, names)?;
        } else {
            names.push(name);
        }
    }
    Ok(())
}
