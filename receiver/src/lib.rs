//! Receives WhatsApp Business webhooks and stores them in NATS JetStream before it answers.

pub mod budget;
pub mod dedupe;
pub mod publish;
