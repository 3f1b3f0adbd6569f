//! The cluster of a run, with the images in it, and how to get at it: commands, the webhook's host, the broker.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use wahook_testbed::kube::{Data, Extent, NODE_ADDRESS, Node, NodeOptions, Project};
use wahook_testbed::meta::{MetaClient, Way};
use wahook_testbed::stream::{self, Stored};
use wahook_testbed::tools::HELM;

use super::command::Tool;
use super::error::{E2eError, Result, expect};
use crate::image::{self, ImageArgs};
use crate::workspace::Workspace;

/// The namespace of the operator, of the bundled NATS and of the first webhook.
pub(super) const NAMESPACE: &str = "wahook";
/// The release.
pub(super) const RELEASE: &str = "wahook";
/// The version that the run begins with and upgrades from.
pub(super) const PREVIOUS: &str = "0.0.9";
/// The chart's first consumer login.
const CONSUMERS: &str = "wahook-nats-consumers";

/// Everything a step needs.
pub(super) struct House {
    pub(super) node: Node,
    pub(super) kubectl: Tool,
    pub(super) helm: Tool,
    /// The app secret of every webhook of the run.
    pub(super) app_secret: String,
    root: PathBuf,
}

impl House {
    /// Starts the cluster in `directory` and loads the images of this and of the previous version.
    pub(super) async fn start(workspace: &Workspace, directory: &Path) -> Result<Self> {
        let helm = HELM.find_or_install()?;
        let options = NodeOptions {
            extent: Extent::Ingress,
            progress: |what| eprintln!("cluster: {what}"),
            ..NodeOptions::default()
        };
        let node = Node::up(directory, options).await?;
        for tag in [PREVIOUS, env!("CARGO_PKG_VERSION")] {
            let args = ImageArgs {
                release: false,
                tag: tag.to_owned(),
                authorities: None,
            };
            for image in image::make(workspace, &args)? {
                Node::load(directory, &image.archive).await?;
            }
        }
        let kubeconfig = node.kubeconfig();
        let tool = |program: PathBuf| Tool {
            program,
            kubeconfig: kubeconfig.clone(),
        };
        Ok(Self {
            kubectl: tool(node.programs().path("kubectl")),
            helm: tool(helm),
            node,
            app_secret: format!("{:032x}", rand::random::<u128>()),
            root: workspace.file(""),
        })
    }

    /// Takes the cluster down.
    pub(super) async fn end(directory: &Path) -> Result {
        Ok(Node::down(directory, Data::Delete).await?)
    }

    /// A file of the repository, as a path for a command.
    pub(super) fn path(&self, file: &str) -> String {
        self.root.join(file).display().to_string()
    }

    /// The workspace's directory.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// The text of a manifest of `examples/`, with the secret filled in as its comments say.
    pub(super) fn example(&self, file: &str) -> Result<String> {
        let path = self.root.join("examples").join(file);
        let text = fs::read_to_string(&path).map_err(E2eError::io(format!("read {}", path.display())))?;
        Ok(text.replace("REPLACE-WITH-YOUR-APP-SECRET", &self.app_secret))
    }

    /// Meta, on its way through the ingress proxy to a host, over TLS.
    pub(super) fn meta(&self, host: &str) -> Result<MetaClient> {
        let path = self.node.authority();
        let way = Way {
            host: host.to_owned(),
            address: SocketAddr::from((NODE_ADDRESS, 443)),
            authority: fs::read(path).map_err(E2eError::io(format!("read {}", path.display())))?,
        };
        Ok(MetaClient::by_way(
            format!("https://{host}/webhook"),
            self.app_secret.as_str(),
            way,
        )?)
    }

    /// Creates a project's kinds.
    pub(super) async fn define(&self, project: Project) -> Result {
        let definitions = tokio::task::spawn_blocking(move || project.definitions()).await;
        for definition in definitions.map_err(|error| E2eError::Unmet(error.to_string()))?? {
            let name = definition["metadata"]["name"].as_str().unwrap_or_default();
            let path = format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}");
            self.node.api().apply(&path, &definition).await?;
        }
        Ok(())
    }

    /// A value of a Secret.
    pub(super) async fn secret(&self, namespace: &str, name: &str, key: &str) -> Result<String> {
        let secret = self.kubectl.get(&format!("secret {name} -n {namespace}")).await?;
        let encoded = secret["data"][key].as_str().unwrap_or_default();
        let value = STANDARD.decode(encoded).unwrap_or_default();
        expect(!value.is_empty(), || {
            format!("the Secret {namespace}/{name} has no {key}")
        })?;
        Ok(String::from_utf8_lossy(&value).into_owned())
    }

    /// The address of the bundled broker, from here.
    pub(super) async fn broker(&self) -> Result<String> {
        let service = self
            .kubectl
            .get(&format!("service wahook-nats -n {NAMESPACE}"))
            .await?;
        let address = service["spec"]["clusterIP"].as_str().unwrap_or_default();
        // A headless Service has none; its only pod has.
        let address = if address == "None" || address.is_empty() {
            let pod = self
                .kubectl
                .get(&format!("pod wahook-nats-0 -n {NAMESPACE}"))
                .await?;
            pod["status"]["podIP"].as_str().unwrap_or_default().to_owned()
        } else {
            address.to_owned()
        };
        Ok(format!("nats://{address}:4222"))
    }

    /// The bundled broker, as a consumer of the chart's own login.
    pub(super) async fn consumer(&self) -> Result<async_nats::Client> {
        let (user, password) = self.consumers_login().await?;
        self.consumer_as(user, password, "_INBOX").await
    }

    /// The user and the password that the chart made for consumers.
    pub(super) async fn consumers_login(&self) -> Result<(String, String)> {
        let user = self.secret(NAMESPACE, CONSUMERS, "nats.user").await?;
        let password = self.secret(NAMESPACE, CONSUMERS, "nats.password").await?;
        Ok((user, password))
    }

    /// The bundled broker, as somebody.
    pub(super) async fn consumer_as(
        &self,
        user: String,
        password: String,
        inbox: &str,
    ) -> Result<async_nats::Client> {
        let url = self.broker().await?;
        Ok(async_nats::ConnectOptions::with_user_and_password(user, password)
            .custom_inbox_prefix(inbox)
            .connection_timeout(Duration::from_secs(10))
            .connect(url)
            .await?)
    }

    /// What a webhook's stream holds.
    pub(super) async fn stored(&self, webhook: (&str, &str)) -> Result<Vec<Stored>> {
        let client = self.consumer().await?;
        Ok(stream::messages(&client, &stream_of(webhook)).await?)
    }

    /// The pods of a webhook that are not being deleted.
    pub(super) async fn pods(&self, webhook: (&str, &str)) -> Result<Vec<Value>> {
        let (namespace, name) = webhook;
        let list = self
            .kubectl
            .get(&format!("pods -n {namespace} -l wahook.dev/webhook={name}"))
            .await?;
        let pods = list["items"].as_array().cloned().unwrap_or_default();
        Ok(pods
            .into_iter()
            .filter(|pod| pod["metadata"]["deletionTimestamp"].is_null())
            .collect())
    }

    /// Waits until a Deployment has rolled out.
    pub(super) async fn rolled_out(&self, namespace: &str, deployment: &str) -> Result {
        let line = format!("rollout status deployment/{deployment} -n {namespace} --timeout=120s");
        self.kubectl.line(&line).await.map(drop)
    }
}

/// The stream of a webhook.
pub(super) fn stream_of((namespace, name): (&str, &str)) -> String {
    format!("whatsapp_{namespace}_{name}")
}

/// The names of objects.
pub(super) fn names(objects: &[Value]) -> Vec<String> {
    objects
        .iter()
        .map(|object| object["metadata"]["name"].as_str().unwrap_or_default().to_owned())
        .collect()
}
