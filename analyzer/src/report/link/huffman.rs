//! Huffman codes as deflate wants them: lengths with a limit, canonical, written from the highest bit.

/// A code: the length and the bits of each symbol.
pub(super) struct Code {
    pub(super) lengths: Vec<u8>,
    bits: Vec<u32>,
}

impl Code {
    /// The canonical code with these lengths (RFC 1951, 3.2.2), its bits turned round for a stream that begins
    /// with the lowest.
    pub(super) fn of(lengths: Vec<u8>) -> Self {
        let mut next = [0_u32; 17];
        for length in 1..16 {
            let of_length = lengths.iter().filter(|l| **l == length).count() as u32;
            next[usize::from(length) + 1] = (next[usize::from(length)] + of_length) << 1;
        }
        let bits = lengths
            .iter()
            .map(|length| {
                let code = next[usize::from(*length)];
                next[usize::from(*length)] += 1;
                if *length == 0 { 0 } else { code.reverse_bits() >> (32 - u32::from(*length)) }
            })
            .collect();
        Self { lengths, bits }
    }

    pub(super) fn of_symbol(&self, symbol: usize) -> (u32, u8) {
        (self.bits[symbol], self.lengths[symbol])
    }

    /// How many symbols there are up to the last one that is used.
    pub(super) fn used(&self) -> usize {
        self.lengths.iter().rposition(|l| *l > 0).map_or(0, |at| at + 1)
    }
}

/// Lengths of a Huffman code for these frequencies, none above `limit`. A symbol alone gets one bit.
pub(super) fn lengths(frequencies: &[u32], limit: u8) -> Vec<u8> {
    let mut flattened = 0;
    loop {
        let weights: Vec<u32> =
            frequencies.iter().map(|f| if *f == 0 { 0 } else { (f >> flattened).max(1) }).collect();
        let lengths = unlimited(&weights);
        if lengths.iter().all(|l| *l <= limit) {
            return lengths;
        }
        // Rare: flatter frequencies give shorter codes, at the cost of a few bits.
        flattened += 1;
    }
}

fn unlimited(weights: &[u32]) -> Vec<u8> {
    let mut lengths = vec![0_u8; weights.len()];
    // Leaves by weight, the lightest first; equal ones by symbol, so that they always join alike.
    let mut leaves: Vec<usize> = (0..weights.len()).filter(|s| weights[*s] > 0).collect();
    crate::order::sort_by_key(&mut leaves, |symbol| weights[*symbol]);
    if let [only] = leaves[..] {
        lengths[only] = 1;
        return lengths;
    }
    // Nodes: first the leaves, then what joins two; joined ones come out in the order of their weight, too.
    let mut nodes: Vec<u32> = leaves.iter().map(|symbol| weights[*symbol]).collect();
    let mut parents = vec![0; leaves.len()];
    let (mut next_leaf, mut next_joined) = (0, leaves.len());
    let mut lightest = |nodes: &[u32]| {
        let leaf = (next_leaf < leaves.len()).then(|| nodes[next_leaf]);
        if leaf.is_some_and(|leaf| nodes.get(next_joined).is_none_or(|joined| leaf <= *joined)) {
            next_leaf += 1;
            next_leaf - 1
        } else {
            next_joined += 1;
            next_joined - 1
        }
    };
    for joined in leaves.len()..(2 * leaves.len()).saturating_sub(1) {
        let (a, b) = (lightest(&nodes), lightest(&nodes));
        nodes.push(nodes[a] + nodes[b]);
        (parents[a], parents[b]) = (joined, joined);
        parents.push(0);
    }
    // From the root down: a node is one deeper than its parent.
    let mut depths = vec![0_u8; nodes.len()];
    for node in (0..nodes.len().saturating_sub(1)).rev() {
        depths[node] = depths[parents[node]].saturating_add(1);
    }
    for (leaf, symbol) in leaves.iter().enumerate() {
        lengths[*symbol] = depths[leaf];
    }
    lengths
}

/// Code lengths as symbols of the code for code lengths: symbol, extra value, extra bits.
pub(super) fn runs(lengths: &[u8]) -> Vec<(u8, u8, u8)> {
    let mut out = Vec::new();
    let mut rest = lengths;
    while let Some(first) = rest.first() {
        let mut run = rest.iter().take_while(|l| *l == first).count();
        rest = &rest[run..];
        if *first > 0 {
            out.push((*first, 0, 0));
            run -= 1;
        }
        while run > 0 {
            let taken = match (*first, run) {
                (0, 11..) => {
                    let taken = run.min(138);
                    out.push((18, (taken - 11) as u8, 7));
                    taken
                }
                (0, 3..) => {
                    out.push((17, (run - 3) as u8, 3));
                    run
                }
                (1.., 3..) => {
                    let taken = run.min(6);
                    out.push((16, (taken - 3) as u8, 2));
                    taken
                }
                _ => {
                    out.push((*first, 0, 0));
                    1
                }
            };
            run -= taken;
        }
    }
    out
}
