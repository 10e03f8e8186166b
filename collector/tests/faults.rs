//! What goes wrong around a collection: it is killed, has nowhere to write, may not call the kernel, or is given
//! nonsense. Never a half file under the bundle's name.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends by panicking")]

mod support;

use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Instant;

use support::{Bundle, Helper, Scratch, collect, collector, is_root, sh, stderr};

/// A small host of 60 processes.
fn host() -> Scratch {
    let host = Scratch::new();
    host.write("proc/version", "Linux version 6.1.0\n");
    host.write("proc/stat", "btime 1795332813\n");
    for pid in 1..=60 {
        host.write(&format!("proc/{pid}/stat"), &format!("{pid} (sh) S 1 1 1 0 -1 4194304 0"));
        let table = format!("21 1 253:1 / / rw - ext4 /dev/vda1 rw\n{pid} 21 0:{pid} / /m rw - tmpfs x rw\n");
        host.write(&format!("proc/{pid}/mountinfo"), &table.repeat(20));
    }
    host
}

#[test]
fn killed_at_any_time_it_leaves_a_whole_bundle_or_none() {
    let (host, target) = (host(), Scratch::new());
    let path = target.path("b.tar.gz");
    let start = || {
        let mut command = collector();
        command.args(["-q", "-o", &path, "--root", &host.dir()]).spawn().unwrap()
    };
    let begun = Instant::now();
    assert!(start().wait().unwrap().success());
    let (took, mut killed, mut whole) = (begun.elapsed(), 0, 0);
    let leaves_nothing = support::has_nameless_files(&target.0);
    std::fs::remove_file(&path).unwrap();
    for number in 0..200 {
        let mut child = start();
        let until = Instant::now() + took * number / 200;
        while Instant::now() < until {
            std::thread::yield_now();
        }
        child.kill().unwrap();
        killed += u32::from(!child.wait().unwrap().success());
        if let Ok(bytes) = std::fs::read(&path) {
            whole += 1;
            assert_eq!(Bundle::read(&bytes).json("summary.json")["processes"], 60, "kill {number}");
            std::fs::remove_file(&path).unwrap();
        }
        if leaves_nothing {
            assert_eq!(target.names(""), [] as [&str; 0], "kill {number}");
        }
    }
    println!("{killed} of 200 runs were killed before their end, {whole} left a bundle");
    assert!(killed > 20, "{killed}");
    // What killed runs have left is in nobody's way.
    assert!(start().wait().unwrap().success());
}

/// In a directory that everybody may write to, somebody has put links where the unfinished file may be.
#[test]
fn prepared_links_are_not_followed() {
    let (host, target) = (host(), Scratch::new());
    std::fs::set_permissions(&target.0, std::fs::Permissions::from_mode(0o1777)).unwrap();
    target.write("victim", "precious");
    // The collector's process id is one of the next.
    let mut next = Command::new("true").spawn().unwrap();
    next.wait().unwrap();
    for pid in next.id()..next.id() + 2000 {
        target.link(&format!(".b.tar.gz.partial-{pid}-0"), &target.path("victim"));
        target.link(&format!(".b.tar.gz.partial-{pid}-1"), &target.path("created"));
    }
    let path = target.path("b.tar.gz");
    // Only a file that is replaced has a temporary name on every file system.
    target.write("b.tar.gz", "old");
    let output = collector().args(["-o", &path, "--root", &host.dir()]).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(Bundle::read(&std::fs::read(&path).unwrap()).json("summary.json")["complete"], true);
    assert_eq!(std::fs::read(target.0.join("victim")).unwrap(), b"precious");
    assert!(!target.0.join("created").exists());
}

#[test]
fn a_target_that_cannot_be_written_to_is_named() {
    if !is_root("a_target_that_cannot_be_written_to_is_named") {
        return;
    }
    let (host, scratch) = (host(), Scratch::new());
    let mount = scratch.path("read-only");
    std::fs::create_dir(&mount).unwrap();
    sh(&format!("mount -t tmpfs -o ro read-only {mount}"));
    let _mounted = support::Mounted(mount.clone());
    let run = |path: &str| collector().args(["-o", path, "--root", &host.dir()]).output().unwrap();
    let output = run(&format!("{mount}/b.tar.gz"));
    assert_eq!(output.status.code(), Some(1));
    let told = stderr(&output);
    assert!(
        told.contains("Read-only file system") && told.contains("b.tar.gz") && told.contains("-o"),
        "{told}"
    );
    let full = collector().args(["-o", "-", "--root", &host.dir()]).stdout(full()).output().unwrap();
    assert_eq!(full.status.code(), Some(1));
    assert!(stderr(&full).contains("no room"), "{}", stderr(&full));
}

fn full() -> std::fs::File {
    std::fs::File::options().write(true).open("/dev/full").unwrap()
}

/// A reader of the stream that goes away early.
#[test]
fn a_pipe_that_is_closed_early_ends_it_with_a_message() {
    let host = host();
    let mut child = collector()
        .args(["-o", "-", "--root", &host.dir()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(stderr(&output).contains("Broken pipe"), "{}", stderr(&output));
}

const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
const JUMP_IF_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
const JUMP_IF_SET: u16 = (libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K) as u16;
const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;

fn statement(code: u16, k: u32) -> libc::sock_filter {
    libc::sock_filter { code, jt: 0, jf: 0, k }
}

/// Goes on where it holds, and else skips so many statements.
fn unless(code: u16, k: u32, skip: u8) -> libc::sock_filter {
    libc::sock_filter { code, jt: 0, jf: skip, k }
}

/// A filter that answers these system calls with an error. The number of the call is the first field of what it sees.
fn forbidding(calls: &[libc::c_long], errno: i32) -> Vec<libc::sock_filter> {
    let mut filter = vec![statement(LOAD, 0)];
    for call in calls {
        filter.push(unless(JUMP_IF_EQUAL, u32::try_from(*call).unwrap(), 1));
        filter.push(statement(RETURN, libc::SECCOMP_RET_ERRNO | errno as u32));
    }
    filter.push(statement(RETURN, libc::SECCOMP_RET_ALLOW));
    filter
}

/// As a file system that has no files without a name answers.
fn without_nameless_files() -> Vec<libc::sock_filter> {
    // The third argument's lower half, and what O_TMPFILE has beside O_DIRECTORY.
    let (flags, bit) = (16 + 2 * 8, (libc::O_TMPFILE & !libc::O_DIRECTORY) as u32);
    vec![
        statement(LOAD, 0),
        unless(JUMP_IF_EQUAL, u32::try_from(libc::SYS_openat).unwrap(), 3),
        statement(LOAD, flags),
        unless(JUMP_IF_SET, bit, 1),
        statement(RETURN, libc::SECCOMP_RET_ERRNO | libc::EOPNOTSUPP as u32),
        statement(RETURN, libc::SECCOMP_RET_ALLOW),
    ]
}

/// Runs the collector under a seccomp filter.
fn filtered(filter: Vec<libc::sock_filter>, arguments: &[&str]) -> Output {
    let mut command = collector();
    command.args(arguments);
    // SAFETY: after fork only prctl is called, with a filter that was made before.
    unsafe {
        command.pre_exec(move || {
            let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_ptr().cast_mut() };
            let set = libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
                | libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program);
            if set == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
        });
    }
    command.output().unwrap()
}

#[test]
fn in_a_container_whose_seccomp_filter_forbids_much() {
    if !is_root("in_a_container_whose_seccomp_filter_forbids_much") {
        return;
    }
    let scratch = Scratch::new();
    let inhabitant = Helper::start(Command::new("unshare").args([
        "-m",
        "/bin/sh",
        "-ec",
        &format!("mount -t tmpfs ebusy-seccomp {}; echo ready; exec sleep 1000", scratch.dir()),
    ]));
    let namespace = support::mount_namespace(inhabitant.pid);
    let keeper =
        Helper::shell(&format!("exec 7</proc/{}/ns/mnt; echo ready; exec sleep 1000", inhabitant.pid));
    drop(inhabitant);
    let forbidden = [
        libc::SYS_statx,
        libc::SYS_setns,
        libc::SYS_unshare,
        libc::SYS_ioctl,
        libc::SYS_syslog,
        libc::SYS_ioprio_set,
        libc::SYS_setpriority,
    ];
    for errno in [libc::EPERM, libc::ENOSYS] {
        let output = filtered(forbidding(&forbidden, errno), &["-o", "-"]);
        assert!(output.status.success(), "{}", stderr(&output));
        let bundle = Bundle::read(&output.stdout);
        // Without statx the mount is told all the same.
        let mount = bundle.link_value(keeper.pid, "cwd", "mnt").expect("the mount of its working directory");
        let table = bundle.must(&format!("proc/{}/mountinfo", keeper.pid));
        assert!(table.lines().any(|line| line.split(' ').next() == Some(&mount)), "{mount}");
        // What cannot be entered is said, with what keeps it.
        assert_eq!(bundle.must(&format!("ns/mnt-{namespace}/kept-by")), format!("fd {} 7\n", keeper.pid));
        let summary = bundle.must("summary.json");
        assert!(summary.contains(&format!("ns/mnt-{namespace}/mountinfo")), "{summary}");
    }
}

/// `struct landlock_path_beneath_attr` of linux/landlock.h, which is packed.
#[repr(C, packed)]
struct PathBeneath {
    allowed: u64,
    parent: i32,
}

/// Runs the collector in a Landlock domain that may read only below these directories. Like every security module,
/// Landlock refuses root, too: what may not be traced has no readable links.
fn confined(readable: &[&str], arguments: &[&str]) -> Option<Output> {
    // linux/landlock.h: LANDLOCK_ACCESS_FS_READ_FILE and _READ_DIR.
    const READ: u64 = 1 << 2 | 1 << 3;
    let handled: [u64; 1] = [READ];
    // SAFETY: the attribute is as long as is told, and is only read.
    let ruleset = unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, handled.as_ptr(), 8, 0) } as i32;
    if ruleset < 0 {
        return None;
    }
    for path in readable {
        let directory = std::fs::File::open(path).unwrap();
        let rule = PathBeneath { allowed: READ, parent: directory.as_raw_fd() };
        // SAFETY: the rule is one of type 1 (path beneath), and is only read.
        let added = unsafe { libc::syscall(libc::SYS_landlock_add_rule, ruleset, 1, &raw const rule, 0) };
        assert_eq!(added, 0, "{path}");
    }
    let mut command = collector();
    command.args(arguments);
    // SAFETY: after fork only two system calls with numbers are made.
    unsafe {
        command.pre_exec(move || {
            libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
            match libc::syscall(libc::SYS_landlock_restrict_self, ruleset, 0) {
                0 => Ok(()),
                _ => Err(std::io::Error::last_os_error()),
            }
        });
    }
    let output = command.output().unwrap();
    // SAFETY: it was made above and is nobody else's.
    unsafe { libc::close(ruleset) };
    Some(output)
}

#[test]
fn root_that_a_security_module_refuses_is_told_so_and_gets_a_bundle() {
    if !is_root("root_that_a_security_module_refuses_is_told_so_and_gets_a_bundle") {
        return;
    }
    let program = collector().get_program().to_owned();
    let program = Path::new(&program).parent().unwrap().to_string_lossy().into_owned();
    let Some(output) = confined(&["/proc", "/lib", "/usr", &program], &["-o", "-"]) else {
        eprintln!("this kernel has no Landlock");
        return;
    };
    assert!(output.status.success(), "{}", stderr(&output));
    let said = stderr(&output);
    assert!(said.contains("Not permitted to read: ") && said.contains("security module"), "{said}");
    assert!(!said.contains("Run it as root"), "{said}");
    let bundle = Bundle::read(&output.stdout);
    let summary = bundle.must("summary.json");
    assert!(summary.contains("\"EACCES\""), "{summary}");
    // Tables are not kept from it; what processes have open is.
    assert!(bundle.items.contains_key("proc/1/mountinfo") && !bundle.items.contains_key("proc/1/cwd"));
}

/// Where a file cannot be without a name, or cannot be given one later, the bundle appears whole all the same, and old
/// ones are replaced.
#[test]
fn file_systems_without_nameless_files_get_a_whole_bundle_too() {
    let (host, target) = (host(), Scratch::new());
    let path = target.path("b.tar.gz");
    let ways = [
        without_nameless_files(),
        forbidding(&[libc::SYS_linkat], libc::EPERM),
        forbidding(&[libc::SYS_linkat], libc::EOPNOTSUPP),
    ];
    for filter in ways {
        let output = filtered(filter, &["-o", &path, "--root", &host.dir()]);
        assert!(output.status.success(), "{}", stderr(&output));
        let bundle = Bundle::read(&std::fs::read(&path).unwrap());
        assert_eq!(bundle.json("summary.json")["processes"], 60);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
        assert_eq!(target.names(""), ["b.tar.gz"]);
    }
}

/// The daemon hangs, as it does when a removal is stuck: its files are read, and it is not asked.
#[test]
fn a_daemon_that_hangs_is_not_asked() {
    if !is_root("a_daemon_that_hangs_is_not_asked") {
        return;
    }
    let scratch = Scratch::new();
    scratch
        .write("data/containers/ac05/config.v2.json", r#"{"ID":"ac05","Name":"/web","State":{"Dead":true}}"#);
    // A shell by the name of dockerd, with the argument that tells the data root.
    let script = format!(
        "cp /bin/sh {0}/dockerd; exec {0}/dockerd -c 'echo ready; kill -STOP $$; exit' --data-root={0}/data",
        scratch.dir()
    );
    let daemon = Helper::shell(&script);
    let bundle = collect(&[]);
    assert!(bundle.must(&format!("proc/{}/stat", daemon.pid)).contains("(dockerd) T "));
    let containers = bundle.json("runtime/containers.json");
    let web = containers.as_array().unwrap().iter().find(|c| c["id"] == "ac05").expect("its container");
    assert_eq!((&web["name"], &web["state"]), (&"web".into(), &"dead".into()));
}

/// A clock that an administrator or a time server sets back while the collector runs.
#[test]
fn a_clock_that_goes_backwards_does_no_harm() {
    let test = "a_clock_that_goes_backwards_does_no_harm";
    if !support::is_installed("cc") {
        println!("skipped: {test}: no cc");
        return;
    }
    let (host, scratch) = (host(), Scratch::new());
    scratch.write(
        "clock.c",
        "#include <time.h>\n#include <unistd.h>\n#include <sys/syscall.h>\n\
         int clock_gettime(clockid_t id, struct timespec *t) {\n\
           static long back; long result = syscall(SYS_clock_gettime, id, t);\n\
           if (id == CLOCK_REALTIME) t->tv_sec -= 3600 * back++;\n\
           return result;\n}\n",
    );
    sh(&format!("cc -shared -fPIC -o {0}/clock.so {0}/clock.c", scratch.dir()));
    let output = collector()
        .args(["-o", "-", "--root", &host.dir(), "--log", &scratch.path("clock.c")])
        .env("LD_PRELOAD", scratch.path("clock.so"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let bundle = Bundle::read(&output.stdout);
    assert_eq!(bundle.json("summary.json")["complete"], true);
    assert!(bundle.items.contains_key("logs/clock.c.log") || bundle.items.contains_key("logs/clock.log"));
}

/// More open files than are looked at in one process: it is said.
#[test]
fn a_cap_that_was_reached_is_reported() {
    let scratch = Scratch::new();
    scratch.write("open", "x");
    // SAFETY: both take a pointer to a limit of ours.
    unsafe {
        let mut limit = std::mem::zeroed::<libc::rlimit>();
        libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit);
        limit.rlim_cur = limit.rlim_max.min(10_000);
        libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit);
    }
    let file = std::fs::File::open(scratch.0.join("open")).unwrap();
    let open: Vec<_> = (0..4300).map(|_| file.try_clone().unwrap()).collect();
    let bundle = collect(&[]);
    drop(open);
    let own = std::process::id();
    let links = bundle.must(&format!("proc/{own}/links"));
    let count = links.lines().filter(|line| line.starts_with("fd/")).count();
    assert!((4000..=4096).contains(&count), "{count}");
    let summary = bundle.json("summary.json");
    let cap = summary["skipped"].as_array().unwrap().iter().find(|s| s["error"] == "cap").expect("the cap");
    assert_eq!(cap["path"], format!("proc/{own}/fd"));
    assert!(cap["why"].as_str().unwrap().contains("4096"), "{cap}");
}
