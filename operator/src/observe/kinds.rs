//! Which of the kinds that a cluster may lack it has: asked at the start, when leading begins, and again and again.

use std::collections::BTreeSet;
use std::time::Duration;

use kube::Client;
use tokio::sync::watch;
use tracing::{info, warn};

use crate::api_error::ApiError;
use crate::child::ChildKind;

/// The pause after the first question that is not answered, twice as long after each ...
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// ... until it is as long as this.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The optional kinds that are installed, kept up to date by [`Kinds::follow`].
#[derive(Clone, Debug)]
pub struct Kinds(watch::Sender<BTreeSet<ChildKind>>);

impl Kinds {
    /// Begins with what is known.
    pub fn new(installed: BTreeSet<ChildKind>) -> Self {
        Self(watch::Sender::new(installed))
    }

    /// What is installed now.
    pub fn installed(&self) -> BTreeSet<ChildKind> {
        self.0.borrow().clone()
    }

    /// Wakes whoever waits when the set changes.
    pub fn subscribe(&self) -> watch::Receiver<BTreeSet<ChildKind>> {
        self.0.subscribe()
    }

    /// Asks until the API server answers: whoever stood by for weeks knows what was installed weeks ago.
    pub async fn refresh(&self, client: &Client) {
        let mut pause = FIRST_PAUSE;
        while !self.look(client).await {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Asks every `interval`, for ever. When the API server does not answer, what was known stays.
    pub async fn follow(self, client: Client, interval: Duration) {
        loop {
            tokio::time::sleep(interval).await;
            self.look(&client).await;
        }
    }

    /// Whether the API server answered.
    async fn look(&self, client: &Client) -> bool {
        let found = match discover(client).await {
            Ok(found) => found,
            Err(error) => {
                warn!(%error, "cannot look which optional kinds the cluster has");
                return false;
            }
        };
        self.0.send_if_modified(|known| {
            if *known == found {
                return false;
            }
            info!(before = ?known, now = ?found, "the optional kinds of the cluster changed");
            *known = found;
            true
        });
        true
    }
}

/// The optional kinds that the cluster has.
///
/// # Errors
/// When the API server does not say.
pub async fn discover(client: &Client) -> Result<BTreeSet<ChildKind>, ApiError> {
    let mut found = BTreeSet::new();
    for kind in ChildKind::ALL.into_iter().filter(|kind| kind.is_optional()) {
        let resource = kind.resource();
        match client
            .list_api_group_resources(&resource.api_version)
            .await
            .map_err(ApiError::from)
        {
            Ok(list) if list.resources.iter().any(|one| one.name == resource.plural) => {
                found.insert(kind);
            }
            Ok(_) | Err(ApiError::NotFound) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use http::{Request, Response, StatusCode};
    use kube::client::Body;
    use serde_json::json;

    use super::*;

    /// An API server that has no optional kind but the HTTPRoute, and fails at first.
    fn api(failures: usize) -> Client {
        let asked = Arc::new(AtomicUsize::new(0));
        let answer = move |request: Request<Body>| {
            let failure = |code: StatusCode| {
                let status = json!({ "kind": "Status", "status": "Failure", "code": code.as_u16() });
                (code, status)
            };
            let (code, body) = if asked.fetch_add(1, Ordering::SeqCst) < failures {
                failure(StatusCode::SERVICE_UNAVAILABLE)
            } else if request.uri().path() == "/apis/gateway.networking.k8s.io/v1" {
                let route = json!({
                    "name": "httproutes", "singularName": "httproute", "namespaced": true, "kind": "HTTPRoute", "verbs": [],
                });
                let list = json!({ "groupVersion": "gateway.networking.k8s.io/v1", "resources": [route] });
                (StatusCode::OK, list)
            } else {
                failure(StatusCode::NOT_FOUND)
            };
            let mut response = Response::new(Body::from(body.to_string().into_bytes()));
            *response.status_mut() = code;
            std::future::ready(Ok::<_, Infallible>(response))
        };
        Client::new(tower::service_fn(answer), "shop")
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_known_long_ago_is_replaced_however_long_it_takes() {
        let kinds = Kinds::new(BTreeSet::from([ChildKind::Certificate]));
        let server = api(7);
        let refreshed = tokio::time::timeout(Duration::from_secs(600), kinds.refresh(&server)).await;
        assert_eq!(refreshed, Ok(()));
        assert_eq!(kinds.installed(), BTreeSet::from([ChildKind::HttpRoute]));
    }
}
