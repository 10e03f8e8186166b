//! Users in paths: `/home/alice/x` becomes `/home/[user-1]/x`, under `--redact strict`.
//!
//! A name stays where a mount table or a loop device's file has it in a path: mounts and devices are found by their paths,
//! and one path must not be called two things.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Duration;

use crate::context::Context;

const HOME: &[u8] = b"/home/";
const TABLE_MAX: usize = 64 << 20;
/// How long the mount tables may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where users have their homes.
#[derive(Debug, Default)]
pub(super) struct Homes {
    /// Directories other than `/home/` in which accounts of people have theirs.
    others: BTreeSet<Vec<u8>>,
    /// Names that stay.
    kept: BTreeSet<Vec<u8>>,
}

impl Homes {
    /// Notes the home directory of an account, `DIRECTORY/USER`.
    pub(super) fn add(&mut self, home: &[u8], user: &[u8]) {
        let parent = home.strip_suffix(user).unwrap_or_default();
        if parent.ends_with(b"/") && parent.len() > 1 && !parent.ends_with(HOME) {
            self.others.insert(parent.to_vec());
        }
    }

    /// Keeps the names that paths in this text have.
    pub(super) fn keep(&mut self, text: &[u8]) {
        let parents: Vec<Vec<u8>> = self.parents().map(<[u8]>::to_vec).collect();
        for parent in parents {
            let mut rest = text;
            while let Some(at) = memchr::memmem::find(rest, &parent) {
                rest = &rest[at + parent.len()..];
                let name = name_at(rest);
                if !name.is_empty() {
                    self.kept.insert(name.to_vec());
                }
            }
        }
    }

    /// Replaces what `mark` replaces: it is given each name in a path and whether it stands in `/home/`, and tells by what.
    pub(super) fn replace<'a>(
        &self,
        text: &'a [u8],
        mut mark: impl FnMut(&[u8], bool) -> Option<Vec<u8>>,
    ) -> Cow<'a, [u8]> {
        let mut text = Cow::Borrowed(text);
        for parent in self.parents() {
            let (mut out, mut copied, mut from) = (Vec::new(), 0, 0);
            while let Some(at) = memchr::memmem::find(&text[from..], parent) {
                from += at + parent.len();
                let name = name_at(&text[from..]);
                let end = from + name.len();
                if !name.is_empty()
                    && !self.kept.contains(name)
                    && let Some(instead) = mark(name, parent == HOME)
                {
                    out.extend_from_slice(&text[copied..from]);
                    out.extend(instead);
                    copied = end;
                }
                from = end;
            }
            if copied > 0 {
                out.extend_from_slice(&text[copied..]);
                text = Cow::Owned(out);
            }
        }
        text
    }

    fn parents(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::once(HOME).chain(self.others.iter().map(Vec::as_slice))
    }
}

/// The name at the start, up to the next slash, blank or other sign.
fn name_at(text: &[u8]) -> &[u8] {
    let is_name = |b: &u8| b.is_ascii_alphanumeric() || b"._-".contains(b) || *b >= 0x80;
    &text[..text.iter().position(|b| !is_name(b)).unwrap_or(text.len())]
}

/// Keeps the names in paths of mounts and devices: in one mount table of each mount namespace, and in the files behind loop
/// devices. Read in a thread of its own, so that nothing that hangs can hang the collector.
pub(super) fn keep_mounted(mut homes: Homes, context: &Arc<Context>) -> Homes {
    let (sender, receiver) = sync_channel(1);
    let (context, mut fallback) =
        (Arc::clone(context), Homes { others: homes.others.clone(), ..Homes::default() });
    let started = thread::Builder::new().name("mounted-homes".into()).spawn(move || {
        read_paths(&context, |text| homes.keep(text));
        sender.send(homes).ok();
    });
    if let Some(homes) = started.ok().and_then(|_| receiver.recv_timeout(PATIENCE).ok()) {
        fallback = homes;
    }
    fallback
}

fn read_paths(context: &Context, mut take: impl FnMut(&[u8])) {
    let (proc, mut seen) = (&context.proc.dir, BTreeSet::new());
    for pid in proc.listable(b"").and_then(|dir| dir.numbers()).unwrap_or_default() {
        let namespace = proc.link(format!("{pid}/ns/mnt").as_bytes()).unwrap_or_default();
        if seen.insert(namespace)
            && let Ok(table) = proc.read_virtual(format!("{pid}/mountinfo").as_bytes(), TABLE_MAX)
        {
            take(&table.bytes);
        }
    }
    for name in context.root.list(b"sys/block").unwrap_or_default() {
        let path = [b"sys/block/", name.as_slice(), b"/loop/backing_file"].concat();
        if let Ok(content) = context.root.read_virtual(&path, 1 << 16) {
            take(&content.bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_paths_but_not_of_mounts() {
        let mut homes = Homes::default();
        homes.add(b"/data/people/carol", b"carol");
        homes.add(b"/home/dave", b"dave");
        homes.add(b"/", b"");
        homes.keep(b"30 1 8:1 /home/bob/x /mnt rw - ext4 /dev/sda1 rw\n");
        let replaced = |text: &str| {
            let mark = |name: &[u8], in_home: bool| {
                (in_home || name == b"carol").then(|| [b"<".as_slice(), name, b">"].concat())
            };
            String::from_utf8(homes.replace(text.as_bytes(), mark).into_owned()).unwrap()
        };
        assert_eq!(replaced("cd /home/alice/a:/home/bob/b /home/"), "cd /home/<alice>/a:/home/bob/b /home/");
        assert_eq!(replaced("/rootfs/home/eve (deleted)"), "/rootfs/home/<eve> (deleted)");
        assert_eq!(replaced("/data/people/carol /data/people/x"), "/data/people/<carol> /data/people/x");
        assert_eq!(replaced("/home/[user-1]/x"), "/home/[user-1]/x");
    }
}
