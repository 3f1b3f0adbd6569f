//! The webhook endpoint.

pub mod clients;
