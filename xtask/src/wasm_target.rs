//! The one place that knows how this machine compiles to WebAssembly.

use crate::rustc;
use crate::workspace::{Workspace, run, which};
use anyhow::{Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The target of the page.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// Debian's second compiler, which is made for building browsers, with its own standard library's source.
const DEBIAN_PACKAGES: [&str; 3] = ["rustc-web", "rust-web-src", "lld-19"];
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_LINKER: &str = "/usr/bin/wasm-ld-19";

/// A way to compile to WebAssembly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WasmTarget {
    /// The standard library for it is installed: an ordinary cargo build.
    Installed,
    /// Debian's packages: cargo builds the standard library, too.
    Debian,
}

impl WasmTarget {
    /// Looks for the target, then asks rustup for it, then takes Debian's packages, which it installs when run as
    /// root.
    ///
    /// # Errors
    /// Where none of these works; the message names the commands to type.
    pub(crate) fn get() -> Result<Self> {
        if rustc::add_target(TARGET) {
            return Ok(Self::Installed);
        }
        if !debian_is_complete() {
            install_debian_packages()?;
        }
        eprintln!("      building with Debian's rustc-web and its standard library");
        Ok(Self::Debian)
    }

    /// Builds a package's library in release and returns the module's file.
    pub(crate) fn build(self, workspace: &Workspace, package: &str) -> Result<PathBuf> {
        let mut cargo = workspace.cargo();
        // Only a cdylib: where the same call makes an rlib, too, cargo leaves out link-time optimisation, and the
        // module is twice as large.
        cargo.args(["rustc", "--release", "--lib", "--package", package, "--crate-type", "cdylib"]);
        cargo.args(["--target", TARGET]);
        // Natively these are built for speed; here their code has to be downloaded.
        for package in ["ebusy-analyzer", "tar"] {
            cargo.args(["--config", &format!("profile.release.package.{package}.opt-level='z'")]);
        }
        cargo.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", workspace.path_free_rustflags());
        // wasm-bindgen reads the section target_features, which full stripping removes; it drops the names itself.
        cargo.env("CARGO_PROFILE_RELEASE_STRIP", "debuginfo");
        let target_dir = match self {
            Self::Installed => workspace.target.clone(),
            Self::Debian => {
                // A directory of its own: another compiler's output would be thrown away by each call of the first.
                let target_dir = workspace.target.join("rustc-web");
                cargo
                    .args(["-Z", "build-std=std,panic_abort"])
                    .env("CARGO_TARGET_DIR", &target_dir)
                    .env("RUSTC", DEBIAN_RUSTC)
                    // -Z build-std on a compiler that calls itself stable.
                    .env("RUSTC_BOOTSTRAP", "1")
                    .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", DEBIAN_LINKER);
                target_dir
            }
        };
        run(&mut cargo)?;
        Ok(target_dir.join(TARGET).join("release").join(format!("{}.wasm", package.replace('-', "_"))))
    }
}

fn debian_is_complete() -> bool {
    [DEBIAN_RUSTC, DEBIAN_LINKER, "/usr/lib/rustlib/src/rust/library/std/Cargo.toml"]
        .iter()
        .all(|file| Path::new(file).exists())
}

fn install_debian_packages() -> Result<()> {
    let by_hand = format!(
        "The page needs Rust's {TARGET} target. Either `rustup target add {TARGET}`, \
         or on Debian as root `apt-get install -y {}`; then run this task again",
        DEBIAN_PACKAGES.join(" ")
    );
    if which("apt-get").is_none() {
        bail!("{by_hand}");
    }
    eprintln!("      installing {}", DEBIAN_PACKAGES.join(" "));
    let installed = run(Command::new("apt-get").arg("update")).and_then(|()| {
        run(Command::new("apt-get")
            .args(["install", "--yes", "--no-install-recommends"])
            .args(DEBIAN_PACKAGES)
            .env("DEBIAN_FRONTEND", "noninteractive"))
    });
    if let Err(error) = installed {
        bail!("{error:#}. {by_hand}");
    }
    if !debian_is_complete() {
        bail!(
            "the packages {} are installed but not where this task looks. {by_hand}",
            DEBIAN_PACKAGES.join(" ")
        );
    }
    Ok(())
}
