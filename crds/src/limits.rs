//! `spec.limits`: what one receiver accepts at most. All of it is reloaded without a restart.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::rules::{self, rule};
use crate::{Duration, Size};

/// What one receiver accepts at most. Changes take effect without a restart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", default = "Limits::default")]
#[x_kube(validation = rule(
    "!isQuantity(self.bodyBytes) || !isQuantity(self.bodyMemoryBytes) \
     || quantity(self.bodyMemoryBytes).compareTo(quantity(self.bodyBytes)) >= 0",
    "limits.bodyMemoryBytes must not be smaller than limits.bodyBytes",
))]
pub struct Limits {
    /// The largest body of a request, 1Ki to 64Mi. `3Mi` by default, Meta's own maximum.
    #[x_kube(validation = rules::size("limits.bodyBytes", "1Ki", "64Mi"))]
    pub body_bytes: Size,
    /// All bodies held at one time, 1Ki to 64Gi, at least `bodyBytes`. `64Mi` by default.
    #[x_kube(validation = rules::size("limits.bodyMemoryBytes", "1Ki", "64Gi"))]
    pub body_memory_bytes: Size,
    /// All headers of a request together, 8Ki to 1Mi. `32Ki` by default.
    #[x_kube(validation = rules::size("limits.headerBytes", "8Ki", "1Mi"))]
    pub header_bytes: Size,
    /// From the first byte of a request to the end of its headers, 10ms to 60s. `10s` by default.
    #[x_kube(validation = rules::duration("limits.headerTimeout", "10ms", "60s"))]
    pub header_timeout: Duration,
    /// From the end of the headers to the end of the body, 10ms to 60s. `10s` by default.
    #[x_kube(validation = rules::duration("limits.bodyTimeout", "10ms", "60s"))]
    pub body_timeout: Duration,
    /// How long a connection may be without a request, 10ms to 1h. `75s` by default, longer than common load
    /// balancers' own.
    #[x_kube(validation = rules::duration("limits.idleTimeout", "10ms", "1h"))]
    pub idle_timeout: Duration,
    /// How long a client may take to read its answer, 10ms to 60s. `10s` by default.
    #[x_kube(validation = rules::duration("limits.writeTimeout", "10ms", "60s"))]
    pub write_timeout: Duration,
    /// From a verified body to the acknowledgement of all its events, 10ms to 15s. `4s` by default.
    #[x_kube(validation = rules::duration("limits.publishDeadline", "10ms", "15s"))]
    pub publish_deadline: Duration,
    /// Open connections, 1 to 1000000. 4096 by default.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub connections: i32,
    /// Deliveries in progress whose signature was right, 1 to 1000000. 1024 by default.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub in_flight_requests: i32,
    /// Events published and not yet acknowledged, 1 to 1000000. 8192 by default.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub in_flight_events: i32,
    /// Wrong signatures one client may send in a minute before it is answered 429, 1 to 1000000. 60 by
    /// default.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub bad_signatures_per_minute: i32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: "3Mi".into(),
            body_memory_bytes: "64Mi".into(),
            header_bytes: "32Ki".into(),
            header_timeout: "10s".into(),
            body_timeout: "10s".into(),
            idle_timeout: "75s".into(),
            write_timeout: "10s".into(),
            publish_deadline: "4s".into(),
            connections: 4096,
            in_flight_requests: 1024,
            in_flight_events: 8192,
            bad_signatures_per_minute: 60,
        }
    }
}
