//! NATS, the receiver and Meta as the demo runs them, and the requests it makes.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use wahook_testbed::graph::Graph;
use wahook_testbed::meta::{Answer, MetaClient, SIGNATURE_HEADER, sign};
use wahook_testbed::nats::NatsServer;
use wahook_testbed::process::{ReceiverOptions, ReceiverProcess};
use wahook_testbed::stream::{self, Stored};

use super::DemoError;
use super::check::Totals;
use super::script::{Request, Signature, Step};

/// The stream that a receiver by hand uses.
pub(super) const STREAM: &str = "whatsapp_local_webhook";
/// All of its subjects.
pub(super) const SUBJECTS: &str = "whatsapp.local.webhook.>";

/// What came of one step.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) status: u16,
    pub(super) says: String,
    pub(super) new: u64,
    pub(super) took: Duration,
}

/// Both processes, and both sides of Meta. Dropping it ends them.
pub(super) struct House {
    pub(super) nats: NatsServer,
    pub(super) receiver: ReceiverProcess,
    pub(super) client: async_nats::Client,
    pub(super) meta: MetaClient,
    pub(super) graph: Graph,
    pub(super) app_secret: String,
    pub(super) access_token: String,
    verify_token: String,
}

impl House {
    /// Starts NATS and then the receiver, with secrets made for this run, and waits until both are ready.
    pub(super) async fn start(receiver: &Path, port: Option<u16>) -> Result<Self, DemoError> {
        let (app_secret, verify_token, access_token) = (random_hex(), random_hex(), random_hex());
        let nats = NatsServer::start().await?;
        let client = nats.client().await?;
        let mut options = ReceiverOptions::by_hand(&app_secret, &verify_token, &nats.url())
            .arg("--ensure-stream")
            .binary(receiver);
        if let Some(port) = port {
            options = options.env("PORT", &port.to_string());
        }
        let receiver = ReceiverProcess::start(options).await?;
        let address = port.map_or_else(
            || receiver.address(),
            |port| SocketAddr::from(([127, 0, 0, 1], port)),
        );
        let meta = MetaClient::new(format!("http://{address}/webhook"), app_secret.as_str())?;
        let graph = Graph::start(&access_token).await?;
        graph.tell(meta.clone());
        Ok(Self {
            nats,
            receiver,
            client,
            meta,
            graph,
            app_secret,
            access_token,
            verify_token,
        })
    }

    /// Makes one request and counts what it adds to the stream.
    pub(super) async fn perform(&self, step: &Step) -> Result<Done, DemoError> {
        let before = stream::count(&self.client, STREAM).await?;
        let answer = self.send(&step.request).await?;
        let after = stream::count(&self.client, STREAM).await?;
        Ok(Done {
            status: answer.status,
            says: answer.text(),
            new: after.saturating_sub(before),
            took: answer.elapsed,
        })
    }

    async fn send(&self, request: &Request) -> Result<Answer, DemoError> {
        let answer = match request {
            Request::Handshake {
                right_token,
                challenge,
            } => {
                let token = if *right_token {
                    &self.verify_token
                } else {
                    "another token"
                };
                self.meta.handshake(token, challenge).await
            }
            Request::Delivery { body, signature } => {
                let body = body.clone();
                match signature {
                    Signature::Right => self.meta.post(body).await,
                    Signature::Wrong => {
                        let wrong = sign("another secret", body.as_bytes());
                        self.meta.post_with(body, &[(SIGNATURE_HEADER, &wrong)]).await
                    }
                    Signature::Absent => self.meta.post_with(body, &[]).await,
                }
            }
        };
        Ok(answer?)
    }

    /// Everything the stream holds.
    pub(super) async fn stored(&self) -> Result<Vec<Stored>, DemoError> {
        Ok(stream::messages(&self.client, STREAM).await?)
    }

    /// What the receiver says it did.
    pub(super) async fn totals(&self) -> Result<Totals, DemoError> {
        let (_, metrics) = self.receiver.admin("/metrics").await?;
        Ok(Totals::read(&metrics))
    }

    /// Stops the receiver and then NATS, each in its own way.
    pub(super) async fn stop(self) -> Result<(), DemoError> {
        let code = self.receiver.stop().await?;
        if code != Some(0) {
            return Err(DemoError::Ended {
                code,
                log: self.receiver.log().tail(20),
            });
        }
        self.nats.stop().await?;
        Ok(())
    }
}

/// 32 hexadecimal digits, as Meta's app secrets have.
fn random_hex() -> String {
    format!("{:032x}", rand::random::<u128>())
}
