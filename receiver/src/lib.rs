//! Receives WhatsApp Business webhooks and stores them in NATS JetStream before it answers.
//!
//! ```text
//! server/   accept loop and limits          handshake.rs, signature.rs   what stands before the parser
//! webhook/  the public port                 dedupe.rs                    the local memory of ids
//! publish/  events to JetStream             metrics/, admin/             what people and probes read
//! ```

pub mod admin;
pub mod budget;
pub mod dedupe;
pub mod handshake;
pub mod metrics;
pub mod publish;
pub mod server;
pub mod signature;
pub mod telemetry;
pub mod webhook;
