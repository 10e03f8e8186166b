//! Bounds each text of what is shown. A name of a megabyte is no name, but a bundle may have one, in each place and
//! sentence that names have: no browser lays that out. Here because the walk over a report's texts is here.
//!
//! Matching is done by then, with whole bytes.

use super::shape;
use super::wire::Wire;
use crate::bytes::{LONGEST_SHOWN, shorten};
use crate::census::{CensusGroup, Leftover};
use crate::report::{Overview, Report};

/// A line of a command is a path and a few words, and quoting takes four characters for a byte.
const LONGEST_COMMAND_LINE: usize = 2 * LONGEST_SHOWN;

/// Of a report. A command is whole or left out: with a shortened path it would be about something else.
pub(crate) fn report(report: &mut Report) {
    let mut commands = Vec::new();
    for remedy in report.holders.iter_mut().flat_map(|h| &mut h.remedies).chain(&mut report.next_steps) {
        let mut command = std::mem::take(&mut remedy.command);
        if command.lines().any(|line| line.len() > LONGEST_COMMAND_LINE) {
            command.clear();
            remedy
                .risk
                .push_str(" The command is left out: a name in it is longer than any that the kernel takes.");
        }
        commands.push(command);
    }
    super::visit_texts(report, &mut shorten);
    report.host.boot_id.iter_mut().for_each(shorten);
    let remedies = report.holders.iter_mut().flat_map(|h| &mut h.remedies).chain(&mut report.next_steps);
    for (remedy, command) in remedies.zip(commands) {
        remedy.command = command;
    }
}

/// Of an overview.
pub(crate) fn overview(overview: &mut Overview) {
    let see = &mut shorten;
    let w = &mut Wire::visitor(see);
    shape::host(w, &mut overview.host);
    shape::bundle(w, &mut overview.bundle);
    w.list(&mut overview.errors, shape::error);
    w.list(&mut overview.warnings, shape::diagnostic);
    w.list(&mut overview.containers, |w, c| {
        w.text(&mut c.id);
        for text in [&mut c.name, &mut c.image, &mut c.state, &mut c.driver] {
            w.maybe_text(text);
        }
    });
    overview.host.boot_id.iter_mut().for_each(shorten);
}

/// Of who is at fault in a census.
pub(crate) fn census_group(group: &mut CensusGroup) {
    let see = &mut shorten;
    let w = &mut Wire::visitor(see);
    w.text(&mut group.label);
    w.maybe_text(&mut group.unit);
    w.maybe(&mut group.container, shape::container);
    w.maybe(&mut group.process, shape::process);
}

/// Of something that is left over.
pub(crate) fn leftover(left: &mut Leftover) {
    let see = &mut shorten;
    let w = &mut Wire::visitor(see);
    w.text(&mut left.object);
    w.text(&mut left.why);
    w.text(&mut left.effect_reason);
    w.maybe(&mut left.container, shape::container);
    w.maybe_text(&mut left.container_state);
    left.device.iter_mut().for_each(|device| w.maybe_text(&mut device.name));
    w.maybe(&mut left.mount, shape::mount);
    w.list(&mut left.open_files, shape::open_file);
    w.list(&mut left.evidence, shape::evidence);
}
