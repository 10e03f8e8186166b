//! Text that both ends of a link have: sentences of the analyzer, and what stands in every mount table and log.
//!
//! Fixed for ever: a link of version 1 refers to places in it. Sentences that change or come later only make links
//! a little longer; a better dictionary would be version 2.

/// The dictionary of version 1.
pub(super) const VERSION_1: &str = include_str!("dictionary_1.txt");
