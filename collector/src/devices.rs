//! Block devices: what stacks on what, and what is behind a loop or device-mapper device.

use crate::bundle::Entry;
use crate::context::{Context, Fact};
use crate::summary::Skip;
use crate::sys;
use crate::watchdog::Batch;

const FILES: [&str; 7] = ["dev", "size", "ro", "dm/name", "dm/uuid", "loop/backing_file", "md/array_state"];
/// Of a partition; what stacks on it is in its own `holders`.
const PARTITION_FILES: [&str; 4] = ["dev", "size", "ro", "partition"];
const FILE_MAX: usize = 64 << 10;
/// Most block devices looked at.
const DEVICES_MAX: usize = 20_000;

pub(crate) fn read(context: &Context) -> Batch<Fact> {
    let mut batch = Batch::new();
    let mut names = match context.root.list(b"sys/block") {
        Ok(names) => names,
        Err(error) => {
            batch.skips.push(Skip::new("sys/block", b"sys/block", &error));
            return batch;
        }
    };
    if names.len() > DEVICES_MAX {
        let why = format!("only the first {DEVICES_MAX} block devices are looked at");
        batch.skips.push(Skip::because("sys/block", b"sys/block", "cap", why));
        names.truncate(DEVICES_MAX);
    }
    let has_dm = names.iter().any(|name| name.starts_with(b"dm-"));
    // Opening this node loads the module, so only where there is something to ask about.
    let control = has_dm.then(|| context.root.node(b"dev/mapper/control"));
    for name in names {
        let base = [b"sys/block/", name.as_slice()].concat();
        files(context, &base, &FILES, &mut batch);
        relations(context, &base, &mut batch);
        partitions(context, &name, &base, &mut batch);
        if name.starts_with(b"loop") {
            loop_status(context, &name, &base, &mut batch);
        }
        if name.starts_with(b"dm-")
            && let Some(control) = &control
        {
            dm_open_count(context, control, &base, &mut batch);
        }
    }
    batch
}

/// Copies the files that are there; a device has only those of its kind.
fn files(context: &Context, base: &[u8], names: &[&str], batch: &mut Batch<Fact>) {
    for name in names {
        let path = [base, b"/", name.as_bytes()].concat();
        match context.root.read_virtual(&path, FILE_MAX) {
            Ok(content) => batch.entries.push(Entry::plain(path, content.bytes)),
            // A loop device without a file answers ENXIO, one of another kind ENOENT.
            Err(error)
                if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ENXIO | libc::ENOTDIR)) => {}
            Err(error) => batch.skips.push(Skip::new("sys/block/NAME", &path, &error)),
        }
    }
}

fn relations(context: &Context, base: &[u8], batch: &mut Batch<Fact>) {
    for relation in ["holders", "slaves"] {
        let directory = [base, b"/", relation.as_bytes()].concat();
        for other in context.root.list(&directory).unwrap_or_default() {
            let path = [&directory, b"/".as_slice(), &other].concat();
            if let Ok(target) = context.root.link(&path) {
                batch.entries.push(Entry::symlink(path, target));
            }
        }
    }
}

/// Partitions are directories in the disk's, named after it: `sda1`, `nvme0n1p1`.
fn partitions(context: &Context, name: &[u8], base: &[u8], batch: &mut Batch<Fact>) {
    for part in context.root.list(base).unwrap_or_default() {
        let path = [base, b"/", &part].concat();
        if part.starts_with(name) && part != name {
            files(context, &path, &PARTITION_FILES, batch);
            relations(context, &path, batch);
        }
    }
}

/// The device and inode of the backing file, and which device it is where it is one. After a lazy umount its path means
/// nothing, and this is all there is.
fn loop_status(context: &Context, name: &[u8], base: &[u8], batch: &mut Batch<Fact>) {
    if !context.root.exists(&[base, b"/loop/backing_file"].concat()) {
        return;
    }
    let node = [b"dev/", name].concat();
    let path = [base, b"/loop/status"].concat();
    match context.root.node(&node).and_then(|device| sys::loop_status(&device)) {
        Ok(sys::Backing { device: (major, minor), inode, node }) => {
            let node = node.map(|(major, minor)| format!(" rdev={major}:{minor}")).unwrap_or_default();
            batch.entries.push(Entry::plain(path, format!("dev={major}:{minor} ino={inode}{node}\n")));
        }
        Err(error) => batch.skips.push(Skip::new("sys/block/loopN/loop/status", &path, &error)),
    }
}

fn dm_open_count(
    context: &Context,
    control: &std::io::Result<std::os::fd::OwnedFd>,
    base: &[u8],
    batch: &mut Batch<Fact>,
) {
    let path = [base, b"/dm/open_count"].concat();
    let kind = "sys/block/dm-N/dm/open_count";
    let control = match control {
        Ok(control) => control,
        Err(error) => return batch.skips.push(Skip::new(kind, &path, error)),
    };
    let name = context.root.read_virtual(&[base, b"/dm/name"].concat(), 256);
    match name.and_then(|name| sys::dm_open_count(control, name.bytes.trim_ascii_end())) {
        Ok(count) => batch.entries.push(Entry::plain(path, format!("{count}\n"))),
        Err(error) => batch.skips.push(Skip::new(kind, &path, &error)),
    }
}
