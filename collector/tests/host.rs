//! The collector on this very host, with namespaces, mounts and processes made for the purpose.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends by panicking")]

mod support;

use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::process::Command;

use support::{
    Bundle, Helper, Item, Scratch, collect, collector, inode_in, is_root, mount_namespace, sh, stderr,
};

/// The mount at `path` in a table: its id and device.
fn mount_at(table: &str, path: &str) -> (String, String) {
    let line =
        table.lines().find(|line| line.split(' ').nth(4) == Some(path)).expect("the mount is in the table");
    let fields: Vec<&str> = line.split(' ').collect();
    (fields[0].to_owned(), fields[2].to_owned())
}

fn table_of(pid: u32) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/mountinfo")).unwrap()
}

/// A process in a mount namespace of its own, with a tmpfs named `source` at `path`.
fn unshared(source: &str, path: &str) -> Helper {
    Helper::start(Command::new("unshare").args([
        "-m",
        "/bin/sh",
        "-ec",
        &format!("mount -t tmpfs {source} {path}; echo ready; exec sleep 1000"),
    ]))
}

#[test]
fn a_private_table_is_stored_once_for_all_its_processes() {
    if !is_root("a_private_table_is_stored_once_for_all_its_processes") {
        return;
    }
    let scratch = Scratch::new();
    let first = unshared("ebusy-once", &scratch.dir());
    let target = first.pid.to_string();
    let second = Helper::start(Command::new("nsenter").args([
        "-t",
        &target,
        "-m",
        "sh",
        "-c",
        "echo r; exec sleep 1000",
    ]));
    let bundle = collect(&[]);
    assert_eq!(bundle.stored_tables_with("ebusy-once").len(), 1);
    for pid in [first.pid, second.pid] {
        assert_eq!(bundle.must(&format!("proc/{pid}/mountinfo")), table_of(pid));
        let Some(Item::Symlink(link)) = bundle.items.get(&format!("proc/{pid}/ns/mnt")) else {
            panic!("no ns/mnt")
        };
        assert_eq!(inode_in(link), mount_namespace(first.pid));
    }
    let linked = |pid: u32| matches!(bundle.items[&format!("proc/{pid}/mountinfo")], Item::HardLink(_));
    assert!(linked(first.pid.max(second.pid)) && !linked(first.pid.min(second.pid)));
}

#[test]
fn another_root_in_the_same_namespace_has_a_table_of_its_own() {
    if !is_root("another_root_in_the_same_namespace_has_a_table_of_its_own") {
        return;
    }
    let scratch = Scratch::new();
    let root = scratch.dir();
    let outer = Helper::start(Command::new("unshare").args([
        "-m",
        "/bin/sh",
        "-ec",
        &format!("mount --bind / {root}; mount -t tmpfs ebusy-outer /mnt; echo ready; exec sleep 1000"),
    ]));
    let target = outer.pid.to_string();
    let enter = ["-t", &target, "-m", "chroot", &root, "/bin/sh", "-c", "echo ready; exec sleep 1000"];
    let inner = Helper::start(Command::new("nsenter").args(enter));
    assert_eq!(mount_namespace(outer.pid), mount_namespace(inner.pid));
    let bundle = collect(&[]);
    for pid in [outer.pid, inner.pid] {
        assert_eq!(bundle.must(&format!("proc/{pid}/mountinfo")), table_of(pid));
    }
    assert!(!bundle.must(&format!("proc/{}/mountinfo", inner.pid)).contains("ebusy-outer"));
}

/// A process whose table has a namespace bound at `dir/ns`, in which `command` was run and nothing is left.
///
/// The bind is in a private namespace itself, so this machine's own table stays as it is. On one CPU, because an older
/// namespace must not be bound in a newer one, and Linux 6.18 tells their age by numbers that it hands out to each CPU
/// in batches.
fn keeper(dir: &str, command: &str) -> Helper {
    let script = format!(
        "mount -t tmpfs x {dir}; mount --make-private {dir}; mkdir {dir}/m; : > {dir}/ns
         unshare --mount={dir}/ns {command}
         echo ready; exec sleep 1000"
    );
    Helper::start(Command::new("taskset").args(["-c", "0", "unshare", "-m", "/bin/sh", "-ec", &script]))
}

#[test]
fn a_namespace_that_a_bind_mount_keeps_is_entered() {
    if !is_root("a_namespace_that_a_bind_mount_keeps_is_entered") {
        return;
    }
    let scratch = Scratch::new();
    let dir = scratch.dir();
    let keeper = keeper(&dir, &format!("mount -t tmpfs ebusy-pinned {dir}/m"));
    let table = table_of(keeper.pid);
    let pinned =
        table.lines().find(|line| line.contains(" mnt:[")).expect("the bind is in the keeper's table");
    let inode = inode_in(pinned.split(' ').nth(3).unwrap());
    let bundle = collect(&[]);
    assert!(bundle.must(&format!("ns/mnt-{inode}/mountinfo")).contains("ebusy-pinned"));
    let kept_by = bundle.must(&format!("ns/mnt-{inode}/kept-by"));
    assert!(kept_by.lines().any(|line| line == format!("bind {} {dir}/ns", keeper.pid)), "{kept_by}");
}

/// A sandboxed service: what is mounted outside of its chroot is in no table of any process.
#[test]
fn a_namespace_whose_processes_are_all_in_a_chroot_is_entered() {
    if !is_root("a_namespace_whose_processes_are_all_in_a_chroot_is_entered") {
        return;
    }
    let scratch = Scratch::new();
    let root = scratch.dir();
    let script = format!(
        "mount --bind / {root}; mount -t tmpfs ebusy-outside /mnt
         exec chroot {root} /bin/sh -c 'echo ready; exec sleep 1000'"
    );
    let jailed = Helper::start(Command::new("unshare").args(["-m", "/bin/sh", "-ec", &script]));
    assert!(!table_of(jailed.pid).contains("ebusy-outside"));
    let inode = mount_namespace(jailed.pid);
    let bundle = collect(&[]);
    assert!(bundle.must(&format!("ns/mnt-{inode}/mountinfo")).contains("ebusy-outside"));
    assert_eq!(bundle.must(&format!("proc/{}/mountinfo", jailed.pid)), table_of(jailed.pid));
    assert!(!bundle.items.contains_key(&format!("ns/mnt-{inode}/kept-by")), "a process is in it");
}

#[test]
fn a_namespace_that_a_descriptor_keeps_is_entered() {
    if !is_root("a_namespace_that_a_descriptor_keeps_is_entered") {
        return;
    }
    let scratch = Scratch::new();
    let inhabitant = unshared("ebusy-by-fd", &scratch.dir());
    let inode = mount_namespace(inhabitant.pid);
    let keeper =
        Helper::shell(&format!("exec 7</proc/{}/ns/mnt; echo ready; exec sleep 1000", inhabitant.pid));
    drop(inhabitant);
    let bundle = collect(&[]);
    assert!(bundle.must(&format!("ns/mnt-{inode}/mountinfo")).contains("ebusy-by-fd"));
    assert_eq!(bundle.must(&format!("ns/mnt-{inode}/kept-by")), format!("fd {} 7\n", keeper.pid));
}

#[test]
fn after_a_lazy_umount_device_and_mount_id_are_still_told() {
    if !is_root("after_a_lazy_umount_device_and_mount_id_are_still_told") {
        return;
    }
    let scratch = Scratch::new();
    let dir = scratch.dir();
    let script = format!(
        "mount -t tmpfs ebusy-lazy {dir}; cat /proc/self/mountinfo > /{dir}/table; cd {dir}; exec 7<table
         echo ready; read go <&8; umount -l {dir}; echo gone > {dir}/gone; exec sleep 1000"
    );
    let pipe = Scratch::new();
    sh(&format!("mkfifo {}", pipe.path("go")));
    let script = script.replace("<&8", &format!("< {}", pipe.path("go")));
    let holder = Helper::start(Command::new("unshare").args(["-m", "/bin/sh", "-ec", &script]));
    let (mount, device) = mount_at(&table_of(holder.pid), &dir);
    sh(&format!("echo go > {}", pipe.path("go")));
    let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while !support::exists(&format!("{dir}/gone")) {
        assert!(std::time::Instant::now() < until, "the umount did not happen");
        std::thread::yield_now();
    }
    let bundle = collect(&[]);
    assert!(!bundle.must(&format!("proc/{}/mountinfo", holder.pid)).contains("ebusy-lazy"));
    for (name, kind) in [("cwd", "dir"), ("fd/7", "reg")] {
        let value = |key| bundle.link_value(holder.pid, name, key).unwrap_or_default();
        assert_eq!(
            (value("dev"), value("mnt"), value("type")),
            (device.clone(), mount.clone(), kind.into()),
            "{name}"
        );
    }
    let without = collect(&["--no-fds"]);
    assert!(without.link_value(holder.pid, "cwd", "dev").is_some());
    assert!(!without.items.contains_key(&format!("proc/{}/fd/7", holder.pid)));
}

#[test]
fn a_file_that_is_only_mapped_is_told() {
    if !is_root("a_file_that_is_only_mapped_is_told") {
        return;
    }
    let scratch = Scratch::new();
    let dir = scratch.dir();
    // A program of its own on the tmpfs is `exe`; a library preloaded from there is only mapped.
    let library = "$(ldd /bin/sh | grep -o '/[^ ]*libc[^ ]*' | head -n 1)";
    let holder = Helper::start(Command::new("unshare").args([
        "-m",
        "/bin/sh",
        "-ec",
        &format!(
            "mount -t tmpfs ebusy-map {dir}; cp {library} {dir}/mapped.so
             export LD_PRELOAD={dir}/mapped.so; exec /bin/sh -c 'echo ready; exec sleep 1000'"
        ),
    ]));
    let (mount, device) = mount_at(&table_of(holder.pid), &dir);
    let links = collect(&[]).must(&format!("proc/{}/links", holder.pid));
    let line = links
        .lines()
        .find(|line| line.starts_with("map/") && line.ends_with(&format!(" path={dir}/mapped.so")));
    let line = line.unwrap_or_else(|| panic!("no mapped file in {links}"));
    assert!(line.contains(&format!(" dev={device} ")) && line.contains(&format!(" mnt={mount} ")), "{line}");
}

/// A FUSE mount whose server never answers: any question about a file on it would wait for ever.
#[test]
fn a_file_server_that_never_answers_is_not_asked() {
    if !is_root("a_file_server_that_never_answers_is_not_asked") {
        return;
    }
    let scratch = Scratch::new();
    let dir = scratch.dir();
    let server = Helper::start(Command::new("unshare").args([
        "-m",
        "/bin/sh",
        "-ec",
        &format!(
            "exec 9<>/dev/fuse
             mount -i -t fuse -o fd=9,rootmode=40000,user_id=0,group_id=0 ebusy-dead {dir}
             echo ready; exec sleep 1000"
        ),
    ]));
    let path = format!("/proc/{}/root{dir}", server.pid);
    let open = std::fs::OpenOptions::new().read(true).custom_flags(libc::O_PATH).open(path).unwrap();
    let (mount, device) = mount_at(&table_of(server.pid), &dir);
    let bundle = collect(&["--timeout", "30"]);
    let summary = bundle.must("summary.json");
    assert!(
        bundle.json("summary.json")["complete"] == true && !summary.contains("did not answer"),
        "{summary}"
    );
    let name = format!("fd/{}", open.as_raw_fd());
    let value = |key| bundle.link_value(std::process::id(), &name, key);
    assert_eq!((value("dev"), value("mnt")), (Some(device), Some(mount)));
}

#[test]
fn loop_devices_tell_where_their_file_is() {
    if !is_root("loop_devices_tell_where_their_file_is") {
        return;
    }
    let scratch = Scratch::new();
    let image = scratch.path("image");
    sh(&format!("truncate -s 1M {image}"));
    let output = Command::new("losetup").args(["-f", "--show", &image]).output().unwrap();
    let device = String::from_utf8(output.stdout).unwrap().trim().to_owned();
    if device.is_empty() {
        println!(
            "skipped: loop_devices_tell_where_their_file_is: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        return;
    }
    let bundle = collect(&[]);
    Command::new("losetup").args(["-d", &device]).status().unwrap();
    let base = format!("sys/block/{}/loop", device.trim_start_matches("/dev/"));
    let stat = std::os::unix::fs::MetadataExt::ino(&std::fs::metadata(&image).unwrap());
    let dev = std::os::unix::fs::MetadataExt::dev(&std::fs::metadata(&image).unwrap());
    let expected = format!("dev={}:{} ino={stat}\n", libc::major(dev), libc::minor(dev));
    assert_eq!(bundle.must(&format!("{base}/status")), expected);
    assert_eq!(bundle.must(&format!("{base}/backing_file")).trim(), image);
}

#[test]
fn zombies_are_counted_and_kept() {
    // A child that has ended and that nobody has waited for yet.
    let mut child = Command::new("true").spawn().unwrap();
    let zombie = child.id();
    let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while !std::fs::read_to_string(format!("/proc/{zombie}/stat")).unwrap().contains(") Z ") {
        assert!(std::time::Instant::now() < until, "the child did not end");
        std::thread::yield_now();
    }
    let bundle = collect(&[]);
    assert!(bundle.must(&format!("proc/{zombie}/stat")).contains(") Z "));
    assert!(!bundle.items.contains_key(&format!("proc/{zombie}/mountinfo")));
    let summary = bundle.json("summary.json");
    let skipped = summary["skipped"].as_array().unwrap();
    let zombies = skipped.iter().find(|s| s["error"] == "EINVAL").expect("zombies are counted");
    assert!(zombies["why"].as_str().unwrap().contains("zombie"));
    child.wait().unwrap();
}

#[test]
fn without_privilege_it_says_what_is_missing() {
    if !is_root("without_privilege_it_says_what_is_missing") {
        return;
    }
    let scratch = Scratch::new();
    let program = scratch.path("collector");
    std::fs::copy(env!("CARGO_BIN_EXE_ebusy-collector"), &program).unwrap();
    let foreign = unshared("ebusy-foreign", "/mnt");
    let output = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups", &program, "-o", "-"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let told = stderr(&output);
    assert!(told.contains("proc/PID/ns/*") && told.contains("Run it as root"), "{told}");
    let bundle = Bundle::read(&output.stdout);
    assert_eq!(bundle.name(foreign.pid), "sleep");
    assert!(!bundle.items.contains_key(&format!("proc/{}/ns/mnt", foreign.pid)));
    let summary = bundle.json("summary.json");
    let skipped = summary["skipped"].as_array().unwrap();
    assert!(skipped.iter().any(|s| s["error"] == "EACCES" && s["count"].as_u64() > Some(1)), "{summary}");
    assert_eq!(bundle.json("manifest.json")["uid"], 65534);
}

#[test]
fn in_a_user_namespace_it_still_writes_a_bundle() {
    if !is_root("in_a_user_namespace_it_still_writes_a_bundle") {
        return;
    }
    let program = env!("CARGO_BIN_EXE_ebusy-collector");
    let output = Command::new("unshare").args(["-U", "-r", "-m", program, "-o", "-"]).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(Bundle::read(&output.stdout).json("summary.json")["complete"] == true);
}

#[test]
fn from_a_container_with_the_hosts_proc_at_another_place() {
    if !is_root("from_a_container_with_the_hosts_proc_at_another_place") {
        return;
    }
    let scratch = Scratch::new();
    let dir = scratch.path("proc");
    std::fs::create_dir(&dir).unwrap();
    let foreign = unshared("ebusy-outside", "/mnt");
    let program = env!("CARGO_BIN_EXE_ebusy-collector");
    let script =
        format!("mount --rbind /proc {dir}; mount -t proc x /proc; exec {program} --proc {dir} -o -");
    let output =
        Command::new("unshare").args(["-m", "-p", "-f", "/bin/sh", "-ec", &script]).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let bundle = Bundle::read(&output.stdout);
    assert_eq!(bundle.must(&format!("proc/{}/mountinfo", foreign.pid)), table_of(foreign.pid));
    let own = bundle.json("manifest.json")["pid"].as_u64().expect("its own pid, as the host knows it");
    assert!("ebusy-collector".starts_with(&bundle.name(own as u32)));
}

/// Plain stderr output is one thing; a progress line only belongs on a terminal.
#[test]
fn no_progress_line_without_a_terminal() {
    let output = collector().args(["-o", "-"]).output().unwrap();
    assert!(!stderr(&output).contains(['\r', '\x1b']), "{:?}", stderr(&output));
}

/// A namespace bound inside a namespace that itself has no process.
#[test]
fn a_namespace_inside_a_pinned_one_is_entered_too() {
    if !is_root("a_namespace_inside_a_pinned_one_is_entered_too") {
        return;
    }
    let scratch = Scratch::new();
    let dir = scratch.dir();
    let keeper = keeper(
        &dir,
        &format!(
            "/bin/sh -ec '
                 mount -t tmpfs ebusy-outer {dir}/m; mount --make-private {dir}/m; : > {dir}/m/ns; mkdir {dir}/m/m
                 unshare --mount={dir}/m/ns mount -t tmpfs ebusy-inner {dir}/m/m'"
        ),
    );
    assert!(!table_of(keeper.pid).contains("ebusy-outer"));
    let bundle = collect(&[]);
    let outer = bundle.stored_tables_with("ebusy-outer");
    let inner = bundle.stored_tables_with("ebusy-inner");
    assert!(outer.iter().chain(&inner).all(|path| path.starts_with("ns/mnt-")), "{outer:?} {inner:?}");
    let [inner] = inner.as_slice() else { panic!("{inner:?}") };
    let outer = outer.iter().find(|path| *path != inner).expect("the outer table");
    let kept_by = bundle.must(&inner.replace("mountinfo", "kept-by"));
    let inode = inode_in(outer.trim_end_matches("/mountinfo").trim_start_matches("ns/mnt-"));
    assert_eq!(kept_by, format!("bind mnt:[{inode}] {dir}/m/ns\n"));
}

/// A process with this working directory and an open file in it, whose first thread ends and whose second one stays.
fn without_first_thread(dir: &str) -> u32 {
    const STACK: usize = 64 << 10;
    extern "C" fn stay(_: *mut libc::c_void) -> libc::c_int {
        loop {
            // SAFETY: takes nothing.
            unsafe { libc::pause() };
        }
    }
    let dir = std::ffi::CString::new(dir).unwrap();
    let mut stack = vec![0_u8; STACK];
    // SAFETY: nothing uses the allocator or locks after the fork. The child has a copy of `stack`, which lives as long
    // as it does; the thread shares memory, files and directory with it and needs nothing of the first one.
    unsafe {
        let pid = libc::fork();
        if pid != 0 {
            return u32::try_from(pid).unwrap();
        }
        libc::chdir(dir.as_ptr());
        libc::open(c"file".as_ptr(), libc::O_CREAT | libc::O_RDWR, 0o600);
        let flags =
            libc::CLONE_VM | libc::CLONE_FS | libc::CLONE_FILES | libc::CLONE_SIGHAND | libc::CLONE_THREAD;
        let top = stack.as_mut_ptr().add(STACK & !15).cast();
        libc::clone(stay, top, flags, std::ptr::null_mut());
        libc::syscall(libc::SYS_exit, 0);
        libc::_exit(1)
    }
}

/// Such a process is called a zombie, and its directory in /proc is empty; what it keeps is its threads'.
#[test]
fn what_a_process_keeps_is_seen_when_only_its_first_thread_has_ended() {
    if !is_root("what_a_process_keeps_is_seen_when_only_its_first_thread_has_ended") {
        return;
    }
    let scratch = Scratch::new();
    let pid = without_first_thread(&scratch.dir());
    while !std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap().contains(") Z ") {
        std::thread::yield_now();
    }
    let bundle = collect(&[]);
    // SAFETY: takes numbers only; it is this test's own child.
    unsafe {
        libc::kill(pid as i32, libc::SIGKILL);
        libc::waitpid(pid as i32, std::ptr::null_mut(), 0);
    }
    let dir = scratch.dir();
    let file = format!("{dir}/file");
    for (name, text) in [("cwd", &dir), ("fd/3", &file)] {
        let found = bundle.items.iter().any(|(path, item)| {
            let is_fd = name != "cwd" && path.starts_with(&format!("proc/{pid}/fd/"));
            (path == &format!("proc/{pid}/{name}") || is_fd) && *item == Item::Symlink(text.clone())
        });
        assert!(found, "{name}");
    }
    assert_eq!(bundle.link_value(pid, "cwd", "type").as_deref(), Some("dir"));
    assert_eq!(bundle.must(&format!("proc/{pid}/mountinfo")), table_of(std::process::id()));
    assert!(bundle.must(&format!("proc/{pid}/stat")).contains(") Z "));
}

/// This test's own thread leaves the mount namespace that its process is in.
#[test]
fn a_thread_in_another_namespace_is_found() {
    if !is_root("a_thread_in_another_namespace_is_found") {
        return;
    }
    let scratch = Scratch::new();
    let foreign = unshared("ebusy-thread", &scratch.dir());
    let file = std::fs::File::open(format!("/proc/{}/ns/mnt", foreign.pid)).unwrap();
    let inode = mount_namespace(foreign.pid);
    let (ready, wait_ready) = std::sync::mpsc::channel();
    let (done, wait_done) = std::sync::mpsc::channel::<()>();
    let thread = std::thread::spawn(move || {
        // SAFETY: both calls take numbers only and concern this thread.
        let entered =
            unsafe { libc::unshare(libc::CLONE_FS) | libc::setns(file.as_raw_fd(), libc::CLONE_NEWNS) };
        drop(file);
        // SAFETY: takes nothing.
        ready.send((entered, unsafe { libc::gettid() })).unwrap();
        wait_done.recv().ok();
    });
    let (entered, thread_id) = wait_ready.recv().unwrap();
    assert_eq!(entered, 0);
    drop(foreign);
    let bundle = collect(&[]);
    drop(done);
    thread.join().unwrap();
    assert!(bundle.must(&format!("ns/mnt-{inode}/mountinfo")).contains("ebusy-thread"));
    let kept_by = bundle.must(&format!("ns/mnt-{inode}/kept-by"));
    assert_eq!(kept_by, format!("thread {} {thread_id}\n", std::process::id()));
}
