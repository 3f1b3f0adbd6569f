//! Alertmanager: one route, every alert a group of its own, told to one webhook.

use std::time::Duration;

use serde_json::json;

use super::server::Server;
use super::{Catcher, MonitoringError};
use crate::tools::ALERTMANAGER;

/// How long it waits before it tells of a new alert, and between two tellings.
pub const GROUP_WAIT: Duration = Duration::from_secs(1);

/// A running Alertmanager. Dropping it kills the process and deletes its data.
#[derive(Debug)]
pub struct Alertmanager {
    server: Server,
}

impl Alertmanager {
    /// Starts one that tells `catcher`, and waits until it is ready.
    ///
    /// # Errors
    /// [`MonitoringError`]; when it did not come up, with the end of its output.
    pub async fn start(catcher: &Catcher) -> Result<Self, MonitoringError> {
        let pause = format!("{}s", GROUP_WAIT.as_secs());
        let config = json!({
            "route": {
                "receiver": "catcher",
                // Every label: each alert is a group, so that none waits for another.
                "group_by": ["..."],
                "group_wait": pause,
                "group_interval": pause,
                "repeat_interval": "1h",
            },
            "receivers": [{
                "name": "catcher",
                "webhook_configs": [{ "url": catcher.url(), "send_resolved": true }],
            }],
        });
        let files = [("config.yaml".to_owned(), config.to_string())];
        // Without an address for others of its kind it stays alone.
        let arguments = ["--storage.path=data", "--cluster.listen-address="];
        let server = Server::start(&ALERTMANAGER, &files, &arguments).await?;
        Ok(Self { server })
    }

    /// Where it is: `host:port`.
    pub fn address(&self) -> String {
        self.server.address()
    }
}
