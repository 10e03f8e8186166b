//! Builds the two native programs: the collector and the `ebusy` command, both static.

use crate::page::Page;
use crate::rustc;
use crate::workspace::{Workspace, run};
use anyhow::{Result, bail};
use std::env;
use std::path::PathBuf;

/// What the command has that the library and the page do without.
pub(crate) const FEATURES: &str = "ebusy-analyzer/parquet";

/// Where the programs were built.
#[derive(Debug)]
pub(crate) struct Programs {
    /// `ebusy-collector`.
    pub(crate) collector: PathBuf,
    /// `ebusy`.
    pub(crate) ebusy: PathBuf,
}

/// Builds both in release, in one cargo call, so that what they share is compiled once. `page` is built into the
/// command, which can write it with a report inside.
///
/// # Errors
/// On other systems than Linux, where the collector has no `/proc` to read, or where the build fails.
pub(crate) fn build(workspace: &Workspace, page: Option<&Page>) -> Result<Programs> {
    let host = rustc::host()?;
    if !host.contains("-linux-") {
        bail!("the collector reads Linux's /proc and is built on Linux; this is {host}");
    }
    let (target, rustflags) = static_target(&host, rustc::add_target);
    build_for(workspace, &target, rustflags, page)
}

/// Builds both for another architecture.
///
/// # Errors
/// Where the target's standard library cannot be had, or the build fails.
pub(crate) fn build_foreign(workspace: &Workspace, target: &str, page: Option<&Page>) -> Result<Programs> {
    if !rustc::add_target(target) {
        bail!("the standard library for {target} cannot be had here");
    }
    build_for(workspace, target, "", page)
}

fn build_for(workspace: &Workspace, target: &str, rustflags: &str, page: Option<&Page>) -> Result<Programs> {
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--release", "--target", target]);
    cargo.args(["--package", "collector", "--package", "ebusy-analyzer"]);
    cargo.args(["--bin", "ebusy-collector", "--bin", "ebusy"]);
    cargo.args(["--features", FEATURES]);
    if let Some(page) = page {
        cargo.args(["--features", "ebusy-analyzer/html"]).env("EBUSY_PAGE_GZ", &page.packed);
    }
    let name = format!("CARGO_TARGET_{}", target.to_uppercase().replace('-', "_"));
    // Said again here: cargo forgets the profile's `strip = true` for a package with an opt-level of its own.
    cargo.env(
        format!("{name}_RUSTFLAGS"),
        format!("{} -C strip=symbols{rustflags}", workspace.path_free_rustflags()),
    );
    if !target.starts_with(env::consts::ARCH) {
        // Rust's own linker: it links musl for every architecture without a cross compiler.
        cargo.env(format!("{name}_LINKER"), "rust-lld");
    }
    if let Some(commit) = workspace.commit() {
        cargo.env("EBUSY_COMMIT", commit);
    }
    run(&mut cargo)?;
    let release = workspace.target.join(target).join("release");
    Ok(Programs { collector: release.join("ebusy-collector"), ebusy: release.join("ebusy") })
}

/// The target to build for and the flags that make it static: musl where it can be had, else glibc linked
/// statically. The target is always named, because flags without one would reach proc macros, too.
fn static_target(host: &str, add_target: impl Fn(&str) -> bool) -> (String, &'static str) {
    let musl = host.replace("-linux-gnu", "-linux-musl");
    if add_target(&musl) { (musl, "") } else { (host.to_owned(), " -C target-feature=+crt-static") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn static_with_and_without_musl() {
        let host = "x86_64-unknown-linux-gnu";
        assert_eq!(static_target(host, |_| true), ("x86_64-unknown-linux-musl".into(), ""));
        assert_eq!(static_target(host, |_| false), (host.into(), " -C target-feature=+crt-static"));
        assert_eq!(static_target("aarch64-unknown-linux-musl", |_| true).0, "aarch64-unknown-linux-musl");
    }
}
