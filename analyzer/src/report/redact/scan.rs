//! Finds in a text what is to be replaced.

use super::Kind;
use super::terms::{Terms, is_word};

/// Directories of the system, of container runtimes and of cgroups: what is below is the same on every host, or an id.
#[rustfmt::skip]
const SYSTEM: &[&str] = &[
    "/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/proc", "/rootfs", "/run", "/sbin", "/snap", "/sys",
    "/tmp", "/usr", "/var",
    "/docker", "/init.scope", "/kubepods", "/kubepods.slice", "/libpod_parent", "/lxc", "/machine.slice",
    "/system.slice", "/user.slice",
];
/// Where the directories of users are.
const HOMES: &[&str] = &["/home/", "/Users/", "/var/home/"];

/// The text with everything replaced; `None` where there is nothing to replace.
pub(super) fn replace(text: &str, terms: &mut Terms) -> Option<String> {
    let mut out = String::new();
    let (mut copied, mut at) = (0, 0);
    let mut before = ' ';
    while let Some(c) = text[at..].chars().next() {
        let found = if is_word(before) { None } else { at_start(&text[at..], before, terms) };
        match found {
            Some((length, stand_in)) if length > 0 => {
                out.push_str(&text[copied..at]);
                out.push_str(&stand_in);
                at += length;
                copied = at;
                before = '-';
            }
            _ => {
                at += c.len_utf8();
                before = c;
            }
        }
    }
    if copied == 0 {
        return None;
    }
    out.push_str(&text[copied..]);
    Some(out)
}

/// What stands at the start of a text: its length in bytes and what to write instead.
fn at_start(text: &str, before: char, terms: &mut Terms) -> Option<(usize, String)> {
    if let Some((kind, name)) = terms.word_at(text) {
        let length = name.len() + if kind == Kind::Host { domain(&text[name.len()..]) } else { 0 };
        return Some((length, terms.stand_in(kind, &name)));
    }
    if text.starts_with('/') && before != '/' && !matches!(before, '.' | '~') {
        return path(text, terms);
    }
    if terms.has(Kind::Address)
        && text.starts_with(|c: char| c.is_ascii_hexdigit() || c == ':')
        && !matches!(before, '.' | ':')
        && let Some(length) = address(text)
    {
        return Some((length, terms.stand_in(Kind::Address, &text[..length])));
    }
    if terms.has(Kind::User)
        && let Some(length) = mail(text)
    {
        return Some((length, terms.stand_in(Kind::User, &text[..length])));
    }
    None
}

/// Length of `.example.com` behind a host's short name.
fn domain(rest: &str) -> usize {
    let end = rest.find(|c: char| !is_word(c) && c != '.').unwrap_or(rest.len());
    let domain = rest[..end].trim_end_matches('.');
    if domain.starts_with('.') { domain.len() } else { 0 }
}

/// A path that is nobody else's business, or the user in one.
fn path(text: &str, terms: &mut Terms) -> Option<(usize, String)> {
    let length =
        text.find(|c: char| c.is_whitespace() || "\"'`,;:()<>|&[]{}".contains(c)).unwrap_or(text.len());
    let path = text[..length].trim_end_matches(['.', '/', '…']);
    let is_below =
        |dir: &str| path.strip_prefix(dir).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let home = HOMES.iter().find(|home| path.starts_with(**home));
    // docker's API, as its log names it: `/v1.29/containers/…`.
    let is_api = path.strip_prefix("/v").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let needed = is_api || terms.kept_paths.iter().any(|kept| is_below(kept)) || has_id(path);
    if !needed
        && path.len() > 1
        && terms.has(Kind::Path)
        && (home.is_some() || !SYSTEM.iter().any(|dir| is_below(dir)))
    {
        return Some((path.len(), terms.stand_in(Kind::Path, path)));
    }
    let home = home.filter(|_| terms.has(Kind::User))?;
    let user = path[home.len()..].split('/').next().filter(|user| !user.is_empty())?;
    let stand_in = terms.stand_in(Kind::User, user);
    Some((home.len() + user.len(), format!("{home}{stand_in}")))
}

/// Whether a part of a path is an id, as runtimes make them: wherever their storage is, that path is theirs.
fn has_id(path: &str) -> bool {
    path.split(['/', '-', '_', '.'])
        .any(|part| part.len() == 64 && part.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Length of an IP or MAC address that says something about a network.
fn address(text: &str) -> Option<usize> {
    let dotted = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let v4 = text[..dotted].trim_end_matches('.');
    if let Ok(address) = v4.parse::<std::net::Ipv4Addr>() {
        let ends = !text[v4.len()..].starts_with(is_word);
        return (ends && !address.is_loopback() && !address.is_unspecified()).then_some(v4.len());
    }
    let end = text.find(|c: char| !c.is_ascii_hexdigit() && c != ':').unwrap_or(text.len());
    let long = text[..end].trim_end_matches(':');
    if text[long.len()..].starts_with(is_word) {
        return None;
    }
    let mut groups = long.split(':').filter(|g| !g.is_empty());
    let is_mac = long.len() == 17 && long.split(':').count() == 6 && groups.clone().all(|g| g.len() == 2);
    let is_v6 = long.parse::<std::net::Ipv6Addr>().is_ok_and(|a| !a.is_loopback());
    (is_mac || is_v6 && groups.nth(1).is_some()).then_some(long.len())
}

/// Length of a mail address.
fn mail(text: &str) -> Option<usize> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '+');
    let user = text.find(|c: char| !is_part(c)).filter(|n| *n > 0)?;
    let rest = text[user..].strip_prefix('@')?;
    let domain = rest[..rest.find(|c: char| !is_part(c)).unwrap_or(rest.len())].trim_end_matches('.');
    let (_, top) = domain.rsplit_once('.')?;
    // `getty@tty1.service` is a unit.
    let is_unit = ["service", "socket", "mount", "scope", "slice", "target", "timer"].contains(&top);
    (!is_unit && top.len() >= 2 && top.bytes().all(|b| b.is_ascii_alphabetic()))
        .then_some(user + 1 + domain.len())
}
