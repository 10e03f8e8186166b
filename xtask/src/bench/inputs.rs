//! The files that reading is measured on. They are made once and kept in `target/bench`.

use super::host::Host;
use crate::workspace::{Workspace, run, which};
use anyhow::{Context as _, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// To be raised whenever [`Host`] writes something else.
const VERSION: u32 = 1;

/// What a host is stored as.
pub(super) struct Inputs {
    /// A plain tar of `/proc`, gzip'd.
    pub(super) naive: PathBuf,
    /// As the collector stores it.
    pub(super) collected: PathBuf,
    /// Size of the plain tar.
    pub(super) bytes: u64,
}

impl Inputs {
    /// Makes what is not there yet.
    pub(super) fn of(workspace: &Workspace, host: Host) -> Result<Self> {
        let dir = workspace.target.join("bench");
        fs::create_dir_all(&dir).with_context(|| format!("cannot create {}", dir.display()))?;
        let stem = format!("{}-v{VERSION}", host.name.to_lowercase().replace(' ', ""));
        let naive = dir.join(format!("{stem}.tar.gz"));
        let collected = dir.join(format!("{stem}-collected.tar.gz"));
        let size = dir.join(format!("{stem}.size"));
        once(&naive, |file| host.write_naive(file))?;
        once(&collected, |file| host.write_collected(file))?;
        once(&size, |file| {
            let mut tar = flate2::read::GzDecoder::new(fs::File::open(&naive)?);
            let bytes = std::io::copy(&mut tar, &mut std::io::sink())?;
            Ok(fs::write(file, bytes.to_string())?)
        })?;
        let bytes = fs::read_to_string(&size)?.trim().parse().context("a size is no number")?;
        Ok(Self { naive, collected, bytes })
    }

    /// The plain tar as `tar cJf` packs it.
    pub(super) fn xz(&self) -> Result<PathBuf> {
        let file = self.naive.with_extension("").with_extension("tar.xz");
        once(&file, |file| {
            let script = "gzip -dc \"$0\" | xz -6 -T1 > \"$1\"";
            run(Command::new("/bin/sh").args(["-c", script]).args([&self.naive, file]))
        })?;
        Ok(file)
    }
}

/// Makes a file under another name first, so that one that is there is whole.
fn once(file: &Path, make: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    if file.exists() {
        return Ok(());
    }
    eprintln!("      making {}", file.display());
    let part = file.with_extension("part");
    make(&part)?;
    fs::rename(&part, file).with_context(|| format!("cannot write {}", file.display()))
}

/// The line that somebody would type: `flag` tells tar the compression.
pub(super) fn grep(flag: char, file: &Path) -> Command {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", &format!("tar x{flag}Of \"$0\" | grep -c {}", Host::busy_id())]).arg(file);
    command
}

/// Fails where something is missing that the line needs.
pub(super) fn check_tools() -> Result<()> {
    match ["tar", "gzip", "xz", "grep"].into_iter().find(|tool| which(tool).is_none()) {
        Some(missing) => bail!("there is no `{missing}` here, which the comparison is with"),
        None => Ok(()),
    }
}
