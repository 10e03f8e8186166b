//! `cargo xtask reproduce`: the same source, built in two folders, must give the same bytes.

use crate::progress::Steps;
use crate::workspace::{Workspace, output_of};
use crate::{page, programs};
use anyhow::{Context as _, Result, bail};
use sha2::{Digest as _, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Folders below `target/`; neither their names nor their depths are alike.
const FOLDERS: [&str; 2] = ["reproduce/one", "reproduce/another-folder/two"];

/// Builds page, collector and command twice from copies of the checked-out files, and compares them.
pub(crate) fn run_all() -> Result<()> {
    let workspace = Workspace::find()?;
    let mut steps = Steps::new(FOLDERS.len());
    let mut built = Vec::new();
    // Files and commit first: nobody has to leave them alone while the first is built.
    let stamp = workspace.commit();
    for folder in FOLDERS {
        copy_files(&workspace, &workspace.target.join(folder))?;
    }
    for folder in FOLDERS {
        built.push(steps.step(folder, || build(&workspace.target.join(folder), stamp.clone()))?);
    }
    let [one, two] = &built[..] else { bail!("there are two folders") };
    let mut different = Vec::new();
    for ((name, a), (_, b)) in one.iter().zip(two) {
        println!("{name}: {a}{}", if a == b { "" } else { ", and elsewhere another" });
        if a != b {
            different.push(*name);
        }
    }
    if !different.is_empty() {
        let folders = FOLDERS.map(|folder| workspace.target.join(folder).display().to_string());
        bail!("not reproducible: {}; see {}", different.join(", "), folders.join(" and "));
    }
    println!("Two builds in different folders gave the same bytes.");
    Ok(())
}

/// SHA-256 of each thing that people get, by name.
fn build(folder: &Path, stamp: Option<String>) -> Result<Vec<(&'static str, String)>> {
    let copy = Workspace { root: folder.to_path_buf(), target: folder.join("target"), stamp };
    let page = page::build(&copy)?;
    let programs = programs::build(&copy, programs::WithPage::Both(&page))?;
    let things =
        [("ebusy.html", page.file), ("ebusy-collector", programs.collector), ("ebusy", programs.ebusy)];
    let html = programs.collector_html.map(|file| ("ebusy-collector-html", file));
    things.into_iter().chain(html).map(|(name, file)| Ok((name, hash(&file)?))).collect()
}

/// The files that git knows, as they are now; those of an earlier run that are still the same stay, with their times.
fn copy_files(workspace: &Workspace, folder: &Path) -> Result<()> {
    let list = output_of(Command::new("git").arg("-C").arg(&workspace.root).arg("ls-files"))?;
    for name in list.lines() {
        let (from, to): (PathBuf, PathBuf) = (workspace.root.join(name), folder.join(name));
        let bytes = fs::read(&from).with_context(|| format!("cannot read {}", from.display()))?;
        if fs::read(&to).is_ok_and(|there| there == bytes) {
            continue;
        }
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent).with_context(|| format!("cannot create {}", parent.display()))?;
        }
        fs::write(&to, bytes).with_context(|| format!("cannot write {}", to.display()))?;
    }
    Ok(())
}

fn hash(file: &Path) -> Result<String> {
    let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect())
}
