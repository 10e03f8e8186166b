//! A short run of each fuzz target with a fixed seed: the same inputs every time.
//!
//! With `EBUSY_FUZZ_SECONDS` each target goes on with more inputs until that much CPU time is over, as in `.ci/run`.
//!
//! The limits are those of a long run: an answer within a second of CPU time for each MiB, and memory of at most
//! 64 MiB and four times the input beside what the process began with.

#![allow(clippy::expect_used, reason = "a broken expectation is a broken test")]

use ebusy_fuzz::{mutate, rng::Rng, targets};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};

const SEED: u64 = 0x00eb_0570;

fn run(name: &str) {
    let target = targets::named(name).expect("a target of this name");
    let seeds = (target.seeds)();
    assert!(!seeds.is_empty(), "{name} has seeds");
    let mut rng = Rng::new(SEED);
    let (mut largest, before, started) = (0, peak_memory(), targets::cpu_time());
    let seconds = std::env::var("EBUSY_FUZZ_SECONDS").ok().and_then(|text| text.parse::<u64>().ok());
    // Where the kernel does not tell the time, the fixed number is all.
    let least = if started == 0 { 0 } else { seconds.unwrap_or(0) * 1_000_000_000 };
    for number in 0_u64.. {
        if number >= u64::from(target.short) && targets::cpu_time() - started >= least {
            break;
        }
        let data = match seeds.get(number as usize) {
            Some(seed) => seed.clone(),
            None => mutate::mutated(&mut rng, &seeds),
        };
        largest = largest.max(data.len() as u64);
        let begin = targets::cpu_time();
        let result = catch_unwind(AssertUnwindSafe(|| (target.run)(&data)));
        let nanoseconds = targets::cpu_time() - begin;
        let input = || String::from_utf8_lossy(&data[..data.len().min(4000)]).into_owned();
        assert!(result.is_ok(), "{name}, input {number}: {:?}", input());
        // Unoptimized code is some twenty times slower.
        let allowed = 20_000_000_000 * (1 + data.len() as u64 / (1 << 20));
        assert!(
            nanoseconds < allowed,
            "{name}, input {number}: {} ms: {:?}",
            nanoseconds / 1_000_000,
            input()
        );
    }
    // Targets run in one process one after another or at the same time: together they stay below one's limit.
    let more = peak_memory().saturating_sub(before);
    assert!(more < (64 << 20) + 4 * largest, "{name} took {} MiB", more >> 20);
}

/// The most memory that the process had at once, in bytes.
fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|l| l.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) << 10
}

/// Names are checked against the list, so that no target is forgotten here.
macro_rules! short_runs {
    ($($test:ident => $name:literal,)*) => {
        $(
            #[test]
            fn $test() {
                run($name);
            }
        )*

        #[test]
        fn every_target_has_a_short_run() {
            let here = [$($name),*];
            assert_eq!(targets::TARGETS.map(|target| target.name), here);
        }
    };
}

short_runs! {
    mountinfo => "mountinfo",
    mounts_table => "mounts-table",
    cgroup => "cgroup",
    links => "links",
    process_files => "process-files",
    runtime_state => "runtime-state",
    tools => "tools",
    names => "names",
    log => "log",
    paste => "paste",
    archive => "archive",
    bundle => "bundle",
    members => "members",
    report_json => "report-json",
    link => "link",
    link_payload => "link-payload",
    saved => "saved",
}
