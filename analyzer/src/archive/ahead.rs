//! Inflating on a thread of its own, while this one analyses what is already there.
//!
//! Only the decoder moves to the other thread. The input stays here, with its progress and its owner: the other
//! thread says when it has taken a block, and the next one is read for it while waiting for its output.

use std::io::{BufRead, Error, ErrorKind, Read, Result};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};

use super::compression::{self, decode};
use super::window::read_from;
use super::{Input, Kind};

/// Bytes of an inflated block: most members lie whole in one, and threads seldom wake each other.
const INFLATED: usize = 512 << 10;
/// Bytes of a block of the input.
const PACKED: usize = 128 << 10;
/// Inflated blocks that wait here at most: more of them would not stay in the processor's own memory.
const WAITING: usize = 2;
/// Blocks that the decoder has in store, so that it need not wait for one.
const IN_STORE: usize = 2;

/// Bytes on their way; an empty one is the end. Whoever has used one gives it back to be filled again: new memory
/// for each costs more than inflating into it.
struct Block {
    bytes: Vec<u8>,
    from: usize,
    to: usize,
}

impl Block {
    fn new(length: usize) -> Self {
        Self { bytes: vec![0; length], from: 0, to: 0 }
    }

    fn is_empty(&self) -> bool {
        self.from == self.to
    }

    /// Fills it anew; what was read before an error is in it.
    fn fill(&mut self, input: &mut dyn Read) -> Result<()> {
        (self.from, self.to) = (0, 0);
        while self.to < self.bytes.len() {
            match input.read(&mut self.bytes[self.to..]) {
                Ok(0) => break,
                Ok(more) => self.to += more,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn rest(&self) -> &[u8] {
        &self.bytes[self.from..self.to]
    }

    fn consume(&mut self, bytes: usize) {
        self.from = self.to.min(self.from + bytes);
    }
}

/// What the other thread says.
enum Message {
    /// It wants the next block, and gives this one back.
    Taken(Block),
    /// A block of output.
    Output(Result<Block>),
}

/// The stream inside, inflated on this thread where there can be no other.
pub(super) fn inflate(kind: Kind, input: Input<'_>) -> Input<'_> {
    let (to_decoder, blocks) = channel();
    let (messages, from_decoder) = sync_channel(WAITING);
    let (used, to_fill) = channel();
    let work = move || {
        let taken = messages.clone();
        let blocks = Blocks { blocks, taken, block: Block::new(PACKED) };
        // It fails where nobody wants more of it.
        let _ = send_all(&mut *decode(kind, Box::new(blocks)), &messages, &to_fill);
    };
    if std::thread::Builder::new().spawn(work).is_err() {
        return compression::inflate(kind, input);
    }
    let mut ahead =
        Ahead { input, to_decoder, from_decoder, used, block: Block::new(INFLATED), is_over: false };
    for _ in 0..IN_STORE {
        ahead.feed(Block::new(PACKED));
    }
    Box::new(ahead)
}

/// The other thread's work.
fn send_all(
    stream: &mut dyn Read,
    messages: &SyncSender<Message>,
    to_fill: &Receiver<Block>,
) -> std::result::Result<(), ()> {
    loop {
        let mut block = to_fill.try_recv().unwrap_or_else(|_| Block::new(INFLATED));
        let end = block.fill(stream);
        let is_over = block.is_empty();
        if !is_over || end.is_ok() {
            messages.send(Message::Output(Ok(block))).map_err(drop)?;
        }
        match end {
            Err(error) => return messages.send(Message::Output(Err(error))).map_err(drop),
            Ok(()) if is_over => return Ok(()),
            Ok(()) => {}
        }
    }
}

/// The input as the other thread sees it.
struct Blocks {
    blocks: Receiver<Result<Block>>,
    taken: SyncSender<Message>,
    block: Block,
}

impl BufRead for Blocks {
    fn fill_buf(&mut self) -> Result<&[u8]> {
        if self.block.is_empty() {
            let next = self.blocks.recv().map_err(|_| Error::other("stopped"))??;
            let used = std::mem::replace(&mut self.block, next);
            self.taken.send(Message::Taken(used)).map_err(|_| Error::other("stopped"))?;
        }
        Ok(self.block.rest())
    }

    fn consume(&mut self, bytes: usize) {
        self.block.consume(bytes);
    }
}

impl Read for Blocks {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        read_from(self, buffer)
    }
}

/// The output as this thread sees it.
struct Ahead<'r> {
    input: Input<'r>,
    to_decoder: Sender<Result<Block>>,
    from_decoder: Receiver<Message>,
    used: Sender<Block>,
    block: Block,
    is_over: bool,
}

impl Ahead<'_> {
    /// Reads a block of the input for the decoder.
    fn feed(&mut self, mut block: Block) {
        let end = block.fill(&mut self.input);
        // What was read before an error is inflated, too. A decoder that has ended wants nothing.
        let _ = self.to_decoder.send(Ok(block));
        if let Err(error) = end {
            let _ = self.to_decoder.send(Err(error));
        }
    }
}

impl BufRead for Ahead<'_> {
    fn fill_buf(&mut self) -> Result<&[u8]> {
        while self.block.is_empty() && !self.is_over {
            match self.from_decoder.recv() {
                Ok(Message::Taken(block)) => self.feed(block),
                Ok(Message::Output(output)) => {
                    let used = std::mem::replace(&mut self.block, output?);
                    // The other thread may have ended.
                    let _ = self.used.send(used);
                    self.is_over = self.block.is_empty();
                }
                Err(_) => self.is_over = true,
            }
        }
        Ok(self.block.rest())
    }

    fn consume(&mut self, bytes: usize) {
        self.block.consume(bytes);
    }
}

impl Read for Ahead<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        read_from(self, buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufReader, Write as _};

    fn packed() -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        for number in 0..200_000_u32 {
            encoder.write_all(&number.wrapping_mul(2_654_435_761).to_le_bytes()).unwrap();
        }
        encoder.finish().unwrap()
    }

    fn read(mut stream: impl Read) -> (Vec<u8>, Option<String>) {
        let mut bytes = Vec::new();
        let end = stream.read_to_end(&mut bytes);
        (bytes, end.err().map(|error| error.to_string()))
    }

    #[test]
    fn gives_what_one_thread_gives_of_a_damaged_stream_too() {
        let whole = packed();
        for length in [whole.len(), whole.len() - 1, whole.len() / 2, 3 * PACKED, 20, 1, 0] {
            let part = || Box::new(&whole[..length]);
            let (ours, plain) = (read(inflate(Kind::Gzip, part())), read(decode(Kind::Gzip, part())));
            assert!(ours == plain, "{length} bytes: {} and {}, {:?}", ours.0.len(), plain.0.len(), ours.1);
        }
        let mut damaged = whole.clone();
        damaged[whole.len() / 2] ^= 0x55;
        let damaged = read(inflate(Kind::Gzip, Box::new(&damaged[..])));
        assert!(damaged.1.is_some());
    }

    #[test]
    fn an_error_of_the_input_is_told() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> Result<usize> {
                Err(Error::other("the disk is gone"))
            }
        }
        let whole = packed();
        let (bytes, error) =
            read(inflate(Kind::Gzip, Box::new(BufReader::new(whole[..100_000].chain(Broken)))));
        assert_eq!(error.as_deref(), Some("the disk is gone"), "{} bytes", bytes.len());
        assert!(bytes.len() > 50_000, "what came before is there");
    }

    #[test]
    fn may_be_left_before_its_end() {
        let whole = packed();
        let mut stream = inflate(Kind::Gzip, Box::new(&whole[..]));
        let mut first = [0; 8];
        stream.read_exact(&mut first).unwrap();
        drop(stream);
        assert_eq!(first, [0, 0, 0, 0, 0xb1, 0x79, 0x37, 0x9e]);
    }
}
