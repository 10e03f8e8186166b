//! The workers that read a list's bundles: one for each, ended as soon as its lines are there.

use super::client::Client;
use super::protocol::{Request, Response};
use crate::browser::files::Picked;
use std::collections::BTreeMap;
use yew::Callback;

/// The running workers.
#[derive(Default)]
pub struct Crew {
    /// Number of the list.
    number: u32,
    /// By the index of the bundle.
    workers: BTreeMap<usize, Client>,
}

impl Crew {
    /// Has these bundles of a list read, and no others: workers are started and ended as it takes. `tell` hears
    /// what they say, with the list's number and the bundle's index.
    pub fn work_on(
        &mut self,
        number: u32,
        wanted: &[usize],
        files: &[Picked],
        tell: &Callback<(u32, usize, Response)>,
    ) {
        if self.number != number {
            self.workers.clear();
            self.number = number;
        }
        self.workers.retain(|bundle, _| wanted.contains(bundle));
        for bundle in wanted {
            let Some(file) = files.get(*bundle) else { continue };
            if self.workers.contains_key(bundle) {
                continue;
            }
            let heard = {
                let (tell, bundle) = (tell.clone(), *bundle);
                Callback::from(move |response| tell.emit((number, bundle, response)))
            };
            let request = Request::Lines { source: file.name() };
            match Client::ask_about(&[file], &request, heard.clone()) {
                Ok(client) => {
                    self.workers.insert(*bundle, client);
                }
                Err(failure) => heard.emit(Response::Failed(failure)),
            }
        }
    }
}
