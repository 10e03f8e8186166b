//! Made-up ids that are the same in every run.

/// 64 hex digits that depend on nothing but `label`: good for container and layer ids.
pub fn hex64(label: &str) -> String {
    // FNV-1a seeds splitmix64: short, well spread, and obviously no real id.
    let mut state = label.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (0..4).map(|_| format!("{:016x}", splitmix64(&mut state))).collect()
}

/// Letters and digits as `mkdtemp` makes them, e.g. for the directories of `PrivateTmp=`.
pub fn suffix(label: &str) -> String {
    const ALPHABET: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    hex64(label)
        .as_bytes()
        .chunks(2)
        .take(6)
        .map(|pair| {
            let value = pair.iter().fold(0, |sum, byte| sum * 31 + usize::from(*byte));
            char::from(ALPHABET[value % ALPHABET.len()])
        })
        .collect()
}

fn splitmix64(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
