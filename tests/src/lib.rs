//! Synthetic hosts, the demo, and what the tests that cross the crates need.
//!
//! | module | what it makes |
//! |---|---|
//! | [`synth`] | a host out of thin air: mounts as the kernel propagates them, processes, containers, logs, written as a bundle |
//! | [`crowd`] | a host with 200 namespaces that hold one mount |
//! | [`demo`] | the host of the page's "try the demo" button |
//! | [`fleet`] | thousands of small hosts, for measuring |
//! | [`gallery`] | a host for each cause that a report can name |
//! | [`guest`] | a machine in an emulator, with a kernel of its own |
//! | [`harness`] | directories, child processes and skips of the tests on a real machine |
//! | [`image`] | screenshots, compared with a tolerance and written small |
//! | [`json_schema`] | JSON held against a JSON Schema by a foreign validator |
//! | [`looks`] | the screens of the page, for the documentation and for comparing |
//! | [`model`] | random hosts whose truth is known |
//! | [`multitude`] | hosts with very many things of one kind |
//! | [`rng`] | random numbers that a seed brings back |
//! | [`webdriver`] | a browser, driven through the WebDriver protocol |
//!
//! The tests themselves are in `tests/tests`: `real_*` and `page` need a real machine and say by
//! name when they are skipped, the others run everywhere.

#![expect(clippy::expect_used, reason = "what tests are made of: a broken invariant is a broken test")]

pub mod crowd;
pub mod demo;
pub mod fleet;
pub mod gallery;
pub mod guest;
pub mod harness;
pub mod image;
pub mod json_schema;
pub mod looks;
pub mod model;
pub mod multitude;
pub mod rng;
pub mod synth;
pub mod webdriver;
