//! Whether the links of the built book lead somewhere: to a file in it, and there to the id they name.

use anyhow::{Context as _, Result, bail};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

/// Made of the other pages by mdBook; what is wrong in it is wrong there.
const MADE: [&str; 3] = ["print.html", "toc.html", "404.html"];

/// Checks the book in `dir`; how many links within it were followed.
///
/// # Errors
/// Where one leads nowhere, with all that do.
pub(super) fn check(dir: &Path) -> Result<usize> {
    let mut pages = BTreeMap::new();
    read(dir, Path::new(""), &mut pages)?;
    let (mut followed, mut broken) = (0, Vec::new());
    for (page, html) in pages.iter().filter(|(page, _)| !MADE.iter().any(|made| page.ends_with(made))) {
        for link in values(html, "href").chain(values(html, "src")) {
            if link.contains("://") || link.starts_with("data:") || link.starts_with("mailto:") {
                continue;
            }
            followed += 1;
            if !leads_somewhere(dir, &pages, page, link) {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    if !broken.is_empty() {
        bail!("links of the book that lead nowhere:\n{}", broken.join("\n"));
    }
    Ok(followed)
}

fn read(top: &Path, below: &Path, pages: &mut BTreeMap<PathBuf, String>) -> Result<()> {
    let dir = top.join(below);
    for entry in fs::read_dir(&dir).with_context(|| format!("cannot read {}", dir.display()))? {
        let entry = entry?;
        let path = below.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            read(top, &path, pages)?;
        } else if path.extension().is_some_and(|end| end == "html") {
            let html = fs::read_to_string(entry.path())
                .with_context(|| format!("cannot read {}", entry.path().display()))?;
            pages.insert(path, html);
        }
    }
    Ok(())
}

fn leads_somewhere(dir: &Path, pages: &BTreeMap<PathBuf, String>, page: &Path, link: &str) -> bool {
    let (path, id) = link.split_once('#').unwrap_or((link, ""));
    let path = path.split('?').next().unwrap_or_default();
    let Some(target) = resolved(page, path) else { return false };
    match pages.get(&target) {
        Some(html) => id.is_empty() || values(html, "id").collect::<BTreeSet<_>>().contains(id),
        None => dir.join(&target).exists(),
    }
}

/// The file that a link means, from the book's top; `None` above it.
fn resolved(page: &Path, link: &str) -> Option<PathBuf> {
    if link.is_empty() {
        return Some(page.to_path_buf());
    }
    let mut target = PathBuf::new();
    for part in page.parent()?.join(link).components() {
        match part {
            Component::ParentDir => target.pop().then_some(())?,
            Component::Normal(name) => target.push(name),
            _ => {}
        }
    }
    Some(target)
}

/// Values of an attribute in double quotes, as mdBook writes them.
fn values<'a>(html: &'a str, attribute: &str) -> impl Iterator<Item = &'a str> {
    let begin = format!(" {attribute}=\"");
    html.match_indices(&begin)
        .map(|(at, begin)| at + begin.len())
        .collect::<Vec<_>>()
        .into_iter()
        .filter_map(|at| html.get(at..)?.split('"').next())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ebusy_tests::harness::TempDir;

    #[test]
    fn a_link_without_a_file_or_an_id_is_named() {
        let dir = TempDir::new("book");
        let write = |name: &str, text: &str| fs::write(dir.join(name), text).unwrap();
        fs::create_dir(dir.join("sub")).unwrap();
        write("a.png", "");
        write("b.html", "<h1 id=\"there\">x</h1> <a href=\"sub/c.html\">c</a> <a href=\"#there\">up</a>");
        write(
            "sub/c.html",
            "<img src=\"../a.png\"> <a href=\"../b.html#there\">b</a> <a href=\"https://a.b\">b</a>",
        );
        assert_eq!(check(dir.path()).unwrap(), 4);
        write("sub/c.html", "<img src=\"a.png\"> <a href=\"../b.html#gone\">b</a> <a href=\"../../x\">b</a>");
        let said = check(dir.path()).unwrap_err().to_string();
        for link in ["sub/c.html: a.png", "../b.html#gone", "../../x"] {
            assert!(said.contains(link), "{said}");
        }
    }
}
