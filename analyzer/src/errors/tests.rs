//! Lines of our own for every wording.
