//! Compression of what goes into the page, where each byte is downloaded by everybody.

use anyhow::Result;
use flate2::{Compression, GzBuilder};
use lzma_rust2::{EncodeMode, LzmaOptions, LzmaWriter, MfType, XzOptions, XzWriter};
use std::io::Write as _;

/// As small as it gets. `pb` 0, because code and text have no pattern of four bytes.
fn smallest() -> LzmaOptions {
    LzmaOptions {
        dict_size: 4 << 20,
        lc: 3,
        lp: 0,
        pb: 0,
        mode: EncodeMode::Normal,
        nice_len: LzmaOptions::NICE_LEN_MAX,
        mf: MfType::Bt4,
        depth_limit: 512,
        preset_dict: None,
    }
}

/// An .lzma file with its size in the header and no end mark, as `unlzma` in `index.html` reads it.
pub(crate) fn lzma(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = LzmaWriter::new_use_header(Vec::new(), &smallest(), Some(bytes.len() as u64))?;
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

/// An .xz file.
pub(crate) fn xz(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut options = XzOptions::with_preset(9);
    options.lzma_options = smallest();
    let mut encoder = XzWriter::new(Vec::new(), options)?;
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

/// A .gz file without a time stamp, so that the same bytes give the same bytes.
pub(crate) fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_the_one_that_the_page_takes_for_granted() {
        let packed = lzma(&[7; 70_000]).unwrap();
        assert_eq!(packed[0], 3, "lc 3, lp 0, pb 0");
        assert_eq!(packed[5..13], 70_000u64.to_le_bytes(), "the size stands where the page reads it");
        let mut plain = Vec::new();
        let mut reader = lzma_rust2::LzmaReader::new_mem_limit(&packed[..], 64 << 10, None).unwrap();
        std::io::Read::read_to_end(&mut reader, &mut plain).unwrap();
        assert_eq!(plain, [7; 70_000]);
    }
}
