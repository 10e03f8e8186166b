//! Small bundles read while nobody waits: the demo, and one made up on the spot. Browsers make machine code of a function
//! when it is first called, and again, faster code, when it has run for a while: without this, who drops a file waits
//! for both. The demo has something of everything, the other one much of what takes the time of large bundles.

use super::host::Host;
use super::protocol::{Request, Response};
use ebusy_analyzer::json;
use std::io::Read;

/// Mounts of the one process.
const MOUNTS: u32 = 40;
/// How often the process is repeated in a piece that is packed, and the piece in the bundle: a megabyte.
const TIMES: usize = 8;
const PIECES: usize = 10;
/// So many bundles are enough; a file that comes meanwhile waits for the end of one at most.
pub const ROUNDS: u32 = 10;

/// Reads the bundle that is made up.
pub fn rehearse() {
    let piece = gzip(&process(), TIMES);
    rehearse_with(&piece.repeat(PIECES)[..]);
}

/// Does all that is done with a bundle, also what the page does with the answers, and forgets it.
pub fn rehearse_with(bundle: impl Read) {
    let said = |response: Response| {
        let heard = serde_json::to_string(&response).map(|text| json::record::<Response>(text.as_bytes()));
        debug_assert!(matches!(heard, Ok(Ok(_))), "an answer is not understood");
    };
    let mut host = Host::default();
    host.explain_first();
    host.open(bundle, &mut |response| said(response));
    said(host.answer(Request::Census));
}

/// Members of a tar: what the collector takes of a process.
fn process() -> Vec<u8> {
    let mut tar = Vec::new();
    let mut table = String::new();
    for mount in 0..MOUNTS {
        table += &format!(
            "{} 1 0:{mount} / /var/lib/docker/overlay2/{mount:064x}/merged rw,relatime - overlay overlay rw\n",
            mount + 20
        );
    }
    member(&mut tar, "mountinfo", b'0', "", &table);
    member(&mut tar, "cmdline", b'0', "", "/usr/bin/service\0--port\0");
    member(&mut tar, "stat", b'0', "", "7 (service) S 1 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 21 0 0 0\n");
    member(&mut tar, "status", b'0', "", "Name:\tservice\nState:\tS (sleeping)\nPid:\t7\nPPid:\t1\n");
    member(&mut tar, "cgroup", b'0', "", "0::/system.slice/service.service\n");
    member(&mut tar, "ns/mnt", b'2', "mnt:[4026531840]", "");
    tar
}

/// A file or link of process 7 (POSIX ustar).
fn member(tar: &mut Vec<u8>, name: &str, kind: u8, target: &str, text: &str) {
    let mut header = [0; 512];
    let mut put = |at: usize, field: &str| header[at..at + field.len()].copy_from_slice(field.as_bytes());
    put(0, &format!("proc/7/{name}"));
    put(124, &format!("{:011o}", text.len()));
    put(148, "        ");
    put(157, target);
    put(257, "ustar\x0000");
    header[156] = kind;
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    tar.extend(header);
    tar.extend(text.bytes());
    tar.resize(tar.len().next_multiple_of(512), 0);
}

/// The text so many times as a member of gzip (RFC 1952), in fixed codes (RFC 1951, section 3.2.6): once byte by byte,
/// then as repetitions of 256 bytes.
fn gzip(text: &[u8], times: usize) -> Vec<u8> {
    let mut bits = Bits::default();
    // The last block, and of that kind.
    bits.put(0b011, 3);
    for byte in text {
        match *byte {
            byte @ 0..144 => bits.put_code(0x30 + u32::from(byte), 8),
            byte => bits.put_code(0x100 + u32::from(byte), 9),
        }
    }
    // Twice as many codes with each bit more, and two codes with each number of them (section 3.2.5).
    let distance = text.len() as u32 - 1;
    let extra = distance.ilog2() - 1;
    let code = 2 * (extra + 1) + (distance >> extra & 1);
    for _ in 0..text.len() * (times - 1) / 256 {
        // Lengths from 227 on have code 284, and five bits more.
        bits.put_code(0xc4, 8);
        bits.put(256 - 227, 5);
        bits.put_code(code, 5);
        bits.put(distance & ((1 << extra) - 1), extra);
    }
    bits.put(0, 7);
    let whole = text.repeat(times);
    let mut sum = !0_u32;
    for byte in &whole {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = sum >> 1 ^ if sum & 1 == 1 { 0xedb8_8320 } else { 0 };
        }
    }
    let begin = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    [&begin[..], &bits.finish(), &(!sum).to_le_bytes(), &(whole.len() as u32).to_le_bytes()].concat()
}

/// Bits, the lowest of each byte first.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    waiting: u32,
    count: u32,
}

impl Bits {
    /// A number, its lowest bit first.
    fn put(&mut self, number: u32, count: u32) {
        self.waiting |= number << self.count;
        self.count += count;
        while self.count >= 8 {
            self.bytes.push((self.waiting & 0xff) as u8);
            self.waiting >>= 8;
            self.count -= 8;
        }
    }

    /// A code, its highest bit first.
    fn put_code(&mut self, code: u32, count: u32) {
        self.put(code.reverse_bits() >> (32 - count), count);
    }

    fn finish(mut self) -> Vec<u8> {
        self.put(0, 7);
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ebusy_analyzer::Analysis;
    use std::ops::ControlFlow;

    #[test]
    fn the_bundle_is_a_whole_one() {
        let piece = gzip(&process(), TIMES);
        let analysis = Analysis::open(&piece.repeat(PIECES)[..], &mut |_| ControlFlow::Continue(())).unwrap();
        let snapshot = analysis.snapshot();
        assert_eq!(snapshot.processes.len(), 1);
        assert_eq!(snapshot.tables[0].mounts().count(), MOUNTS as usize);
        assert!(snapshot.facts.complete, "{:?}", snapshot.diagnostics);
        assert!(process().len() * TIMES * PIECES * ROUNDS as usize > 6 << 20, "enough to be called often");
        rehearse();
    }
}
