//! The system calls that std does not offer, each wrapped once. The only module with `unsafe`.

mod devices;
mod signals;

pub(crate) use devices::{Backing, dm_open_count, loop_status};
pub(crate) use signals::{
    catch_signals, forget_unfinished, remember_unfinished, undisturbed, wait_for_the_end,
};

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

use libc::{c_int, c_long};

/// `f_type` of procfs in `statfs`, from `linux/magic.h`.
const PROC_SUPER_MAGIC: i64 = 0x9fa0;

/// A path of the host as the kernel wants it.
///
/// # Errors
/// `EINVAL` when the path contains a NUL byte, which no path on Linux can.
pub(crate) fn c_path(path: &[u8]) -> io::Result<CString> {
    CString::new(path).map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))
}

fn check(result: c_long) -> io::Result<c_long> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

fn raw(dir: Option<BorrowedFd<'_>>) -> c_int {
    dir.map_or(libc::AT_FDCWD, |fd| fd.as_raw_fd())
}

/// `openat`, always close-on-exec and never making a terminal the controlling one.
pub(crate) fn open_at(
    dir: Option<BorrowedFd<'_>>,
    path: &CStr,
    flags: c_int,
    mode: libc::mode_t,
) -> io::Result<OwnedFd> {
    // SAFETY: path is NUL-terminated and outlives the call.
    let fd = unsafe {
        libc::openat(
            raw(dir),
            path.as_ptr(),
            flags | libc::O_CLOEXEC | libc::O_NOCTTY,
            libc::c_uint::from(mode),
        )
    };
    check(c_long::from(fd))?;
    // SAFETY: the kernel just handed out this descriptor and nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Calls with a path as the kernel wants it; a short one needs no allocation.
pub(crate) fn with_path<T>(path: &[u8], call: impl FnOnce(&CStr) -> io::Result<T>) -> io::Result<T> {
    let mut short = [0u8; 96];
    if path.len() < short.len() {
        short[..path.len()].copy_from_slice(path);
        let invalid = |_| io::Error::from_raw_os_error(libc::EINVAL);
        return call(CStr::from_bytes_with_nul(&short[..=path.len()]).map_err(invalid)?);
    }
    call(&c_path(path)?)
}

/// `readlinkat`. The text is at most `PATH_MAX` (4096) bytes long.
pub(crate) fn read_link_at(dir: BorrowedFd<'_>, path: &CStr) -> io::Result<Vec<u8>> {
    let mut text = vec![0; libc::PATH_MAX as usize];
    let length = read_link_into(dir, path, &mut text)?;
    text.truncate(length);
    Ok(text)
}

/// `readlinkat` into a buffer; the length of the text.
pub(crate) fn read_link_into(dir: BorrowedFd<'_>, path: &CStr, text: &mut [u8]) -> io::Result<usize> {
    // SAFETY: the buffer is writable for its whole length, path is NUL-terminated.
    let length =
        unsafe { libc::readlinkat(dir.as_raw_fd(), path.as_ptr(), text.as_mut_ptr().cast(), text.len()) };
    Ok(check(length as c_long)? as usize)
}

/// Hands each name in an open directory, without `.` and `..`, to `take`, in the order of the kernel.
///
/// The raw call: libc's stream costs three more system calls and an allocation, for each process.
pub(crate) fn list_dir(dir: BorrowedFd<'_>, mut take: impl FnMut(&[u8])) -> io::Result<()> {
    /// Where the length of an entry and its name are in `struct linux_dirent64` of getdents(2).
    const LENGTH: usize = 16;
    const NAME: usize = 19;
    let mut buffer = [0u8; 8 << 10];
    loop {
        // SAFETY: the buffer is writable for the length given.
        let length = unsafe {
            libc::syscall(libc::SYS_getdents64, dir.as_raw_fd(), buffer.as_mut_ptr(), buffer.len())
        };
        let mut entries = &buffer[..check(length)? as usize];
        if entries.is_empty() {
            return Ok(());
        }
        while let Some(length) = entries.get(LENGTH..LENGTH + 2) {
            let length = usize::from(u16::from_ne_bytes([length[0], length[1]]));
            // The kernel ends each name with NUL.
            let Some(name) = entries.get(NAME..length).and_then(|name| name.split(|&b| b == 0).next()) else {
                return Err(io::Error::from_raw_os_error(libc::EIO));
            };
            if name != b"." && name != b".." {
                take(name);
            }
            entries = &entries[length..];
        }
    }
}

/// What a link of `/proc/PID` leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Behind {
    /// Device number of the file system, major and minor.
    pub(crate) dev: (u32, u32),
    pub(crate) ino: u64,
    /// `st_mode`.
    pub(crate) mode: u32,
    /// Device number of a device node, major and minor.
    pub(crate) rdev: (u32, u32),
    /// Mount id as in the first field of mountinfo; `None` before kernel 5.8 where fdinfo tells nothing.
    pub(crate) mount: Option<u64>,
}

/// What is behind `path`, following it if it is a link, without asking a file server and without mounting anything.
///
/// A link of procfs jumps straight to its target, so no mount on top of the target is entered and, with
/// `AT_STATX_DONT_SYNC`, a dead NFS or FUSE server is not asked. Kernels before 4.11 have no statx: there the
/// target is opened with `O_PATH`, and its mount id comes from fdinfo.
pub(crate) fn behind(dir: BorrowedFd<'_>, path: &CStr) -> io::Result<Behind> {
    // SAFETY: statx is plain data, for which all zeroes is a value.
    let mut answer: libc::statx = unsafe { std::mem::zeroed() };
    let flags = libc::AT_NO_AUTOMOUNT | libc::AT_STATX_DONT_SYNC;
    let mask = libc::STATX_TYPE | libc::STATX_MODE | libc::STATX_INO | libc::STATX_MNT_ID;
    // SAFETY: path is NUL-terminated, answer is writable. The raw call, because musl's statx() falls back to a
    // stat that does ask the server.
    let result = unsafe {
        libc::syscall(libc::SYS_statx, dir.as_raw_fd(), path.as_ptr(), flags, mask, &raw mut answer)
    };
    match check(result) {
        Ok(_) => Ok(Behind {
            dev: (answer.stx_dev_major, answer.stx_dev_minor),
            ino: answer.stx_ino,
            mode: u32::from(answer.stx_mode),
            rdev: (answer.stx_rdev_major, answer.stx_rdev_minor),
            mount: (answer.stx_mask & libc::STATX_MNT_ID != 0).then_some(answer.stx_mnt_id),
        }),
        // EPERM: a seccomp filter older than statx, such as that of old dockers.
        Err(error) if matches!(error.raw_os_error(), Some(libc::ENOSYS | libc::EPERM)) => {
            behind_without_statx(dir, path)
        }
        Err(error) => Err(error),
    }
}

/// [`behind`] for kernels before 4.11.
fn behind_without_statx(dir: BorrowedFd<'_>, path: &CStr) -> io::Result<Behind> {
    let file = open_at(Some(dir), path, libc::O_PATH, 0)?;
    let stat = stat_fd(&file)?;
    let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", file.as_raw_fd())).unwrap_or_default();
    let mount = info.lines().find_map(|line| line.strip_prefix("mnt_id:")?.trim().parse().ok());
    Ok(Behind {
        dev: (libc::major(stat.st_dev), libc::minor(stat.st_dev)),
        ino: stat.st_ino,
        mode: stat.st_mode,
        rdev: (libc::major(stat.st_rdev), libc::minor(stat.st_rdev)),
        mount,
    })
}

/// `fstat` of an open descriptor.
pub(crate) fn stat_fd(file: &impl AsRawFd) -> io::Result<libc::stat> {
    // SAFETY: stat is plain data, for which all zeroes is a value.
    let mut stat: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: stat is writable.
    check(c_long::from(unsafe { libc::fstat(file.as_raw_fd(), &raw mut stat) }))?;
    Ok(stat)
}

/// `lstat` of a name in a directory; `None` when nothing is there.
pub(crate) fn lstat_at(dir: BorrowedFd<'_>, name: &CStr) -> io::Result<Option<libc::stat>> {
    // SAFETY: stat is plain data, for which all zeroes is a value.
    let mut stat: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: name is NUL-terminated, stat is writable.
    let result =
        unsafe { libc::fstatat(dir.as_raw_fd(), name.as_ptr(), &raw mut stat, libc::AT_SYMLINK_NOFOLLOW) };
    match check(c_long::from(result)) {
        Ok(_) => Ok(Some(stat)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether the directory is on a procfs, and not a recorded copy of one.
pub(crate) fn is_procfs(dir: BorrowedFd<'_>) -> io::Result<bool> {
    // SAFETY: statfs is plain data, for which all zeroes is a value.
    let mut answer: libc::statfs = unsafe { std::mem::zeroed() };
    // SAFETY: answer is writable.
    check(c_long::from(unsafe { libc::fstatfs(dir.as_raw_fd(), &raw mut answer) }))?;
    #[allow(clippy::unnecessary_cast, reason = "the type differs between glibc and musl")]
    Ok(answer.f_type as i64 == PROC_SUPER_MAGIC)
}

/// Renames within one directory.
pub(crate) fn rename_in(dir: BorrowedFd<'_>, from: &CStr, to: &CStr) -> io::Result<()> {
    // SAFETY: both names are NUL-terminated.
    let result = unsafe { libc::renameat(dir.as_raw_fd(), from.as_ptr(), dir.as_raw_fd(), to.as_ptr()) };
    check(c_long::from(result)).map(drop)
}

/// Gives an open file without a name one; a name that exists is an error, also where it is a link.
pub(crate) fn link_open_file(file: &impl AsRawFd, dir: BorrowedFd<'_>, name: &CStr) -> io::Result<()> {
    let (fd, to) = (file.as_raw_fd(), dir.as_raw_fd());
    // SAFETY: both names are NUL-terminated.
    let linked = unsafe { libc::linkat(fd, c"".as_ptr(), to, name.as_ptr(), libc::AT_EMPTY_PATH) };
    if linked == 0 {
        return Ok(());
    }
    // Without CAP_DAC_READ_SEARCH only this way is left (open(2), O_TMPFILE).
    let path = c_path(format!("/proc/self/fd/{fd}").as_bytes())?;
    let flags = libc::AT_SYMLINK_FOLLOW;
    // SAFETY: both paths are NUL-terminated and outlive the call.
    let linked = unsafe { libc::linkat(libc::AT_FDCWD, path.as_ptr(), to, name.as_ptr(), flags) };
    check(c_long::from(linked)).map(drop)
}

/// Removes a name from a directory.
pub(crate) fn unlink_in(dir: BorrowedFd<'_>, name: &CStr) -> io::Result<()> {
    // SAFETY: name is NUL-terminated.
    check(c_long::from(unsafe { libc::unlinkat(dir.as_raw_fd(), name.as_ptr(), 0) })).map(drop)
}

/// Sets the permission bits of an open file, whatever the umask was.
pub(crate) fn chmod_fd(file: &impl AsRawFd, mode: libc::mode_t) -> io::Result<()> {
    // SAFETY: takes numbers only.
    check(c_long::from(unsafe { libc::fchmod(file.as_raw_fd(), mode) })).map(drop)
}

/// Steps back behind other work: lower CPU priority and the idle I/O class, for this thread and those it starts.
/// Not the lowest priority: on a host whose CPUs are all busy the collection must still end. Failure does no harm.
pub(crate) fn yield_to_others() {
    const IOPRIO_WHO_PROCESS: c_int = 1;
    const IOPRIO_CLASS_IDLE: c_int = 3 << 13;
    // SAFETY: both calls take numbers only and concern the calling thread.
    unsafe {
        libc::setpriority(libc::PRIO_PROCESS, 0, 10);
        libc::syscall(libc::SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_CLASS_IDLE);
    }
}

/// Gives this thread a root and working directory of its own, which `setns` on a mount namespace demands.
pub(crate) fn unshare_fs() -> io::Result<()> {
    // SAFETY: takes a number only; the other threads keep sharing theirs.
    check(c_long::from(unsafe { libc::unshare(libc::CLONE_FS) })).map(drop)
}

/// Moves this thread into a mount namespace.
pub(crate) fn enter_mount_namespace(namespace: &impl AsRawFd) -> io::Result<()> {
    // SAFETY: takes numbers only.
    check(c_long::from(unsafe { libc::setns(namespace.as_raw_fd(), libc::CLONE_NEWNS) })).map(drop)
}

/// The id of this thread, as it is called in the pid namespace it lives in.
pub(crate) fn thread_id() -> i32 {
    // SAFETY: takes nothing, cannot fail.
    unsafe { libc::syscall(libc::SYS_gettid) as i32 }
}

/// Effective user id.
pub(crate) fn effective_uid() -> u32 {
    // SAFETY: takes nothing, cannot fail.
    unsafe { libc::geteuid() }
}

/// Clock ticks a second, the unit of the start time in `/proc/PID/stat`.
pub(crate) fn clock_ticks() -> i64 {
    // SAFETY: takes a number only.
    #[allow(clippy::unnecessary_cast, reason = "c_long is not i64 on 32 bit")]
    unsafe {
        libc::sysconf(libc::_SC_CLK_TCK) as i64
    }
}

/// `uname -n` and `uname -m`.
pub(crate) fn node_and_machine() -> (Vec<u8>, Vec<u8>) {
    // SAFETY: utsname is plain data, for which all zeroes is a value.
    let mut name: libc::utsname = unsafe { std::mem::zeroed() };
    // SAFETY: name is writable.
    if unsafe { libc::uname(&raw mut name) } != 0 {
        return (Vec::new(), Vec::new());
    }
    // SAFETY: the kernel terminates both fields with NUL.
    unsafe {
        (
            CStr::from_ptr(name.nodename.as_ptr()).to_bytes().to_vec(),
            CStr::from_ptr(name.machine.as_ptr()).to_bytes().to_vec(),
        )
    }
}

/// The kernel's log ring, `<PRIORITY>[seconds] text` lines. Reads without consuming; needs `CAP_SYSLOG`.
pub(crate) fn kernel_log() -> io::Result<Vec<u8>> {
    const SYSLOG_ACTION_READ_ALL: c_int = 3;
    const SYSLOG_ACTION_SIZE_BUFFER: c_int = 10;
    // SAFETY: this action takes no buffer.
    let size = unsafe { libc::klogctl(SYSLOG_ACTION_SIZE_BUFFER, std::ptr::null_mut(), 0) };
    let size = check(c_long::from(size))?.clamp(1 << 12, 1 << 24);
    let mut text = vec![0u8; size as usize];
    // SAFETY: the buffer is writable for the length given.
    let length = unsafe { libc::klogctl(SYSLOG_ACTION_READ_ALL, text.as_mut_ptr().cast(), size as c_int) };
    text.truncate(check(c_long::from(length))? as usize);
    Ok(text)
}

/// Lets the command die with the thread that started it, so that a signal to the collector leaves nothing behind.
pub(crate) fn die_with_parent(command: &mut Command) {
    // SAFETY: between fork and exec only prctl is called, which is safe after fork.
    unsafe {
        command
            .pre_exec(|| check(c_long::from(libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL))).map(drop));
    }
}
