//! The operator's program against a real API server, and the alerts about it and what it looks after. No kubelet, ingress
//! controller or cert-manager is here: the test writes what they would.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::{Pod, Secret};
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::api::{Api, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::{Client, ResourceExt};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};
use wahook_crds::WhatsAppWebhook;
use wahook_operator::child::ChildKind;
use wahook_operator::names;
use wahook_testbed::child::OwnedChild;
use wahook_testbed::kube::ControlPlane;
use wahook_testbed::log::Log;
use wahook_testbed::nats::NatsServer;
use wahook_testbed::port::ReservedPort;

use super::kubelet::Kubelet;
use super::proof::Proof;
use super::{NAMESPACE, eventually};

const OLD: &str = "registry.example.com/wahook-receiver:1";
const FAILED: &str = "whatsapp_webhook_operator_rollouts{state=\"failed\"}";
const NEW: &str = "registry.example.com/wahook-receiver:2";
/// The image of the webhook `few`.
const LAME: &str = "registry.example.com/lame:1";

/// The operator, its cluster, and who plays the rest of it.
pub struct Operator {
    plane: ControlPlane,
    client: Client,
    broker: String,
    port: ReservedPort,
    log: Log,
    kubelet: Kubelet,
    child: Option<OwnedChild>,
}

impl Operator {
    pub async fn start(plane: ControlPlane, client: Client, nats: &NatsServer) -> Self {
        let kubelet = Kubelet::start(client.clone(), NAMESPACE.to_owned());
        kubelet.break_image(LAME);
        let secret: Secret = serde_json::from_value(json!({
            "metadata": { "name": "meta-app" },
            "stringData": { "app-secret": "0123456789abcdef0123456789abcdef" },
        }))
        .unwrap();
        let secrets: Api<Secret> = Api::namespaced(client.clone(), NAMESPACE);
        secrets.create(&PostParams::default(), &secret).await.unwrap();
        let mut operator = Self {
            plane,
            client,
            broker: nats.url(),
            port: ReservedPort::new().unwrap(),
            log: Log::default(),
            kubelet,
            child: None,
        };
        operator.run(OLD);
        operator
    }

    /// Where the cluster's credentials are.
    pub fn kubeconfig(&self) -> PathBuf {
        self.plane.kubeconfig()
    }

    /// Where its metrics are.
    pub fn target(&self) -> String {
        self.port.address().to_string()
    }

    fn run(&mut self, image: &str) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wahook-operator"));
        command
            .env_clear()
            .env("KUBECONFIG", self.plane.kubeconfig())
            .args([
                "run",
                "--leader-election=false",
                "--resync=10s",
                "--ingress-needs-address=true",
            ])
            .args([
                "--watch-namespaces",
                NAMESPACE,
                "--allow-annotations",
                "prometheus.io/*",
                "--allow-images",
                "registry.example.com/*",
            ])
            .args(["--nats-servers", &self.broker, "--receiver-image", image])
            .args(["--admin-listen", &self.target()]);
        self.child = Some(OwnedChild::spawn(command, &self.log).unwrap());
    }

    fn webhooks(&self) -> Api<WhatsAppWebhook> {
        Api::namespaced(self.client.clone(), NAMESPACE)
    }

    fn children(&self, kind: ChildKind) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), NAMESPACE, &kind.resource())
    }

    async fn create(&self, name: &str, more: &Value) {
        let mut spec = json!({
            "endpoint": { "host": format!("{name}.example.com"), "tls": { "issuerRef": { "name": "letsencrypt" } } },
            "meta": { "appSecrets": [{ "name": "meta-app", "key": "app-secret" }] },
            "nats": { "stream": { "maxBytes": "1Mi" } },
        });
        for (key, value) in more.as_object().unwrap() {
            spec[key] = value.clone();
        }
        let webhook = WhatsAppWebhook::new(name, serde_json::from_value(spec).unwrap());
        self.webhooks()
            .create(&PostParams::default(), &webhook)
            .await
            .unwrap();
    }

    async fn patch(&self, name: &str, spec: &Value) {
        let patch = Patch::Merge(json!({ "spec": spec }));
        self.webhooks()
            .patch(name, &PatchParams::default(), &patch)
            .await
            .unwrap();
    }

    async fn status(&self, kind: ChildKind, webhook: &str, status: &Value) {
        let (api, name) = (self.children(kind), kind.name(webhook));
        eventually("the child", async || api.get_opt(&name).await.unwrap()).await;
        api.patch_status(
            &name,
            &PatchParams::default(),
            &Patch::Merge(json!({ "status": status })),
        )
        .await
        .unwrap();
    }

    /// Plays the ingress controller and cert-manager.
    async fn accept(&self, webhook: &str, days: i64) {
        let address = json!({ "loadBalancer": { "ingress": [{ "ip": "192.0.2.1" }] } });
        self.status(ChildKind::Ingress, webhook, &address).await;
        self.certificate(webhook, days).await;
    }

    async fn certificate(&self, webhook: &str, days: i64) {
        let not_after = Timestamp::now() + SignedDuration::from_hours(24 * days);
        let issued = json!({
            "conditions": [{ "type": "Ready", "status": "True" }],
            "notAfter": format!("{not_after:.0}"),
        });
        self.status(ChildKind::Certificate, webhook, &issued).await;
    }

    /// Pods with the annotations of the manual, which seem to run where this receiver's metrics are.
    pub async fn annotated(&self, metrics: SocketAddr) {
        let annotations = json!({
            "prometheus.io/scrape": "true",
            "prometheus.io/port": metrics.port().to_string(),
            "prometheus.io/path": "/metrics",
        });
        let receiver = json!({ "podMetadata": { "annotations": annotations } });
        self.create("annotated", &json!({ "receiver": receiver })).await;
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), NAMESPACE);
        let ours = ListParams::default().labels(&format!("{}=annotated", names::WEBHOOK_LABEL));
        let pod = eventually("a pod", async || pods.list(&ours).await.unwrap().items.pop()).await;
        let ip = metrics.ip().to_string();
        let status = json!({ "status": { "phase": "Running", "podIP": ip, "podIPs": [{ "ip": ip }] } });
        pods.patch_status(&pod.name_any(), &PatchParams::default(), &Patch::Merge(status))
            .await
            .unwrap();
    }

    pub async fn unready(&self, proof: &Proof) {
        let name = "WhatsAppWebhookNotReady";
        self.create("unready", &json!({})).await;
        // Until the receivers are ready it is another alert's.
        proof.fires(name, "unready", Instant::now(), 8).await;
        self.accept("unready", 365).await;
        proof.resolves(name, "unready", Instant::now()).await;
    }

    pub async fn few(&self, proof: &Proof) {
        let name = "WhatsAppWebhookReceiversMissing";
        self.create("few", &json!({ "receiver": { "image": LAME } }))
            .await;
        proof.fires(name, "few", Instant::now(), 4).await;
        self.kubelet.repair();
        proof.resolves(name, "few", Instant::now()).await;
    }

    pub async fn stalled(&self, proof: &Proof) {
        let name = "WhatsAppWebhookStalled";
        let unknown = json!({ "receiver": { "image": "elsewhere.example.com/receiver:1" } });
        self.create("stalled", &unknown).await;
        proof.fires(name, "stalled", Instant::now(), 3).await;
        self.patch("stalled", &json!({ "receiver": { "image": null } }))
            .await;
        proof.resolves(name, "stalled", Instant::now()).await;
    }

    pub async fn expiring(&self, proof: &Proof) {
        const ALERTS: [&str; 2] = [
            "WhatsAppWebhookCertificateExpires",
            "WhatsAppWebhookCertificateExpiresSoon",
        ];
        self.create("expiring", &json!({})).await;
        self.accept("expiring", 3).await;
        let begin = Instant::now();
        for name in ALERTS {
            proof.fires(name, "expiring", begin, 3).await;
        }
        self.certificate("expiring", 365).await;
        let repaired = Instant::now();
        for name in ALERTS {
            proof.resolves(name, "expiring", repaired).await;
        }
    }

    pub async fn full(&self, proof: &Proof, nats: &NatsServer) {
        let name = "WhatsAppWebhookStreamFull";
        self.create("full", &json!({})).await;
        let context = async_nats::jetstream::new(nats.client().await.unwrap());
        eventually("the stream", async || {
            context.get_stream("whatsapp_live_full").await.ok().map(drop)
        })
        .await;
        for number in 0..14 {
            let subject = format!("whatsapp.live.full.filled.{number}");
            let stored = context
                .publish(subject, vec![b'x'; 64 << 10].into())
                .await
                .unwrap();
            stored.await.unwrap();
        }
        // The operator looks at a stream whenever it looks at its webhook: every ten seconds here.
        proof.fires(name, "full", Instant::now(), 13).await;
        self.patch("full", &json!({ "nats": { "stream": { "maxBytes": "4Mi" } } }))
            .await;
        proof.resolves(name, "full", Instant::now()).await;
    }

    /// The API server is away: nothing can be looked at, and nothing followed.
    pub async fn alone(&self, proof: &Proof) {
        const ALERTS: [(&str, u64); 2] = [
            ("WahookOperatorReconcileErrors", 13),
            ("WahookOperatorWatchErrors", 13),
        ];
        self.plane.stop_apiserver().await.unwrap();
        let begin = Instant::now();
        for (name, takes) in ALERTS {
            proof.fires(name, "operator", begin, takes).await;
        }
        self.plane.start_apiserver().await.unwrap();
        let repaired = Instant::now();
        for (name, _) in ALERTS {
            proof.resolves(name, "operator", repaired).await;
        }
    }

    /// Killed, and then upgraded to receivers that do not come up.
    pub async fn killed_and_upgraded(&mut self, proof: &Proof) {
        let name = "WahookOperatorNoLeader";
        drop(self.child.take());
        proof.fires(name, "operator", Instant::now(), 1).await;

        self.kubelet.break_image(NEW);
        self.run(NEW);
        let restarted = Instant::now();
        proof.resolves(name, "operator", restarted).await;
        let name = "WahookOperatorUpgradeStopped";
        tokio::select! {
            () = self.go_on_giving_up() => {}
            () = async {
                // The real controller and the test have to agree first.
                let begin = eventually("a failed rollout", async || self.says(FAILED).await.then(Instant::now)).await;
                proof.fires(name, "operator", begin, 0).await;
            } => {}
        }
        self.kubelet.repair();
        proof.resolves(name, "operator", Instant::now()).await;
    }

    /// Whether its metrics have a line that begins so and is not zero.
    async fn says(&self, beginning: &str) -> bool {
        let Ok(answer) = reqwest::get(format!("http://{}/metrics", self.target())).await else {
            return false;
        };
        let text = answer.text().await.unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix(beginning));
        line.is_some_and(|value| value.trim() != "0")
    }

    /// Plays the Deployment controller whose patience is at its end, wherever a rollout has begun.
    /// The real controller writes its own word over ours now and then.
    async fn go_on_giving_up(&self) {
        loop {
            sleep(Duration::from_millis(500)).await;
            self.give_up_all().await;
        }
    }

    async fn give_up_all(&self) {
        let status = json!({ "status": { "conditions": [
            { "type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "as the test says" },
        ] } });
        let deployments = self.children(ChildKind::Deployment);
        let all = deployments.list(&ListParams::default()).await.unwrap().items;
        let image = "/spec/template/spec/containers/0/image";
        let new = all
            .iter()
            .filter(|one| one.data.pointer(image).is_some_and(|image| image == NEW));
        for deployment in new {
            let (parameters, patch) = (PatchParams::default(), Patch::Merge(&status));
            deployments
                .patch_status(&deployment.name_any(), &parameters, &patch)
                .await
                .unwrap();
        }
    }

    /// Waits until its metrics are there.
    pub async fn ready(&self) {
        let url = format!("http://{}/readyz", self.target());
        let is_ready = eventually("the operator", async || {
            let answer = reqwest::get(&url).await.ok()?;
            answer.status().is_success().then_some(())
        });
        let ready = timeout(Duration::from_secs(30), is_ready).await;
        assert!(ready.is_ok(), "{}", self.log.tail(20));
    }

    pub fn log(&self) -> &Log {
        &self.log
    }
}
