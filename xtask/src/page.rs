//! Builds `dist/ebusy.html`: the page, its module, its style and the demo in one file.

use crate::workspace::Workspace;
use crate::{csp, demo, pack, taken_apart, thin, wasm_target};
use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use wasm_bindgen_cli_support::Bindgen;

/// The finished page.
#[derive(Debug)]
pub(crate) struct Page {
    /// Where it was written.
    pub(crate) file: PathBuf,
    /// The same, gzip'd, for programs that have it built in.
    pub(crate) packed: PathBuf,
    /// Its size in bytes.
    pub(crate) raw: usize,
    /// Its size in bytes when a server compresses it.
    pub(crate) gzip: usize,
    /// The size of the module in it, before compression.
    pub(crate) wasm: usize,
}

/// What the page may weigh, in bytes: as it is, and as a server sends it. To be lowered whenever it shrinks; raised
/// only with a reason. The last ones: what finds one of a hundred thousand namespaces, mount points or errors without
/// asking each (9 KB), and who refused the collector (2 KB).
const BUDGET: (usize, usize) = (880_500, 630_800);

/// Fails where the page has outgrown its budget.
fn check_budget(raw: usize, gzip: usize) -> Result<()> {
    if raw > BUDGET.0 || gzip > BUDGET.1 {
        bail!(
            "the page has {raw} bytes, {gzip} gzip'd; its budget is {} and {} (xtask/src/page.rs). \
             `twiggy top` on target/wasm32-unknown-unknown/release/ebusy_web.wasm shows where they are",
            BUDGET.0,
            BUDGET.1
        );
    }
    Ok(())
}

/// Compiles the page and writes it.
pub(crate) fn build(workspace: &Workspace) -> Result<Page> {
    let module = wasm_target::WasmTarget::get()?.build(workspace, "ebusy-web")?;
    let Bound { glue, wasm } = bind(&module)?;
    let shell = thin_shell(&read(&workspace.root.join("index.html"))?)?;
    let style = thin::style(&style(&workspace.root.join("web/style"))?);
    let glue = thin::script(&glue)?;
    let html = assemble(&shell, &Parts { style: &style, glue: &glue, wasm: &wasm, demo: &demo::tar()? })?;

    let file = workspace.dist().join("ebusy.html");
    fs::create_dir_all(workspace.dist()).context("cannot create dist/")?;
    fs::write(&file, &html).with_context(|| format!("cannot write {}", file.display()))?;
    // Not in dist/, which is served and sent: what is built into programs is theirs.
    let packed = workspace.target.join("ebusy.html.gz");
    let gzip = pack::gzip(html.as_bytes())?;
    fs::write(&packed, &gzip).with_context(|| format!("cannot write {}", packed.display()))?;
    check_budget(html.len(), gzip.len())?;
    Ok(Page { file, packed, raw: html.len(), gzip: gzip.len(), wasm: wasm.len() })
}

/// The parts of the style sheet, in the order in which later rules go before earlier ones.
const STYLE: [&str; 16] = [
    "tokens", "elements", "parts", "frame", "overlays", "start", "reading", "bundle", "verdict", "sections",
    "picture", "tree", "tables", "fleet", "media", "share",
];

/// The style sheet; fails where a file of its folder is not named in [`STYLE`].
fn style(folder: &Path) -> Result<String> {
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !name.strip_suffix(".css").is_some_and(|part| STYLE.contains(&part)) {
            bail!("web/style/{name} is not in the list of xtask/src/page.rs, which gives their order");
        }
    }
    STYLE.iter().map(|part| read(&folder.join(format!("{part}.css")))).collect()
}

fn read(file: &Path) -> Result<String> {
    fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

/// wasm-bindgen's output.
struct Bound {
    glue: String,
    wasm: Vec<u8>,
}

/// Does what the `wasm-bindgen` command does. `no-modules`, because the worker of a page from file:// cannot be a
/// module.
fn bind(module: &Path) -> Result<Bound> {
    let mut output = Bindgen::new()
        .input_path(module)
        .no_modules(true)?
        .typescript(false)
        .omit_default_module_path(true)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate_output()
        .with_context(|| format!("wasm-bindgen cannot read {}", module.display()))?;
    // Every crate with bindings is listed, most with nothing.
    let brings_files = output.snippets().values().any(|files| !files.is_empty());
    if brings_files || !output.local_modules().is_empty() {
        bail!("a dependency of the page brings JavaScript files of its own; they cannot be inlined");
    }
    let mut glue = output.js().to_owned();
    let module = output.wasm_mut();
    shorten_imports(module.imports.iter_mut().map(|import| &mut import.name), &mut glue)?;
    Ok(Bound { glue, wasm: module.emit_wasm() })
}

/// Numbers in place of the names by which the module finds the glue's functions: the names end in hashes, which no
/// compression makes smaller.
fn shorten_imports<'a>(names: impl Iterator<Item = &'a mut String>, glue: &mut String) -> Result<()> {
    for (number, name) in names.enumerate() {
        let key = format!("{name}: ");
        if glue.matches(&key).count() != 1 {
            bail!("wasm-bindgen's glue does not have `{name}` once");
        }
        *name = format!("_{number}");
        *glue = glue.replace(&key, &format!("{name}: "));
    }
    Ok(())
}

/// What goes into the shell.
struct Parts<'a> {
    style: &'a str,
    glue: &'a str,
    wasm: &'a [u8],
    /// A tar.
    demo: &'a [u8],
}

/// Puts the parts in place of the shell's `<!-- build: NAME -->` comments, and the policy last, because it holds
/// the hashes of the others.
fn assemble(shell: &str, parts: &Parts<'_>) -> Result<String> {
    // Compressed here as well as by a server: base64 of the plain module would be 2.4 times as large on disk, and
    // larger on the wire, too. LZMA saves another quarter, for 3 KB of JavaScript and a tenth of a second at the start.
    let wasm = STANDARD.encode(pack::lzma(&taken_apart::take_apart(parts.wasm)?)?);
    let demo = STANDARD.encode(pack::xz(parts.demo)?);
    let mut html = shell.to_owned();
    for (name, element) in [
        ("style", format!("<style id=\"ebusy-style\">\n{}</style>", embeddable("web/style", parts.style)?)),
        ("wasm", format!("<script type=\"text/plain\" id=\"ebusy-wasm\">{wasm}</script>")),
        ("demo", format!("<script type=\"text/plain\" id=\"ebusy-demo\">{demo}</script>")),
        ("glue", format!("<script id=\"ebusy-glue\">\n{}</script>", embeddable("the glue", parts.glue)?)),
    ] {
        html = insert(&html, name, &element)?;
    }
    let policy = csp::policy(&html)?;
    html = insert(
        &html,
        "policy",
        &format!("<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">"),
    )?;
    html = insert(&html, "frame", "<script type=\"text/plain\" id=\"ebusy-frame\"></script>")?;
    let frame = frame(&html)?.replace('%', "%25").replace('<', "%3C");
    Ok(html.replacen(" id=\"ebusy-frame\">", &format!(" id=\"ebusy-frame\">{frame}"), 1))
}

/// The page without what these elements hold. The page itself has them and puts it together again when somebody saves
/// a report (`saved::rebuild` in the analyzer, with the same list).
fn frame(html: &str) -> Result<String> {
    let mut frame = html.to_owned();
    for id in
        ["ebusy-shell-style", "ebusy-style", "ebusy-boot-script", "ebusy-wasm", "ebusy-demo", "ebusy-glue"]
    {
        frame.replace_range(text_of(&frame, id)?, "");
    }
    Ok(frame)
}

/// The shell without what is for those who work on it: the comment at its head, and what [`thin`] takes out.
fn thin_shell(shell: &str) -> Result<String> {
    let mut thin = shell.to_owned();
    let Some(start) = thin.find("<!--\n") else { bail!("index.html lacks the comment at its head") };
    let end = thin[start..].find("-->\n").context("index.html has a comment without an end")?;
    thin.replace_range(start..start + end + 4, "");
    for (id, less) in [
        ("ebusy-shell-style", &(|text: &str| Ok(thin::style(text))) as &dyn Fn(&str) -> Result<String>),
        ("ebusy-boot-script", &thin::script),
    ] {
        let text = text_of(&thin, id)?;
        let new = less(&thin[text.clone()])?;
        thin.replace_range(text, &new);
    }
    Ok(thin)
}

/// Where the text of the element with that id is.
fn text_of(html: &str, id: &str) -> Result<Range<usize>> {
    let start = format!(" id=\"{id}\">");
    let at =
        html.find(&start).with_context(|| format!("the page has no element with the id {id}"))? + start.len();
    let length = html[at..].find("</s").with_context(|| format!("the element {id} has no end"))?;
    Ok(at..at + length)
}

/// Replaces the one comment of that name.
fn insert(html: &str, name: &str, element: &str) -> Result<String> {
    let comment = format!("<!-- build: {name} -->");
    let (before, after) =
        html.split_once(&comment).with_context(|| format!("index.html lacks the comment {comment}"))?;
    if after.contains(&comment) {
        bail!("index.html has the comment {comment} twice");
    }
    Ok(format!("{before}{element}{after}"))
}

/// Checks that an HTML parser reads a text in a script or style element to its end, and no further.
fn embeddable<'a>(what: &str, text: &'a str) -> Result<&'a str> {
    let lower = text.to_ascii_lowercase();
    match ["</script", "</style", "<!--", "<script"].iter().find(|end| lower.contains(**end)) {
        Some(end) => {
            bail!("{what} contains `{end}` and cannot be inlined; write it as a concatenation there")
        }
        None => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lzma_rust2::{LzmaReader, XzReader};
    use std::io::Read as _;

    const SHELL: &str = "<!-- build: policy --><style id=\"ebusy-shell-style\">b{}</style><!-- build: style -->\
                         <script id=\"ebusy-boot-script\">boot()</script>\
                         <!-- build: wasm --><!-- build: demo --><!-- build: glue --><!-- build: frame -->";

    /// A module with one function that does nothing.
    const MODULE: &[u8] = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x0a\x04\x01\x02\0\x0b";

    fn parts<'a>() -> Parts<'a> {
        Parts { style: "main{}\n", glue: "let wasm_bindgen;\n", wasm: MODULE, demo: b"bundle" }
    }

    #[test]
    fn everything_is_inside() {
        let html = assemble(SHELL, &parts()).unwrap();
        assert!(!html.contains("<!-- build:"), "{html}");
        assert!(html.contains("<style id=\"ebusy-style\">\nmain{}\n</style>"));
        assert!(html.contains("let wasm_bindgen;"));
        let block = |id: &str| {
            let begin = format!("id=\"{id}\">");
            STANDARD.decode(html.split_once(&begin).unwrap().1.split_once('<').unwrap().0).unwrap()
        };
        let mut plain = Vec::new();
        let module = block("ebusy-wasm");
        LzmaReader::new_mem_limit(&module[..], 64 << 10, None).unwrap().read_to_end(&mut plain).unwrap();
        assert_eq!(plain, taken_apart::take_apart(MODULE).unwrap());
        plain.clear();
        XzReader::new(&block("ebusy-demo")[..], false).read_to_end(&mut plain).unwrap();
        assert_eq!(plain, b"bundle");
    }

    #[test]
    fn a_page_above_its_budget_is_refused() {
        assert!(check_budget(BUDGET.0, BUDGET.1).is_ok());
        assert!(check_budget(BUDGET.0 + 1, 0).is_err());
        assert!(check_budget(0, BUDGET.1 + 1).is_err());
    }

    #[test]
    fn the_policy_covers_the_shells_script_and_the_glue() {
        let html = assemble(SHELL, &parts()).unwrap();
        // Twice: the frame has the policy, too.
        assert_eq!(html.matches("'sha256-").count(), 8, "{html}");
        assert!(html.starts_with("<meta http-equiv=\"Content-Security-Policy\""));
    }

    #[test]
    fn module_and_glue_agree_on_short_names() {
        let mut names = ["__wbg_log_0a1b".to_owned(), "__wbg_now_2c3d".to_owned()];
        let mut glue = "{ __wbg_log_0a1b: function(x) {}, __wbg_now_2c3d: () => wasm.__wbg_log }".to_owned();
        shorten_imports(names.iter_mut(), &mut glue).unwrap();
        assert_eq!(names, ["_0", "_1"]);
        assert_eq!(glue, "{ _0: function(x) {}, _1: () => wasm.__wbg_log }");
        let missing = shorten_imports([&mut "__wbg_gone".to_owned()].into_iter(), &mut glue).unwrap_err();
        assert!(missing.to_string().contains("__wbg_gone"), "{missing}");
    }

    #[test]
    fn the_same_parts_give_the_same_page() {
        assert_eq!(assemble(SHELL, &parts()).unwrap(), assemble(SHELL, &parts()).unwrap());
    }

    #[test]
    fn a_text_that_would_end_its_element_is_refused() {
        for glue in ["x = '</script>'", "x = '<!-- <script'", "</SCRIPT"] {
            assert!(assemble(SHELL, &Parts { glue, ..parts() }).is_err(), "{glue}");
        }
    }

    #[test]
    fn a_shell_without_a_place_for_a_part_is_refused() {
        let error = assemble(&SHELL.replace("<!-- build: demo -->", ""), &parts()).unwrap_err();
        assert!(error.to_string().contains("build: demo"), "{error}");
    }

    #[test]
    fn the_real_shell_has_a_place_for_each_part() {
        let shell = thin_shell(include_str!("../../index.html")).unwrap();
        assert!(!shell.contains("The page's shell") && !shell.contains("\n  //"), "{shell}");
        let html = assemble(&shell, &parts()).unwrap();
        let (html, frame) = html.split_once(" id=\"ebusy-frame\">").unwrap();
        for id in ["app", "ebusy-boot", "ebusy-failure", "ebusy-wasm", "ebusy-demo", "ebusy-glue"] {
            assert_eq!(html.matches(&format!(" id=\"{id}\"")).count(), 1, "{id}");
        }
        assert!(
            !frame.split_once("</script>").unwrap().0.contains(['<', '\r']),
            "the frame is one element's text"
        );
        assert!(!html.contains(" style="), "the policy forbids style attributes");
        assert!(!html.contains("src=\"http") && !html.contains("href=\"http"), "nothing is loaded");
    }
}
