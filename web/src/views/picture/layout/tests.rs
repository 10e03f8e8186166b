//! The picture's geometry at the widths that matter.

use super::*;
use crate::sample;
use ebusy_analyzer::report::Report;

const WIDTHS: [f64; 5] = [328.0, 500.0, 839.0, 840.0, 1240.0];

fn drawn(report: &Report, width: f64) -> Scene {
    scene(&report.namespaces, &report.holders, width, &BTreeSet::new())
}

fn inside(outer: &Area, inner: &Area) -> bool {
    inner.x >= outer.x
        && inner.y >= outer.y
        && inner.x + inner.width <= outer.x + outer.width + 0.5
        && inner.y + inner.height <= outer.y + outer.height + 0.5
}

#[test]
fn lanes_follow_each_other_without_touching_and_fill_the_width() {
    for width in WIDTHS {
        let scene = drawn(&sample::report(), width);
        assert_eq!(scene.lanes.len(), 4);
        for pair in scene.lanes.windows(2) {
            assert!(pair[0].area.y + pair[0].area.height < pair[1].area.y, "at {width}");
        }
        for lane in &scene.lanes {
            assert!(lane.area.x >= 0.0 && lane.area.x + lane.area.width <= width, "at {width}");
        }
        let last = &scene.lanes[3].area;
        assert!(last.y + last.height <= scene.height, "at {width}");
    }
}

#[test]
fn what_belongs_to_a_lane_lies_in_it_and_does_not_overlap() {
    for width in WIDTHS {
        let mut report = sample::report();
        if let Some(parent) = &mut report.namespaces[3].parent_mount {
            parent.shared = Some(u32::MAX);
        }
        for lane in drawn(&report, width).lanes {
            assert!(inside(&lane.area, &lane.mount.area), "{width}: {:?} {:?}", lane.area, lane.mount.area);
            for chip in &lane.chips {
                assert!(inside(&lane.area, &chip.area), "at {width}: {chip:?}");
                let beside = chip.area.x + chip.area.width <= lane.mount.area.x;
                let above = chip.area.y + chip.area.height <= lane.mount.area.y;
                assert!(beside || above, "at {width}: {chip:?} under {:?}", lane.mount.area);
            }
            let pill = &lane.branch.pill;
            let clear = pill.x + pill.width <= lane.mount.area.x || pill.y + pill.height <= lane.mount.area.y;
            assert!(clear, "at {width}: {pill:?} over {:?}", lane.mount.area);
            assert!(inside(&lane.area, &lane.branch.pill), "at {width}: {:?}", lane.branch.pill);
        }
    }
}

#[test]
fn every_monospace_text_has_room() {
    for width in WIDTHS {
        for lane in drawn(&sample::report(), width).lanes {
            for text in &lane.mount.texts {
                let end = text.x + columns(&text.content) as f64 * MONO;
                let edge = lane.mount.area.x + lane.mount.area.width;
                assert!(end <= edge, "at {width}: {text:?} ends at {end}, box at {edge}");
            }
        }
    }
}

#[test]
fn a_cut_branch_has_its_mark_and_never_an_arrow() {
    for width in WIDTHS {
        let scene = drawn(&sample::report(), width);
        let styles: Vec<Vec<Style>> = scene
            .lanes
            .iter()
            .map(|lane| lane.branch.lines.iter().map(|line| line.style).collect())
            .collect();
        let holder = &styles[2];
        assert!(holder.contains(&Style::CutMark) && !holder.contains(&Style::Reaches), "at {width}");
        assert_eq!(scene.lanes[1].branch.relation, Relation::Start);
    }
}

#[test]
fn the_target_is_marked_where_it_is_mounted_and_nowhere_else() {
    let scene = drawn(&sample::report(), 960.0);
    let marked: Vec<usize> = scene.lanes.iter().map(|lane| lane.mount.targets.len()).collect();
    assert_eq!(marked, [0, 0, 1, 1]);
}

#[test]
fn open_files_after_a_lazy_umount_are_in_the_picture() {
    let mut report = sample::report();
    report.holders[2].effect = Effect::Blocking;
    let host = drawn(&report, 960.0).lanes.swap_remove(0);
    assert!(host.mount.here && host.mount.targets.len() == 1);
    assert!(host.mount.texts.iter().any(|text| text.content == "open on it: 900 fd/3"), "{:?}", host.mount);
}

#[test]
fn two_hundred_namespaces_fit_on_two_screens_and_unfold_into_rows() {
    for width in WIDTHS {
        let report = sample::report_with(200);
        let folded = drawn(&report, width);
        let last = &folded.lanes[folded.lanes.len() - 1];
        assert_eq!(last.form, Form::Folded(195), "at {width}");
        assert!(folded.height < 2_400.0, "{} at {width}", folded.height);
        let open = BTreeSet::from([last.index]);
        let unfolded = scene(&report.namespaces, &report.holders, width, &open);
        let rows: Vec<&Lane> = unfolded.lanes.iter().filter(|lane| lane.is_row()).collect();
        assert_eq!(rows.len(), 195, "at {width}");
        for pair in unfolded.lanes.windows(2) {
            assert!(pair[0].area.y + pair[0].area.height < pair[1].area.y, "at {width}");
        }
        for row in rows {
            assert!(inside(&row.area, &row.branch.pill), "at {width}: {:?} {:?}", row.area, row.branch.pill);
        }
    }
}

#[test]
fn mounts_of_one_peer_group_are_joined_and_slaves_hang_on_an_arrow() {
    let mut report = sample::report();
    report.namespaces[0].mounts = report.namespaces[2].mounts.clone();
    report.namespaces[0].mounts[0].shared = Some(88);
    report.namespaces[2].mounts[0].shared = Some(88);
    report.namespaces[3].mounts[0].master = Some(88);
    for width in WIDTHS {
        let scene = drawn(&report, width);
        let [track] = &scene.tracks[..] else { panic!("{:?} at {width}", scene.tracks) };
        assert_eq!((track.group, track.dots.len()), (88, 2));
        assert_eq!(track.lines.iter().filter(|line| line.style == Style::Reaches).count(), 1);
        for lane in &scene.lanes {
            assert!(lane.mount.area.x + lane.mount.area.width < track.dots[0].0, "at {width}");
            assert!(track.text.x < lane.area.x + lane.area.width, "at {width}");
        }
    }
    assert!(drawn(&sample::report(), 960.0).tracks.is_empty(), "private mounts are joined to nothing");
}

#[test]
fn a_process_of_another_unit_than_its_lane_says_so() {
    let mut report = sample::report();
    let pid = report.namespaces[0].processes[1].pid;
    report.holders[2].pids = vec![pid];
    report.holders[2].unit = Some("sshd.service".into());
    let host = drawn(&report, 960.0).lanes.swap_remove(0);
    assert!(host.chips.iter().any(|chip| chip.text.content == "sshd 640 · sshd.service"), "{:?}", host.chips);
}

#[test]
fn more_processes_than_fit_are_counted() {
    let mut report = sample::report();
    let process = report.namespaces[0].processes[0].clone();
    report.namespaces[0].processes = vec![process; 40];
    report.namespaces[0].process_count = 118;
    let lane = drawn(&report, 328.0).lanes.swap_remove(0);
    let last = lane.chips.last().map(|chip| chip.text.content.clone());
    assert_eq!(last, Some(format!("+{}", 118 - (lane.chips.len() - 1))));
    assert!(lane.chips.len() < 12, "{}", lane.chips.len());
}
