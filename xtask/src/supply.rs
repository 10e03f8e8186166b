//! `cargo xtask deny` and `cargo xtask sbom`: what the programs are made of, told by `cargo metadata`.
//!
//! `deny` holds every crate against `deny.toml`: its licence, where it comes from, and, for the collector, whether it
//! stands in the list of those that it may have, each with its reason. Where cargo-deny and its advisories are at hand
//! it is run, too.

use crate::programs;
use crate::workspace::{Workspace, output_of, which};
use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

/// The only place that crates come from.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Programs that people get: the package, and the target that it is built for.
const PROGRAMS: [(&str, &str); 3] = [
    ("collector", "x86_64-unknown-linux-musl"),
    ("ebusy-analyzer", "x86_64-unknown-linux-musl"),
    ("ebusy-web", "wasm32-unknown-unknown"),
];

/// The command has crates that nothing else has.
const ALL_FEATURES: &[&str] = &["--all-features"];

/// Checks licences, sources and the collector's dependencies.
pub(crate) fn deny() -> Result<()> {
    let workspace = Workspace::find()?;
    let rules = fs::read_to_string(workspace.root.join("deny.toml")).context("cannot read deny.toml")?;
    let rules = Rules::of(&rules);
    let (metadata, command) = (metadata(&workspace, &[])?, metadata(&workspace, ALL_FEATURES)?);
    let mut wrong = Vec::new();
    let (name, target) = PROGRAMS[1];
    let of_command = tree(&workspace, name, target)?;
    // Everything that any of our crates may use, and what the command alone has; for other systems than ours and
    // for the fuzzer there is more in all features.
    let known: BTreeSet<String> = packages(&metadata).into_iter().map(label).collect();
    let all = by_label(&command);
    for (_, package) in all.iter().filter(|(label, _)| known.contains(*label) || of_command.contains(*label))
    {
        let licence = package["license"].as_str().unwrap_or_default();
        if !rules.allow(licence) {
            wrong.push(format!("{}: its licence '{licence}' is not in deny.toml", label(package)));
        }
        if !package["source"].is_null() && package["source"] != REGISTRY {
            wrong.push(format!("{}: it comes from {}", label(package), package["source"]));
        }
    }
    let collector = names_below(&workspace, "collector", PROGRAMS[0].1)?;
    for name in collector.symmetric_difference(&rules.collector) {
        let what = if collector.contains(name) { "has no reason in" } else { "is listed but not used by" };
        wrong.push(format!("collector: {name} {what} deny.toml's list of the collector's crates"));
    }
    if !wrong.is_empty() {
        bail!("{}", wrong.join("\n"));
    }
    println!(
        "{} packages, all licences allowed, all from crates.io; the collector has {}.",
        known.union(&of_command).count(),
        collector.len()
    );
    if which("cargo-deny").is_some() {
        println!("{}", output_of(workspace.cargo().args(["deny", "check", "advisories"]))?);
    } else {
        println!("Advisories were not checked: cargo-deny is not installed here.");
    }
    Ok(())
}

/// Writes a CycloneDX bill of materials for each program.
pub(crate) fn sbom() -> Result<Vec<PathBuf>> {
    let workspace = Workspace::find()?;
    let metadata = metadata(&workspace, ALL_FEATURES)?;
    let by_name = by_label(&metadata);
    let dist = workspace.dist();
    fs::create_dir_all(&dist).with_context(|| format!("cannot create {}", dist.display()))?;
    let mut written = Vec::new();
    for (program, target) in PROGRAMS {
        let below = tree(&workspace, program, target)?;
        let components: Vec<Value> =
            below.iter().filter_map(|name| by_name.get(name)).map(|package| component(package)).collect();
        let bill = json!({
            "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
            "metadata": {"component": {"type": "application", "name": program,
                "version": env!("CARGO_PKG_VERSION")}},
            "components": components,
        });
        let file = dist.join(format!("{program}.cdx.json"));
        fs::write(&file, serde_json::to_string_pretty(&bill)? + "\n")
            .with_context(|| format!("cannot write {}", file.display()))?;
        written.push(file);
    }
    Ok(written)
}

fn component(package: &Value) -> Value {
    let text = |key: &str| package[key].as_str().unwrap_or_default().to_owned();
    let (name, version) = (text("name"), text("version"));
    json!({"type": "library", "name": name, "version": version, "purl": format!("pkg:cargo/{name}@{version}"),
        "licenses": [{"expression": expression(&text("license"))}]})
}

/// Old crates write `MIT/Apache-2.0`.
fn expression(licence: &str) -> String {
    licence.split('/').map(str::trim).collect::<Vec<_>>().join(" OR ")
}

/// What `deny.toml` says, as far as it is needed here: the file is cargo-deny's, and has the collector's crates as
/// comments that this reads.
#[derive(Debug, Default)]
struct Rules {
    licences: BTreeSet<String>,
    collector: BTreeSet<String>,
}

impl Rules {
    fn of(text: &str) -> Self {
        let quoted = |line: &str| line.trim().strip_prefix('"')?.split('"').next().map(str::to_owned);
        let begin = text.find("allow = [").unwrap_or(text.len());
        let allowed = text[begin..].lines().skip(1).take_while(|line| !line.starts_with(']'));
        let crates = text.lines().filter_map(|line| line.strip_prefix("# collector: "));
        Self {
            licences: allowed.filter_map(quoted).collect(),
            collector: crates.filter_map(|rest| rest.split(':').next().map(str::to_owned)).collect(),
        }
    }

    /// An expression of SPDX as crates have them: `AND` of `OR`s, no deeper.
    fn allow(&self, licence: &str) -> bool {
        let plain = expression(licence).replace(['(', ')'], "");
        plain.split(" AND ").all(|all| all.split(" OR ").any(|one| self.licences.contains(one.trim())))
    }
}

fn metadata(workspace: &Workspace, more: &[&str]) -> Result<Value> {
    let text =
        output_of(workspace.cargo().args(["metadata", "--format-version", "1", "--locked"]).args(more))?;
    serde_json::from_str(&text).context("`cargo metadata` wrote no JSON")
}

fn packages(metadata: &Value) -> Vec<&Value> {
    metadata["packages"].as_array().map(|all| all.iter().collect()).unwrap_or_default()
}

fn by_label(metadata: &Value) -> BTreeMap<String, &Value> {
    packages(metadata).into_iter().map(|package| (label(package), package)).collect()
}

/// `name version`.
fn label(package: &Value) -> String {
    let text = |key: &str| package[key].as_str().unwrap_or_default();
    format!("{} {}", text("name"), text("version"))
}

/// `name version` of everything that is linked into a program, without the program itself.
fn tree(workspace: &Workspace, program: &str, target: &str) -> Result<BTreeSet<String>> {
    let mut cargo = workspace.cargo();
    cargo.args([
        "tree",
        "--locked",
        "--package",
        program,
        "--edges",
        "normal",
        "--prefix",
        "none",
        "--target",
        target,
    ]);
    if program == PROGRAMS[1].0 {
        cargo.args(["--features", programs::FEATURES]);
    }
    let lines = output_of(&mut cargo)?;
    let labels = lines.lines().filter_map(|line| {
        let mut words = line.split(' ');
        Some(format!("{} {}", words.next()?, words.next()?.strip_prefix('v')?))
    });
    Ok(labels.filter(|label| label.split(' ').next() != Some(program)).collect())
}

fn names_below(workspace: &Workspace, program: &str, target: &str) -> Result<BTreeSet<String>> {
    let labels = tree(workspace, program, target)?;
    Ok(labels.iter().filter_map(|label| label.split(' ').next().map(str::to_owned)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licences_are_read_as_expressions() {
        let rules = Rules::of("# collector: libc: calls\nallow = [\n    \"MIT\",\n    \"Unicode-3.0\",\n]\n");
        assert_eq!(rules.collector, BTreeSet::from(["libc".to_owned()]));
        for (licence, allowed) in [
            ("MIT", true),
            ("MIT/Apache-2.0", true),
            ("Apache-2.0 OR MIT", true),
            ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
            ("MIT AND GPL-3.0-only", false),
            ("GPL-3.0-only", false),
            ("", false),
        ] {
            assert_eq!(rules.allow(licence), allowed, "{licence}");
        }
    }

    #[test]
    fn a_bill_has_what_its_program_alone_has() {
        let workspace = Workspace::find().unwrap();
        let has_parquet = |index: usize| {
            let (name, target) = PROGRAMS[index];
            tree(&workspace, name, target).unwrap().iter().any(|label| label.starts_with("parquet "))
        };
        assert_eq!([0, 1, 2].map(has_parquet), [false, true, false], "{PROGRAMS:?}");
    }

    #[test]
    fn nothing_is_used_that_is_not_allowed() {
        deny().unwrap();
    }
}
