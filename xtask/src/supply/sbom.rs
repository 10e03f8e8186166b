//! CycloneDX bills of materials.

use super::{ALL_FEATURES, PROGRAMS, Program, by_label, expression, metadata, tree};
use crate::workspace::Workspace;
use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

/// Writes a bill of materials for each program; the files.
pub(crate) fn write_all() -> Result<Vec<PathBuf>> {
    let workspace = Workspace::find()?;
    let dist = workspace.dist();
    fs::create_dir_all(&dist).with_context(|| format!("cannot create {}", dist.display()))?;
    let mut written = Vec::new();
    for (program, bill) in bills(&workspace)? {
        let file = dist.join(format!("{program}.cdx.json"));
        fs::write(&file, serde_json::to_string_pretty(&bill)? + "\n")
            .with_context(|| format!("cannot write {}", file.display()))?;
        written.push(file);
    }
    Ok(written)
}

/// The bill of each program, by its name.
fn bills(workspace: &Workspace) -> Result<Vec<(&'static str, Value)>> {
    let metadata = metadata(workspace, ALL_FEATURES)?;
    let packages = by_label(&metadata);
    let lock = fs::read_to_string(workspace.root.join("Cargo.lock")).context("cannot read Cargo.lock")?;
    let hashes = hashes(&lock);
    let bill_of = |program: &Program| {
        let below = tree(workspace, program)?;
        let components: Vec<Value> = below
            .iter()
            .filter_map(|label| Some(component(packages.get(label)?, hashes.get(label).map(String::as_str))))
            .collect();
        Ok((program.name, bill(program.name, &components)))
    };
    PROGRAMS.iter().map(bill_of).collect()
}

/// CycloneDX 1.5; without time and serial number, so that the same source gives the same bytes.
fn bill(program: &str, components: &[Value]) -> Value {
    let references: Vec<&Value> = components.iter().map(|component| &component["bom-ref"]).collect();
    json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "metadata": {"component": {"type": "application", "bom-ref": program, "name": program,
            "version": env!("CARGO_PKG_VERSION")}},
        "components": components,
        "dependencies": [{"ref": program, "dependsOn": references}],
    })
}

fn component(package: &Value, sha256: Option<&str>) -> Value {
    let text = |key: &str| package[key].as_str().unwrap_or_default().to_owned();
    let (name, version) = (text("name"), text("version"));
    let purl = format!("pkg:cargo/{name}@{version}");
    let mut component = json!({"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl,
        "licenses": [{"expression": expression(&text("license"))}]});
    if let Some(sha256) = sha256 {
        component["hashes"] = json!([{"alg": "SHA-256", "content": sha256}]);
    }
    component
}

/// The checksums of Cargo.lock by `name version`; the project's own packages have none.
pub(super) fn hashes(lock: &str) -> BTreeMap<String, String> {
    let packages = lock.split("[[package]]").filter_map(|package| {
        let value = |key: &str| {
            let line = package.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = \""));
            line.and_then(|rest| rest.strip_suffix('"'))
        };
        Some((format!("{} {}", value("name")?, value("version")?), value("checksum")?.to_owned()))
    });
    packages.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ebusy_tests::json_schema::Validator;
    use std::collections::BTreeSet;

    #[test]
    fn a_bill_has_each_component_of_its_program_once_with_licence_and_checksum() {
        let workspace = Workspace::find().unwrap();
        let bills = bills(&workspace).unwrap();
        for (program, (name, bill)) in PROGRAMS.iter().zip(&bills) {
            let components = bill["components"].as_array().unwrap();
            let references: BTreeSet<&str> =
                components.iter().filter_map(|it| it["bom-ref"].as_str()).collect();
            assert_eq!(references.len(), components.len(), "{name}");
            assert_eq!(components.len(), tree(&workspace, program).unwrap().len(), "{name}");
            for component in components {
                // What is in this repository comes from no registry and has no checksum there.
                let is_ours = component["name"].as_str().unwrap().starts_with("ebusy-");
                let hash = component["hashes"][0]["content"].as_str().unwrap_or_default();
                assert!(
                    hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()) || is_ours,
                    "{component}"
                );
                assert!(!component["licenses"][0]["expression"].as_str().unwrap().is_empty(), "{component}");
            }
        }
    }

    #[test]
    fn the_bills_are_what_cyclonedx_says() {
        let Some(validator) = Validator::new("xtask supply::sbom::the_bills_are_what_cyclonedx_says") else {
            return;
        };
        let schema = validator.cyclonedx("bom-1.5.SNAPSHOT.schema.json");
        let others = ["spdx.SNAPSHOT.schema.json", "jsf-0.82.SNAPSHOT.schema.json"];
        let others = others.map(|name| validator.cyclonedx(name));
        let bills = bills(&Workspace::find().unwrap()).unwrap();
        let mut documents: Vec<Value> = bills.into_iter().map(|(_, bill)| bill).collect();
        let mut wrong = documents[0].clone();
        wrong["components"][0]["hashes"][0]["alg"] = "SHA-9".into();
        documents.push(wrong);
        let mut problems = validator.problems(&schema, &others, &documents);
        assert!(problems.pop().unwrap()[0].contains("SHA-9"));
        assert!(problems.iter().all(Vec::is_empty), "{problems:#?}");
    }

    #[test]
    fn a_bill_has_what_its_program_alone_has() {
        let workspace = Workspace::find().unwrap();
        let has_parquet = |program: &Program| {
            tree(&workspace, program).unwrap().iter().any(|label| label.starts_with("parquet "))
        };
        assert_eq!(PROGRAMS.each_ref().map(has_parquet), [false, true, false]);
    }
}
