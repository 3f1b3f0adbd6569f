//! The control plane of Wahook: it makes the cluster what a `WhatsAppWebhook` says.
//!
//! ```text
//! controller: read -> validate -> observe -> build -> apply -> status
//!                                    └ the API server ┘        └ jetstream, beside apply
//! ```

pub mod admin;
mod amount;
pub mod api_error;
pub mod apply;
pub mod authorities;
pub mod build;
pub mod child;
pub mod cli;
pub mod controller;
pub mod hosts;
pub mod jetstream;
pub mod leader;
pub mod metrics;
pub mod names;
pub mod observe;
pub mod probe;
pub mod receivers;
pub mod resource;
pub mod server;
pub mod settings;
pub mod status;
pub mod streams;
pub mod validate;
