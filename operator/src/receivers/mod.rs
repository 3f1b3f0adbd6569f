//! What the receivers themselves have seen, for the condition `Receiving`: asked on their admin port, never on the way that
//! Meta takes.
//!
//! ```text
//! EndpointSlices ─ endpoints (where they are) ─ ask (what each says) ─ seen (all of them together) ─ follow (wakes who is concerned)
//! ```

mod ask;
mod endpoints;
mod follow;
mod seen;

pub use ask::{Asker, Page};
pub use endpoints::Endpoints;
pub use follow::{Sightings, follow};
pub use seen::{Current, Seen, Signatures};
