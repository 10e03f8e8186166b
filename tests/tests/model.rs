//! Random hosts whose truth is known: holders, effects and verdict must be exactly that.
//!
//! A failure prints the seed and the shortest list of steps that still fails. `EBUSY_MODEL_SEED=N` runs that one host,
//! `EBUSY_MODEL_HOSTS=N` runs more of them.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

mod support;

use ebusy_analyzer::report::BusyError;
use ebusy_analyzer::{Analysis, Query};
use ebusy_tests::model::places::Place;
use ebusy_tests::model::plan::{Complaint, Step, Storage, Volume};
use ebusy_tests::model::truth::{self, Operation, others};
use ebusy_tests::model::world::{Object, Subject};
use ebusy_tests::model::{Effect, Holder, Plan, Status, Truth, World, seeds};
use std::collections::BTreeMap;
use support::said::said;

const HOSTS: u64 = 350;
/// They are shared out among so many tests, which run at the same time.
const SHARES: u64 = 2;
/// So many different faults are shown.
const SHOWN: usize = 4;

#[test]
fn holders_effects_and_verdict_are_exactly_the_models() {
    try_hosts(0);
}

#[test]
fn holders_effects_and_verdict_are_exactly_the_models_of_the_other_half() {
    try_hosts(1);
}

/// Each was found by a run of this test.
#[test]
fn hosts_that_were_answered_wrongly_once() {
    use ebusy_tests::model::plan::{Copy, PlaceStep, Reference};
    let run = Step::Run(Volume::None);
    let sees_all = Step::Run(Volume::RootSlave);
    let (bind, mount, complain) =
        (Step::BindElsewhere(0, 0), Step::Place(PlaceStep::Mount), Step::Place(PlaceStep::Complain(0)));
    let shared = Step::Copied(Copy::UnsharedShared);
    let cover = Step::Place(PlaceStep::Cover(0, 1, 2));
    let bound = Step::Place(PlaceStep::Cover(0, 1, 5));
    let refer = |from, how| Step::Place(PlaceStep::Refer(0, from, how));
    let steps = [
        // Copies of an operator's bind were said to go with the runtime's own umount, which was over.
        vec![run, bind, Step::Stop(0), sees_all],
        vec![run, sees_all, bind, Step::Stop(0)],
        // "Free", because the runtime still took a container for running whose pid was somebody else's by then.
        vec![run, Step::Crash(0), Step::ReusePid(0)],
        // Zombies were said to keep a cgroup.
        vec![run, Step::Complain(0, Complaint::Cgroup), Step::Zombie(0, false)],
        // A process whose first thread has ended while others run was said to keep nothing.
        vec![run, Step::Complain(0, Complaint::Cgroup), Step::Zombie(0, true), Step::Crash(0)],
        // A process of the host's namespace in a container's cgroup was taken for the container.
        vec![run, Step::Crash(0), Step::Zombie(0, true)],
        // The mounts of a process's new namespace were said to be in its old one, and the other way round.
        vec![run, shared, Step::Move(1, 0), Step::Move(0, 1), Step::Stop(0)],
        // Two processes at once outvoted the one that the namespace has.
        vec![run, shared, Step::Move(0, 1), Step::Move(0, 1), Step::Stop(0)],
        vec![run, shared, Step::Enter(1), Step::Move(1, 0), Step::Move(1, 0), Step::Stop(0)],
        // "Free", because only files were looked for, not mounts inside.
        vec![run, mount, Step::Place(PlaceStep::Inside(0)), complain],
        // "Free", because a copy that is in use and that the umount would take along was taken for harmless.
        vec![run, shared, mount, refer(1, Reference::Cwd), complain],
        // A file on another mount of the same file system was said to keep this one.
        vec![
            run,
            mount,
            Step::Place(PlaceStep::Bind(0)),
            refer(0, Reference::Fd),
            refer(2, Reference::Fd),
            complain,
        ],
        // A copy that goes along was said to block, because of another mount on the container's directory.
        vec![sees_all, Step::RunTwin(0), Step::Cover(1, 0, 15)],
        // What is below the mount that is to be unmounted was taken for it.
        vec![run, mount, Step::Run(Volume::Root), complain, cover],
        vec![run, mount, refer(0, Reference::Fd), complain, cover],
        vec![run, mount, Step::Place(PlaceStep::Block(0, false)), complain, cover],
        vec![run, mount, Step::Place(PlaceStep::Mount), bound, Step::Place(PlaceStep::Inside(0)), complain],
        // "Free", because a copy that another mount covers was said not to be asked.
        vec![
            run,
            Step::Copied(Copy::ServiceSlave),
            mount,
            refer(1, Reference::Cwd),
            Step::Place(PlaceStep::Cover(0, 0, 2)),
            complain,
        ],
        // A bind over a copy was said to go along with it: it takes its place.
        vec![run, mount, Step::Copied(Copy::ServiceSlave), Step::Place(PlaceStep::Cover(0, 0, 1))],
        // A loop file on a file system that is unmounted by now was taken for one on what its path leads to.
        vec![run, mount, cover, Step::Place(PlaceStep::Block(0, false)), Step::Place(PlaceStep::Detach(0))],
        // The table that the collector read inside of a namespace did not count.
        vec![run, Step::Copied(Copy::UnsharedPrivate), Step::Chroot(1), Step::Move(0, 1)],
    ];
    // One that does not drop mounts of other namespaces, and one that does.
    let kernels = [("3.16.0-11-amd64", None, false), ("3.18.0-1-amd64", None, true)];
    for (steps, kernel) in steps.into_iter().flat_map(|steps| kernels.map(|kernel| (steps.clone(), kernel))) {
        let plan = Plan {
            kernel,
            storage: Storage::DeviceMapper,
            docker: "20.10.5",
            own_namespace: false,
            cgroup_v2: false,
            privileged: true,
            refused: false,
            steps,
        };
        assert_eq!(fault(&plan), None, "{plan:?}");
    }
}

fn try_hosts(share: u64) {
    let seeds = seeds(HOSTS);
    let mut faults = BTreeMap::new();
    let alone = seeds.end - seeds.start == 1;
    for seed in seeds.filter(|seed| alone || seed % SHARES == share) {
        let plan = Plan::random(seed);
        if fault(&plan).is_some() {
            let plan = plan.shrunk(&|shorter| fault(shorter).is_some());
            let fault = fault(&plan).unwrap_or_default();
            // Hosts with the same few steps are at fault for the same reason, mostly.
            faults.entry(format!("{:?}", plan.steps)).or_insert(format!("seed {seed}: {plan:?}\n{fault}"));
            if faults.len() == SHOWN {
                break;
            }
        }
    }
    let shown: Vec<&str> = faults.values().map(String::as_str).collect();
    assert!(shown.is_empty(), "{}", shown.join("\n\n"));
}

/// The first wrong answer about a host.
fn fault(plan: &Plan) -> Option<String> {
    let world = World::new(plan);
    let analysis = support::open(&world.host.bundle()).expect("a good bundle opens");
    let of_subject = |subject: &Subject| {
        let questions = questions(&world, &analysis, subject).into_iter();
        questions.map(|(query, objects)| (query, truth::of(&world, subject, &objects))).collect::<Vec<_>>()
    };
    let mut questions: Vec<(Query, Truth)> = world.subjects.iter().flat_map(of_subject).collect();
    questions.extend(world.places.iter().filter_map(|place| place_question(&world, &analysis, place)));
    questions.into_iter().find_map(|(query, expected)| {
        let report = analysis.explain(&query);
        let mut said = said(&report);
        if truth::may_lack_numbers(&world) {
            said.holders = numbered(said.holders, &expected);
        }
        if !plan.privileged || plan.refused {
            // Such a bundle lacks namespaces or open files: all that counts is that it is not called whole.
            return (said.status == Status::Free).then(|| format!("{query:?}: free without privileges"));
        }
        (said != expected).then(|| {
            let summary = &report.verdict.summary;
            let reasons = report.holders.iter().map(|h| {
                let points: Vec<_> = h.mounts.iter().map(|m| (&m.mount_point, &m.matched_by)).collect();
                format!("{:?}: {} {points:?}\n", h.mount_namespace, h.effect_reason)
            });
            let reasons: String = reasons.collect();
            format!("{query:?}: {summary}\n{reasons}said {said:?}\ntrue {expected:?}")
        })
    })
}

/// What its complaint in the log is about, or without one its directory. Who complains is in the host's namespace: where
/// the runtime has another one, the log does not tell which is meant.
fn place_question(world: &World, analysis: &Analysis, place: &Place) -> Option<(Query, Truth)> {
    if world.plan.own_namespace {
        return None;
    }
    if !place.complained {
        let query = Query::Text(place.object.path.clone());
        let is_asked = !place.is_name && world.is_all_there(place);
        return others::directory(world, place).filter(|_| is_asked).map(|truth| (query, truth));
    }
    let errors = &analysis.snapshot().errors;
    let index = errors.iter().position(|e| e.path.as_deref() == Some(&place.object.path));
    let query = Query::Error(index.expect("the complaint is found in the log"));
    match place.is_name {
        true => others::directory(world, place).map(|truth| (query, truth)),
        // What is not mounted any more cannot be unmounted.
        false => world.umounted(place).map(|object| (query, others::umount(world, &object))),
    }
}

type Objects = Vec<(Object, Operation)>;

/// All names of a container, each with what it asks for.
fn questions(world: &World, analysis: &Analysis, subject: &Subject) -> Vec<(Query, Objects)> {
    let whole = truth::objects(world, subject);
    let container = &subject.container;
    let text = |text: &str| Query::Text(text.to_owned());
    let mut questions = Vec::new();
    let twins = world.subjects.iter().filter(|s| s.container.id[..12] == container.id[..12]).count();
    let mut names = vec![container.id.clone(), container.name.clone(), format!("/{}", container.name)];
    if twins == 1 {
        names.push(container.id[..12].to_owned());
    }
    if world.plan.storage != Storage::Containerd {
        names.push(container.layer.clone());
        names.push(container.layer[..16].to_owned());
    }
    questions.extend(names.iter().map(|name| (text(name), whole.clone())));
    // Where the log complains of one object, every name leads to that one.
    let of_root = |operation| match subject.complaint {
        None => Some(vec![(subject.root.clone(), operation)]),
        Some(Complaint::Shm | Complaint::Cgroup) => None,
        Some(_) => Some(whole.clone()),
    };
    if let Some(objects) = of_root(Operation::RemoveDirectory) {
        questions.push((text(&subject.root.path), objects));
    }
    let active = world.is_active(&subject.root);
    if let (Some(name), true, Some(objects)) =
        (&container.device_name, active, of_root(Operation::RemoveDevice))
    {
        let (major, minor) = subject.root.device;
        questions.push((text(name), objects.clone()));
        questions.push((text(&format!("/dev/mapper/{name}")), objects.clone()));
        questions.push((text(&format!("{major}:{minor}")), objects));
    }
    if let (Some(shm), None | Some(Complaint::Shm)) = (&subject.shm, subject.complaint) {
        questions.push((text(&shm.path), vec![(shm.clone(), Operation::RemoveDirectory)]));
    }
    let errors = &analysis.snapshot().errors;
    if subject.complaint.is_some() {
        let is_it = |e: &BusyError| {
            e.container_id.as_deref() == Some(&container.id)
                || e.path.as_ref().is_some_and(|path| path.contains(&container.id))
        };
        let index = errors.iter().position(is_it);
        questions.push((Query::Error(index.expect("the complaint is found in the log")), whole));
    }
    questions
}

/// Gives namespaces whose number nothing tells the number of the one that has the same processes.
fn numbered(holders: BTreeMap<Holder, Effect>, expected: &Truth) -> BTreeMap<Holder, Effect> {
    let true_one = |pids: &[u32]| {
        let is_it = |holder: &&Holder| matches!(holder, Holder::Namespace(_, known) if known == pids);
        expected.holders.keys().find(is_it).cloned()
    };
    let number = |holder: Holder| match &holder {
        Holder::Namespace(0, pids) => true_one(pids).unwrap_or(holder),
        _ => holder,
    };
    holders.into_iter().map(|(holder, effect)| (number(holder), effect)).collect()
}
