//! Fuzz targets for everything in the analyzer that reads foreign bytes.
//!
//! | module | what it has |
//! |---|---|
//! | [`targets`] | one function for each parser, for the archive reader and for the way from bytes to report |
//! | [`seeds`] | inputs to begin with, from the project's own synthetic hosts |
//! | [`mutate`] | changes inputs at random, the same for the same seed |
//! | [`rng`] | the random numbers |
//!
//! Two things run them: `cargo xtask fuzz` with libFuzzer, guided by coverage, for as long as one likes; and
//! `tests/short.rs` with a fixed seed and a fixed number of inputs, in every test run.

#![expect(clippy::expect_used, reason = "a target reports what it found by panicking")]

pub mod mutate;
pub mod seeds;
pub mod targets;

pub use ebusy_tests::rng;
