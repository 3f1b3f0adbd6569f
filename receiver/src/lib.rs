//! Receives WhatsApp Business webhooks and stores them in NATS JetStream before it answers.
//!
//! ```text
//! app/      all parts joined                cli/                         what a person types
//! config/   settings, checked once          secrets/                     secrets, followed while it runs
//! server/   accept loop and limits          handshake.rs, signature.rs   what stands before the parser
//! webhook/  the public port                 dedupe.rs                    the local memory of ids
//! publish/  events to JetStream             metrics/, admin/             what people and probes read
//! ```

pub mod admin;
pub mod app;
pub mod budget;
pub mod cli;
pub mod config;
pub mod dedupe;
pub mod handshake;
pub mod metrics;
pub mod publish;
pub mod secrets;
pub mod server;
pub mod signature;
pub mod webhook;
