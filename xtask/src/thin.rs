//! Takes out of the page's own texts what only people who work on them need: comments and indentation. No name is
//! changed and no statement is moved, so that what a browser reports still shows where it was.

use anyhow::{Result, bail};

/// A script without its comments and indentation. Comments at the end of a line stay: only a parser knows whether they
/// are one.
///
/// # Errors
/// Where a template literal goes over several lines: its spaces mean something.
pub(crate) fn script(text: &str) -> Result<String> {
    let mut out = String::new();
    let mut in_comment = false;
    for line in text.lines().map(str::trim) {
        in_comment |= line.starts_with("/*");
        let is_text = !in_comment && !line.is_empty() && !line.starts_with("//");
        if is_text {
            if line.matches('`').count() % 2 == 1 {
                bail!("a template literal goes over several lines: {line}");
            }
            out += line;
            out.push('\n');
        }
        in_comment &= !line.contains("*/");
    }
    Ok(out)
}

/// A style sheet without its comments, indentation and spaces around brackets.
pub(crate) fn style(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '/' if rest.starts_with("/*") => {
                rest = rest[2..].split_once("*/").map_or("", |(_, after)| after);
                continue;
            }
            '"' | '\'' => rest[1..].find(first).map_or(rest.len(), |end| end + 2),
            _ => first.len_utf8(),
        };
        let (piece, after) = rest.split_at(length);
        if !first.is_ascii_whitespace() {
            if "{};,".contains(first) && out.ends_with(' ') {
                out.pop();
            }
            out += piece;
        } else if !out.is_empty() && !out.ends_with([' ', '{', '}', ';', ',', '\n']) {
            out.push(' ');
        }
        if first == '}' {
            out.push('\n');
        }
        rest = after;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_keeps_what_runs() {
        let text = "/**\n * Adds.\n */\nfunction add(a, b) {\n    // as it says\n    return a + b; // not 'this'\n\n}\n\
                    /* one line */\nlet u = \"http://x\";\n";
        assert_eq!(
            script(text).unwrap(),
            "function add(a, b) {\nreturn a + b; // not 'this'\n}\nlet u = \"http://x\";\n"
        );
        assert!(script("let a = `two\n  lines`;").is_err());
        assert!(script("let a = `one line`;").is_ok());
    }

    #[test]
    fn a_style_keeps_what_counts() {
        let text = "/* tokens */\n:root {\n  --a: 1px;\n}\n.b > c :hover, d {\n  content: \" /* ; \";\n  width: calc(1px + 2px);\n}\n";
        assert_eq!(
            style(text),
            ":root{--a: 1px;}\n.b > c :hover,d{content: \" /* ; \";width: calc(1px + 2px);}\n"
        );
        assert_eq!(
            style("@media (width < 10px) and (hover) { a { b: c } }"),
            "@media (width < 10px) and (hover){a{b: c}\n}\n"
        );
    }
}
