//! Very many things of one kind: the answer is the same as of a few, none is lost, and what is told stays bounded. Each of
//! these took minutes once, because something was looked for among all of them for each of them.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

mod support;

use ebusy_analyzer::report::{BusyKind, Effect, HolderKind, Report};
use ebusy_tests::multitude::Many;
use ebusy_tests::synth::{gzip, tar};
use support::{ask, open};

/// More than a table may have lines without being put in order, and more holders than are listed.
const COUNT: u32 = 6_000;

fn report(many: Many, count: u32) -> Report {
    ask(&gzip(&tar("b", 0, &many.entries(count))), many.query())
}

/// So many holders there are, listed or not.
fn holders(report: &Report) -> usize {
    let mut notes = report.warnings.iter().filter(|warning| warning.code == "not-all-listed");
    let note = notes.find(|note| note.message.contains(" holders have "));
    let counted = note.and_then(|note| note.message.split(' ').next()?.parse().ok());
    counted.unwrap_or(report.holders.len())
}

/// The worst ones first.
fn effects(report: &Report) -> Vec<(Effect, HolderKind)> {
    let mut effects: Vec<_> = report.holders.iter().map(|h| (h.effect, h.kind)).collect();
    effects.sort();
    effects.dedup();
    effects
}

#[test]
fn many_are_judged_as_a_few() {
    for many in Many::ALL {
        let (few, all) = (report(many, 3), report(many, COUNT));
        assert_eq!(all.verdict.status, few.verdict.status, "{many:?}");
        // Of many the worst are listed.
        let worst = |report: &Report| effects(report).first().map(|(effect, _)| *effect);
        assert_eq!(worst(&all), worst(&few), "{many:?}");
        assert!(effects(&all).iter().all(|one| effects(&few).contains(one)), "{many:?}: {:?}", effects(&all));
        let cause = |report: &Report| report.holders.first()?.cause.as_ref().map(|cause| cause.id.clone());
        assert_eq!(cause(&all), cause(&few), "{many:?}");
        let more = match many {
            Many::MountsOver | Many::CopiesInOne | Many::ListedContainers => 0,
            _ => COUNT as usize - 3,
        };
        assert_eq!(holders(&all), holders(&few) + more, "{many:?}");
        assert!(all.target.aliases.len() <= 1_000, "{many:?}: {}", all.target.aliases.len());
        assert!(all.holders.len() <= 1_000 && all.propagation.len() <= 2_000, "{many:?}");
        let commands = all.holders.iter().flat_map(|holder| &holder.remedies);
        let longest = commands.map(|remedy| remedy.command.lines().count()).max();
        assert!(longest.is_none_or(|lines| lines <= 22), "{many:?}: {longest:?}");
    }
}

#[test]
fn a_copy_in_use_is_found_in_each_of_many_namespaces() {
    let report = report(Many::CopiesInUse, COUNT);
    assert_eq!(report.target.busy, BusyKind::Umount);
    let used = "The umount would take its copy along, and that is in use: the kernel refuses both.";
    let blocking = report.holders.iter().filter(|holder| holder.effect == Effect::Blocking);
    assert!(
        blocking.filter(|holder| holder.effect_reason == used).count() > 900,
        "{}",
        report.verdict.summary
    );
}

#[test]
fn a_stack_of_devices_is_taken_down_from_its_top() {
    let report = report(Many::DeviceChain, COUNT);
    let first = report.holders.first().and_then(|holder| holder.remedies.first()).expect("a remedy");
    assert!(first.command.ends_with("dmsetup remove vg-6000"), "{}", first.command);
}

#[test]
fn a_device_is_held_where_it_is_mounted_and_where_it_is_open() {
    let report = report(Many::DevicesOnOne, COUNT);
    let of_one =
        report.holders.iter().find(|holder| holder.evidence.iter().any(|e| e.file.ends_with("/dm-7")));
    let holder = of_one.expect("dm-7 is among the first");
    assert_eq!((holder.pids.as_slice(), holder.mount_namespace), (&[1_007][..], Some(4_026_600_007)));
    assert_eq!(holder.mounts.iter().map(|mount| mount.id).collect::<Vec<_>>(), [1_000_029]);
}

#[test]
fn a_listed_name_leads_to_its_container() {
    let bundle = gzip(&tar("b", 0, &Many::ListedContainers.entries(COUNT)));
    let overview = open(&bundle).expect("a good bundle opens").overview();
    let shop = overview.containers.iter().find(|container| container.name.as_deref() == Some("shop5999"));
    assert_eq!(shop.expect("it is listed").id.len(), 64);
    assert_eq!(overview.containers.iter().filter(|container| container.id.len() < 64).count(), 0);
}

#[test]
fn names_that_are_left_out_are_counted() {
    let report = report(Many::MountsOver, COUNT);
    let counted =
        report.warnings.iter().find(|warning| warning.message.contains("more names of it are known"));
    let counted = counted.and_then(|warning| warning.message.split(' ').next()?.parse::<usize>().ok());
    // The container's own device, and one of each mount over it.
    assert_eq!(counted, Some(COUNT as usize + 1 - 200));
}
