//! Who looks after a webhook's stream, as the controller sees it.

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use tracing::info;
use wahook_crds::conditions::Reason;

use crate::jetstream::{Broker, StreamOwner, StreamReport};
use crate::validate::{StreamKeeper, StreamPlan, Validated};

/// Looks after the streams of the broker that the operator connects to.
pub trait StreamKeeping: Send + Sync {
    /// Makes the stream what it should be, or says why it is not. Never fails, and returns within seconds.
    fn look_after<'a>(&'a self, plan: &'a StreamPlan, owner: &'a StreamOwner) -> BoxFuture<'a, StreamReport>;

    /// Says each time the broker is back, so that nobody waits for the next look.
    fn recovered(&self) -> BoxStream<'static, ()> {
        stream::pending().boxed()
    }
}

impl StreamKeeping for Broker {
    fn look_after<'a>(&'a self, plan: &'a StreamPlan, owner: &'a StreamOwner) -> BoxFuture<'a, StreamReport> {
        Box::pin(Self::look_after(self, plan, owner))
    }

    fn recovered(&self) -> BoxStream<'static, ()> {
        let states = self.watch();
        stream::unfold((states, false), async |(mut states, was)| {
            let mut was = was;
            loop {
                states.changed().await.ok()?;
                let is = states.borrow_and_update().is_connected();
                if is && !was {
                    return Some(((), (states, true)));
                }
                was = is;
            }
        })
        .boxed()
    }
}

/// How the stream of a webhook is. Streams of other brokers than the operator's own are the receivers' to look after:
/// the operator connects nowhere because a resource says so.
pub async fn look_after(keeping: &dyn StreamKeeping, webhook: &Validated, uid: &str) -> StreamReport {
    if webhook.stream.keeper == StreamKeeper::Receivers {
        return StreamReport {
            ok: false,
            reason: Reason::CheckedByReceivers,
            message:
                "The receivers look after the stream; they are ready only with one that keeps its promises."
                    .to_owned(),
            usage: None,
            written: Vec::new(),
        };
    }
    let owner = StreamOwner {
        namespace: webhook.namespace.clone(),
        name: webhook.name.clone(),
        uid: uid.to_owned(),
    };
    let report = keeping.look_after(&webhook.stream, &owner).await;
    for change in &report.written {
        info!(
            namespace = webhook.namespace,
            webhook = webhook.name,
            change,
            "changed the stream"
        );
    }
    report
}
