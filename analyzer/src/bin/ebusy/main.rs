//! `ebusy`: the analyzer as a command. Each subcommand is a module; here is only the choice between them.

mod analyze;
mod census;
mod diff;
mod directory;
mod errors;
mod fleet;
mod limits;
mod manual;
mod share;

use ebusy_analyzer::archive::Limits;
use std::ffi::OsString;
use std::process::ExitCode;

/// musl's own gives each larger block back to the kernel at once and has it mapped again: a tenth of a run.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

const HELP: &str = "\
ebusy: who keeps this container busy?

  ebusy analyze BUNDLE|DIR|TEXT|LINK|- [--id ID|NAME|PATH|DEVICE] [--host NAME]
                [--format text|json|markdown|link|html] [--redact all|none|KIND,…] [--page …] [--with-bundle]
  ebusy analyze BUNDLE… --format ndjson [--id …]
      Says who holds a container's mount, why, and what to do. BUNDLE is what ebusy-collector wrote,
      a sosreport, a supportconfig, or any tar or zip with proc/PID/mountinfo files in it; DIR is one
      unpacked. TEXT is what somebody pasted: an error, mountinfo lines, ps, lsns, dmsetup info, in any
      mixture. Without --id the latest busy error is explained. --host chooses in an archive of several.
      LINK is a report link (…#r=1.…).
      link: the whole report in the fragment of a link to the page; --page URL puts that address before it.
      html: the page with the report inside as one file, --with-bundle with the bundle, too; --page FILE is
      the page to write it into. --redact replaces host names, addresses, users, arguments, containers,
      images and paths by stand-ins (host,address,user,argument,container,image,path); all for a link where
      nothing else is said, none for everything else. A bundle inside is never redacted.
      ndjson prints one object a line for each host of any number of bundles: its source and its report, or
      why it could not be read.

  ebusy errors LOG|- [--format text|json]
      Lists the busy errors of a log in any format: what could not be removed, unmounted or mounted.
      json prints one object a line.

  ebusy census BUNDLE|- [--format text|json|markdown] [--leftovers N]
      Lists what of containers lives on where it no longer belongs, without any error: who keeps it,
      the space or device that it pins, and what of it will block a removal. All are counted; at most
      N are told one by one (2000), as many of each holder.

  ebusy diff A B [--id ID|NAME|PATH|DEVICE] [--format text|json|markdown]
      Compares two bundles of one host, the earlier one first: holders gone, new and still there, so that
      a race is told from a leak. Without --id the latest busy error of A is the question.

  ebusy fleet DIR|BUNDLE… [--format text|json|ndjson|markdown|html|parquet] [--jobs N]
              [--format html --with-bundle [--page FILE]]
      Reads many bundles over all cores: one line a host, worst first, and which holders and causes the hosts
      have in common. A DIR is searched for archives and unpacked bundles. A bundle that cannot be read is a
      line of its own and stops nothing. ndjson prints the hosts in the order of the bundles, as they are read;
      parquet writes the same as a table to standard output, a row for each holder on each host.
      --with-bundle: the page with all bundles inside, as they are, in one file that opens as the list of hosts.

  --limit NAME=NUMBER, with each command that reads a bundle, changes how much of it is read: member, whole,
      line, unpacked, kept and header in bytes, members and processes in numbers (docs/bundle-format.md).

Exit codes: 0 a verdict was reached, 3 what was asked for is not there, 2 the input or the call is bad.
";

/// How a subcommand ends, beside doing its work.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The call is wrong: say so and point to the help.
    Usage(String),
    /// The input cannot be used: what happened and what to do.
    Input(String),
}

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let command = arguments.next();
    let (rest, limits) = match limits::taken_from(arguments) {
        Ok(taken) => taken,
        Err(what) => {
            eprintln!("ebusy: {what}. Try `ebusy --help`.");
            return ExitCode::from(2);
        }
    };
    let command = command.as_ref().and_then(|c| c.to_str());
    let asks_for_help = |word: &OsString| word == "--help" || word == "-h";
    let topic = match command {
        Some("help") => rest.first().and_then(|word| word.to_str()),
        _ => command.filter(|_| rest.iter().any(asks_for_help)),
    };
    if let Some(help) = topic.and_then(help_of) {
        print_out(&help);
        return ExitCode::SUCCESS;
    }
    let result = match command {
        Some("analyze") => analyze::run(rest, &limits),
        Some("census") => census::run(rest, &limits),
        Some("diff") => diff::run(rest, &limits),
        Some("fleet") => fleet::run(rest, &limits),
        Some("errors") => Ok(errors::run(lexopt::Parser::from_args(rest))),
        Some("--help" | "-h" | "help") => {
            print_out(HELP);
            Ok(ExitCode::SUCCESS)
        }
        Some("--version" | "-V") => {
            print_out(&manual::version());
            Ok(ExitCode::SUCCESS)
        }
        // For packages, as the collector has them.
        Some("--help-man") => {
            print_out(&manual::man());
            Ok(ExitCode::SUCCESS)
        }
        Some("--completions") => match rest.first().and_then(|s| s.to_str()).and_then(manual::completions) {
            Some(script) => {
                print_out(&script);
                Ok(ExitCode::SUCCESS)
            }
            None => Err(Failure::Usage("--completions wants bash, zsh or fish".to_owned())),
        },
        Some(other) => Err(Failure::Usage(format!("there is no command '{other}'"))),
        None => Err(Failure::Usage("no command given".to_owned())),
    };
    match result {
        Ok(code) => code,
        Err(Failure::Usage(what)) => {
            eprintln!("ebusy: {what}. Try `ebusy --help`.");
            ExitCode::from(2)
        }
        Err(Failure::Input(what)) => {
            eprintln!("ebusy: {what}");
            ExitCode::from(2)
        }
    }
}

/// What the help says of one command, and of all.
fn help_of(command: &str) -> Option<String> {
    let is_own = |part: &&str| {
        part.strip_prefix("  ebusy ").is_some_and(|rest| rest.split(' ').next() == Some(command))
    };
    let own = HELP.split("\n\n").find(is_own)?;
    let (_, of_all) = HELP.split_once("\n\n  --limit ")?;
    Some(format!("{own}\n\n  --limit {of_all}"))
}

/// Prints to standard output; a reader that went away (`| head`) is no error.
pub(crate) fn print_out(text: &str) {
    use std::io::Write;
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}

/// Prints one object as a line of JSON; false where nobody reads any more.
pub(crate) fn print_line<T: serde::Serialize>(value: &T) -> bool {
    use std::io::Write;
    let Ok(mut json) = serde_json::to_vec(value) else { return true };
    json.push(b'\n');
    std::io::stdout().lock().write_all(&json).is_ok()
}

/// Where a subcommand reads from: a file, or standard input for `-`.
///
/// # Errors
/// Where the file cannot be opened, with what to do.
pub(crate) fn open_input(name: &OsString) -> Result<Box<dyn std::io::Read>, Failure> {
    if name == "-" {
        return Ok(Box::new(std::io::stdin().lock()));
    }
    let open = std::fs::File::open(name).and_then(|file| {
        if file.metadata()?.is_dir() { Err(std::io::Error::other("it is a directory")) } else { Ok(file) }
    });
    match open {
        Ok(file) => Ok(Box::new(file)),
        Err(error) => Err(Failure::Input(format!(
            "cannot read {}: {error}. Give the path of a file, or - for standard input.",
            name.display()
        ))),
    }
}

/// Opens and reads a bundle.
///
/// # Errors
/// Where it cannot be read or holds nothing of a host, with what to do.
pub(crate) fn open_analysis(name: &OsString, limits: &Limits) -> Result<ebusy_analyzer::Analysis, Failure> {
    let input = open_input(name)?;
    ebusy_analyzer::Analysis::open_within(input, limits, &mut |_| std::ops::ControlFlow::Continue(()))
        .map_err(|error| Failure::Input(format!("{} {} [{}]", error.message, error.advice, error.code)))
}
