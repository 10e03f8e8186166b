//! Which unit and container a process belongs to. What a file `cgroup` says is kept once, for all the processes whose
//! file says the same: a host has thousands of them and far fewer groups.

use std::ops::Deref;
use std::sync::Arc;

use super::Pid;
use super::lines::Texts;
use crate::bytes::visible;
use crate::evidence::Evidence;
use crate::parse::cgroup::{self, Membership};

/// What is told of one process; nothing of one that nothing was read of.
#[derive(Debug, Default, Clone)]
pub struct ProcessMembership(Option<(ToldBy, Arc<Membership>)>);

/// The file that told. A process's own has no name of its own here.
#[derive(Debug, Clone)]
enum ToldBy {
    /// `proc/PID/cgroup`.
    Own(Pid),
    Named(String),
}

impl ProcessMembership {
    /// What another file than the process's own tells.
    pub(super) fn named(file: String, told: Membership) -> Self {
        Self(Some((ToldBy::Named(file), Arc::new(told))))
    }

    /// Whether a file told anything, or that there is nothing to tell.
    pub(super) fn is_read(&self) -> bool {
        self.0.is_some()
    }

    /// Where the unit or container was read.
    pub fn evidence(&self) -> Option<Evidence> {
        let (by, told) = self.0.as_ref().filter(|(_, told)| told.line > 0)?;
        let file = match by {
            ToldBy::Own(pid) => format!("proc/{}/cgroup", pid.0),
            ToldBy::Named(file) => file.clone(),
        };
        Some(Evidence { file, line: Some(told.line), text: visible(&told.text) })
    }
}

impl Deref for ProcessMembership {
    type Target = Membership;

    fn deref(&self) -> &Membership {
        static NOTHING: Membership = Membership { unit: None, container: None, line: 0, text: Vec::new() };
        self.0.as_ref().map_or(&NOTHING, |(_, told)| told)
    }
}

/// The different files `cgroup` so far.
#[derive(Debug, Default)]
pub(super) struct Memberships {
    texts: Texts,
    told: Vec<Arc<Membership>>,
}

impl Memberships {
    /// What a process's file tells; `other_name` is what the file is called where that is not `proc/PID/cgroup`.
    pub(super) fn read(&mut self, pid: Pid, other_name: Option<String>, text: &[u8]) -> ProcessMembership {
        let (number, new) = self.texts.number(text);
        if new.is_some() {
            self.told.push(Arc::new(cgroup::parse(text)));
        }
        let by = other_name.map_or(ToldBy::Own(pid), ToldBy::Named);
        ProcessMembership(self.told.get(number as usize).map(|told| (by, Arc::clone(told))))
    }
}
