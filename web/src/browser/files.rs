//! Files that somebody chose, and reading them piece by piece in the worker.

use std::io;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{ClipboardEvent, DragEvent, FileReaderSync, HtmlInputElement};

/// Name of what was pasted, as reports and failures call it.
const PASTED: &str = "pasted.txt";

/// A file that was dropped, chosen or built in: a handle, its bytes stay on the disk.
#[derive(Debug, Clone, PartialEq)]
pub struct Picked(web_sys::File);

impl Picked {
    /// Name without folders.
    pub fn name(&self) -> String {
        self.0.name()
    }

    /// Size in bytes.
    pub fn size(&self) -> u64 {
        // A file's size is a whole number below 2^53.
        self.0.size() as u64
    }

    /// Text as a file; `None` where there is nothing but blanks in it.
    pub fn of_text(text: &str) -> Option<Self> {
        let parts = js_sys::Array::of1(&text.into());
        let some = !text.trim().is_empty();
        some.then(|| web_sys::File::new_with_str_sequence(&parts, PASTED).ok()).flatten().map(Self)
    }

    pub(super) fn as_js(&self) -> &JsValue {
        self.0.as_ref()
    }
}

impl From<web_sys::File> for Picked {
    fn from(file: web_sys::File) -> Self {
        Self(file)
    }
}

/// The dropped files.
pub fn dropped(event: &DragEvent) -> Vec<Picked> {
    event.data_transfer().and_then(|data| data.files()).map(all_of).unwrap_or_default()
}

/// The chosen files; the input is emptied, so that the same ones can be chosen again.
pub fn chosen(input: &HtmlInputElement) -> Vec<Picked> {
    let picked = input.files().map(all_of).unwrap_or_default();
    input.set_value("");
    picked
}

/// What the clipboard holds: its files, else its text as a file.
pub fn pasted(event: &ClipboardEvent) -> Vec<Picked> {
    let Some(data) = event.clipboard_data() else { return Vec::new() };
    let files = data.files().map(all_of).unwrap_or_default();
    if !files.is_empty() {
        return files;
    }
    data.get_data("text").ok().and_then(|text| Picked::of_text(&text)).into_iter().collect()
}

fn all_of(files: web_sys::FileList) -> Vec<Picked> {
    (0..files.length()).filter_map(|index| files.get(index)).map(Picked).collect()
}

/// Bytes asked of the browser at once: large enough that the call's own cost (about a tenth of a
/// millisecond, and two for each MiB) counts little, small enough that progress moves and memory stays flat.
const SLICE: u64 = 2 << 20;

/// Reads a file in slices, synchronously. Works in a worker only: pages have no `FileReaderSync`.
pub(super) struct SliceReader {
    file: web_sys::File,
    reader: FileReaderSync,
    next: u64,
    /// Left where the browser has put it: it is copied once, to where it is wanted.
    slice: js_sys::Uint8Array,
    used: u32,
}

impl SliceReader {
    /// Has the first slice at once, so that a refusal is known before anything else.
    ///
    /// # Errors
    /// Where the browser has no synchronous reader, or lets a worker read no files.
    pub(super) fn new(file: web_sys::File) -> Result<Self, JsValue> {
        let slice = js_sys::Uint8Array::new_with_length(0);
        let mut reader = Self { file, reader: FileReaderSync::new()?, next: 0, slice, used: 0 };
        reader.refill()?;
        Ok(reader)
    }

    /// Fetches the next slice, where there is one.
    fn refill(&mut self) -> Result<(), JsValue> {
        let end = (self.next + SLICE).min(self.file.size() as u64);
        if self.next < end {
            let blob = self.file.slice_with_f64_and_f64(self.next as f64, end as f64)?;
            self.slice = js_sys::Uint8Array::new(&self.reader.read_as_array_buffer(&blob)?.into());
            self.used = 0;
            self.next = end;
        }
        Ok(())
    }
}

/// Reads a file on the page, slice by slice, and hands each to `take`; false where it could not be read to its end.
pub(super) async fn read_in_pieces(file: &Picked, take: impl Fn(js_sys::ArrayBuffer)) -> bool {
    let size = file.size();
    let mut next = 0;
    while next < size {
        let end = (next + SLICE).min(size);
        let Ok(slice) = file.0.slice_with_f64_and_f64(next as f64, end as f64) else { return false };
        match JsFuture::from(slice.array_buffer()).await {
            Ok(buffer) => take(buffer.unchecked_into()),
            Err(_) => return false,
        }
        next = end;
    }
    true
}

impl io::Read for SliceReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.used == self.slice.length() {
            self.refill().map_err(|error| io::Error::other(super::thrown(&error)))?;
        }
        let wanted = u32::try_from(out.len()).unwrap_or(u32::MAX);
        let piece = self.slice.subarray(self.used, self.slice.length().min(self.used.saturating_add(wanted)));
        let length = piece.length() as usize;
        piece.copy_to(&mut out[..length]);
        self.used += piece.length();
        Ok(length)
    }
}
