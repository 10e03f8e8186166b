//! A file system that misbehaves: the least of the FUSE protocol (`linux/fuse.h`) that serves a small tree read-only.

use std::ffi::CString;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsRawFd;

use super::Mounted;

/// What a node of the tree is, and how it answers a read.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    Directory(Vec<(String, Node)>),
    Text(String),
    /// The text, seven bytes at a time.
    ShortReads(String),
    Link(String),
    /// A named pipe.
    Pipe,
    /// Reading fails with `EIO`.
    Broken,
    /// Reading is not answered before the reader is ended.
    Silent,
}

impl Node {
    /// A directory.
    pub(crate) fn directory(entries: impl IntoIterator<Item = (&'static str, Self)>) -> Self {
        Self::Directory(entries.into_iter().map(|(name, node)| (name.to_owned(), node)).collect())
    }

    fn mode(&self) -> u32 {
        match self {
            Self::Directory(_) => libc::S_IFDIR | 0o555,
            Self::Link(_) => libc::S_IFLNK | 0o777,
            Self::Pipe => libc::S_IFIFO | 0o444,
            _ => libc::S_IFREG | 0o444,
        }
    }
}

/// Mounts the tree at a directory and serves it from a thread until it is unmounted.
pub(crate) fn serve(tree: Node, at: &str) -> Mounted {
    let device = File::options().read(true).write(true).open("/dev/fuse").unwrap();
    let options = format!("fd={},rootmode=40000,user_id=0,group_id=0,allow_other", device.as_raw_fd());
    let [source, target, kind, options] =
        ["ebusy-fuse", at, "fuse", &options].map(|text| CString::new(text).unwrap());
    // SAFETY: all texts are NUL-terminated and outlive the call.
    let result = unsafe {
        libc::mount(source.as_ptr(), target.as_ptr(), kind.as_ptr(), libc::MS_RDONLY, options.as_ptr().cast())
    };
    assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
    let mut nodes = Vec::new();
    flatten(tree, &mut nodes);
    std::thread::spawn(move || Server { device, nodes }.run());
    Mounted(at.to_owned())
}

/// A node and its children's names and numbers. A node's number is its place here, from 1.
struct Numbered {
    node: Node,
    children: Vec<(String, u64)>,
}

fn flatten(node: Node, nodes: &mut Vec<Numbered>) -> u64 {
    let at = nodes.len();
    nodes.push(Numbered { node: node.clone(), children: vec![] });
    if let Node::Directory(entries) = node {
        let children = entries.into_iter().map(|(name, node)| (name, flatten(node, nodes))).collect();
        nodes[at].children = children;
    }
    at as u64 + 1
}

struct Server {
    device: File,
    nodes: Vec<Numbered>,
}

enum Answer {
    Data(Vec<u8>),
    Error(i32),
    None,
}

impl Server {
    fn run(mut self) {
        let mut request = vec![0; 256 << 10];
        // ENODEV: it was unmounted.
        while let Ok(length) = self.device.read(&mut request) {
            // INTERRUPT names the request whose process was ended; until it is answered, that process cannot end.
            let is_interrupt = number(&request, 4) as u32 == 36;
            let unique = number(&request, if is_interrupt { 40 } else { 8 });
            let (error, data) = match self.answer(&request[..length]) {
                Answer::Data(data) => (0, data),
                Answer::Error(error) => (-error, vec![]),
                Answer::None => continue,
            };
            let mut reply = (16 + data.len() as u32).to_le_bytes().to_vec();
            reply.extend(error.to_le_bytes());
            reply.extend(unique.to_le_bytes());
            reply.extend(data);
            // An interrupted request is not waited for any more.
            self.device.write_all(&reply).ok();
        }
    }

    fn answer(&self, request: &[u8]) -> Answer {
        let operation = number(request, 4) as u32;
        if operation == 36 {
            return Answer::Error(libc::EINTR);
        }
        let id = number(request, 16);
        let body = &request[40..];
        let Some(Numbered { node, children }) = self.nodes.get((id as usize).wrapping_sub(1)) else {
            // INIT concerns no node: version 7.31, 4 KiB at most.
            let init = [7u32, 31, 4096, 0, 0, 4096, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
            return if operation == 26 {
                Answer::Data(init.map(u32::to_le_bytes).concat())
            } else {
                Answer::None
            };
        };
        match operation {
            // LOOKUP
            1 => {
                let name = String::from_utf8_lossy(&body[..body.len() - 1]).into_owned();
                let Some((_, child)) = children.iter().find(|(known, _)| *known == name) else {
                    return Answer::Error(libc::ENOENT);
                };
                let entry = [*child, 0, 0, 0, 0].map(u64::to_le_bytes).concat();
                Answer::Data([entry, self.attributes(*child)].concat())
            }
            // GETATTR
            3 => Answer::Data([vec![0; 16], self.attributes(id)].concat()),
            // READLINK
            5 => match node {
                Node::Link(target) => Answer::Data(target.clone().into_bytes()),
                _ => Answer::Error(libc::EINVAL),
            },
            // OPEN, without the page cache, so that reads are as short as they are answered; and OPENDIR.
            14 | 27 => Answer::Data([0u64, 1].map(u64::to_le_bytes).concat()),
            // READ
            15 => {
                let (from, size) = (number(body, 8) as usize, number(body, 16) as u32 as usize);
                let part = |text: &String, most: usize| {
                    let rest = text.as_bytes().get(from..).unwrap_or_default();
                    Answer::Data(rest[..rest.len().min(most)].to_vec())
                };
                match node {
                    Node::Text(text) => part(text, size),
                    Node::ShortReads(text) => part(text, size.min(7)),
                    Node::Silent => Answer::None,
                    _ => Answer::Error(libc::EIO),
                }
            }
            // READDIR, all of it at once
            28 if number(body, 8) > 0 => Answer::Data(vec![]),
            28 => Answer::Data(children.iter().flat_map(|(name, child)| entry_of(name, *child)).collect()),
            // STATFS
            17 => Answer::Data(vec![0; 80]),
            // FLUSH, RELEASE, RELEASEDIR
            25 | 18 | 29 => Answer::Data(vec![]),
            // FORGET and BATCH_FORGET want no answer.
            2 | 42 => Answer::None,
            _ => Answer::Error(libc::ENOSYS),
        }
    }

    /// `struct fuse_attr`.
    fn attributes(&self, id: u64) -> Vec<u8> {
        let mode = self.nodes[id as usize - 1].node.mode();
        let times = [id, 0, 0, 0, 0, 0].map(u64::to_le_bytes).concat();
        [times, [0, 0, 0, mode, 1, 0, 0, 0, 4096, 0].map(u32::to_le_bytes).concat()].concat()
    }
}

/// `struct fuse_dirent`.
fn entry_of(name: &str, id: u64) -> Vec<u8> {
    let mut entry = [id, 1].map(u64::to_le_bytes).concat();
    entry.extend([name.len() as u32, 0].map(u32::to_le_bytes).concat());
    entry.extend(name.as_bytes());
    entry.resize(entry.len().next_multiple_of(8), 0);
    entry
}

/// The number at this place; of a shorter one the caller takes the lower half.
fn number(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
}
