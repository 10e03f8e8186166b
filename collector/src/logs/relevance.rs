//! Which lines of a shared log concern the container runtimes or what keeps a mount busy.

/// Words of the runtimes and of those who use them.
const RUNTIME: [&str; 15] = [
    "docker",
    "containerd",
    "kubelet",
    "crio",
    "cri-o",
    "podman",
    "libpod",
    "conmon",
    "runc",
    "moby",
    "k3s",
    "rke2",
    "lxc",
    "lxd",
    "incus",
];
/// Words of mounts and devices that are busy.
const BUSY: [&str; 21] = [
    "busy",
    "device-mapper",
    "devicemapper",
    "device mapper",
    "overlay",
    "umount",
    "unmount",
    "in use",
    "in-use",
    "ext4-fs",
    "xfs (",
    "btrfs",
    "zfs",
    "rbd",
    "nfs: server",
    "blocked for more than",
    "loop: ",
    "md: md",
    "mount.",
    ".mount",
    "aufs",
];

/// Whether a line of a log that all programs share is of interest.
pub(super) fn concerns_runtime(line: &[u8]) -> bool {
    let line = line.to_ascii_lowercase();
    has_any(&line, &RUNTIME) || concerns_busy_lowercase(&line)
}

/// Whether a kernel line is of interest.
pub(super) fn concerns_kernel(line: &[u8]) -> bool {
    concerns_busy_lowercase(&line.to_ascii_lowercase())
}

fn concerns_busy_lowercase(line: &[u8]) -> bool {
    has_any(line, &BUSY)
}

/// Tries each place of the line once, by the first byte of the words.
fn has_any(line: &[u8], words: &[&str]) -> bool {
    (0..line.len()).any(|at| words.iter().any(|word| line[at..].starts_with(word.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_runtimes_and_of_busy_mounts() {
        assert!(concerns_runtime(b"Nov 22 web1 dockerd[812]: level=error msg=x"));
        assert!(concerns_runtime(b"web1 kernel: device-mapper: thin: Deletion of thin device 7 failed."));
        assert!(concerns_runtime(b"umount: /mnt: target is busy."));
        assert!(!concerns_runtime(b"Nov 22 web1 sshd[1]: Accepted publickey for bob"));
        assert!(concerns_kernel(b"EXT4-fs (dm-3): unmounting filesystem"));
        assert!(!concerns_kernel(b"usb 1-1: new device"));
    }
}
