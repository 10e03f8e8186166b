//! Files of the host. The only module that opens them: read-only, bounded, and never out of the given root.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::sys;

/// Most symbolic links in one path, as in the kernel (`MAXSYMLINKS`).
const MAX_LINKS: usize = 40;
/// How much is asked of the kernel at once. procfs answers at most a page (4 KiB) at a time.
const CHUNK: usize = 8 * 1024;

/// An answer shorter than this is the whole of a record. Less than a page, at which longer answers are cut.
const RECORD: usize = 4000;
/// Longest text of a symbolic link.
const LINK_MAX: usize = libc::PATH_MAX as usize;

/// What was read of a file.
#[derive(Debug, Default)]
pub(crate) struct Content {
    pub(crate) bytes: Vec<u8>,
    /// The file was longer than the limit.
    pub(crate) truncated: bool,
}

/// A place to read into, used for one file after another.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    length: usize,
    /// The file was longer than the limit.
    pub(crate) truncated: bool,
}

impl Buffer {
    /// What was read last.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    fn clear(&mut self) {
        (self.length, self.truncated) = (0, false);
    }

    /// One read more; how many bytes came.
    fn read_some(&mut self, file: &mut impl Read) -> io::Result<usize> {
        if self.bytes.len() - self.length < CHUNK {
            self.bytes.resize((self.bytes.len() * 2).max(8 * CHUNK), 0);
        }
        loop {
            match file.read(&mut self.bytes[self.length..]) {
                Ok(length) => {
                    self.length += length;
                    return Ok(length);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads to the end, to `limit`, or until what was read is known to be all.
    fn read_rest(
        &mut self,
        file: &mut impl Read,
        limit: usize,
        is_whole: impl Fn(&[u8]) -> bool,
    ) -> io::Result<()> {
        while self.read_some(file)? > 0 {
            if self.length > limit {
                (self.length, self.truncated) = (limit, true);
                break;
            }
            if is_whole(self.bytes()) {
                break;
            }
        }
        Ok(())
    }
}

/// How paths below a directory are walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Walk {
    /// By the kernel: the running host's own `/` and `/proc`.
    Direct,
    /// Component by component, so that no symbolic link and no `..` leads out: a host mounted elsewhere, or a
    /// recorded copy. (`openat2` would do it in one call, but only since kernel 5.6.)
    Beneath,
}

/// A directory that files of the host are read from.
#[derive(Debug)]
pub(crate) struct Dir {
    fd: OwnedFd,
    walk: Walk,
}

impl Dir {
    /// The host's root directory: `/` itself, or the place where another host is mounted.
    pub(crate) fn host_root(path: &Path) -> io::Result<Self> {
        let walk = if path == Path::new("/") { Walk::Direct } else { Walk::Beneath };
        Ok(Self { fd: open_dir(None, path.as_os_str().as_bytes())?, walk })
    }

    /// A directory with one subdirectory for each process, and whether it is a live procfs.
    pub(crate) fn proc(path: &Path) -> io::Result<(Self, bool)> {
        let fd = open_dir(None, path.as_os_str().as_bytes())?;
        let live = sys::is_procfs(fd.as_fd())?;
        Ok((Self { fd, walk: if live { Walk::Direct } else { Walk::Beneath } }, live))
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// A directory below, without following a link as its last component.
    pub(crate) fn sub(&self, path: &[u8]) -> io::Result<Self> {
        let flags = libc::O_PATH | libc::O_DIRECTORY;
        Ok(Self { fd: self.open(path, flags)?, walk: self.walk })
    }

    /// Another root below this one, out of which no link leads: a container's, through `/proc/PID/root`.
    pub(crate) fn sub_root(&self, path: &[u8]) -> io::Result<Self> {
        let flags = libc::O_PATH | libc::O_DIRECTORY;
        Ok(Self { fd: self.open(path, flags)?, walk: Walk::Beneath })
    }

    /// The names in a directory, sorted.
    pub(crate) fn list(&self, path: &[u8]) -> io::Result<Vec<Vec<u8>>> {
        let mut names = Vec::new();
        sys::list_dir(self.listable(path)?.fd(), |name| names.push(name.to_vec()))?;
        names.sort();
        Ok(names)
    }

    /// The numbers among this directory's names, sorted: processes, threads, descriptors.
    pub(crate) fn numbers(&self) -> io::Result<Vec<u32>> {
        let mut numbers = Vec::new();
        sys::list_dir(self.fd(), |name| {
            numbers.extend(std::str::from_utf8(name).ok().and_then(|name| name.parse::<u32>().ok()));
        })?;
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// A directory below, or this one itself, that can be listed.
    pub(crate) fn listable(&self, path: &[u8]) -> io::Result<Self> {
        Ok(Self { fd: self.open(path, libc::O_RDONLY | libc::O_DIRECTORY)?, walk: self.walk })
    }

    /// The text of a symbolic link.
    pub(crate) fn link(&self, path: &[u8]) -> io::Result<Vec<u8>> {
        if self.walk == Walk::Direct {
            return sys::read_link_at(self.fd(), &sys::c_path(path)?);
        }
        let (parent, name) = split_last(path);
        let parent = self.open(parent, libc::O_PATH | libc::O_DIRECTORY)?;
        sys::read_link_at(parent.as_fd(), &sys::c_path(name)?)
    }

    /// The text of a symbolic link, in `buffer`.
    pub(crate) fn link_into(&self, path: &[u8], buffer: &mut Buffer) -> io::Result<()> {
        buffer.clear();
        if buffer.bytes.len() < LINK_MAX {
            buffer.bytes.resize(LINK_MAX, 0);
        }
        if self.walk == Walk::Direct {
            let read =
                |path: &std::ffi::CStr| sys::read_link_into(self.fd(), path, &mut buffer.bytes[..LINK_MAX]);
            buffer.length = sys::with_path(path, read)?;
        } else {
            let text = self.link(path)?;
            buffer.bytes[..text.len()].copy_from_slice(&text);
            buffer.length = text.len();
        }
        Ok(())
    }

    /// A small file of procfs that the kernel prints as one record (`stat`, `status`, `comm`, …): it is handed over
    /// whole, so an answer that leaves room is the end, and a second question is saved.
    pub(crate) fn read_record(&self, path: &[u8], limit: usize, buffer: &mut Buffer) -> io::Result<()> {
        buffer.clear();
        let mut file = self.open_virtual(path)?;
        let first = buffer.read_some(&mut file)?;
        if self.walk == Walk::Direct && first < RECORD {
            return Ok(());
        }
        buffer.read_rest(&mut file, limit, |_| false)
    }

    /// A file of procfs, up to `limit` bytes, into `buffer`. Where its text tells that it is whole, no more is asked for.
    pub(crate) fn read_virtual_until(
        &self,
        path: &[u8],
        limit: usize,
        is_whole: impl Fn(&[u8]) -> bool,
        buffer: &mut Buffer,
    ) -> io::Result<()> {
        buffer.clear();
        buffer.read_rest(&mut self.open_virtual(path)?, limit, is_whole)
    }

    /// A file of procfs, up to `limit` bytes, appended to `bytes`: for large ones, which are not to be copied once more.
    pub(crate) fn append_virtual(&self, path: &[u8], limit: usize, bytes: &mut Vec<u8>) -> io::Result<()> {
        self.open_virtual(path)?.take(limit as u64).read_to_end(bytes).map(drop)
    }

    /// On a recorded copy only plain files are opened.
    fn open_virtual(&self, path: &[u8]) -> io::Result<File> {
        match self.walk {
            Walk::Direct => Ok(File::from(self.open(path, libc::O_RDONLY)?)),
            Walk::Beneath => self.file(path),
        }
    }

    /// A file of procfs or sysfs, up to `limit` bytes. On a recorded copy only if it is a plain file.
    pub(crate) fn read_virtual(&self, path: &[u8], limit: usize) -> io::Result<Content> {
        read_up_to(&mut self.open_virtual(path)?, limit)
    }

    /// A plain file, up to `limit` bytes. Devices, pipes and sockets are refused with `EINVAL`.
    pub(crate) fn read(&self, path: &[u8], limit: usize) -> io::Result<Content> {
        read_up_to(&mut self.file(path)?, limit)
    }

    /// A plain file, opened for reading. Devices, pipes and sockets are refused with `EINVAL`.
    pub(crate) fn file(&self, path: &[u8]) -> io::Result<File> {
        // Without O_NONBLOCK the open of a named pipe would wait for a writer.
        let file = File::from(self.open(path, libc::O_RDONLY | libc::O_NONBLOCK)?);
        if sys::stat_fd(&file)?.st_mode & libc::S_IFMT != libc::S_IFREG {
            return Err(io::Error::from_raw_os_error(libc::EINVAL));
        }
        Ok(file)
    }

    /// A device node or a namespace file, opened for reading. The caller knows that the open itself does nothing.
    pub(crate) fn node(&self, path: &[u8]) -> io::Result<OwnedFd> {
        self.open(path, libc::O_RDONLY | libc::O_NONBLOCK)
    }

    /// Whether something is at this path.
    pub(crate) fn exists(&self, path: &[u8]) -> bool {
        self.open(path, libc::O_PATH).is_ok()
    }

    fn open(&self, path: &[u8], flags: libc::c_int) -> io::Result<OwnedFd> {
        match self.walk {
            Walk::Direct => {
                let path = if path.is_empty() { b"." } else { path };
                sys::with_path(path, |path| sys::open_at(Some(self.fd()), path, flags, 0))
            }
            Walk::Beneath => open_beneath(self.fd(), path, flags),
        }
    }
}

fn open_dir(parent: Option<BorrowedFd<'_>>, path: &[u8]) -> io::Result<OwnedFd> {
    sys::open_at(parent, &sys::c_path(path)?, libc::O_PATH | libc::O_DIRECTORY, 0)
}

/// Opens `path` as if `root` were `/`: absolute links start again at `root`, `..` stops there.
fn open_beneath(root: BorrowedFd<'_>, path: &[u8], flags: libc::c_int) -> io::Result<OwnedFd> {
    let mut stack: Vec<OwnedFd> = vec![root.try_clone_to_owned()?];
    let mut rest: Vec<Vec<u8>> = components(path);
    let mut links = 0;
    while let Some(name) = rest.pop() {
        if name == b".." {
            if stack.len() > 1 {
                stack.pop();
            }
            continue;
        }
        let here = top(&stack)?;
        let name_c = sys::c_path(&name)?;
        match sys::read_link_at(here, &name_c) {
            Ok(target) => {
                links += 1;
                if links > MAX_LINKS {
                    return Err(io::Error::from_raw_os_error(libc::ELOOP));
                }
                if target.starts_with(b"/") {
                    stack.truncate(1);
                }
                rest.extend(components(&target));
            }
            // Not a link: EINVAL. It may become one before the open, which O_NOFOLLOW then refuses.
            Err(_) if rest.is_empty() => {
                return sys::open_at(Some(here), &name_c, flags | libc::O_NOFOLLOW, 0);
            }
            Err(_) => {
                let flags = libc::O_PATH | libc::O_DIRECTORY | libc::O_NOFOLLOW;
                let next = sys::open_at(Some(here), &name_c, flags, 0)?;
                stack.push(next);
            }
        }
    }
    sys::open_at(Some(top(&stack)?), c".", flags, 0)
}

fn top(stack: &[OwnedFd]) -> io::Result<BorrowedFd<'_>> {
    stack.last().map(AsFd::as_fd).ok_or_else(|| io::Error::from_raw_os_error(libc::ENOENT))
}

/// The components of a path in reverse, ready to be popped.
fn components(path: &[u8]) -> Vec<Vec<u8>> {
    path.split(|&b| b == b'/').rev().filter(|c| !c.is_empty() && *c != b".").map(<[u8]>::to_vec).collect()
}

fn split_last(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|&b| b == b'/') {
        Some(at) => (&path[..at], &path[at + 1..]),
        None => (b"", path),
    }
}

/// Reads to the end or to `limit`. Files of procfs and sysfs have no size, so the size is not asked for.
pub(crate) fn read_up_to(file: &mut impl Read, limit: usize) -> io::Result<Content> {
    let mut content = Content::default();
    let mut buffer = [0u8; CHUNK];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(content),
            Ok(length) => {
                let room = limit - content.bytes.len();
                content.bytes.extend_from_slice(&buffer[..length.min(room)]);
                if length > room {
                    content.truncated = true;
                    return Ok(content);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn scratch(name: &str) -> std::path::PathBuf {
        let dir = std::env::temp_dir().join(format!("ebusy-host-files-{name}-{}", std::process::id()));
        std::fs::remove_dir_all(&dir).ok();
        std::fs::create_dir_all(&dir).unwrap();
        dir
    }

    #[test]
    fn links_of_a_mounted_host_stay_inside_it() {
        let outer = scratch("inside");
        let root = outer.join("host");
        std::fs::create_dir_all(root.join("etc")).unwrap();
        std::fs::create_dir_all(root.join("var/log")).unwrap();
        std::fs::write(outer.join("secret"), "outside").unwrap();
        std::fs::write(root.join("etc/real"), "inside").unwrap();
        symlink("/etc/real", root.join("var/absolute")).unwrap();
        symlink("../../secret", root.join("etc/dotdot")).unwrap();
        symlink("../../../../etc/real", root.join("var/log/deep")).unwrap();
        symlink("loop", root.join("etc/loop")).unwrap();
        let dir = Dir::host_root(&root).unwrap();
        assert_eq!(dir.read(b"var/absolute", 100).unwrap().bytes, b"inside");
        assert_eq!(dir.read(b"/var/log/deep", 100).unwrap().bytes, b"inside");
        assert_eq!(dir.read(b"etc/dotdot", 100).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(dir.read(b"etc/loop", 100).unwrap_err().raw_os_error(), Some(libc::ELOOP));
        assert_eq!(dir.link(b"var/absolute").unwrap(), b"/etc/real");
        std::fs::remove_dir_all(outer).ok();
    }

    #[test]
    fn only_plain_files_are_read_and_only_to_the_limit() {
        let root = scratch("plain");
        std::fs::write(root.join("long"), "0123456789").unwrap();
        let dir = Dir::host_root(&root).unwrap();
        let content = dir.read(b"long", 4).unwrap();
        assert_eq!((content.bytes.as_slice(), content.truncated), (b"0123".as_slice(), true));
        assert!(!dir.read(b"long", 10).unwrap().truncated);
        let live = Dir::host_root(Path::new("/")).unwrap();
        assert_eq!(live.read(b"dev/zero", 10).unwrap_err().raw_os_error(), Some(libc::EINVAL));
        std::fs::remove_dir_all(root).ok();
    }
}
