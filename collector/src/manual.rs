//! `--help`, the man page and the shells' completions, all from the table in [`args`](crate::args).

use crate::args::{EXIT_CODES, FLAGS, Flag};
use crate::bundle::writer::Sizes;
use crate::human;
use crate::summary::LogNote;

const INTRO: &str = "\
Collects what shows who keeps a mount or device busy on this host, in one file.
Run it as root; it changes nothing, sends nothing, and takes about a second.

Usage: ebusy-collector [OPTIONS]
";

impl Flag {
    /// `-o, --output FILE`
    fn names(&self) -> String {
        let short = self.short.map_or("    ".to_owned(), |short| format!("-{short}, "));
        let value = if self.value.is_empty() { String::new() } else { format!(" {}", self.value) };
        format!("{short}--{}{value}", self.long)
    }

    /// Whether its value is a file or a directory.
    fn takes_path(&self) -> bool {
        matches!(self.value, "FILE" | "DIR")
    }

    /// The first line of its help, for a list of completions.
    fn summary(&self) -> &'static str {
        self.help.lines().next().unwrap_or_default()
    }
}

/// The text of `--help`.
pub(crate) fn help() -> String {
    let mut text = INTRO.to_owned();
    let mut group = "";
    for flag in FLAGS {
        if flag.group != group {
            group = flag.group;
            text.push_str(&format!("\n{group}:\n"));
        }
        for (line, help) in flag.help.lines().enumerate() {
            let names = if line == 0 { flag.names() } else { String::new() };
            text.push_str(&format!("  {names:<23} {help}\n"));
        }
    }
    text.push_str("\nExit codes:\n");
    for (code, meaning) in EXIT_CODES {
        text.push_str(&format!("  {code:<9} {meaning}\n"));
    }
    text
}

/// What `--dry-run` prints: each kind of file with how many and how large, and where the logs come from.
pub(crate) fn dry_run(sizes: &Sizes, bundle: u64, logs: &[LogNote]) -> String {
    let mut text = format!("{:<36} {:>8} {:>12}\n", "would be taken", "files", "size");
    for (kind, (count, size)) in sizes {
        text.push_str(&format!("{:<36} {count:>8} {:>12}\n", printable(kind), human(*size)));
    }
    for log in logs {
        let cut = if log.truncated { ", the newest of it" } else { "" };
        text.push_str(&format!("{}: {} lines of {}{cut}\n", log.file, log.lines, printable(&log.source)));
    }
    text.push_str(&format!("The bundle would have {}. Nothing was written.\n", human(bundle)));
    text
}

/// Names of the host may hold anything; a terminal obeys some of it.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// The man page, in the macros of man(7).
pub(crate) fn man() -> String {
    let version = env!("CARGO_PKG_VERSION");
    let mut text = format!(
        ".TH EBUSY-COLLECTOR 8 \"\" \"ebusy {version}\"\n\
.SH NAME\nebusy\\-collector \\- collect what shows who keeps a mount or device busy\n\
.SH SYNOPSIS\n.B ebusy\\-collector\n[OPTIONS]\n\
.SH DESCRIPTION\n\
Writes one file, a gzip\\(aqd tar, with the mount tables, namespaces, open references, block devices, container\n\
runtimes\\(aq state and logs of this host. Run it as root. It changes nothing, asks no file server, and sends nothing.\n\
Secrets in command lines and logs are replaced.\n"
    );
    let mut group = "";
    for flag in FLAGS {
        if flag.group != group {
            group = flag.group;
            text.push_str(&format!(".SH {}\n", group.to_uppercase()));
        }
        let names = roff(flag.names().trim_start());
        text.push_str(&format!(".TP\n.B {names}\n{}\n", roff(&flag.help.replace('\n', " "))));
    }
    text.push_str(".SH EXIT STATUS\n");
    for (code, meaning) in EXIT_CODES {
        text.push_str(&format!(".TP\n.B {code}\n{}\n", roff(meaning)));
    }
    text.push_str(
        ".SH NOTES\nIt steps back behind other work (nice 10, idle I/O class), starts no program but journalctl and \
systemctl,\nboth with a time limit, and writes nowhere but to its output.\n",
    );
    text
}

/// Text that roff takes as it is.
fn roff(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    if text.starts_with(['.', '\'']) { format!("\\&{text}") } else { text }
}

/// The completions of a shell; `None` for one that is not known.
pub(crate) fn completions(shell: &str) -> Option<String> {
    match shell {
        "bash" => Some(bash()),
        "zsh" => Some(zsh()),
        "fish" => Some(fish()),
        _ => None,
    }
}

fn bash() -> String {
    let words: Vec<String> = FLAGS.iter().map(|flag| format!("--{}", flag.long)).collect();
    let mut cases = String::new();
    for flag in FLAGS.iter().filter(|flag| !flag.value.is_empty()) {
        let short = flag.short.map_or(String::new(), |short| format!("-{short}|"));
        let answer = match flag {
            flag if !flag.choices.is_empty() => {
                format!("COMPREPLY=($(compgen -W '{}' -- \"$current\"))", flag.choices.join(" "))
            }
            flag if flag.value == "DIR" => "COMPREPLY=($(compgen -d -- \"$current\"))".to_owned(),
            flag if flag.takes_path() => "COMPREPLY=($(compgen -f -- \"$current\"))".to_owned(),
            _ => "COMPREPLY=()".to_owned(),
        };
        cases.push_str(&format!("        {short}--{}) {answer}; return ;;\n", flag.long));
    }
    format!(
        "_ebusy_collector() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}}
    case $previous in
{cases}    esac
    COMPREPLY=($(compgen -W '{}' -- \"$current\"))
}}
complete -o filenames -F _ebusy_collector ebusy-collector
",
        words.join(" ")
    )
}

fn zsh() -> String {
    let mut text = "#compdef ebusy-collector\n\n_arguments -s".to_owned();
    for flag in FLAGS {
        let summary = flag.summary().replace(['[', ']', '\'', ':'], " ");
        let value = match flag {
            flag if flag.value.is_empty() => String::new(),
            flag if !flag.choices.is_empty() => format!(":{}:({})", flag.value, flag.choices.join(" ")),
            flag if flag.value == "DIR" => ":DIR:_files -/".to_owned(),
            flag if flag.takes_path() => ":FILE:_files".to_owned(),
            flag => format!(":{}:", flag.value),
        };
        let names = [flag.short.map(|short| format!("-{short}")), Some(format!("--{}", flag.long))];
        for name in names.into_iter().flatten() {
            let repeated = if flag.long == "log" { "*" } else { "" };
            text.push_str(&format!(" \\\n    '{repeated}{name}[{summary}]{value}'"));
        }
    }
    text + "\n"
}

fn fish() -> String {
    let mut text = String::new();
    for flag in FLAGS {
        let short = flag.short.map_or(String::new(), |short| format!(" -s {short}"));
        let value = match flag {
            flag if flag.value.is_empty() => " -f".to_owned(),
            flag if !flag.choices.is_empty() => format!(" -x -a '{}'", flag.choices.join(" ")),
            flag if flag.value == "DIR" => " -x -a '(__fish_complete_directories)'".to_owned(),
            flag if flag.takes_path() => " -r -F".to_owned(),
            _ => " -x".to_owned(),
        };
        let summary = flag.summary().replace('\'', "\\'");
        text.push_str(&format!(
            "complete -c ebusy-collector{short} -l {}{value} -d '{summary}'\n",
            flag.long
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_names_every_flag() {
        let plain_man = man().replace("\\-", "-");
        for flag in FLAGS {
            let long = format!("--{}", flag.long);
            for text in [&help(), &plain_man, &bash(), &zsh()] {
                assert!(text.contains(&long), "{long} in {text}");
            }
            assert!(fish().contains(&format!(" -l {} ", flag.long)), "{long}");
        }
        assert!(EXIT_CODES.iter().all(|(code, _)| help().contains(code) && plain_man.contains(code)));
        assert!(help().lines().all(|line| line.len() <= 80), "too wide for a terminal");
        assert_eq!(completions("tcsh"), None);
    }
}
