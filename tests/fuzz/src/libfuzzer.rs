//! libFuzzer's entry point. `EBUSY_FUZZ_TARGET` names the target, `EBUSY_FUZZ_SEEDS` the directory that its seeds
//! are written to before libFuzzer reads it.
#![no_main]
#![expect(clippy::panic, clippy::expect_used, reason = "a target reports what it found by panicking")]

use std::path::Path;
use std::sync::OnceLock;

use ebusy_fuzz::targets::{self, Target};

static TARGET: OnceLock<Target> = OnceLock::new();

libfuzzer_sys::fuzz_target!(
    init: {
        let name = std::env::var("EBUSY_FUZZ_TARGET").unwrap_or_default();
        let target = targets::named(&name).unwrap_or_else(|| panic!("EBUSY_FUZZ_TARGET={name:?} is no target"));
        if let Ok(dir) = std::env::var("EBUSY_FUZZ_SEEDS") {
            for (number, seed) in (target.seeds)().into_iter().enumerate() {
                std::fs::write(Path::new(&dir).join(format!("seed-{number}")), seed).expect("the seeds' directory");
            }
        }
        TARGET.get_or_init(|| target);
    },
    |data: &[u8]| {
        if let Some(target) = TARGET.get() {
            (target.run)(data);
        }
    }
);
