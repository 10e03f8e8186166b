//! A machine of its own in an emulator (qemu), for what the kernel under the tests may not have: device-mapper,
//! AppArmor, SELinux. It boots Debian's kernel into an initramfs with busybox and what a test adds, and runs scripts
//! that come over a serial line.
//!
//! Without KVM it is up in about three seconds, because nothing but the kernel is started.

use crate::harness::{TempDir, need_command, need_path, output, output_with, sh};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// The first process: moves everything out of the initramfs, on which no `pivot_root` works; mounts what the kernel
/// gives; then runs each line of the second serial port as a script. A script is one line of base64; the answer is its
/// output in the same way, and its exit code behind it.
const INIT: &str = r#"#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin:/sbin:/usr/bin:/usr/sbin:/usr/local/bin
if [ -d /root ]; then
    rmdir /root
    mkdir /new
    mount -t tmpfs -o size=90% root /new
    for name in /*; do
        [ "$name" = /new ] || mv "$name" /new
    done
    cp /new/init /init
    exec /new/bin/busybox switch_root /new /init
fi
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp
mount -t securityfs security /sys/kernel/security
. /etc/environment
while read -r module; do insmod "$module"; done < /lib/modules/order
stty -F /dev/ttyS1 raw -echo
exec 3<>/dev/ttyS1
echo ready >&3
while read -r line <&3; do
    echo "$line" | base64 -d > /tmp/script
    sh -eu /tmp/script > /tmp/output 2>&1 3>&-
    code=$?
    base64 -w 0 /tmp/output >&3
    echo " $code" >&3
done
"#;

/// How long a script may take. Generous, as an emulated processor is slow: only a broken test gets there.
const DEADLINE: Duration = Duration::from_secs(300);

/// What a guest is made of, before it boots.
#[derive(Debug)]
pub struct Parts {
    dir: TempDir,
    qemu: PathBuf,
    kernel: PathBuf,
    megabytes: u32,
    skips_waits: bool,
}

impl Parts {
    /// Skips `test` where there is no emulator or no kernel for it.
    pub fn need(test: &str) -> Option<Self> {
        let kernel = need_path(test, "EBUSY_GUEST_KERNEL")?;
        let qemu = need_command(test, "qemu-system-x86_64")?;
        let busybox = need_command(test, "busybox")?;
        let dir = TempDir::new("guest");
        let parts = Self { dir, qemu, kernel, megabytes: 512, skips_waits: false };
        // That there is a `root` tells that it is the initramfs.
        for name in ["bin", "proc", "sys", "dev", "tmp", "run", "root"] {
            std::fs::create_dir(parts.path(name)).expect("a directory can be made");
        }
        parts.program(&busybox, "bin/busybox");
        parts.file("init", INIT.as_bytes());
        parts.file("lib/modules/order", b"");
        parts.file("etc/environment", b"");
        Some(parts)
    }

    fn path(&self, name: &str) -> PathBuf {
        let root = self.dir.join("root");
        std::fs::create_dir_all(&root).expect("a directory can be made");
        root.join(name)
    }

    /// An executable file.
    pub fn file(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("it is below the root"))
            .expect("a directory can be made");
        std::fs::write(&path, bytes).expect("a file can be written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("it was just made");
    }

    /// A static program of this machine.
    pub fn program(&self, from: &Path, name: &str) {
        self.file(name, &std::fs::read(from).expect("the program can be read"));
    }

    /// A program of this machine with the libraries that it is linked with, where they are here.
    pub fn program_with_libraries(&self, from: &Path) {
        // Of a static program ldd says that it is none of its kind.
        let libraries = output(Command::new("ldd").arg(from)).stdout;
        let libraries = String::from_utf8_lossy(&libraries);
        let paths = libraries.split_whitespace().filter(|word| word.starts_with('/'));
        for path in paths.chain([from.to_string_lossy().as_ref()]) {
            self.program(Path::new(path), path.trim_start_matches('/'));
        }
    }

    /// The environment of all scripts.
    pub fn environment(&self, variables: &str) {
        self.file("etc/environment", format!("export {variables}\n").as_bytes());
    }

    /// Modules of the kernel that are loaded at the start, each after those that it needs.
    pub fn modules(&self, names: &[&str]) {
        let mut order = String::new();
        for name in names {
            let found = sh(
                "find \"$1\" -name \"$2.ko\"",
                &[self.kernel.join("lib/modules").as_os_str(), name.as_ref()],
            );
            let at = format!("lib/modules/{name}.ko");
            self.program(Path::new(found.trim()), &at);
            order += &format!("/{at}\n");
        }
        self.file("lib/modules/order", order.as_bytes());
    }

    /// More memory than 512 MB.
    pub fn memory(&mut self, megabytes: u32) {
        self.megabytes = megabytes;
    }

    /// The guest's clock goes by its instructions and jumps where it only waits: what takes docker minutes of trying again
    /// is over at once.
    pub fn skip_waits(&mut self) {
        self.skips_waits = true;
    }

    /// Boots it with arguments for the kernel.
    pub fn boot(self, arguments: &str) -> Guest {
        let (initramfs, console) = (self.dir.join("initramfs"), self.dir.join("console"));
        sh(
            "cd \"$1\"; find . | busybox cpio -o -H newc 2>/dev/null > \"$2\"",
            &[self.dir.join("root").as_path(), &initramfs],
        );
        let image = sh("ls \"$1\"/boot/vmlinuz-*", &[&self.kernel]);
        let mut command = Command::new(&self.qemu);
        command
            .args(["-machine", "pc", "-cpu", "max", "-m", &self.megabytes.to_string()])
            .args(["-nodefaults", "-no-user-config", "-display", "none"])
            .args(["-no-reboot", "-kernel", image.trim(), "-initrd"])
            .arg(&initramfs)
            .args(["-append", &format!("console=ttyS0 quiet panic=-1 {arguments}")])
            .arg("-serial")
            .arg(format!("file:{}", console.display()))
            .args(["-serial", "stdio"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        if self.skips_waits {
            command.args(["-icount", "shift=2,sleep=off"]);
        }
        let mut qemu = command.spawn().expect("qemu starts");
        let scripts = qemu.stdin.take().expect("it was piped");
        let answers = BufReader::new(qemu.stdout.take().expect("it was piped"));
        let (sender, lines) = channel();
        // A thread of its own: a guest that hangs must end the test, not wait with it.
        std::thread::spawn(move || {
            answers.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        let mut guest = Guest { qemu, scripts, lines, console, _dir: self.dir };
        assert_eq!(guest.line(), "ready");
        guest
    }
}

/// A guest that runs. It ends with this.
#[derive(Debug)]
pub struct Guest {
    qemu: Child,
    scripts: ChildStdin,
    lines: Receiver<String>,
    console: PathBuf,
    _dir: TempDir,
}

/// What a script gave.
#[derive(Debug)]
pub struct Answer {
    /// Exit code.
    pub code: i32,
    /// Standard output and standard error.
    pub output: Vec<u8>,
}

impl Answer {
    /// The output as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.output).into_owned()
    }
}

impl Guest {
    #[expect(clippy::panic, reason = "ends the test with what the guest printed")]
    fn line(&mut self) -> String {
        self.lines.recv_timeout(DEADLINE).unwrap_or_else(|error| {
            let console = std::fs::read(&self.console).unwrap_or_default();
            panic!("the guest said nothing more: {error}\n{}", String::from_utf8_lossy(&console))
        })
    }

    /// Runs a script to its end.
    pub fn run(&mut self, script: &str) -> Answer {
        let encoded = base64(&["-w", "0"], script.as_bytes());
        self.scripts.write_all(&[&*encoded, b"\n"].concat()).expect("the guest listens");
        let line = self.line();
        let (encoded, code) = line.rsplit_once(' ').expect("an answer ends with the exit code");
        let code = code.parse().expect("an exit code is a number");
        Answer { code, output: base64(&["-d"], encoded.as_bytes()) }
    }

    /// Runs a script that must succeed; what it printed.
    #[track_caller]
    pub fn sh(&mut self, script: &str) -> String {
        let answer = self.run(script);
        assert_eq!(answer.code, 0, "{script}\n{}", answer.text());
        answer.text()
    }
}

fn base64(options: &[&str], input: &[u8]) -> Vec<u8> {
    output_with(Command::new("base64").args(options), input).stdout
}

impl Drop for Guest {
    fn drop(&mut self) {
        let _ = self.qemu.kill();
        let _ = self.qemu.wait();
    }
}
