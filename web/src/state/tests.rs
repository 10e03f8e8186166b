//! The reducer, action by action.

use super::*;
use crate::sample;
use ebusy_analyzer::report::{BusyError, Overview};

fn file(name: &str) -> FileInfo {
    FileInfo { name: name.into(), size: 1000, of: 1 }
}

fn told(opening: u32, response: Response) -> Action {
    Action::Told { opening, response }
}

fn chosen() -> State {
    State::default().after(Action::Chosen { opening: 1, file: file("a.tar.gz") })
}

fn opened(errors: Vec<BusyError>) -> State {
    let overview = Overview { errors, ..Overview::default() };
    chosen().after(told(1, Response::Opened(Box::new(Opened { overview, ..Opened::default() }))))
}

fn failure() -> Response {
    Response::Failed(Failure { code: "unknown-format".into(), message: String::new(), advice: String::new() })
}

fn asked(state: &State) -> Option<Question> {
    match state.outstanding() {
        Some((_, Request::Explain { question, .. })) => Some(question),
        _ => None,
    }
}

#[test]
fn progress_is_kept() {
    let state = chosen().after(told(1, Response::Progress { bytes: 400, entries: 7 }));
    let Screen::Reading(reading) = &state.screen else { panic!("{state:?}") };
    assert_eq!((reading.bytes, reading.entries), (400, 7));
}

#[test]
fn the_first_busy_error_is_chosen_when_there_is_one() {
    assert_eq!(asked(&opened(vec![BusyError::default()])), Some(Question::Error(0)));
    assert_eq!(asked(&opened(Vec::new())), Some(Question::Default));
}

#[test]
fn an_answer_ends_the_waiting_and_stays_while_the_next_is_awaited() {
    let report = sample::report();
    let answer = Response::Explained { number: 1, report: Box::new(report) };
    let state = opened(Vec::new()).after(told(1, answer));
    assert_eq!(asked(&state), None);
    let state = state.after(Action::Asked(Question::Text("web".into())));
    assert_eq!(asked(&state), Some(Question::Text("web".into())));
    let Screen::Open(open) = &state.screen else { panic!("{state:?}") };
    assert!(open.report.is_some());
}

#[test]
fn the_census_is_asked_for_after_the_report_and_only_once() {
    let answer = |number| Response::Explained { number, report: Box::new(sample::report()) };
    let state = opened(Vec::new());
    assert!(!matches!(state.outstanding(), Some((_, Request::Census))), "the report comes first");
    let state = state.after(told(1, answer(1)));
    assert_eq!(state.outstanding(), Some((1, Request::Census)));
    let state = state.after(told(1, Response::Census(Box::new(sample::census()))));
    assert_eq!(state.outstanding(), None);
    let state = state.after(Action::Asked(Question::Text("web".into()))).after(told(1, answer(2)));
    assert_eq!(state.outstanding(), None, "it is about the host, whatever is asked");
}

#[test]
fn another_host_starts_anew_and_late_words_of_the_last_one_are_dropped() {
    let state = opened(vec![BusyError::default()]).after(Action::HostChosen(1));
    assert_eq!(state.outstanding(), Some((1, Request::Host(1))));
    let second = Opened { hosts: vec![Some("a".into()), Some("b".into())], host: 1, ..Opened::default() };
    let state = state.after(told(1, Response::Opened(Box::new(second))));
    assert_eq!(asked(&state), Some(Question::Default), "the other host has no busy error");
    let late = Response::Explained { number: 1, report: Box::new(sample::report()) };
    assert_eq!(state.after(told(1, late)), state);
    let Screen::Open(open) = &state.screen else { panic!("{state:?}") };
    assert_eq!((open.host, open.hosts.len(), open.choosing), (1, 2, None));
}

#[test]
fn a_late_answer_does_not_replace_a_newer_question() {
    let state = opened(Vec::new()).after(Action::Asked(Question::Text("web".into())));
    let late = Response::Explained { number: 1, report: Box::new(sample::report()) };
    assert_eq!(state.after(told(1, late)), state);
}

#[test]
fn what_an_earlier_opening_says_is_dropped() {
    let second = chosen().after(Action::Chosen { opening: 2, file: file("b.tar.gz") });
    assert_eq!(second.after(told(1, failure())), second);
    assert_eq!(second.after(told(1, Response::Opened(Box::default()))), second);
}

#[test]
fn cancel_goes_back_to_the_start_and_nothing_comes_after_it() {
    let cancelled = chosen().after(Action::Closed);
    assert_eq!(cancelled.screen, Screen::Start);
    assert!(!cancelled.needs_worker());
    for late in [Response::Progress { bytes: 1, entries: 1 }, Response::Opened(Box::default()), failure()] {
        assert_eq!(cancelled.after(told(1, late)), cancelled);
    }
}

#[test]
fn a_failure_is_shown_and_a_next_file_can_be_chosen() {
    let state = chosen().after(told(1, failure()));
    let Screen::Failed(failed) = &state.screen else { panic!("{state:?}") };
    assert_eq!((failed.file.name.as_str(), failed.failure.code.as_str()), ("a.tar.gz", "unknown-format"));
    assert!(!state.needs_worker());
    let again = state.after(Action::Chosen { opening: 2, file: file("b.tar.gz") });
    assert!(matches!(again.screen, Screen::Reading(_)));
}

#[test]
fn a_worker_that_breaks_on_a_question_is_a_failure_not_a_wait_for_ever() {
    let state = opened(Vec::new()).after(told(1, failure()));
    assert!(matches!(state.screen, Screen::Failed(_)), "{state:?}");
}
