//! An unpacked bundle, a live `/proc` tree's copy, or loose files: read as if they were packed.

use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use ebusy_analyzer::archive::{self, Content, End, Entry, Limits, Want};
use ebusy_analyzer::snapshot::{Builder, Hosts};
use ebusy_analyzer::{Analysis, OpenError};

use crate::Failure;

/// Deeper trees are no capture of a host.
const DEEPEST: usize = 32;

/// Reads the files below a directory, in the order of their names. Symbolic links are read, not followed.
pub(crate) fn open(top: &Path, limits: &Limits) -> Result<Result<Analysis, OpenError>, Failure> {
    let mut hosts = Hosts::within(limits);
    walk(top, &mut PathBuf::new(), limits, &mut hosts).map_err(|error| {
        let what = format!("cannot read the directory {}: {error}", top.display());
        Failure::Input(format!("{what}. Give a directory that you may read, or the archive itself."))
    })?;
    Ok(Analysis::of(hosts, &End::Complete))
}

fn walk(top: &Path, below: &mut PathBuf, limits: &Limits, hosts: &mut Hosts) -> std::io::Result<()> {
    let mut entries: Vec<_> = fs::read_dir(top.join(&*below))?.collect::<Result<_, _>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        below.push(entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_dir() && below.components().count() < DEEPEST {
            // A directory that may not be read leaves its files out; the top one is the caller's own.
            let _ = walk(top, below, limits, hosts);
        } else if kind.is_symlink() {
            let target = fs::read_link(entry.path())?;
            add(hosts, below, Content::Symlink(target.as_os_str().as_bytes()));
        } else if kind.is_file() {
            add_file(hosts, below, limits, &entry.path());
        }
        below.pop();
    }
    Ok(())
}

fn add_file(hosts: &mut Hosts, below: &Path, limits: &Limits, file: &Path) {
    let path = below.as_os_str().as_bytes();
    match File::open(file) {
        Ok(mut input) => {
            archive::read_file(path, &mut input, limits, &Builder::wants, &mut |entry| hosts.add(entry));
        }
        Err(error) if Builder::wants(path) == Want::Bytes => {
            add(hosts, below, Content::Broken(&error.to_string()));
        }
        Err(_) => {}
    }
}

fn add(hosts: &mut Hosts, path: &Path, content: Content<'_>) {
    hosts.add(Entry { archive: b"", path: path.as_os_str().as_bytes(), content });
}
