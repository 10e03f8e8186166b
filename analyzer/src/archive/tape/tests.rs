//! Held against the crate's own iterator, which other programs read archives with.

use super::*;
use std::io::BufReader;
use tar::{Archive, Builder};

/// What a member is said to be: kind, path, link, content.
type Said = (u8, Vec<u8>, Vec<u8>, Vec<u8>);

/// What we say of an archive, and how it ends; `block` bytes come at once.
fn ours(tar: &[u8], block: usize) -> (Vec<Said>, Option<String>) {
    let window = Window::new(Box::new(BufReader::with_capacity(block, tar)));
    let mut tape = Tape::new(window, 1 << 20);
    let (mut said, mut member) = (Vec::new(), Member::default());
    loop {
        match tape.next(&mut member) {
            Ok(true) => {}
            Ok(false) => return (said, None),
            Err(why) => return (said, Some(why)),
        }
        let mut content = Vec::new();
        let kind = match member.kind {
            MemberKind::File => 0,
            MemberKind::Sparse => 1,
            MemberKind::Symlink => 2,
            MemberKind::HardLink => 3,
            MemberKind::Other => continue,
        };
        let read = match member.kind {
            MemberKind::Sparse => Sparse::new(tape.content(), &member.pieces).read_to_end(&mut content),
            _ => tape.content().read_to_end(&mut content),
        };
        if !read.is_ok_and(|read| read as u64 == member.size) {
            return (said, Some("cut".into()));
        }
        said.push((kind, member.path.clone(), member.link.clone(), content));
    }
}

/// What the crate says of it.
fn theirs(tar: &[u8]) -> (Vec<Said>, Option<String>) {
    let (mut archive, mut said) = (Archive::new(tar), Vec::new());
    for entry in archive.entries().unwrap() {
        let mut entry = match entry {
            Ok(entry) => entry,
            Err(error) => return (said, Some(error.to_string())),
        };
        let kind = match entry.header().entry_type() {
            EntryType::Regular | EntryType::Continuous => 0,
            EntryType::GNUSparse => 1,
            EntryType::Symlink => 2,
            EntryType::Link => 3,
            _ => continue,
        };
        let link =
            if kind > 1 { entry.link_name_bytes().unwrap_or_default().into_owned() } else { Vec::new() };
        let path = entry.path_bytes().into_owned();
        let (size, mut content) = (entry.size(), Vec::new());
        if !entry.read_to_end(&mut content).is_ok_and(|read| read as u64 == size) {
            return (said, Some("cut".into()));
        }
        said.push((kind, path, link, content));
    }
    (said, None)
}

fn append(tar: &mut Builder<Vec<u8>>, kind: EntryType, path: &str, content: &[u8]) {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(content.len() as u64);
    header.set_mode(0o600);
    tar.append_data(&mut header, path, content).unwrap();
}

/// One member of each form that a name, a size or a content may have.
fn every_form() -> Vec<u8> {
    let mut tar = Builder::new(Vec::new());
    append(&mut tar, EntryType::Regular, "a/proc/1/mountinfo", b"1 0 0:1 / / rw - a b c\n");
    append(&mut tar, EntryType::Directory, "a/proc", b"");
    append(&mut tar, EntryType::Regular, &format!("a/{}/empty", "long".repeat(60)), b"");
    append(&mut tar, EntryType::Continuous, "a/whole-block", &[b'x'; BLOCK]);
    let mut link = Header::new_gnu();
    link.set_size(0);
    for (kind, target) in [
        (EntryType::Symlink, "mnt:[4026531841]".to_owned()),
        (EntryType::Link, "a/proc/1/mountinfo".to_owned()),
        (EntryType::Symlink, "/x".repeat(90)),
    ] {
        link.set_entry_type(kind);
        tar.append_link(&mut link, format!("a/{}", "link/".repeat(30)), target).unwrap();
    }
    let long = "pax/".repeat(50);
    let records = [("path", long.as_bytes()), ("linkpath", b"elsewhere"), ("size", b"700"), ("comment", b"")];
    tar.append_pax_extensions(records).unwrap();
    let mut sized = Header::new_ustar();
    sized.set_path("short").unwrap();
    sized.set_size(1);
    sized.set_cksum();
    tar.append(&sized, &[b'p'; 700][..]).unwrap();
    let mut prefixed = Header::new_ustar();
    prefixed.set_path(format!("{}name", "directory/".repeat(12))).unwrap();
    prefixed.set_size(3);
    prefixed.set_cksum();
    tar.append(&prefixed, &b"ust"[..]).unwrap();
    let mut old = Header::new_old();
    old.set_path("v7").unwrap();
    // Without leading zeros, as some write it.
    old.as_old_mut().size = *b"      3 \0\0\0\0";
    old.set_cksum();
    tar.append(&old, &b"old"[..]).unwrap();
    sparse(&mut tar);
    append(&mut tar, EntryType::Regular, "last", b"end");
    tar.into_inner().unwrap()
}

/// Holes at both ends and between, with a map that needs a block of its own.
fn sparse(tar: &mut Builder<Vec<u8>>) {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::GNUSparse);
    header.set_path("sparse").unwrap();
    let mut ext = GnuExtSparseHeader::new();
    let gnu = header.as_gnu_mut().unwrap();
    let pieces = (0..6_u64).map(|n| (1000 + n * 2048, if n == 5 { 0 } else { 512 }));
    for (n, (offset, length)) in pieces.enumerate() {
        let place = if n < 4 { &mut gnu.sparse[n] } else { &mut ext.sparse[n - 4] };
        place.set_offset(offset);
        place.set_length(length);
    }
    gnu.set_is_extended(true);
    gnu.set_real_size(1000 + 5 * 2048);
    header.set_size(5 * 512);
    header.set_cksum();
    let data: Vec<u8> = (0..5 * 512_u32).map(|n| (n / 7) as u8).collect();
    tar.get_mut().extend_from_slice(header.as_bytes());
    tar.get_mut().extend_from_slice(ext.as_bytes());
    tar.get_mut().extend_from_slice(&data);
}

#[test]
fn every_form_is_read_as_the_crate_reads_it() {
    let tar = every_form();
    let (said, end) = theirs(&tar);
    assert_eq!((said.len(), &end), (11, &None));
    for block in [1, 7, 512, 1000, 1 << 16] {
        assert_eq!(ours(&tar, block), (said.clone(), None), "{block} bytes at once");
    }
}

#[test]
fn cut_anywhere_the_same_members_are_whole() {
    let tar = every_form();
    for length in (0..tar.len()).step_by(37) {
        let (said, _) = theirs(&tar[..length]);
        assert_eq!(ours(&tar[..length], 4096).0, said, "{length} bytes");
    }
}

#[test]
fn a_damaged_header_ends_the_archive_and_says_so() {
    let tar = every_form();
    for at in (0..tar.len()).step_by(13) {
        let mut damaged = tar.clone();
        damaged[at] ^= 0x11;
        let ((said, end), (others, their_end)) = (ours(&damaged, 4096), theirs(&damaged));
        assert_eq!(said, others, "byte {at}");
        assert_eq!(end.is_some(), their_end.is_some(), "byte {at}: {end:?} and {their_end:?}");
    }
}

#[test]
fn a_header_of_the_whole_archive_changes_no_name() {
    let mut tar = Builder::new(Vec::new());
    tar.append_pax_extensions([("path", &b"long"[..])]).unwrap();
    let mut global = Header::new_ustar();
    global.set_entry_type(EntryType::XGlobalHeader);
    global.set_size(18);
    global.set_cksum();
    tar.append(&global, &b"18 comment=git123\n"[..]).unwrap();
    append(&mut tar, EntryType::Regular, "short", b"x");
    let (said, end) = ours(&tar.into_inner().unwrap(), 4096);
    assert_eq!((said, end), (vec![(0, b"long".to_vec(), Vec::new(), b"x".to_vec())], None));
}

#[test]
fn headers_of_one_member_are_bounded_together() {
    let mut tar = Builder::new(Vec::new());
    append(&mut tar, EntryType::Regular, &"n".repeat(2 << 20), b"");
    let (said, end) = ours(&tar.into_inner().unwrap(), 4096);
    assert_eq!((said, end), (Vec::new(), Some(met("header", 1 << 20))));
}
