//! The command line: one subcommand for each task.

use crate::progress::Steps;
use crate::workspace::Workspace;
use crate::{
    bench, bombs, corpus, demo, dist, docs, fuzz, lint, npm, page, reproduce, run, schema, screenshots,
    supply, test,
};
use anyhow::{Result, bail};
use lexopt::prelude::*;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

pub(crate) const HELP: &str = "\
The project's own tasks. Cargo is all they need; what else a task wants, it gets or names.

Usage: cargo xtask TASK [OPTION…]

  run             build everything, collect a bundle of this host, explain the demo, serve the page
    --no-serve      all but serve
    --port N        the first port to try (8080)
  test            build and install what the tests need, then run them all
    --no-skips      a test that cannot run here is a failure
    WORD…           for `cargo test`, as in `--package ebusy-analyzer` or a test's name
  lint            formatting and clippy, natively and for the browser
  web             build dist/ebusy.html, the page with everything in it
  screenshots [WORD]  write docs/images and the tests' reference pictures from the page: all, or those so named
  demo            write dist/ebusy-demo.tar.gz, a bundle to try
  dist            build a release in dist/release: programs, packages, page, checksums
  docs            build dist/docs, the book, with mdBook
  npm             build dist/npm, the analyzer as a package for Node
  schema          write docs/schema and the types for Node, from the report's types
    --check         only compare
  corpus DIR      recall and precision of `ebusy errors` on DIR/errors.jsonl
  fuzz [TARGET…]  libFuzzer on everything that reads foreign bytes
    --minutes N     CPU minutes for each target (30)
    --corpus DIR    more seeds, from DIR/errors.jsonl and DIR/mountinfo
  deny            licences and sources of all crates; the collector's crates are those with a reason
    --advisories DIR  all crates against a copy of RustSec's advisory-db, a git directory or its files
                  (or EBUSY_ADVISORIES)
  sbom            write a CycloneDX bill of materials for each program
  bombs           inputs that stand for far more than they are, at full size: time and memory of each
  reproduce       build everything twice, in different folders, and compare the bytes
  bench [PART]    time and memory against the shell lines that are replaced; PART is `analyze`, `page` or
                  `collect` (as root); `fleet`, only where it is named, is 10,000 bundles
    --quick         a smaller host and fewer rounds; EBUSY_BIN and EBUSY_PAGE may name what is not to be built
  help            this text
";

/// A task with its options.
#[derive(Debug, PartialEq, Eq)]
enum Task {
    Run(run::Options),
    Test(test::Options),
    Lint,
    Web,
    Screenshots(String),
    Demo,
    Corpus(PathBuf),
    Fuzz(fuzz::Options),
    Deny(Option<PathBuf>),
    Sbom,
    Reproduce,
    Bombs,
    Bench(bench::Options),
    Dist,
    Docs,
    Npm,
    Schema(bool),
    Help,
}

/// Runs the task that the command line names.
pub(crate) fn main(arguments: lexopt::Parser) -> Result<ExitCode> {
    match parse(arguments)? {
        Task::Run(options) => run::run_all(&options)?,
        Task::Test(options) => return test::run_all(&options),
        Task::Lint => lint::run_all()?,
        Task::Web => web()?,
        Task::Screenshots(only) => screenshots::run_all(&only)?,
        Task::Demo => println!("{}", demo::write(&Workspace::find()?)?.display()),
        Task::Deny(database) => supply::deny(database.as_deref())?,
        Task::Sbom => supply::sbom::write_all()?.iter().for_each(|file| println!("{}", file.display())),
        Task::Bombs => bombs::run_all()?,
        Task::Reproduce => reproduce::run_all()?,
        Task::Fuzz(options) => return fuzz::run_all(&options),
        Task::Corpus(dir) => return corpus::run_all(&dir),
        Task::Bench(options) => bench::run_all(options)?,
        Task::Dist => dist::run_all()?,
        Task::Docs => docs::build()?,
        Task::Npm => println!("{}", npm::build(&Workspace::find()?)?.display()),
        Task::Schema(check) => schema::run_all(check)?,
        Task::Help => print!("{HELP}"),
    }
    Ok(ExitCode::SUCCESS)
}

fn web() -> Result<()> {
    let workspace = Workspace::find()?;
    let page = Steps::new(1).step("page (WebAssembly)", || page::build(&workspace))?;
    println!("{}: {} bytes, {} gzip'd (module {})", page.file.display(), page.raw, page.gzip, page.wasm);
    Ok(())
}

fn parse(mut arguments: lexopt::Parser) -> Result<Task> {
    let name = match arguments.next()? {
        Some(Value(name)) => name.string()?,
        Some(Short('h') | Long("help")) | None => return Ok(Task::Help),
        Some(other) => return Err(other.unexpected().into()),
    };
    let mut task = match name.as_str() {
        "run" => Task::Run(run::Options::default()),
        "test" => return Ok(Task::Test(test_options(arguments.raw_args()?))),
        "lint" => Task::Lint,
        "web" => Task::Web,
        "screenshots" => Task::Screenshots(String::new()),
        "demo" => Task::Demo,
        "dist" => Task::Dist,
        "docs" => Task::Docs,
        "npm" => Task::Npm,
        "schema" => Task::Schema(false),
        "corpus" => Task::Corpus(PathBuf::new()),
        "deny" => Task::Deny(std::env::var_os("EBUSY_ADVISORIES").map(PathBuf::from)),
        "sbom" => Task::Sbom,
        "bombs" => Task::Bombs,
        "reproduce" => Task::Reproduce,
        "fuzz" => Task::Fuzz(fuzz::Options::default()),
        "bench" => Task::Bench(bench::Options::default()),
        "help" => Task::Help,
        other => bail!("no task `{other}`; `cargo xtask help` lists them"),
    };
    while let Some(argument) = arguments.next()? {
        match (&mut task, argument) {
            (_, Short('h') | Long("help")) => return Ok(Task::Help),
            (Task::Schema(check), Long("check")) => *check = true,
            (Task::Run(options), Long("no-serve")) => options.serve = false,
            (Task::Run(options), Long("port")) => options.port = arguments.value()?.parse()?,
            (Task::Fuzz(options), Long("minutes")) => options.minutes = arguments.value()?.parse()?,
            (Task::Bench(options), Long("quick")) => options.quick = true,
            (Task::Bench(options), Value(name)) => match bench::Part::named(&name) {
                part @ Some(_) if options.part.is_none() => options.part = part,
                _ => bail!(
                    "a bench is `analyze`, `page`, `collect` or `fleet`; without a name it is the first three"
                ),
            },
            (Task::Fuzz(options), Long("corpus")) => options.corpus = Some(arguments.value()?.into()),
            (Task::Deny(database), Long("advisories")) => *database = Some(arguments.value()?.into()),
            (Task::Fuzz(options), Value(name)) => options.targets.push(name.string()?),
            (Task::Screenshots(only), Value(word)) if only.is_empty() => *only = word.string()?,
            (Task::Corpus(dir), Value(value)) if dir.as_os_str().is_empty() => *dir = value.into(),
            (_, other) => return Err(other.unexpected().into()),
        }
    }
    if task == Task::Corpus(PathBuf::new()) {
        bail!("`cargo xtask corpus` wants the directory that holds errors.jsonl");
    }
    Ok(task)
}

/// Everything but the task's own option goes to `cargo test` as it is.
fn test_options(words: impl Iterator<Item = OsString>) -> test::Options {
    let mut options = test::Options::default();
    for word in words {
        if word == "--no-skips" { options.no_skips = true } else { options.cargo.push(word) }
    }
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &[&str]) -> Result<Task> {
        parse(lexopt::Parser::from_args(words))
    }

    #[test]
    fn every_task_in_the_help_is_one() {
        for line in HELP.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   ")) {
            let name = line.split_whitespace().next().unwrap();
            let words: &[&str] = match name {
                "corpus" => &["corpus", "dir"],
                _ => &[name],
            };
            assert!(parsed(words).is_ok(), "{name}");
        }
    }

    /// The words after each `cargo xtask` in a text.
    fn calls(text: &str) -> Vec<Vec<&str>> {
        fn call(rest: &str) -> Vec<&str> {
            let end = rest.find(['`', '\n', '#', '&', '|', ';', ')', ',']).unwrap_or(rest.len());
            rest[..end].split_whitespace().map(|word| word.trim_matches('"')).collect()
        }
        text.split("cargo xtask ").skip(1).map(call).collect()
    }

    #[test]
    fn every_task_that_a_workflow_or_a_page_names_is_one() {
        let root = Workspace::find().unwrap().root;
        let mut files = vec![root.join(".ci/run")];
        for (dir, end) in [(".github/workflows", "yml"), ("", "md"), ("docs", "md"), ("deploy", "md")] {
            let entries = root.join(dir).read_dir().unwrap().map(|entry| entry.unwrap().path());
            files.extend(entries.filter(|file| file.extension().is_some_and(|it| it == end)));
        }
        let mut seen = 0;
        for file in files {
            for words in calls(&std::fs::read_to_string(&file).unwrap()) {
                assert!(parsed(&words).is_ok(), "{}: cargo xtask {}", file.display(), words.join(" "));
                seen += 1;
            }
        }
        assert!(seen > 20, "{seen}");
        assert_eq!(
            calls("- run: cargo xtask docs && x\nsee `cargo xtask bench fleet`"),
            [vec!["docs"], vec!["bench", "fleet"]]
        );
    }

    #[test]
    fn options_reach_their_task() {
        assert_eq!(
            parsed(&["run", "--no-serve", "--port=9000"]).unwrap(),
            Task::Run(run::Options { serve: false, port: 9000 })
        );
        assert_eq!(
            parsed(&["test", "--no-skips", "-p", "collector"]).unwrap(),
            Task::Test(test::Options { no_skips: true, cargo: vec!["-p".into(), "collector".into()] })
        );
        assert_eq!(
            parsed(&["fuzz", "log", "--minutes=2", "--corpus=dir", "cgroup"]).unwrap(),
            Task::Fuzz(fuzz::Options {
                minutes: 2,
                corpus: Some("dir".into()),
                targets: vec!["log".into(), "cgroup".into()]
            })
        );
        let part = Some(bench::Part::Page);
        assert_eq!(
            parsed(&["bench", "page", "--quick"]).unwrap(),
            Task::Bench(bench::Options { part, quick: true })
        );
        assert_eq!(parsed(&[]).unwrap(), Task::Help);
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for words in [
            &["bake"][..],
            &["web", "--port", "1"],
            &["corpus"],
            &["bench", "bake"],
            &["bench", "page", "collect"],
            &["run", "--port", "x"],
            &["--no-serve"],
        ] {
            assert!(parsed(words).is_err(), "{words:?}");
        }
    }
}
