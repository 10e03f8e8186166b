//! `ebusy analyze`: the report in a form for others, as a link or as a page with the report inside.

use ebusy_analyzer::report::Report;
use ebusy_analyzer::report::link::{self, About, Fragment, Shared, USUAL_LENGTH};
use ebusy_analyzer::report::redact::{KINDS, Kind, redact};
use ebusy_analyzer::report::saved::{Saved, SavedBundle, write_bundles, write_whole};
use std::ffi::OsString;
use std::path::Path;

use crate::{Failure, analyze};

/// The page that is built into this command, gzip'd.
#[cfg(feature = "html")]
static PAGE: Option<&[u8]> =
    Some(include_bytes!(env!("EBUSY_PAGE_GZ", "set by `cargo xtask`, which builds the page")));
/// This build has none.
#[cfg(not(feature = "html"))]
static PAGE: Option<&[u8]> = None;

/// What `--redact` was given.
///
/// # Errors
/// Where a word of it is no kind, with all that are.
pub(crate) fn kinds(words: &str) -> Result<Vec<Kind>, String> {
    match words {
        "all" => return Ok(KINDS.to_vec()),
        "none" => return Ok(Vec::new()),
        _ => {}
    }
    let all: Vec<(String, Kind)> =
        KINDS.iter().map(|kind| (format!("{kind:?}").to_lowercase(), *kind)).collect();
    let kind = |word: &str| {
        let found = all.iter().find(|(name, _)| name == word.trim());
        let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
        let unknown = || format!("--redact knows no '{word}': all, none, or some of {}", names.join(","));
        found.map(|(_, kind)| *kind).ok_or_else(unknown)
    };
    words.split(',').map(kind).collect()
}

/// The report without what is to be replaced.
pub(crate) fn shared(report: &Report, kinds: &[Kind]) -> Shared {
    let (report, replaced) = redact(report, kinds);
    Shared { report, left_out: Vec::new(), replaced }
}

/// The report in a fragment, behind `page`'s address where there is one. Tells on stderr what has no room.
pub(crate) fn as_link(shared: &Shared, page: Option<&str>) -> String {
    let page = page.map(|p| p.split('#').next().unwrap_or_default()).unwrap_or_default();
    let (fragment, shown) = link::report_fragment(shared, USUAL_LENGTH.saturating_sub(page.len()));
    let left_out: Vec<String> =
        shown.left_out.iter().map(|l| format!("{} {}", l.count, l.part.name())).collect();
    if !left_out.is_empty() {
        eprintln!("ebusy: left out of the link: {}.", left_out.join(", "));
    }
    let link = format!("{page}{fragment}");
    if link.len() > USUAL_LENGTH {
        eprintln!(
            "ebusy: the link has {} characters; GitHub and others stop making links at about {USUAL_LENGTH}.",
            link.len()
        );
    }
    link + "\n"
}

/// What a link says; `None` where `argument` is none.
///
/// # Errors
/// Where it cannot be opened, or is a view link, with what to do.
pub(crate) fn of_link(argument: &str) -> Option<Result<Shared, Failure>> {
    let opened = link::open(argument)?;
    Some(match opened {
        Ok(Fragment::Report(shared)) => Ok(*shared),
        Ok(Fragment::View(view)) => Err(Failure::Input(format!(
            "this link holds no report: it is a view of the bundle {} ({} bytes, SHA-256 {}). Give that bundle.",
            view.name, view.size, view.sha256
        ))),
        Err(error) => {
            Err(Failure::Input(format!("{} {} [{}]", error.message(), error.advice(), error.code())))
        }
    })
}

/// The page with the report inside, and the bundle, if that is wanted: its name and bytes.
///
/// # Errors
/// Where there is no page to write it into, with what to do.
pub(crate) fn as_page(
    shared: Shared,
    bundle: Option<(String, &[u8])>,
    about: About,
    host: usize,
    page: Option<&str>,
) -> Result<String, Failure> {
    let source = source(page)?;
    let bytes = bundle.as_ref().map_or(&[][..], |(_, bytes)| bytes);
    let inside = bundle.as_ref().map(|(name, _)| SavedBundle { name: name.clone(), host, about });
    write_whole(&source, &Saved { shared, bundle: inside }, bytes).map_err(Failure::Input)
}

/// Most that is put into one page: a browser keeps all of it in memory, beside what it is decoded to.
const MOST: usize = 256 << 20;

/// The page with these bundles inside, by name, which it opens as a list of hosts.
///
/// # Errors
/// Where one cannot be read or all are too much for a page, or there is no page, with what to do.
pub(crate) fn as_page_of(bundles: &[OsString], page: Option<&str>) -> Result<String, Failure> {
    let source = source(page)?;
    let (mut inside, mut size) = (Vec::new(), 0);
    for bundle in bundles {
        let shown = bundle.display();
        if Path::new(bundle).is_dir() {
            let why = "a page holds archives. Pack it first: tar czf";
            return Err(Failure::Input(format!("{shown} is a directory; {why} {shown}.tar.gz {shown}")));
        }
        let bytes = analyze::whole(bundle)?;
        size += bytes.len();
        if size > MOST {
            return Err(Failure::Input(format!(
                "the bundles have more than {} MiB, which is too much for a page. Give fewer, or open ebusy.html and \
                 drop them on it.",
                MOST >> 20
            )));
        }
        inside.push((analyze::file_name(bundle), bytes));
    }
    write_bundles(&source, &inside).map_err(Failure::Input)
}

/// The source of the page: of a file, or as it is built in.
fn source(page: Option<&str>) -> Result<String, Failure> {
    match page {
        Some(file) => std::fs::read_to_string(file)
            .map_err(|e| Failure::Input(format!("cannot read {file}: {e}. --page is where ebusy.html is."))),
        None => built_in(),
    }
}

fn built_in() -> Result<String, Failure> {
    let mut page = String::new();
    let packed = PAGE.ok_or_else(|| {
        Failure::Input(
            "this ebusy was built without the page. Give it with --page ebusy.html, or use the one that `cargo xtask run` builds."
                .to_owned(),
        )
    })?;
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(packed), &mut page).map_err(|error| {
        Failure::Input(format!("the page in this program is damaged: {error}. Get it again."))
    })?;
    Ok(page)
}
