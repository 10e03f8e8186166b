//! What is no bundle: what it is, what is read instead, and whose turn it is.

#![allow(clippy::expect_used, clippy::panic, reason = "a broken expectation is a broken test")]

mod support;

use ebusy_tests::synth::{gzip, hex64};
use support::{ask, open};

/// Bytes behind a mark, so that it is not the whole file.
fn behind(mark: &[u8]) -> Vec<u8> {
    [mark, &[0, 1, 2, 3].repeat(200)].concat()
}

#[test]
fn a_file_of_another_kind_is_called_by_its_name() {
    for (mark, what) in [
        (&b"\x89PNG\r\n\x1a\n"[..], "picture"),
        (b"\xff\xd8\xff\xe0", "picture"),
        (b"%PDF-1.7\n", "PDF"),
        (b"SQLite format 3\0", "SQLite"),
        (b"\x7fELF\x02\x01", "program"),
        (b"7z\xbc\xaf\x27\x1c", "7z"),
        (b"Rar!\x1a\x07\x01", "RAR"),
        (b"\x85\x02\x0c\x03", "GPG"),
        (b"-----BEGIN PGP MESSAGE-----\n\nhQIMA", "GPG"),
        (b"Salted__", "openssl"),
        (b"LPKSHHRH", "journal"),
        (b"\x04\x22\x4d\x18", "lz4"),
    ] {
        for input in [behind(mark), gzip(&behind(mark))] {
            let error = open(&input).expect_err(what);
            assert!(error.message.contains(what), "{what}: {}", error.message);
            assert!(error.advice.contains("What is read"), "{what}: {}", error.advice);
            let encrypted = ["GPG", "openssl"].contains(&what);
            assert_eq!(error.code == "encrypted", encrypted, "{what}: {}", error.code);
        }
    }
}

#[test]
fn texts_of_no_use_are_told_apart() {
    for (text, code, what) in [
        ("", "empty-input", "nothing"),
        ("  \n\n", "empty-input", "blanks"),
        ("<!DOCTYPE html>\n<html><body>Sign in</body></html>", "unknown-format", "web page"),
        ("Received: from a\nMIME-Version: 1.0\n\nsee attachment", "unknown-format", "mail"),
        ("nothing here\n", "no-mounts", "no mount"),
    ] {
        let error = open(text.as_bytes()).expect_err(what);
        assert_eq!(error.code, code, "{}", error.message);
        assert!(error.message.contains(what), "{what}: {}", error.message);
    }
}

/// A zip of one stored member, encrypted or not, as its directory tells.
fn zip_of(name: &str, flag: u8) -> Vec<u8> {
    let length = [u8::try_from(name.len()).expect("a short name"), 0];
    let common =
        [&[20, 0, flag, 0][..], &[0; 6], &[0; 4], &[2, 0, 0, 0], &[2, 0, 0, 0], &length, &[0, 0]].concat();
    let local = [&b"PK\x03\x04"[..], &common, name.as_bytes(), b"hi"].concat();
    let central = [&b"PK\x01\x02\x14\x03"[..], &common, &[0; 14], name.as_bytes()].concat();
    let at = u32::try_from(local.len()).expect("small").to_le_bytes();
    let size = u32::try_from(central.len()).expect("small").to_le_bytes();
    [&local[..], &central, b"PK\x05\x06\0\0\0\0\x01\0\x01\0", &size, &at, &[0, 0]].concat()
}

#[test]
fn zips_with_a_password_and_documents_are_no_damaged_bundles() {
    let error = open(&zip_of("proc/1/mountinfo", 1)).expect_err("a password");
    assert_eq!(error.code, "encrypted");
    assert!(error.message.contains("password"), "{}", error.message);
    let error = open(&zip_of("[Content_Types].xml", 0)).expect_err("a document");
    assert!(error.message.contains("Office"), "{}", error.message);
}

#[test]
fn text_from_windows_is_read() {
    let layer = hex64("layer");
    let text = format!(
        "21 1 8:1 / / rw - ext4 /dev/sda1 rw\r\n24 21 0:41 / /d/overlay2/{layer}/merged rw - overlay overlay rw\r\n"
    );
    let utf16 = |mark: [u8; 2], bytes: fn(u16) -> [u8; 2]| {
        let units: Vec<u8> = text.encode_utf16().flat_map(bytes).collect();
        [&mark[..], &units].concat()
    };
    for input in [
        utf16([0xff, 0xfe], u16::to_le_bytes),
        utf16([0xfe, 0xff], u16::to_be_bytes),
        [b"\xef\xbb\xbf", text.as_bytes()].concat(),
    ] {
        let report = ask(&input, &layer);
        assert!(report.target.found && report.warnings.iter().all(|w| w.code != "bad-mountinfo-line"));
        assert_eq!(report.bundle.mount_tables, 1, "both lines are one table");
    }
}
