//! JSON held against a JSON Schema, by a validator that knows nothing of this project (Python's `jsonschema`).

use crate::harness::{need_command, need_path, output_with};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Prints what is wrong with each of `documents`, as a list of lists.
const CHECK: &str = r#"
import json, sys
from jsonschema.validators import validator_for
from referencing import Registry, Resource
asked = json.load(sys.stdin)
registry = Registry().with_resources(
    (other["$id"], Resource.from_contents(other)) for other in asked["others"])
kind = validator_for(asked["schema"])
kind.check_schema(asked["schema"])
validator = kind(asked["schema"], registry=registry, format_checker=kind.FORMAT_CHECKER)
print(json.dumps([[f"{e.json_path}: {e.message}"[:500] for e in validator.iter_errors(document)]
                  for document in asked["documents"]]))
"#;

/// A validator for documents of any schema.
#[derive(Debug)]
pub struct Validator {
    python: PathBuf,
    packages: PathBuf,
}

impl Validator {
    /// The validator; skips `test` where it cannot be had.
    pub fn new(test: &str) -> Option<Self> {
        let packages = need_path(test, "EBUSY_SCHEMAS")?;
        Some(Self { python: need_command(test, "python3")?, packages })
    }

    /// A schema of CycloneDX by the name of its file.
    pub fn cyclonedx(&self, name: &str) -> Value {
        read(&self.packages.join("cyclonedx/schema/_res").join(name))
    }

    /// What is wrong with each document; an empty list is a valid one. `others` are schemas that `schema` refers to.
    pub fn problems(&self, schema: &Value, others: &[Value], documents: &[Value]) -> Vec<Vec<String>> {
        let asked = json!({"schema": schema, "others": others, "documents": documents}).to_string();
        let mut python = Command::new(&self.python);
        python.args(["-c", CHECK]).env("PYTHONPATH", &self.packages);
        let answer = output_with(&mut python, asked.as_bytes());
        assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
        serde_json::from_slice::<Vec<Vec<String>>>(&answer.stdout).expect("lists of sentences")
    }
}

/// A file of JSON.
pub fn read(file: &Path) -> Value {
    let bytes = std::fs::read(file).expect("a file that must be there");
    serde_json::from_slice(&bytes).expect("it is JSON")
}
