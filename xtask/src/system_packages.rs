//! What the tests need from the system, and how to get it.

use crate::workspace::{output_of, run, which};
use std::fs;
use std::process::Command;

/// Something that tests call.
#[derive(Debug, Clone, Copy)]
struct Need {
    /// Programs of which one is enough.
    programs: &'static [&'static str],
    /// Debian's package that has it.
    package: &'static str,
    /// What is tested with it.
    purpose: &'static str,
}

const NEEDS: &[Need] = &[
    Need { programs: &["chromium"], package: "chromium", purpose: "the page in a real browser" },
    Need { programs: &["chromedriver"], package: "chromium-driver", purpose: "the page in a real browser" },
    Need { programs: &["firefox-esr"], package: "firefox-esr", purpose: "the page in Firefox" },
    Need { programs: &["WebKitWebDriver"], package: "webkit2gtk-driver", purpose: "the page in WebKit" },
    Need { programs: &["pdftotext"], package: "poppler-utils", purpose: "what the page is on paper" },
    Need {
        programs: &["Xvfb"],
        package: "xvfb",
        purpose: "a display for WebKit, which has no headless mode",
    },
    Need { programs: &["dockerd"], package: "docker.io", purpose: "a real daemon's containers" },
    Need { programs: &["ctr"], package: "containerd", purpose: "a real containerd's databases" },
    Need { programs: &["busybox"], package: "busybox-static", purpose: "the image of those containers" },
    Need { programs: &["journalctl"], package: "systemd", purpose: "the journal of a mounted host" },
    Need {
        programs: &["/lib/systemd/systemd-journal-remote"],
        package: "systemd-journal-remote",
        purpose: "the journal of a mounted host",
    },
    Need { programs: &["ansible-playbook"], package: "ansible-core", purpose: "the role in deploy/" },
    Need { programs: &["node"], package: "nodejs", purpose: "the analyzer as a package for Node" },
    Need { programs: &["pip3"], package: "python3-pip", purpose: "DuckDB and a validator of JSON Schema" },
    Need { programs: &["parallel"], package: "parallel", purpose: "the documentation's commands" },
    Need { programs: &["ssh"], package: "openssh-client", purpose: "collecting over ssh" },
    Need { programs: &["sudo"], package: "sudo", purpose: "collecting over ssh" },
    Need { programs: &["file"], package: "file", purpose: "whether the collector is static" },
    Need { programs: &["unshare"], package: "util-linux", purpose: "mount namespaces" },
    Need { programs: &["losetup"], package: "mount", purpose: "mounts and loop devices" },
    Need {
        programs: &["qemu-system-x86_64"],
        package: "qemu-system-x86",
        purpose: "kernels with device-mapper, AppArmor and SELinux",
    },
    Need { programs: &["dmsetup"], package: "dmsetup", purpose: "device-mapper in an emulator" },
    Need { programs: &["lvm"], package: "lvm2", purpose: "logical volumes in an emulator" },
    Need {
        programs: &["cryptsetup"],
        package: "cryptsetup-bin",
        purpose: "encrypted volumes in an emulator",
    },
    Need { programs: &["apparmor_parser"], package: "apparmor", purpose: "AppArmor in an emulator" },
    Need { programs: &["secilc"], package: "secilc", purpose: "SELinux in an emulator" },
    Need { programs: &["mkfs.ext4"], package: "e2fsprogs", purpose: "a file system on a loop device" },
];

/// Its package starts it, and then the machine answers on port 22: nothing to do to somebody's own machine unasked.
const SSHD: Need = Need { programs: &["sshd"], package: "openssh-server", purpose: "collecting over ssh" };

/// Gets what is missing: as root by the system's package manager, else it names the packages and the command. Never
/// fails: the tests that miss something skip themselves by name. With `services` also what other machines can reach.
pub(crate) fn provide(services: bool) {
    let mut missing = missing(is_there);
    if services && !is_there("sshd") {
        missing.push(SSHD);
    }
    if missing.is_empty() {
        eprintln!("      nothing to install");
        return;
    }
    for need in &missing {
        eprintln!(
            "      missing: {} (package {}), for {}",
            need.programs.join(" or "),
            need.package,
            need.purpose
        );
    }
    let command = install_command(&missing);
    if which("apt-get").is_none() {
        eprintln!("      no apt-get here: install them with this system's package manager");
    } else if !is_root() {
        eprintln!("      not root, so tests will be skipped. To install: sudo {command}");
    } else {
        install(&command, &missing);
    }
}

fn install(command: &str, wanted: &[Need]) {
    eprintln!("      installing: {command}");
    let apt = |arguments: &[&str]| {
        run(Command::new("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))
    };
    let mut arguments = vec!["install", "--yes", "--no-install-recommends"];
    arguments.extend(wanted.iter().map(|need| need.package));
    // An outdated list of packages names versions that the mirror no longer has, so update comes first; where
    // it fails, the old list may do.
    for step in [apt(&["update", "--quiet"]), apt(&arguments)] {
        if let Err(error) = step {
            eprintln!("      {error:#}");
        }
    }
    for need in missing(is_there) {
        eprintln!("      still missing: {} (package {})", need.programs.join(" or "), need.package);
    }
}

fn missing(is_there: impl Fn(&str) -> bool) -> Vec<Need> {
    NEEDS.iter().filter(|need| !need.programs.iter().any(|program| is_there(program))).copied().collect()
}

fn install_command(missing: &[Need]) -> String {
    let packages: Vec<_> = missing.iter().map(|need| need.package).collect();
    format!("apt-get install --yes --no-install-recommends {}", packages.join(" "))
}

/// Whether a program is in `PATH`; busybox must be the static one, because it runs in an otherwise empty image.
fn is_there(program: &str) -> bool {
    which(program).is_some_and(|path| {
        program != "busybox" || fs::read(path).is_ok_and(|bytes| !names_a_dynamic_loader(&bytes))
    })
}

/// Whether an ELF file's head names an interpreter such as `/lib64/ld-linux-x86-64.so.2`.
fn names_a_dynamic_loader(elf: &[u8]) -> bool {
    let head = &elf[..elf.len().min(4096)];
    head.windows(5).any(|window| window == b"/lib/") || head.windows(7).any(|window| window == b"/lib64/")
}

/// Whether this process may install packages.
pub(crate) fn is_root() -> bool {
    output_of(Command::new("id").arg("-u")).is_ok_and(|uid| uid == "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_exactly_what_is_missing() {
        let missing = missing(|program| !matches!(program, "dockerd" | "busybox"));
        assert_eq!(
            install_command(&missing),
            "apt-get install --yes --no-install-recommends docker.io busybox-static"
        );
    }

    #[test]
    fn a_dynamic_program_is_told_from_a_static_one() {
        let own = fs::read(std::env::current_exe().unwrap()).unwrap();
        assert!(names_a_dynamic_loader(&own), "test programs are linked dynamically on glibc");
        assert!(!names_a_dynamic_loader(b"\x7fELF static"));
    }
}
