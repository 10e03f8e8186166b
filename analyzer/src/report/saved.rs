//! A page with a report inside, and on wish the whole bundle: one file that anyone can open years later.
//!
//! The page's source has a place for data, between two comments. What stands there is text in `script` elements of a
//! type that no browser runs, so the page's policy stays as it is, and nothing in it can end its element.

use super::link::{About, Shared, bounded};
use super::{Report, SCHEMA};
use crate::OpenError;
use serde::{Deserialize, Serialize};

/// Where data begins and ends in the source of a page.
const PLACE: (&str, &str) = ("<!-- ebusy: data -->", "<!-- ebusy: end of data -->");
/// Id of the element with the report, as JSON.
pub const REPORT_ID: &str = "ebusy-saved";
/// Class of the elements with bundles, in base64; their titles are the bundles' names. Beside a report there is one at
/// most, a page without a report opens all of them.
pub const BUNDLE_CLASS: &str = "ebusy-bundle";

/// Id of the element with the page's frame: its source without what the elements of [`PARTS`] hold.
pub const FRAME_ID: &str = "ebusy-frame";
/// Elements whose text is left out of the frame. `xtask/src/page.rs` has the same list.
pub const PARTS: [&str; 7] = [
    "ebusy-shell-style",
    "ebusy-style",
    "ebusy-boot-script",
    "ebusy-wasm",
    "ebusy-demo",
    "ebusy-glue",
    FRAME_ID,
];

/// The source of a page, put together from its frame and the texts of its parts; `None` where one is missing. In the
/// frame `%3C` and `%25` stand for `<` and `%`, so that it can stand in an element itself.
pub fn rebuild(frame: &str, text_of: &mut dyn FnMut(&str) -> Option<String>) -> Option<String> {
    let mut page = frame.replace("%3C", "<").replace("%25", "%");
    for id in PARTS {
        let at = page.find(&format!(" id=\"{id}\">"))? + id.len() + 7;
        page.insert_str(at, &text_of(id)?);
    }
    Some(page)
}

/// What a saved page shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Saved {
    /// The report, which is shown at once.
    pub shared: Shared,
    /// The bundle inside, where there is one.
    pub bundle: Option<SavedBundle>,
}

/// A bundle inside of a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedBundle {
    /// File name.
    pub name: String,
    /// Index of the host that the report is about, where the bundle has several.
    pub host: usize,
    /// What the report answers.
    pub about: About,
}

/// The source of a page with `saved` in it, in two parts: the bundle's base64 goes between them, where it is inside.
///
/// # Errors
/// Where `page` is no page of ebusy, with what to do.
pub fn write(page: &str, saved: &Saved) -> Result<(String, String), String> {
    let (mut head, after) = around_place(page)?;
    let json =
        serde_json::to_string(saved).map_err(|error| format!("The report cannot be written: {error}."))?;
    head.push_str(&format!("<script type=\"text/plain\" id=\"{REPORT_ID}\">"));
    push_harmless(&mut head, &json);
    head.push_str(END);
    let mut tail = String::new();
    if let Some(bundle) = &saved.bundle {
        push_start(&mut head, &bundle.name);
        tail.push_str(END);
    }
    tail.push_str(after);
    Ok((head, tail))
}

/// Ends an element with data.
const END: &str = "</script>";

/// The source of a page before its data and after.
fn around_place(page: &str) -> Result<(String, &str), String> {
    let (before, rest) = page.split_once(PLACE.0).unwrap_or_default();
    let end = rest
        .find(PLACE.1)
        .ok_or("This is not a page of ebusy, or one of another version. Give ebusy.html.")?;
    Ok((format!("{before}{}", PLACE.0), &rest[end..]))
}

/// Begins the element of a bundle.
fn push_start(out: &mut String, name: &str) {
    out.push_str(&format!("<script type=\"text/plain\" class=\"{BUNDLE_CLASS}\" title=\""));
    for c in name.chars() {
        match c {
            '<' | '>' | '&' | '"' | '\'' => out.push_str(&format!("&#{};", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push_str("\">");
}

/// A page that opens these bundles, by name, as if they were dropped on it.
///
/// # Errors
/// As [`write`].
///
/// ```
/// use ebusy_analyzer::report::saved::write_bundles;
///
/// // Any other page is refused in words.
/// assert!(write_bundles("<html></html>", &[]).is_err_and(|why| why.contains("not a page of ebusy")));
/// ```
pub fn write_bundles(page: &str, bundles: &[(String, Vec<u8>)]) -> Result<String, String> {
    let (mut file, after) = around_place(page)?;
    for (name, bytes) in bundles {
        push_start(&mut file, name);
        file.push_str(&super::base64::standard(bytes));
        file.push_str(END);
    }
    file.push_str(after);
    Ok(file)
}

/// The whole file, with `bundle` where [`Saved::bundle`] tells of one.
///
/// # Errors
/// As [`write`].
pub fn write_whole(page: &str, saved: &Saved, bundle: &[u8]) -> Result<String, String> {
    let (mut file, tail) = write(page, saved)?;
    if saved.bundle.is_some() {
        file.push_str(&super::base64::standard(bundle));
    }
    file.push_str(&tail);
    Ok(file)
}

/// What the element with the report says.
///
/// # Errors
/// Where it is damaged or of a newer version, in words.
pub fn read(json: &str) -> Result<Saved, String> {
    crate::json::record(json.as_bytes()).map_err(|error| error.to_string())
}

/// So many bytes at the beginning of a file tell whether [`report`] reads it.
pub const HEAD: usize = 64;

/// Whether a file that begins so is a report of its own, as `ebusy analyze --format json` and the page write it.
pub fn is_report(head: &[u8]) -> bool {
    let dense: Vec<u8> = head.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    dense.starts_with(b"{\"schema\":\"ebusy.report/")
}

/// A report of its own.
///
/// # Errors
/// Where it is damaged, or of another version.
pub fn report(json: &[u8]) -> Result<Report, OpenError> {
    let fails = |code, message: String, advice: &str| OpenError { code, message, advice: advice.to_owned() };
    let mut report: Report = crate::json::record(json).map_err(|error| {
        let message = format!("This is a report of ebusy, but cannot be read: {error}.");
        fails("damaged-report", message, "Get it again, or analyze its bundle again.")
    })?;
    if report.schema != SCHEMA {
        let message =
            format!("This report is of the version {}, and this program reads {SCHEMA}.", report.schema);
        return Err(fails("other-version", message, "Open it with a newer ebusy."));
    }
    bounded::report(&mut report);
    Ok(report)
}

/// Why such a file is not among the bundles of several hosts.
pub fn not_a_bundle() -> OpenError {
    OpenError {
        code: "saved-report",
        message: "This is a saved report, not a bundle.".to_owned(),
        advice: "Open it alone.".to_owned(),
    }
}

/// JSON without any character that could mean something to HTML: such a one is in a string there, where it can be
/// written as an escape.
fn push_harmless(out: &mut String, json: &str) {
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "<html><!-- ebusy: data --><!-- ebusy: end of data --></html>";

    fn saved(summary: &str) -> Saved {
        let mut report = Report::default();
        report.verdict.summary = summary.to_owned();
        let about = About::Text("</script><script>".into());
        let bundle = Some(SavedBundle { name: "--><b>.tar.gz".into(), host: 0, about });
        Saved { shared: Shared { report, left_out: Vec::new(), replaced: Vec::new() }, bundle }
    }

    /// The text of the element with an id.
    fn element<'a>(html: &'a str, id: &str) -> &'a str {
        html.split_once(&format!("id=\"{id}\">")).unwrap().1.split_once("</script>").unwrap().0
    }

    #[test]
    fn a_report_of_its_own_is_told_by_its_head_and_read() {
        let written = Report { schema: SCHEMA.to_owned(), ..Report::default() };
        for json in
            [serde_json::to_string(&written).unwrap(), serde_json::to_string_pretty(&written).unwrap()]
        {
            assert!(is_report(&json.as_bytes()[..HEAD]), "{json}");
            assert_eq!(report(json.as_bytes()).unwrap(), written);
            assert_eq!(report(&json.as_bytes()[..90]).unwrap_err().code, "damaged-report");
            let newer = json.replace("ebusy.report/1", "ebusy.report/2");
            assert_eq!(report(newer.as_bytes()).unwrap_err().code, "other-version");
        }
        assert!(!is_report(b"{\"schema\": \"ebusy.census/1\"}") && !is_report(b""));
    }

    #[test]
    fn what_is_saved_is_read_again() {
        let saved = saved("ü \u{2028} & \"x\" \\ </script><!-- <script> ]]>");
        let html = write_whole(PAGE, &saved, b"bundle").unwrap();
        assert_eq!(read(element(&html, REPORT_ID)).unwrap(), saved);
        assert!(html.contains(">YnVuZGxl</script>"), "{html}");
        assert!(html.contains(" title=\"--&#62;&#60;b&#62;.tar.gz\">"), "{html}");
        assert!(html.starts_with("<html>") && html.ends_with("</html>"));
    }

    #[test]
    fn nothing_in_it_ends_its_element_or_begins_another() {
        for hostile in
            ["</script>", "</SCRIPT >", "<!--", "<script>", "-->", "<!-- ebusy: end of data -->", "&lt;"]
        {
            let html = write_whole(PAGE, &saved(hostile), b"").unwrap();
            let data = element(&html, REPORT_ID);
            assert!(!data.contains(['<', '>', '&']), "{data}");
            assert_eq!(html.matches("<script").count(), 2, "{html}");
            assert_eq!(html.matches("-->").count(), 2, "{html}");
        }
    }

    #[test]
    fn a_saved_page_can_be_saved_again() {
        let first = write_whole(PAGE, &saved("one"), b"1").unwrap();
        let second = write_whole(&first, &saved("two"), b"2").unwrap();
        assert_eq!(second, write_whole(PAGE, &saved("two"), b"2").unwrap());
    }

    #[test]
    fn a_page_is_put_together_from_its_frame_and_its_parts() {
        let elements: String = PARTS.iter().map(|id| format!("<i id=\"{id}\"></i>")).collect();
        let frame = format!("100%{elements}").replace('%', "%25").replace('<', "%3C");
        let page = rebuild(&frame, &mut |id| Some(format!("[{id}%3C]"))).unwrap();
        let expected: String = PARTS.iter().map(|id| format!("<i id=\"{id}\">[{id}%3C]</i>")).collect();
        assert_eq!(page, format!("100%{expected}"));
        assert_eq!(rebuild(&frame, &mut |_| None), None);
    }

    #[test]
    fn bundles_without_a_report_stand_one_after_the_other() {
        let bundles = [("a\" onload=\"x".to_owned(), b"1".to_vec()), ("b".to_owned(), Vec::new())];
        let html = write_bundles(&write_whole(PAGE, &saved("old"), b"old").unwrap(), &bundles).unwrap();
        let element = |name: &str, text: &str| {
            format!("<script type=\"text/plain\" class=\"ebusy-bundle\" title=\"{name}\">{text}</script>")
        };
        let inside = element("a&#34; onload=&#34;x", "MQ==") + &element("b", "");
        assert_eq!(html, PAGE.replace("--><!--", &format!("-->{inside}<!--")));
    }

    #[test]
    fn another_file_is_refused() {
        assert!(write("<html></html>", &saved("")).unwrap_err().contains("ebusy.html"));
    }
}
