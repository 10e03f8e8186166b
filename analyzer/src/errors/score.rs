//! How well [`super::scan`] does over lines whose truth is known: recall and precision of each field.

use super::scan;
use crate::report::BusyError;
use serde::Deserialize;
use std::fmt;

/// A line (or several that belong together) and what it says.
#[derive(Debug, Clone, Deserialize)]
struct Truth {
    line: String,
    container_id: Option<String>,
    #[serde(default)]
    other_ids: Vec<String>,
    path: Option<String>,
    device: Option<String>,
    driver: Option<String>,
    /// True for a line that is not about a busy mount, device or container.
    #[serde(default)]
    negative: bool,
}

/// Hits and misses of one field.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FieldScore {
    /// Name of the field.
    pub field: &'static str,
    /// Values that were found and are right.
    pub right: u32,
    /// Values that were found and are not in the truth.
    pub wrong: u32,
    /// Values of the truth that were not found.
    pub missing: u32,
}

impl FieldScore {
    /// Share of the truth that was found, 1 where there is none.
    pub fn recall(&self) -> f64 {
        ratio(self.right, self.missing)
    }

    /// Share of what was found that is true, 1 where nothing was found.
    pub fn precision(&self) -> f64 {
        ratio(self.right, self.wrong)
    }
}

fn ratio(right: u32, other: u32) -> f64 {
    if right + other == 0 { 1.0 } else { f64::from(right) / f64::from(right + other) }
}

/// Scores of all fields and a sentence for each miss.
#[derive(Debug, Clone, Default)]
pub struct Score {
    /// `error` (was the line found, was a negative left out), then the fields.
    pub fields: Vec<FieldScore>,
    /// What was wrong, with the line's number.
    pub misses: Vec<String>,
    /// Number of lines.
    pub lines: u32,
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for miss in &self.misses {
            writeln!(f, "{miss}")?;
        }
        writeln!(f, "{} lines", self.lines)?;
        writeln!(
            f,
            "{:<14} {:>6} {:>6} {:>8} {:>7} {:>10}",
            "field", "right", "wrong", "missing", "recall", "precision"
        )?;
        for s in &self.fields {
            let (recall, precision) = (s.recall(), s.precision());
            writeln!(
                f,
                "{:<14} {:>6} {:>6} {:>8} {recall:>7.3} {precision:>10.3}",
                s.field, s.right, s.wrong, s.missing
            )?;
        }
        Ok(())
    }
}

/// Scores a corpus: one JSON object a line with `line, container_id, other_ids[], path, device, driver,
/// negative`.
///
/// # Errors
/// A sentence that names the line that is no such object.
pub fn score(corpus: &str) -> Result<Score, String> {
    const FIELDS: [&str; 6] = ["error", "container_id", "path", "device", "other_ids", "driver"];
    let mut total = Score {
        fields: FIELDS.map(|field| FieldScore { field, ..FieldScore::default() }).into(),
        ..Score::default()
    };
    for (n, text) in corpus.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
        let truth: Truth =
            serde_json::from_str(text).map_err(|e| format!("line {} is no corpus entry: {e}", n + 1))?;
        total.lines += 1;
        compare(n + 1, &truth, &scan(truth.line.as_bytes()), &mut total);
    }
    Ok(total)
}

fn compare(number: usize, truth: &Truth, found: &[BusyError], total: &mut Score) {
    let one = found.first().cloned().unwrap_or_default();
    let list = |value: &Option<String>| value.iter().cloned().collect::<Vec<_>>();
    let hit = |yes: bool| if yes { vec!["a busy error".to_owned()] } else { Vec::new() };
    let wanted = |value: &Option<String>| if truth.negative { Vec::new() } else { list(value) };
    let other = if truth.negative { Vec::new() } else { truth.other_ids.clone() };
    let pairs = [
        (hit(!truth.negative), found.iter().map(|_| "a busy error".to_owned()).collect()),
        (wanted(&truth.container_id), list(&one.container_id)),
        (wanted(&truth.path), list(&one.path)),
        (wanted(&truth.device), list(&one.device)),
        (other, one.other_ids.clone()),
        (wanted(&truth.driver), list(&one.driver)),
    ];
    for (field, (want, got)) in total.fields.iter_mut().zip(pairs) {
        let mut left: Vec<&String> = got.iter().collect();
        let mut missing = Vec::new();
        for value in &want {
            match left.iter().position(|g| *g == value) {
                Some(at) => {
                    left.remove(at);
                    field.right += 1;
                }
                None => missing.push(value),
            }
        }
        field.missing += u32::try_from(missing.len()).unwrap_or(u32::MAX);
        field.wrong += u32::try_from(left.len()).unwrap_or(u32::MAX);
        if !missing.is_empty() || !left.is_empty() {
            total
                .misses
                .push(format!("{number}: {}: want {want:?}, got {got:?}\n    {}", field.field, truth.line));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hits_and_misses_are_counted() {
        let corpus = r#"{"line":"umount: /srv/a: target is busy.","path":"/srv/a","driver":"nfs"}
{"line":"flock: ./x: Text file busy","path":"./x","negative":true}"#;
        let score = score(corpus).unwrap();
        let of = |name: &str| {
            score.fields.iter().find(|f| f.field == name).map(|f| (f.right, f.wrong, f.missing)).unwrap()
        };
        assert_eq!((of("error"), of("path"), of("driver")), ((1, 0, 0), (1, 0, 0), (0, 0, 1)));
        assert_eq!(score.misses.len(), 1);
    }

    #[test]
    fn a_broken_corpus_is_named() {
        assert!(score("{}").unwrap_err().starts_with("line 1 "));
    }
}
