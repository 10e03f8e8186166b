//! What a claim rests on, and what could not be read.

use serde::{Deserialize, Serialize};

/// File and line in the bundle that a claim rests on.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Evidence {
    /// Path in the bundle, without the bundle's own top directory.
    pub file: String,
    /// Line, counted from 1; `None` for links and for a whole file.
    pub line: Option<u32>,
    /// The text there (a link's target for links).
    pub text: String,
}

/// Something that could not be read or is missing; data never makes the analyzer fail.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Diagnostic {
    /// Stable code, e.g. `truncated-bundle`.
    pub code: String,
    /// File in the bundle.
    pub file: Option<String>,
    /// Line, counted from 1.
    pub line: Option<u32>,
    /// What happened.
    pub message: String,
    /// What to do about it.
    pub advice: String,
}
