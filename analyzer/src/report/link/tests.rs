use super::*;
use crate::report::redact::{KINDS, Kind};
use crate::report::{
    Alias, AliasKind, BusyError, BusyKind, Cause, ContainerRef, Diagnostic, Effect, Evidence, Holder,
    HolderKind, MountView, NamespaceRole, NamespaceView, ProcessView, Remedy, SCHEMA, Status, TimelineEvent,
    TimelineKind, When,
};

/// Numbers that are the same each time (xorshift).
struct Seed(u64);

impl Seed {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }

    fn text(&mut self) -> String {
        let known =
            ["web1", "/var/lib/docker", "systemctl restart a\nb", "…ü€", "", "<script>", "A mount in any"];
        match self.below(3) {
            0 => self.pick(&known).to_owned(),
            1 => format!("{:x}{:x}", self.below(u64::MAX), self.below(u64::MAX)),
            _ => (0..self.below(40)).map(|_| char::from(b' ' + self.below(95) as u8)).collect(),
        }
    }

    fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.below(3) > 0).then(|| make(self))
    }

    fn list<T>(&mut self, most: u64, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.below(most + 1)).map(|_| make(self)).collect()
    }

    fn time(&mut self) -> String {
        match self.below(4) {
            0 => "Nov 22 07:34:25".to_owned(),
            1 => "2026-11-22T07:35:16.254781130Z".to_owned(),
            _ => crate::report::rfc3339(1_700_000_000 + self.below(100_000_000)),
        }
    }

    fn small(&mut self) -> u32 {
        let bits = self.below(33);
        (self.below(u64::MAX) & ((1 << bits) - 1)) as u32
    }

    fn evidence(&mut self) -> Evidence {
        let line = self.maybe(|s| s.small().min(u32::MAX - 1));
        Evidence { file: format!("proc/{}/mountinfo", self.below(9)), line, text: self.text() }
    }

    fn process(&mut self) -> ProcessView {
        let state = self.maybe(|s| s.pick(&['S', 'D', 'Z']));
        let started_at = self.maybe(Self::time);
        ProcessView { pid: self.small(), comm: self.text(), cmdline: self.text(), state, started_at }
    }

    fn mount(&mut self) -> MountView {
        let mut mount = MountView {
            id: self.small(),
            mount_point: self.text(),
            root: self.text(),
            device: self.text(),
            fs_type: self.text(),
            source: self.text(),
            shared: self.maybe(|s| s.small().min(u32::MAX - 1)),
            master: self.maybe(|s| s.small().min(u32::MAX - 1)),
            propagate_from: self.maybe(|s| s.small().min(u32::MAX - 1)),
            unbindable: self.below(2) == 1,
            follows: self.maybe(|s| s.below(2) == 1),
            matched_by: self.text(),
            evidence: self.evidence(),
        };
        if self.below(2) == 0 {
            let line = "163 161 253:3 / /rootfs/m\\040nt rw,relatime shared:4 - xfs /dev/mapper/x rw";
            line.clone_into(&mut mount.evidence.text);
            let follows = mount.follows;
            let parsed = crate::parse::mountinfo::parse_line(line.as_bytes()).unwrap();
            mount = MountView { follows, ..MountView::of(&parsed, mount.matched_by, mount.evidence) };
        }
        mount
    }

    fn remedy(&mut self) -> Remedy {
        Remedy {
            when: self.pick(&[When::Now, When::Lasting]),
            command: self.text(),
            effect: self.text(),
            risk: self.text(),
        }
    }

    fn holder(&mut self) -> Holder {
        use HolderKind::*;
        Holder {
            kind: self.pick(&[Host, Daemon, Container, SystemdUnit, Unshared, Pinned, OpenFile, Device]),
            effect: self.pick(&[Effect::Blocking, Effect::Holding, Effect::Unrelated]),
            effect_reason: self.text(),
            mount_namespace: self.maybe(|s| 4_026_532_000 + s.below(1000)),
            pids: self.list(6, Self::small),
            process: self.maybe(Self::process),
            more_processes: self.list(4, Self::process),
            unit: self.maybe(Self::text),
            container: self.maybe(|s| ContainerRef {
                id: s.text(),
                name: s.maybe(Self::text),
                image: s.maybe(Self::text),
            }),
            mounts: self.list(3, Self::mount),
            open_files: self.list(3, |s| crate::report::OpenFile {
                pid: s.small(),
                reference: s.text(),
                path: s.text(),
                evidence: s.evidence(),
            }),
            cause: self.maybe(|s| Cause { id: s.text(), summary: s.text() }),
            more_causes: self.list(2, |s| Cause { id: s.text(), summary: s.text() }),
            evidence: self.list(4, Self::evidence),
            remedies: self.list(4, Self::remedy),
        }
    }

    fn error(&mut self) -> BusyError {
        BusyError {
            container_id: self.maybe(Self::text),
            other_ids: self.list(2, Self::text),
            path: self.maybe(Self::text),
            device: self.maybe(Self::text),
            driver: self.maybe(Self::text),
            runtime: self.maybe(Self::text),
            line: self.text(),
            count: self.small(),
            first: self.maybe(Self::time),
            last: self.maybe(Self::time),
            name: self.maybe(Self::text),
            busy: self.pick(&[BusyKind::Unknown, BusyKind::Device, BusyKind::Directory, BusyKind::File]),
            evidence: self.maybe(Self::evidence),
            wordings: Vec::new(),
        }
    }

    fn lane(&mut self) -> NamespaceView {
        NamespaceView {
            role: self.pick(&[NamespaceRole::Host, NamespaceRole::Daemon, NamespaceRole::Holder]),
            inode: self.maybe(|s| 4_026_531_000 + s.below(2000)),
            label: self.text(),
            process_count: self.small(),
            processes: self.list(3, Self::process),
            mounts: self.list(2, Self::mount),
            parent_mount: self.maybe(Self::mount),
            effect: self.maybe(|s| s.pick(&[Effect::Blocking, Effect::Holding, Effect::Unrelated])),
            propagation: self.text(),
        }
    }

    fn report(&mut self) -> Report {
        let mut report = Report { schema: SCHEMA.to_owned(), ..Report::default() };
        report.host.name = self.maybe(Self::text);
        report.host.kernel = self.maybe(Self::text);
        report.host.collected_at = self.maybe(Self::time);
        report.host.runtime = self.maybe(Self::text);
        report.host.drops_foreign_mounts = self.maybe(|s| s.below(2) == 1);
        report.bundle.format = self.text();
        report.bundle.collector = self.maybe(Self::text);
        report.bundle.complete = self.below(2) == 1;
        report.bundle.privileged = self.maybe(|s| s.below(2) == 1);
        report.bundle.processes = self.small();
        report.bundle.mount_tables = self.small();
        report.bundle.log_lines = self.small();
        report.target.query = self.text();
        report.target.found = self.below(2) == 1;
        report.target.container_id = self.maybe(Self::text);
        report.target.name = self.maybe(Self::text);
        report.target.driver = self.maybe(Self::text);
        report.target.state = self.maybe(Self::text);
        report.target.busy = self.pick(&[BusyKind::Umount, BusyKind::Dataset, BusyKind::Cgroup]);
        report.target.aliases = self.list(4, |s| Alias {
            value: s.text(),
            kind: s.pick(&[AliasKind::Name, AliasKind::Path, AliasKind::LayerId, AliasKind::Other]),
            evidence: s.list(2, Self::evidence),
        });
        report.target.candidates = self.list(2, Self::text);
        report.verdict.status = self.pick(&[Status::Held, Status::Free, Status::Unknown]);
        report.verdict.summary = self.text();
        report.holders = self.list(4, Self::holder);
        report.errors = self.list(3, |s| BusyError { wordings: s.list(2, Self::error), ..s.error() });
        report.namespaces = self.list(3, Self::lane);
        report.propagation = self.list(2, Self::text);
        report.looked_at = self.list(3, Self::text);
        report.next_steps = self.list(2, Self::remedy);
        report.warnings = self.list(2, |s| Diagnostic {
            code: s.text(),
            file: s.maybe(Self::text),
            line: s.maybe(|s| s.small().min(u32::MAX - 1)),
            message: s.text(),
            advice: s.text(),
        });
        report.timeline = self.list(4, |s| TimelineEvent {
            at: s.maybe(Self::time),
            written: s.maybe(Self::text),
            kind: s.pick(&[TimelineKind::Booted, TimelineKind::Mounted, TimelineKind::Collected]),
            what: s.text(),
            evidence: s.list(2, Self::evidence),
        });
        report
    }
}

fn whole(report: Report) -> Shared {
    Shared { report, left_out: Vec::new(), replaced: Vec::new() }
}

fn opened(link: &str) -> Shared {
    match open(link) {
        Some(Ok(Fragment::Report(shared))) => *shared,
        other => panic!("{link}: {other:?}"),
    }
}

#[test]
fn a_report_comes_out_of_its_link_as_it_went_in() {
    for seed in 1..=60 {
        let mut shared = whole(Seed(seed * 0x9e37_79b9).report());
        shared.replaced.push(Replaced { kind: Kind::User, different: 2, places: 9 });
        let (fragment, shown) = report_fragment(&shared, usize::MAX);
        assert_eq!(shown, shared, "nothing is left out without need");
        assert_eq!(opened(&format!("https://example.org/ebusy.html{fragment}")), shared, "seed {seed}");
    }
}

#[test]
fn a_link_that_is_too_long_keeps_the_answer_and_says_what_it_lacks() {
    for seed in 1..=8 {
        let shared = whole(Seed(seed * 0x51ed_270b).report());
        let (fragment, shown) = report_fragment(&shared, 600);
        let read = opened(&fragment);
        assert_eq!(read, shown, "the preview is what a reader sees");
        assert_eq!(read.report.verdict, shared.report.verdict);
        let blocking = |r: &Report| -> Vec<_> {
            let blocking = r.holders.iter().filter(|h| h.effect == Effect::Blocking);
            let now =
                |h: &Holder| h.remedies.iter().filter(|r| r.when == When::Now).cloned().collect::<Vec<_>>();
            blocking.map(|h| (h.pids.clone(), h.cause.clone(), h.process.clone(), now(h))).collect()
        };
        assert_eq!(blocking(&read.report), blocking(&shared.report), "seed {seed}");

        assert_eq!(fragment, report_fragment(&shared, 600).0, "the same parts each time");
    }
}

#[test]
fn a_damaged_link_is_told_and_never_more_than_that() {
    let (fragment, _) = report_fragment(&whole(Seed(7).report()), usize::MAX);
    for length in (REPORT.len()..fragment.len() - 1).step_by(7) {
        assert!(matches!(open(&fragment[..length]), Some(Err(_))), "cut at {length}");
    }
    let mut seed = Seed(99);
    let mut wrong = 0;
    for _ in 0..1_200 {
        let mut bytes = fragment.clone().into_bytes();
        for _ in 0..=seed.below(3) {
            let at = 5 + seed.below(bytes.len() as u64 - 5) as usize;
            bytes[at] =
                b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[seed.below(64) as usize];
        }
        // Most are no deflate stream any more; what still is one is a report that says something else.
        wrong += u32::from(matches!(open(&String::from_utf8(bytes).unwrap()), Some(Err(LinkError::Damaged))));
    }
    assert!(wrong > 400, "{wrong}");
}

/// A link that another program made: any bytes, packed without the dictionary.
fn zipped(bytes: &[u8]) -> String {
    let mut packed = Vec::new();
    let mut deflate = flate2::read::DeflateEncoder::new(bytes, flate2::Compression::best());
    std::io::Read::read_to_end(&mut deflate, &mut packed).unwrap();
    format!("#r=1.{}", crate::report::base64::url(&packed))
}

#[test]
fn bytes_of_no_link_are_bounded() {
    // What a link can hold at most is limited before it is made: elements, texts, and all of it together.
    let mut seed = Seed(5);
    for _ in 0..1_000 {
        let mut bytes: Vec<u8> = (0..seed.below(300)).map(|_| seed.below(256) as u8).collect();
        let structure = bytes.len() as u64;
        bytes.splice(0..0, [(structure & 0x7f) as u8 | 0x80, (structure >> 7) as u8]);
        bytes.extend_from_slice(b"a\nb\nc\n");
        let _ = open(&zipped(&bytes));
    }
    assert_eq!(open(&zipped(&vec![b'a'; 3 << 20])), Some(Err(LinkError::TooLong)));
    assert_eq!(open(&format!("#r=1.{}", "A".repeat(2 << 20))), Some(Err(LinkError::TooLong)));
}

#[test]
fn a_text_that_is_used_a_million_times_is_not_made_a_million_times() {
    let mut shared = whole(Report::default());
    shared.report.looked_at = vec!["x".repeat(100_000); 1_000];
    assert_eq!(open(&zipped(&written(&shared).0)), Some(Err(LinkError::Damaged)));
}

#[test]
fn a_newer_link_says_so() {
    for kind in ["r", "v"] {
        let Some(Err(error)) = open(&format!("https://example.org/#{kind}=2.AAAA")) else { panic!("{kind}") };
        assert_eq!(error, LinkError::Newer(2));
        assert!(error.advice().contains("newer copy"));
    }
    for other in ["", "#", "#main", "https://example.org/", "#r", "r=1.A"] {
        assert_eq!(open(other), None, "{other}");
    }
}

#[test]
fn what_stands_behind_a_link_in_a_chat_is_no_part_of_it() {
    let (fragment, shared) = report_fragment(&whole(Seed(3).report()), usize::MAX);
    for tail in [").", ">", "&utm_source=chat", "\n", " see there"] {
        assert_eq!(opened(&format!("{fragment}{tail}")), shared);
    }
}

#[test]
fn a_strangers_text_has_no_hidden_characters() {
    let mut shared = whole(Report::default());
    shared.report.verdict.summary = "a\u{202e}b\u{1b}[2J".into();
    let read = opened(&report_fragment(&shared, usize::MAX).0);
    assert_eq!(read.report.verdict.summary, "a\\u{202e}b\\x1b[2J");
}

#[test]
fn a_view_comes_out_of_its_link_as_it_went_in() {
    for about in [About::Default, About::Error("busy".into()), About::Text("web".into())] {
        let link = ViewLink {
            sha256: "0123456789abcdef".repeat(4),
            name: "ebusy-web1.tar.gz".into(),
            size: 5 << 30,
            host: 3,
            about,
            section: "timeline-title".into(),
        };
        let fragment = link.fragment();
        assert!(fragment.len() < 200, "{}", fragment.len());
        assert_eq!(open(&fragment), Some(Ok(Fragment::View(link))));
    }
}

#[test]
fn parts_and_kinds_have_their_numbers_once() {
    for (index, part) in cut::PARTS.iter().enumerate() {
        assert_eq!(cut::PARTS.iter().position(|p| p == part), Some(index));
    }
    for (index, kind) in KINDS.iter().enumerate() {
        assert_eq!(KINDS.iter().position(|k| k == kind), Some(index));
    }
}

/// Old links open for ever: these were made when version 1 was new, and what they must say stands beside them.
#[test]
fn links_of_version_1_still_open() {
    for (link, said) in [
        (include_str!("golden/1-held.txt"), include_str!("golden/1-held.json")),
        (include_str!("golden/1-held-cut.txt"), include_str!("golden/1-held-cut.json")),
        (include_str!("golden/1-free.txt"), include_str!("golden/1-free.json")),
    ] {
        let said: Shared = serde_json::from_str(said).unwrap();
        assert_eq!(opened(link.trim()), said);
    }
    let view = "#v=1.";
    let Some(Ok(Fragment::View(link))) = open(include_str!("golden/1-view.txt").trim()) else {
        panic!("{view}")
    };
    assert_eq!((link.name.as_str(), link.size, link.host), ("ebusy-web1.tar.gz", 27_718, 1));
    assert_eq!((link.about, link.section.as_str()), (About::Text("nightly-report".into()), "census"));
}

/// Golden links of a new version are made by this, with `EBUSY_GOLDEN` set to a directory; never again for an old one.
#[test]
fn links_that_are_kept_open_again() {
    let kept = std::env::var_os("EBUSY_GOLDEN").map(std::path::PathBuf::from);
    let mut free = Seed(11).report();
    free.verdict.status = Status::Free;
    free.holders.clear();
    for (name, report, length) in [
        ("1-held", Seed(12).report(), usize::MAX),
        ("1-held-cut", Seed(13).report(), 900),
        ("1-free", free, usize::MAX),
    ] {
        let (fragment, shown) = report_fragment(&whole(report), length);
        assert_eq!(opened(&fragment), shown);
        if let Some(folder) = &kept {
            std::fs::write(folder.join(format!("{name}.txt")), fragment + "\n").unwrap();
            let said = serde_json::to_string_pretty(&shown).unwrap() + "\n";
            std::fs::write(folder.join(format!("{name}.json")), said).unwrap();
        }
    }
    let view = ViewLink {
        sha256: "0123456789abcdef".repeat(4),
        name: "ebusy-web1.tar.gz".into(),
        size: 27_718,
        host: 1,
        about: About::Text("nightly-report".into()),
        section: "census".into(),
    };
    assert_eq!(open(&view.fragment()), Some(Ok(Fragment::View(view.clone()))));
    if let Some(folder) = &kept {
        std::fs::write(folder.join("1-view.txt"), view.fragment() + "\n").unwrap();
    }
}

/// Opening a link and passing it on again must not hang a tab: a text that nearly repeats itself has hundreds of
/// matches of nearly the longest length at each byte, all of which were compared.
#[test]
fn packing_takes_bounded_steps_whatever_the_text() {
    // Runs that differ once in 257 bytes, so that no match is the longest possible one and all are tried.
    let bytes: Vec<u8> = (0..96 << 10)
        .map(|i: usize| if i.is_multiple_of(257) { (i / 257 % 251) as u8 } else { b'a' })
        .collect();
    let steps = deflate::steps(&bytes, dictionary::VERSION_1.as_bytes());
    assert!(steps <= bytes.len() * 800, "{} steps a byte", steps / bytes.len());
    let packed = deflate::deflate(&bytes, dictionary::VERSION_1.as_bytes(), 0);
    assert_eq!(inflate::inflate(&packed, dictionary::VERSION_1.as_bytes()), Ok(bytes));
    // What people share is packed without any bound: the links stay as short as they were.
    let (usual, _) = written(&whole(Seed(3).report()));
    let steps = deflate::steps(&usual, dictionary::VERSION_1.as_bytes());
    assert!(steps < usual.len() * 100, "{} steps a byte", steps / usual.len());
}

/// A link may hold nearly as many texts as bytes. Each was compared with all before it, whenever such a report was
/// passed on: tens of billions of comparisons.
#[test]
fn each_text_of_a_strangers_report_is_looked_up_not_searched() {
    let mut shared = whole(Report::default());
    shared.report.looked_at = (0..200_000).map(|n| format!("{n:06}")).collect();
    shared.report.propagation = shared.report.looked_at.clone();
    let (bytes, texts_at) = written(&shared);
    assert_eq!(bytes.len() - texts_at, 200_000 * 7, "each stands there once");
}
