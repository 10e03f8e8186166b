//! Manual pages and completions, as the programs print them.

use crate::programs::Programs;
use crate::workspace::output_of;
use anyhow::Result;
use std::process::Command;

/// One text, where it lies in the release and where a package installs it.
#[derive(Debug)]
pub(super) struct Text {
    pub(super) name: &'static str,
    pub(super) installed: &'static str,
    pub(super) content: String,
}

const MAN: &str = "--help-man";
const COMPLETIONS: &str = "--completions";

/// Every text of both programs.
///
/// # Errors
/// Where a program does not run.
pub(super) fn of(programs: &Programs) -> Result<Vec<Text>> {
    let collector = &programs.collector;
    let ebusy = &programs.ebusy;
    let table: [(_, &[&str], _, _); 8] = [
        (collector, &[MAN], "man/ebusy-collector.8", "/usr/share/man/man8/ebusy-collector.8"),
        (ebusy, &[MAN], "man/ebusy.1", "/usr/share/man/man1/ebusy.1"),
        (
            collector,
            &[COMPLETIONS, "bash"],
            "completions/ebusy-collector.bash",
            "/usr/share/bash-completion/completions/ebusy-collector",
        ),
        (
            collector,
            &[COMPLETIONS, "zsh"],
            "completions/_ebusy-collector",
            "/usr/share/zsh/vendor-completions/_ebusy-collector",
        ),
        (
            collector,
            &[COMPLETIONS, "fish"],
            "completions/ebusy-collector.fish",
            "/usr/share/fish/vendor_completions.d/ebusy-collector.fish",
        ),
        (
            ebusy,
            &[COMPLETIONS, "bash"],
            "completions/ebusy.bash",
            "/usr/share/bash-completion/completions/ebusy",
        ),
        (ebusy, &[COMPLETIONS, "zsh"], "completions/_ebusy", "/usr/share/zsh/vendor-completions/_ebusy"),
        (
            ebusy,
            &[COMPLETIONS, "fish"],
            "completions/ebusy.fish",
            "/usr/share/fish/vendor_completions.d/ebusy.fish",
        ),
    ];
    table
        .into_iter()
        .map(|(program, arguments, name, installed)| {
            let content = output_of(Command::new(program).args(arguments))? + "\n";
            Ok(Text { name, installed, content })
        })
        .collect()
}
