//! Log lines → busy errors.
