//! The collector is one file that needs nothing else.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends by panicking")]

mod support;

use std::process::Command;

use support::{Bundle, Scratch, is_root, sh, stderr};

/// Builds the collector as users get it and returns its path: musl if that target is installed, else static glibc.
fn build() -> String {
    let manifest = env!("CARGO_MANIFEST_DIR");
    let target_dir = format!("{}/static", env!("CARGO_TARGET_TMPDIR"));
    let has_target = |target: &str| {
        let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
        let output =
            Command::new(rustc).args(["--print", "target-libdir", "--target", target]).output().unwrap();
        support::exists(String::from_utf8(output.stdout).unwrap().trim())
    };
    let machine = std::env::consts::ARCH;
    let musl = format!("{machine}-unknown-linux-musl");
    let target = if has_target(&musl) { musl } else { format!("{machine}-unknown-linux-gnu") };
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--manifest-path", &format!("{manifest}/Cargo.toml")])
        .args(["--target", &target, "--target-dir", &target_dir])
        .env("RUSTFLAGS", "-C target-feature=+crt-static")
        .status()
        .unwrap();
    assert!(status.success());
    format!("{target_dir}/{target}/debug/ebusy-collector")
}

#[test]
fn it_needs_no_library_and_runs_from_an_empty_chroot() {
    let program = build();
    let file = std::fs::read(&program).unwrap();
    // An interpreter (the dynamic loader) is what a program that is not static asks for, in PT_INTERP.
    let loader = file.windows(8).any(|window| window == b"/ld-linu" || window == b"/ld-musl");
    assert!(!loader, "{program} names a dynamic loader");
    if !is_root("it_needs_no_library_and_runs_from_an_empty_chroot") {
        return;
    }
    let scratch = Scratch::new();
    let root = scratch.path("root");
    sh(&format!("mkdir -p {root}/proc {root}/tmp; cp {program} {root}/collector"));
    let script = format!("mount --rbind /proc {root}/proc; exec chroot {root} /collector -o /tmp/b.tar.gz");
    let output = Command::new("unshare").args(["-m", "/bin/sh", "-ec", &script]).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let bundle = Bundle::read(&std::fs::read(format!("{root}/tmp/b.tar.gz")).unwrap());
    assert_eq!(bundle.json("summary.json")["complete"], true);
    assert!(bundle.items.contains_key(&format!("proc/{}/stat", std::process::id())));
}
