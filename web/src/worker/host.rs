//! The worker's end: reads bundles, answers questions. Knows no JavaScript, so that it is tested
//! natively; [`crate::browser::worker_scope`] feeds it.

use super::protocol::{Failure, Mounts, Opened, Question, Request, Response};
use crate::text;
use ebusy_analyzer::report::saved;
use ebusy_analyzer::{Analysis, diff};
use sha2::{Digest as _, Sha256};
use std::cell::RefCell;
use std::io::{self, Read};
use std::ops::ControlFlow;

/// One bundle, or two to compare, and what was understood of them.
#[derive(Debug, Default)]
pub struct Host {
    open: Vec<Analysis>,
    /// A file was a report already: there is nothing to ask about it.
    was_report: bool,
    /// Whether the answer to the first question goes along with what a file has.
    explains_first: bool,
}

impl Host {
    /// Reads a bundle and tells `emit` how far it is, then the overview or why there is none.
    pub fn open(&mut self, mut input: impl Read, emit: &mut dyn FnMut(Response)) {
        let mut head = Vec::new();
        // What cannot be read fails again below, and is told there.
        let _ = input.by_ref().take(saved::HEAD as u64).read_to_end(&mut head);
        if saved::is_report(&head) {
            self.was_report = true;
            return emit(read_report(head, input));
        }
        let input = head.as_slice().chain(input);
        let emit = RefCell::new(emit);
        let emit = |response| emit.borrow_mut()(response);
        let mut seen = (0, 0);
        let input = TellEnd { input, read: 0, end: &|bytes| emit(Response::AllRead { bytes }) };
        let read = Analysis::open(input, &mut |progress| {
            // Members inside of members bring no further bytes; what is said twice only costs.
            if seen != (progress.bytes, progress.entries) {
                seen = (progress.bytes, progress.entries);
                emit(Response::Progress { bytes: progress.bytes, entries: progress.entries });
            }
            ControlFlow::Continue(())
        });
        match read {
            Ok(analysis) => {
                emit(opened(&analysis, self.explains_first));
                self.open.push(analysis);
            }
            Err(error) => emit(Response::Failed(error.into())),
        }
    }

    /// From now on, a file of one host is explained as soon as it is read.
    pub fn explain_first(&mut self) {
        self.explains_first = true;
    }

    /// Answers one request.
    pub fn answer(&mut self, request: Request) -> Response {
        if let Request::Compare { hosts } = request {
            return self.compare(hosts);
        }
        let Some(analysis) = self.open.first_mut() else {
            let failure = if self.was_report { saved::not_a_bundle().into() } else { not_open() };
            return Response::Failed(failure);
        };
        match request {
            Request::Explain { number, question } => {
                Response::Explained { number, report: Box::new(analysis.explain(&question.into())) }
            }
            Request::Host(index) => {
                // An index that is not there leaves the host as it is, which the answer tells.
                analysis.choose(index);
                opened(analysis, false)
            }
            Request::Census => Response::Census(Box::new(analysis.census())),
            Request::Tree(asked) => {
                let (namespaces, tree) = (analysis.namespaces(), analysis.mount_tree(&asked));
                Response::Tree(Box::new(Mounts { asked, namespaces, tree }))
            }
            Request::Lines { source } => Response::Lines(analysis.fleet_lines(&source)),
            // The scope hears these: it has the file.
            Request::Compare { .. } | Request::Hash | Request::Rehearse | Request::ExplainFirst => {
                Response::Failed(not_open())
            }
        }
    }

    fn compare(&mut self, hosts: [usize; 2]) -> Response {
        let [a, b] = &mut self.open[..] else { return Response::Failed(not_open()) };
        a.choose(hosts[0]);
        b.choose(hosts[1]);
        Response::Compared(Box::new(diff::compare(a, b, None).diff))
    }
}

/// Of a report that somebody saved, as much as no report has.
const LARGEST_REPORT: u64 = 64 << 20;

/// Nobody asked: the number is that of no request.
fn read_report(mut json: Vec<u8>, rest: impl Read) -> Response {
    let _ = rest.take(LARGEST_REPORT).read_to_end(&mut json);
    match saved::report(&json) {
        Ok(report) => Response::Explained { number: 0, report: Box::new(report) },
        Err(error) => Response::Failed(error.into()),
    }
}

/// Tells when the input has come to its end: what is left is thinking, not reading.
struct TellEnd<'a, R> {
    input: R,
    read: u64,
    end: &'a dyn Fn(u64),
}

impl<R: Read> Read for TellEnd<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(out)?;
        self.read += read as u64;
        if read == 0 && !out.is_empty() {
            (self.end)(self.read);
        }
        Ok(read)
    }
}

/// SHA-256 of all that there is to read, as `sha256sum` prints it.
pub fn sha256(mut input: impl Read) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        match input.read(&mut buffer)? {
            0 => break,
            read => hash.update(&buffer[..read]),
        }
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// What there is. `explained`: with the first report, where there is no host to choose before.
fn opened(analysis: &Analysis, explained: bool) -> Response {
    let (overview, hosts) = (analysis.overview(), analysis.hosts());
    let explain = || Box::new(analysis.explain(&Question::first(&overview).into()));
    let report = (explained && hosts.len() == 1).then(explain);
    Response::Opened(Box::new(Opened { overview, hosts, host: analysis.chosen(), report }))
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

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &[u8] = b"umount: /mnt/data: target is busy.\n";

    fn opened_by(host: &mut Host) -> Opened {
        let mut opened = None;
        host.open(LOG, &mut |response| {
            if let Response::Opened(has) = response {
                opened = Some(*has);
            }
        });
        opened.unwrap()
    }

    #[test]
    fn the_first_report_goes_along_where_it_is_wanted_and_is_the_one_that_would_be_asked_for() {
        let mut host = Host::default();
        assert_eq!(opened_by(&mut host).report, None);
        let mut host = Host::default();
        host.explain_first();
        let opened = opened_by(&mut host);
        let question = Question::first(&opened.overview);
        assert_eq!(question, Question::Error(0));
        let asked = host.answer(Request::Explain { number: 3, question });
        assert_eq!(Some(asked), opened.report.map(|report| Response::Explained { number: 3, report }));
    }
}
