//! Receives WhatsApp Business webhooks and stores them in NATS JetStream before it answers.

pub mod server;
