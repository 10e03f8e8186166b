//! The reducer, action by action.

use super::*;
use crate::sample;
use crate::worker::protocol::Opened;
use ebusy_analyzer::fleet::HostLine;
use ebusy_analyzer::report::link::About;
use ebusy_analyzer::report::{BusyError, Overview, Report};

fn file(name: &str) -> FileInfo {
    FileInfo { name: name.into(), size: 1000 }
}

fn told(opening: u32, response: Response) -> Action {
    Action::Told { opening, response }
}

fn chosen() -> State {
    State::default().after(Action::Chosen { opening: 1, files: vec![file("a.tar.gz")] })
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
fn a_report_that_came_along_is_shown_and_not_asked_for() {
    let opened = Opened { report: Some(Box::new(sample::report())), ..Opened::default() };
    let state = chosen().after(told(1, Response::Opened(Box::new(opened))));
    let Screen::Open(open) = &state.screen else { panic!("{state:?}") };
    assert!(open.report.is_some() && !open.waiting);
    assert_eq!(state.outstanding(), Some((1, Request::Census)));
    let state = state.after(Action::Asked(Question::Text("web".into())));
    let Some((_, Request::Explain { number, .. })) = state.outstanding() else { panic!("{state:?}") };
    let late = Response::Explained { number: 1, report: Box::new(Report::default()) };
    assert_eq!(state.after(told(1, late)), state, "that is not the answer to it");
    let state = state.after(told(1, Response::Explained { number, report: Box::new(sample::report()) }));
    assert_eq!(asked(&state), None);
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
    let late = Response::Explained { number: 1, report: Box::new(sample::report()) };
    assert_eq!(state.after(told(1, late)), state);
    let Screen::Open(open) = &state.screen else { panic!("{state:?}") };
    assert_eq!(open.question, Question::Default, "the other host has no busy error");
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
    let second = chosen().after(Action::Chosen { opening: 2, files: vec![file("b.tar.gz")] });
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
    let again = state.after(Action::Chosen { opening: 2, files: vec![file("b.tar.gz")] });
    assert!(matches!(again.screen, Screen::Reading(_)));
}

#[test]
fn a_worker_that_breaks_on_a_question_is_a_failure_not_a_wait_for_ever() {
    let state = opened(Vec::new()).after(told(1, failure()));
    assert!(matches!(state.screen, Screen::Failed(_)), "{state:?}");
}

fn line(name: &str, taken: &str, leftovers: u32) -> HostLine {
    let mut line = HostLine::unread("x.tar.gz", "", "", "");
    line.failure = None;
    line.host.name = Some(name.into());
    line.host.collected_at = Some(taken.into());
    line.leftovers = leftovers;
    line
}

fn many(count: usize) -> State {
    let files = (0..count).map(|n| file(&format!("{n}.tar.gz"))).collect();
    State::default().after(Action::Chosen { opening: 1, files })
}

fn fleet_told(bundle: usize, response: Response) -> Action {
    Action::FleetTold { number: 1, bundle, response }
}

fn lines(state: State, bundle: usize, line: HostLine) -> State {
    state.after(fleet_told(bundle, Response::Lines(vec![line])))
}

fn names(state: &State) -> Vec<String> {
    state.fleet.iter().flat_map(|fleet| &fleet.rows).map(|row| row.line.name().to_owned()).collect()
}

#[test]
fn several_bundles_are_read_two_at_a_time_and_listed_worst_first() {
    let state = many(4);
    assert!(matches!(state.screen, Screen::Hosts(None)) && !state.needs_worker());
    assert_eq!(state.fleet_workers(), (1, vec![0, 1]));
    let state = lines(state, 1, line("calm", "2026", 0));
    assert_eq!(state.fleet_workers(), (1, vec![0, 2]), "one ends, the next starts");
    let state = lines(state, 0, line("leaky", "2026", 7)).after(fleet_told(2, failure()));
    assert_eq!(names(&state), ["leaky", "calm", "2.tar.gz"], "what could not be read is last");
    assert_eq!(state.fleet_workers(), (1, vec![3]), "a bad bundle stops nothing");
    let state = lines(state, 3, line("worse", "2026", 9));
    assert_eq!(names(&state)[0], "worse");
    assert_eq!(state.fleet_workers(), (1, vec![]));
    let fleet = state.fleet.as_ref().expect("there is a list");
    assert_eq!((fleet.common.hosts, fleet.common.failed, fleet.is_over()), (3, 1, true));
}

#[test]
fn what_a_stopped_bundle_or_another_list_says_is_dropped() {
    let state = many(3).after(Action::Stopped(Some(0)));
    assert_eq!(state.fleet_workers(), (1, vec![1, 2]));
    assert_eq!(lines(state.clone(), 0, line("late", "2026", 1)), state);
    let stopped = state.after(Action::Stopped(None));
    assert_eq!(stopped.fleet_workers(), (1, vec![]));
    let other = Action::FleetTold { number: 7, bundle: 1, response: Response::Lines(vec![line("x", "", 0)]) };
    assert_eq!(stopped.after(other), stopped);
}

#[test]
fn a_host_of_the_list_is_opened_and_left_again_without_losing_the_list() {
    let place = Place { bundle: 1, host: 0 };
    let list = lines(many(2), 1, line("b", "2026", 0));
    let state = list.after(Action::HostPicked { opening: 2, place });
    assert!(matches!(&state.screen, Screen::Reading(reading) if reading.file.name == "1.tar.gz"));
    assert!(matches!(state.after(Action::Closed).screen, Screen::Hosts(None)), "cancel leads back");
    let one = Opened { hosts: vec![Some("b".into())], ..Opened::default() };
    let state = state.after(told(2, Response::Opened(Box::new(one))));
    let listed = state.after(Action::Listed);
    assert!(matches!(&listed.screen, Screen::Hosts(Some(open)) if open.place == Some(place)));
    assert!(listed.needs_worker(), "it is still open behind the list");
    let again = listed.after(Action::HostPicked { opening: 2, place });
    assert!(matches!(again.screen, Screen::Open(_)), "and need not be read again");
    assert_eq!(state.after(Action::Closed).fleet, None);
}

#[test]
fn an_archive_of_several_hosts_shows_its_list_and_stays_open_behind_it() {
    let two = Opened { hosts: vec![Some("a".into()), Some("b".into())], ..Opened::default() };
    let state = chosen().after(told(1, Response::Opened(Box::new(two))));
    assert!(matches!(state.outstanding(), Some((1, Request::Lines { .. }))), "{state:?}");
    let both = vec![line("a", "2026", 0), line("b", "2026", 3)];
    let state = state.after(told(1, Response::Lines(both)));
    assert_eq!((names(&state), state.outstanding()), (vec!["b".to_owned(), "a".to_owned()], None));
    let place = state.fleet.as_ref().map(|fleet| fleet.rows[0].place).expect("there is a list");
    let state = state.after(Action::HostPicked { opening: 1, place });
    assert_eq!(state.outstanding(), Some((1, Request::Host(1))), "the other host of the same archive");
}

#[test]
fn two_bundles_of_one_host_are_compared_by_themselves_the_earlier_first() {
    let later = lines(many(2), 0, line("web1", "2026-02", 0));
    assert_eq!(later.pair_to_compare(), None, "one is still being read");
    let both = lines(later.clone(), 1, line("web1", "2026-01", 0));
    let (first, second) = (Place { bundle: 1, host: 0 }, Place { bundle: 0, host: 0 });
    assert_eq!(both.pair_to_compare(), Some([first, second]));
    let state = both.after(Action::Compare { opening: 2, pair: [first, second] });
    assert!(state.needs_worker() && state.pair_to_compare().is_none());
    let listed = state.after(Action::Listed);
    assert_eq!(listed.pair_to_compare(), None, "the way back does not lead here again");
    assert_eq!(lines(later, 1, line("db1", "2026-01", 0)).pair_to_compare(), None, "two hosts are a list");
}

#[test]
fn two_hosts_are_marked_at_most() {
    let place = |bundle| Place { bundle, host: 0 };
    let mut state = many(3);
    for bundle in 0..3 {
        state =
            lines(state, bundle, line(&format!("h{bundle}"), "2026", 0)).after(Action::Marked(place(bundle)));
    }
    let fleet = state.fleet.as_ref().expect("there is a list");
    assert_eq!(fleet.marked, [place(1), place(2)], "the third takes the place of the first");
    assert_eq!(fleet.pair(), Some([place(1), place(2)]));
    let state = state.after(Action::Marked(place(1)));
    assert_eq!(state.fleet.and_then(|fleet| fleet.pair()), None);
}

#[test]
fn typed_text_is_not_lost_when_it_cannot_be_explained() {
    let state = chosen().after(Action::Drafted("my text".into())).after(told(1, failure()));
    assert!(matches!(state.screen, Screen::Failed(_)));
    assert_eq!(state.draft, "my text");
}

fn error(line: &str) -> BusyError {
    BusyError { line: line.into(), ..BusyError::default() }
}

fn view_link() -> ViewLink {
    let about = About::Error("second".into());
    let name = "a.tar.gz".into();
    ViewLink { sha256: "ab".repeat(32), name, size: 1000, host: 0, about, section: "census".into() }
}

fn opened_by_link(link: ViewLink) -> State {
    let overview = Overview { errors: vec![error("first"), error("second")], ..Overview::default() };
    let state = State::default().after(Action::Wanted(Box::new(link)));
    assert_eq!((&state.screen, state.wanted.is_some()), (&Screen::Start, true), "it asks for the bundle");
    let state = state.after(Action::Chosen { opening: 1, files: vec![file("a.tar.gz")] });
    state.after(told(1, Response::Opened(Box::new(Opened { overview, ..Opened::default() }))))
}

fn the_open(state: &State) -> &Open {
    let Screen::Open(open) = &state.screen else { panic!("{:?}", state.screen) };
    open
}

#[test]
fn a_link_asks_its_own_question_whatever_came_along() {
    let state = State::default().after(Action::Wanted(Box::new(view_link())));
    let state = state.after(Action::Chosen { opening: 1, files: vec![file("a.tar.gz")] });
    let overview = Overview { errors: vec![error("first"), error("second")], ..Overview::default() };
    let opened = Opened { overview, report: Some(Box::new(sample::report())), ..Opened::default() };
    assert_eq!(asked(&state.after(told(1, Response::Opened(Box::new(opened))))), Some(Question::Error(1)));
}

#[test]
fn a_view_link_leads_to_its_place_in_its_bundle() {
    let state = opened_by_link(view_link());
    assert_eq!(asked(&state), Some(Question::Error(1)), "the error with that line, wherever it stands");
    let report = Box::new(Report::default());
    let state = state.after(told(1, Response::Explained { number: 1, report }));
    let state = state.after(told(1, Response::Census(Box::new(sample::census()))));
    assert_eq!(state.outstanding(), Some((1, Request::Hash)), "whether it is the bundle is looked at last");
    let right = state.after(told(1, Response::Hashed(Ok("ab".repeat(32)))));
    assert!(!the_open(&right).given.is_another_bundle(&file("a.tar.gz")));
    assert_eq!((the_open(&right).tab, right.outstanding()), (Tab::Census, None));
    let wrong = state.after(told(1, Response::Hashed(Ok("cd".repeat(32)))));
    assert!(the_open(&wrong).given.is_another_bundle(&file("a.tar.gz")));
}

#[test]
fn a_bundle_of_another_size_is_told_and_shown_as_any_other() {
    let state = opened_by_link(ViewLink { size: 7, ..view_link() });
    assert_eq!(asked(&state), Some(Question::Error(0)));
    assert!(the_open(&state).given.is_another_bundle(&file("a.tar.gz")));
}

#[test]
fn the_hash_is_asked_for_only_when_somebody_wants_it() {
    let state = opened(vec![error("first")]);
    let report = Box::new(Report::default());
    let state = state.after(told(1, Response::Explained { number: 1, report }));
    let state = state.after(told(1, Response::Census(Box::new(sample::census()))));
    assert_eq!(state.outstanding(), None);
    assert_eq!(state.after(Action::HashWanted).outstanding(), Some((1, Request::Hash)));
}

fn saved_report() -> State {
    let mut report = Report::default();
    report.verdict.summary = "as saved".into();
    let shared = Shared { report, left_out: Vec::new(), replaced: Vec::new() };
    State::default().after(Action::Shown { opening: 1, shared: Box::new(shared), source: Source::File })
}

#[test]
fn a_report_from_elsewhere_asks_no_worker() {
    let state = saved_report();
    assert_eq!(state.outstanding(), None);
    assert_eq!(the_open(&state).report.as_ref().map(|r| r.verdict.summary.as_str()), Some("as saved"));
}

#[test]
fn a_saved_report_stays_until_its_own_bundle_answers() {
    let about = About::Error("second".into());
    let bundle = SavedBundle { name: "a.tar.gz".into(), host: 1, about };
    let state = saved_report().after(Action::Inside { opening: 2, bundle });
    assert_eq!(state.outstanding(), None, "the worker is still reading");
    let hosts = vec![Some("x".into()), Some("y".into())];
    let overview = Overview { errors: vec![error("first"), error("second")], ..Overview::default() };
    let first = Opened { hosts: hosts.clone(), host: 0, ..Opened::default() };
    let state = state.after(told(2, Response::Opened(Box::new(first))));
    assert_eq!(the_open(&state).report.as_ref().map(|r| r.verdict.summary.as_str()), Some("as saved"));
    let state = state.after(told(2, Response::Lines(vec![line("x", "", 0), line("y", "", 0)])));
    assert_eq!(state.outstanding(), Some((2, Request::Host(1))), "the host that the report is about");
    let second = Opened { hosts, host: 1, overview, report: None };
    let state = state.after(told(2, Response::Opened(Box::new(second))));
    assert_eq!(asked(&state), Some(Question::Error(1)));
}

#[test]
fn a_damaged_bundle_inside_leaves_the_saved_report() {
    let bundle = SavedBundle { name: "a.tar.gz".into(), host: 0, about: About::Default };
    let state = saved_report().after(Action::Inside { opening: 2, bundle }).after(told(2, failure()));
    let open = the_open(&state);
    assert!(open.report.is_some());
    assert!(matches!(open.given.origin.as_deref(), Some(Origin { inside: Inside::Failed(_), .. })));
}
