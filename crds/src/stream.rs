//! `spec.nats.stream`: the JetStream stream, which keeps the events and remembers their ids.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::rules::{self, rule};
use crate::{Duration, Size};

/// The stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase", default = "Stream::default")]
#[x_kube(
    validation = rule(
        "self.management != 'External' || has(self.name)",
        "nats.stream.name is needed with nats.stream.management: External",
    ),
    validation = rule(
        "self.management != 'Managed' || !has(self.name)",
        "nats.stream.name is only for nats.stream.management: External; a managed stream is named after the \
         resource",
    ),
    validation = rule(
        "self.management != 'Managed' || oldSelf.management != 'Managed' || self.storage == oldSelf.storage",
        "nats.stream.storage cannot change: JetStream keeps it for the life of a stream",
    ),
    validation = rule(
        "self.management != 'Managed' || oldSelf.management != 'Managed' || !oldSelf.denyDelete \
         || self.denyDelete",
        "nats.stream.denyDelete cannot be turned off: JetStream keeps it for the life of a stream",
    ),
)]
pub struct Stream {
    /// Who looks after the stream. `Managed`: the operator creates and updates it, and never deletes it.
    /// `External`: someone else does, and the operator only checks it. `Managed` by default.
    pub management: StreamManagement,
    /// The name of an external stream, at most 200 letters, digits, `_` and `-`. A managed stream is named
    /// after the resource and its namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200))]
    #[x_kube(validation = rules::token("nats.stream.name"))]
    pub name: Option<String>,
    /// Copies of the stream, 1 to 5. When absent 3 where the broker is a cluster, else 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 5))]
    pub replicas: Option<i32>,
    /// How long an event is kept, up to 87600h. Never shorter than `deduplication.window`. `168h` by default.
    #[x_kube(validation = rules::duration("nats.stream.maxAge", "100ms", "87600h"))]
    pub max_age: Duration,
    /// How much the stream holds, 1Mi to 1024Ti. A full stream refuses new events, and Meta tries again; it
    /// never drops old ones. `2Gi` by default.
    #[x_kube(validation = rules::size("nats.stream.maxBytes", "1Mi", "1024Ti"))]
    pub max_bytes: Size,
    /// Where events are kept: `File`, or `Memory`, which is gone when the broker restarts. `File` by default.
    /// It cannot change later.
    pub storage: StreamStorage,
    /// Forbid the deletion of single events. It can never be turned off again, and then no person's messages
    /// can be erased on request. `false` by default.
    pub deny_delete: bool,
}

impl Default for Stream {
    fn default() -> Self {
        Self {
            management: StreamManagement::default(),
            name: None,
            replicas: None,
            max_age: "168h".into(),
            max_bytes: "2Gi".into(),
            storage: StreamStorage::default(),
            deny_delete: false,
        }
    }
}

/// Who looks after a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum StreamManagement {
    /// The operator.
    #[default]
    Managed,
    /// Someone else; the operator only checks.
    External,
}

/// Where a stream keeps its events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum StreamStorage {
    /// On disk.
    #[default]
    File,
    /// In memory: gone when the broker restarts.
    Memory,
}

impl StreamStorage {
    /// The word of the receiver's configuration file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Memory => "memory",
        }
    }
}
