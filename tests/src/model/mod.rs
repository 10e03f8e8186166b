//! Random hosts whose truth is known.
//!
//! | module | what it does |
//! |---|---|
//! | [`plan`] | draws a host as a list of steps from a seed, and makes the list shorter while a fault stays |
//! | [`world`] | takes the steps on a synthetic host and remembers what each thing is |
//! | [`places`] | the same for what is no container's: file systems of an administrator, named network namespaces |
//! | [`covers`] | mounts over others, which they hide |
//! | [`truth`] | who holds what, by the kernel's rules: slow, simple, and without a line of the analyzer |
//!
//! The analyzer sees the bundle only. What it says is compared with [`truth`] in `tests/tests/model.rs`.

pub mod covers;
pub mod places;
pub mod plan;
pub mod truth;
pub mod world;

pub use plan::{Plan, Step};
pub use truth::{Effect, Holder, Status, Truth};
pub use world::World;

/// The hosts that a test tries: as many as it wants, as `EBUSY_MODEL_HOSTS=N` wants, or only `EBUSY_MODEL_SEED=S`.
pub fn seeds(wanted: u64) -> std::ops::Range<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    match number("EBUSY_MODEL_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("EBUSY_MODEL_HOSTS").unwrap_or(wanted),
    }
}
