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
use crate::parse::runtime_state;
use crate::snapshot::{Builder, EntryPath, Pid};
use line::{Line, ProcFile};
use table::Table;

/// What evidence calls a text without a name.
const NAMELESS: &str = "pasted text";

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
    unknown: Vec<(usize, Vec<u8>)>,
}

impl Paste {
    /// Takes texts apart; each has a name, or none for a paste.
    pub fn read(texts: &[(String, Vec<u8>)]) -> Self {
        let is_supportconfig = texts.iter().any(|(_, text)| memchr::memmem::find(text, b"\n#==[ ").is_some());
        Self {
            sources: texts.iter().map(|(name, text)| Source::read(name, text)).collect(),
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
    fn read(name: &str, text: &[u8]) -> Self {
        let name = if name.is_empty() { NAMELESS } else { name };
        let mut source =
            Self { name: name.to_owned(), text: text.to_vec(), only_mounts: true, ..Self::default() };
        for (index, line) in text.split(|&b| b == b'\n').enumerate() {
            source.add_line(index, line.strip_suffix(b"\r").unwrap_or(line));
        }
        if source.only_mounts && !source.files.is_empty() {
            // In a table of nothing but mounts every other line is a damaged one, and is reported with its column.
            let file = source.unnamed("mountinfo");
            let mut unknown = std::mem::take(&mut source.unknown);
            let lines = source.files.entry(file).or_default();
            lines.append(&mut unknown);
            lines.sort();
        }
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
            Line::Mount(of, kind, at) => {
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
            Line::Unknown => self.unknown.push((index, text.to_vec())),
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
        let mut same: BTreeMap<Vec<Vec<u8>>, Vec<u8>> = BTreeMap::new();
        for (path, mut lines) in self.files {
            lines.sort();
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
        if runtime_state::docker(&self.text).is_empty() {
            let log = format!("logs/{number}");
            builder.add(&EntryPath::new(log.as_bytes()), &Content::File(&self.text));
        } else {
            let inspect = format!("docker/inspect-{number}");
            builder.add(&EntryPath::new(inspect.as_bytes()), &Content::File(&self.text));
        }
    }
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
