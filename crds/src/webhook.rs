//! `WhatsAppWebhook`: the resource itself, its columns, and the rules between its sections.

use kube::core::Rule;
use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use crate::deduplication::Deduplication;
use crate::endpoint::Endpoint;
use crate::limits::Limits;
use crate::meta::Meta;
use crate::monitoring::Monitoring;
use crate::nats::Nats;
use crate::network_policy::NetworkPolicy;
use crate::receiver::Receiver;
use crate::rules::rule;
use crate::status::WhatsAppWebhookStatus;

/// A webhook for Meta's WhatsApp Business API: requests arrive at `endpoint`, their events in a JetStream
/// stream.
#[derive(Clone, Debug, PartialEq, CustomResource, KubeSchema, Serialize, Deserialize)]
#[kube(
    group = "wahook.dev",
    version = "v1alpha1",
    kind = "WhatsAppWebhook",
    plural = "whatsappwebhooks",
    shortname = "waw",
    category = "wahook",
    namespaced,
    derive = "PartialEq",
    doc = "A webhook for Meta's WhatsApp Business API. Requests arrive at an HTTPS endpoint; each event is \
           stored in a NATS JetStream stream before Meta gets its answer.",
    status = "WhatsAppWebhookStatus",
    scale(
        spec_replicas_path = ".spec.receiver.replicas",
        status_replicas_path = ".status.replicas",
        label_selector_path = ".status.selector"
    ),
    validation = rule(
        "self.metadata.name.matches('^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$')",
        "metadata.name must be a DNS label of at most 40 characters that begins with a letter: lower-case \
         letters, digits and '-'. It becomes part of every subject and of a Service's name",
    ),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].status"#,
        description = "Whether secrets, stream, receivers and route are ready"
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].reason"#,
        description = "Why"
    ),
    printcolumn(
        name = "URL",
        type_ = "string",
        json_path = ".status.callbackUrl",
        description = "The callback URL to register with Meta"
    ),
    printcolumn(
        name = "Up",
        type_ = "integer",
        json_path = ".status.readyReplicas",
        description = "Receivers that are ready"
    ),
    printcolumn(
        name = "Receivers",
        type_ = "integer",
        json_path = ".status.replicas",
        description = "Receivers that exist"
    ),
    printcolumn(
        name = "Receiving",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Receiving")].reason"#,
        description = "Whether Meta has called",
        priority = 1
    ),
    printcolumn(
        name = "Endpoint",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="EndpointReady")].reason"#,
        description = "Whether the public URL answers as Meta needs it",
        priority = 1
    ),
    printcolumn(
        name = "Stream",
        type_ = "string",
        json_path = ".status.stream.name",
        description = "The JetStream stream",
        priority = 1
    ),
    printcolumn(
        name = "Secrets",
        type_ = "integer",
        json_path = ".status.secretGeneration",
        description = "Which set of secrets the receivers have loaded",
        priority = 1
    ),
    printcolumn(
        name = "Certificate Until",
        type_ = "string",
        json_path = ".status.certificate.notAfter",
        description = "When the certificate expires",
        priority = 1
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp",
        description = "Since when the resource exists"
    )
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = window_within_age())]
pub struct WhatsAppWebhookSpec {
    /// Where Meta reaches the webhook.
    pub endpoint: Endpoint,
    /// Meta's side: the app's secrets and the phone numbers.
    pub meta: Meta,
    /// The broker and the stream that keeps the events.
    #[serde(default)]
    pub nats: Nats,
    /// How long a stored event is remembered, so that Meta's repetitions are not stored again.
    #[serde(default)]
    pub deduplication: Deduplication,
    /// What one receiver accepts at most.
    #[serde(default)]
    pub limits: Limits,
    /// The pods that answer Meta.
    #[serde(default)]
    pub receiver: Receiver,
    /// What Prometheus is told.
    #[serde(default)]
    pub monitoring: Monitoring,
    /// Who may reach the receivers.
    #[serde(default)]
    pub network_policy: NetworkPolicy,
    /// Stop the receivers and leave everything else as it is. Meta repeats what it could not deliver, for up
    /// to seven days. `false` by default.
    #[serde(default)]
    pub suspend: bool,
}

/// JetStream forgets an id when it forgets the event, so a shorter age would cut the window.
fn window_within_age() -> Rule {
    // A value that is no length of time has its own message.
    let parses = |path: &str| format!("{path}.matches('^[0-9]+[hms][0-9hms]*$')");
    let (age, window) = ("self.nats.stream.maxAge", "self.deduplication.window");
    rule(
        format!(
            "!{} || !{} || duration({age}) >= duration({window})",
            parses(age),
            parses(window)
        ),
        "nats.stream.maxAge must not be shorter than deduplication.window",
    )
}
