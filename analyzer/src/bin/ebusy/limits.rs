//! `--limit NAME=NUMBER`, which every command that reads a bundle has.

use std::ffi::OsString;

use ebusy_analyzer::archive::Limits;

/// Takes the limits out of the arguments.
///
/// # Errors
/// Where one has no such name or no number.
pub(crate) fn taken_from(
    arguments: impl Iterator<Item = OsString>,
) -> Result<(Vec<OsString>, Limits), String> {
    let (mut rest, mut limits) = (Vec::new(), Limits::default());
    let mut arguments = arguments;
    while let Some(argument) = arguments.next() {
        let text = argument.to_string_lossy();
        let value = match text.strip_prefix("--limit") {
            Some("") => arguments.next().map(|value| value.to_string_lossy().into_owned()),
            Some(value) => value.strip_prefix('=').map(str::to_owned),
            None => {
                rest.push(argument);
                continue;
            }
        };
        let value = value.unwrap_or_default();
        let number = value.split_once('=').and_then(|(name, number)| Some((name, number.parse().ok()?)));
        if !number.is_some_and(|(name, number)| limits.set(name, number)) {
            let names = Limits::NAMES.join(", ");
            return Err(format!("--limit wants NAME=NUMBER with one of: {names}; not '{value}'"));
        }
    }
    Ok((rest, limits))
}
