//! The data plane of Wahook: receives webhooks of the WhatsApp Business Platform and stores them in NATS
//! JetStream before it answers.

pub mod config;
pub mod secrets;
