//! Serves `dist/` on this machine only: GET of plain files, nothing else.

use anyhow::{Context as _, Result, bail};
use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

/// The file behind `/`.
const INDEX: &str = "ebusy.html";
/// How many ports to try, the first one included.
const PORTS: u16 = 50;
/// More than any browser sends as the head of a request.
const MAX_HEAD: u64 = 64 * 1024;

/// A socket on the first free port from `first` on.
///
/// # Errors
/// Where none of the next ports is free.
pub(crate) fn listen(first: u16) -> Result<TcpListener> {
    let last = first.saturating_add(PORTS - 1);
    for port in first..=last {
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Ok(listener) => return Ok(listener),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            Err(error) => return Err(error).with_context(|| format!("cannot listen on 127.0.0.1:{port}")),
        }
    }
    bail!("no port from {first} to {last} is free; name another one with --port")
}

/// Answers until the program is stopped, each connection in a thread of its own.
pub(crate) fn serve(listener: &TcpListener, dir: &Path) -> Result<()> {
    for connection in listener.incoming() {
        let dir = dir.to_path_buf();
        // A client that went away is no reason to stop.
        let Ok(connection) = connection else { continue };
        thread::spawn(move || drop(answer(&connection, &dir)));
    }
    Ok(())
}

/// Reads one request and answers it; one request a connection is enough for one file.
fn answer(connection: &TcpStream, dir: &Path) -> io::Result<()> {
    connection.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut lines = BufReader::new(connection.take(MAX_HEAD)).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    let mut host = String::new();
    for line in lines {
        let line = line?;
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("host")
        {
            value.trim().clone_into(&mut host);
        }
    }
    respond(connection, &Response::to(&request, &host, dir))
}

/// What goes back.
#[derive(Debug, PartialEq, Eq)]
struct Response {
    status: &'static str,
    content_type: &'static str,
    body: Vec<u8>,
    /// Whether the request asked for the head only.
    head_only: bool,
}

impl Response {
    fn to(request: &str, host: &str, dir: &Path) -> Self {
        let mut words = request.split(' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let head_only = method == "HEAD";
        if !matches!(method, "GET" | "HEAD") {
            return Self::text("405 Method Not Allowed", "Only GET and HEAD.");
        }
        // A page elsewhere whose name was made to resolve to 127.0.0.1 must not read the bundle of this host.
        if !is_this_machine(host) {
            return Self::text("403 Forbidden", "Open this server as 127.0.0.1 or localhost.");
        }
        let Some(file) = file_of(target, dir) else {
            return Self::text("404 Not Found", "No such file.");
        };
        match fs::read(&file) {
            Ok(body) => Self { status: "200 OK", content_type: content_type(&file), body, head_only },
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                Self::text("403 Forbidden", "The server may not read this file.")
            }
            Err(_) => Self::text("404 Not Found", "No such file."),
        }
    }

    fn text(status: &'static str, body: &str) -> Self {
        let body = format!("{body}\n").into_bytes();
        Self { status, content_type: "text/plain; charset=utf-8", body, head_only: false }
    }
}

fn respond(mut connection: &TcpStream, response: &Response) -> io::Result<()> {
    write!(
        connection,
        "HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nX-Content-Type-Options: nosniff\r\n\
         Cache-Control: no-store\r\nContent-Security-Policy: frame-ancestors 'none'\r\nConnection: close\r\n\r\n",
        response.status,
        response.content_type,
        response.body.len()
    )?;
    if !response.head_only {
        connection.write_all(&response.body)?;
    }
    connection.flush()
}

/// Whether a request's `Host` names the loopback interface, with any port.
fn is_this_machine(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    matches!(name, "127.0.0.1" | "localhost")
}

/// The file that a request's target names: directly in `dir`, and not hidden.
fn file_of(target: &str, dir: &Path) -> Option<PathBuf> {
    let path = target.split(['?', '#']).next()?.strip_prefix('/')?;
    let name = if path.is_empty() { INDEX.to_owned() } else { percent_decoded(path)? };
    if name.starts_with('.') || name.contains(['/', '\\', '\0']) {
        return None;
    }
    let file = dir.join(name);
    // Not through a link to somewhere else, either.
    fs::symlink_metadata(&file).ok()?.is_file().then_some(file)
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        if *first == b'%' {
            let digits = std::str::from_utf8(tail.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

fn content_type(file: &Path) -> &'static str {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("gz") => "application/gzip",
        Some("json") => "application/json",
        Some("md" | "txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory that is removed at the end.
    struct Dist(PathBuf);

    impl Drop for Dist {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(self.0.parent().unwrap());
        }
    }

    /// A directory with a page, a bundle, a hidden file, and a secret beside it.
    fn dist(name: &str) -> Dist {
        let top = std::env::temp_dir().join(format!("ebusy-serve-{name}-{}", std::process::id()));
        let dir = top.join("dist");
        fs::create_dir_all(dir.join("sub")).unwrap();
        fs::write(dir.join(INDEX), "page").unwrap();
        fs::write(dir.join("a b.tar.gz"), "bundle").unwrap();
        fs::write(dir.join(".hidden"), "secret").unwrap();
        fs::write(dir.join("sub/file"), "secret").unwrap();
        fs::write(top.join("secret"), "secret").unwrap();
        std::os::unix::fs::symlink("../secret", dir.join("link")).unwrap();
        Dist(dir)
    }

    fn get(target: &str, dir: &Path) -> Response {
        Response::to(&format!("GET {target} HTTP/1.1"), "127.0.0.1:8080", dir)
    }

    #[test]
    fn files_have_their_type() {
        let dir = dist("types");
        for (target, content_type, body) in [
            ("/", "text/html; charset=utf-8", "page"),
            ("/?theme=dark", "text/html; charset=utf-8", "page"),
            ("/a%20b.tar.gz", "application/gzip", "bundle"),
        ] {
            let response = get(target, &dir.0);
            assert_eq!((response.status, response.content_type), ("200 OK", content_type), "{target}");
            assert_eq!(response.body, body.as_bytes(), "{target}");
        }
    }

    #[test]
    fn nothing_outside_the_directory_is_served() {
        let dir = dist("outside");
        for target in [
            "/../secret",
            "/%2e%2e/secret",
            "/..%2fsecret",
            "/%2e%2e%2Fsecret",
            "//etc/passwd",
            "/%2fetc%2fpasswd",
            "/sub/file",
            "/sub",
            "/.hidden",
            "/link",
            "/..",
            "/.",
            "../secret",
            "",
            "/%zz",
            "/%",
            "/a%00b",
        ] {
            let response = get(target, &dir.0);
            assert_eq!(response.status, "404 Not Found", "{target}");
            assert_ne!(response.body, b"secret", "{target}");
        }
    }

    #[test]
    fn only_get_and_only_by_the_loopbacks_names() {
        let dir = dist("who");
        assert_eq!(Response::to("POST / HTTP/1.1", "localhost", &dir.0).status, "405 Method Not Allowed");
        assert!(Response::to("HEAD / HTTP/1.1", "localhost:1", &dir.0).head_only);
        for host in ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", ""] {
            assert_eq!(Response::to("GET / HTTP/1.1", host, &dir.0).status, "403 Forbidden", "{host}");
        }
    }

    #[test]
    fn answers_over_a_socket_and_takes_the_next_port() {
        let dir = dist("socket");
        let listener = listen(18_080).unwrap();
        let taken = listener.local_addr().unwrap().port();
        let next = listen(taken).unwrap();
        assert_ne!(next.local_addr().unwrap().port(), taken);

        let address = listener.local_addr().unwrap();
        let served = dir.0.clone();
        thread::spawn(move || serve(&listener, &served));
        let mut client = TcpStream::connect(address).unwrap();
        write!(client, "GET / HTTP/1.1\r\nHOST: {address}\r\n\r\n").unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n\r\npage"), "{answer}");
    }
}
