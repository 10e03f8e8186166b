//! Three hundred strings that want to be more than text, and a judge of the Markdown that they end up in.

use ebusy_tests::rng::Rng;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// What a single string tries.
const TRIES: [&str; 60] = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "</title><script>x()</script>",
    "<a href=\"javascript:alert(1)\">x</a>",
    "javascript:alert(1)",
    "data:text/html,<script>x()</script>",
    "\"><img src=x>",
    "'><iframe src=//evil.example>",
    "<!--",
    "-->",
    "]]>",
    "<![CDATA[x]]>",
    "&lt;b&gt;",
    "&#x3c;b>",
    "[x](https://evil.example)",
    "![x](https://evil.example/x.png)",
    "[x]: https://evil.example",
    "[x][y]",
    "https://evil.example/x",
    "www.evil.example",
    "<https://evil.example>",
    "mail@evil.example",
    "@octocat",
    "org/repo#1",
    "#1",
    "```",
    "``x``",
    "`",
    "~~~",
    "# x",
    "> x",
    "- x",
    "| a | b |",
    "***x***",
    "__x__",
    "\\[x\\](y)",
    "\x1b[31mred",
    "\x1b[2J\x1b[H",
    "\x1b]0;title\x07",
    "\x1b]8;;https://evil.example\x1b\\x\x1b]8;;\x1b\\",
    "\u{9b}31m",
    "\x07\x08\x7f",
    "a\rb",
    "\u{202e}gnp.exe",
    "\u{2066}x\u{2069}",
    "\u{200b}\u{feff}",
    "\u{e0041}",
    "$(touch canary)",
    "`touch canary`",
    "; touch canary",
    "| touch canary",
    "&& touch canary",
    "' ; touch canary ; '",
    "\" ; touch canary ; \"",
    "\x01' ; touch canary #",
    "\x01\\' ; touch canary #",
    "-rf",
    "!! !$",
    "*?[a]{b,c}~ $HOME",
];

/// The tries alone, and joined at random.
pub(crate) fn corpus() -> Vec<String> {
    let mut rng = Rng::new(7);
    let mut corpus: Vec<String> = TRIES.iter().map(|text| (*text).to_owned()).collect();
    while corpus.len() < 299 {
        let (a, b) = (*rng.pick(&TRIES), *rng.pick(&TRIES));
        let between = *rng.pick(&["", " ", "x", "\t", "é"]);
        corpus.push(format!("{a}{between}{b}"));
    }
    corpus.push("m".repeat(1 << 20));
    corpus
}

/// Markdown has no link, image, HTML or mention but the page's own folding.
pub(crate) fn assert_harmless_markdown(rendered: &str) {
    for event in Parser::new_ext(rendered, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH) {
        match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                panic!("a link to {dest_url}: {rendered}")
            }
            // The evidence is folded by HTML of our own.
            Event::Html(html) | Event::InlineHtml(html) => {
                let own = ["<details>", "</details>", "<summary>", "</summary>"];
                let left = own.iter().fold(html.to_string(), |rest, tag| rest.replace(tag, ""));
                assert!(!left.contains('<'), "HTML: {html}");
            }
            _ => {}
        }
    }
    // What GitHub makes of plain text.
    let prose = prose_of(rendered);
    let mention = prose
        .match_indices('@')
        .find(|(at, _)| prose[at + 1..].starts_with(|c: char| c.is_ascii_alphanumeric()));
    assert_eq!(mention, None, "{prose}");
    for link in ["://", "www."] {
        assert!(!prose.contains(link), "{prose}");
    }
}

/// The text outside of code.
fn prose_of(markdown: &str) -> String {
    let (mut prose, mut in_code) = (String::new(), false);
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::CodeBlock(_)) => in_code = true,
            Event::End(TagEnd::CodeBlock) => in_code = false,
            Event::Text(part) if !in_code => prose.push_str(&part),
            Event::Code(_) | Event::SoftBreak | Event::HardBreak | Event::End(_) => prose.push('\n'),
            _ => {}
        }
    }
    prose
}
