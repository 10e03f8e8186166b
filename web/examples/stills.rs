//! Writes each screen as a plain HTML file, without a browser, a worker or a bundle: for looking at
//! the views while changing them.
//!
//!     cargo run -p ebusy-web --example stills --features stills -- DIR

use ebusy_web::sample;
use ebusy_web::state::{Failed, FileInfo, Open, Reading, Screen, State};
use ebusy_web::views::{Page, PageProps};
use ebusy_web::worker::protocol::{Failure, Question};
use std::rc::Rc;
use yew::Callback;

fn screens() -> Vec<(&'static str, Screen)> {
    let file = Rc::new(FileInfo { name: "ebusy-web1-20261122T074502Z.tar.gz".into(), size: 149_154, of: 1 });
    let failure = Failure {
        code: "unknown-format".into(),
        message: "The file is neither a gzip nor a tar archive.".into(),
        advice: "Drop the .tar.gz that the collector wrote, unchanged.".into(),
    };
    let open = |report| {
        Screen::Open(Rc::new(Open {
            file: file.clone(),
            overview: Rc::new(sample::overview()),
            question: Question::Error(0),
            request: 1,
            answered: 1,
            report: Some(Rc::new(report)),
            waiting: false,
            census: Some(Rc::new(sample::census())),
            mounts: None,
            mounts_wanted: None,
            hosts: vec![Some("web1".into())],
            host: 0,
            choosing: None,
        }))
    };
    vec![
        ("start", Screen::Start),
        ("reading", Screen::Reading(Reading { file: file.clone(), bytes: 61_000, entries: 512 })),
        ("failed", Screen::Failed(Rc::new(Failed { file: file.clone(), failure }))),
        ("held", open(sample::report())),
        ("many", open(sample::report_with(200))),
    ]
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "target/stills".into());
    std::fs::create_dir_all(&folder)?;
    for (name, screen) in screens() {
        let state = State { opening: 1, screen, dragging: false };
        let props = move || PageProps {
            state,
            open: Callback::noop(),
            ask: Callback::noop(),
            choose: Callback::noop(),
            close: Callback::noop(),
            demo: Callback::noop(),
        };
        let body = yew::LocalServerRenderer::<Page>::with_props(props()).hydratable(false).render().await;
        let page = format!(
            "<!doctype html><html lang=en><meta charset=utf-8>\
             <meta name=viewport content=\"width=device-width,initial-scale=1\">\
             <style>:root{{color-scheme:light dark}}{}</style><div id=app>{body}</div></html>",
            include_str!("../style.css")
        );
        std::fs::write(format!("{folder}/{name}.html"), page)?;
    }
    Ok(())
}
