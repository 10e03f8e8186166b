//! `cargo xtask dist`: everything that a release has, in `dist/release/`.
//!
//! | file | what |
//! |---|---|
//! | `ebusy.html`, `ebusy-demo.tar.gz` | the page (to host or to open) and a bundle to try |
//! | `ebusy-collector-VERSION-ARCH`, `ebusy-VERSION-ARCH` | static programs |
//! | `ebusy-collector-html-VERSION-ARCH` | the collector with the page inside, for `--html FILE` |
//! | `ebusy_VERSION_ARCH.deb`, `ebusy-VERSION-1.ARCH.rpm` | both, with manual pages, completions and plugins |
//! | `man/`, `completions/` | the same manual pages and completions by themselves |
//! | `ebusy-collector.cdx.json`, `ebusy.cdx.json`, `ebusy.html.cdx.json` | what collector, command and page are made of |
//! | `SHA256SUMS` | of all of these, for `sha256sum -c` |

mod checksums;
mod deb;
mod payload;
mod rpm;
mod texts;

use crate::programs::{self, Programs, WithPage};
use crate::progress::Steps;
use crate::workspace::{Workspace, output_of, which};
use crate::{demo, page, supply};
use anyhow::{Context as _, Result, bail};
use payload::Payload;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The release's version: that of the workspace.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What a machine is called by Rust, by Debian and in qemu's file names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Architecture {
    rust: &'static str,
    debian: &'static str,
}

const ARCHITECTURES: [Architecture; 2] =
    [Architecture { rust: "x86_64", debian: "amd64" }, Architecture { rust: "aarch64", debian: "arm64" }];

/// Builds the release.
///
/// # Errors
/// Where a part cannot be built; what is missing for another architecture is an error, too: half a release is none.
pub(crate) fn run_all() -> Result<()> {
    let workspace = Workspace::find()?;
    let release = workspace.dist().join("release");
    if release.exists() {
        fs::remove_dir_all(&release).with_context(|| format!("cannot empty {}", release.display()))?;
    }
    fs::create_dir_all(&release).with_context(|| format!("cannot create {}", release.display()))?;

    let mut steps = Steps::new(4 + ARCHITECTURES.len());
    let page = steps.step("page and demo", || page_and_demo(&workspace, &release))?;
    // The first is this machine's own, and its programs print the texts.
    let mut texts = None;
    for architecture in ordered(env::consts::ARCH)? {
        steps.step(&format!("programs and packages for {}", architecture.rust), || {
            let programs = programs_for(&workspace, architecture, &page)?;
            let texts = match &texts {
                Some(texts) => texts,
                None => texts.insert(texts::of(&programs)?),
            };
            let html = programs.collector_html.as_ref().map(|file| ("ebusy-collector-html", file));
            let plain = [("ebusy-collector", &programs.collector), ("ebusy", &programs.ebusy)];
            for (name, file) in plain.into_iter().chain(html) {
                copy(file, &release.join(format!("{name}-{VERSION}-{}", architecture.rust)))?;
            }
            let payload = Payload::gather(&workspace, &programs, texts)?;
            write(&release.join(deb::file_name(architecture)), &deb::build(&payload, architecture)?)?;
            write(&release.join(rpm::file_name(architecture)), &rpm::build(&payload, architecture)?)
        })?;
    }
    steps.step("manual pages and completions", || match &texts {
        Some(texts) => {
            texts.iter().try_for_each(|text| write(&release.join(text.name), text.content.as_bytes()))
        }
        None => bail!("no programs were built"),
    })?;
    steps.step("bills of materials", || {
        supply::sbom::write_all()?.iter().try_for_each(|bill| match bill.file_name() {
            Some(name) => copy(bill, &release.join(name)),
            None => bail!("{} has no name", bill.display()),
        })
    })?;
    let listed = steps.step("checksums", || checksums::write(&release))?;
    println!("{}: {listed} files, see SHA256SUMS", release.display());
    Ok(())
}

fn page_and_demo(workspace: &Workspace, release: &Path) -> Result<page::Page> {
    let page = page::build(workspace)?;
    copy(&page.file, &release.join("ebusy.html"))?;
    copy(&demo::write(workspace)?, &release.join("ebusy-demo.tar.gz"))?;
    Ok(page)
}

/// The architectures with this machine's first.
fn ordered(own: &str) -> Result<Vec<Architecture>> {
    let (mut first, others): (Vec<_>, Vec<_>) = ARCHITECTURES.into_iter().partition(|a| a.rust == own);
    if first.is_empty() {
        bail!("a release is built on x86_64 or aarch64; this is {own}");
    }
    first.extend(others);
    Ok(first)
}

/// Builds the programs and starts them once: those of another architecture under qemu-user, where it is there.
fn programs_for(workspace: &Workspace, architecture: Architecture, page: &page::Page) -> Result<Programs> {
    if architecture.rust == env::consts::ARCH {
        let programs = programs::build(workspace, WithPage::Both(page))?;
        for program in all(&programs) {
            started(&mut Command::new(program))?;
        }
        return Ok(programs);
    }
    let programs = programs::build_foreign(
        workspace,
        &format!("{}-unknown-linux-musl", architecture.rust),
        WithPage::Both(page),
    )?;
    match emulator(architecture) {
        Some(emulator) => {
            for program in all(&programs) {
                started(Command::new(&emulator).arg(program))?;
            }
        }
        None => eprintln!(
            "      not tried: no qemu-{}-static here (Debian's package qemu-user-static)",
            architecture.rust
        ),
    }
    Ok(programs)
}

fn all(programs: &Programs) -> impl Iterator<Item = &PathBuf> {
    [&programs.collector, &programs.ebusy].into_iter().chain(&programs.collector_html)
}

fn emulator(architecture: Architecture) -> Option<PathBuf> {
    ["-static", ""].iter().find_map(|suffix| which(&format!("qemu-{}{suffix}", architecture.rust)))
}

/// Checks that a program runs and says its version.
fn started(program: &mut Command) -> Result<()> {
    let said = output_of(program.arg("--version"))?;
    if !said.contains(VERSION) {
        bail!("a program of version {VERSION} says that it is `{said}`");
    }
    eprintln!("      {}", said.lines().next().unwrap_or_default());
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))?;
    Ok(())
}

fn write(file: &Path, content: &[u8]) -> Result<()> {
    if let Some(parent) = file.parent() {
        fs::create_dir_all(parent).with_context(|| format!("cannot create {}", parent.display()))?;
    }
    fs::write(file, content).with_context(|| format!("cannot write {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machines_architecture_comes_first() {
        assert_eq!(ordered("aarch64").unwrap()[0].debian, "arm64");
        assert_eq!(ordered("x86_64").unwrap().len(), 2);
        assert!(ordered("s390x").is_err());
    }
}
