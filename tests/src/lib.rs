//! Synthetic hosts, the demo, and what the tests that cross the crates need.
//!
//! | module | what it makes |
//! |---|---|
//! | [`synth`] | a host out of thin air: mounts as the kernel propagates them, processes, containers, logs, written as a bundle |
//! | [`demo`] | the host of the page's "try the demo" button |
//! | [`harness`] | directories, child processes and skips of the tests on a real machine |
//! | [`model`] | random hosts whose truth is known |
//! | [`rng`] | random numbers that a seed brings back |
//! | [`webdriver`] | a browser, driven through the WebDriver protocol |
//!
//! The tests themselves are in `tests/tests`: `real_*` and `page` need a real machine and say by
//! name when they are skipped, the others run everywhere.

#![expect(clippy::expect_used, reason = "what tests are made of: a broken invariant is a broken test")]

pub mod demo;
pub mod harness;
pub mod model;
pub mod rng;
pub mod synth;
pub mod webdriver;
