//! CRC-64 as xz has it (ECMA-182, reflected).

/// With the processor's instructions for it, natively.
#[cfg(not(target_arch = "wasm32"))]
pub(super) struct Crc64(crc64fast::Digest);

#[cfg(not(target_arch = "wasm32"))]
impl Crc64 {
    pub(super) fn new() -> Self {
        Self(crc64fast::Digest::new())
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
    }

    pub(super) fn sum(&self) -> u64 {
        self.0.sum64()
    }
}

#[cfg(target_arch = "wasm32")]
pub(super) use tables::Crc64;

/// Eight bytes at a time by tables, which are made when they are needed: as data they would make the page larger by
/// 16 KiB that cannot be packed.
#[cfg(any(target_arch = "wasm32", test))]
mod tables {
    const POLYNOMIAL: u64 = 0xc96c_5795_d787_0f42;

    pub(in super::super) struct Crc64 {
        sum: u64,
        /// What a byte adds that so many others follow.
        tables: Box<[[u64; 256]; 8]>,
    }

    impl Crc64 {
        pub(in super::super) fn new() -> Self {
            let mut tables = Box::new([[0; 256]; 8]);
            for byte in 0..256 {
                let mut sum = byte as u64;
                for table in tables.iter_mut() {
                    for _ in 0..8 {
                        sum = sum >> 1 ^ if sum & 1 == 1 { POLYNOMIAL } else { 0 };
                    }
                    table[byte] = sum;
                }
            }
            Self { sum: !0, tables }
        }

        pub(in super::super) fn update(&mut self, bytes: &[u8]) {
            let (words, rest) = bytes.as_chunks::<8>();
            for word in words {
                let together = (self.sum ^ u64::from_le_bytes(*word)).to_le_bytes();
                let parts = together.iter().zip(self.tables.iter().rev());
                self.sum = parts.fold(0, |sum, (byte, table)| sum ^ table[usize::from(*byte)]);
            }
            for byte in rest {
                let index = (self.sum as u8) ^ byte;
                self.sum = self.sum >> 8 ^ self.tables[0][usize::from(index)];
            }
        }

        pub(in super::super) fn sum(&self) -> u64 {
            !self.sum
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_come_to_the_published_check_value() {
        let (mut ours, mut page) = (Crc64::new(), tables::Crc64::new());
        ours.update(b"123456789");
        page.update(b"123456789");
        // CRC-64/XZ in the catalogue of parametrised CRC algorithms.
        assert_eq!((ours.sum(), page.sum()), (0x995d_c9bb_df19_39fa, 0x995d_c9bb_df19_39fa));
    }
}
