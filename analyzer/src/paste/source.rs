//! One text, line by line: which file of the host each line is from.

use crate::order;
use std::collections::BTreeMap;

use super::clean;
use super::command::{self, Command, Output};
use super::line::{self, Line, ProcFile};
use super::named::{self, Named};
use super::table::Table;
use super::{json, padded};
use crate::archive::Content;
use crate::errors;
use crate::parse::runtime_state;
use crate::snapshot::{Builder, EntryPath, Pid};

/// What evidence calls a text without a name.
const NAMELESS: &str = "pasted text";

/// So many lines that are nothing are remembered, in case that they turn out to be damaged mounts.
const MOST_UNKNOWN: usize = 10_000;

/// Longer ones are no mount: the kernel writes at most a page of options and a few paths.
const LONGEST_UNKNOWN: usize = 64 << 10;

/// One text, taken apart.
#[derive(Debug, Default)]
pub(super) struct Source {
    name: String,
    text: Vec<u8>,
    /// Lines by the file of the host that they are from.
    files: BTreeMap<String, Vec<(usize, Vec<u8>)>>,
    /// Links by their path.
    links: BTreeMap<String, Vec<u8>>,
    /// Processes that some listing only names.
    named: Vec<Named>,
    /// Host's name in the prompts.
    host: Option<Vec<u8>>,
    /// Process whose file the lines without a prefix are from.
    pid: Option<Pid>,
    /// What the command before says of the lines that follow.
    output: Option<(Output, usize)>,
    /// What the command looked for.
    pattern: Option<Vec<u8>>,
    /// Counts blocks of lines without a prefix: each `cat` is another table.
    block: usize,
    /// Directory that `ls -l` lists.
    directory: Option<String>,
    /// Table of which rows are expected.
    table: Option<(Table, String)>,
    /// Only lines of mount tables were seen so far.
    only_mounts: bool,
    /// The command whose output the mounts without ids are from: several listings show the same ones.
    listing: Option<usize>,
    /// Mounts without a process were taken for the host's.
    assumed_host: bool,
    unknown: Vec<(usize, Vec<u8>)>,
}

impl Source {
    pub(super) fn read(name: &str, text: Vec<u8>) -> Self {
        let name = if name.is_empty() { NAMELESS } else { name };
        let mut source = Self { name: name.to_owned(), only_mounts: true, ..Self::default() };
        let lines = || {
            let each = text.split(|&b| b == b'\n');
            each.map(|line| clean::line(line.strip_suffix(b"\r").unwrap_or(line)))
        };
        let mut unwrapping = clean::Unwrapping::new(clean::width_of(lines()));
        for (index, line) in lines().enumerate() {
            if let Some((index, whole)) = unwrapping.push(index, line) {
                source.add_line(index, &whole);
            }
        }
        if let Some((index, last)) = unwrapping.finish() {
            source.add_line(index, &last);
        }
        if source.only_mounts && !source.files.is_empty() {
            // In a table of nothing but mounts every other line is a damaged one, and is reported with its column.
            let file = source.unnamed("mountinfo");
            let mut unknown = std::mem::take(&mut source.unknown);
            let lines = source.files.entry(file).or_default();
            lines.append(&mut unknown);
            order::sort(lines);
        }
        source.text = text;
        source
    }

    fn add_line(&mut self, index: usize, text: &[u8]) {
        if text.is_empty() {
            self.table = None;
            self.output = self.output.take().filter(|(output, _)| *output != Output::InContainer);
            return;
        }
        let mut found = Line::of(text);
        if matches!(self.output, Some((Output::InContainer, _))) && !matches!(found, Line::Prompt(_)) {
            return;
        }
        if let Some(table) = Table::begun_by(text) {
            let file = format!("tools/{}-{index}", table.name());
            self.push(file.clone(), index, text);
            self.table = Some((table, file));
            self.only_mounts = false;
            return;
        }
        if let (Line::Unknown | Line::Prompt(_), Some((table, file))) = (&found, &self.table)
            && table.has_row(text)
        {
            let (file, links, named) = (file.clone(), table.links_in(text), table.holder_in(text));
            self.push(file, index, text);
            self.links.extend(links);
            if let Some(pid) = named {
                self.name_process(pid, index, text);
            }
            return;
        }
        let straight = match found {
            Line::Unknown | Line::BadMount => clean::straightened(text),
            _ => None,
        };
        let text = straight.as_deref().unwrap_or(text);
        if straight.is_some() {
            found = Line::of(text);
        }
        self.add_known(index, text, found);
    }

    fn add_known(&mut self, index: usize, text: &[u8], found: Line<'_>) {
        if !matches!(found, Line::Unknown | Line::Mount(None, ..) | Line::BadMount) {
            self.only_mounts = false;
        }
        match found {
            Line::Prompt(command) => self.begin_command(index, &command),
            Line::Mount(None, ProcFile::Mounts, _)
                if self.listing.is_some_and(|block| block != self.block) => {}
            Line::Mount(of, kind, at) => {
                if of.is_none() && kind == ProcFile::Mounts {
                    self.listing = Some(self.block);
                }
                self.assumed_host |= of.is_none() && self.pid.is_none();
                let file = match of {
                    Some(pid) => format!("proc/{}/{}", pid.0, kind.name()),
                    None => self.unnamed(kind.name()),
                };
                self.push(file, index, &text[at..]);
            }
            Line::BadMount => {
                let file = self.unnamed("mountinfo");
                self.push(file, index, text);
            }
            Line::OfProcess(pid, name, at) => self.push(format!("proc/{}/{name}", pid.0), index, &text[at..]),
            Line::Link(name, target) => {
                let path = line::path_of_link(name, self.directory.as_deref());
                self.links.extend(path.map(|path| (path, target.to_vec())));
            }
            Line::Named(pid) => self.name_process(pid, index, text),
            Line::Directory(path) => self.directory = Some(path),
            Line::Kernel(from) => self.push("tools/uname".to_owned(), index, &text[from..]),
            Line::Property => {
                let file = match &self.output {
                    Some((Output::Unit(unit), _)) => format!("systemd/{unit}.show"),
                    _ => "tools/units".to_owned(),
                };
                self.push(file, index, text);
            }
            Line::Device | Line::Unknown => self.add_output(index, text, &found),
        }
    }

    /// A line that the command before explains, or nothing does.
    fn add_output(&mut self, index: usize, text: &[u8], found: &Line<'_>) {
        match &self.output {
            Some((Output::Tool, begun)) => {
                let file = format!("tools/output-{begun}");
                self.push(file, index, text);
            }
            Some((Output::OfProcess(pid, name), _)) => {
                let file = format!("proc/{}/{name}", pid.0);
                self.push(file, index, text);
            }
            _ if *found == Line::Device => self.push("tools/devices".to_owned(), index, text),
            _ if self.only_mounts && self.unknown.len() < MOST_UNKNOWN && text.len() <= LONGEST_UNKNOWN => {
                self.unknown.push((index, text.to_vec()));
            }
            _ => {}
        }
    }

    /// A new command: what follows is its output.
    fn begin_command(&mut self, index: usize, command: &Command<'_>) {
        self.table = None;
        self.block += 1;
        self.host = self.host.take().or_else(|| command.host.map(<[u8]>::to_vec));
        self.output = Some((command::output(command.text), index));
        self.pattern = command::pattern(command.text).map(<[u8]>::to_vec);
        self.pid = command::pid(command.text);
        self.directory = self.pid.and_then(|pid| command::directory(command.text, pid));
    }

    fn name_process(&mut self, pid: Pid, index: usize, text: &[u8]) {
        self.named.push(Named { pid, index, text: text.to_vec(), pattern: self.pattern.clone() });
    }

    /// The file that lines without a prefix are from. A shell's own table is that of the host, as far as
    /// anybody can tell.
    fn unnamed(&self, name: &str) -> String {
        let pid = self.pid.unwrap_or(Pid(1));
        format!("proc/{}/{name}", pid.0)
    }

    fn push(&mut self, file: String, index: usize, text: &[u8]) {
        self.files.entry(file).or_default().push((index, text.to_vec()));
    }

    pub(super) fn give_to(self, builder: &mut Builder, number: usize) {
        builder.read_in(&self.name);
        if self.assumed_host {
            builder.note_assumed_host(self.name.clone());
        }
        let mut same: BTreeMap<Vec<Vec<u8>>, Vec<u8>> = BTreeMap::new();
        for (path, mut lines) in self.files {
            order::sort(&mut lines);
            lines.dedup();
            let content = if path.ends_with("/mountinfo") || path.ends_with("/mounts") {
                // Processes of one namespace show the same lines: one table for all, as in /proc.
                let bare: Vec<Vec<u8>> = lines.iter().map(|(_, l)| l.clone()).collect();
                same.entry(bare).or_insert_with(|| padded(&lines)).clone()
            } else {
                padded(&lines)
            };
            builder.add(&EntryPath::new(path.as_bytes()), &Content::File(&content));
        }
        for (path, target) in self.links {
            builder.add(&EntryPath::new(path.as_bytes()), &Content::Symlink(&target));
        }
        if let Some(host) = self.host {
            builder.add(&EntryPath::new(b"etc/hostname"), &Content::File(&host));
        }
        if !self.named.is_empty() {
            let found = errors::scan(&self.text);
            for named in self.named {
                if let Some(object) = named::object(&found, named.pattern.as_deref()) {
                    builder.add_named_mount(named.pid, &object, named.index, &named.text);
                }
            }
        }
        let json = json::block(&self.text);
        if !runtime_state::docker(json).is_empty() {
            let inspect = format!("docker/inspect-{number}");
            builder.add(&EntryPath::new(inspect.as_bytes()), &Content::File(json));
        }
        let log = format!("logs/{number}");
        builder.add(&EntryPath::new(log.as_bytes()), &Content::File(&self.text));
    }
}
