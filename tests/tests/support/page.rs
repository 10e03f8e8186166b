//! The page in a browser, used as a person would, and who hears what it asks the network for.

use ebusy_tests::harness::{TempDir, machine, need_path, wait_until};
use ebusy_tests::webdriver::{Browser, Element, Engine};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

/// An opened page, with the files of its test.
pub(crate) struct Page {
    pub(crate) browser: Browser,
    pub(crate) url: String,
    /// The page's file.
    pub(crate) file: PathBuf,
    pub(crate) dir: TempDir,
    artifacts: Option<PathBuf>,
    /// Who hears all that Firefox and WebKit ask for.
    ear: Option<Server>,
    _alone: MutexGuard<'static, ()>,
}

impl Page {
    /// The page in Chromium, opened from its file; skips by name.
    pub(crate) fn open(test: &str) -> Option<Self> {
        let page = need_path(test, "EBUSY_PAGE")?;
        Self::open_at(test, &format!("file://{}", page.display()))
    }

    /// The page in Chromium at an address.
    pub(crate) fn open_at(test: &str, url: &str) -> Option<Self> {
        let page = Self::before(test, Engine::Chromium, None)?;
        Some(page.go_to(url))
    }

    /// The page in any engine, opened from its file (`hosted` is false) or served.
    pub(crate) fn open_in(test: &str, engine: Engine, hosted: bool) -> Option<Self> {
        let file = need_path(test, "EBUSY_PAGE")?;
        let ear = Server::start(&file);
        let url =
            if hosted { format!("http://{}/", ear.address) } else { format!("file://{}", file.display()) };
        let page = Self::before(test, engine, Some(ear))?;
        Some(page.go_to(&url))
    }

    /// A browser without a page yet.
    pub(crate) fn before(test: &str, engine: Engine, ear: Option<Server>) -> Option<Self> {
        // One browser at a time: two cores, and nobody wants to wait for a picture twice.
        let alone = machine();
        let file = need_path(test, "EBUSY_PAGE")?;
        let browser = Browser::start(test, engine, ear.as_ref().map(|ear| ear.address))?;
        browser.look(1280, "light");
        let artifacts = std::env::var_os("EBUSY_ARTIFACTS").map(PathBuf::from);
        let dir = TempDir::new("page");
        Some(Self { browser, url: String::new(), file, dir, artifacts, ear, _alone: alone })
    }

    /// Opens it and waits for its first screen.
    pub(crate) fn go_to(mut self, url: &str) -> Self {
        self.browser.open(url);
        self.url = url.to_owned();
        self.element("start");
        // What the policy refuses is a request that was wished for.
        self.browser.script(
            "window.ebusyRefused = []; document.addEventListener('securitypolicyviolation', \
             event => window.ebusyRefused.push(event.violatedDirective + ' ' + event.blockedURI))",
        );
        self
    }

    /// The first element with a `data-test` name, once it is there.
    pub(crate) fn element(&self, name: &str) -> Element {
        self.browser.wait_for(&format!("[data-test={name}]"))
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        !self.browser.all(&format!("[data-test={name}]")).is_empty()
    }

    pub(crate) fn text(&self, name: &str) -> String {
        self.browser.text(&self.element(name))
    }

    pub(crate) fn click(&self, name: &str) {
        self.browser.click(&self.element(name));
    }

    /// Gives several files at once, by name and content.
    pub(crate) fn give_all(&self, files: &[(&str, Vec<u8>)]) {
        let paths = files.iter().map(|(name, content)| {
            let path = self.dir.join(name);
            std::fs::write(&path, content).expect("a file can be written");
            path.to_string_lossy().into_owned()
        });
        let paths = paths.collect::<Vec<_>>().join("\n");
        self.browser.type_into(&self.element("file-input"), &paths);
    }

    /// Writes a file and gives it to the page.
    pub(crate) fn give(&self, name: &str, content: &[u8]) {
        let path = self.dir.join(name);
        std::fs::write(&path, content).expect("a file can be written");
        self.give_path(&path);
    }

    pub(crate) fn give_path(&self, path: &Path) {
        self.browser.type_into(&self.element("file-input"), &path.to_string_lossy());
    }

    pub(crate) fn search(&self, query: &str) {
        let input = self.element("search-input");
        self.browser.clear(&input);
        self.browser.type_into(&input, query);
        self.click("search-submit");
    }

    /// The verdict's status, once its text has a word.
    pub(crate) fn verdict_with(&self, word: &str) -> String {
        wait_until(&format!("the verdict has {word:?}"), || {
            let verdict = self.browser.all("[data-test=verdict]").into_iter().next()?;
            self.browser.text(&verdict).contains(word).then_some(())?;
            self.browser.all(".details[aria-busy=true]").is_empty().then_some(())?;
            self.browser.attribute(&verdict, "data-status")
        })
    }

    pub(crate) fn screenshot(&self, name: &str) {
        if let Some(dir) = &self.artifacts {
            self.browser.screenshot(&dir.join(format!("page-{name}.png")));
        }
    }

    /// Nothing in the console, nothing that the policy refused, and no request but for the page itself.
    pub(crate) fn assert_quiet(&self) {
        let refused = self.browser.script("return window.ebusyRefused || []");
        assert_eq!(refused, serde_json::json!([]), "refused by the policy");
        let Some(ear) = &self.ear else { return self.assert_chromium_quiet() };
        let listed = self.browser.script(
            "return performance.getEntriesByType('resource').map(it => it.name).filter(it => !/^(blob|data):/.test(it))",
        );
        assert_eq!(listed, serde_json::json!([]), "requests that the page knows of");
        let foreign: Vec<String> = ear.asked().into_iter().filter(|it| !self.is_own(it)).collect();
        assert_eq!(foreign, [""; 0], "requests");
        // Whether it would have been heard: the browser itself may go anywhere.
        if self.browser.engine() != Engine::Chromium {
            self.browser.try_open("http://control.invalid/heard");
            let heard = || ear.asked().iter().any(|it| it.contains("control.invalid/heard")).then_some(());
            wait_until("the recorder hears a request", heard);
        }
    }

    /// The page itself, the browser's wish for its icon, and Firefox's calls home, which no page makes.
    fn is_own(&self, asked: &str) -> bool {
        let of_maker = ["mozilla.com", "mozilla.net", "mozilla.org", "firefox.com", "mozgcp.net"];
        asked == "/"
            || asked == self.url
            || asked.ends_with("/favicon.ico")
            || (self.browser.engine() == Engine::Firefox
                && of_maker.iter().any(|maker| asked.contains(maker)))
    }

    fn assert_chromium_quiet(&self) {
        assert_eq!(self.browser.console_errors(), [""; 0], "the console");
        // The rest is the browser's own new tab.
        let own = |url: &String| {
            *url == self.url || ["blob:", "data:", "chrome:"].iter().any(|scheme| url.starts_with(scheme))
        };
        let foreign: Vec<String> = self.browser.requests().into_iter().filter(|url| !own(url)).collect();
        assert_eq!(foreign, [""; 0], "requests");
    }
}

/// A server that gives the page to whoever asks, and remembers what was asked for, as a server and as a proxy.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(crate) fn start(page: &Path) -> Self {
        Self::with_policy(page, "")
    }

    /// With a Content-Security-Policy of the server's own beside that of the page.
    pub(crate) fn with_policy(page: &Path, policy: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it has an address");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (page, log) = (std::fs::read(page).expect("the page can be read"), Arc::clone(&asked));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let path = answer(stream, &page, policy).unwrap_or_else(|error| error.to_string());
                log.lock().expect("no one panics with it").push(path);
            }
        });
        Self { address, asked }
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no one panics with it").clone()
    }
}

fn answer(mut stream: TcpStream, page: &[u8], policy: &str) -> std::io::Result<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte)? == 1 {
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    // As a proxy it is asked for whole addresses.
    let own = format!("http://{}/", stream.local_addr()?);
    let (status, body) =
        if path == "/" || path == own { ("200 OK", page) } else { ("404 Not Found", &b""[..]) };
    let length = body.len();
    let policy =
        if policy.is_empty() { String::new() } else { format!("Content-Security-Policy: {policy}\r\n") };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: text/html\r\n{policy}Content-Length: {length}\r\n\
         Connection: close\r\n\r\n"
    )?;
    stream.write_all(body)?;
    Ok(path)
}
