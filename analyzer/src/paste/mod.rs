//! Text as people paste it → the entries that a bundle would have.
//!
//! One paste mixes `grep ID /proc/*/mountinfo`, `ls -l /proc/*/ns/mnt`, `ps`, `lsns`, `dmsetup info`, a log line
//! and shell prompts. Each line is told by itself, tables by their header, and what belongs to one process is put
//! together under the path that it has on the host. Lines keep their numbers: what is put together is padded with
//! empty lines, so that evidence names the line of the paste.
//!
//! | step | module |
//! |---|---|
//! | line → what it is | [`line`] |
//! | a table's header → which rows follow | [`table`] |

mod line;
mod table;

use std::collections::BTreeMap;

use crate::archive::Content;
use crate::order;
use crate::parse::runtime_state;
use crate::snapshot::{Builder, EntryPath, Pid};
use line::{Line, ProcFile};
use table::Table;

/// What evidence calls a text without a name.
const NAMELESS: &str = "pasted text";

/// So many lines that are nothing are remembered, in case that they turn out to be damaged mounts.
const MOST_UNKNOWN: usize = 10_000;

/// All texts of one paste, or files dropped at once.
#[derive(Debug, Default)]
pub struct Paste {
    sources: Vec<Source>,
    /// The text's lines are from a supportconfig.
    is_supportconfig: bool,
}

/// One text, taken apart.
#[derive(Debug, Default)]
struct Source {
    name: String,
    text: Vec<u8>,
    /// Lines by the file of the host that they are from.
    files: BTreeMap<String, Vec<(usize, Vec<u8>)>>,
    /// Links by their path.
    links: BTreeMap<String, Vec<u8>>,
    /// Process whose file the lines without a prefix are from.
    pid: Option<Pid>,
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

impl Paste {
    /// Takes texts apart; each has a name, or none for a paste.
    pub fn read(texts: Vec<(String, Vec<u8>)>) -> Self {
        let is_supportconfig = texts.iter().any(|(_, text)| memchr::memmem::find(text, b"\n#==[ ").is_some());
        Self {
            sources: texts.into_iter().map(|(name, text)| Source::read(&name, text)).collect(),
            is_supportconfig,
        }
    }

    /// Hands the entries over.
    pub fn give_to(self, builder: &mut Builder) {
        builder.set_format(if self.is_supportconfig { "supportconfig" } else { "paste" });
        for (number, source) in self.sources.into_iter().enumerate() {
            source.give_to(builder, number);
        }
    }
}

impl Source {
    fn read(name: &str, text: Vec<u8>) -> Self {
        let name = if name.is_empty() { NAMELESS } else { name };
        let mut source = Self { name: name.to_owned(), only_mounts: true, ..Self::default() };
        for (index, line) in text.split(|&b| b == b'\n').enumerate() {
            source.add_line(index, line.strip_suffix(b"\r").unwrap_or(line));
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

    fn add_line(&mut self, index: usize, raw: &[u8]) {
        let text = line::without_quoting(raw);
        if text.is_empty() {
            self.table = None;
            return;
        }
        if let Some(table) = Table::begun_by(text) {
            let file = format!("tools/{}-{index}", table.name());
            self.push(file.clone(), index, text);
            self.table = Some((table, file));
            self.only_mounts = false;
            return;
        }
        let found = Line::of(text);
        if let (Line::Unknown | Line::Prompt(_), Some((table, file))) = (&found, &self.table)
            && table.has_row(text)
        {
            let (file, links) = (file.clone(), table.links_in(text));
            self.push(file, index, text);
            self.links.extend(links);
            return;
        }
        if !matches!(found, Line::Unknown | Line::Mount(None, ..) | Line::BadMount) {
            self.only_mounts = false;
        }
        match found {
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
            Line::Directory(path) => self.directory = Some(path),
            Line::Prompt(command) => self.begin_command(command),
            Line::Kernel(from) => self.push("tools/uname".to_owned(), index, &text[from..]),
            Line::Device => self.push("tools/devices".to_owned(), index, text),
            Line::Unknown if self.only_mounts && self.unknown.len() < MOST_UNKNOWN => {
                self.unknown.push((index, text.to_vec()));
            }
            Line::Unknown => {}
        }
    }

    /// A new command: what follows is its output.
    fn begin_command(&mut self, command: &[u8]) {
        self.table = None;
        self.block += 1;
        self.pid = line::pid_in_command(command);
        self.directory = self.pid.and_then(|pid| line::directory_in_command(command, pid));
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

    fn give_to(self, builder: &mut Builder, number: usize) {
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
        let json = json_block(&self.text);
        if !runtime_state::docker(json).is_empty() {
            let inspect = format!("docker/inspect-{number}");
            builder.add(&EntryPath::new(inspect.as_bytes()), &Content::File(json));
        }
        let log = format!("logs/{number}");
        builder.add(&EntryPath::new(log.as_bytes()), &Content::File(&self.text));
    }
}

/// What `docker inspect` printed: from a line that is `[` or `{` to the line that closes it.
fn json_block(text: &[u8]) -> &[u8] {
    let line_at = |bracket: u8, from: usize| {
        memchr::memchr_iter(bracket, &text[from..]).map(|at| from + at).find(|&at| {
            let begins = at == 0 || text[at - 1] == b'\n';
            begins && matches!(text.get(at + 1), None | Some(b'\n' | b'\r'))
        })
    };
    for (open, close) in [(b'[', b']'), (b'{', b'}')] {
        if let Some(begin) = line_at(open, 0)
            && let Some(end) = line_at(close, begin)
        {
            return &text[begin..=end];
        }
    }
    text
}

impl ProcFile {
    fn name(self) -> &'static str {
        match self {
            Self::Mountinfo => "mountinfo",
            Self::Mounts => "mounts",
        }
    }
}

/// The lines at their numbers.
fn padded(lines: &[(usize, Vec<u8>)]) -> Vec<u8> {
    let mut text = Vec::new();
    let mut at = 0;
    for (index, line) in lines {
        text.resize(text.len() + index.saturating_sub(at), b'\n');
        at = (*index).max(at);
        text.extend_from_slice(line);
    }
    text.push(b'\n');
    text
}
