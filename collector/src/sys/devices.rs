//! What only an ioctl tells of block devices.

use std::io;
use std::os::fd::AsRawFd;

use libc::c_long;

use super::check;

/// What is behind a loop device.
pub(crate) struct Backing {
    /// Number of the device that the file is on, or the device's node.
    pub(crate) device: (u32, u32),
    pub(crate) inode: u64,
    /// Number of the device itself, where it is no file.
    pub(crate) node: Option<(u32, u32)>,
}

/// What is behind a loop device (`LOOP_GET_STATUS64`, `linux/loop.h`).
pub(crate) fn loop_status(device: &impl AsRawFd) -> io::Result<Backing> {
    const LOOP_GET_STATUS64: u64 = 0x4C05;
    /// `struct loop_info64`: the first three fields are all that is wanted of its 232 bytes.
    #[repr(C)]
    struct LoopInfo64 {
        device: u64,
        inode: u64,
        node: u64,
        rest: [u64; 26],
    }
    const { assert!(size_of::<LoopInfo64>() == 232) };
    let mut info = LoopInfo64 { device: 0, inode: 0, node: 0, rest: [0; 26] };
    // SAFETY: info has the size that the kernel fills in.
    let result = unsafe { libc::ioctl(device.as_raw_fd(), LOOP_GET_STATUS64 as _, &raw mut info) };
    check(c_long::from(result))?;
    // Some kernels give the number of the file's device once more.
    let node = (info.node != 0 && info.node != info.device).then(|| decode_huge_dev(info.node));
    Ok(Backing { device: decode_huge_dev(info.device), inode: info.inode, node })
}

/// The kernel's `huge_encode_dev`: minor bits 0-7, major bits 8-19, minor bits 20 up.
fn decode_huge_dev(dev: u64) -> (u32, u32) {
    (((dev >> 8) & 0xfff) as u32, ((dev & 0xff) | ((dev >> 12) & 0xf_ff00)) as u32)
}

/// The open count of a device-mapper device by its name (`DM_DEV_STATUS`, `linux/dm-ioctl.h`).
///
/// `control` is `/dev/mapper/control`, opened only on hosts that have a dm device: opening it loads the module.
pub(crate) fn dm_open_count(control: &impl AsRawFd, name: &[u8]) -> io::Result<i32> {
    const DM_DEV_STATUS: u64 = 0xc138_fd07;
    /// `struct dm_ioctl`, 312 bytes.
    #[repr(C)]
    struct DmIoctl {
        version: [u32; 3],
        data_size: u32,
        data_start: u32,
        target_count: u32,
        open_count: i32,
        flags: u32,
        event_nr: u32,
        padding: u32,
        dev: u64,
        name: [u8; 128],
        uuid: [u8; 129],
        data: [u8; 7],
    }
    const { assert!(size_of::<DmIoctl>() == 312) };
    let mut request = DmIoctl {
        version: [4, 0, 0],
        data_size: 312,
        data_start: 0,
        target_count: 0,
        open_count: 0,
        flags: 0,
        event_nr: 0,
        padding: 0,
        dev: 0,
        name: [0; 128],
        uuid: [0; 129],
        data: [0; 7],
    };
    let room = request.name.get_mut(..name.len()).filter(|_| name.len() < 128);
    room.ok_or_else(|| io::Error::from_raw_os_error(libc::ENAMETOOLONG))?.copy_from_slice(name);
    // SAFETY: request is a whole dm_ioctl and says so in data_size.
    let result = unsafe { libc::ioctl(control.as_raw_fd(), DM_DEV_STATUS as _, &raw mut request) };
    check(c_long::from(result))?;
    Ok(request.open_count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loop_device_numbers_are_split_as_the_kernel_joins_them() {
        assert_eq!(decode_huge_dev(0xfd01), (253, 1));
        assert_eq!(decode_huge_dev(0x0010_0801), (8, 257));
    }
}
