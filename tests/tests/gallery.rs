//! The hosts that the documentation's pictures are made from have the cause that stands below each.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

mod support;

use ebusy_analyzer::Query;
use ebusy_tests::gallery;
use std::collections::BTreeSet;
use std::path::Path;

#[test]
fn every_host_of_the_gallery_has_its_cause() {
    for example in gallery::examples() {
        let query = example.ask.clone().map_or(Query::Default, Query::Text);
        let report = support::open(&example.host.bundle()).expect("it opens").explain(&query);
        let causes = report.holders.iter().flat_map(|holder| holder.cause.iter().chain(&holder.more_causes));
        let named: Vec<&str> = causes.map(|cause| cause.id.as_str()).collect();
        assert!(named.contains(&example.cause), "{}: {named:?}, {}", example.cause, report.verdict.summary);
    }
}

#[test]
fn the_page_of_causes_has_each_with_its_picture() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let page = std::fs::read_to_string(docs.join("causes.md")).expect("it is there");
    let headings: BTreeSet<&str> = page.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    let examples: BTreeSet<&str> = gallery::examples().iter().map(|example| example.cause).collect();
    let differ: Vec<_> = headings.symmetric_difference(&examples).collect();
    assert!(differ.is_empty(), "only on the page, or only in the gallery: {differ:?}");
    for cause in examples {
        let image = format!("images/causes/{cause}.png");
        assert!(page.contains(&format!("({image})")), "{cause}");
        assert!(docs.join(&image).is_file(), "{image}: `cargo xtask screenshots` makes it");
    }
}
