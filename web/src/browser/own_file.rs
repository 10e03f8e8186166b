//! The page's own file: its source, what is saved in it, and writing it anew with a report inside.

use super::files::Picked;
use super::page::download;
use super::thrown;
use ebusy_analyzer::report::saved::{self, Saved};
use wasm_bindgen::prelude::{Closure, JsValue, wasm_bindgen};
use wasm_bindgen::{JsCast, UnwrapThrowExt};
use web_sys::{Blob, BlobPropertyBag, FileReader};
use yew::Callback;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = ebusyBoot, js_name = bundles, catch)]
    fn bundle_files() -> Result<js_sys::Array, JsValue>;
}

/// Largest bundle that is put into a page: its base64 is one text, and browsers end those at 512 MiB.
pub const MAX_BUNDLE: u64 = 256 << 20;

/// What is saved in this page's file; `None` where nothing is.
///
/// # Errors
/// Where it is damaged, in words.
pub fn saved() -> Option<Result<Saved, String>> {
    text_of(saved::REPORT_ID).map(|json| saved::read(&json))
}

/// The bundles in this page's file.
///
/// # Errors
/// Where one is damaged, in the words of the browser.
pub fn bundles() -> Result<Vec<Picked>, String> {
    let files = bundle_files().map_err(|error| thrown(&error))?;
    Ok(files.iter().map(|file| Picked::from(file.unchecked_into::<web_sys::File>())).collect())
}

/// The source of the page without anything saved in it, byte for byte as it was built.
///
/// Not what the browser makes of it: extensions change documents. The page carries its own frame as text, and the
/// large parts are the texts of elements, which no parser changes.
pub fn source() -> Option<String> {
    saved::rebuild(&text_of(saved::FRAME_ID)?, &mut |id| text_of(id))
}

fn text_of(id: &str) -> Option<String> {
    gloo::utils::document().get_element_by_id(id)?.text_content()
}

/// Offers the page with a report inside as a download, with `bundle` where that is wanted. Tells `done` why that did
/// not work, where it did not.
pub fn save(name: String, saved: &Saved, bundle: Option<&Picked>, done: Callback<Result<(), String>>) {
    let written = source()
        .ok_or_else(|| "This page does not hold its own source.".to_owned())
        .and_then(|source| saved::write(&source, saved));
    let (head, tail) = match written {
        Ok(parts) => parts,
        Err(why) => return done.emit(Err(why)),
    };
    let Some(bundle) = bundle else {
        return done.emit(offer(&name, &[&head, &tail]));
    };
    let reader = FileReader::new().expect_throw("every browser has a FileReader");
    let reading = reader.clone();
    let loaded = Closure::once_into_js(move || {
        let url = reading.result().ok().and_then(|url| url.as_string()).unwrap_or_default();
        // `data:…;base64,…`; empty where the file is gone from the disk.
        match url.split_once(',') {
            Some((_, base64)) => done.emit(offer(&name, &[&head, base64, &tail])),
            None => done.emit(Err("The bundle can no longer be read from the disk.".to_owned())),
        }
    });
    reader.set_onloadend(Some(loaded.unchecked_ref()));
    // A file that cannot be read is told by loadend as well.
    let _ = reader.read_as_data_url(bundle.as_js().unchecked_ref());
}

fn offer(name: &str, parts: &[&str]) -> Result<(), String> {
    let options = BlobPropertyBag::new();
    options.set_type("text/html");
    let parts: js_sys::Array = parts.iter().map(|part| JsValue::from_str(part)).collect();
    let blob = Blob::new_with_str_sequence_and_options(&parts, &options).map_err(|error| thrown(&error))?;
    download(name, &blob);
    Ok(())
}
