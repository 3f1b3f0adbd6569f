//! The names, labels and annotations of everything the operator makes. Written nowhere else.

/// The field manager of every server-side apply.
pub const FIELD_MANAGER: &str = "wahook-operator";
/// The field manager that holds a Deployment's `replicas` while an autoscaler decides about them.
pub const REPLICAS_MANAGER: &str = "wahook-operator-replicas";

/// The label that says which webhook an object belongs to. Also what receivers are selected by.
pub const WEBHOOK_LABEL: &str = "wahook.dev/webhook";
/// The label that says who makes an object. The operator watches only objects with it.
pub const MANAGED_BY_LABEL: &str = "app.kubernetes.io/managed-by";
/// The value of [`MANAGED_BY_LABEL`].
pub const MANAGED_BY: &str = "wahook-operator";

/// The annotation with the digest of what was applied, so that a field that is no longer wanted is noticed.
pub const APPLIED_ANNOTATION: &str = "wahook.dev/applied";
/// The Deployment's annotation with the digest of its pod template, by which a change of the operator's own
/// making is told from everything else.
pub const TEMPLATE_ANNOTATION: &str = "wahook.dev/template";
/// The pod template's annotation with the digest of the configuration that receivers read only at their start.
pub const CONFIG_ANNOTATION: &str = "wahook.dev/configuration";
/// The Deployment's annotation with the resource's generation that its pod template was made from.
pub const GENERATION_ANNOTATION: &str = "wahook.dev/generation";

/// The Deployment's annotation with the digest of a pod template that came with another version of the operator, as
/// long as the pods are of it.
pub const UPGRADE_ANNOTATION: &str = "wahook.dev/upgrade";

/// The webhook's container.
pub const CONTAINER: &str = "receiver";
/// The port Meta's requests arrive at, by number and by name.
pub const WEBHOOK_PORT: (i32, &str) = (3000, "webhook");
/// The port of probes, metrics and status, by number and by name.
pub const ADMIN_PORT: (i32, &str) = (9090, "admin");

/// The key of the receiver's configuration in its `ConfigMap`.
pub const CONFIG_KEY: &str = "config.yaml";
/// The key of the broker's authorities in the same `ConfigMap`, when the operator's flags name them.
pub const CA_KEY: &str = "nats-ca.crt";
/// The key of the generated verify token in the generated Secret.
pub const VERIFY_TOKEN_KEY: &str = "verify-token";
/// The key of the generated key that answers to the operator's probes are signed with.
pub const PROBE_KEY: &str = "probe-key";

/// What most children of a webhook are called.
pub fn child(webhook: &str) -> String {
    format!("{webhook}-webhook")
}

/// The `ConfigMap` that consumers read.
pub fn events(webhook: &str) -> String {
    format!("{webhook}-events")
}

/// The Secret in which cert-manager stores the certificate.
pub fn tls(webhook: &str) -> String {
    format!("{webhook}-webhook-tls")
}

/// Whether only the operator sets labels and annotations of this key.
pub fn is_ours(key: &str) -> bool {
    key.starts_with("wahook.dev/") || key.starts_with("app.kubernetes.io/")
}
