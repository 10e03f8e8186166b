//! Compressions that can be taken off a stream. All decoders are Rust, so that the page has them, too.

use std::io::Read;

use flate2::bufread::MultiGzDecoder;

use super::Input;
use super::sniff::Kind;
use super::xz::XzDecoder;

/// The largest dictionary of an xz stream, in bytes: `xz -9` has 64 MiB.
const XZ_DICTIONARY: u64 = 256 << 20;

/// Whether this is a compression that is read here.
pub(super) fn is_read(kind: Kind) -> bool {
    let optional =
        (cfg!(feature = "zstd") && kind == Kind::Zstd) || (cfg!(feature = "bzip2") && kind == Kind::Bzip2);
    optional || matches!(kind, Kind::Gzip | Kind::Xz)
}

/// The stream inside. One type of input, because each decoder would be built once more for every other.
pub(super) fn decode(kind: Kind, input: Input<'_>) -> Box<dyn Read + '_> {
    match kind {
        Kind::Gzip => Box::new(MultiGzDecoder::new(input)),
        Kind::Xz => Box::new(XzDecoder::new(input, XZ_DICTIONARY)),
        #[cfg(feature = "bzip2")]
        Kind::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(input)),
        #[cfg(feature = "zstd")]
        Kind::Zstd => Box::new(Frames { input: Some(input), decoder: None }),
        _ => Box::new(input),
    }
}

/// The same a block at a time, inflated on this thread.
pub(super) fn inflate(kind: Kind, input: Input<'_>) -> Input<'_> {
    Box::new(std::io::BufReader::with_capacity(super::BLOCK, decode(kind, input)))
}

/// zstd's frames one after another: `pzstd` and `cat a.zst b.zst` write several, and skippable ones between.
#[cfg(feature = "zstd")]
struct Frames<R: Read> {
    input: Option<R>,
    decoder: Option<ruzstd::decoding::StreamingDecoder<R, ruzstd::decoding::FrameDecoder>>,
}

#[cfg(feature = "zstd")]
impl<R: std::io::BufRead> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        loop {
            if let Some(decoder) = &mut self.decoder {
                let n = decoder.read(buffer)?;
                if n > 0 || buffer.is_empty() {
                    return Ok(n);
                }
                self.input = self.decoder.take().map(ruzstd::decoding::StreamingDecoder::into_inner);
            }
            let Some(mut input) = self.input.take() else { return Ok(0) };
            if input.fill_buf()?.is_empty() {
                return Ok(0);
            }
            self.decoder = Some(
                ruzstd::decoding::StreamingDecoder::new(input)
                    .map_err(|e| std::io::Error::new(std::io::ErrorKind::InvalidData, e.to_string()))?,
            );
        }
    }
}
