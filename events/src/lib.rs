//! Meta's WhatsApp Business webhook payload as typed events.

pub mod model;
pub mod received;
#[cfg(feature = "samples")]
pub mod samples;
