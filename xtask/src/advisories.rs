//! The crates of `Cargo.lock` against RustSec's database of advisories, where a copy of it is at hand.
//!
//! The database is a git repository of one Markdown file for each advisory, which begins with a block of TOML
//! (its README.md). No network is needed, nor another program but git where the copy has no files.

use anyhow::{Context as _, Result, bail};
use semver::{Version, VersionReq};
use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::Command;

/// An advisory, as far as it decides.
#[derive(Debug, PartialEq, Eq)]
struct Advisory {
    id: String,
    package: String,
    /// `unsound`, `unmaintained` or `notice`; empty for a vulnerability.
    kind: String,
    title: String,
    is_withdrawn: bool,
    /// Versions that do not have it.
    without: Vec<VersionReq>,
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Advisories in the database.
    pub(crate) read: usize,
    /// Vulnerabilities, and code that is unsound.
    pub(crate) wrong: Vec<String>,
    /// What concerns a crate without being a fault of it.
    pub(crate) notes: Vec<String>,
}

/// Holds `name version` of crates against the database in a directory, with or without files checked out.
pub(crate) fn check(
    database: &Path,
    crates: &BTreeSet<String>,
    ignored: &BTreeSet<String>,
) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    for text in texts(database)? {
        let Some(advisory) = Advisory::of(&text) else { continue };
        outcome.read += 1;
        for label in crates.iter().filter(|label| advisory.concerns(label)) {
            let line = format!("{label}: {} ({})", advisory.id, advisory.title);
            match advisory.kind.as_str() {
                _ if ignored.contains(&advisory.id) => {
                    outcome.notes.push(format!("{line}, ignored by deny.toml"))
                }
                "" | "unsound" => outcome.wrong.push(line),
                kind => outcome.notes.push(format!("{line}, {kind}")),
            }
        }
    }
    if outcome.read == 0 {
        bail!("no advisory in {}: it should be a copy of RustSec's advisory-db", database.display());
    }
    outcome.wrong.sort();
    outcome.notes.sort();
    Ok(outcome)
}

/// The files below `crates`.
fn texts(database: &Path) -> Result<Vec<String>> {
    let crates = database.join("crates");
    if !crates.is_dir() {
        return committed(database);
    }
    let mut texts = Vec::new();
    for package in fs::read_dir(&crates).with_context(|| format!("cannot read {}", crates.display()))? {
        for file in fs::read_dir(package?.path())? {
            texts.push(fs::read_to_string(file?.path())?);
        }
    }
    Ok(texts)
}

fn committed(database: &Path) -> Result<Vec<String>> {
    let output = Command::new("git")
        .arg("--git-dir")
        .arg(database)
        .args(["archive", "--format=tar", "HEAD", "crates"])
        .output()
        .context("cannot start git")?;
    if !output.status.success() {
        bail!("{}: {}", database.display(), String::from_utf8_lossy(&output.stderr).trim());
    }
    let mut texts = Vec::new();
    for entry in tar::Archive::new(&output.stdout[..]).entries()? {
        let mut entry = entry?;
        if entry.path()?.extension().is_some_and(|end| end == "md") {
            let mut text = String::new();
            entry.read_to_string(&mut text)?;
            texts.push(text);
        }
    }
    Ok(texts)
}

impl Advisory {
    /// `None` for what is none.
    fn of(text: &str) -> Option<Self> {
        let (toml, rest) = text.split_once("```toml\n")?.1.split_once("\n```")?;
        let value = |key: &str| {
            let line = toml.lines().find_map(|line| line.strip_prefix(key)?.trim_start().strip_prefix('='));
            line.map(|value| value.trim().trim_matches('"').to_owned())
        };
        let mut without = requirements(toml, "patched");
        without.extend(requirements(toml, "unaffected"));
        Some(Self {
            id: value("id")?,
            package: value("package")?,
            kind: value("informational").unwrap_or_default(),
            title: rest.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or_default().to_owned(),
            is_withdrawn: value("withdrawn").is_some(),
            without,
        })
    }

    fn concerns(&self, label: &str) -> bool {
        let Some((name, version)) = label.split_once(' ') else { return false };
        if self.is_withdrawn || name != self.package {
            return false;
        }
        // A version that cannot be read may be the one.
        Version::parse(version)
            .map_or(true, |version| !self.without.iter().any(|without| without.matches(&version)))
    }
}

/// The strings of a list, over one line or several.
fn requirements(toml: &str, key: &str) -> Vec<VersionReq> {
    let begin = toml.split('\n').scan(0, |at, line| {
        let here = *at;
        *at += line.len() + 1;
        Some((here, line))
    });
    let is_key = |line: &str| line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('='));
    let Some((at, _)) = begin.into_iter().find(|(_, line)| is_key(line)) else { return Vec::new() };
    let list = toml[at..].split('[').nth(1).and_then(|rest| rest.split(']').next()).unwrap_or_default();
    list.split('"').skip(1).step_by(2).filter_map(|text| VersionReq::parse(text).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADVISORY: &str = "```toml\n[advisory]\nid = \"RUSTSEC-2030-0001\"\npackage = \"left\"\n\n[versions]\npatched = [\n  \">= 1.2.3\",\n  \"^0.9.4\",\n]\nunaffected = [\"< 0.5\"]\n```\n\n# It is wrong\n\nText.\n";

    fn outcome(text: &str, crates: &[&str], ignored: &[&str]) -> Outcome {
        let dir = tempfile(text);
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        check(&dir.0, &set(crates), &set(ignored)).unwrap()
    }

    struct Dir(std::path::PathBuf);

    impl Drop for Dir {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }

    fn tempfile(text: &str) -> Dir {
        static NUMBER: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("ebusy-advisories-{}-{number}", std::process::id()));
        fs::create_dir_all(dir.join("crates/left")).unwrap();
        fs::write(dir.join("crates/left/RUSTSEC-2030-0001.md"), text).unwrap();
        Dir(dir)
    }

    #[test]
    fn versions_decide() {
        let crates = [
            "left 0.4.9",
            "left 0.5.0",
            "left 0.9.3",
            "left 0.9.4",
            "left 1.0.0",
            "left 1.2.3",
            "right 0.5.0",
        ];
        let found = outcome(ADVISORY, &crates, &[]);
        let expected = ["left 0.5.0", "left 0.9.3", "left 1.0.0"];
        assert_eq!(found.wrong, expected.map(|label| format!("{label}: RUSTSEC-2030-0001 (It is wrong)")));
        assert!(found.notes.is_empty() && found.read == 1);
    }

    #[test]
    fn what_is_withdrawn_ignored_or_only_a_note_is_no_failure() {
        let with = |line: &str| ADVISORY.replace("package", &format!("{line}\npackage"));
        assert_eq!(outcome(&with("withdrawn = \"2031-01-01\""), &["left 1.0.0"], &[]).wrong, [""; 0]);
        let old = outcome(&with("informational = \"unmaintained\""), &["left 1.0.0"], &[]);
        assert_eq!((old.wrong.len(), old.notes.len()), (0, 1));
        assert_eq!(outcome(&with("informational = \"unsound\""), &["left 1.0.0"], &[]).wrong.len(), 1);
        let ignored = outcome(ADVISORY, &["left 1.0.0"], &["RUSTSEC-2030-0001"]);
        assert_eq!((ignored.wrong.len(), ignored.notes.len()), (0, 1));
    }

    #[test]
    fn an_empty_directory_is_no_database() {
        let dir = tempfile("no advisory");
        assert!(check(&dir.0, &BTreeSet::new(), &BTreeSet::new()).is_err());
    }
}
