//! The receiver as the operator runs it: a configuration file and a directory of secrets, both of which it follows.

use std::fmt::Write as _;
use std::path::Path;

use wahook_testbed::process::{ReadyWhen, ReceiverOptions};

use crate::corpus::SECRET;

/// What is changed of the receiver's defaults; in one series of the growth only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tuning {
    /// `deduplication.memoryEntries`.
    pub memory_entries: Option<u32>,
}

pub(super) fn options(binary: &Path, nats_url: &str, tuning: Tuning) -> ReceiverOptions {
    let mut yaml = format!(
        "http: {{listen: \"127.0.0.1:{{port}}\", adminListen: \"127.0.0.1:{{admin_port}}\"}}\n\
         secretsDir: \"{{dir}}/secrets\"\n\
         nats: {{servers: [\"{nats_url}\"]}}\n\
         shutdown: {{endpointLag: 0s}}\n"
    );
    if let Some(entries) = tuning.memory_entries {
        // Writing to a String cannot fail.
        let _ = writeln!(yaml, "deduplication: {{memoryEntries: {entries}}}");
    }
    ReceiverOptions::from_yaml(&yaml)
        .file("secrets/app-secret-1", SECRET)
        .file("secrets/verify-token", "a-verify-token-of-the-benchmark")
        .binary(binary)
        .ready_when(ReadyWhen::Spawned)
}
