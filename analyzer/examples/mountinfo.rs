//! Reads captured mount tables: `cargo run --example mountinfo -- DIR`. Every line of `*.mountinfo` must print
//! back byte for byte; of the partial and prefixed captures (`*.txt`) each line is read or named with its column.

use std::path::Path;
use std::process::ExitCode;

use ebusy_analyzer::parse::mountinfo::parse_line;

/// Lines of one capture.
#[derive(Debug, Default)]
struct Count {
    same: u32,
    changed: u32,
    bad: u32,
}

fn main() -> ExitCode {
    let Some(dir) = std::env::args().nth(1) else {
        eprintln!("usage: mountinfo DIR");
        return ExitCode::from(2);
    };
    match check(Path::new(&dir)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{dir}: {error}");
            ExitCode::from(2)
        }
    }
}

fn check(dir: &Path) -> std::io::Result<bool> {
    let mut files: Vec<_> = std::fs::read_dir(dir)?.collect::<Result<Vec<_>, _>>()?;
    files.sort_by_key(std::fs::DirEntry::file_name);
    let (mut good, mut odd, mut fine) = (Count::default(), Count::default(), true);
    for file in &files {
        let name = file.file_name().to_string_lossy().into_owned();
        let well_formed = name.ends_with(".mountinfo");
        let count = if well_formed { &mut good } else { &mut odd };
        let text = std::fs::read(file.path())?;
        // A first line with `#` tells the capture's source.
        let lines = text.split(|&b| b == b'\n').enumerate();
        for (index, line) in lines.filter(|(_, l)| !l.is_empty() && !l.starts_with(b"#")) {
            match parse_line(line) {
                Ok(mount) if mount.to_line() == line => count.same += 1,
                Ok(_) => {
                    count.changed += 1;
                    println!("{name}:{}: prints back differently", index + 1);
                }
                Err(bad) => {
                    count.bad += 1;
                    println!("{name}:{}:{}: expected {}", index + 1, bad.column, bad.expected);
                }
            }
            fine &= !well_formed || count.bad + count.changed == 0;
        }
    }
    println!(
        "well-formed captures: {} lines print back byte for byte, {} do not, {} are not read",
        good.same, good.changed, good.bad
    );
    println!(
        "partial captures: {} lines print back byte for byte, {} do not, {} are named with their column",
        odd.same, odd.changed, odd.bad
    );
    Ok(fine && odd.changed == 0 && good.same > 0)
}
