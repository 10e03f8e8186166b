//! What `cargo test` printed, summed over all its programs.

use std::collections::BTreeMap;
use std::fmt;

/// Counts over all test programs. A test that skipped itself passed in cargo's eyes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    passed: usize,
    failed: usize,
    ignored: BTreeMap<String, String>,
    skipped: BTreeMap<String, String>,
    /// Where cargo failed though no test did: the code does not compile, or a test program crashed.
    broken: bool,
}

impl Totals {
    /// Takes one line of `cargo test` into account.
    pub(crate) fn see(&mut self, line: &str) {
        let line = without_colours(line);
        if let Some(result) = line.strip_prefix("test result: ") {
            self.passed += count(result, " passed");
            self.failed += count(result, " failed");
        } else if let Some((name, reason)) = ignored(&line) {
            self.ignored.insert(name.to_owned(), reason.to_owned());
        }
    }

    /// How cargo ended.
    pub(crate) fn ended(&mut self, success: bool) {
        if !success && self.failed == 0 {
            self.broken = true;
            self.failed = 1;
        }
    }

    /// Adds the file that tests write, with lines `NAME: reason`. A test can note several reasons.
    pub(crate) fn add_skips(&mut self, file: &str) {
        for line in file.lines().filter(|line| !line.trim().is_empty()) {
            let (name, reason) = line.split_once(": ").unwrap_or((line, "no reason given"));
            self.skipped.insert(name.to_owned(), reason.to_owned());
        }
    }

    /// Whether all is well.
    pub(crate) fn is_success(&self, no_skips: bool) -> bool {
        self.failed == 0 && !(no_skips && self.skips() > 0)
    }

    fn skips(&self) -> usize {
        self.skipped.len() + self.ignored.len()
    }
}

/// The skipped tests by name, and on the last line the sums.
impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, reason) in self.skipped.iter().chain(&self.ignored) {
            writeln!(f, "skipped: {name}: {reason}")?;
        }
        if self.broken {
            writeln!(f, "`cargo test` failed without a failed test: see its messages above")?;
        }
        let passed = self.passed.saturating_sub(self.skipped.len());
        write!(f, "{passed} passed, {} failed", self.failed)?;
        if self.skips() > 0 {
            write!(f, ", {} skipped", self.skips())?;
        }
        writeln!(f)
    }
}

/// The number before a word, as in `12 passed; 0 failed`.
fn count(text: &str, word: &str) -> usize {
    text.split_once(word)
        .and_then(|(before, _)| before.rsplit(' ').next())
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}

/// Name and reason of `test NAME ... ignored, REASON`. Examples in documentation that are marked so are no tests.
fn ignored(line: &str) -> Option<(&str, &str)> {
    let (name, outcome) = line.strip_prefix("test ")?.split_once(" ... ")?;
    let reason = outcome.strip_prefix("ignored")?;
    let is_example = name.contains(" (line ");
    (!is_example).then(|| (name, reason.strip_prefix(", ").unwrap_or("marked #[ignore]")))
}

fn without_colours(line: &str) -> String {
    let mut plain = String::new();
    let mut rest = line.trim_end();
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        plain += before;
        rest = after.split_once('m').map_or("", |(_, text)| text);
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totals(output: &str) -> Totals {
        let mut totals = Totals::default();
        output.lines().for_each(|line| totals.see(line));
        totals
    }

    const OUTPUT: &str = "\
running 2 tests
test a::b ... ok
test result: \u{1b}[32mok\u{1b}[0m. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.05s
test slow ... ignored, needs an hour
test src/lib.rs - (line 12) ... ignored
test result: ok. 3 passed; 0 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.00s";

    #[test]
    fn sums_over_programs_and_takes_skips_from_the_passed() {
        let mut totals = totals(OUTPUT);
        totals.add_skips("real_docker: no dockerd\nreal_docker: no busybox\n\npage: no chromium\n");
        assert_eq!(
            totals.to_string(),
            "skipped: page: no chromium\nskipped: real_docker: no busybox\n\
             skipped: slow: needs an hour\n13 passed, 0 failed, 3 skipped\n"
        );
        assert!(totals.is_success(false) && !totals.is_success(true));
    }

    #[test]
    fn all_well_ends_with_the_short_line() {
        let mut totals = totals("test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out");
        totals.ended(true);
        assert_eq!(totals.to_string(), "2 passed, 0 failed\n");
        assert!(totals.is_success(true));
    }

    #[test]
    fn a_failure_counts() {
        let mut totals =
            totals("test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out");
        totals.ended(false);
        assert_eq!(totals.to_string(), "1 passed, 2 failed\n");
        assert!(!totals.is_success(false));
    }

    #[test]
    fn cargo_that_does_not_compile_is_not_all_passed() {
        let mut totals = totals("");
        totals.ended(false);
        assert!(!totals.is_success(false));
        assert!(totals.to_string().ends_with("\n0 passed, 1 failed\n"));
    }
}
