//! What strangers can send, made at random, and what must hold for every bit of it.
//!
//! A [`Target`] takes any bytes, gives them to the code that reads such bytes, and panics when something that must hold
//! does not: not only that nothing panics, but that an independent way to the same answer agrees.
//!
//! Two ways lead here. `tests/short.rs` changes the seeds at random for a moment, on every run of the tests. `cargo xtask fuzz`
//! has libFuzzer do it for as long as you like, guided by which code an input reached. What was found once is a file of
//! `tests/crashes/<target>/`, named after what it was, and is tried again by the tests for ever.

pub mod mutate;
mod targets;

pub use targets::Target;
