//! What programs build on: the functions that the library's documentation starts from, each with its signature. One that
//! is removed or changed does not compile here, and is a new major version (CONTRIBUTING.md). Types of answers are held
//! by their JSON Schema.

use ebusy_analyzer::archive::{self, End, Entry, Kind, Limits};
use ebusy_analyzer::census::Census;
use ebusy_analyzer::diff::{self, Compared, Diff};
use ebusy_analyzer::errors::{self, BusyError, LogScanner};
use ebusy_analyzer::fleet::{self, Fleet, HostLine, Tally};
use ebusy_analyzer::mount_tree::{MountTree, NamespaceName};
use ebusy_analyzer::parse::mountinfo::{self, BadLine, Mount};
use ebusy_analyzer::report::link::{self, Fragment, LinkError, Shared};
use ebusy_analyzer::report::redact::{self, Kind as Name, Replaced};
use ebusy_analyzer::report::{Overview, Report, markdown, text};
use ebusy_analyzer::snapshot::{Hosts, Snapshot};
use ebusy_analyzer::{Analysis, OpenError, Progress, Query};
use std::io::Empty;
use std::ops::ControlFlow;

type Said<'p> = &'p mut dyn FnMut(Progress) -> ControlFlow<()>;
type Opened = Result<Analysis, OpenError>;

#[test]
fn what_programs_call_has_the_signature_that_was_promised() {
    // To read.
    let _: fn(Empty, Said<'_>) -> Opened = Analysis::open;
    let _: fn(Empty, &Limits, Said<'_>) -> Opened = Analysis::open_within;
    let _: fn(Hosts, &End) -> Opened = Analysis::of;
    let _: fn(&Limits) -> Hosts = Hosts::within;
    let _: fn(&mut Hosts, Entry<'_>) = Hosts::add;
    let _: fn(&[u8]) -> Kind = archive::sniff;
    // To choose.
    let _: fn(&Analysis) -> Vec<Option<String>> = Analysis::hosts;
    let _: fn(&mut Analysis, &str) -> bool = Analysis::choose_host;
    let _: fn(&mut Analysis, usize) -> bool = Analysis::choose;
    let _: fn(&Analysis) -> usize = Analysis::chosen;
    let _: fn(&Analysis, &Query) -> Vec<String> = Analysis::hosts_with;
    let _: fn(&Analysis) -> Vec<NamespaceName> = Analysis::namespaces;
    // To ask.
    let _: fn(&Analysis) -> Overview = Analysis::overview;
    let _: fn(&Analysis, &Query) -> Report = Analysis::explain;
    let _: fn(&Analysis) -> Census = Analysis::census;
    let _: fn(&Analysis, usize) -> Census = Analysis::census_with;
    let _: fn(&Analysis, &str) -> Option<MountTree> = Analysis::mount_tree;
    let _: fn(&Analysis, &str) -> Vec<HostLine> = Analysis::fleet_lines;
    let _: fn(&Analysis) -> &Snapshot = Analysis::snapshot;
    let _: fn(&Analysis, &Analysis, Option<&str>) -> Compared = diff::compare;
    let _: fn(&Report, &Report) -> Diff = diff::of_reports;
    let _: fn(&Analysis, &Analysis) -> Diff = diff::of_censuses;
    let _: fn(&mut Tally, &HostLine) = Tally::add;
    let _: fn(&Tally) -> Fleet = Tally::fleet;
    // Parts by themselves.
    let _: fn(&[u8]) -> Vec<BusyError> = errors::scan;
    let _: fn(&mut LogScanner, &str, &[u8]) = LogScanner::push_file;
    let _: fn(LogScanner) -> Vec<BusyError> = LogScanner::finish;
    let _: for<'l> fn(&'l [u8]) -> Result<Mount<'l>, BadLine> = mountinfo::parse_line;
    // To show and to share.
    let _: fn(&Report) -> String = text::render;
    let _: fn(&Report) -> String = markdown::render;
    let _: fn(&Census) -> String = ebusy_analyzer::census::text::render;
    let _: fn(&Census) -> String = ebusy_analyzer::census::markdown::render;
    let _: fn(&Diff) -> String = diff::text::render;
    let _: fn(&Diff) -> String = diff::markdown::render;
    let _: fn(&Fleet, &[HostLine]) -> String = fleet::text::render;
    let _: fn(&Fleet, &[HostLine]) -> String = fleet::markdown::render;
    let _: fn(&Report, &[Name]) -> (Report, Vec<Replaced>) = redact::redact;
    let _: fn(&Shared, usize) -> (String, Shared) = link::report_fragment;
    let _: fn(&str) -> Option<Result<Fragment, LinkError>> = link::open;
}
