//! Synthetic hosts for tests.
