pub(super) const VERSION_1: &str = include_str!("dictionary_1.txt");
