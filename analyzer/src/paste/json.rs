//! JSON in the middle of a text.

/// What `docker inspect` printed: from a line that is `[` or `{` to the line that closes it.
pub(super) fn block(text: &[u8]) -> &[u8] {
    let line_at = |bracket: u8, from: usize| {
        memchr::memchr_iter(bracket, &text[from..]).map(|at| from + at).find(|&at| {
            let begins = at == 0 || text[at - 1] == b'\n';
            begins && matches!(text.get(at + 1), None | Some(b'\n' | b'\r'))
        })
    };
    for (open, close) in [(b'[', b']'), (b'{', b'}')] {
        if let Some(begin) = line_at(open, 0)
            && let Some(end) = line_at(close, begin)
        {
            return &text[begin..=end];
        }
    }
    text
}
