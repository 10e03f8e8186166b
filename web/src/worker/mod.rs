//! The analyzer runs in a worker, one for each bundle: the page never freezes, ending the worker
//! cancels, and all memory comes back with it (a WebAssembly memory never shrinks).

pub mod client;
pub mod crew;
pub mod host;
pub mod protocol;
pub mod rehearsal;
