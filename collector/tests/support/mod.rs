//! Runs the real collector and reads what it wrote.
#![allow(dead_code, reason = "each test file uses its part")]

pub(crate) mod fuse;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

/// One entry of a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    File(Vec<u8>),
    /// The text of a symbolic link.
    Symlink(String),
    /// The path, in the bundle, of the entry that this one is a hard link to.
    HardLink(String),
}

/// A bundle that was read back, by paths below its one directory.
#[derive(Debug)]
pub(crate) struct Bundle {
    pub(crate) items: BTreeMap<String, Item>,
    pub(crate) order: Vec<String>,
}

impl Bundle {
    pub(crate) fn read(gz: &[u8]) -> Self {
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(gz));
        let mut bundle = Self { items: BTreeMap::new(), order: vec![] };
        let below = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes).into_owned();
            text.split_once('/').map(|(_, rest)| rest.to_owned()).expect("one directory at the top")
        };
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let path = below(&entry.path_bytes());
            let link = entry.link_name_bytes().map(|l| l.into_owned()).unwrap_or_default();
            let item = match entry.header().entry_type() {
                tar::EntryType::Symlink => Item::Symlink(String::from_utf8_lossy(&link).into_owned()),
                tar::EntryType::Link => Item::HardLink(below(&link)),
                tar::EntryType::Regular => {
                    let mut data = Vec::new();
                    entry.read_to_end(&mut data).unwrap();
                    Item::File(data)
                }
                other => panic!("{path}: {other:?}"),
            };
            bundle.order.push(path.clone());
            assert!(bundle.items.insert(path.clone(), item).is_none(), "{path} is there twice");
        }
        bundle
    }

    /// The text of a file, through a hard link if it is one.
    pub(crate) fn text(&self, path: &str) -> Option<String> {
        match self.items.get(path)? {
            Item::File(data) => Some(String::from_utf8_lossy(data).into_owned()),
            Item::HardLink(target) => self.text(target),
            Item::Symlink(text) => Some(text.clone()),
        }
    }

    pub(crate) fn must(&self, path: &str) -> String {
        self.text(path).unwrap_or_else(|| panic!("no {path}; summary: {}", self.json("summary.json")))
    }

    pub(crate) fn json(&self, path: &str) -> Value {
        serde_json::from_str(&self.text(path).unwrap_or_default()).unwrap_or_default()
    }

    /// Paths of mount tables that are stored, not linked, and contain the text.
    pub(crate) fn stored_tables_with(&self, text: &str) -> Vec<String> {
        let has = |item: &Item| matches!(item, Item::File(d) if String::from_utf8_lossy(d).contains(text));
        let tables = self.items.iter().filter(|(path, item)| path.ends_with("/mountinfo") && has(item));
        tables.map(|(path, _)| path.clone()).collect()
    }

    /// A process's short name, as its `stat` has it.
    pub(crate) fn name(&self, pid: u32) -> String {
        let stat = self.must(&format!("proc/{pid}/stat"));
        let (before, _) = stat.rsplit_once(')').unwrap();
        before.split_once('(').unwrap().1.to_owned()
    }

    /// `KEY=` of a line of `proc/PID/links`.
    pub(crate) fn link_value(&self, pid: u32, name: &str, key: &str) -> Option<String> {
        let links = self.must(&format!("proc/{pid}/links"));
        let line = links.lines().find(|line| line.split(' ').next() == Some(name))?;
        line.split(' ').find_map(|field| Some(field.strip_prefix(key)?.strip_prefix('=')?.to_owned()))
    }

    /// Everything in the bundle, for looking for what must not be there.
    pub(crate) fn all_bytes(&self) -> Vec<u8> {
        let mut all = Vec::new();
        for (path, item) in &self.items {
            all.extend_from_slice(path.as_bytes());
            match item {
                Item::File(data) => all.extend_from_slice(data),
                Item::Symlink(text) | Item::HardLink(text) => all.extend_from_slice(text.as_bytes()),
            }
        }
        all
    }
}

pub(crate) fn contains(haystack: &[u8], needle: &str) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle.as_bytes())
}

pub(crate) fn collector() -> Command {
    Command::new(env!("CARGO_BIN_EXE_ebusy-collector"))
}

/// Runs the collector with `-o -` and these arguments.
pub(crate) fn collect(arguments: &[&str]) -> Bundle {
    let output = collector().args(["-o", "-"]).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    Bundle::read(&output.stdout)
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A directory of its own for a test, removed at the end.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("ebusy-collector-test-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(crate) fn link(&self, path: &str, target: &str) {
        let path = self.0.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(target, path).unwrap();
    }

    pub(crate) fn path(&self, path: &str) -> String {
        self.0.join(path).to_str().unwrap().to_owned()
    }

    pub(crate) fn dir(&self) -> String {
        self.0.to_str().unwrap().to_owned()
    }

    pub(crate) fn names(&self, path: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.join(path)).unwrap();
        let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

/// A process that has said that it is ready. Ended, by its id, at the end of the test.
pub(crate) struct Helper {
    pub(crate) child: Child,
    pub(crate) pid: u32,
}

impl Helper {
    /// Runs a shell script that prints a line when it is ready and goes on living.
    pub(crate) fn shell(script: &str) -> Self {
        Self::start(Command::new("/bin/sh").args(["-c", script]))
    }

    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let pid = child.id();
        assert!(!line.is_empty(), "the helper did not get ready");
        Self { child, pid }
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Whether this test can run as root; says that it is skipped otherwise.
pub(crate) fn is_root(test: &str) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let capabilities = status.lines().find_map(|line| line.strip_prefix("CapEff:")).unwrap().trim();
    // CAP_SYS_CHROOT 18, CAP_SYS_PTRACE 19, CAP_SYS_ADMIN 21
    let needed = 1 << 18 | 1 << 19 | 1 << 21;
    let enough = u64::from_str_radix(capabilities, 16).unwrap() & needed == needed;
    if !enough {
        println!("skipped: {test}: needs root");
    }
    enough
}

/// The inode number in `/proc/PID/ns/mnt`.
pub(crate) fn mount_namespace(pid: u32) -> u64 {
    let link = std::fs::read_link(format!("/proc/{pid}/ns/mnt")).unwrap();
    inode_in(link.to_str().unwrap())
}

pub(crate) fn inode_in(text: &str) -> u64 {
    text.trim_start_matches(|c: char| !c.is_ascii_digit()).trim_end_matches(']').parse().unwrap()
}

/// Ends a mount when the test ends.
pub(crate) struct Mounted(pub(crate) String);

impl Drop for Mounted {
    fn drop(&mut self) {
        Command::new("umount").args(["-l", &self.0]).status().ok();
    }
}

pub(crate) fn sh(script: &str) {
    let status = Command::new("/bin/sh").args(["-ec", script]).status().unwrap();
    assert!(status.success(), "{script}");
}

/// Whether a program is in `PATH`.
pub(crate) fn is_installed(program: &str) -> bool {
    let script = format!("command -v {program} >/dev/null");
    Command::new("/bin/sh").args(["-c", &script]).status().unwrap().success()
}

pub(crate) fn exists(path: &str) -> bool {
    Path::new(path).exists()
}

/// Whether the file system of a directory has files without a name (`O_TMPFILE`).
pub(crate) fn has_nameless_files(dir: &Path) -> bool {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = std::fs::File::options();
    options.write(true).custom_flags(libc::O_TMPFILE).open(dir).is_ok()
}
