//! Which of the kinds that a cluster may lack it has: asked at the start and again and again.

use std::collections::BTreeSet;
use std::time::Duration;

use kube::Client;
use tokio::sync::watch;
use tracing::{info, warn};

use crate::api_error::ApiError;
use crate::child::ChildKind;

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

    /// Asks every `interval`, for ever. When the API server does not answer, what was known stays.
    pub async fn follow(self, client: Client, interval: Duration) {
        loop {
            tokio::time::sleep(interval).await;
            match discover(&client).await {
                Ok(found) => {
                    self.0.send_if_modified(|known| {
                        if *known == found {
                            return false;
                        }
                        info!(before = ?known, now = ?found, "the optional kinds of the cluster changed");
                        *known = found;
                        true
                    });
                }
                Err(error) => warn!(%error, "cannot look which optional kinds the cluster has"),
            }
        }
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
