//! Wires state, workers and views together.

use crate::browser::files::Picked;
use crate::browser::{address, boot, own_file, page, storage};
use crate::preferences::Preferences;
use crate::state::fleet::Place;
use crate::state::given::Source;
use crate::state::{Action, FileInfo, Screen, State};
use crate::text;
use crate::views;
use crate::views::wishes::Wishes;
use crate::worker::client::Client;
use crate::worker::crew::Crew;
use crate::worker::protocol::{Failure, Request, Response};
use ebusy_analyzer::report::link::{self, Fragment};
use std::cell::RefCell;
use std::rc::Rc;
use yew::prelude::*;

/// What lives as long as the page and is no state: handles of the browser.
#[derive(Default)]
struct Handles {
    /// Number of the newest opening.
    openings: u32,
    /// The worker of the current opening.
    worker: Option<Client>,
    /// The files of the list of hosts, or the one that was opened last.
    files: Vec<Picked>,
    /// The workers that read the list's bundles.
    crew: Crew,
}

type Shared = Rc<RefCell<Handles>>;

/// The app.
#[component]
pub fn App() -> Html {
    let state = use_reducer_eq(State::default);
    let handles = use_mut_ref(Handles::default);
    let preferences = use_state_eq(storage::load);
    let wishes = use_wishes(&preferences, &state);
    let act = use_memo((), |()| act(&state.dispatcher(), &handles));

    use_drop_anywhere(state.dispatcher(), act.open.clone());
    use_workers(&state, &handles);
    use_given(&state, &handles);
    use_effect_with(state.pair_to_compare(), {
        let compare = act.compare.clone();
        move |pair| pair.iter().for_each(|pair| compare.emit(*pair))
    });
    use_effect_with(title(&state), |title| page::set_title(title));

    // Another language or zone changes every text: the page is made anew.
    let key = format!("{} {}", preferences.language.tag(), preferences.zone.name());
    html! {
        <ContextProvider<Wishes> context={wishes}>
            <views::Page {key} state={(*state).clone()} act={(*act).clone()} />
        </ContextProvider<Wishes>>
    }
}

#[hook]
fn use_wishes(preferences: &UseStateHandle<Preferences>, state: &UseReducerHandle<State>) -> Wishes {
    let (setter, dispatch) = (preferences.setter(), state.dispatcher());
    let prefer = use_callback((), move |wanted: Preferences, ()| {
        storage::save(wanted);
        setter.set(wanted);
    });
    let mounts = use_callback((), move |key: String, ()| dispatch.dispatch(Action::MountsWanted(key)));
    Wishes { now: **preferences, prefer, mounts }
}

/// What somebody can do, as callbacks that never change.
fn act(dispatch: &UseReducerDispatcher<State>, handles: &Shared) -> views::Acts {
    let send = {
        let dispatch = dispatch.clone();
        Callback::from(move |action: Action| dispatch.dispatch(action))
    };
    let open = {
        let (dispatch, handles) = (dispatch.clone(), handles.clone());
        Callback::from(move |files: Vec<Picked>| open(&files, &handles, &dispatch))
    };
    let pick = {
        let (dispatch, handles) = (dispatch.clone(), handles.clone());
        Callback::from(move |(place, kept): (Place, bool)| pick(place, kept, &handles, &dispatch))
    };
    let compare = {
        let (dispatch, handles) = (dispatch.clone(), handles.clone());
        Callback::from(move |pair: [Place; 2]| compare(pair, &handles, &dispatch))
    };
    let demo = {
        let (dispatch, open) = (dispatch.clone(), open.clone());
        Callback::from(move |()| match boot::demo() {
            Ok(file) => open.emit(vec![file]),
            Err(reason) => dispatch.dispatch(Action::NoFile(no_demo(&reason))),
        })
    };
    let draft = {
        let (dispatch, open) = (dispatch.clone(), open.clone());
        Callback::from(move |text: AttrValue| {
            dispatch.dispatch(Action::Drafted(text.clone()));
            open.emit(Picked::of_text(&text).into_iter().collect());
        })
    };
    let ask = send.reform(Action::Asked);
    let choose = send.reform(Action::HostChosen);
    let close = send.reform(|()| {
        address::forget_fragment();
        Action::Closed
    });
    let save_page = {
        let handles = handles.clone();
        Callback::from(move |file: views::PageFile| {
            let bundle =
                handles.borrow().files.get(file.index).filter(|_| file.saved.bundle.is_some()).cloned();
            own_file::save(file.name, &file.saved, bundle.as_ref(), file.done);
        })
    };
    views::Acts { send, open, ask, choose, close, pick, compare, demo, draft, save_page }
}

fn open(files: &[Picked], handles: &Shared, dispatch: &UseReducerDispatcher<State>) {
    let Some(first) = files.first() else { return };
    // What a link showed is gone; a bundle that it asked for is what is opened here.
    let wanted = address::fragment().starts_with("#v=");
    if !wanted {
        address::forget_fragment();
    }
    let opening = next_opening(handles);
    let infos = files.iter().map(|file| FileInfo { name: file.name(), size: file.size() }).collect();
    {
        let mut handles = handles.borrow_mut();
        // First the old worker ends, so that two bundles are never in memory together.
        handles.worker = None;
        handles.files = files.to_vec();
    }
    dispatch.dispatch(Action::Chosen { opening, files: infos });
    if files.len() == 1 {
        let hear = hear(opening, dispatch);
        // The link has its own question.
        let started = if wanted { Client::open(first, hear) } else { Client::explain(first, hear) };
        keep(started, opening, handles, dispatch);
    }
}

/// Looks at a host of the list. `kept`: its bundle is still open.
fn pick(place: Place, kept: bool, handles: &Shared, dispatch: &UseReducerDispatcher<State>) {
    if kept {
        // The number stays: the same worker goes on.
        let opening = handles.borrow().openings;
        return dispatch.dispatch(Action::HostPicked { opening, place });
    }
    let opening = next_opening(handles);
    handles.borrow_mut().worker = None;
    dispatch.dispatch(Action::HostPicked { opening, place });
    let file = handles.borrow().files.get(place.bundle).cloned();
    if let Some(file) = file {
        let started = Client::explain(&file, hear(opening, dispatch));
        keep(started, opening, handles, dispatch);
    }
}

fn compare(pair: [Place; 2], handles: &Shared, dispatch: &UseReducerDispatcher<State>) {
    let opening = next_opening(handles);
    handles.borrow_mut().worker = None;
    dispatch.dispatch(Action::Compare { opening, pair });
    let files = pair.map(|place| handles.borrow().files.get(place.bundle).cloned());
    if let [Some(a), Some(b)] = files {
        let request = Request::Compare { hosts: pair.map(|place| place.host) };
        let started = Client::ask_about(&[&a, &b], &request, hear(opening, dispatch));
        keep(started, opening, handles, dispatch);
    }
}

fn next_opening(handles: &Shared) -> u32 {
    let mut handles = handles.borrow_mut();
    handles.openings += 1;
    handles.openings
}

fn hear(opening: u32, dispatch: &UseReducerDispatcher<State>) -> Callback<Response> {
    let dispatch = dispatch.clone();
    Callback::from(move |response| dispatch.dispatch(Action::Told { opening, response }))
}

/// Keeps the worker of an opening. Without one, the opening fails with the reason.
fn keep(
    started: Result<Client, Failure>,
    opening: u32,
    handles: &Shared,
    dispatch: &UseReducerDispatcher<State>,
) {
    match started {
        Ok(client) => handles.borrow_mut().worker = Some(client),
        Err(failure) => hear(opening, dispatch).emit(Response::Failed(failure)),
    }
}

fn ask(handles: &Shared, request: &Request) {
    if let Some(client) = &handles.borrow().worker {
        client.ask(request);
    }
}

/// Starts, asks and ends workers as the state wants it.
#[hook]
fn use_workers(state: &UseReducerHandle<State>, handles: &Shared) {
    let asking = handles.clone();
    use_effect_with(state.outstanding(), move |outstanding| match outstanding {
        // What nobody has asked for waits until what somebody waits for can be seen.
        Some((opening, Request::Census)) => {
            let opening = *opening;
            page::after_paint(move || {
                if asking.borrow().openings == opening {
                    ask(&asking, &Request::Census);
                }
            });
        }
        Some((_, request)) => ask(&asking, request),
        None => {}
    });
    let ending = handles.clone();
    use_effect_with(state.needs_worker(), move |needed| {
        if !needed {
            ending.borrow_mut().worker = None;
        }
    });
    let (crewing, dispatch) = (handles.clone(), state.dispatcher());
    use_effect_with(state.fleet_workers(), move |(number, wanted)| {
        let tell = Callback::from(move |(number, bundle, response)| {
            dispatch.dispatch(Action::FleetTold { number, bundle, response });
        });
        let Handles { crew, files, .. } = &mut *crewing.borrow_mut();
        crew.work_on(*number, wanted, files, &tell);
    });
}

/// Shows what the address or the page's own file brought, and what another address brings.
#[hook]
fn use_given(state: &UseReducerHandle<State>, handles: &Shared) {
    let (dispatch, handles) = (state.dispatcher(), handles.clone());
    use_effect_with((), move |()| {
        if !show_fragment(&handles, &dispatch) {
            show_saved(&handles, &dispatch);
        }
        let listener = address::on_fragment(move || {
            show_fragment(&handles, &dispatch);
        });
        move || drop(listener)
    });
}

/// Shows what stands behind the `#`; false where that is nothing of ours.
fn show_fragment(handles: &Shared, dispatch: &UseReducerDispatcher<State>) -> bool {
    let Some(opened) = link::open(&address::fragment()) else { return false };
    let opening = next_opening(handles);
    handles.borrow_mut().worker = None;
    dispatch.dispatch(match opened {
        Ok(Fragment::Report(shared)) => Action::Shown { opening, shared, source: Source::Link },
        Ok(Fragment::View(link)) => Action::Wanted(Box::new(link)),
        Err(error) => Action::NoFile(Failure {
            code: error.code().into(),
            message: error.message(),
            advice: error.advice().into(),
        }),
    });
    true
}

/// Shows the report that is saved in the page's own file, and reads the bundle that is saved with it; without a report,
/// all bundles that are there.
fn show_saved(handles: &Shared, dispatch: &UseReducerDispatcher<State>) {
    let bundles = own_file::bundles().map_err(|why| damaged_file(&why));
    let saved = match own_file::saved() {
        None => {
            return match bundles {
                Ok(files) => open(&files, handles, dispatch),
                Err(failure) => dispatch.dispatch(Action::NoFile(failure)),
            };
        }
        Some(Ok(saved)) => saved,
        Some(Err(why)) => return dispatch.dispatch(Action::NoFile(damaged_file(&why))),
    };
    let opening = next_opening(handles);
    dispatch.dispatch(Action::Shown { opening, shared: Box::new(saved.shared), source: Source::File });
    let Some(bundle) = saved.bundle else { return };
    let opening = next_opening(handles);
    dispatch.dispatch(Action::Inside { opening, bundle });
    let file = bundles.and_then(|files| files.into_iter().next().ok_or_else(|| damaged_file("")));
    match file {
        Ok(file) => {
            let started = Client::open(&file, hear(opening, dispatch));
            handles.borrow_mut().files = vec![file];
            keep(started, opening, handles, dispatch);
        }
        Err(failure) => hear(opening, dispatch).emit(Response::Failed(failure)),
    }
}

fn damaged_file(why: &str) -> Failure {
    let t = text::t();
    Failure {
        code: "damaged-page".into(),
        message: (t.share.damaged)(why),
        advice: t.share.damaged_advice.into(),
    }
}

#[hook]
fn use_drop_anywhere(dispatch: UseReducerDispatcher<State>, open: Callback<Vec<Picked>>) {
    use_effect_with((), move |()| {
        let over = Callback::from(move |dragging| dispatch.dispatch(Action::Dragging(dragging)));
        let zone = page::DropZone::new(over, open);
        move || drop(zone)
    });
}

fn no_demo(reason: &str) -> Failure {
    let t = text::t();
    Failure {
        code: "no-demo".into(),
        message: format!("{} ({reason})", t.no_demo),
        advice: t.no_demo_advice.into(),
    }
}

/// Title of the window: the verdict first, for people with many tabs.
fn title(state: &State) -> String {
    let t = text::t();
    match &state.screen {
        Screen::Open(open) => match &open.report {
            Some(report) => {
                format!("{}: {} · ebusy", t.status(report.verdict.status), views::target::title(report))
            }
            None => format!("{} · ebusy", open.file.name),
        },
        Screen::Hosts(_) => {
            let hosts = state.fleet.as_ref().map_or(0, |fleet| fleet.common.hosts as usize);
            format!("{} · ebusy", (t.fleet.title)(hosts))
        }
        Screen::Comparing(_) => format!("{} · ebusy", t.fleet.diff_title),
        _ => t.page_title.to_owned(),
    }
}
