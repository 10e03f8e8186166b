//! Signals: what is half written goes away before the program does.

use std::ffi::CStr;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::sync::atomic::{AtomicI32, AtomicPtr, Ordering};

use libc::c_int;

/// The directory and name of the unfinished output, for the signal handler. -1: there is none.
static UNFINISHED_DIR: AtomicI32 = AtomicI32::new(-1);
static UNFINISHED_NAME: AtomicPtr<libc::c_char> = AtomicPtr::new(std::ptr::null_mut());

/// From now on SIGINT, SIGTERM and SIGHUP remove this file before they end the program.
/// `dir` must stay open until [`forget_unfinished`].
pub(crate) fn remember_unfinished(dir: BorrowedFd<'_>, name: &CStr) {
    // The name is leaked: a handler may read it at any moment.
    UNFINISHED_NAME.store(name.to_owned().into_raw(), Ordering::SeqCst);
    UNFINISHED_DIR.store(dir.as_raw_fd(), Ordering::SeqCst);
}

/// The file is whole or gone; a signal has nothing to remove any more.
pub(crate) fn forget_unfinished() {
    UNFINISHED_DIR.store(-1, Ordering::SeqCst);
}

extern "C" fn on_signal(signal: c_int) {
    let dir = UNFINISHED_DIR.load(Ordering::SeqCst);
    let name = UNFINISHED_NAME.load(Ordering::SeqCst);
    let text = b"ebusy-collector: stopped by a signal; no bundle was written\n";
    // SAFETY: unlinkat, write and _exit are async-signal-safe; name is leaked and so always valid.
    unsafe {
        if dir >= 0 && !name.is_null() {
            libc::unlinkat(dir, name, 0);
        }
        libc::write(2, text.as_ptr().cast(), text.len());
        libc::_exit(128 + signal);
    }
}

/// Installs the handler for SIGINT, SIGTERM and SIGHUP; a signal that is ignored (nohup) stays ignored.
pub(crate) fn catch_signals() {
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
        // SAFETY: sigaction is plain data; the handler only makes async-signal-safe calls.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            libc::sigaction(signal, std::ptr::null(), &raw mut action);
            if action.sa_sigaction == libc::SIG_IGN {
                continue;
            }
            action = std::mem::zeroed();
            action.sa_sigaction = on_signal as extern "C" fn(c_int) as usize;
            libc::sigaction(signal, &raw const action, std::ptr::null_mut());
        }
    }
}

/// SIGINT, SIGTERM and SIGHUP.
fn ending_signals() -> libc::sigset_t {
    // SAFETY: sigset_t is plain data that sigemptyset initialises.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
            libc::sigaddset(&raw mut set, signal);
        }
        set
    }
}

/// Does something that no signal may come in between of, as creating a file and remembering to remove it. Only while
/// there is one thread: another one would get the signal.
pub(crate) fn undisturbed<T>(work: impl FnOnce() -> T) -> T {
    let set = ending_signals();
    // SAFETY: both sets are initialised, `before` by the call.
    unsafe {
        let mut before: libc::sigset_t = std::mem::zeroed();
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, &raw mut before);
        let done = work();
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, std::ptr::null_mut());
        done
    }
}

/// Sleeps until somebody sends SIGINT, SIGTERM or SIGHUP. They are blocked and waited for, since the first process
/// of a pid namespace gets no signal that it does not ask for (pid_namespaces(7)).
pub(crate) fn wait_for_the_end() {
    let set = ending_signals();
    // SAFETY: the set is initialised; sigwait only writes to `signal`.
    unsafe {
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
        let mut signal = 0;
        libc::sigwait(&raw const set, &raw mut signal);
    }
}
