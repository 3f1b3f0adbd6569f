//! What a bot lives in: NATS, a receiver that fills a stream, and Meta's Graph API, which tells the receiver what became of each reply.

use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use wahook_testbed::graph::Graph;
use wahook_testbed::meta::MetaClient;
use wahook_testbed::nats::{Login, NatsServer, Pki, TlsOptions};
use wahook_testbed::process::{ReceiverOptions, ReceiverProcess};
use wahook_testbed::stream::{self, Stored};

use crate::bodies::NUMBER;

/// The stream of the receiver.
pub(crate) const STREAM: &str = "whatsapp_shop_main";
/// The access token of the Graph API.
pub(crate) const TOKEN: &str = "EXAMPLE-ACCESS-TOKEN";
/// The password of every user of a guarded broker.
pub(crate) const PASSWORD: &str = "a-password-to-log-in-with";
const SECRET: &str = "0f9c1f9c31d84c6fa8b7d1c2e3a4b5c6";

/// Everything runs until it is dropped.
pub(crate) struct House {
    pub(crate) graph: Graph,
    pub(crate) meta: MetaClient,
    pub(crate) client: async_nats::Client,
    pub(crate) media: tempfile::TempDir,
    /// Of the broker, where it is guarded.
    pub(crate) pki: Option<Pki>,
    _receiver: ReceiverProcess,
    pub(crate) nats: NatsServer,
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::with(NatsServer::start().await.unwrap(), None).await
    }

    /// The same, where NATS speaks TLS and its user `bot` has these permissions.
    pub(crate) async fn guarded(permissions: &str) -> Self {
        let pki = Pki::new().unwrap();
        let tls = TlsOptions {
            server: pki.server().clone(),
            ca: pki.ca(),
            verify_clients: false,
            handshake_first: false,
        };
        let users = format!(
            "authorization {{ users: [\n{{user: admin, password: {PASSWORD}}}\n\
             {{user: bot, password: {PASSWORD}, permissions: {{ {permissions} }} }}\n] }}"
        );
        let nats = NatsServer::builder().tls(tls).raw(&users).start().await.unwrap();
        Self::with(nats, Some(pki)).await
    }

    async fn with(nats: NatsServer, pki: Option<Pki>) -> Self {
        let yaml = format!(
            "identity: {{namespace: shop, webhook: main}}\n\
             http: {{listen: '127.0.0.1:{{port}}', adminListen: '127.0.0.1:{{admin_port}}'}}\n\
             secretsDir: '{{dir}}/secrets'\n\
             nats: {{servers: ['{}']}}\n\
             stream: {{ensure: true, maxBytes: 200000000}}\n\
             phoneNumberIds: ['{NUMBER}']\n",
            nats.url()
        );
        let mut options = ReceiverOptions::from_yaml(&yaml)
            .file("secrets/app-secret-1", SECRET)
            .file("secrets/verify-token", "a-token-to-verify-with");
        let mut login = None;
        if let Some(pki) = &pki {
            login = Some(Login::password("admin", PASSWORD));
            options = options
                .file("secrets/nats.user", "admin")
                .file("secrets/nats.password", PASSWORD)
                .file("secrets/nats-ca.crt", std::fs::read(pki.ca()).unwrap());
        }
        let receiver = ReceiverProcess::start(options).await.unwrap();
        let meta = receiver.meta(SECRET).unwrap();
        let graph = Graph::start(TOKEN).await.unwrap();
        graph.tell(meta.clone());
        Self {
            graph,
            meta,
            client: nats.client_with(login.as_ref(), None).await.unwrap(),
            media: tempfile::tempdir().unwrap(),
            pki,
            _receiver: receiver,
            nats,
        }
    }

    /// Posts a body as Meta does.
    pub(crate) async fn post(&self, body: Vec<u8>) {
        let answer = self.meta.post(body).await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    /// Everything the stream holds.
    pub(crate) async fn stored(&self) -> Vec<Stored> {
        stream::messages(&self.client, STREAM).await.unwrap()
    }

    /// The ids of the events of an object of Meta's, in order: by Meta's id, or by any other text of its own.
    pub(crate) async fn event_ids(&self, object: &str) -> Vec<String> {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let stored = self.stored().await;
            let ids: Vec<_> = stored
                .iter()
                .filter(|stored| stored.header("ce-subject") == Some(object) || says(stored, object))
                .filter_map(|stored| stored.header("ce-id").map(str::to_owned))
                .collect();
            if !ids.is_empty() {
                return ids;
            }
            assert!(Instant::now() < deadline, "no event of {object}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Deletes every object: what `ce-dataref` names is gone.
    pub(crate) async fn forget_objects(&self) {
        let context = async_nats::jetstream::new(self.client.clone());
        let store = context
            .get_object_store(format!("{STREAM}_objects"))
            .await
            .unwrap();
        let names: Vec<_> = store
            .list()
            .await
            .unwrap()
            .map(|info| info.unwrap().name)
            .collect()
            .await;
        assert!(!names.is_empty());
        for name in names {
            store.delete(name).await.unwrap();
        }
    }
}

fn says(stored: &Stored, text: &str) -> bool {
    String::from_utf8_lossy(&stored.payload).contains(&format!("\"{text}\""))
}
