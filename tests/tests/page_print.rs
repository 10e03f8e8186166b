//! What is left of the page on paper: a browser prints it to PDF, and a reader of PDF tells what is in it.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

mod support;

use ebusy_tests::demo;
use ebusy_tests::harness::{machine, need_command, need_path, run};
use ebusy_tests::looks::{Subject, Viewer};
use serde_json::json;
use std::path::Path;
use std::process::Command;

/// Prints what is open; the text of all pages, and their number.
fn printed(viewer: &Viewer, pdftotext: &Path, name: &str) -> (String, usize) {
    let file = viewer.file(name);
    let pdf =
        viewer.browser.pdf(&json!({"printBackground": false, "paperWidth": 8.27, "paperHeight": 11.69}));
    std::fs::write(&file, pdf).expect("a file can be written");
    // In the order in which it was drawn, not line by line over the columns.
    let text = run(Command::new(pdftotext).args(["-raw", "-enc", "UTF-8"]).arg(&file).arg("-"));
    let pages = text.matches('\u{c}').count();
    (text, pages)
}

/// A line may break anywhere in an id.
fn dense(text: &str) -> String {
    text.split_whitespace().collect()
}

#[test]
fn a_printed_report_has_all_of_it() {
    const TEST: &str = "page_print::a_printed_report_has_all_of_it";
    let (Some(file), Some(pdftotext)) = (need_path(TEST, "EBUSY_PAGE"), need_command(TEST, "pdftotext"))
    else {
        return;
    };
    let _alone = machine();
    let Some(viewer) = Viewer::start(TEST, &file) else { return };
    viewer.open(1280, "dark", Subject::Demo);
    let (text, pages) = printed(&viewer, &pdftotext, "report.pdf");
    assert!((3..12).contains(&pages), "{pages} pages");
    let report = support::ask_default(&demo::bundle());
    let all = dense(&text);
    let has = |what: &str| assert!(all.contains(&dense(what)), "on paper there is no {what:?} in\n{text}");

    has("Held");
    has(&report.verdict.summary);
    for name in [&report.host.name, &report.host.kernel, &report.host.runtime].into_iter().flatten() {
        has(name);
    }
    for holder in &report.holders {
        has(&holder.effect_reason);
        // What is folded on the screen, too.
        for process in holder.process.iter().chain(&holder.more_processes) {
            has(&format!("{} {}", process.pid, process.comm));
        }
        for mount in &holder.mounts {
            has(&mount.evidence.text);
        }
        holder.evidence.iter().for_each(|evidence| has(&evidence.file));
        let told =
            holder.remedies.iter().filter(|_| holder.effect == ebusy_analyzer::report::Effect::Blocking);
        for remedy in told {
            remedy.command.lines().for_each(has);
            has(&remedy.risk.replace('`', ""));
        }
    }
    report.next_steps.iter().for_each(|remedy| has(&remedy.command));
    report.timeline.iter().for_each(|event| has(&event.what));
    report.errors.iter().for_each(|error| has(&error.line));
    report.target.aliases.iter().for_each(|alias| has(&alias.value));
    report.looked_at.iter().for_each(|sentence| has(sentence));
    // The picture's words are text, too.
    has("umount starts here");
    // Nothing to click.
    for button in ["Copy", "Show ", "Save as", "Share", "Open another", "Close"] {
        assert!(!text.lines().any(|line| line.starts_with(button)), "{button:?} on paper:\n{text}");
    }

    viewer.open(1280, "light", Subject::Fleet);
    let (text, _) = printed(&viewer, &pdftotext, "hosts.pdf");
    for host in ["web1", "web2", "crowd1", "holiday.jpg"] {
        assert!(text.contains(host), "{host} in\n{text}");
    }
}
