//! `cargo xtask screenshots`: pictures of each screen for the documentation, and the picture's reference for the
//! tests. Made by the page itself in a headless Chromium.

use crate::progress::Steps;
use crate::workspace::Workspace;
use crate::{page, system_packages};
use anyhow::{Context as _, Result, anyhow};
use ebusy_tests::gallery;
use ebusy_tests::image::Image;
use ebusy_tests::looks::{PICTURE_REFERENCES, SCREENS, Viewer};
use std::fs;
use std::path::Path;

/// Colours of a screenshot: enough for smooth letters, and a fifth of the bytes.
const COLOURS: usize = 64;

/// Builds the page, looks at it and writes what it sees; with `only`, what has that in the name of its file.
pub(crate) fn run_all(only: &str) -> Result<()> {
    let workspace = Workspace::find()?;
    let mut steps = Steps::new(3);
    steps.step("system packages", || {
        system_packages::provide(false);
        Ok(())
    })?;
    // A page that was built already, as the tests take it.
    let page = match std::env::var_os("EBUSY_PAGE") {
        Some(page) => std::path::absolute(page)?,
        None => steps.step("page (WebAssembly)", || page::build(&workspace))?.file,
    };
    steps.step("screenshots", || {
        let viewer = Viewer::start("screenshots", &page).context("Chromium is not installed")?;
        let wanted = |name: &str| name.contains(only);
        for (looks, folder) in [(SCREENS, "docs/images"), (PICTURE_REFERENCES, "tests/references")] {
            let folder = workspace.root.join(folder);
            for look in looks {
                let file = folder.join(format!("{}.png", look.name));
                if wanted(look.name) {
                    write(&viewer.look(look), &file)?;
                }
            }
        }
        for example in gallery::examples() {
            let name = format!("causes/{}.png", example.cause);
            if wanted(&name) {
                write(&viewer.example(&example), &workspace.root.join("docs/images").join(name))?;
            }
        }
        Ok(())
    })
}

fn write(png: &[u8], file: &Path) -> Result<()> {
    let folder = file.parent().context("a file lies in a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let image = Image::read(png).map_err(|error| anyhow!("{}: {error}", file.display()))?;
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
