//! Ours against another hand's: what one packs the other unpacks, and of damage both say that it is there.

use std::io::{Cursor, Read, Write as _};
use std::num::NonZeroU64;

use lzma_rust2::{CheckType, FilterType, XzOptions, XzReader, XzWriter};

use super::XzDecoder;

const LIMIT: u64 = 64 << 20;

/// What was read, and why no more.
type Unpacked = (Vec<u8>, Option<String>);

fn unpack(mut reader: impl Read) -> Unpacked {
    let mut bytes = Vec::new();
    let end = reader.read_to_end(&mut bytes);
    (bytes, end.err().map(|error| error.to_string()))
}

fn ours(packed: &[u8]) -> Unpacked {
    unpack(XzDecoder::new(packed, LIMIT))
}

fn theirs(packed: &[u8]) -> Unpacked {
    unpack(XzReader::new_mem_limit(packed, true, 65 << 10))
}

fn pack(bytes: &[u8], options: XzOptions) -> Vec<u8> {
    let mut writer = XzWriter::new(Vec::new(), options).unwrap();
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

/// Bytes that look random.
fn noise(length: usize) -> impl Iterator<Item = u8> {
    (0..length as u64).map(|n| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8 ^ (n >> 9) as u8)
}

/// What repeats, what does not, and long runs of one byte.
fn mixture() -> Vec<u8> {
    let mut bytes = Vec::new();
    for number in 0..4000 {
        bytes.extend(format!("{number} 1 0:{} / /m/{number} rw - overlay o rw\n", number % 50).bytes());
    }
    bytes.extend(noise(150_000));
    bytes.extend([0; 70_000]);
    let beginning = bytes[..90_000].to_vec();
    bytes.extend(beginning);
    bytes
}

#[test]
fn unpacks_what_another_packs() {
    let mixture = mixture();
    let mut all = Vec::new();
    let properties = [(3, 0, 2), (0, 4, 4), (4, 0, 0), (1, 3, 1), (0, 0, 2)];
    let checks = [CheckType::Crc64, CheckType::None, CheckType::Crc32, CheckType::Sha256, CheckType::Crc64];
    for (at, ((lc, lp, pb), check)) in properties.into_iter().zip(checks).enumerate() {
        // A small dictionary is gone round many times.
        for (dictionary, bytes) in [(4096, &mixture[..]), (1 << 20, &mixture), (4096, b""), (4096, b"a")] {
            let mut options = XzOptions::with_preset(at as u32);
            options.set_check_sum_type(check);
            options.set_block_size(NonZeroU64::new(100_000).filter(|_| at % 2 == 1));
            let lzma = &mut options.lzma_options;
            (lzma.dict_size, lzma.lc, lzma.lp, lzma.pb) = (dictionary, lc, lp, pb);
            let packed = pack(bytes, options);
            let (unpacked, error) = ours(&packed);
            assert!(unpacked == bytes && error.is_none(), "lc {lc} lp {lp} pb {pb}: {error:?}");
            all.push((bytes, packed));
        }
    }
    // One stream after another, with padding between and at the end.
    let padded = |packed: &[u8]| [packed, &[0; 4]].concat();
    let together: Vec<u8> = all.iter().flat_map(|(_, packed)| padded(packed)).collect();
    let expected: Vec<u8> = all.iter().flat_map(|(bytes, _)| bytes.to_vec()).collect();
    assert!(ours(&together) == (expected, None));
}

#[test]
fn what_was_read_before_the_end_stays() {
    let mixture = mixture();
    let packed = pack(&mixture, XzOptions::with_preset(1));
    for length in (0..packed.len()).step_by(packed.len() / 50) {
        let (unpacked, error) = ours(&packed[..length]);
        assert_eq!(error.as_deref(), Some("the xz stream ends too early"), "{length}");
        assert!(mixture.starts_with(&unpacked));
        assert!(unpacked.len() >= theirs(&packed[..length]).0.len(), "{length}");
    }
}

#[test]
fn no_damage_goes_unseen() {
    let mut options = XzOptions::with_preset(1);
    options.set_block_size(NonZeroU64::new(60_000));
    let packed = pack(&mixture()[..130_000], options);
    let mut seen = Vec::new();
    // Every byte of the headers at both ends, and some between.
    let ends = (0..40).chain(packed.len() - 60..packed.len());
    for at in ends.chain((40..packed.len() - 60).step_by(197)) {
        let mut damaged = packed.clone();
        damaged[at] ^= 1 << (at % 8);
        let (_, error) = ours(&damaged);
        assert!(theirs(&damaged).1.is_some(), "byte {at}");
        seen.push(error.unwrap_or_else(|| panic!("byte {at} of {}", packed.len())));
    }
    seen.sort_unstable();
    seen.dedup();
    assert!(seen.len() > 6, "{seen:#?}");
    for (behind, error) in [(&[0, 0, 0][..], "multiple of four"), (b"no more streams", "no stream")] {
        let (_, told) = ours(&[&packed, behind].concat());
        assert!(told.as_ref().is_some_and(|told| told.contains(error)), "{told:?}");
    }
}

#[test]
fn a_filter_that_is_not_read_is_named() {
    let mut options = XzOptions::with_preset(1);
    options.prepend_pre_filter(FilterType::Delta, 4);
    let (unpacked, error) = ours(&pack(b"sound", options));
    assert!(unpacked.is_empty());
    assert!(error.as_ref().is_some_and(|error| error.contains("a filter that is not read")), "{error:?}");
}

#[test]
fn memory_follows_what_is_unpacked() {
    let mut options = XzOptions::with_preset(0);
    options.lzma_options.dict_size = 1 << 27;
    let packed = pack(b"a few bytes", options);
    let why = "it needs a dictionary of 134217728 bytes, and 67108864 are the limit";
    assert_eq!(ours(&packed), (Vec::new(), Some(why.to_owned())));
    let mut small = XzDecoder::new(Cursor::new(&packed), 1 << 27);
    let mut first = [0; 5];
    small.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"a few");
    let window = &small.stream.unwrap().block.unwrap().data.window;
    assert!(window.memory() < 1 << 20, "{} bytes for eleven", window.memory());
}
