//! What an input is that is not read here: told by its first bytes, with what to do and who can do it.

use super::sniff::Kind;
use crate::OpenError;

/// What is read, for every refusal.
const READ: &str = "What is read: the collector's bundle, a sosreport or supportconfig, any tar or zip with proc/PID/mountinfo files (plain, gzip, xz, zstd, bzip2), or text pasted from a terminal.";

/// What a file is, and what its sender or its reader can do.
struct Known {
    what: &'static str,
    advice: &'static str,
}

const fn k(what: &'static str, advice: &'static str) -> Known {
    Known { what, advice }
}

/// Marks at the beginning of files (file(1)'s magic), the longer before the shorter.
const MARKS: &[(&[u8], Known)] = &[
    (b"\x89PNG\r\n", PICTURE),
    (b"\xff\xd8\xff", PICTURE),
    (b"GIF8", PICTURE),
    (b"RIFF", k("a RIFF file (a WebP picture, a sound or a film)", TEXT_PLEASE)),
    (b"BM", k("a bitmap picture", TEXT_PLEASE)),
    (b"%PDF-", k("a PDF document", TEXT_PLEASE)),
    (b"{\\rtf", k("an RTF document", TEXT_PLEASE)),
    (b"\xd0\xcf\x11\xe0", k("an old Office document or an Outlook message", TEXT_PLEASE)),
    (b"SQLite format 3\0", k("an SQLite database", BUNDLE_PLEASE)),
    (
        b"\x7fELF",
        k(
            "a Linux program (ELF), perhaps the collector itself",
            "Run it on the customer's host; the bundle is the .tar.gz that it writes.",
        ),
    ),
    (b"MZ", k("a Windows program", BUNDLE_PLEASE)),
    (
        b"LPKSHHRH",
        k(
            "a binary journal of systemd",
            "Export it as text where it was written: journalctl --file FILE -o short-iso > journal.txt",
        ),
    ),
    (b"KDUMP   ", k("a kernel crash dump (kdump)", BUNDLE_PLEASE)),
    (b"QFI\xfb", k("a disk image (qcow2)", BUNDLE_PLEASE)),
    (b"LUKS\xba\xbe", k("an encrypted disk (LUKS)", DECRYPT)),
    (b"Salted__", k("encrypted (openssl enc)", DECRYPT)),
    (b"age-encryption.org/", k("encrypted (age)", DECRYPT)),
    (b"-----BEGIN PGP MESSAGE", k("encrypted (GPG)", GPG)),
    (b"-----BEGIN AGE ENCRYPTED", k("encrypted (age)", DECRYPT)),
    (
        b"7z\xbc\xaf\x27\x1c",
        k(
            "a 7z archive",
            "Unpack it and pack it again: 7z x FILE, then tar czf bundle.tar.gz DIRECTORY. Or give the directory to the ebusy command.",
        ),
    ),
    (
        b"Rar!\x1a\x07",
        k(
            "a RAR archive",
            "Unpack it and pack it again: unrar x FILE, then tar czf bundle.tar.gz DIRECTORY. Or give the directory to the ebusy command.",
        ),
    ),
    (b"\x04\x22\x4d\x18", k("compressed with lz4", "Repack it as gzip: lz4 -dc FILE | gzip > FILE.tar.gz")),
    (b"\x89LZO\0", k("compressed with lzop", "Repack it as gzip: lzop -dc FILE | gzip > FILE.tar.gz")),
    (b"\x5d\0\0", k("compressed with the old lzma", "Repack it as gzip: lzma -dc FILE | gzip > FILE.tar.gz")),
    (b"LZIP", k("compressed with lzip", "Repack it as gzip: lzip -dc FILE | gzip > FILE.tar.gz")),
    (
        b"\x1f\x9d",
        k("compressed with compress (.Z)", "Repack it as gzip: uncompress -c FILE | gzip > FILE.tar.gz"),
    ),
    (b"070707", CPIO),
    (b"070701", CPIO),
    (b"\xed\xab\xee\xdb", k("an RPM package", BUNDLE_PLEASE)),
    (b"!<arch>", k("a Debian package or a library (ar)", BUNDLE_PLEASE)),
    (b"MSCF", k("a Windows cabinet", "Unpack it and give the archive inside.")),
    (b"hsqs", k("a squashfs image (a snap)", BUNDLE_PLEASE)),
];

const PICTURE: Known = k("a picture", TEXT_PLEASE);
const CPIO: Known = k(
    "a cpio archive",
    "Unpack it and pack it again: cpio -id < FILE, then tar czf bundle.tar.gz DIRECTORY.",
);
const TEXT_PLEASE: &str =
    "Ask the sender for the text itself: what a picture or a document shows cannot be read.";
const BUNDLE_PLEASE: &str = "Probably the wrong file was chosen or sent.";
const DECRYPT: &str =
    "Decrypt it first with the key or password that its sender used, and give what comes out.";
const GPG: &str = "Decrypt it first (gpg -d FILE > FILE.tar.gz) and give what comes out.";

/// The error for an input whose first bytes are these.
pub(super) fn of(kind: Kind, head: &[u8], is_inside: bool) -> OpenError {
    let place = if is_inside { " inside the compressed file" } else { "" };
    let error = |code, message: String, advice: &str| OpenError { code, message, advice: advice.to_owned() };
    match kind {
        Kind::Empty => error(
            "empty-input",
            format!(
                "There is nothing{}.",
                if is_inside { " inside the compressed file" } else { " in this file" }
            ),
            "Copy the file again: the transfer probably stopped, or the disk was full where it was made.",
        ),
        Kind::Zstd | Kind::Bzip2 => {
            let (what, tool) = if kind == Kind::Zstd { ("Zstandard", "zstd") } else { ("bzip2", "bzip2") };
            error(
                "unread-compression",
                format!("This is a {what} archive{place}, which this build cannot read."),
                &format!("Repack it as gzip: {tool} -dc FILE | gzip > FILE.tar.gz"),
            )
        }
        _ => match looks_like(head) {
            Some(known) => error(
                if known.what.starts_with("encrypted") || known.what.starts_with("an encrypted") {
                    "encrypted"
                } else {
                    "unknown-format"
                },
                format!("This is {}{place}: there is no host in it to look at.", known.what),
                &format!("{} {READ}", known.advice),
            ),
            None => error(
                "unknown-format",
                format!("This is no archive and no text that is known here{place}."),
                &format!(
                    "The file may be damaged or encrypted: compare its size and checksum with the sender's. {READ}"
                ),
            ),
        },
    }
}

/// What the first bytes show.
fn looks_like(head: &[u8]) -> Option<&'static Known> {
    let marked = MARKS.iter().find(|(mark, _)| head.starts_with(mark)).map(|(_, known)| known);
    marked
        .or_else(|| is_openpgp(head).then_some(&Known { what: "encrypted (GPG), as it seems", advice: GPG }))
}

/// An OpenPGP packet of an encrypted session key (RFC 9580, 4.2 and 5.1): tag 1 or 3 in the old or new form.
fn is_openpgp(head: &[u8]) -> bool {
    matches!(head, [0x84 | 0x85 | 0x8c, ..] | [0xc1 | 0xc3, _, 3..=6, ..])
}

/// The error for a text with nothing of a host in it.
pub(crate) fn of_text(text: &[u8]) -> OpenError {
    let begin = text.trim_ascii_start();
    let lower = begin.get(..512).unwrap_or(begin).to_ascii_lowercase();
    let (code, message, advice) = if begin.is_empty() {
        (
            "empty-input",
            "There is nothing but blanks in this text.",
            "Paste the error message, or give the archive as a file.",
        )
    } else if lower.starts_with(b"<!doctype html") || lower.starts_with(b"<html") {
        (
            "unknown-format",
            "This is a web page, not a bundle: probably the page that offers or guards the download.",
            "Download the file itself (signed in, where that is asked for) and give that.",
        )
    } else if looks_like(begin).is_some() {
        return of(Kind::Unknown, begin, false);
    } else if lower.starts_with(b"received: ") || memchr::memmem::find(&lower, b"\nmime-version:").is_some() {
        (
            "unknown-format",
            "This is a saved mail; what is attached to it is not read.",
            "Save the attachment as a file and give that, or paste the text.",
        )
    } else {
        (
            "no-mounts",
            "This text has no mount, no process and no busy error in it.",
            "Paste the error message, or the output of: grep ID /proc/[0-9]*/mountinfo. An archive (.tar.gz, .tar.xz, .zip) can be given as a file.",
        )
    };
    OpenError { code, message: message.to_owned(), advice: advice.to_owned() }
}

/// The error for a zip whose members are all encrypted, or that is a document.
pub(super) fn of_zip(is_encrypted: bool, names: &[&[u8]]) -> Option<OpenError> {
    let has = |name: &[u8]| names.contains(&name);
    let known = if is_encrypted {
        k(
            "a zip with a password",
            "Unpack it with the password that its sender used, and give the archive inside (or the directory to the ebusy command).",
        )
    } else if has(b"[Content_Types].xml") {
        k("an Office document (docx, xlsx or pptx)", TEXT_PLEASE)
    } else if has(b"mimetype") && has(b"content.xml") {
        k("an OpenDocument text or table", TEXT_PLEASE)
    } else {
        return None;
    };
    let code = if is_encrypted { "encrypted" } else { "unknown-format" };
    Some(OpenError {
        code,
        message: format!("This is {}: there is no host in it to look at.", known.what),
        advice: format!("{} {READ}", known.advice),
    })
}
