//! A NATS cluster with JetStream on this machine, each node a process that tests may break.

use std::future::Future;
use std::time::{Duration, Instant};

use async_nats::ConnectOptions;
use async_nats::jetstream::{self, stream};
use futures_util::future::try_join_all;

use super::builder::NatsServerBuilder;
use super::error::NatsError;
use super::server::NatsServer;
use crate::port::ReservedPort;

/// A hard loss of a leader takes the server 4 to 9 s to notice; several may follow each other.
const ELECTION_LIMIT: Duration = Duration::from_secs(60);
/// The pause between two questions to a cluster that is not there yet.
const ASK_EVERY: Duration = Duration::from_millis(100);

/// Several nats-servers that form one JetStream cluster. Dropping it kills them all.
pub struct NatsCluster {
    nodes: Vec<NatsServer>,
    /// Kept so that a restarted node finds its route port free.
    _route_ports: Vec<ReservedPort>,
}

impl NatsCluster {
    /// Starts a cluster of `size` nodes, `n0`, `n1`, ..., and waits until it can store with that many replicas.
    ///
    /// # Errors
    /// [`NatsError`]: a node did not start, or the cluster did not form in a minute.
    pub async fn start(size: usize) -> Result<Self, NatsError> {
        Self::start_with(size, |node| node).await
    }

    /// As [`NatsCluster::start`], with more options for each node.
    ///
    /// # Errors
    /// As [`NatsCluster::start`].
    pub async fn start_with(
        size: usize,
        options: impl Fn(NatsServerBuilder) -> NatsServerBuilder,
    ) -> Result<Self, NatsError> {
        let ports: Vec<ReservedPort> = (0..size)
            .map(|_| ReservedPort::new())
            .collect::<Result<_, _>>()
            .map_err(NatsError::io("find free ports"))?;
        let routes: Vec<u16> = ports.iter().map(ReservedPort::number).collect();
        let nodes = try_join_all(routes.iter().enumerate().map(|(index, &listen)| {
            options(NatsServer::builder())
                .name(&format!("n{index}"))
                .seat(listen, routes.clone())
                .start()
        }))
        .await?;
        let cluster = Self {
            nodes,
            _route_ports: ports,
        };
        cluster.wait_until_it_stores().await?;
        Ok(cluster)
    }

    /// The nodes, in order.
    pub fn nodes(&self) -> &[NatsServer] {
        &self.nodes
    }

    /// Every node's URL.
    pub fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(NatsServer::url).collect()
    }

    /// A client that knows every node and moves on when its own goes away.
    ///
    /// # Errors
    /// [`NatsError::Connect`] when no node lets it in.
    pub async fn client(&self) -> Result<async_nats::Client, NatsError> {
        let options = match self.nodes.first() {
            Some(node) => node.client_options(node.first_login())?,
            None => ConnectOptions::new(),
        };
        Ok(options.connect(self.urls()).await?)
    }

    /// The node that leads a stream; waits for an election to end.
    ///
    /// # Errors
    /// [`NatsError::Cluster`] when there is no leader after a minute.
    pub async fn leader_of(&self, stream: &str) -> Result<&NatsServer, NatsError> {
        let context = jetstream(self.client().await?);
        let name = self
            .until(&format!("elected a leader of {stream}"), async || {
                let info = stream_info(&context, stream).await?;
                info.cluster
                    .and_then(|cluster| cluster.leader)
                    .ok_or("no leader".to_owned())
            })
            .await?;
        self.nodes
            .iter()
            .find(|node| node.name() == Some(&name))
            .ok_or_else(|| NatsError::Cluster {
                awaited: format!("elected a leader of {stream} among its nodes"),
                waited: Duration::ZERO,
                last: name,
            })
    }

    /// Waits until every replica of a stream is there and up to date, as after a restart.
    ///
    /// # Errors
    /// [`NatsError::Cluster`] when one is not after a minute.
    pub async fn wait_until_current(&self, stream: &str) -> Result<(), NatsError> {
        let context = jetstream(self.client().await?);
        self.until(
            &format!("brought every replica of {stream} up to date"),
            async || {
                let info = stream_info(&context, stream).await?;
                let cluster = info.cluster.ok_or("not clustered")?;
                let behind = cluster
                    .replicas
                    .iter()
                    .filter(|peer| peer.offline || !peer.current)
                    .count();
                match (cluster.leader, behind) {
                    (Some(_), 0) if cluster.replicas.len() + 1 == info.config.num_replicas => Ok(()),
                    _ => Err(format!("{behind} of {} followers behind", cluster.replicas.len())),
                }
            },
        )
        .await
    }

    /// Asks the leader of a stream to hand over and waits for the new one: an election in milliseconds, not seconds.
    ///
    /// # Errors
    /// [`NatsError::Cluster`] when nobody takes over in a minute.
    pub async fn step_down(&self, stream: &str) -> Result<&NatsServer, NatsError> {
        let client = self.client().await?;
        let context = jetstream(client.clone());
        let subject = format!("$JS.API.STREAM.LEADER.STEPDOWN.{stream}");
        let reign = async || {
            let cluster = stream_info(&context, stream)
                .await?
                .cluster
                .ok_or("not clustered")?;
            cluster
                .leader
                .zip(cluster.leader_since)
                .ok_or("no leader".to_owned())
        };
        let before = self
            .until(&format!("elected a leader of {stream}"), &reign)
            .await?;
        self.until(&format!("made the leader of {stream} step down"), async || {
            let answer = client
                .request(subject.clone(), "".into())
                .await
                .map_err(|error| error.to_string())?;
            let text = String::from_utf8_lossy(&answer.payload).into_owned();
            if text.contains("\"success\":true") {
                Ok(())
            } else {
                Err(text)
            }
        })
        .await?;
        self.until(&format!("elected a new leader of {stream}"), async || {
            if reign().await? == before {
                Err("the old leader".to_owned())
            } else {
                Ok(())
            }
        })
        .await?;
        self.leader_of(stream).await
    }

    async fn wait_until_it_stores(&self) -> Result<(), NatsError> {
        let context = jetstream(self.client().await?);
        let config = stream::Config {
            name: "testbed_ready".to_owned(),
            subjects: vec!["testbed.ready".to_owned()],
            storage: stream::StorageType::Memory,
            num_replicas: self.nodes.len(),
            ..stream::Config::default()
        };
        self.until("created a stream with every replica", async || {
            let made = context.get_or_create_stream(config.clone()).await;
            made.map(drop).map_err(|error| error.to_string())
        })
        .await?;
        self.until("removed the trial stream", async || {
            context
                .delete_stream(&config.name)
                .await
                .map(drop)
                .map_err(|error| error.to_string())
        })
        .await
    }

    /// Asks again and again until the answer is good or the time is over.
    async fn until<T, F>(&self, awaited: &str, ask: impl Fn() -> F) -> Result<T, NatsError>
    where
        F: Future<Output = Result<T, String>>,
    {
        let deadline = Instant::now() + ELECTION_LIMIT;
        loop {
            match ask().await {
                Ok(answer) => return Ok(answer),
                Err(last) if Instant::now() >= deadline => {
                    return Err(NatsError::Cluster {
                        awaited: awaited.to_owned(),
                        waited: ELECTION_LIMIT,
                        last,
                    });
                }
                Err(_) => tokio::time::sleep(ASK_EVERY).await,
            }
        }
    }
}

/// A context whose questions do not wait long for a cluster that has no leader.
fn jetstream(client: async_nats::Client) -> jetstream::Context {
    jetstream::ContextBuilder::new()
        .timeout(Duration::from_secs(2))
        .build(client)
}

async fn stream_info(context: &jetstream::Context, stream: &str) -> Result<stream::Info, String> {
    let stream = context
        .get_stream_no_info(stream)
        .await
        .map_err(|error| error.to_string())?;
    stream.get_info().await.map_err(|error| error.to_string())
}
