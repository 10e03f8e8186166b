//! Text as people paste it → the entries that a bundle would have.
//!
//! One paste mixes `grep ID /proc/*/mountinfo`, `ls -l /proc/*/ns/mnt`, `ps`, `lsns`, `dmsetup info`, a log line
//! and shell prompts. Each line is told by itself, tables by their header, and what belongs to one process is put
//! together under the path that it has on the host. Lines keep their numbers: what is put together is padded with
//! empty lines, so that evidence names the line of the paste.
//!
//! | step | module |
//! |---|---|
//! | a long log → what says something, while it is read | [`thin`] |
//! | colours, quotes, tabs, broken lines → plain lines | [`clean`] |
//! | line → what it is | [`line`] |
//! | a prompt → whose output follows | [`command`] |
//! | a table's header → which rows follow | [`table`] |
//! | only the name of a table (`grep -l`) → who holds what | [`named`] |

mod clean;
mod command;
mod json;
mod line;
mod named;
mod source;
mod table;
mod thin;

use crate::snapshot::Builder;
use line::ProcFile;
use source::Source;
pub(crate) use thin::read as read_text;

/// All texts of one paste, or files dropped at once.
#[derive(Debug, Default)]
pub struct Paste {
    sources: Vec<Source>,
    /// The text's lines are from a supportconfig.
    is_supportconfig: bool,
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
