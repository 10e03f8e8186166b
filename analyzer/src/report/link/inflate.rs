//! Unpacks what a link holds, never more than a link can.

use super::LinkError;
use flate2::{Decompress, FlushDecompress, Status};

/// Most bytes that a link may unpack to.
const MAX_BYTES: usize = 1 << 20;

/// Inflates a raw deflate stream that may refer to `dictionary` (at most 65,535 bytes).
pub(super) fn inflate(packed: &[u8], dictionary: &[u8]) -> Result<Vec<u8>, LinkError> {
    let mut inflate = Decompress::new(false);
    // The dictionary goes first as a stored block (RFC 1951, 3.2.4): then it is in the window, whatever the inflater.
    let length = u16::try_from(dictionary.len()).map_err(|_| LinkError::Damaged)?;
    let mut input = vec![0];
    input.extend_from_slice(&length.to_le_bytes());
    input.extend_from_slice(&(!length).to_le_bytes());
    input.extend_from_slice(dictionary);
    input.extend_from_slice(packed);
    let mut out = Vec::with_capacity(dictionary.len() + packed.len() * 8);
    loop {
        let read = usize::try_from(inflate.total_in()).unwrap_or(usize::MAX);
        let rest = input.get(read..).unwrap_or_default();
        let (before, room) = (inflate.total_in(), out.len());
        match inflate.decompress_vec(rest, &mut out, FlushDecompress::None) {
            Ok(Status::StreamEnd) => break,
            Ok(_) if out.len() > MAX_BYTES => return Err(LinkError::TooLong),
            // No step forward with room left: the stream has no end.
            Ok(_) if inflate.total_in() == before && out.len() == room && out.len() < out.capacity() => {
                return Err(LinkError::Damaged);
            }
            Ok(_) => out.reserve(16 << 10),
            Err(_) => return Err(LinkError::Damaged),
        }
    }
    if inflate.total_in() != input.len() as u64 {
        return Err(LinkError::Damaged);
    }
    Ok(out.split_off(dictionary.len().min(out.len())))
}
