//! What a block's data is checked by.

use flate2::Crc;
use sha2::{Digest as _, Sha256};

use super::crc64::Crc64;

/// A checksum in the making.
pub(super) enum Check {
    None,
    Crc32(Crc),
    Crc64(Crc64),
    Sha256(Box<Sha256>),
}

impl Check {
    /// The one of that number in a stream's flags (section 2.1.1.2 of the format).
    pub(super) fn new(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::None),
            1 => Some(Self::Crc32(Crc::new())),
            4 => Some(Self::Crc64(Crc64::new())),
            10 => Some(Self::Sha256(Box::default())),
            _ => None,
        }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::None => {}
            Self::Crc32(crc) => crc.update(bytes),
            Self::Crc64(crc) => crc.update(bytes),
            Self::Sha256(hash) => hash.update(bytes),
        }
    }

    /// As it stands behind the data.
    pub(super) fn finish(self) -> Vec<u8> {
        match self {
            Self::None => Vec::new(),
            Self::Crc32(crc) => crc.sum().to_le_bytes().to_vec(),
            Self::Crc64(crc) => crc.sum().to_le_bytes().to_vec(),
            Self::Sha256(hash) => hash.finalize().to_vec(),
        }
    }
}
