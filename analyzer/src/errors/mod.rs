//! Log lines → busy errors.

use crate::report::{BusyError, Evidence};

/// Ids that a log line links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdLink {
    /// Container.
    pub container_id: String,
    /// Its layer.
    pub layer_id: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Where.
    pub evidence: Evidence,
}

/// Placeholder until the grammar lands.
#[derive(Debug, Default)]
pub struct LogScanner {
    links: Vec<IdLink>,
}

impl LogScanner {
    /// Takes a file.
    pub fn push_file(&mut self, _file: &str, _bytes: &[u8]) {}
    /// Lines.
    pub fn lines_read(&self) -> u64 {
        0
    }
    /// Links.
    pub fn links(&self) -> &[IdLink] {
        &self.links
    }
    /// Errors.
    pub fn finish(self) -> Vec<BusyError> {
        Vec::new()
    }
}
