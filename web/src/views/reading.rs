//! While a bundle is read.

use crate::state::Reading;
use crate::text;
use yew::prelude::*;

/// Progress in bytes and percent, and a way out.
pub fn reading(reading: &Reading, cancel: &Callback<()>) -> Html {
    let t = text::t();
    let Reading { file, bytes, entries, all_read, .. } = reading;
    let percent = percent(*bytes, file.size);
    let cancel = cancel.reform(|_: MouseEvent| ());
    let numbers = (t.read_of)(&text::bytes(*bytes), &text::bytes(file.size), percent);
    html! {
        <section class="reading" aria-labelledby="reading-title">
            <h1 id="reading-title">{ t.reading }</h1>
            <p class="file-name">{ &file.name }</p>
            <progress max="100" value={percent.to_string()} aria-labelledby="reading-title" />
            <p class="numbers" data-test="progress" data-percent={percent.to_string()}>{ numbers }</p>
            <p class="muted" data-test="phase" data-phase={if *all_read { "thinking" } else { "reading" }}>
                { if *all_read { t.fleet.putting_together.to_owned() } else { (t.entries_seen)(*entries) } }
            </p>
            // Spoken in steps of a quarter: every percent would be noise.
            <p class="offscreen" role="status">{ (t.percent_read)(percent / 25 * 25) }</p>
            <button type="button" data-test="cancel" onclick={cancel}>{ t.cancel }</button>
        </section>
    }
}

/// Whole percent of the file that was read; an empty file is read at once.
fn percent(bytes: u64, size: u64) -> u64 {
    (bytes.min(size) * 100).checked_div(size).unwrap_or(100)
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn percent_stays_between_0_and_100() {
        assert_eq!([percent(0, 10), percent(5, 10), percent(12, 10), percent(0, 0)], [0, 50, 100, 100]);
    }
}
