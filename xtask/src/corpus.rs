//! `cargo xtask corpus DIR`: how well `ebusy errors` reads log lines from public threads.
//!
//! `DIR/errors.jsonl` has one object a line: the log text as `line`, what a reader finds in it (`container_id`,
//! `other_ids`, `path`, `device`, `driver`, `runtime`), and `negative` where the text is about nothing busy.
//!
//! `DIR/mountinfo`, where it is there, has captured mount tables: `analyzer/examples/mountinfo.rs` reads them.

use crate::programs::{self, WithPage};
use crate::progress::Steps;
use crate::workspace::{Workspace, run};
use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

/// What is compared, with the recall and precision below which the task fails. A line often does not tell its driver
/// (`Cannot start container ID: device or resource busy`), and who wrote it is a guess of the reader.
const FIELDS: [(&str, f64); 6] = [
    ("container_id", 0.98),
    ("other_ids", 0.95),
    ("path", 0.95),
    ("device", 0.95),
    ("driver", 0.90),
    ("runtime", 0.75),
];
/// The same for finding an error at all.
const MIN_ERRORS: f64 = 0.98;

/// Reads every line of the corpus with the real command and prints recall and precision.
pub(crate) fn run_all(dir: &Path) -> Result<ExitCode> {
    let workspace = Workspace::find()?;
    let tables = dir.join("mountinfo");
    let mut steps = Steps::new(if tables.is_dir() { 3 } else { 2 });
    if tables.is_dir() {
        let tables = fs::canonicalize(&tables)?;
        steps.step("mount tables", || check_tables(&workspace, &tables))?;
    }
    let programs =
        steps.step("collector and command (static)", || programs::build(&workspace, WithPage::Nothing))?;
    let file = dir.join("errors.jsonl");
    let lines = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let score = steps.step("corpus", || {
        let mut score = Score::default();
        for (number, line) in (1..).zip(lines.lines().filter(|line| !line.trim().is_empty())) {
            let expected: Value = serde_json::from_str(line)
                .with_context(|| format!("{}:{number} is not JSON", file.display()))?;
            let text = expected["line"].as_str().unwrap_or_default();
            score.add(number, &expected, &errors_in(&programs.ebusy, text)?);
        }
        Ok(score)
    })?;
    score.print();
    Ok(if score.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Every line of the captured mount tables prints back byte for byte, or is named with its column.
fn check_tables(workspace: &Workspace, tables: &Path) -> Result<()> {
    let mut cargo = workspace.cargo();
    cargo.args(["run", "--quiet", "--package", "ebusy-analyzer", "--example", "mountinfo", "--"]);
    run(cargo.arg(tables))
}

/// What `ebusy errors` finds in a text.
fn errors_in(ebusy: &Path, text: &str) -> Result<Vec<Value>> {
    let mut child = Command::new(ebusy)
        .args(["errors", "-", "--format", "json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot start {}", ebusy.display()))?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(text.as_bytes())?;
    }
    let output = child.wait_with_output()?;
    // 3: nothing found.
    if !matches!(output.status.code(), Some(0 | 3)) {
        bail!("`ebusy errors` ended with {} on: {text}", output.status);
    }
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(|line| {
            serde_json::from_str(line).with_context(|| format!("`ebusy errors` wrote no JSON: {line}"))
        })
        .collect()
}

/// Counts of one kind of answer.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
struct Tally {
    /// Found and right.
    right: u32,
    /// In the corpus.
    expected: u32,
    /// Found.
    found: u32,
}

impl Tally {
    fn add(&mut self, right: bool, expected: bool, found: bool) {
        self.right += u32::from(right && expected && found);
        self.expected += u32::from(expected);
        self.found += u32::from(found);
    }

    fn recall(self) -> f64 {
        share(self.right, self.expected)
    }

    fn precision(self) -> f64 {
        share(self.right, self.found)
    }
}

/// A part of a whole; all of nothing is all.
fn share(part: u32, whole: u32) -> f64 {
    if whole == 0 { 1.0 } else { f64::from(part) / f64::from(whole) }
}

/// Everything counted.
#[derive(Debug, Default)]
struct Score {
    errors: Tally,
    fields: [Tally; FIELDS.len()],
    wrong: Vec<String>,
}

impl Score {
    fn add(&mut self, number: usize, expected: &Value, found: &[Value]) {
        let is_error = expected["negative"] != true;
        self.errors.add(true, is_error, !found.is_empty());
        if is_error == found.is_empty() {
            let what = if is_error { "missed" } else { "is about nothing busy, but was reported" };
            self.wrong.push(format!("{number}: {what}: {}", expected["line"]));
        }
        let Some(best) = best_match(expected, found).filter(|_| is_error) else { return };
        for (tally, (field, _)) in self.fields.iter_mut().zip(FIELDS) {
            let (wanted, got) = (value(expected, field), value(best, field));
            tally.add(wanted == got, !wanted.is_null(), !got.is_null());
            if wanted != got {
                self.wrong.push(format!("{number}: {field}: expected {wanted}, found {got}"));
            }
        }
    }

    fn is_good(&self) -> bool {
        let reaches = |tally: &Tally, least| tally.recall() >= least && tally.precision() >= least;
        reaches(&self.errors, MIN_ERRORS)
            && self.fields.iter().zip(FIELDS).all(|(t, (_, least))| reaches(t, least))
    }

    fn print(&self) {
        for line in &self.wrong {
            println!("{line}");
        }
        let rows = FIELDS.iter().zip(&self.fields).map(|((name, _), tally)| (*name, *tally));
        println!("\n{:<14}{:>8}{:>11}", "", "recall", "precision");
        for (name, tally) in std::iter::once(("busy errors", self.errors)).chain(rows) {
            println!(
                "{name:<14}{:>8.3}{:>11.3}   {} right of {} expected, {} found",
                tally.recall(),
                tally.precision(),
                tally.right,
                tally.expected,
                tally.found
            );
        }
    }
}

/// A field's value; lists are sets, and an empty one is unknown.
fn value(of: &Value, field: &str) -> Value {
    match &of[field] {
        Value::Array(items) if items.is_empty() => Value::Null,
        Value::Array(items) => {
            let mut texts: Vec<String> = items.iter().map(ToString::to_string).collect();
            texts.sort();
            texts.into()
        }
        other => other.clone(),
    }
}

/// Of several errors in one text the one that agrees in the most values, then in what is unknown; the first of
/// equals.
fn best_match<'a>(expected: &Value, found: &'a [Value]) -> Option<&'a Value> {
    let agreement = |found: &&Value| {
        let equal = |(field, _): &&(&str, f64)| value(found, field) == value(expected, field);
        let known = |(field, _): &&(&str, f64)| !value(expected, field).is_null();
        (FIELDS.iter().filter(equal).filter(known).count(), FIELDS.iter().filter(equal).count())
    };
    found.iter().rev().max_by_key(agreement)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_missed_and_an_invented_error_cost_recall_and_precision() {
        let mut score = Score::default();
        score.add(1, &json!({"line": "a", "negative": false}), &[json!({})]);
        score.add(2, &json!({"line": "b", "negative": false}), &[]);
        score.add(3, &json!({"line": "c", "negative": true}), &[json!({})]);
        score.add(4, &json!({"line": "d", "negative": true}), &[]);
        assert_eq!((score.errors.recall(), score.errors.precision()), (0.5, 0.5));
        assert_eq!(score.wrong.len(), 2);
        assert!(!score.is_good());
    }

    #[test]
    fn fields_are_judged_on_the_error_that_fits_best() {
        let mut score = Score::default();
        let expected = json!({"line": "a", "path": "/p", "driver": null, "container_id": "c"});
        let found = [json!({"path": "/q"}), json!({"path": "/p", "driver": "aufs"})];
        score.add(1, &expected, &found);
        let [id, _, path, _, driver, _] = score.fields;
        assert_eq!((path.recall(), path.precision()), (1.0, 1.0));
        assert_eq!((id.recall(), id.precision()), (0.0, 1.0), "a missing id is no wrong id");
        assert_eq!((driver.recall(), driver.precision()), (1.0, 0.0), "a driver out of thin air");
    }
}
