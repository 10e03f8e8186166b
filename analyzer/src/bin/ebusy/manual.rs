//! The man page and the shells' completions, from the help text and the table of its options.

use super::HELP;
use ebusy_analyzer::{census, diff, fleet, report};

/// Each command with its options; what takes a value names its choices, or nothing where any will do.
const COMMANDS: [(&str, &[&str]); 5] = [
    ("analyze", &["--id", "--host", "--format", "--redact", "--page", "--with-bundle", "--limit"]),
    ("errors", &["--format"]),
    ("census", &["--format", "--leftovers", "--limit"]),
    ("diff", &["--id", "--format", "--limit"]),
    ("fleet", &["--format", "--jobs", "--with-bundle", "--page", "--limit"]),
];

/// The formats of a command.
fn formats(command: &str) -> &'static str {
    match command {
        "analyze" => "text json markdown link html ndjson",
        "errors" => "text json",
        "fleet" => "text json ndjson markdown html parquet",
        _ => "text json markdown",
    }
}

/// What `--version` says: with the commit where the build knew it, and the formats.
pub(crate) fn version() -> String {
    let commit = option_env!("EBUSY_COMMIT").map(|commit| format!(" ({commit})")).unwrap_or_default();
    let formats = [report::SCHEMA, census::SCHEMA, diff::SCHEMA, fleet::SCHEMA, fleet::LINE_SCHEMA];
    format!(
        "ebusy {}{commit}\nreads ebusy.bundle/1, writes {}\n",
        env!("CARGO_PKG_VERSION"),
        formats.join(", ")
    )
}

/// The man page, in the macros of man(7).
pub(crate) fn man() -> String {
    let text = HELP.replace('\\', "\\e").replace('-', "\\-");
    format!(
        ".TH EBUSY 1 \"\" \"ebusy {}\"\n.SH NAME\nebusy \\- says who keeps a container busy\n.SH SYNOPSIS\n\
         .B ebusy\nCOMMAND [OPTIONS]\n.SH DESCRIPTION\n.nf\n{text}.fi\n.SH SEE ALSO\n.BR ebusy\\-collector (8)\n",
        env!("CARGO_PKG_VERSION")
    )
}

/// The completions of a shell; `None` for one that is not known.
pub(crate) fn completions(shell: &str) -> Option<String> {
    match shell {
        "bash" => Some(bash()),
        "zsh" => Some(format!("#compdef ebusy\n\nautoload -U +X bashcompinit && bashcompinit\n{}", bash())),
        "fish" => Some(fish()),
        _ => None,
    }
}

fn bash() -> String {
    let names: Vec<&str> = COMMANDS.iter().map(|(name, _)| *name).collect();
    let (mut options, mut choices) = (String::new(), String::new());
    for (name, flags) in COMMANDS {
        options.push_str(&format!("        {name}) words='{}' ;;\n", flags.join(" ")));
        choices.push_str(&format!("        {name}) words='{}' ;;\n", formats(name)));
    }
    format!(
        "_ebusy() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}} words=
    if [ \"$COMP_CWORD\" = 1 ]; then
        COMPREPLY=($(compgen -W '{}' -- \"$current\"))
    elif [ \"$previous\" = --format ]; then
        case ${{COMP_WORDS[1]}} in
{choices}        esac
        COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))
    elif [ \"${{current#-}}\" != \"$current\" ]; then
        case ${{COMP_WORDS[1]}} in
{options}        esac
        COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))
    else
        COMPREPLY=($(compgen -f -- \"$current\"))
    fi
}}
complete -o filenames -F _ebusy ebusy
",
        names.join(" ")
    )
}

fn fish() -> String {
    let names: Vec<&str> = COMMANDS.iter().map(|(name, _)| *name).collect();
    let mut text = format!("complete -c ebusy -n __fish_use_subcommand -f -a '{}'\n", names.join(" "));
    for (name, flags) in COMMANDS {
        for flag in flags {
            let value = match *flag {
                "--format" => format!(" -x -a '{}'", formats(name)),
                "--with-bundle" => " -f".to_owned(),
                "--page" => " -r -F".to_owned(),
                _ => " -x".to_owned(),
            };
            let long = flag.trim_start_matches('-');
            text.push_str(&format!(
                "complete -c ebusy -n '__fish_seen_subcommand_from {name}' -l {long}{value}\n"
            ));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_table_has_what_the_help_has() {
        let of_help: BTreeSet<&str> = HELP
            .split(|c: char| c.is_whitespace() || "[]|.,:".contains(c))
            .filter(|word| word.starts_with("--") && word.len() > 2)
            .collect();
        let of_table: BTreeSet<&str> = COMMANDS.iter().flat_map(|(_, flags)| flags.iter().copied()).collect();
        assert_eq!(of_help, of_table);
        for (name, _) in COMMANDS {
            assert!(HELP.contains(&format!("\n  ebusy {name} ")), "{name}");
            assert!(formats(name).split(' ').all(|format| HELP.contains(format)), "{name}");
        }
        assert!(man().contains("\\-\\-with\\-bundle") && completions("tcsh").is_none());
        assert!(
            ["bash", "zsh", "fish"]
                .iter()
                .all(|shell| completions(shell).is_some_and(|c| c.contains("ndjson")))
        );
    }
}
