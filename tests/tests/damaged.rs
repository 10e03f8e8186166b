//! A bundle that is cut off or damaged: no output says that there is nothing, or that something is gone, without
//! saying that only a part could be read.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

mod support;

use ebusy_analyzer::fleet::{self, Tally};
use ebusy_analyzer::report::{Status, markdown, text};
use ebusy_analyzer::{Analysis, Query, census, diff};
use ebusy_tests::synth::{Host, Run, Sandbox, gzip};

/// Words with which an output says that something is not there, or is no matter.
const DENIALS: [&str; 14] = [
    "othing", // is left over, holds, blocks, is held, goes by
    "No holder",
    "No host",
    "no holder",
    "None of",
    "none blocks",
    "No thin devices",
    "no busy error",
    "No log.",
    "is gone",
    "are gone",
    "removed in between",
    "not a leak",
    "nothing leaks",
];

/// And with which it says that it does not know all.
const CAUTIONS: [&str; 7] = [
    "part that was collected",
    "could be read",
    "that was read",
    "not the whole picture",
    "not complete",
    "cannot tell whether",
    "knows nothing of what was asked for",
];

fn assert_careful(what: &str, place: &str, said: &str) {
    let denial = DENIALS.iter().find(|word| said.contains(**word));
    let careful = CAUTIONS.iter().any(|word| said.contains(word));
    assert!(denial.is_none() || careful, "{what} of {place} says {denial:?}: {said}");
}

/// A host with a dead container whose device a service keeps (or nothing does), and its id.
fn host(is_held: bool) -> (Vec<u8>, String) {
    let mut host = Host::new("web1", "3.10.0-514.el7.x86_64");
    host.docker_devicemapper("17.05.0-ce");
    let web = host.run(&Run::new("shop", "nginx:1.13"));
    if is_held {
        host.wait(5);
        host.service("httpd.service", &["/usr/sbin/httpd"], 2, Sandbox::PrivateTmp);
    }
    host.wait(60);
    host.stop(&web);
    host.set_state(&web, "dead");
    host.docker_log(&web.device_is_busy());
    (host.bundle(), web.id.clone())
}

fn plain(bundle: &[u8]) -> Vec<u8> {
    let mut tar = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(bundle), &mut tar).expect("a good bundle");
    tar
}

/// All that is said of the part that could be read of `id`'s host, and of it and the whole one.
fn assert_all_careful(place: &str, part: &Analysis, whole: &Analysis, id: &str) {
    let queries = [
        Query::Default,
        Query::Text(id.to_owned()),
        Query::Text("shop".to_owned()),
        Query::Text("/no/such/path".to_owned()),
    ];
    for query in &queries {
        let report = part.explain(query);
        assert_ne!(report.verdict.status, Status::Free, "{place}: {}", report.verdict.summary);
        assert_careful("verdict", place, &report.verdict.summary);
        assert_careful("text", place, &text::render(&report));
        assert_careful("Markdown", place, &markdown::render(&report));
        assert!(!report.warnings.is_empty(), "{place}: the page shows no warning");
        let before = whole.explain(query);
        for (order, a, b, one, other) in
            [("whole, part", &before, &report, whole, part), ("part, whole", &report, &before, part, whole)]
        {
            let both = diff::of_both((a, b), (one, other));
            assert_careful(&format!("diff ({order})"), place, &both.summary);
            assert_careful(&format!("diff ({order}) as text"), place, &diff::text::render(&both));
            assert_careful(&format!("diff ({order}) as Markdown"), place, &diff::markdown::render(&both));
            let all = diff::of_censuses(one, other);
            assert_careful(&format!("diff of censuses ({order})"), place, &all.summary);
        }
    }
    let left = part.census();
    assert_careful("census", place, &left.summary);
    assert_careful("census as text", place, &census::text::render(&left));
    assert_careful("census as Markdown", place, &census::markdown::render(&left));
    let lines = part.fleet_lines("web1.tar.gz");
    let mut tally = Tally::default();
    for line in &lines {
        tally.add(line);
        assert_careful("line of a fleet", place, &line.summary);
        assert!(!matches!(fleet::text::word(line), "free" | "quiet"), "{place}: {line:?}");
        assert!(!line.complete, "{place}: ndjson would call it complete");
    }
    let all = tally.fleet();
    assert_careful("fleet", place, &all.summary);
    assert_careful("fleet as text", place, &fleet::text::render(&all, &lines));
    assert_careful("fleet as Markdown", place, &fleet::markdown::render(&all, &lines));
}

#[test]
fn what_is_missing_from_a_bundle_is_never_called_nothing() {
    for is_held in [true, false] {
        let (bundle, id) = host(is_held);
        let whole = support::open(&bundle).expect("a good bundle opens");
        assert!(whole.explain(&Query::Default).bundle.complete, "it is whole");
        let tar = plain(&bundle);
        let mut looked_at = 0;
        for (form, bytes) in [("gzip", gzip(&tar)), ("tar", tar)] {
            for fortieth in 1..40 {
                let at = bytes.len() * fortieth / 40;
                let mut flipped = bytes.clone();
                flipped[at] ^= 1 << (fortieth % 8);
                for (how, bytes) in [("cut", &bytes[..at]), ("flipped", &flipped[..])] {
                    let Ok(part) = support::open(bytes) else { continue };
                    // A changed byte of a plain tar may be in a text, where nobody can see it.
                    if !part.explain(&Query::Default).bundle.complete {
                        looked_at += 1;
                        assert_all_careful(&format!("{form}, {how} at {fortieth}/40"), &part, &whole, &id);
                    } else {
                        assert!(form == "tar" && how == "flipped", "{form}, {how} at {fortieth}/40 is whole");
                    }
                }
            }
        }
        assert!(looked_at > 80, "{looked_at} damaged bundles were read in part");
    }
}
