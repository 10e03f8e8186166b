//! What the Rust compiler at hand can build for.

use crate::workspace::{output_of, run, which};
use anyhow::{Context as _, Result};
use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

/// The compiler that cargo would use.
fn rustc() -> Command {
    Command::new(env::var_os("RUSTC").unwrap_or_else(|| OsString::from("rustc")))
}

/// The target that the compiler itself runs on, as in `x86_64-unknown-linux-gnu`.
pub(crate) fn host() -> Result<String> {
    let version = output_of(rustc().arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("`rustc -vV` names no host")?.to_owned())
}

/// Whether the standard library for `target` is installed.
pub(crate) fn has_target(target: &str) -> bool {
    // rustc prints the directory for targets that are not installed, too.
    output_of(rustc().args(["--print", "target-libdir", "--target", target]))
        .is_ok_and(|dir| has_std(Path::new(&dir)))
}

fn has_std(dir: &Path) -> bool {
    dir.read_dir().is_ok_and(|mut entries| {
        entries.any(|entry| {
            entry.is_ok_and(|entry| entry.file_name().as_encoded_bytes().starts_with(b"libstd-"))
        })
    })
}

/// Gets the standard library for `target` by rustup, unless it is there. False where that does not work, which is
/// no error: no rustup, no network, or a mirror without that target.
pub(crate) fn add_target(target: &str) -> bool {
    if has_target(target) {
        return true;
    }
    if which("rustup").is_none() {
        eprintln!("      no rustup here to get the target {target} with");
        return false;
    }
    eprintln!("      getting the target {target} (rustup target add)");
    if let Err(error) = run(Command::new("rustup").args(["target", "add", target])) {
        eprintln!("      {error:#}");
    }
    has_target(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_its_own_target_and_not_an_invented_one() {
        assert!(has_target(&host().unwrap()));
        assert!(!has_target("x86_64-unknown-nowhere"));
    }
}
