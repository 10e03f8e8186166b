//! Where things lie, and how commands are run there.

use anyhow::{Context as _, Result, bail};
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The repository's folders.
#[derive(Debug, Clone)]
pub(crate) struct Workspace {
    /// The repository.
    pub(crate) root: PathBuf,
    /// Cargo's target directory.
    pub(crate) target: PathBuf,
    /// What [`Workspace::commit`] says, where git is not to be asked.
    pub(crate) stamp: Option<String>,
}

impl Workspace {
    /// Finds the repository by the place of this crate.
    pub(crate) fn find() -> Result<Self> {
        let here = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&here).parent().context("xtask/ has no parent directory")?.to_path_buf();
        let target =
            env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir));
        Ok(Self { root, target, stamp: None })
    }

    /// What users get: the page, the demo and the bundle of this host.
    pub(crate) fn dist(&self) -> PathBuf {
        self.root.join("dist")
    }

    /// A cargo call in the repository, with the cargo that runs this task.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
        command.current_dir(&self.root).env("CARGO_TARGET_DIR", &self.target);
        command
    }

    /// The commit that is checked out, short; with `+` where files differ from it. `None` outside a git checkout.
    pub(crate) fn commit(&self) -> Option<String> {
        if self.stamp.is_some() {
            return self.stamp.clone();
        }
        let git = |words: &[&str]| output_of(Command::new("git").arg("-C").arg(&self.root).args(words)).ok();
        let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
        let changed = git(&["status", "--porcelain", "--untracked-files=no"])?;
        Some(if changed.is_empty() { commit } else { commit + "+" })
    }

    /// `RUSTFLAGS` that keep this machine's directories out of panic messages, so that the same source gives
    /// the same bytes wherever it is built.
    pub(crate) fn path_free_rustflags(&self) -> String {
        let cargo_home = env::var_os("CARGO_HOME").map(PathBuf::from);
        let home = env::var_os("HOME").map(|home| Path::new(&home).join(".cargo"));
        let mut flags = format!("--remap-path-prefix={}=.", self.root.display());
        if let Some(cargo_home) = cargo_home.or(home) {
            flags += &format!(" --remap-path-prefix={}=cargo", cargo_home.display());
        }
        flags
    }
}

/// Runs a command with its output on the terminal.
///
/// # Errors
/// Where it cannot be started or does not succeed; the message holds the command line.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let line = command_line(command);
    let status = command.status().with_context(|| format!("cannot start `{line}`"))?;
    if !status.success() {
        bail!("`{line}` failed ({status})");
    }
    Ok(())
}

/// The standard output of a command that succeeded.
pub(crate) fn output_of(command: &mut Command) -> Result<String> {
    let line = command_line(command);
    let output = command.output().with_context(|| format!("cannot start `{line}`"))?;
    if !output.status.success() {
        bail!("`{line}` failed ({}): {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The command as a reader would type it, without environment and directory.
fn command_line(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The full path of a program in `PATH`.
pub(crate) fn which(program: &str) -> Option<PathBuf> {
    // System tools as losetup are not in an ordinary user's PATH on Debian, but root's tests find them.
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|dir| dir.join(program))
        .find(|candidate| candidate.is_file())
}
