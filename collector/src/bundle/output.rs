//! Where the bundle goes: standard output, or a file that appears under its name only when it is whole.

use std::ffi::{CStr, CString};
use std::fs::File;
use std::io::{self, IsTerminal, Seek as _, Write};
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

/// A file without a name, which is gone with the process however that ends; or, where the file system has no such
/// files, under a temporary name, next to where it will be.
#[derive(Debug)]
pub(crate) struct Unfinished {
    file: File,
    dir: OwnedFd,
    temporary: Option<CString>,
    name: CString,
    path: PathBuf,
    written: u64,
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
        let (file, temporary) = match create_nameless(&dir) {
            Ok(file) => (file, None),
            // Older kernels and some file systems have none, each with an error of its own.
            Err(_) => create_beside(&dir, name.as_bytes())
                .map(|(file, temporary)| (file, Some(temporary)))
                .map_err(failed)?,
        };
        let unfinished =
            Unfinished { file, dir, temporary, name: name_c, path: path.to_path_buf(), written: 0 };
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

/// A file that has no name until it is given one (`O_TMPFILE`, Linux 3.11).
fn create_nameless(dir: &OwnedFd) -> io::Result<File> {
    // Readable, in case that it has to be copied: see `Unfinished::name_it`.
    sys::open_at(Some(dir.as_fd()), c".", libc::O_RDWR | libc::O_TMPFILE, 0o600).map(File::from)
}

/// Creates `.NAME.partial-PID-N` under the first N that is free. A signal from now on removes it.
fn create_beside(dir: &OwnedFd, name: &[u8]) -> io::Result<(File, CString)> {
    let flags = libc::O_WRONLY | libc::O_CREAT | libc::O_EXCL | libc::O_NOFOLLOW;
    beside(dir, name, |temporary| sys::open_at(Some(dir.as_fd()), temporary, flags, 0o600).map(File::from))
}

/// Tries `make` with the names `.NAME.partial-PID-N` until one is free, so that neither a prepared link is followed nor
/// what a killed run has left is in the way: in a container each run may have the same process id.
fn beside<T>(dir: &OwnedFd, name: &[u8], make: impl Fn(&CStr) -> io::Result<T>) -> io::Result<(T, CString)> {
    const TRIES: usize = 1000;
    // File names have at most 255 bytes.
    let start = &name[..name.len().min(200)];
    let mut failure = io::Error::from(io::ErrorKind::AlreadyExists);
    for number in 0..TRIES {
        let end = format!(".partial-{}-{number}", std::process::id());
        let temporary = sys::c_path(&[b".", start, end.as_bytes()].concat())?;
        let made = sys::undisturbed(|| {
            make(&temporary).inspect(|_| sys::remember_unfinished(dir.as_fd(), &temporary))
        });
        match made {
            Ok(made) => return Ok((made, temporary)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => failure = error,
            Err(error) => return Err(error),
        }
    }
    Err(failure)
}

impl Unfinished {
    fn commit(mut self) -> io::Result<Finished> {
        self.file.sync_all()?;
        if self.temporary.is_none() {
            self.name_it()?;
        }
        if let Some(temporary) = &self.temporary {
            sys::rename_in(self.dir.as_fd(), temporary, &self.name)?;
        }
        self.temporary = None;
        sys::forget_unfinished();
        // The name itself must survive a crash too; a file system that cannot sync a directory loses only that.
        File::from(self.dir.try_clone()?).sync_all().ok();
        Ok(Finished { path: self.path.clone(), size: self.written })
    }

    /// Gives the file without a name its name, or a temporary one where the name is in use: only a rename replaces.
    fn name_it(&mut self) -> io::Result<()> {
        match sys::link_open_file(&self.file, self.dir.as_fd(), &self.name) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let link = |name: &CStr| sys::link_open_file(&self.file, self.dir.as_fd(), name);
                self.temporary = Some(beside(&self.dir, self.name.as_bytes(), link)?.1);
                Ok(())
            }
            // A file system or a policy that lets no open file be linked.
            Err(_) => self.copy_beside(),
        }
    }

    fn copy_beside(&mut self) -> io::Result<()> {
        let (mut copy, temporary) = create_beside(&self.dir, self.name.as_bytes())?;
        // From now on it is removed with us.
        self.temporary = Some(temporary);
        sys::chmod_fd(&copy, 0o600)?;
        self.file.rewind()?;
        io::copy(&mut self.file, &mut copy)?;
        copy.sync_all()
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            sys::unlink_in(self.dir.as_fd(), temporary).ok();
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
