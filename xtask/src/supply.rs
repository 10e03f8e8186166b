//! `cargo xtask deny` and `cargo xtask sbom`: what the programs are made of, told by `cargo metadata`.
//!
//! `deny` holds every crate against `deny.toml`: its licence, where it comes from, and, for the collector, whether it
//! stands in the list of those that it may have, each with its reason. Where a copy of RustSec's advisories is at hand,
//! all crates of `Cargo.lock` are held against those, too.

pub(crate) mod sbom;

use crate::advisories;
use crate::programs;
use crate::workspace::{Workspace, output_of};
use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The only place that crates come from.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// What people get: its name, its package with the features that it is built with, and the target.
struct Program {
    name: &'static str,
    package: &'static str,
    features: &'static str,
    target: &'static str,
}

const COLLECTOR: Program = Program {
    name: "ebusy-collector",
    package: "collector",
    features: "",
    target: "x86_64-unknown-linux-musl",
};

const PROGRAMS: [Program; 3] = [
    COLLECTOR,
    Program {
        name: "ebusy",
        package: "ebusy-analyzer",
        features: programs::FEATURES,
        target: "x86_64-unknown-linux-musl",
    },
    Program { name: "ebusy.html", package: "ebusy-web", features: "", target: "wasm32-unknown-unknown" },
];

/// The command has crates that nothing else has.
const ALL_FEATURES: &[&str] = &["--all-features"];

/// Checks licences, sources and the collector's dependencies; with a database, advisories.
pub(crate) fn deny(database: Option<&Path>) -> Result<()> {
    let workspace = Workspace::find()?;
    let rules = fs::read_to_string(workspace.root.join("deny.toml")).context("cannot read deny.toml")?;
    let rules = Rules::of(&rules);
    let (metadata, command) = (metadata(&workspace, &[])?, metadata(&workspace, ALL_FEATURES)?);
    let mut wrong = Vec::new();
    let of_command = tree(&workspace, &PROGRAMS[1])?;
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
    let collector = names_below(&workspace, &COLLECTOR)?;
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
    match database {
        Some(database) => advisories(&workspace, database, &rules.ignored),
        None => {
            println!(
                "Advisories were not checked: `--advisories DIR` names a copy of RustSec's advisory-db."
            );
            Ok(())
        }
    }
}

/// Also crates that only tests and tasks have.
fn advisories(workspace: &Workspace, database: &Path, ignored: &BTreeSet<String>) -> Result<()> {
    let lock = fs::read_to_string(workspace.root.join("Cargo.lock")).context("cannot read Cargo.lock")?;
    let crates: BTreeSet<String> = sbom::hashes(&lock).into_keys().collect();
    let outcome = advisories::check(database, &crates, ignored)?;
    outcome.notes.iter().for_each(|note| println!("{note}"));
    if !outcome.wrong.is_empty() {
        bail!("{}", outcome.wrong.join("\n"));
    }
    println!("{} crates of Cargo.lock, {} advisories, none against them.", crates.len(), outcome.read);
    Ok(())
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
    /// Advisories that were looked at and do not matter here.
    ignored: BTreeSet<String>,
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
            ignored: text.split('"').filter(|it| it.starts_with("RUSTSEC-")).map(str::to_owned).collect(),
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
fn tree(workspace: &Workspace, program: &Program) -> Result<BTreeSet<String>> {
    let mut cargo = workspace.cargo();
    cargo.args(["tree", "--locked", "--package", program.package, "--features", program.features]);
    cargo.args(["--edges", "normal", "--prefix", "none", "--target", program.target]);
    let lines = output_of(&mut cargo)?;
    let labels = lines.lines().filter_map(|line| {
        let mut words = line.split(' ');
        Some(format!("{} {}", words.next()?, words.next()?.strip_prefix('v')?))
    });
    Ok(labels.filter(|label| label.split(' ').next() != Some(program.package)).collect())
}

fn names_below(workspace: &Workspace, program: &Program) -> Result<BTreeSet<String>> {
    let labels = tree(workspace, program)?;
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

    /// The table of threats names what tests each: files, and tests in them as `file.rs::test`.
    #[test]
    fn every_test_that_the_table_of_threats_names_exists() {
        let root = Workspace::find().unwrap().root;
        let text = fs::read_to_string(root.join("SECURITY.md")).unwrap();
        let rows: Vec<&str> = text.lines().filter(|line| line.starts_with('|')).skip(2).collect();
        assert!(rows.len() >= 9, "{rows:?}");
        for row in rows {
            let shows = row.trim_end_matches('|').rsplit('|').next().unwrap();
            let named: Vec<&str> = shows
                .split('`')
                .skip(1)
                .step_by(2)
                .filter(|it| it.contains(".rs") || it.contains("/tests"))
                .collect();
            assert!(!named.is_empty() || shows.contains("cargo xtask deny"), "nothing tests: {row}");
            for name in named {
                let (file, test) =
                    name.split_once("::").map_or((name, None), |(file, test)| (file, Some(test)));
                let path = root.join(file);
                assert!(path.exists(), "SECURITY.md names {file}");
                if let Some(test) = test {
                    let source = fs::read_to_string(&path).unwrap();
                    assert!(source.contains(&format!("fn {test}(")), "{file} has no test {test}");
                }
            }
        }
    }

    #[test]
    fn nothing_is_used_that_is_not_allowed() {
        deny(None).unwrap();
    }
}
