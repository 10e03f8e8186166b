use super::*;

const PAGE: usize = 4096;

/// Flags, key and value of a leaf's element; a branch has the number of a page as its value.
type Element<'a> = (u32, &'a [u8], Vec<u8>);

/// A page's bytes without what follows its content.
fn page(number: u64, flags: u16, elements: &[Element<'_>]) -> Vec<u8> {
    let mut head = number.to_le_bytes().to_vec();
    head.extend_from_slice(&flags.to_le_bytes());
    head.extend_from_slice(&(elements.len() as u16).to_le_bytes());
    head.extend_from_slice(&[0; 4]);
    let mut data = Vec::new();
    for (at, (flags_of, key, value)) in elements.iter().enumerate() {
        let position = ((elements.len() - at) * ELEMENT + data.len()) as u32;
        let length = (key.len() as u32).to_le_bytes();
        if flags == BRANCH {
            head.extend([&position.to_le_bytes()[..], &length, value].concat());
            data.extend_from_slice(key);
        } else {
            let fields =
                [flags_of.to_le_bytes(), position.to_le_bytes(), length, (value.len() as u32).to_le_bytes()];
            head.extend(fields.concat());
            data.extend([key, value.as_slice()].concat());
        }
    }
    head.extend(data);
    head
}

fn meta(number: u64, root: u64, end: u64, transaction: u64) -> Vec<u8> {
    let mut meta = [MAGIC, VERSION, PAGE as u32, 0].map(u32::to_le_bytes).concat();
    meta.extend([root, 0, 4, end, transaction].map(u64::to_le_bytes).concat());
    let checksum = fnv_1a(&meta).to_le_bytes();
    [&page(number, 4, &[]), &meta[..], &checksum].concat()
}

fn bucket_at(number: u64) -> Vec<u8> {
    [number.to_le_bytes(), [0; 8]].concat()
}

/// Puts pages at their places; one that is longer than a page runs over into the next.
fn database(pages: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for page in pages {
        let at = bytes.len();
        bytes.extend_from_slice(page);
        bytes.resize(bytes.len().next_multiple_of(PAGE), 0);
        let more = ((bytes.len() - at) / PAGE - 1) as u32;
        bytes[at + 12..at + 16].copy_from_slice(&more.to_le_bytes());
    }
    bytes
}

/// `v1` on a page of its own, below a branch: `small` is an inline bucket, `long` a value over two pages.
fn example() -> Vec<u8> {
    let inline = [bucket_at(0), page(0, LEAF, &[(0, b"id", vec![77])])].concat();
    database(&[
        meta(0, 9, 9, 4),
        meta(1, 2, 9, 5),
        page(2, BRANCH, &[(0, b"v1", 3u64.to_le_bytes().to_vec())]),
        page(3, LEAF, &[(IS_BUCKET, b"v1", bucket_at(5))]),
        page(4, 16, &[]),
        page(5, LEAF, &[(0, b"long", vec![b'x'; 6000]), (IS_BUCKET, b"small", inline)]),
        page(7, LEAF, &[]),
    ])
}

struct Scratch(std::path::PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).ok();
    }
}

/// What is in it, one line a key.
fn contents(name: &str, bytes: &[u8]) -> io::Result<Vec<String>> {
    let path = std::env::temp_dir().join(format!("ebusy-bolt-{name}-{}", std::process::id()));
    std::fs::write(&path, bytes).unwrap();
    let scratch = Scratch(path);
    let file = File::open(&scratch.0).unwrap();
    read(&file, |database| {
        let mut lines = Vec::new();
        let v1 = database.bucket(&database.root(), b"v1")?.ok_or_else(|| damaged("no v1"))?;
        database.each(&v1, &mut |key, value| {
            let key = String::from_utf8_lossy(key).into_owned();
            match value {
                Value::Bytes(bytes) => lines.push(format!("{key}: {} bytes", bytes.len())),
                Value::Bucket(inner) => database.each(&inner, &mut |id, value| {
                    let Value::Bytes(bytes) = value else { return Ok(()) };
                    lines.push(format!("{key}/{}: {bytes:?}", String::from_utf8_lossy(id)));
                    Ok(())
                })?,
            }
            Ok(())
        })?;
        Ok(lines)
    })
}

const EXPECTED: [&str; 2] = ["long: 6000 bytes", "small/id: [77]"];

#[test]
fn branches_inline_buckets_and_long_values() {
    assert_eq!(contents("whole", &example()).unwrap(), EXPECTED);
}

#[test]
fn a_commit_that_was_cut_off_leaves_the_transaction_before() {
    let mut bytes = example();
    let (valid, torn) = (meta(0, 2, 9, 5), meta(1, 2, 9, 6));
    bytes[..valid.len()].copy_from_slice(&valid);
    bytes[PAGE..PAGE + torn.len()].copy_from_slice(&torn);
    bytes[PAGE + 40] ^= 1;
    assert_eq!(contents("older", &bytes).unwrap(), EXPECTED);
    // The other one is torn: where this one lies must be guessed.
    let mut bytes = example();
    bytes[20] ^= 1;
    assert_eq!(contents("newer", &bytes).unwrap(), EXPECTED);
}

#[test]
fn pages_in_a_circle_and_outside_are_an_error() {
    for points_to in [2u64, 0, 9, u64::MAX] {
        let mut bytes = example();
        let branch = page(2, BRANCH, &[(0, b"v1", points_to.to_le_bytes().to_vec())]);
        bytes[2 * PAGE..2 * PAGE + branch.len()].copy_from_slice(&branch);
        assert!(contents("circle", &bytes).is_err(), "{points_to}");
    }
}

/// No damage may do more than an error or a wrong word.
#[test]
fn any_damage_is_survived() {
    let whole = example();
    for cut in (0..whole.len()).step_by(131) {
        contents("cut", &whole[..cut]).ok();
    }
    for at in (0..whole.len()).filter(|at| at % PAGE < 96) {
        let mut bytes = whole.clone();
        bytes[at] = bytes[at].wrapping_sub(1);
        contents("changed", &bytes).ok();
    }
    assert!(contents("empty", b"").is_err());
}

#[test]
fn what_is_written_to_all_the_time_is_not_trusted() {
    let path = std::env::temp_dir().join(format!("ebusy-bolt-busy-{}", std::process::id()));
    std::fs::write(&path, example()).unwrap();
    let scratch = Scratch(path);
    let file = File::open(&scratch.0).unwrap();
    let transaction = Cell::new(5);
    let commit = |_: &Database<'_>| {
        transaction.set(transaction.get() + 1);
        let newest = meta(1, 2, 9, transaction.get());
        let writer = File::options().write(true).open(&scratch.0)?;
        writer.write_all_at(&newest, PAGE as u64)
    };
    let error = read(&file, commit).unwrap_err();
    assert!(error.to_string().contains("all the time"), "{error}");
    assert_eq!(transaction.get(), 5 + TRIES as u64);
}
