//! A "layer" on this machine: an ext4 image on a loop device, mounted where docker would mount a container's device.

use ebusy_analyzer::report::{Effect, Holder, Remedy, Report, Status, When};
use ebusy_tests::harness::{
    Background, TempDir, need_command, need_path, need_root, output, run, sh, wait_until,
};
use ebusy_tests::synth::hex64;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// `O_EXCL` of asm-generic/fcntl.h, the same on x86 and arm: on a block device it means "nobody else has it".
const O_EXCL: i32 = 0o200;

pub(crate) struct Tools {
    pub(crate) collector: PathBuf,
    pub(crate) ebusy: PathBuf,
}

/// What every test here needs; skips by name.
pub(crate) fn tools(test: &str) -> Option<Tools> {
    let collector = need_path(test, "EBUSY_COLLECTOR")?;
    let ebusy = need_path(test, "EBUSY_BIN")?;
    for command in ["unshare", "nsenter", "losetup", "mkfs.ext4", "mount"] {
        need_command(test, command)?;
    }
    need_root(test).then_some(Tools { collector, ebusy })
}

/// A container's device, mounted below a directory of the test.
pub(crate) struct Layer {
    pub(crate) dir: TempDir,
    pub(crate) container: String,
    pub(crate) device: String,
    pub(crate) path: PathBuf,
}

impl Layer {
    pub(crate) fn mount(test: &str) -> Self {
        // Not in /tmp: what a service has on /tmp would hide the mount from everyone in its namespace.
        let dir = TempDir::below(Path::new("/var/tmp"), test);
        let container = hex64(&format!("container {test} {}", std::process::id()));
        let layer = hex64(&format!("layer {test} {}", std::process::id()));
        let home = dir.join("var/lib/docker/devicemapper");
        let path = home.join("mnt").join(&layer);
        std::fs::create_dir_all(&path).expect("directories can be made");
        let image = dir.join("image");
        let device =
            sh("truncate -s 16M \"$1\"; mkfs.ext4 -q -F \"$1\" >&2; losetup --find --show \"$1\"", &[&image]);
        let layer = Self { dir, container, device: device.trim().to_owned(), path };
        // As docker's storage drivers did: bound on itself and private, so that no umount reaches the copies.
        sh("mount --bind \"$1\" \"$1\"; mount --make-private \"$1\"", &[&home]);
        sh("mount \"$1\" \"$2\"; echo log > \"$2/file\"", &[Path::new(&layer.device), &layer.path]);
        std::fs::write(layer.log(), layer.error_line()).expect("the log can be written");
        layer
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.dir.join("docker.log")
    }

    pub(crate) fn layer_id(&self) -> String {
        self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    pub(crate) fn error_line(&self) -> String {
        format!(
            "time=\"2026-11-22T07:35:16.254781130Z\" level=error msg=\"Handler for DELETE /v1.29/containers/web \
             returned error: Driver devicemapper failed to remove root filesystem {}: failed to remove device {}: \
             Device is Busy\"\n",
            self.container,
            self.layer_id()
        )
    }

    pub(crate) fn umount(&self) {
        run(Command::new("umount").arg(&self.path));
    }

    pub(crate) fn is_free(&self) -> bool {
        std::fs::OpenOptions::new().read(true).custom_flags(O_EXCL).open(&self.device).is_ok()
    }

    pub(crate) fn assert_busy(&self) {
        assert!(!self.is_free(), "nothing holds {}: the test would prove nothing", self.device);
    }

    /// What the collector and the command make of the machine now.
    pub(crate) fn report(&self, tools: &Tools, query: &str) -> Report {
        report_of(tools, &self.dir, &self.log(), query)
    }
}

/// What the collector and the command make of the machine now, with a log added.
pub(crate) fn report_of(tools: &Tools, dir: &TempDir, log: &Path, query: &str) -> Report {
    let bundle = dir.join("bundle.tar.gz");
    run(Command::new(&tools.collector).arg("-o").arg(&bundle).arg("--log").arg(log));
    let mut analyze = Command::new(&tools.ebusy);
    analyze.arg("analyze").arg(&bundle).args(["--id", query, "--format", "json"]);
    let answer = output(&mut analyze);
    let json = String::from_utf8_lossy(&answer.stdout);
    serde_json::from_str(&json)
        .unwrap_or_else(|error| panic!("{error}: {json}{}", String::from_utf8_lossy(&answer.stderr)))
}

impl Drop for Layer {
    fn drop(&mut self) {
        let _ = output(Command::new("umount").arg("-l").arg(&self.path));
        let _ = output(Command::new("losetup").args(["-d", &self.device]));
    }
}

/// `unshare -m` with a script in it that goes on to sleep.
pub(crate) fn unshared(propagation: &str, script: &str, args: &[&Path]) -> Background {
    let script = format!("{script}\necho ready; exec sleep 100000");
    let mut command = Command::new("unshare");
    command.args(["-m", "--propagation", propagation, "sh", "-euc", &script, "sh"]).args(args);
    Background::start_until(&mut command, "ready").0
}

pub(crate) fn mount_namespace(pid: u32) -> u64 {
    inode(&std::fs::read_link(format!("/proc/{pid}/ns/mnt")).expect("it runs").to_string_lossy())
}

/// `4026532181` of `mnt:[4026532181]`.
pub(crate) fn inode(link: &str) -> u64 {
    link.trim_start_matches("mnt:[").trim_end_matches(']').parse().expect("a namespace has a number")
}

/// The blocking holders, by their first pid.
#[track_caller]
pub(crate) fn blocking<'a>(report: &'a Report, pids: &[u32]) -> Vec<&'a Holder> {
    assert_eq!(report.verdict.status, Status::Held, "{}", report.verdict.summary);
    let mut holders: Vec<&Holder> = report.holders.iter().filter(|h| h.effect == Effect::Blocking).collect();
    holders.sort_by_key(|holder| holder.pids.first().copied());
    let mut found: Vec<u32> = holders.iter().flat_map(|holder| holder.pids.clone()).collect();
    found.sort_unstable();
    let mut wanted = pids.to_vec();
    wanted.sort_unstable();
    assert_eq!(found, wanted, "{}", report.verdict.summary);
    holders
}

/// The first `now` remedy that is about the test's own directory or process: nobody wants a test to restart
/// services of the machine.
#[track_caller]
pub(crate) fn own_remedy<'h>(holder: &'h Holder, dir: &TempDir, own: &str) -> &'h Remedy {
    let dir = dir.path().to_string_lossy();
    let mine = |command: &str| {
        let named = command.contains(dir.as_ref()) || command.split([' ', '\n']).any(|word| word == own);
        named && !["systemctl", "docker ", "reboot", "find "].iter().any(|other| command.contains(other))
    };
    let remedy = holder.remedies.iter().find(|remedy| remedy.when == When::Now && mine(&remedy.command));
    remedy.unwrap_or_else(|| panic!("no remedy to try in {:#?}", holder.remedies))
}

/// Runs that remedy and waits until the layer's device is free.
#[track_caller]
pub(crate) fn follow_remedy(holder: &Holder, layer: &Layer, own: &str) {
    let command = &own_remedy(holder, &layer.dir, own).command;
    eprintln!("remedy: {command}");
    sh(command, &[] as &[&str]);
    wait_until(&format!("{} is free after {command}", layer.device), || layer.is_free().then_some(()));
}
