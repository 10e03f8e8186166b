//! `cargo xtask docs`: the book of what is in `docs/`.

mod links;

use crate::workspace::{Workspace, run, which};
use anyhow::Result;
use std::path::PathBuf;
use std::process::Command;

/// The mdBook that is built where none is installed.
const MDBOOK: &str = "0.5.4";

/// Builds `dist/docs` and follows the links in it.
pub(crate) fn build() -> Result<()> {
    let workspace = Workspace::find()?;
    run(Command::new(mdbook(&workspace)?).arg("build").arg(workspace.root.join("docs")))?;
    let book = workspace.dist().join("docs");
    let followed = links::check(&book)?;
    println!("{}: {followed} links within the book lead somewhere", book.join("index.html").display());
    Ok(())
}

/// The one in `PATH`, or one of our own below `target/`: building it takes some minutes, once.
fn mdbook(workspace: &Workspace) -> Result<PathBuf> {
    let tools = workspace.target.join("tools");
    let own = tools.join("bin/mdbook");
    if let Some(installed) = which("mdbook").or_else(|| own.is_file().then(|| own.clone())) {
        return Ok(installed);
    }
    let mut cargo = workspace.cargo();
    cargo
        .args(["install", "mdbook", "--locked", "--version", MDBOOK, "--no-default-features", "--root"])
        .arg(&tools);
    run(&mut cargo)?;
    Ok(own)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::Path;

    /// Markdown of the repository that people read.
    fn pages(root: &Path) -> Vec<PathBuf> {
        let mut pages = Vec::new();
        for dir in ["", "docs", "deploy"] {
            let entries = fs::read_dir(root.join(dir)).unwrap().flatten().map(|entry| entry.path());
            pages.extend(entries.filter(|file| file.extension().is_some_and(|end| end == "md")));
        }
        pages
    }

    /// What GitHub and mdBook make of headings: `#what-is-in-a-bundle`.
    fn ids(text: &str) -> Vec<String> {
        let headings = text.lines().filter(|line| line.starts_with('#'));
        let id = |line: &str| -> String {
            let title = line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
            title.chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect()
        };
        headings.map(id).collect()
    }

    #[test]
    fn every_link_within_the_repository_leads_somewhere() {
        let root = Workspace::find().unwrap().root;
        let mut broken = Vec::new();
        for page in pages(&root) {
            let text = fs::read_to_string(&page).unwrap();
            for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
                let (path, id) = target.split_once('#').unwrap_or((target, ""));
                let file = if path.is_empty() { page.clone() } else { page.with_file_name(path) };
                let there = || {
                    file.exists()
                        && (id.is_empty()
                            || ids(&fs::read_to_string(&file).unwrap()).iter().any(|it| it == id))
                };
                if !target.is_empty() && !target.contains("://") && !there() {
                    broken.push(format!("{}: {target}", page.display()));
                }
            }
        }
        assert!(broken.is_empty(), "{broken:#?}");
    }

    #[test]
    fn every_task_that_is_named_exists() {
        let root = Workspace::find().unwrap().root;
        for page in pages(&root) {
            let text = fs::read_to_string(&page).unwrap();
            for call in text.split("cargo xtask ").skip(1) {
                let word = call.split(|c: char| !c.is_ascii_lowercase()).next().unwrap_or_default();
                let known =
                    crate::tasks::HELP.lines().any(|line| line.split_whitespace().next() == Some(word));
                assert!(known, "{}: cargo xtask {word}", page.display());
            }
        }
    }

    #[test]
    fn every_page_of_docs_is_in_the_book_and_every_cause_on_its_page() {
        let docs = Workspace::find().unwrap().root.join("docs");
        let summary = fs::read_to_string(docs.join("SUMMARY.md")).unwrap();
        for page in fs::read_dir(&docs).unwrap().flatten() {
            let name = page.file_name().to_string_lossy().into_owned();
            assert!(!name.ends_with(".md") || name == "SUMMARY.md" || summary.contains(&name), "{name}");
        }
        let causes = fs::read_to_string(docs.join("causes.md")).unwrap();
        for rule in fs::read_dir(docs.join("../analyzer/src/causes")).unwrap().flatten() {
            let code = fs::read_to_string(rule.path()).unwrap();
            for id in code.split("id: \"").skip(1).filter_map(|rest| rest.split('"').next()) {
                assert!(causes.contains(&format!("\n### {id}\n")), "{id} of {}", rule.path().display());
            }
        }
    }
}
