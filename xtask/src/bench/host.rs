//! The host that reading is measured on: many processes in many mount namespaces, each with a long table. The same in
//! each run. One container could not be removed, because a few of the namespaces have a copy of its mount.

use anyhow::Result;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fmt::Write as _;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use tar::{Builder, EntryType, Header};

/// How large a host is.
#[derive(Clone, Copy)]
pub(super) struct Host {
    /// As the figures call it, by the size of its mount tables.
    pub(super) name: &'static str,
    pub(super) processes: u32,
    pub(super) namespaces: u32,
    /// Containers, whose mounts are in all tables.
    pub(super) containers: u32,
}

/// 128 MB of mount tables.
pub(super) const SMALL: Host = Host { name: "128 MB", processes: 2_000, namespaces: 200, containers: 63 };
/// 1 GB of mount tables.
pub(super) const LARGE: Host = Host { name: "1 GB", processes: 10_000, namespaces: 1_000, containers: 99 };

const LAYERDB: &str = "var/lib/docker/image/overlay2/layerdb/mounts";
/// Images that the containers are of, and layers of each.
const IMAGES: u32 = 12;
const LAYERS: u32 = 5;
/// Container that could not be removed.
const BUSY: u32 = 7;
/// Every so many namespaces one has a copy of its mount.
const HOLDS: u32 = 40;

impl Host {
    /// The id that the log names.
    pub(super) fn busy_id() -> String {
        hex(BUSY, 'c')
    }

    /// As somebody without the collector stores it: every table in full.
    pub(super) fn write_naive(self, file: &Path) -> Result<()> {
        let mut archive = Archive::create(file)?;
        let mounts = self.mounts();
        for pid in 1..=self.processes {
            let dir = format!("proc/{pid}");
            archive.file(&format!("{dir}/mountinfo"), &self.table(&mounts, self.namespace_of(pid)))?;
            for (name, text) in self.small_files(pid) {
                archive.file(&format!("{dir}/{name}"), &text)?;
            }
            archive.link(&format!("{dir}/ns/mnt"), &self.namespace_link(pid), EntryType::Symlink)?;
        }
        self.write_rest(&mut archive, "var/log/messages")?;
        archive.finish()
    }

    /// As the collector stores it: the files of a kind together, a table that was there before as a hard link.
    pub(super) fn write_collected(self, file: &Path) -> Result<()> {
        const TOGETHER: u32 = 256;
        let mut archive = Archive::create(file)?;
        let mounts = self.mounts();
        archive.file(
            "manifest.json",
            "{\"format\":\"ebusy.bundle/1\",\"collector\":\"0.1.0\",\"host\":\"bench\",\"kernel\":\"5.4.0\",\"uid\":0}",
        )?;
        for first in (1..=self.processes).step_by(TOGETHER as usize) {
            let pids = first..=(first + TOGETHER - 1).min(self.processes);
            for pid in pids.clone() {
                let namespace = self.namespace_of(pid);
                let path = format!("proc/{pid}/mountinfo");
                match self.first_in(namespace) {
                    of if of == pid => archive.file(&path, &self.table(&mounts, namespace))?,
                    of => archive.link(&path, &format!("proc/{of}/mountinfo"), EntryType::Link)?,
                }
            }
            for kind in 0..4 {
                for pid in pids.clone() {
                    let (name, text) = &self.small_files(pid)[kind];
                    archive.file(&format!("proc/{pid}/{name}"), text)?;
                }
            }
            for pid in pids {
                archive.link(&format!("proc/{pid}/ns/mnt"), &self.namespace_link(pid), EntryType::Symlink)?;
            }
        }
        self.write_rest(&mut archive, "logs/journal.log")?;
        archive.file("summary.json", "{\"complete\":true,\"skipped\":[],\"missing\":[]}")?;
        archive.finish()
    }

    fn write_rest(self, archive: &mut Archive, log: &str) -> Result<()> {
        for number in 0..self.containers {
            archive.file(&format!("{LAYERDB}/{}/mount-id", hex(number, 'c')), &hex(number, 'a'))?;
        }
        let id = Self::busy_id();
        archive.file(
            log,
            &format!(
                "Jan  2 03:04:05 bench dockerd[812]: time=\"2026-01-02T03:04:05Z\" level=error msg=\"Handler for DELETE /v1.40/containers/{id} returned error: container {id}: driver \\\"overlay2\\\" failed to remove root filesystem: unlinkat /var/lib/docker/overlay2/{}/merged: device or resource busy\"\n",
                hex(BUSY, 'a')
            ),
        )
    }

    /// Process 1 is alone in the host's, the others fill the rest in turn.
    fn namespace_of(self, pid: u32) -> u32 {
        (pid - 1) % self.namespaces
    }

    fn first_in(self, namespace: u32) -> u32 {
        namespace + 1
    }

    fn namespace_link(self, pid: u32) -> String {
        format!("mnt:[{}]", 4_026_531_840 + self.namespace_of(pid))
    }

    /// What a table's lines say after their mount ids, container by container: its root, its shared memory and its
    /// network namespace, as dockerd mounts them. Containers of one image share its layers.
    fn mounts(self) -> Vec<String> {
        let mounts = |number| {
            let layers = (0..LAYERS).map(|layer| short_layer(1000 + number % IMAGES * LAYERS + layer));
            let lower: Vec<String> = std::iter::once(short_layer(number)).chain(layers).collect();
            let dir = format!("/var/lib/docker/overlay2/{}", hex(number, 'a'));
            let container = hex(number, 'c');
            [
                format!(
                    "0:{} / {dir}/merged rw,relatime - overlay overlay rw,lowerdir={},upperdir={dir}/diff,workdir={dir}/work\n",
                    100 + number,
                    lower.join(":")
                ),
                format!(
                    "0:{} / /var/lib/docker/containers/{container}/mounts/shm rw,nosuid,nodev,noexec,relatime - tmpfs shm rw,size=65536k\n",
                    1100 + number
                ),
                format!(
                    "0:4 net:[{}] /run/docker/netns/{} rw - nsfs nsfs rw\n",
                    4_026_532_600 + number,
                    &container[..12]
                ),
            ]
        };
        (0..self.containers).flat_map(mounts).collect()
    }

    fn table(self, mounts: &[String], namespace: u32) -> String {
        let first = 20 + namespace * (3 * self.containers + 2);
        let mut table = format!("{first} 1 253:0 / / rw,relatime - ext4 /dev/mapper/vg0-root rw\n");
        for (number, mount) in (0..).zip(mounts) {
            if number / 3 != BUSY || namespace.is_multiple_of(HOLDS) {
                let _ = write!(table, "{} {first} {mount}", first + 1 + number);
            }
        }
        table
    }

    fn small_files(self, pid: u32) -> [(&'static str, String); 4] {
        let container = hex(pid % self.containers, 'c');
        [
            ("cmdline", format!("/usr/bin/service-{}\0--port\0{pid}\0", pid % 97)),
            (
                "stat",
                format!(
                    "{pid} (service-{}) S 1 {pid} {pid} 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 {} 0 0 0\n",
                    pid % 97,
                    pid * 3
                ),
            ),
            ("status", format!("Name:\tservice-{}\nState:\tS (sleeping)\nPid:\t{pid}\nPPid:\t1\n", pid % 97)),
            ("cgroup", format!("0::/system.slice/docker-{container}.scope\n")),
        ]
    }
}

/// The short name that overlay2 gives a layer.
fn short_layer(number: u32) -> String {
    format!("/var/lib/docker/overlay2/l/{}", &hex(number, 'l')[..26].to_uppercase())
}

/// 64 hexadecimal digits that nothing else has.
fn hex(number: u32, kind: char) -> String {
    let mut state = u64::from(number) << 8 | u64::from(u32::from(kind));
    let mut digits = String::with_capacity(64);
    for _ in 0..4 {
        // splitmix64's step: well mixed from a counter.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let _ = write!(digits, "{:016x}", mixed ^ (mixed >> 31));
    }
    digits
}

/// A .tar.gz in the making, as `tar czf` writes it.
struct Archive(Builder<GzEncoder<BufWriter<File>>>);

impl Archive {
    fn create(file: &Path) -> Result<Self> {
        let file = BufWriter::new(File::create(file)?);
        Ok(Self(Builder::new(GzEncoder::new(file, Compression::new(6)))))
    }

    fn file(&mut self, path: &str, text: &str) -> Result<()> {
        let mut header = Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o600);
        Ok(self.0.append_data(&mut header, path, text.as_bytes())?)
    }

    fn link(&mut self, path: &str, to: &str, kind: EntryType) -> Result<()> {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(0);
        Ok(self.0.append_link(&mut header, path, to)?)
    }

    fn finish(self) -> Result<()> {
        self.0.into_inner()?.finish()?;
        Ok(())
    }
}
