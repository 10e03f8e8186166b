//! `cargo xtask screenshots`: pictures of each screen for the documentation, and the picture's reference for the
//! tests. Made by the page itself in a headless Chromium.

use crate::progress::Steps;
use crate::workspace::Workspace;
use crate::{page, system_packages};
use anyhow::{Context as _, Result, anyhow};
use ebusy_tests::image::Image;
use ebusy_tests::looks::{Look, PICTURE_REFERENCES, SCREENS, Viewer};
use std::fs;
use std::path::Path;

/// Colours of a screenshot: enough for smooth letters, and a fifth of the bytes.
const COLOURS: usize = 64;

/// Builds the page, looks at it and writes what it sees.
pub(crate) fn run_all() -> Result<()> {
    let workspace = Workspace::find()?;
    let mut steps = Steps::new(3);
    steps.step("system packages", || {
        system_packages::provide();
        Ok(())
    })?;
    // A page that was built already, as the tests take it.
    let page = match std::env::var_os("EBUSY_PAGE") {
        Some(page) => std::path::absolute(page)?,
        None => steps.step("page (WebAssembly)", || page::build(&workspace))?.file,
    };
    steps.step("screenshots", || {
        let viewer = Viewer::start("screenshots", &page).context("Chromium is not installed")?;
        let images = workspace.root.join("docs/images");
        fs::create_dir_all(&images).context("cannot create docs/images")?;
        for look in SCREENS {
            write(&viewer, look, &images.join(format!("{}.png", look.name)))?;
        }
        let references = workspace.root.join("tests/references");
        fs::create_dir_all(&references).context("cannot create tests/references")?;
        for look in PICTURE_REFERENCES {
            write(&viewer, look, &references.join(format!("{}.png", look.name)))?;
        }
        Ok(())
    })
}

fn write(viewer: &Viewer, look: &Look, file: &Path) -> Result<()> {
    let image = Image::read(&viewer.look(look)).map_err(|error| anyhow!("{}: {error}", look.name))?;
    let rgba: Vec<u8> = image.rgb.chunks_exact(3).flat_map(|p| [p[0], p[1], p[2], 255]).collect();
    // Every tenth pixel tells the colours well enough.
    let colours = color_quant::NeuQuant::new(10, COLOURS, &rgba);
    let index = |p: &[u8]| u8::try_from(colours.index_of(&[p[0], p[1], p[2], 255])).unwrap_or(0);
    image
        .write(file, &colours.color_map_rgb(), index)
        .map_err(|error| anyhow!("{}: {error}", file.display()))?;
    let bytes = fs::metadata(file)?.len();
    println!("{}: {}x{}, {bytes} bytes", file.display(), image.width, image.height);
    Ok(())
}
