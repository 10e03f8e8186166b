//! libFuzzer's entry point. `EBUSY_FUZZ_TARGET` names the target, `EBUSY_FUZZ_SEEDS` the directory that its seeds
//! are written to before libFuzzer reads it, `EBUSY_FUZZ_SLOWEST` a file that is told of the slowest input.
#![no_main]
#![expect(clippy::panic, clippy::expect_used, reason = "a target reports what it found by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use ebusy_fuzz::targets::{self, Target};

static TARGET: OnceLock<Target> = OnceLock::new();
static SLOWEST: OnceLock<PathBuf> = OnceLock::new();
/// Nanoseconds of CPU time of the slowest input so far.
static MOST: AtomicU64 = AtomicU64::new(0);

libfuzzer_sys::fuzz_target!(
    init: {
        let name = std::env::var("EBUSY_FUZZ_TARGET").unwrap_or_default();
        let target = targets::named(&name).unwrap_or_else(|| panic!("EBUSY_FUZZ_TARGET={name:?} is no target"));
        if let Ok(dir) = std::env::var("EBUSY_FUZZ_SEEDS") {
            for (number, seed) in (target.seeds)().into_iter().enumerate() {
                fs::write(Path::new(&dir).join(format!("seed-{number}")), seed).expect("the seeds' directory");
            }
        }
        if let Ok(file) = std::env::var("EBUSY_FUZZ_SLOWEST") {
            SLOWEST.get_or_init(|| file.into());
        }
        TARGET.get_or_init(|| target);
    },
    |data: &[u8]| {
        if let Some(target) = TARGET.get() {
            let begin = Instant::now();
            (target.run)(data);
            let took = begin.elapsed().as_nanos() as u64;
            if took > MOST.load(Ordering::Relaxed) {
                again(target, data);
            }
        }
    }
);

/// Time on the clock may be another process's: only CPU time tells, and asking for it takes longer than most inputs.
fn again(target: &Target, data: &[u8]) {
    let begin = targets::cpu_time();
    (target.run)(data);
    let took = targets::cpu_time() - begin;
    if took <= MOST.fetch_max(took, Ordering::Relaxed) {
        return;
    }
    if let Some(file) = SLOWEST.get() {
        fs::write(file, format!("{took} {}\n", data.len())).expect("the file of the slowest input");
        fs::write(file.with_extension("input"), data).expect("the file of the slowest input");
    }
}
