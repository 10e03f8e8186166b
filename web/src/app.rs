//! Wires state, worker and views together.

use crate::browser::files::Picked;
use crate::browser::{boot, page, storage};
use crate::preferences::Preferences;
use crate::state::{Action, FileInfo, Screen, State};
use crate::text;
use crate::views;
use crate::views::wishes::Wishes;
use crate::worker::client::Client;
use crate::worker::protocol::{Failure, Question, Response};
use std::cell::RefCell;
use std::rc::Rc;
use yew::prelude::*;

/// The worker of the current opening.
type Worker = Rc<RefCell<Option<Client>>>;

/// The app.
#[component]
pub fn App() -> Html {
    let state = use_reducer_eq(State::default);
    let worker = use_mut_ref(|| None::<Client>);
    let openings = use_mut_ref(|| 0_u32);

    let open = {
        let (dispatch, worker) = (state.dispatcher(), worker.clone());
        use_callback((), move |(file, of): (Picked, u32), ()| {
            let opening = *openings.borrow() + 1;
            openings.replace(opening);
            // First the old worker ends, so that two bundles are never in memory together.
            worker.take();
            let info = FileInfo { name: file.name(), size: file.size(), of };
            dispatch.dispatch(Action::Chosen { opening, file: info });
            start(&worker, &file, opening, &dispatch);
        })
    };
    let ask = {
        let dispatch = state.dispatcher();
        use_callback((), move |question: Question, ()| dispatch.dispatch(Action::Asked(question)))
    };
    let choose = {
        let dispatch = state.dispatcher();
        use_callback((), move |index: usize, ()| dispatch.dispatch(Action::HostChosen(index)))
    };
    let close = {
        let (dispatch, worker) = (state.dispatcher(), worker.clone());
        use_callback((), move |(), ()| {
            worker.take();
            dispatch.dispatch(Action::Closed);
        })
    };
    let demo = {
        let (dispatch, open) = (state.dispatcher(), open.clone());
        use_callback((), move |(), ()| match boot::demo() {
            Ok(file) => open.emit((file, 1)),
            Err(reason) => dispatch.dispatch(Action::NoFile(no_demo(&reason))),
        })
    };

    let preferences = use_state_eq(storage::load);
    let wishes = use_wishes(&preferences, &state);
    use_drop_anywhere(state.dispatcher(), open.clone());
    let asked = worker.clone();
    use_effect_with(state.outstanding(), move |outstanding| {
        if let (Some((_, request)), Some(client)) = (outstanding, asked.borrow().as_ref()) {
            client.ask(request);
        }
    });
    use_effect_with(state.needs_worker(), move |needed| {
        if !needed {
            worker.take();
        }
    });
    use_effect_with(title(&state), |title| page::set_title(title));

    // Another language or zone changes every text: the page is made anew.
    let key = format!("{} {}", preferences.language.tag(), preferences.zone.name());
    html! {
        <ContextProvider<Wishes> context={wishes}>
            <views::Page {key} state={(*state).clone()} {open} {ask} {choose} {close} {demo} />
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
    Wishes { prefer, mounts }
}

/// Starts the worker of an opening. Without one, the opening fails with the reason.
fn start(worker: &Worker, file: &Picked, opening: u32, dispatch: &UseReducerDispatcher<State>) {
    let on_response = {
        let dispatch = dispatch.clone();
        Callback::from(move |response: Response| dispatch.dispatch(Action::Told { opening, response }))
    };
    match Client::open(file, on_response.clone()) {
        Ok(client) => *worker.borrow_mut() = Some(client),
        Err(failure) => on_response.emit(Response::Failed(failure)),
    }
}

#[hook]
fn use_drop_anywhere(dispatch: UseReducerDispatcher<State>, open: Callback<(Picked, u32)>) {
    use_effect_with(open, move |open| {
        let over = Callback::from(move |dragging| dispatch.dispatch(Action::Dragging(dragging)));
        let zone = page::DropZone::new(over, open.clone());
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
        _ => t.page_title.to_owned(),
    }
}
