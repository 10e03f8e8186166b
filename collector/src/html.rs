//! `--html FILE`: a page with the bundle inside, for hosts that nothing but one file can be carried from or to.
//!
//! The page comes with the build (feature `html`). It has a place for data between two comments; what stands there is
//! text in an element that no browser runs. The page's own side is in the analyzer's `report/saved.rs`.

use std::io::{self, Read, Write};

use crate::bundle::output::Output;

/// The page, gzip'd.
#[cfg(feature = "html")]
static PAGE: &[u8] = include_bytes!(env!("EBUSY_PAGE_GZ", "set by `cargo xtask`, which builds the page"));
/// This build has none, and the command line refuses `--html`.
#[cfg(not(feature = "html"))]
static PAGE: &[u8] = &[];

/// Where data goes.
const PLACE: &str = "<!-- ebusy: data -->";

/// Writes the page as far as the bundle; what is written from now on is the bundle.
///
/// # Errors
/// A sentence for the user.
pub(crate) fn around(mut output: Output, name: &str) -> Result<Output, String> {
    let mut page = String::new();
    flate2::read::GzDecoder::new(PAGE)
        .read_to_string(&mut page)
        .map_err(|error| format!("the page in this program is damaged: {error}; get it again"))?;
    let (before, after) =
        page.split_once(PLACE).ok_or("the page in this program has no place for a bundle; get it again")?;
    // A host's name may be anything.
    let name: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' }).collect();
    let head = format!("{before}{PLACE}<script type=\"text/plain\" class=\"ebusy-bundle\" title=\"{name}\">");
    output.write_all(head.as_bytes()).map_err(|error| format!("the page could not be written: {error}"))?;
    let tail = format!("</script>{after}");
    Ok(Output::Page(Box::new(Inside { output, rest: Vec::new(), tail })))
}

/// A bundle on its way into a page.
#[derive(Debug)]
pub(crate) struct Inside {
    output: Output,
    /// Bytes that make no group of three yet.
    rest: Vec<u8>,
    /// The page after the bundle.
    tail: String,
}

impl Inside {
    /// Writes what is left and the page's end.
    pub(crate) fn finish(mut self) -> io::Result<Output> {
        self.output.write_all(&base64(&self.rest))?;
        self.output.write_all(self.tail.as_bytes())?;
        Ok(self.output)
    }
}

impl Write for Inside {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.rest.extend_from_slice(bytes);
        let whole = self.rest.len() / 3 * 3;
        let text = base64(&self.rest[..whole]);
        self.rest.drain(..whole);
        self.output.write_all(&text)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = Vec::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits =
            group.iter().enumerate().fold(0, |bits, (i, byte)| bits | u32::from(*byte) << (16 - 8 * i));
        for i in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * i) & 63) as usize];
            text.push(if i <= group.len() { digit } else { b'=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_as_the_rfc_has_it() {
        let texts = ["", "f", "fo", "foo", "foob", "fooba", "foobar"].map(|text| base64(text.as_bytes()));
        assert_eq!(
            texts.map(|text| String::from_utf8(text).unwrap()),
            ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"]
        );
    }
}
