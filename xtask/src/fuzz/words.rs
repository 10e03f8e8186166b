//! Words for libFuzzer: the string literals of the analyzer, which are what its parsers look for. Finding ` type (` by
//! chance takes hours.

use anyhow::{Context as _, Result};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// Longer ones are sentences that the analyzer says, not words that it looks for.
const LONGEST: usize = 32;

/// The literals of all sources below a directory, in the form of libFuzzer's `-dict`.
pub(super) fn dictionary(sources: &Path) -> Result<String> {
    let mut words = BTreeSet::new();
    collect(sources, &mut words)?;
    let mut text = String::new();
    for word in words {
        let escaped: String = word.iter().fold(String::new(), |mut out, byte| {
            let _ = write!(out, "\\x{byte:02x}");
            out
        });
        let _ = writeln!(text, "\"{escaped}\"");
    }
    Ok(text)
}

fn collect(directory: &Path, words: &mut BTreeSet<Vec<u8>>) -> Result<()> {
    for entry in fs::read_dir(directory).with_context(|| format!("cannot read {}", directory.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, words)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text =
                fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            words.extend(text.lines().filter(|line| !is_comment(line)).flat_map(literals));
        }
    }
    Ok(())
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with("//")
}

/// The literals of a line that are no longer than [`LONGEST`]. One that goes on in the next line is left out.
fn literals(line: &str) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let mut rest = line;
    while let Some((_, after)) = rest.split_once('"') {
        let Some((word, length)) = literal(after) else { break };
        if (2..=LONGEST).contains(&word.len()) {
            found.push(word);
        }
        rest = after.get(length..).unwrap_or_default();
    }
    found
}

/// The bytes up to the closing quote, and how many characters of the source that are with it.
fn literal(text: &str) -> Option<(Vec<u8>, usize)> {
    let mut word = Vec::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((word, at + 1)),
            '\\' => match characters.next()?.1 {
                'n' => word.push(b'\n'),
                't' => word.push(b'\t'),
                'r' => word.push(b'\r'),
                '0' => word.push(0),
                'x' => {
                    let digits: String = characters.by_ref().take(2).map(|(_, digit)| digit).collect();
                    word.push(u8::from_str_radix(&digits, 16).ok()?);
                }
                other => word.extend(other.to_string().bytes()),
            },
            other => word.extend(other.to_string().bytes()),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Workspace;

    #[test]
    fn literals_are_read_as_rust_reads_them() {
        let line = r#"find(line, b" on /"); f("a\"b", "\x1b[", 'x', "\n\t\0")"#;
        let words: Vec<&[u8]> = vec![b" on /", b"a\"b", b"\x1b[", b"\n\t\0"];
        assert_eq!(literals(line), words);
        assert!(literals(r#"let text = "goes on"#).is_empty());
    }

    #[test]
    fn what_the_parsers_look_for_is_in_it() {
        let text = dictionary(&Workspace::find().unwrap().root.join("analyzer/src")).unwrap();
        let escaped = |word: &str| word.bytes().map(|byte| format!("\\x{byte:02x}")).collect::<String>();
        for word in [" type ", "overlay", "target is busy", "shared:"] {
            assert!(text.contains(&escaped(word)), "{word}");
        }
    }
}
