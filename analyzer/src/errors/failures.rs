//! Errors of one failure in several wordings → one. dockerd, its client, containerd and the kubelet each say in
//! their own words, within seconds, that the same object was busy: for the reader that is one failure, with every
//! wording kept as its evidence.

use super::busy_error::BusyError;
use super::{objects, time};
use crate::order;
use std::collections::{BTreeSet, HashMap};

/// Seconds between two wordings of one failure: docker retries for about 40 before its client hears of it.
const NEAR: i64 = 120;
/// Digits by which ids are compared: as many as docker shows.
const SHORT: usize = 12;

/// Puts the errors of one failure together, in the order of the first of each; the most telling one leads.
pub(crate) fn group(errors: Vec<BusyError>) -> Vec<BusyError> {
    let mut groups: Vec<Vec<Dated>> = Vec::new();
    // Ten thousand errors may share an id: what is compared is read once, and only with what may fit.
    let mut by_id: HashMap<String, Candidates> = HashMap::new();
    for error in errors {
        let ids = ids_of(&error);
        let error = Dated { span: span(&error), error };
        let fits = |group: &usize| groups[*group].iter().all(|known| is_same(known, &error));
        let first = ids.iter().filter_map(|id| by_id.get(id)?.first(&error.error, &fits)).min();
        let group = first.unwrap_or(groups.len());
        for id in ids {
            by_id.entry(id).or_default().insert(group, &error.error);
        }
        match groups.get_mut(group) {
            Some(known) => known.push(error),
            None => groups.push(vec![error]),
        }
    }
    let errors = |group: Vec<Dated>| group.into_iter().map(|dated| dated.error).collect();
    groups.into_iter().filter_map(|group| lead(errors(group))).collect()
}

/// Groups in which an id is named.
#[derive(Default)]
struct Candidates {
    containers: Told,
    paths: Told,
}

impl Candidates {
    fn insert(&mut self, group: usize, error: &BusyError) {
        self.containers.insert(group, error.container_id.as_deref());
        self.paths.insert(group, error.path.as_deref());
    }

    /// The first group that fits, sought where fewer may.
    fn first(&self, error: &BusyError, fits: &dyn Fn(&usize) -> bool) -> Option<usize> {
        let is_only = |value: &str| self.containers.lengths.iter().all(|length| *length == value.len());
        let by_container = self.containers.compatible(error.container_id.as_deref().filter(|id| is_only(id)));
        let by_path = self.paths.compatible(error.path.as_deref());
        let count = |sets: &[&BTreeSet<usize>]| sets.iter().map(|set| set.len()).sum::<usize>();
        let fewer = if count(&by_container) < count(&by_path) { by_container } else { by_path };
        fewer.into_iter().filter_map(|set| set.iter().find(|group| fits(group))).min().copied()
    }
}

/// What the errors of groups tell of one thing, of which they must not tell two.
#[derive(Default)]
struct Told {
    all: BTreeSet<usize>,
    by_value: HashMap<String, BTreeSet<usize>>,
    /// Groups that do not tell it.
    nowhere: BTreeSet<usize>,
    lengths: BTreeSet<usize>,
}

impl Told {
    fn insert(&mut self, group: usize, value: Option<&str>) {
        let is_new = self.all.insert(group);
        match value {
            Some(value) => {
                self.by_value.entry(value.to_owned()).or_default().insert(group);
                self.nowhere.remove(&group);
                self.lengths.insert(value.len());
            }
            None if is_new => {
                self.nowhere.insert(group);
            }
            None => {}
        }
    }

    /// Where a value may belong; anywhere without one.
    fn compatible(&self, value: Option<&str>) -> Vec<&BTreeSet<usize>> {
        match value {
            Some(value) => self.by_value.get(value).into_iter().chain([&self.nowhere]).collect(),
            None => vec![&self.all],
        }
    }
}

/// An error with the seconds from its first to its last appearance, where both have a full time.
struct Dated {
    error: BusyError,
    span: Option<(i64, i64)>,
}

/// Errors that name a layer only, or a path of one, get the container that `owner` knows for it: daemons tell of one
/// failure by either id. A layer that was taken for a container is put in its place.
pub(crate) fn name_containers(errors: &mut [BusyError], owner: &dyn Fn(&str) -> Option<String>) {
    for error in errors.iter_mut() {
        let owners: BTreeSet<String> = match &error.container_id {
            Some(id) => owner(id).into_iter().collect(),
            None => {
                let named = error.other_ids.iter().map(String::as_str);
                let objects = error.path.iter().chain(&error.device);
                let placed = objects.flat_map(|object| objects::ids_in(object)).map(|token| token.text);
                named.chain(placed).filter_map(owner).collect()
            }
        };
        // An overlay's lower layer is many containers'.
        if owners.len() == 1 {
            let layer = std::mem::replace(&mut error.container_id, owners.into_iter().next());
            error.other_ids.extend(layer);
        }
    }
}

/// The most telling error of a group with the others as its wordings.
fn lead(mut group: Vec<BusyError>) -> Option<BusyError> {
    let full = |e: &BusyError| e.container_id.as_ref().is_some_and(|id| objects::is_full_id(id));
    let telling = |e: &BusyError| (full(e), e.path.is_some() || e.device.is_some(), e.last.is_some());
    // Of equals the first.
    let best = (0..group.len()).rev().max_by_key(|i| telling(&group[*i]))?;
    let mut leader = group.remove(best);
    // A job's line of docker 1.x belongs to its error already.
    let jobs: Vec<BusyError> = std::mem::take(&mut leader.wordings);
    let group: Vec<BusyError> = group
        .into_iter()
        .flat_map(|mut e| {
            let own = std::mem::take(&mut e.wordings);
            std::iter::once(e).chain(own)
        })
        .chain(jobs)
        .collect();
    leader.name = leader.name.take().or_else(|| group.iter().find_map(|e| e.name.clone()));
    leader.wordings = group;
    Some(leader)
}

/// Beginnings of all ids that an error names.
fn ids_of(error: &BusyError) -> BTreeSet<String> {
    let named = error.container_id.iter().chain(&error.other_ids).map(String::as_str);
    let placed = error.path.iter().chain(&error.device).flat_map(|o| objects::ids_in(o)).map(|t| t.text);
    let long = named.chain(placed).filter_map(|id| id.get(..SHORT)).filter(|id| objects::is_id(id));
    order::set(long.map(str::to_owned))
}

fn is_same(a: &Dated, b: &Dated) -> bool {
    near(a.span, b.span) && same_container(&a.error, &b.error) && same_object(&a.error, &b.error)
}

/// Where one of them has no full time, nothing speaks against it: a client's output has none.
fn near(a: Option<(i64, i64)>, b: Option<(i64, i64)>) -> bool {
    match (a, b) {
        (Some((a_first, a_last)), Some((b_first, b_last))) => {
            a_first - NEAR <= b_last && b_first - NEAR <= a_last
        }
        _ => true,
    }
}

fn span(error: &BusyError) -> Option<(i64, i64)> {
    let unix = |text: &Option<String>| Some(time::iso(text.as_deref()?).ok()?.1.unix?.0);
    Some((unix(&error.first)?, unix(&error.last)?))
}

fn same_container(a: &BusyError, b: &BusyError) -> bool {
    match (&a.container_id, &b.container_id) {
        (Some(a), Some(b)) => a.starts_with(b.as_str()) || b.starts_with(a.as_str()),
        _ => true,
    }
}

/// One path, one device; a path and a device of one id; or one of them names none. A container's `shm` is another
/// object than its root file system.
fn same_object(a: &BusyError, b: &BusyError) -> bool {
    if a.driver.is_some() && b.driver.is_some() && a.driver != b.driver {
        return false;
    }
    let paths = match (&a.path, &b.path) {
        (Some(a), Some(b)) => a == b,
        _ => true,
    };
    let devices = match (&a.device, &b.device) {
        (Some(a), Some(b)) => a.ends_with(b.as_str()) || b.ends_with(a.as_str()),
        _ => true,
    };
    let crosswise = |a: &BusyError, b: &BusyError| match (&a.path, &b.device) {
        (Some(path), Some(device)) => {
            let (path, device) = (objects::ids_in(path), objects::ids_in(device));
            path.is_empty()
                || device.is_empty()
                || path.iter().any(|p| device.iter().any(|d| d.text == p.text))
        }
        _ => true,
    };
    paths && devices && crosswise(a, b) && crosswise(b, a)
}

#[cfg(test)]
mod tests {
    use super::super::scan;
    use super::*;

    const CT: &str = "0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9";
    const LAYER: &str = "f9e8d7c6b5a4039281706f5e4d3c2b1a0f9e8d7c6b5a4039281706f5e4d3c2b1";

    fn grouped(lines: &[&str]) -> Vec<BusyError> {
        let log: Vec<String> = lines.iter().map(|l| l.replace("CT", CT).replace("LAYER", LAYER)).collect();
        group(scan(log.join("\n").as_bytes()))
    }

    #[test]
    fn daemon_client_and_shim_tell_of_one_failure() {
        let lines = [
            "2024-01-02T03:04:05Z h dockerd[1]: Error removing mounted layer CT: failed to remove device LAYER: Device is Busy",
            "2024-01-02T03:04:45Z h dockerd[1]: Handler for DELETE returned error: Driver devicemapper failed to remove root filesystem CT: remove /d/devicemapper/mnt/LAYER: device or resource busy",
            "Error response from daemon: Driver devicemapper failed to remove root filesystem CT: Device is Busy",
        ];
        let failures = grouped(&lines);
        assert_eq!(failures.len(), 1, "{failures:#?}");
        assert_eq!((failures[0].container_id.as_deref(), failures[0].wordings.len()), (Some(CT), 2));
        assert!(failures[0].path.as_ref().is_some_and(|p| p.contains(LAYER)), "the most telling one leads");
        let reversed: Vec<&str> = lines.iter().rev().copied().collect();
        assert_eq!(grouped(&reversed).len(), 1);
        let all =
            failures[0].all().map(|e| e.evidence.as_ref().and_then(|e| e.line)).collect::<BTreeSet<_>>();
        assert_eq!(all, [Some(1), Some(2), Some(3)].into(), "all evidence is kept");
    }

    #[test]
    fn other_objects_and_other_days_stay_apart() {
        let failures = grouped(&[
            "2024-01-02T03:04:05Z h dockerd[1]: Unable to remove filesystem for CT: remove /d/containers/CT/shm: device or resource busy",
            "2024-01-02T03:04:05Z h dockerd[1]: Driver devicemapper failed to remove root filesystem CT: Device is Busy",
            "2024-03-02T03:04:05Z h dockerd[1]: Driver devicemapper failed to remove root filesystem CT: failed to remove device LAYER: Device is Busy",
            "2024-03-02T03:04:05Z h kernel: umount: /srv/a: target is busy.",
        ]);
        assert_eq!(failures.len(), 4, "{failures:#?}");
    }

    /// What [`group`] does, each error held against each group.
    fn grouped_slowly(errors: Vec<BusyError>) -> Vec<BusyError> {
        let mut groups: Vec<(BTreeSet<String>, Vec<Dated>)> = Vec::new();
        for error in errors {
            let ids = ids_of(&error);
            let error = Dated { span: span(&error), error };
            let fits = |(known_ids, known): &&mut (BTreeSet<String>, Vec<Dated>)| {
                !known_ids.is_disjoint(&ids) && known.iter().all(|known| is_same(known, &error))
            };
            match groups.iter_mut().find(fits) {
                Some((known_ids, known)) => {
                    known_ids.extend(ids);
                    known.push(error);
                }
                None => groups.push((ids, vec![error])),
            }
        }
        let errors =
            groups.into_iter().map(|(_, group)| group.into_iter().map(|dated| dated.error).collect());
        errors.filter_map(lead).collect()
    }

    #[test]
    fn what_cannot_fit_is_left_out_and_nothing_else() {
        let other = format!("{}ff", &CT[..62]);
        let mut lines = Vec::new();
        for container in [CT, &other, &CT[..12], &LAYER[..12]] {
            for path in ["", "/d/mnt/LAYER", "/d/mnt/CT", "/d/shm"] {
                for device in ["", ": failed to remove device LAYER"] {
                    for day in ["02", "03"] {
                        let place = if path.is_empty() { String::new() } else { format!(": remove {path}") };
                        lines.push(format!(
                            "2024-01-{day}T03:04:05Z h dockerd[1]: Driver devicemapper failed to remove root filesystem \
                             {container}{device}{place}: device or resource busy"
                        ));
                    }
                }
            }
        }
        // Every order gives other groups.
        for step in [1, 5, 11, 23, 37, 61] {
            let turned: Vec<String> = (0..lines.len())
                .map(|i| lines[i * step % lines.len()].replace("CT", CT).replace("LAYER", LAYER))
                .collect();
            let errors = scan(turned.join("\n").as_bytes());
            assert!(errors.len() > 25, "{}", errors.len());
            assert_eq!(group(errors.clone()), grouped_slowly(errors), "step {step}");
        }
    }
}
