//! The worker's end: reads the bundle, answers questions. Knows no JavaScript, so that it is tested
//! natively; [`crate::browser::worker_scope`] feeds it.

use super::protocol::{Failure, Mounts, Opened, Request, Response};
use crate::text;
use ebusy_analyzer::Analysis;
use std::io::Read;
use std::ops::ControlFlow;

/// One bundle and what was understood of it.
#[derive(Debug, Default)]
pub struct Host {
    analysis: Option<Analysis>,
}

impl Host {
    /// Reads the bundle and tells `emit` how far it is, then the overview or why there is none.
    pub fn open(&mut self, input: impl Read, emit: &mut dyn FnMut(Response)) {
        let read = Analysis::open(input, &mut |progress| {
            emit(Response::Progress { bytes: progress.bytes, entries: progress.entries });
            ControlFlow::Continue(())
        });
        match read {
            Ok(analysis) => {
                emit(opened(&analysis));
                self.analysis = Some(analysis);
            }
            Err(error) => emit(Response::Failed(error.into())),
        }
    }

    /// Answers one request.
    pub fn answer(&mut self, request: Request) -> Response {
        let Some(analysis) = &mut self.analysis else { return Response::Failed(not_open()) };
        match request {
            Request::Explain { number, question } => {
                Response::Explained { number, report: Box::new(analysis.explain(&question.into())) }
            }
            Request::Host(index) => {
                // An index that is not there leaves the host as it is, which the answer tells.
                analysis.choose(index);
                opened(analysis)
            }
            Request::Census => Response::Census(Box::new(analysis.census())),
            Request::Tree(asked) => {
                let (namespaces, tree) = (analysis.namespaces(), analysis.mount_tree(&asked));
                Response::Tree(Box::new(Mounts { asked, namespaces, tree }))
            }
        }
    }
}

fn opened(analysis: &Analysis) -> Response {
    Response::Opened(Box::new(Opened {
        overview: analysis.overview(),
        hosts: analysis.hosts(),
        host: analysis.chosen(),
    }))
}

/// The page asked before a bundle was open: the page's mistake, not the user's.
fn not_open() -> Failure {
    let t = text::t();
    Failure {
        code: "nothing-open".into(),
        message: t.nothing_open.into(),
        advice: t.advice_report_fault.into(),
    }
}
