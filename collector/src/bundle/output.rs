//! Where the bundle goes: standard output, or a file that appears under its name only when it is whole.

use std::ffi::CString;
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::html::Inside;
use crate::sys;

/// The bundle's destination. Dropped without [`Output::commit`], nothing remains of a file.
#[derive(Debug)]
pub(crate) enum Output {
    Stdout(io::Stdout),
    /// Only counts.
    Nowhere(u64),
    File(Unfinished),
    /// Inside of a page.
    Page(Box<Inside>),
}

/// A file under a temporary name, next to where it will be.
#[derive(Debug)]
pub(crate) struct Unfinished {
    file: File,
    dir: OwnedFd,
    temporary: CString,
    name: CString,
    path: PathBuf,
    written: u64,
    committed: bool,
}

/// A file that is now whole.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) path: PathBuf,
    /// Bytes.
    pub(crate) size: u64,
}

impl Output {
    /// # Errors
    /// When standard output is a terminal: a screen full of gzip helps nobody.
    pub(crate) fn stdout() -> Result<Self, String> {
        let out = io::stdout();
        if out.is_terminal() {
            return Err("standard output is a terminal; redirect it into a file or a pipe".into());
        }
        Ok(Self::Stdout(out))
    }

    /// # Errors
    /// A sentence for the user: no such directory, not writable, or something other than a file is at `path`.
    pub(crate) fn file(path: &Path) -> Result<Self, String> {
        let shown = path.display();
        let name = path.file_name().ok_or_else(|| format!("{shown} names no file"))?;
        let parent = match path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        let failed =
            |error: io::Error| format!("cannot write {shown}: {error}; choose another place with -o");
        let parent = sys::c_path(parent.as_os_str().as_bytes()).map_err(failed)?;
        let dir = sys::open_at(None, &parent, libc::O_RDONLY | libc::O_DIRECTORY, 0).map_err(failed)?;
        let name_c = sys::c_path(name.as_bytes()).map_err(failed)?;
        // A rename would replace whatever is there: never a device, a directory or somebody's link.
        if let Some(stat) = sys::lstat_at(dir.as_fd(), &name_c).map_err(failed)?
            && stat.st_mode & libc::S_IFMT != libc::S_IFREG
        {
            return Err(format!("{shown} exists and is not a plain file; choose another name with -o"));
        }
        let created = sys::undisturbed(|| {
            create_beside(&dir, name.as_bytes())
                .inspect(|(_, temporary)| sys::remember_unfinished(dir.as_fd(), temporary))
        });
        let (file, temporary) = created.map_err(failed)?;
        let unfinished = Unfinished {
            file,
            dir,
            temporary,
            name: name_c,
            path: path.to_path_buf(),
            written: 0,
            committed: false,
        };
        sys::chmod_fd(&unfinished.file, 0o600).map_err(failed)?;
        Ok(Self::File(unfinished))
    }

    /// Makes the file appear under its name. `None`: it went to standard output.
    pub(crate) fn commit(self) -> io::Result<Option<Finished>> {
        match self {
            Self::Stdout(mut out) => out.flush().map(|()| None),
            Self::Nowhere(size) => Ok(Some(Finished { path: PathBuf::new(), size })),
            Self::File(unfinished) => unfinished.commit().map(Some),
            Self::Page(inside) => inside.finish()?.commit(),
        }
    }
}

/// Creates `.NAME.partial-PID-N` under the first N that is free, so that neither a prepared link is followed nor what a
/// killed run has left is in the way: in a container each run may have the same process id.
fn create_beside(dir: &OwnedFd, name: &[u8]) -> io::Result<(File, CString)> {
    const TRIES: usize = 1000;
    let flags = libc::O_WRONLY | libc::O_CREAT | libc::O_EXCL | libc::O_NOFOLLOW;
    // File names have at most 255 bytes.
    let start = &name[..name.len().min(200)];
    let mut failure = io::Error::from(io::ErrorKind::AlreadyExists);
    for number in 0..TRIES {
        let end = format!(".partial-{}-{number}", std::process::id());
        let temporary = sys::c_path(&[b".", start, end.as_bytes()].concat())?;
        match sys::open_at(Some(dir.as_fd()), &temporary, flags, 0o600) {
            Ok(fd) => return Ok((File::from(fd), temporary)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => failure = error,
            Err(error) => return Err(error),
        }
    }
    Err(failure)
}

impl Unfinished {
    fn commit(mut self) -> io::Result<Finished> {
        self.file.sync_all()?;
        sys::rename_in(self.dir.as_fd(), &self.temporary, &self.name)?;
        self.committed = true;
        sys::forget_unfinished();
        // The name itself must survive a crash too; a file system that cannot sync a directory loses only that.
        File::from(self.dir.try_clone()?).sync_all().ok();
        Ok(Finished { path: self.path.clone(), size: self.written })
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.committed {
            sys::unlink_in(self.dir.as_fd(), &self.temporary).ok();
            sys::forget_unfinished();
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(out) => out.write(bytes),
            Self::Nowhere(size) => {
                *size += bytes.len() as u64;
                Ok(bytes.len())
            }
            Self::File(unfinished) => {
                let length = unfinished.file.write(bytes)?;
                unfinished.written += length as u64;
                Ok(length)
            }
            Self::Page(inside) => inside.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(out) => out.flush(),
            Self::Nowhere(_) => Ok(()),
            Self::File(unfinished) => unfinished.file.flush(),
            Self::Page(inside) => inside.flush(),
        }
    }
}
