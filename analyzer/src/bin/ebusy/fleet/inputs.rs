//! Which bundles are meant: files as they are named, directories by what is in them.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use crate::Failure;

/// Endings of archives. In a directory other files are taken for notes and checksums.
const ARCHIVES: [&str; 11] =
    [".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tbz", ".tbz2", ".tar.zst", ".tzst", ".zip"];

/// Directories in directories: a host's, a date's. Deeper ones hold something else.
const DEEPEST: usize = 8;

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Inputs {
    /// Archives and unpacked bundles, in the order of the call, each directory's by name.
    pub(crate) bundles: Vec<OsString>,
    /// How many files of directories are no archives by their names.
    pub(crate) left_out: usize,
}

/// Finds the bundles that a call names.
///
/// # Errors
/// Where a named directory cannot be read, or nothing in it is an archive.
pub(crate) fn find(names: &[OsString]) -> Result<Inputs, Failure> {
    let mut inputs = Inputs::default();
    for name in names {
        let path = Path::new(name);
        if !path.is_dir() {
            inputs.bundles.push(name.clone());
            continue;
        }
        let before = inputs.bundles.len();
        walk(path, 0, &mut inputs).map_err(|error| {
            Failure::Input(format!(
                "cannot read the directory {}: {error}. Give a directory that you may read, or the files.",
                path.display()
            ))
        })?;
        if inputs.bundles.len() == before {
            let endings = ARCHIVES.join(", ");
            return Err(Failure::Input(format!(
                "there is no bundle in {}: no file ends in one of {endings}, and no directory has a proc in it.",
                path.display()
            )));
        }
    }
    Ok(inputs)
}

fn walk(dir: &Path, depth: usize, inputs: &mut Inputs) -> std::io::Result<()> {
    // An unpacked bundle is one host, not a directory of many.
    if dir.join("proc").is_dir() {
        inputs.bundles.push(dir.into());
        return Ok(());
    }
    let mut entries: Vec<_> = fs::read_dir(dir)?.collect::<Result<_, _>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let kind = entry.file_type()?;
        if kind.is_dir() && depth < DEEPEST {
            // One that may not be read leaves its bundles out; the top one is the caller's own.
            let _ = walk(&entry.path(), depth + 1, inputs);
        } else if kind.is_file() || kind.is_symlink() {
            let name = entry.file_name().to_string_lossy().to_lowercase();
            if ARCHIVES.iter().any(|ending| name.ends_with(ending)) {
                inputs.bundles.push(entry.path().into());
            } else {
                inputs.left_out += 1;
            }
        }
    }
    Ok(())
}
