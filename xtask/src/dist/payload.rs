//! The files of a package, and where they are installed.

use super::texts::Text;
use crate::programs::Programs;
use crate::workspace::Workspace;
use anyhow::{Context as _, Result};
use std::fs;
use std::path::Path;

/// What both kinds of packages install.
#[derive(Debug, Default)]
pub(super) struct Payload {
    /// In order of their paths.
    pub(super) files: Vec<PackageFile>,
}

/// One installed file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PackageFile {
    /// Absolute path on the host.
    pub(super) path: String,
    /// Permission bits.
    pub(super) mode: u32,
    /// Its bytes.
    pub(super) content: Vec<u8>,
}

/// Files of the repository that are installed as they are.
const FROM_REPOSITORY: [(&str, &str, u32); 6] = [
    ("deploy/plugins/docker-busy", "/usr/libexec/docker/cli-plugins/docker-busy", 0o755),
    ("deploy/plugins/kubectl-ebusy", "/usr/bin/kubectl-ebusy", 0o755),
    ("README.md", "/usr/share/doc/ebusy/README.md", 0o644),
    ("docs/bundle-format.md", "/usr/share/doc/ebusy/bundle-format.md", 0o644),
    ("LICENSE-MIT", "/usr/share/doc/ebusy/LICENSE-MIT", 0o644),
    ("LICENSE-APACHE", "/usr/share/doc/ebusy/LICENSE-APACHE", 0o644),
];

impl Payload {
    /// Reads everything that is installed.
    pub(super) fn gather(workspace: &Workspace, programs: &Programs, texts: &[Text]) -> Result<Self> {
        let mut payload = Self::default();
        payload.add("/usr/bin/ebusy-collector", 0o755, read(&programs.collector)?);
        payload.add("/usr/bin/ebusy", 0o755, read(&programs.ebusy)?);
        for (from, to, mode) in FROM_REPOSITORY {
            payload.add(to, mode, read(&workspace.root.join(from))?);
        }
        for text in texts {
            payload.add(text.installed, 0o644, text.content.clone().into_bytes());
        }
        payload.files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(payload)
    }

    /// Adds one file.
    pub(super) fn add(&mut self, path: &str, mode: u32, content: Vec<u8>) {
        self.files.push(PackageFile { path: path.to_owned(), mode, content });
    }

    /// What they need on disk, in KiB.
    pub(super) fn installed_kib(&self) -> usize {
        self.files.iter().map(|file| file.content.len().div_ceil(1024)).sum()
    }
}

fn read(file: &Path) -> Result<Vec<u8>> {
    fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}
