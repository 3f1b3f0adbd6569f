//! Tries to break what Wahook promises. Nothing here ships.
//!
//! ```text
//! bodies ─> client (plays Meta) ─> [proxy] ─> receiver ─> [proxy] ─> broker
//!              │ every answer, with its time       ▲ faults: mix/       │ what the stream holds
//!              └──────────────────> history <──────┴────────────────────┘
//! ```
//!
//! | module | job |
//! |---|---|
//! | [`history`] | the judge: what was answered against what is stored. Pure |
//! | [`bodies`] | deliveries whose events are numbered. Pure |
//! | [`client`] | plays Meta: delivers each body until it is taken, and writes down every answer |
//! | [`service`] | where deliveries go: the receivers that are ready, as a Service of Kubernetes knows them |
//! | [`house`] | a broker and receivers to break |
//! | [`mix`] | one file for each fault, and what they share |
//! | [`soak`] | one receiver for long, a fault every so often, and whether anything grows |
//! | [`trial`] | what a run is given and what it came to |
//! | [`report`] | what the runs came to, as text. Pure |

pub mod bodies;
pub mod client;
mod disk;
pub mod error;
pub mod history;
pub mod house;
pub mod mix;
pub mod report;
pub mod service;
pub mod soak;
pub mod trial;

pub use error::TortureError;
pub use mix::{MIXES, Mix};
pub use report::Report;
pub use trial::{Ground, Trial};
