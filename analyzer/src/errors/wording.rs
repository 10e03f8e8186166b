//! The table of wordings that say "busy", and of those that only look like it.
//!
//! To add a wording, add a row to [`WORDINGS`] with a line that shows it; the test at the end of
//! `mod.rs` sends each through the whole pipeline.

use super::locale;
use super::proof::Proof::{self, Errno, Storage, Word};

/// One wording.
pub(crate) struct Wording {
    /// In lower case; matched without regard to case, at word boundaries.
    pub(crate) phrase: &'static str,
    pub(crate) proof: Proof,
    /// A line that has it.
    #[cfg(test)]
    pub(crate) sample: &'static str,
}

/// The sample is for the tests, which send it through the pipeline; no program carries it.
const fn w(phrase: &'static str, proof: Proof, _sample: &'static str) -> Wording {
    Wording {
        phrase,
        proof,
        #[cfg(test)]
        sample: _sample,
    }
}

/// Every wording, the most telling first.
pub(crate) const WORDINGS: &[Wording] = &[
    w("dataset is busy", Storage, "cannot destroy 'tank/ct/web': dataset is busy"),
    w("pool or dataset is busy", Storage, "cannot unmount '/tank/web': pool or dataset is busy"),
    w("pool is busy", Storage, "cannot export 'tank': pool is busy"),
    w("target is busy", Storage, "umount: /srv/data: target is busy."),
    w("is busy or already mounted", Storage, "mount.nfs: /mnt/share is busy or already mounted"),
    w("mount point busy", Storage, "mount: /mnt: /dev/sdb1 already mounted or mount point busy."),
    w("device or resource busy", Errno, "rmdir: failed to remove '/mnt/a': Device or resource busy"),
    w("resource busy or locked", Errno, "Error: EBUSY: resource busy or locked, rmdir '/app/dist'"),
    w("resource busy", Errno, "rm: can't remove '/data/a': Resource busy"),
    w("device is busy", Errno, "umount: /share: device is busy."),
    w("device busy", Errno, "umount: /share: device busy"),
    w("filesystem is busy", Errno, "failed to unmount /srv/a: filesystem is busy"),
    w("file system is busy", Errno, "failed to unmount /srv/a: file system is busy"),
    w("os error 16", Errno, "failed to unmount /srv/a: (os error 16)"),
    w("errno 16", Errno, "OSError: [Errno 16] rmdir failed: '/srv/a'"),
    w("errno=16", Errno, "umount /srv/a failed: errno=16"),
    w("ebusy", Errno, "umount2(\"/srv/a\", 0) = -1 EBUSY"),
    w("to close: timeout", Storage, "error waiting for device 0a1b2c3d4e5f to close: Timeout"),
    w("timeout while waiting for device", Storage, "Timeout while waiting for device 0a1b2c3d4e5f to close"),
    w("contains a filesystem in use", Storage, "Logical volume vg0/web contains a filesystem in use."),
    w("can't remove open logical volume", Storage, "Can't remove open logical volume \"web\""),
    w("open logical volume", Storage, "Can't deactivate volume group \"vg0\" with 1 open logical volume(s)"),
    w("map in use", Storage, "mpatha: map in use"),
    w("device is held open by someone", Storage, "State change failed: (-12) Device is held open by someone"),
    w("unable to deactivate open", Storage, "Unable to deactivate open vg0-web (253:4)"),
    w("is used by another device", Storage, "Logical volume vg0/web is used by another device."),
    w("is still in use", Word, "Device luks-web is still in use."),
    w("is apparently in use by the system", Storage, "/dev/sdb1 is apparently in use by the system"),
    w(
        "cannot get exclusive access",
        Storage,
        "mdadm: Cannot get exclusive access to /dev/md0:Perhaps a running process",
    ),
    w("is in-use by another mount", Storage, "overlayfs: upperdir is in-use by another mount, mount with"),
    w(
        "is in-use as upperdir/workdir",
        Storage,
        "overlayfs: lowerdir is in-use as upperdir/workdir of another mount",
    ),
    w("in use", Word, "Logical volume vg0/web in use."),
    w("busy", Word, "failed to remove root filesystem web: layer busy"),
    w("= err (1)", Word, "-job rm(0a1b2c3d4e5f) = ERR (1)"),
];

/// Wordings that look like busy and are another problem: the line is dropped.
pub(crate) const OTHER_PROBLEMS: &[&str] = &[
    "text file busy",
    "sqlite",
    "database is locked",
    "database table is locked",
    "already in use by container",
    "is already in use by",
    "address already in use",
    "port is already",
    "directory not empty",
    "volume is in use",
    "volume is still in use",
    "volume still in use",
    "volume in use by",
    "serial port",
    "serial.serialutil",
    "could not open port",
    "could not open serial",
    "rtnetlink",
    "siocsif",
    "tunsetiff",
    "busy wait",
    "busy loop",
    "busy poll",
    "busy_timeout",
    "busy timeout",
    "server is busy",
    "server busy",
    "too busy",
    "rmmod:",
    "modprobe:",
    "line busy",
];

/// Device nodes that nobody mounts: an `EBUSY` from them is about their one user.
pub(crate) const OTHER_DEVICES: &[&str] = &[
    "/dev/tty",
    "/dev/serial",
    "/dev/cu.",
    "/dev/video",
    "/dev/media",
    "/dev/snd",
    "/dev/dsp",
    "/dev/audio",
    "/dev/input",
    "/dev/uinput",
    "/dev/spidev",
    "/dev/i2c",
    "/dev/gpio",
    "/dev/net/tun",
    "/dev/kvm",
    "/dev/vfio",
    "/dev/usb",
    "/dev/bus",
    "/dev/hidraw",
    "/dev/lp",
    "/dev/rfcomm",
    "/dev/dri",
    "/dev/nvidia",
    "/dev/ptmx",
    "/dev/watchdog",
    "/dev/tpm",
    "/dev/rtc",
    "/dev/mem",
    "/dev/ipmi",
    "/dev/dvb",
    "/dev/fb",
    "/dev/vcs",
    "/dev/ttyusb",
];

/// Where a wording stands in the text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hit {
    pub(crate) start: usize,
    pub(crate) proof: Proof,
}

/// The wording that counts: the strongest proof, then the first in the text. `None` for another problem.
pub(crate) fn find(lower: &str) -> Option<Hit> {
    if OTHER_PROBLEMS.iter().any(|p| lower.contains(p)) || OTHER_DEVICES.iter().any(|d| lower.contains(d)) {
        return None;
    }
    let rank = |proof| match proof {
        Storage | Errno => 0,
        Word => 1,
    };
    WORDINGS
        .iter()
        .map(|w| (w.phrase, w.proof))
        .chain(locale::WORDINGS.iter().copied())
        .filter_map(|(phrase, proof)| word(lower, phrase).map(|start| Hit { start, proof }))
        .min_by_key(|hit| (rank(hit.proof), hit.start))
}

/// First place where the phrase stands as whole words. A single word does not stand for itself in a path or a name:
/// `/tmp/ebusy-1/x` is no errno.
pub(crate) fn word(lower: &str, phrase: &str) -> Option<usize> {
    let bytes = lower.as_bytes();
    let free = |b: Option<&u8>| b.is_none_or(|b| !b.is_ascii_alphanumeric() && *b != b'_');
    let is_single = phrase.bytes().all(|b| b.is_ascii_alphanumeric());
    memchr::memmem::find_iter(bytes, phrase.as_bytes()).find(|&at| {
        let before = at.checked_sub(1).and_then(|i| bytes.get(i));
        let after = bytes.get(at + phrase.len());
        let bound = !phrase.starts_with(|c: char| c.is_ascii_alphanumeric()) || free(before);
        // A full stop ends a sentence, or goes on with a name.
        let dotted = after == Some(&b'.') && !free(bytes.get(at + phrase.len() + 1));
        let in_name =
            before.is_some_and(|b| b"/-.".contains(b)) || after.is_some_and(|b| b"/-".contains(b)) || dotted;
        bound && free(after) && !(is_single && in_name)
    })
}

/// What a line must have to be read at all; searched as raw bytes, before anything else is done.
/// Each wording contains one of these in each spelling of its case that occurs.
pub(crate) const STEMS: &[&[u8]] = &[
    b"usy",
    b"BUSY",
    b"n use",
    b"n-use",
    b"o close",
    b"rrno 16",
    b"rrno=16",
    b"error 16",
    b"ERR (1)",
    b"used by another",
    b"xclusive access",
    b"open logical volume",
    b"deactivate open",
    b"held open",
];

/// Lines that tell which layer a container has, see [`super::links`].
pub(crate) const LINK_STEMS: &[&[u8]] = &[b"GetMountID", b"mounted layer", b"root filesystem"];
