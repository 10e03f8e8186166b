//! A kernel for tests in an emulator: device-mapper, AppArmor and SELinux are not in every machine's own. It is Debian's,
//! unpacked below `target/`; nothing is installed.

use crate::workspace::{Workspace, output_of, run, which};
use anyhow::{Context as _, Result};
use std::env::consts::ARCH;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Depends on the newest kernel without drivers for real hardware, which boots in seconds.
const META_PACKAGE: &str = "linux-image-cloud-amd64";

/// A directory with `boot/vmlinuz-*` and `lib/modules/`; `None` where it cannot be had, which the tests then say.
pub(crate) fn provide(workspace: &Workspace) -> Option<PathBuf> {
    let folder = workspace.target.join("guest-kernel");
    if folder.join("boot").is_dir() {
        return Some(folder);
    }
    if ARCH != "x86_64" || which("apt-get").is_none() || which("dpkg-deb").is_none() {
        eprintln!("      not Debian on x86_64: no kernel for an emulator");
        return None;
    }
    // An old list of packages may name a version that the mirror no longer has.
    let update = |_| {
        run(Command::new("apt-get").args(["update", "--quiet"]))?;
        fetch(&folder)
    };
    match fetch(&folder).or_else(update) {
        Ok(()) => Some(folder),
        Err(error) => {
            eprintln!("      {error:#}: no kernel for an emulator");
            None
        }
    }
}

fn fetch(folder: &Path) -> Result<()> {
    let depends = output_of(Command::new("apt-cache").args(["depends", META_PACKAGE]))?;
    let package = kernel_in(&depends).with_context(|| format!("{META_PACKAGE} is not among the packages"))?;
    // Whole under its name, or not there.
    let parts = folder.with_extension("part");
    if parts.exists() {
        fs::remove_dir_all(&parts).with_context(|| format!("cannot empty {}", parts.display()))?;
    }
    fs::create_dir_all(&parts).with_context(|| format!("cannot create {}", parts.display()))?;
    run(Command::new("apt-get").args(["download", "--quiet", package]).current_dir(&parts))?;
    let archive = fs::read_dir(&parts)?.next().context("apt-get downloaded nothing")??.path();
    run(Command::new("dpkg-deb").arg("--extract").arg(&archive).arg(&parts))?;
    fs::remove_file(&archive)?;
    fs::rename(&parts, folder).with_context(|| format!("cannot write {}", folder.display()))
}

/// The kernel's package in what `apt-cache depends` prints.
fn kernel_in(depends: &str) -> Option<&str> {
    depends
        .lines()
        .find_map(|line| line.trim().strip_prefix("Depends: "))
        .filter(|p| p.starts_with("linux-image-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_is_what_the_empty_package_depends_on() {
        let printed = "linux-image-cloud-amd64\n  Depends: linux-image-6.1.0-50-cloud-amd64\n";
        assert_eq!(kernel_in(printed), Some("linux-image-6.1.0-50-cloud-amd64"));
        assert_eq!(kernel_in("linux-image-cloud-amd64\n"), None);
    }
}
