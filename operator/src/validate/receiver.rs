//! `spec.receiver`: how many, which image, and what of a pod may be set.

use std::collections::BTreeMap;

use wahook_crds::conditions::{ConditionType, Reason};
use wahook_crds::{Receiver, WhatsAppWebhookSpec};

use super::check::Check;
use super::model::Scale;
use crate::build::quantity::Amount;
use crate::names;
use crate::settings::{Allow, Settings};

/// What is read here.
pub(super) struct Read {
    pub(super) scale: Scale,
    pub(super) image: String,
    pub(super) pull_secrets: Vec<String>,
}

/// Reads the receivers' part.
pub(super) fn read(spec: &WhatsAppWebhookSpec, settings: &Settings, check: &mut Check) -> Read {
    let receiver = &spec.receiver;
    phone_number_ids(&spec.meta.phone_number_ids, check);
    resources(receiver, check);
    scheduling(receiver, check);
    pod_metadata(receiver, &settings.allow, check);
    env(receiver, &settings.allow, check);
    let mut pull_secrets = settings.receiver.pull_secrets.clone();
    for secret in &receiver.image_pull_secrets {
        if !pull_secrets.contains(&secret.name) {
            pull_secrets.push(secret.name.clone());
        }
    }
    Read {
        scale: scale(receiver, spec.suspend, check),
        image: image(receiver, settings, check),
        pull_secrets,
    }
}

/// The receiver does not start with an id that is none. They are not repeated: a phone number in the wrong
/// place is personal data.
fn phone_number_ids(ids: &[String], check: &mut Check) {
    let is_id = |id: &String| (1..=32).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit());
    if !ids.iter().all(is_id) {
        check.invalid(
            "meta.phoneNumberIds must be the digits of Phone number ID in WhatsApp Manager, not the phone \
             number itself",
        );
    }
}

fn scale(receiver: &Receiver, suspended: bool, check: &mut Check) -> Scale {
    let Some(auto) = &receiver.autoscaling else {
        let replicas = check.number("receiver.replicas", receiver.replicas, 1..=100);
        return Scale::Fixed(if suspended { 0 } else { replicas });
    };
    let min = check.number("receiver.autoscaling.minReplicas", auto.min_replicas, 1..=100);
    let max = check.number("receiver.autoscaling.maxReplicas", auto.max_replicas, 1..=100);
    let target = check.number(
        "receiver.autoscaling.targetCpuPercent",
        auto.target_cpu_percent,
        1..=100,
    );
    if max < min {
        check.invalid(
            "receiver.autoscaling.maxReplicas must not be smaller than receiver.autoscaling.minReplicas",
        );
    }
    // A limit stands in for a request that is absent.
    if receiver.resources.requests.cpu.is_none() && receiver.resources.limits.cpu.is_none() {
        check.invalid(
            "receiver.autoscaling needs receiver.resources.requests.cpu, which its target is a share of: set \
             it, for example to 100m",
        );
    }
    if suspended {
        Scale::Fixed(0)
    } else {
        Scale::Auto {
            min,
            max,
            target_cpu_percent: target,
        }
    }
}

fn image(receiver: &Receiver, settings: &Settings, check: &mut Check) -> String {
    let default = &settings.receiver.image;
    let Some(image) = &receiver.image else {
        return default.clone();
    };
    if !is_image(image) {
        check.invalid("receiver.image must be an image such as registry.example.com/wahook/receiver:1.0.0");
    } else if image != default && !settings.allow.image(image) {
        check.refuse(
            ConditionType::ReceiverReady,
            Reason::ImageNotAllowed,
            format!(
                "receiver.image {image} is not allowed: leave it out to run {default}, or ask who runs the \
                 operator for --allow-images"
            ),
        );
    }
    image.clone()
}

/// What a reference to an image is made of. With it, no part of a pattern can be left by a trick.
fn is_image(image: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/:@".contains(&byte);
    (1..=512).contains(&image.len())
        && image.bytes().all(allowed)
        && image.starts_with(|first: char| first.is_ascii_alphanumeric())
        && !["..", "//", "/.", "./"].iter().any(|odd| image.contains(odd))
}

/// What the API server would refuse in a Deployment.
fn resources(receiver: &Receiver, check: &mut Check) {
    let (requests, limits) = (&receiver.resources.requests, &receiver.resources.limits);
    for (resource, example, request, limit) in [
        ("cpu", "500m", &requests.cpu, &limits.cpu),
        ("memory", "128Mi", &requests.memory, &limits.memory),
    ] {
        let mut read = |kind: &str, text: &Option<_>| {
            let amount = text.as_ref().map(
                |quantity: &k8s_openapi::apimachinery::pkg::api::resource::Quantity| {
                    Amount::parse(&quantity.0).filter(Amount::is_positive)
                },
            )?;
            if amount.is_none() {
                check.invalid(format!(
                    "receiver.resources.{kind}.{resource} must be an amount greater than 0, such as {example}"
                ));
            }
            amount
        };
        let (request, limit) = (read("requests", request), read("limits", limit));
        if let (Some(request), Some(limit)) = (request, limit)
            && request > limit
        {
            check.invalid(format!(
                "receiver.resources.limits.{resource} must not be smaller than \
                 receiver.resources.requests.{resource}"
            ));
        }
    }
}

fn scheduling(receiver: &Receiver, check: &mut Check) {
    let scheduling = &receiver.scheduling;
    let class = scheduling.priority_class_name.as_ref();
    if class.is_some_and(|class| class.starts_with("system-")) {
        check.invalid("receiver.scheduling.priorityClassName must not be one of the system's");
    }
    for (index, toleration) in scheduling.tolerations.iter().enumerate() {
        let field = format!("receiver.scheduling.tolerations[{index}]");
        let operator = toleration.operator.as_deref().unwrap_or_default();
        let has_value = toleration.value.as_ref().is_some_and(|value| !value.is_empty());
        let effect = toleration.effect.as_deref().unwrap_or_default();
        if !matches!(operator, "" | "Equal" | "Exists") || operator == "Exists" && has_value {
            check.invalid(format!(
                "{field}.operator must be Equal, or Exists without a value"
            ));
        } else if operator != "Exists" && toleration.key.as_ref().is_none_or(String::is_empty) {
            check.invalid(format!("{field}.key is needed unless the operator is Exists"));
        }
        if !matches!(effect, "" | "NoSchedule" | "PreferNoSchedule" | "NoExecute") {
            check.invalid(format!(
                "{field}.effect must be NoSchedule, PreferNoSchedule or NoExecute"
            ));
        } else if toleration.toleration_seconds.is_some() && effect != "NoExecute" {
            check.invalid(format!("{field}.tolerationSeconds needs the effect NoExecute"));
        }
    }
    let required = scheduling.node_affinity.as_ref().and_then(|affinity| {
        affinity
            .required_during_scheduling_ignored_during_execution
            .as_ref()
    });
    if required.is_some_and(|required| required.node_selector_terms.is_empty()) {
        check.invalid(
            "receiver.scheduling.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution must have at least \
             one of nodeSelectorTerms",
        );
    }
}

/// Labels can put a pod behind another Service of the namespace, and annotations steer whoever watches pods.
fn pod_metadata(receiver: &Receiver, allow: &Allow, check: &mut Check) {
    let metadata = &receiver.pod_metadata;
    let mut look = |field: &str,
                    flag: &str,
                    keys: &BTreeMap<String, String>,
                    allowed: &dyn Fn(&str) -> bool| {
        for key in keys.keys().filter(|key| names::is_ours(key) || !allowed(key)) {
            check.refuse(
                ConditionType::ReceiverReady,
                Reason::SettingNotAllowed,
                format!(
                    "receiver.podMetadata.{field} must not set {key}: remove it, or ask who runs the operator \
                     for {flag}"
                ),
            );
        }
    };
    look("labels", "--allow-labels", &metadata.labels, &|key| {
        allow.label(key)
    });
    look(
        "annotations",
        "--allow-annotations",
        &metadata.annotations,
        &|key| allow.annotation(key),
    );
}

fn env(receiver: &Receiver, allow: &Allow, check: &mut Check) {
    let is_name = |name: &str| {
        !name.is_empty()
            && !name.starts_with(|first: char| first.is_ascii_digit())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    for variable in &receiver.env {
        if !is_name(&variable.name) {
            check.invalid("receiver.env must have names of letters, digits and '_', no digit first");
        } else if !allow.env(&variable.name) {
            check.refuse(
                ConditionType::ReceiverReady,
                Reason::SettingNotAllowed,
                format!(
                    "receiver.env must not set {}: remove it, or ask who runs the operator for --allow-env",
                    variable.name
                ),
            );
        }
    }
}
