//! The control plane of Wahook: it makes the cluster what a `WhatsAppWebhook` says.
//!
//! ```text
//! observe -> validate -> build -> apply -> status
//! ```

pub mod admin;
mod amount;
pub mod build;
pub mod child;
pub mod cli;
pub mod leader;
pub mod metrics;
pub mod names;
pub mod server;
pub mod settings;
pub mod validate;
