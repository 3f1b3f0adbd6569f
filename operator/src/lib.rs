//! The control plane of Wahook: it makes the cluster what a `WhatsAppWebhook` says.
//!
//! ```text
//! observe -> validate -> build -> apply -> status
//! ```

pub mod child;
pub mod jetstream;
pub mod names;
pub mod settings;
pub mod validate;
