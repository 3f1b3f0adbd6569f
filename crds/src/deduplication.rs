//! `spec.deduplication`: how long a stored event is remembered.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::Duration;
use crate::rules;

/// The memory of event ids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", default = "Deduplication::default")]
pub struct Deduplication {
    /// How long the stream remembers an event's id, 100ms to 169h, which is Meta's whole retry horizon and an
    /// hour. The broker needs about 130 bytes of memory for each event of a window. `24h` by default.
    #[x_kube(validation = rules::duration("deduplication.window", "100ms", "169h"))]
    pub window: Duration,
    /// How many ids one receiver remembers itself to save the broker work, 1 to 10000000. 100000 by default.
    #[schemars(range(min = 1, max = 10_000_000))]
    pub memory_entries: i32,
}

impl Default for Deduplication {
    fn default() -> Self {
        Self {
            window: "24h".into(),
            memory_entries: 100_000,
        }
    }
}
