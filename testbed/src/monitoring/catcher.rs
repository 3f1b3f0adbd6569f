//! Who is told about alerts: notes what Alertmanager posts, with the time.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::MonitoringError;
use crate::log::lock;

/// An alert as Alertmanager told it.
#[derive(Clone, Debug)]
pub struct Notice {
    /// All labels, `alertname` among them.
    pub labels: BTreeMap<String, String>,
    /// The annotations, with values filled in.
    pub annotations: BTreeMap<String, String>,
    /// It fires; else it is resolved.
    pub is_firing: bool,
    /// When it was told.
    pub at: Instant,
}

impl Notice {
    /// Whether it is about the alert of this name, with these labels.
    pub fn is(&self, name: &str, labels: &[(&str, &str)]) -> bool {
        let has = |key: &str, value: &str| self.labels.get(key).is_some_and(|found| found == value);
        has("alertname", name) && labels.iter().all(|(key, value)| has(key, value))
    }
}

/// The body that Alertmanager posts (version 4), as far as it matters.
#[derive(Deserialize)]
struct Message {
    alerts: Vec<Told>,
}

#[derive(Deserialize)]
struct Told {
    status: String,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
}

#[derive(Debug)]
struct Notes {
    notices: Mutex<Vec<Notice>>,
    count: watch::Sender<usize>,
}

/// A server on loopback that Alertmanager tells. Dropping it ends it.
#[derive(Debug)]
pub struct Catcher {
    address: SocketAddr,
    notes: Arc<Notes>,
    task: JoinHandle<()>,
}

impl Catcher {
    /// Listens on a free port.
    ///
    /// # Errors
    /// [`MonitoringError::Io`].
    pub async fn start() -> Result<Self, MonitoringError> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .map_err(MonitoringError::io("listen"))?;
        let address = listener.local_addr().map_err(MonitoringError::io("listen"))?;
        let notes = Arc::new(Notes {
            notices: Mutex::default(),
            count: watch::Sender::new(0),
        });
        let router = Router::new()
            .route("/", post(note))
            .with_state(Arc::clone(&notes));
        let task = tokio::spawn(async move {
            // It listens until the task is aborted; there is nobody to tell of an error then.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, notes, task })
    }

    /// Where Alertmanager posts.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Everything it was told, in order.
    pub fn notices(&self) -> Vec<Notice> {
        lock(&self.notes.notices).clone()
    }

    /// Waits for the first notice told after `since` that is right; `None` when there is none within `limit`.
    pub async fn wait_for(
        &self,
        since: Instant,
        limit: Duration,
        is_right: impl Fn(&Notice) -> bool,
    ) -> Option<Notice> {
        let mut count = self.notes.count.subscribe();
        let found = async {
            loop {
                let right = |notice: &&Notice| notice.at >= since && is_right(notice);
                if let Some(notice) = lock(&self.notes.notices).iter().find(right) {
                    return Some(notice.clone());
                }
                count.changed().await.ok()?;
            }
        };
        tokio::time::timeout(limit, found).await.ok().flatten()
    }
}

impl Drop for Catcher {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn note(State(notes): State<Arc<Notes>>, body: Bytes) -> StatusCode {
    let at = Instant::now();
    let Ok(message) = serde_json::from_slice::<Message>(&body) else {
        return StatusCode::BAD_REQUEST;
    };
    let told = message.alerts.into_iter().map(|told| Notice {
        is_firing: told.status == "firing",
        labels: told.labels,
        annotations: told.annotations,
        at,
    });
    let count = {
        let mut notices = lock(&notes.notices);
        notices.extend(told);
        notices.len()
    };
    notes.count.send_replace(count);
    StatusCode::OK
}
