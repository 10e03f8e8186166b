//! Takes secrets out of command lines and logs. What is a secret is decided in [`shapes`].
//!
//! A secret becomes `[redacted-N]`, with the same N wherever the same secret stands: one can still see that two
//! processes were given the same password, and nothing can be computed back from a number.

mod homes;
mod shapes;
pub(crate) mod strict;

use std::borrow::Cow;
use std::collections::HashMap;

use self::shapes::{ShortOptions, is_secret_name, is_secret_shape};
use self::strict::Strict;
use crate::bundle::Secrets;

/// Replaces secrets and remembers which got which number.
#[derive(Debug, Default)]
pub(crate) struct Redactor {
    numbers: HashMap<Vec<u8>, usize>,
    strict: Option<Strict>,
}

/// What an option announced: the next word is …
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Ordinary,
    /// … a secret; `true`: a path is no secret (`--key /etc/x.pem`).
    Secret {
        path_allowed: bool,
    },
    /// … `user:password`.
    UserAndPassword,
}

/// A text being read and what became of it.
struct Scan<'a> {
    text: &'a [u8],
    at: usize,
    out: Vec<u8>,
    /// Programs named in the whole command line, whose short options are known.
    program: ShortOptions,
    /// In a command line, `--password=a b` is one argument up to its end.
    is_argument: bool,
}

impl Redactor {
    /// One that replaces names and addresses, too.
    pub(crate) fn strict(strict: Strict) -> Self {
        Self { strict: Some(strict), ..Self::default() }
    }

    /// What an entry holds, without its secrets.
    pub(crate) fn redact<'a>(&mut self, data: &'a [u8], secrets: Secrets) -> Cow<'a, [u8]> {
        let data = match secrets {
            Secrets::None => return Cow::Borrowed(data),
            Secrets::Paths => return self.paths(data),
            Secrets::Names => self.urls(data),
            Secrets::Urls => self.urls(data),
            Secrets::Arguments => Cow::Owned(self.arguments(data)),
            Secrets::Lines => Cow::Owned(self.lines(data)),
        };
        match &mut self.strict {
            None => data,
            Some(strict) if secrets == Secrets::Urls => Cow::Owned(strict.table(&data)),
            Some(strict) => Cow::Owned(strict.text(&data, secrets != Secrets::Names)),
        }
    }

    /// A path, or a text with paths.
    pub(crate) fn paths<'a>(&mut self, text: &'a [u8]) -> Cow<'a, [u8]> {
        match &mut self.strict {
            None => Cow::Borrowed(text),
            Some(strict) => strict.paths(text),
        }
    }

    /// A text of the collector's own about the host, such as an option that was given to it.
    pub(crate) fn note(&mut self, text: &str) -> String {
        let redacted = self.redact(text.as_bytes(), Secrets::Arguments);
        String::from_utf8_lossy(&redacted).into_owned()
    }

    /// How many different secrets were replaced.
    pub(crate) fn distinct(&self) -> usize {
        self.numbers.len()
    }

    /// A command line: arguments separated by NUL.
    pub(crate) fn arguments(&mut self, command: &[u8]) -> Vec<u8> {
        let program = ShortOptions::of(command);
        let mut next = Next::Ordinary;
        let mut parts: Vec<Vec<u8>> = Vec::new();
        for argument in command.split(|&b| b == 0) {
            let announced = std::mem::replace(&mut next, Next::Ordinary);
            let part = match announced {
                Next::Secret { path_allowed } if is_value(argument, path_allowed) => self.mark(argument),
                Next::UserAndPassword => self.user_and_password(argument),
                _ => self.scan(argument, program, true, &mut next),
            };
            parts.push(part);
        }
        parts.join(&0)
    }

    /// Text of many lines.
    pub(crate) fn lines(&mut self, text: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len());
        for line in text.split_inclusive(|&b| b == b'\n') {
            out.extend(self.scan(line, ShortOptions::of(line), false, &mut Next::Ordinary));
        }
        out
    }

    /// `user:password@` in URLs, and nothing else: for mount tables.
    pub(crate) fn urls<'a>(&mut self, text: &'a [u8]) -> Cow<'a, [u8]> {
        let mut out: Option<Vec<u8>> = None;
        let mut copied = 0;
        let mut from = 0;
        while let Some(at) = find(&text[from..], b"://") {
            let start = from + at + 3;
            from = start;
            let rest = &text[start..];
            let end = rest.iter().position(|b| b"/?# \t\n\"'<>\\\0,".contains(b)).unwrap_or(rest.len());
            let Some(sign) = rest[..end].iter().rposition(|&b| b == b'@') else { continue };
            let colon = rest[..sign].iter().position(|&b| b == b':');
            // A user name alone is no secret, a long one is a token.
            let secret = match colon {
                Some(colon) => colon + 1,
                None if sign >= 16 => 0,
                None => continue,
            };
            if secret == sign || rest[secret..].starts_with(b"[redacted-") {
                continue;
            }
            let out = out.get_or_insert_with(Vec::new);
            out.extend_from_slice(&text[copied..start + secret]);
            out.extend(self.mark(&rest[secret..sign]));
            copied = start + sign;
        }
        match out {
            None => Cow::Borrowed(text),
            Some(mut out) => {
                out.extend_from_slice(&text[copied..]);
                Cow::Owned(out)
            }
        }
    }

    fn mark(&mut self, secret: &[u8]) -> Vec<u8> {
        let next = self.numbers.len() + 1;
        let number = self.numbers.entry(secret.to_vec()).or_insert(next);
        format!("[redacted-{number}]").into_bytes()
    }

    fn user_and_password(&mut self, text: &[u8]) -> Vec<u8> {
        match text.iter().position(|&b| b == b':') {
            // -u 1000:1000 is a user and a group.
            Some(at) if !text[at + 1..].iter().all(u8::is_ascii_digit) => {
                [&text[..=at], &self.mark(&text[at + 1..])].concat()
            }
            _ => text.to_vec(),
        }
    }

    fn scan(&mut self, text: &[u8], program: ShortOptions, is_argument: bool, next: &mut Next) -> Vec<u8> {
        let text = self.urls(text);
        let text = self.private_keys(text.into_owned());
        let mut scan = Scan { text: &text, at: 0, out: Vec::with_capacity(text.len()), program, is_argument };
        while scan.at < scan.text.len() {
            if is_name_byte(scan.text[scan.at]) {
                self.token(&mut scan, next);
            } else {
                scan.out.push(scan.text[scan.at]);
                scan.at += 1;
            }
        }
        scan.out
    }

    /// Everything between the armour lines of a private key.
    fn private_keys(&mut self, text: Vec<u8>) -> Vec<u8> {
        let Some(at) = find(&text, b"-----BEGIN ").filter(|_| find(&text, b"PRIVATE KEY").is_some()) else {
            return text;
        };
        let end = find(&text[at..], b"-----END ").and_then(|end| {
            let tail = at + end + b"-----END ".len();
            find(&text[tail..], b"-----").map(|close| tail + close + 5)
        });
        let end = end.unwrap_or(text.len());
        [&text[..at], &self.mark(&text[at..end]), &text[end..]].concat()
    }

    /// A run of name bytes: an option, a key, a word, or a secret by its shape.
    fn token(&mut self, scan: &mut Scan<'_>, next: &mut Next) {
        let start = scan.at;
        let length = scan.text[start..].iter().position(|&b| !is_name_byte(b));
        let end = length.map_or(scan.text.len(), |length| start + length);
        let token = &scan.text[start..end];
        scan.at = end;
        if token.starts_with(b"redacted-") && scan.out.ends_with(b"[") {
            return scan.out.extend_from_slice(token);
        }
        if is_secret_shape(token) {
            let mark = self.mark(token);
            return scan.out.extend(mark);
        }
        if let Some(secret_at) = scan.program.attached(token) {
            scan.out.extend_from_slice(&token[..secret_at]);
            let rest_end = scan.value_end(start + secret_at, None);
            let mark = self.mark(&scan.text[start + secret_at..rest_end]);
            scan.at = rest_end;
            return scan.out.extend(mark);
        }
        scan.out.extend_from_slice(token);
        let path_allowed = shapes::may_be_path(token);
        if is_secret_name(token) && self.assigned(scan, start == 0, path_allowed) {
            return;
        }
        let announced = if matches!(token, b"-u" | b"-U" | b"--user" | b"--proxy-user") {
            Next::UserAndPassword
        } else if (token.starts_with(b"-") && is_secret_name(token)) || scan.program.announces(token) {
            Next::Secret { path_allowed }
        } else if is_scheme(token) && !scan.is_argument_end() {
            Next::Secret { path_allowed: false }
        } else {
            return;
        };
        if scan.is_argument && scan.at == scan.text.len() {
            *next = announced;
        } else {
            self.following(scan, announced);
        }
    }

    /// `name=value`, `name: value`, `"name":"value"`: replaces the value. `false`: there is none.
    fn assigned(&mut self, scan: &mut Scan<'_>, at_start: bool, path_allowed: bool) -> bool {
        let mut p = scan.at;
        let peek = |p: usize| scan.text.get(p).copied();
        if matches!(peek(p), Some(b'"' | b'\'')) {
            p += 1;
        }
        while peek(p) == Some(b' ') {
            p += 1;
        }
        let Some(sign @ (b'=' | b':')) = peek(p) else { return false };
        if scan.text[p..].starts_with(b"://") {
            return false;
        }
        p += 1;
        while peek(p) == Some(b' ') {
            p += 1;
        }
        let quote = peek(p).filter(|b| matches!(b, b'"' | b'\''));
        p += usize::from(quote.is_some());
        p += scheme_length(&scan.text[p..]);
        let end = if scan.is_argument && at_start && sign == b'=' {
            scan.text.len()
        } else {
            scan.value_end(p, quote)
        };
        self.replace(scan, p, end, path_allowed);
        true
    }

    /// `--name value` within one text.
    fn following(&mut self, scan: &mut Scan<'_>, announced: Next) {
        let mut p = scan.at;
        while scan.text.get(p) == Some(&b' ') {
            p += 1;
        }
        if p == scan.at {
            return;
        }
        let quote = scan.text.get(p).copied().filter(|b| matches!(b, b'"' | b'\''));
        p += usize::from(quote.is_some());
        let end = scan.value_end(p, quote);
        match announced {
            Next::Secret { path_allowed } => self.replace(scan, p, end, path_allowed),
            Next::UserAndPassword => {
                scan.out.extend_from_slice(&scan.text[scan.at..p]);
                scan.out.extend(self.user_and_password(&scan.text[p..end]));
                scan.at = end;
            }
            Next::Ordinary => {}
        }
    }

    fn replace(&mut self, scan: &mut Scan<'_>, start: usize, end: usize, path_allowed: bool) {
        let value = &scan.text[start..end];
        scan.out.extend_from_slice(&scan.text[scan.at..start]);
        if is_value(value, path_allowed) {
            scan.out.extend(self.mark(value));
            scan.at = end;
        } else {
            scan.at = start;
        }
    }
}

impl Scan<'_> {
    /// Where a value that starts at `start` ends.
    fn value_end(&self, start: usize, quote: Option<u8>) -> usize {
        let rest = &self.text[start..];
        let ends = |b: &u8| match quote {
            Some(quote) => *b == quote,
            None => b" \t\r\n\"'`,;&|()<>{}".contains(b),
        };
        rest.iter().position(ends).map_or(self.text.len(), |length| start + length)
    }

    fn is_argument_end(&self) -> bool {
        self.at == self.text.len()
    }
}

/// Whether this is a value, and not nothing, the next option, a mark, or a path where paths are expected.
fn is_value(text: &[u8], path_allowed: bool) -> bool {
    let is_option = text.starts_with(b"--") || (text.len() == 2 && text[0] == b'-');
    let is_path = path_allowed && (text.starts_with(b"/") || text.starts_with(b"./"));
    !(text.is_empty() || is_option || is_path || text.starts_with(b"[redacted-"))
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// `Bearer` or `Basic`, after which a credential stands.
fn is_scheme(token: &[u8]) -> bool {
    token.eq_ignore_ascii_case(b"bearer") || token.eq_ignore_ascii_case(b"basic")
}

/// Length of `Bearer ` and the like at the start of a value.
fn scheme_length(text: &[u8]) -> usize {
    let schemes: [&[u8]; 4] = [b"bearer ", b"basic ", b"token ", b"digest "];
    let is_start = |s: &&&[u8]| text.get(..s.len()).is_some_and(|t| t.eq_ignore_ascii_case(s));
    schemes.iter().find(is_start).map_or(0, |s| s.len())
}

fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, needle)
}

#[cfg(test)]
mod tests;
