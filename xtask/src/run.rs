//! `cargo xtask run`: everything from nothing to an open page.

use crate::programs::{self, Programs, WithPage};
use crate::progress::Steps;
use crate::workspace::{Workspace, run};
use crate::{demo, page, serve};
use anyhow::{Context as _, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What `cargo xtask run` was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// Whether to serve the page at the end.
    pub(crate) serve: bool,
    /// The first port to try.
    pub(crate) port: u16,
}

impl Default for Options {
    fn default() -> Self {
        Self { serve: true, port: 8080 }
    }
}

/// The name of this host's bundle in `target/`: always the same, so that it does not pile up, and not in `dist/`,
/// which is served.
const THIS_HOST: &str = "this-host.tar.gz";

/// Builds everything, collects this host, explains the demo, and serves the page.
pub(crate) fn run_all(options: &Options) -> Result<()> {
    let workspace = Workspace::find()?;
    let mut steps = Steps::new(5);
    let demo = steps.step("demo bundle", || demo::write(&workspace))?;
    let page = steps.step("page (WebAssembly)", || page::build(&workspace))?;
    let programs = steps
        .step("collector and command (static)", || programs::build(&workspace, WithPage::Command(&page)))?;
    let bundle = steps.step("bundle of this host", || collect(&workspace, &programs))?;
    println!();
    steps.step("verdict of the demo", || explain(&programs.ebusy, &demo))?;

    println!();
    for (what, file) in [
        ("page", &page.file),
        ("demo bundle", &demo),
        ("this host's bundle", &bundle),
        ("collector", &programs.collector),
        ("command", &programs.ebusy),
    ] {
        println!("{:<20}{}", format!("{what}:"), shown(file, &workspace));
    }
    if !options.serve {
        println!(
            "\nOpen {} in a browser and press \"Try the demo\", or drop a bundle on it.",
            page.file.display()
        );
        return Ok(());
    }
    let listener = serve::listen(options.port)?;
    println!(
        "\nOpen http://{}/ in a browser and press \"Try the demo\", or drop {} on it.\n\
         The file {} opened directly does the same. Ctrl-C stops serving.",
        listener.local_addr()?,
        shown(&bundle, &workspace),
        page.file.display()
    );
    serve::serve(&listener, &workspace.dist())
}

/// Relative to the repository where that is possible.
fn shown(file: &Path, workspace: &Workspace) -> String {
    file.strip_prefix(&workspace.root).unwrap_or(file).display().to_string()
}

/// Runs the collector on this host. Without root it writes what it may see, and says what is missing.
fn collect(workspace: &Workspace, programs: &Programs) -> Result<PathBuf> {
    let file = workspace.target.join(THIS_HOST);
    run(Command::new(&programs.collector).arg("-o").arg(&file))?;
    Ok(file)
}

/// Shows on the terminal what the command says about the demo.
fn explain(ebusy: &Path, demo: &Path) -> Result<()> {
    let status = Command::new(ebusy)
        .arg("analyze")
        .arg(demo)
        .status()
        .with_context(|| format!("cannot start {}", ebusy.display()))?;
    if !status.success() {
        bail!("`ebusy analyze` reached no verdict on the demo bundle ({status})");
    }
    Ok(())
}
