//! The page's Content-Security-Policy: no connection to anywhere, and only the scripts and styles that were built in.

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// The policy for a finished page, for a `<meta http-equiv>` element.
///
/// Scripts and styles are allowed by the hash of their text, `blob:` only for the worker. WebAssembly may be
/// compiled, `eval` of text may not be called.
///
/// # Errors
/// Where an element has no end, or the text holds a carriage return: HTML parsers turn it into a line feed, and the
/// hash would not be that of what the browser sees.
pub(crate) fn policy(html: &str) -> Result<String> {
    if html.contains('\r') {
        bail!("the page holds a carriage return, so no hash of a script in it would match");
    }
    let mut scripts = String::new();
    let mut styles = String::new();
    for element in inline_elements(html)? {
        match element {
            Inline::Script(text) => scripts += &format!("{} ", hash(text)),
            Inline::Style(text) => styles += &format!(" {}", hash(text)),
        }
    }
    Ok(format!(
        "default-src 'none'; script-src {scripts}'wasm-unsafe-eval'; worker-src blob:; connect-src 'none'; \
         img-src data: blob:; style-src{styles}; base-uri 'none'; form-action 'none'"
    ))
}

/// The source expression that allows one inline text.
fn hash(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)))
}

#[derive(Debug, PartialEq, Eq)]
enum Inline<'a> {
    Script(&'a str),
    Style(&'a str),
}

/// Scripts that run and styles, in the page's order. Data blocks (`type="text/plain"`) run nothing and need no
/// hash. Enough of HTML for a page whose source is in this repository.
fn inline_elements(html: &str) -> Result<Vec<Inline<'_>>> {
    let mut found = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        rest = &rest[at..];
        if rest.starts_with("<!--") {
            rest = after(rest, "-->").context("a comment of the page has no end")?;
        } else if rest.starts_with("<script") {
            let (tag, text, next) = element(rest, "</script>")?;
            if !tag.contains("text/plain") {
                found.push(Inline::Script(text));
            }
            rest = next;
        } else if rest.starts_with("<style") {
            let (_, text, next) = element(rest, "</style>")?;
            found.push(Inline::Style(text));
            rest = next;
        } else {
            rest = &rest[1..];
        }
    }
    Ok(found)
}

/// Splits `<tag …>text</tag>rest` into tag, text and rest.
fn element<'a>(html: &'a str, end: &str) -> Result<(&'a str, &'a str, &'a str)> {
    let (tag, content) = html.split_once('>').with_context(|| format!("no > before {end}"))?;
    let (text, next) = content.split_once(end).with_context(|| format!("{tag}> has no {end}"))?;
    Ok((tag, text, next))
}

fn after<'a>(text: &'a str, end: &str) -> Option<&'a str> {
    text.split_once(end).map(|(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_as_the_specification_does() {
        // The example in Content Security Policy Level 3, section 2.3.1 and in MDN's page on script-src.
        assert_eq!(hash("alert('Hello, world.');"), "'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='");
    }

    #[test]
    fn allows_what_runs_and_nothing_else() {
        let html = "<!-- <script>no</script> --><style>a{}</style><script id=x>run()</script>\
                    <script type=\"text/plain\">data</script>";
        assert_eq!(inline_elements(html).unwrap(), [Inline::Style("a{}"), Inline::Script("run()")]);
        let policy = policy(html).unwrap();
        assert!(policy.contains(&hash("run()")) && policy.contains(&hash("a{}")));
        for text in ["data", "no"] {
            assert!(!policy.contains(&hash(text)), "{text} must not be allowed to run");
        }
    }

    #[test]
    fn allows_no_connection_and_no_inline_text_without_a_hash() {
        let policy = policy("<script>1</script>").unwrap();
        assert!(policy.starts_with("default-src 'none';"));
        assert!(policy.contains("connect-src 'none'"));
        assert!(!policy.contains("'unsafe-inline'") && !policy.contains("'unsafe-eval'"));
    }

    #[test]
    fn refuses_what_a_browser_would_hash_differently() {
        assert!(policy("<script>a\r\nb</script>").is_err());
        assert!(policy("<script>a").is_err());
    }
}
