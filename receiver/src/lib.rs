//! The data plane of Wahook: receives WhatsApp Business webhooks and stores them in NATS JetStream.

pub mod admin;
pub mod cli;
pub mod handshake;
pub mod metrics;
pub mod signature;
pub mod telemetry;
pub mod webhook;
