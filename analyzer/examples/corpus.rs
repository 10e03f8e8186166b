//! Scores the reading of log lines over a corpus file: `cargo run --example corpus -- errors.jsonl`.

fn main() -> std::process::ExitCode {
    let Some(file) = std::env::args().nth(1) else {
        eprintln!("usage: corpus FILE.jsonl");
        return std::process::ExitCode::from(2);
    };
    let scored = std::fs::read_to_string(&file).map_err(|e| e.to_string());
    match scored.and_then(|text| ebusy_analyzer::errors::score::score(&text)) {
        Ok(score) => {
            print!("{score}");
            std::process::ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("{file}: {why}");
            std::process::ExitCode::from(2)
        }
    }
}
