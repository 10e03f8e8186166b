//! `--redact strict`: names of hosts and users and IP addresses become `[host-1]`, `[user-1]`, `[address-1]`, the same
//! number for the same name all over the bundle.
//!
//! Known are the host's own name, what `/etc/hosts` has, the domain of these, and the accounts of people in
//! `/etc/passwd`; besides them, what a URL or `user@host` names. What begins with a slash is a path and stays but for the users
//! in it ([`homes`]): mounts, devices and layers are found by it. So do container ids, which are none of these.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use super::homes::{self, Homes};
use crate::context::Context;

/// Longest of the files that names come from.
const FILE_MAX: usize = 1 << 20;
/// Words that stay even if somebody has named a host or a user like that: the analysis needs them.
const KEPT: [&str; 16] = [
    "localhost",
    "localhost.localdomain",
    "root",
    "host",
    "kernel",
    "systemd",
    "docker",
    "dockerd",
    "containerd",
    "kubelet",
    "crio",
    "podman",
    "overlay",
    "overlay2",
    "devicemapper",
    "busy",
];
/// The first account of a person, and `nobody`'s (login.defs(5)).
const PEOPLE: std::ops::Range<u32> = 1000..65534;

/// What is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Host,
    User,
    Address,
}

/// The names of one host.
#[derive(Debug, Default)]
pub(crate) struct Strict {
    hosts: BTreeSet<Vec<u8>>,
    /// `.example.com`
    domains: BTreeSet<Vec<u8>>,
    users: BTreeSet<Vec<u8>>,
    homes: Homes,
    /// What is read is a mount table, in which `NAME:/…` and `//NAME/…` name servers.
    in_table: bool,
    numbers: HashMap<(Kind, Vec<u8>), usize>,
    count: [usize; 3],
}

impl Strict {
    /// `own` is the host's name.
    pub(crate) fn new(context: &Arc<Context>, own: &str) -> Self {
        let read =
            |path: &[u8]| context.root.read(path, FILE_MAX).map(|content| content.bytes).unwrap_or_default();
        let mut strict = Self::from_files(own, &read(b"etc/hosts"), &read(b"etc/passwd"));
        strict.homes = homes::keep_mounted(strict.homes, context);
        strict
    }

    fn from_files(own: &str, hosts: &[u8], passwd: &[u8]) -> Self {
        let mut strict = Self::default();
        strict.add_host(own.as_bytes());
        for line in String::from_utf8_lossy(hosts).lines() {
            let line = line.split('#').next().unwrap_or_default();
            line.split_whitespace().skip(1).for_each(|name| strict.add_host(name.as_bytes()));
        }
        for line in String::from_utf8_lossy(passwd).lines() {
            let mut fields = line.split(':');
            let (Some(name), Some(uid)) = (fields.next(), fields.nth(1)) else { continue };
            if uid.parse().is_ok_and(|uid: u32| PEOPLE.contains(&uid)) && !KEPT.contains(&name) {
                strict.users.insert(name.as_bytes().to_vec());
                // uid, gid, comment, home
                let home = fields.nth(2).unwrap_or_default();
                strict.homes.add(home.as_bytes(), name.as_bytes());
            }
        }
        strict
    }

    fn add_host(&mut self, name: &[u8]) {
        let name = name.to_ascii_lowercase();
        let kept = |name: &[u8]| KEPT.iter().any(|kept| kept.as_bytes() == name) || name.starts_with(b"ip6-");
        if kept(&name) || name.is_empty() {
            return;
        }
        if let Some(dot) = name.iter().position(|&b| b == b'.') {
            // A domain of one label, as `.service`, would be more than a domain.
            if name[dot + 1..].contains(&b'.') {
                self.domains.insert(name[dot..].to_vec());
            }
            if !kept(&name[..dot]) {
                self.hosts.insert(name[..dot].to_vec());
            }
        }
        self.hosts.insert(name);
    }

    /// How the host's own name is called in the bundle.
    pub(crate) fn own_name(&mut self, own: &str) -> String {
        let mark = self.mark(Kind::Host, own.as_bytes());
        String::from_utf8_lossy(&mark).trim_matches(['[', ']']).to_owned()
    }

    /// A path, or a text with paths: the users in it.
    pub(crate) fn paths<'a>(&mut self, text: &'a [u8]) -> Cow<'a, [u8]> {
        let homes = std::mem::take(&mut self.homes);
        let text = homes.replace(text, |name, in_home| {
            let is_user = self.users.contains(name) || in_home;
            let is_kept = KEPT.iter().any(|kept| kept.as_bytes() == name);
            (is_user && !is_kept).then(|| self.mark(Kind::User, name))
        });
        self.homes = homes;
        text
    }

    /// Text of any kind: words, options, URLs, paths.
    pub(crate) fn text(&mut self, text: &[u8], with_users: bool) -> Vec<u8> {
        let words = self.words(text, with_users);
        self.paths(&words).into_owned()
    }

    fn words(&mut self, text: &[u8], with_users: bool) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len());
        for part in text.split_inclusive(|b| is_separator(*b)) {
            let (word, end) = match part.split_last() {
                Some((last, word)) if is_separator(*last) => (word, &part[word.len()..]),
                _ => (part, &[][..]),
            };
            self.word(word, with_users, &mut out);
            out.extend_from_slice(end);
        }
        out
    }

    /// A mount table: addresses and hosts in the source and the options, after the ` - ` of a line. Overlays have
    /// paths only. A line of `/proc/mounts` has no ` - `, and nothing but the mount point that is not looked at.
    pub(crate) fn table(&mut self, table: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(table.len());
        for line in table.split_inclusive(|&b| b == b'\n') {
            let start = match memchr::memmem::find(line, b" - ") {
                Some(at) if line[at..].starts_with(b" - overlay ") => line.len(),
                Some(at) => at,
                None if line.split(|&b| b == b' ').nth(2) == Some(b"overlay") => line.len(),
                None => 0,
            };
            out.extend_from_slice(&line[..start]);
            self.in_table = true;
            out.extend(self.words(&line[start..], false));
            self.in_table = false;
        }
        out
    }

    fn word(&mut self, word: &[u8], with_users: bool, out: &mut Vec<u8>) {
        if let (true, Some(share)) = (self.in_table, word.strip_prefix(b"//")) {
            let length = share.iter().position(|&b| b == b'/').unwrap_or(share.len());
            out.extend_from_slice(b"//");
            self.authority(&share[..length], out);
            return out.extend_from_slice(&share[length..]);
        }
        if word.starts_with(b"/") || word.is_empty() {
            return out.extend_from_slice(word);
        }
        if let Some(at) = memchr::memmem::find(word, b"://") {
            let start = at + 3;
            let length = word[start..].iter().position(|b| b"/?#".contains(b)).unwrap_or(word.len() - start);
            out.extend_from_slice(&word[..start]);
            self.authority(&word[start..start + length], out);
            return out.extend_from_slice(&word[start + length..]);
        }
        // An NFS or Ceph source, `server:/export`.
        if let Some(at) = memchr::memmem::find(word, b":/") {
            match self.in_table {
                true => self.authority(&word[..at], out),
                false => self.atoms(&word[..at], with_users, out),
            }
            return out.extend_from_slice(&word[at..]);
        }
        if let Some((user, host)) = user_at_host(word) {
            let mark = self.mark(Kind::User, user);
            out.extend(mark);
            out.push(b'@');
            return self.authority(host, out);
        }
        self.atoms(word, with_users, out);
    }

    /// `user:password@host:port`, of which everything but the port is somebody's name.
    fn authority(&mut self, text: &[u8], out: &mut Vec<u8>) {
        let host = match text.iter().rposition(|&b| b == b'@') {
            Some(at) => {
                let user = text[..at].split(|&b| b == b':').next().unwrap_or_default();
                let mark = self.mark(Kind::User, user);
                out.extend(mark);
                out.extend_from_slice(&text[user.len()..=at]);
                &text[at + 1..]
            }
            None => text,
        };
        let port = host.iter().rposition(|&b| b == b':').unwrap_or(host.len());
        let name = &host[..port];
        let is_kept = name.is_empty() || KEPT.iter().any(|kept| kept.as_bytes() == name);
        if is_kept || !name.iter().all(|&b| is_atom(b)) || self.address(name).is_some() {
            return self.atoms(host, false, out);
        }
        let mark = self.mark(Kind::Host, name);
        out.extend(mark);
        out.extend_from_slice(&host[port..]);
    }

    /// Runs of name bytes, each looked up.
    fn atoms(&mut self, word: &[u8], with_users: bool, out: &mut Vec<u8>) {
        // Only addresses of version 6 have more than one colon and nothing but these bytes.
        let trimmed = word.strip_suffix(b":").unwrap_or(word);
        if let Some(mark) = self.address_6(trimmed) {
            out.extend(mark);
            return out.extend_from_slice(&word[trimmed.len()..]);
        }
        let mut rest = word;
        while !rest.is_empty() {
            let length = rest.iter().position(|&b| !is_atom(b)).unwrap_or(rest.len());
            let (atom, after) = rest.split_at(length);
            // A sentence may end after a name.
            let name = atom.strip_suffix(b".").unwrap_or(atom);
            match self.replacement(name, with_users) {
                Some(mark) => {
                    out.extend(mark);
                    out.extend_from_slice(&atom[name.len()..]);
                }
                None => out.extend_from_slice(atom),
            }
            out.extend_from_slice(&after[..after.len().min(1)]);
            rest = &after[after.len().min(1)..];
        }
    }

    fn replacement(&mut self, name: &[u8], with_users: bool) -> Option<Vec<u8>> {
        if let Some(mark) = self.address(name) {
            return Some(mark);
        }
        let lower = name.to_ascii_lowercase();
        let in_domain = self.domains.iter().any(|domain| lower.ends_with(domain) || lower == domain[1..]);
        if self.hosts.contains(&lower) || in_domain {
            return Some(self.mark(Kind::Host, &lower));
        }
        (with_users && self.users.contains(name)).then(|| self.mark(Kind::User, name))
    }

    /// An address of version 4 that is one of somebody.
    fn address(&mut self, text: &[u8]) -> Option<Vec<u8>> {
        let address: Ipv4Addr = std::str::from_utf8(text).ok()?.parse().ok()?;
        let is_nobodys = address.is_loopback() || address.is_unspecified() || address.is_broadcast();
        (!is_nobodys).then(|| self.mark(Kind::Address, text))
    }

    fn address_6(&mut self, text: &[u8]) -> Option<Vec<u8>> {
        let text = text.strip_prefix(b"[").and_then(|text| text.strip_suffix(b"]")).unwrap_or(text);
        let address: Ipv6Addr = std::str::from_utf8(text).ok()?.parse().ok()?;
        let is_nobodys = address.is_loopback() || address.is_unspecified();
        (!is_nobodys).then(|| self.mark(Kind::Address, text))
    }

    fn mark(&mut self, kind: Kind, name: &[u8]) -> Vec<u8> {
        let (word, count) = match kind {
            Kind::Host => ("host", &mut self.count[0]),
            Kind::User => ("user", &mut self.count[1]),
            Kind::Address => ("address", &mut self.count[2]),
        };
        let number = *self.numbers.entry((kind, name.to_ascii_lowercase())).or_insert_with(|| {
            *count += 1;
            *count
        });
        format!("[{word}-{number}]").into_bytes()
    }
}

/// What ends a word: blanks, quotes, and the signs of options and lists.
fn is_separator(byte: u8) -> bool {
    byte.is_ascii_whitespace() || b"\0\"'`=,;|&()<>{}".contains(&byte)
}

fn is_atom(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')
}

/// `user@host`, but not `user@1000.service` or `name@sha256:…`.
fn user_at_host(word: &[u8]) -> Option<(&[u8], &[u8])> {
    const UNITS: [&[u8]; 7] =
        [b".service", b".socket", b".slice", b".scope", b".mount", b".target", b".timer"];
    let at = word.iter().position(|&b| b == b'@')?;
    let (user, host) = (&word[..at], &word[at + 1..]);
    let is_name = |text: &[u8]| !text.is_empty() && text.iter().all(|&b| is_atom(b));
    let is_unit = UNITS.iter().any(|end| host.ends_with(end));
    (is_name(user) && is_name(host) && !is_unit).then_some((user, host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strict() -> Strict {
        let hosts =
            b"127.0.0.1 localhost\n10.1.2.3 db7.corp.example.com db7 # the database\n::1 ip6-localhost\n";
        let passwd =
            b"root:x:0:0::/root:/bin/sh\nwww-data:x:33:33::/:/\nalice:x:1000:1000::/home/alice:/bin/sh\n";
        Strict::from_files("web1.corp.example.com", hosts, passwd)
    }

    fn text(text: &str) -> String {
        String::from_utf8(strict().text(text.as_bytes(), true)).unwrap()
    }

    #[test]
    fn names_of_hosts_users_and_addresses_are_replaced() {
        assert_eq!(text("web1 dockerd[8]: from db7."), "[host-1] dockerd[8]: from [host-2].");
        assert_eq!(text("mail.corp.example.com:25"), "[host-1]:25");
        assert_eq!(
            text("--bind=10.9.8.7:80 10.9.8.7 10.9.8.8"),
            "--bind=[address-1]:80 [address-1] [address-2]"
        );
        assert_eq!(text("via fe80::1 to [2001:db8::7]"), "via [address-1] to [address-2]");
        assert_eq!(text("sudo -u alice\0x"), "sudo -u [user-1]\0x");
        assert_eq!(text("ssh bob@far.example.org"), "ssh [user-1]@[host-1]");
        assert_eq!(text("https://u@reg.example.net:5000/v2/x"), "https://[user-1]@[host-1]:5000/v2/x");
        assert_eq!(text("\"image\": \"db7.corp.example.com/app:1\""), "\"image\": \"[host-1]/app:1\"");
    }

    #[test]
    fn what_the_analysis_needs_stays() {
        let id = "ac05e1b8a2f14d4c9e7b6a5d4c3b2a1908f7e6d5c4b3a29181716151413121110";
        for kept in [
            &format!("remove {id} /srv/alice/web1/10.1.2.3 on /dev/dm-3 253:7"),
            "user@1000.service docker.service io.containerd.runtime.v2.task",
            "at 12:34:56 127.0.0.1 0.0.0.0 localhost ::1 www-data root",
            "image@sha256:0123 6.1.0-50-amd64 1.2.3",
        ] {
            assert_eq!(text(kept), kept);
        }
    }

    #[test]
    fn of_a_mount_only_the_source_and_the_options() {
        let table = "9 1 0:44 / /mnt/web1/10.1.2.3 rw - nfs4 db7:/srv/x rw,addr=10.1.2.3\n\
                     7 1 0:46 / /s rw - cifs //filer9/share rw,username=x\n\
                     nas8:/x /n nfs4 rw,addr=10.1.2.3 0 0\n\
                     8 1 0:45 / /m rw - overlay overlay rw,lowerdir=/l/10.1.2.3\n";
        let scrubbed = String::from_utf8(strict().table(table.as_bytes())).unwrap();
        assert_eq!(
            scrubbed,
            "9 1 0:44 / /mnt/web1/10.1.2.3 rw - nfs4 [host-1]:/srv/x rw,addr=[address-1]\n\
             7 1 0:46 / /s rw - cifs //[host-2]/share rw,username=x\n\
             [host-3]:/x /n nfs4 rw,addr=[address-1] 0 0\n\
             8 1 0:45 / /m rw - overlay overlay rw,lowerdir=/l/10.1.2.3\n"
        );
    }
}
