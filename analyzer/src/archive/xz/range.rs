//! The range decoder: bits out of bytes, each as likely as its probability says.

/// The most bytes of a packed chunk.
pub(super) const CHUNK: usize = 1 << 16;

/// How likely a bit is 0, in 2048ths.
pub(super) type Probability = u16;
/// 0 and 1 are equally likely.
pub(super) const EVEN: Probability = 1 << 10;

/// A number's place in the packed chunk. Beyond the chunk's end it reads whatever is there: the end is checked once.
#[derive(Clone, Copy)]
pub(super) struct Range {
    range: u32,
    code: u32,
    position: usize,
}

impl Range {
    /// Begins with the first five bytes; `None` where the first is not 0.
    pub(super) fn new(packed: &[u8; CHUNK]) -> Option<Self> {
        let [0, code @ ..] = *packed.first_chunk::<5>()? else { return None };
        Some(Self { range: u32::MAX, code: u32::from_be_bytes(code), position: 5 })
    }

    /// Whether a chunk of that length was read to its end and no further.
    pub(super) fn is_at_end(mut self, packed: &[u8; CHUNK], length: usize) -> bool {
        self.normalize(packed);
        self.position == length && self.code == 0
    }

    #[inline(always)]
    fn normalize(&mut self, packed: &[u8; CHUNK]) {
        if self.range < 1 << 24 {
            self.range <<= 8;
            self.code = self.code << 8 | u32::from(packed[self.position % CHUNK]);
            self.position += 1;
        }
    }

    /// The next bit.
    #[inline(always)]
    pub(super) fn bit(&mut self, packed: &[u8; CHUNK], probability: &mut Probability) -> usize {
        self.normalize(packed);
        let bound = (self.range >> 11) * u32::from(*probability);
        if self.code < bound {
            self.range = bound;
            *probability += (2048 - *probability) >> 5;
            0
        } else {
            self.range -= bound;
            self.code -= bound;
            *probability -= *probability >> 5;
            1
        }
    }

    /// So many bits, each as likely 0 as 1.
    #[inline(always)]
    pub(super) fn even_bits(&mut self, packed: &[u8; CHUNK], count: u32) -> u32 {
        let mut bits = 0;
        for _ in 0..count {
            self.normalize(packed);
            self.range >>= 1;
            let is_one = self.code >= self.range;
            self.code -= if is_one { self.range } else { 0 };
            bits = bits << 1 | u32::from(is_one);
        }
        bits
    }

    /// A number below `N`, a power of two, its highest bit first. A bit's probability depends on those before it.
    #[inline(always)]
    pub(super) fn number<const N: usize>(
        &mut self,
        packed: &[u8; CHUNK],
        tree: &mut [Probability; N],
    ) -> usize {
        let mut node = 1;
        while node < N {
            node = node << 1 | self.bit(packed, &mut tree[node % N]);
        }
        node - N
    }

    /// A number of so many bits, its lowest bit first, in the tree that begins at `first` - 1.
    #[inline(always)]
    pub(super) fn reversed<const N: usize>(
        &mut self,
        packed: &[u8; CHUNK],
        trees: &mut [Probability; N],
        first: usize,
        bits: u32,
    ) -> u32 {
        let (mut node, mut number) = (1, 0);
        for at in 0..bits {
            let bit = self.bit(packed, &mut trees[(first + node) % N]);
            node = node << 1 | bit;
            number |= (bit as u32) << at;
        }
        number
    }
}
