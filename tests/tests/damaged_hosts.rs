//! Random hosts of which a part only can be read: what is said of that part must be so, and what it shows must be said.
//!
//! `EBUSY_MODEL_HOSTS=N` tries more of them.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

mod support;

use ebusy_analyzer::report::{Report, Status};
use ebusy_analyzer::{Analysis, Query};
use ebusy_tests::model::plan::{Complaint, Step};
use ebusy_tests::model::truth::{self, Operation};
use ebusy_tests::model::world::{Object, Subject};
use ebusy_tests::model::{Holder, Plan, Truth, World, seeds};
use ebusy_tests::rng::Rng;
use ebusy_tests::synth::Ns;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use support::said::said;

const HOSTS: u64 = 50;
/// So often each host's bundle is cut, packed and not, and so often a bit of it is flipped.
const CUTS: usize = 3;

/// A host's bundle with what each of its entries is.
struct Bundle {
    world: World,
    packed: Vec<u8>,
    plain: Vec<u8>,
    /// Paths without the top directory, each with the end of the entry in the tar.
    entries: Vec<(String, usize)>,
    known: Vec<BTreeSet<Holder>>,
}

impl Bundle {
    fn of(seed: u64) -> Self {
        let mut plan = Plan::random(seed);
        // Where a process went that moved while it was read is told by others' files: they may be missing.
        plan.steps.retain(|step| !matches!(step, Step::Move(..)));
        let world = World::new(&plan);
        let packed = world.host.bundle();
        let plain = readable(&packed);
        let mut archive = tar::Archive::new(&plain[..]);
        let entries = archive.entries().expect("a good tar").map(|entry| {
            let entry = entry.expect("a good tar");
            let path = entry.path().expect("a path").to_string_lossy().into_owned();
            let path = path.split_once('/').map_or(String::new(), |(_, inside)| inside.to_owned());
            let size = usize::try_from(entry.size()).expect("it is small");
            (path, usize::try_from(entry.raw_file_position()).expect("it is small") + size)
        });
        let entries = entries.collect();
        let known = world.subjects.iter().map(|subject| holders(&world, subject)).collect();
        Self { world, packed, plain, entries, known }
    }

    /// Whether every file of a process is in the first `length` bytes.
    fn has_process(&self, pid: u32, length: usize) -> bool {
        let dir = format!("proc/{pid}/");
        let mut of_process = self.entries.iter().filter(|(path, _)| path.starts_with(&dir));
        of_process.all(|(_, end)| *end <= length)
    }

    fn has(&self, path: &str, length: usize) -> bool {
        self.entries.iter().any(|(known, end)| known == path && *end <= length)
    }
}

/// What of a gzip can be inflated.
fn readable(packed: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    let mut inflated = flate2::read::GzDecoder::new(packed);
    let mut piece = [0; 512];
    while let Ok(length @ 1..) = inflated.read(&mut piece) {
        plain.extend_from_slice(&piece[..length]);
    }
    plain
}

/// Everybody who has anything of a container, whatever is asked about it: the log may be missing that tells what is
/// busy.
fn holders(world: &World, subject: &Subject) -> BTreeSet<Holder> {
    let quiet = Subject { complaint: None, ..subject.clone() };
    let of = |s: &Subject, objects: &[(Object, Operation)]| truth::of(world, s, objects);
    let alone = |object: &Object| of(&quiet, &[(object.clone(), Operation::RemoveDirectory)]);
    let mut all =
        vec![of(subject, &truth::objects(world, subject)), of(&quiet, &truth::objects(world, &quiet))];
    all.extend([&subject.root].into_iter().chain(&subject.shm).map(alone));
    all.into_iter().flat_map(|truth: Truth| truth.holders.into_keys()).collect()
}

/// Of a holder's processes a part may have been read, and its number may be missing.
fn is_one_of(holder: &Holder, known: &BTreeSet<Holder>) -> bool {
    let are_in = |pids: &[u32], all: &[u32]| pids.iter().all(|pid| all.contains(pid));
    known.iter().any(|other| match (holder, other) {
        (Holder::Namespace(number, pids), Holder::Namespace(of, all)) => {
            (*number == 0 || number == of) && are_in(pids, all)
        }
        (Holder::Files(pids), Holder::Files(all)) => are_in(pids, all),
        _ => holder == other,
    })
}

fn assert_not_called_whole(place: &str, report: &Report) {
    assert_ne!(report.verdict.status, Status::Free, "{place}: {}", report.verdict.summary);
    assert!(!report.bundle.complete, "{place}");
    assert!(!report.warnings.is_empty(), "{place}: no warning");
}

/// `length` bytes of the tar could be read.
fn check(place: &str, bundle: &Bundle, part: &Analysis, length: usize) -> u32 {
    let mut found = 0;
    let whole = bundle.entries.iter().all(|(_, end)| *end <= length);
    if !whole {
        assert_not_called_whole(place, &part.explain(&Query::Default));
    }
    for (subject, known) in bundle.world.subjects.iter().zip(&bundle.known) {
        for name in [&subject.container.id, &subject.container.name, &subject.root.path] {
            let report = part.explain(&Query::Text(name.clone()));
            if !whole {
                assert_not_called_whole(place, &report);
            }
            let said = said(&report);
            for holder in said.holders.keys() {
                let summary = &report.verdict.summary;
                assert!(
                    is_one_of(holder, known),
                    "{place}: {name}: {holder:?} is none of {known:?}: {summary}"
                );
            }
            if *name == subject.root.path
                && !matches!(subject.complaint, Some(Complaint::Shm | Complaint::Cgroup))
            {
                for ns in bundle.world.host.namespaces() {
                    found += u32::from(assert_found(place, bundle, subject, ns, &said, length));
                }
            }
        }
    }
    found
}

/// A namespace that shows the busy path's file system at that very path is found, once one of its processes was read.
fn assert_found(
    place: &str,
    bundle: &Bundle,
    subject: &Subject,
    ns: Ns,
    said: &Truth,
    length: usize,
) -> bool {
    let host = &bundle.world.host;
    let has_it = |m: &&_| subject.root.is_shown_by(m) && m.mount_point == subject.root.path;
    if !host.mounts.table(ns).any(|m| has_it(&m)) {
        return false;
    }
    let sees_all = |pid: u32| {
        let process = &host.processes[&pid];
        process.root == "/" && host.root_mount(process) == host.mounts.root(ns).id
    };
    let here = host.processes.values().filter(|p| p.ns == ns && p.is_alive() && !p.is_kernel_thread());
    let here = here.map(|p| p.pid).filter(|pid| !host.refused.contains(pid) && sees_all(*pid));
    let read: Vec<u32> = here.filter(|pid| bundle.has_process(*pid, length)).collect();
    // The host's own namespace is told by pid 1.
    if read.is_empty() || ns == host.ns && !bundle.has("proc/1/mountinfo", length) {
        return false;
    }
    let number = if bundle.world.plan.privileged { host.inode_of(ns) } else { 0 };
    let is_it = |holder: &Holder| match holder {
        Holder::Namespace(other, pids) => {
            (number == 0 || *other == number) && (ns == host.ns || read.iter().all(|pid| pids.contains(pid)))
        }
        _ => false,
    };
    assert!(said.holders.keys().any(is_it), "{place}: {read:?} in {number} has it mounted: {said:?}");
    true
}

#[test]
fn what_is_said_of_a_part_is_so_and_what_it_shows_is_said() {
    let mut found = 0;
    let mut read = BTreeMap::new();
    for seed in seeds(HOSTS) {
        let bundle = Bundle::of(seed);
        let mut rng = Rng::new(seed);
        for _ in 0..CUTS {
            let (packed_at, plain_at) = (rng.below(bundle.packed.len()), rng.below(bundle.plain.len()));
            let packed = &bundle.packed[..packed_at];
            for (form, bytes, length) in
                [("gzip", packed, readable(packed).len()), ("tar", &bundle.plain[..plain_at], plain_at)]
            {
                let place = format!("seed {seed}, {form} cut at {}", bytes.len());
                match support::open(bytes) {
                    Ok(part) => {
                        *read.entry(form).or_insert(0) += 1;
                        found += check(&place, &bundle, &part, length);
                    }
                    Err(error) => assert!(!bundle.has("proc/1/mountinfo", length), "{place}: {error:?}"),
                }
            }
        }
    }
    eprintln!("{read:?} parts were read, holders found in them {found} times");
    assert!(read.values().sum::<usize>() > 250 && found > 300, "{read:?} {found}");
}

#[test]
fn a_host_with_flipped_bits_is_never_called_free() {
    let mut read = 0;
    for seed in seeds(HOSTS) {
        let bundle = Bundle::of(seed);
        let mut rng = Rng::new(seed);
        for _ in 0..CUTS {
            let mut packed = bundle.packed.clone();
            // Name and time stand in the first bytes, which no checksum covers.
            let at = 10 + rng.below(packed.len() - 10);
            packed[at] ^= 1 << rng.below(8);
            let Ok(part) = support::open(&packed) else { continue };
            // A few bits before the checksum mean nothing.
            let means_nothing =
                flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut Vec::new()).is_ok();
            assert_eq!(part.overview().bundle.complete, means_nothing, "seed {seed}, flipped at {at}");
            if means_nothing {
                continue;
            }
            read += 1;
            let place = format!("seed {seed}, flipped at {at}");
            for subject in &bundle.world.subjects {
                assert_not_called_whole(&place, &part.explain(&Query::Text(subject.container.id.clone())));
                assert_not_called_whole(&place, &part.explain(&Query::Text(subject.root.path.clone())));
            }
            assert_not_called_whole(&place, &part.explain(&Query::Default));
        }
    }
    assert!(read > 100, "{read}");
}
