//! A receiver's pod. It passes Pod Security `restricted`, runs as whatever user the image or the platform
//! says, has no access to the Kubernetes API, and reads its secrets from files only.

use k8s_openapi::api::core::v1::{
    Affinity, Capabilities, ConfigMapProjection, ConfigMapVolumeSource, Container, ContainerPort, EnvVar,
    HTTPGetAction, KeyToPath, LocalObjectReference, PodSecurityContext, PodSpec, PodTemplateSpec, Probe,
    ProjectedVolumeSource, ResourceRequirements, SeccompProfile, SecretProjection, SecurityContext,
    Toleration, TopologySpreadConstraint, Volume, VolumeMount, VolumeProjection,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use wahook_crds::{Amounts, Receiver, WhenUnsatisfiable};

use super::configuration::{CONFIG_DIR, Configuration, ENDPOINT_LAG, GRACE, SECRETS_DIR};
use super::{labels, quantity};
use crate::child::ChildKind;
use crate::names::{self, ADMIN_PORT, CONFIG_KEY, WEBHOOK_PORT};
use crate::validate::Validated;

/// The longest publish deadline a resource may set, in seconds. The deadline itself is reloaded without a
/// restart, so it must not change the pod.
const LONGEST_PUBLISH: i64 = 15;
/// What is left for closing connections and logs, in seconds.
const SLACK: i64 = 5;
/// Everyone may read: neither the user nor the group of the process is known.
const READ_ONLY: i32 = 0o444;
const CONFIG: &str = "config";
const SECRETS: &str = "secrets";

pub(super) fn template(webhook: &Validated, configuration: &Configuration) -> PodTemplateSpec {
    let metadata = &webhook.spec.receiver.pod_metadata;
    let ours = labels::pairs([(names::CONFIG_ANNOTATION, &configuration.digest())]);
    PodTemplateSpec {
        metadata: Some(ObjectMeta {
            labels: Some(labels::over(
                &metadata.labels,
                labels::versioned(&webhook.name, &webhook.image),
            )),
            annotations: Some(labels::over(&metadata.annotations, ours)),
            ..ObjectMeta::default()
        }),
        spec: Some(spec(webhook)),
    }
}

fn spec(webhook: &Validated) -> PodSpec {
    let scheduling = &webhook.spec.receiver.scheduling;
    let pull_secrets = webhook.pull_secrets.iter().cloned();
    PodSpec {
        affinity: scheduling.node_affinity.clone().map(|node_affinity| Affinity {
            node_affinity: Some(node_affinity),
            ..Affinity::default()
        }),
        automount_service_account_token: Some(false),
        containers: vec![container(webhook)],
        enable_service_links: Some(false),
        image_pull_secrets: some(pull_secrets.map(|name| LocalObjectReference { name }).collect()),
        node_selector: (!scheduling.node_selector.is_empty()).then(|| scheduling.node_selector.clone()),
        priority_class_name: scheduling.priority_class_name.clone(),
        security_context: Some(PodSecurityContext {
            run_as_non_root: Some(true),
            seccomp_profile: Some(SeccompProfile {
                type_: "RuntimeDefault".to_owned(),
                ..SeccompProfile::default()
            }),
            ..PodSecurityContext::default()
        }),
        service_account_name: Some(ChildKind::ServiceAccount.name(&webhook.name)),
        termination_grace_period_seconds: Some(ENDPOINT_LAG + GRACE + LONGEST_PUBLISH + SLACK),
        tolerations: some(scheduling.tolerations.iter().map(toleration).collect()),
        topology_spread_constraints: Some(spread(webhook)),
        volumes: Some(vec![config_volume(webhook), secrets_volume(webhook)]),
        ..PodSpec::default()
    }
}

fn container(webhook: &Validated) -> Container {
    let receiver = &webhook.spec.receiver;
    let port = |(number, name): (i32, &str)| ContainerPort {
        container_port: number,
        name: Some(name.to_owned()),
        protocol: Some("TCP".to_owned()),
        ..ContainerPort::default()
    };
    let mount = |name: &str, path: &str| VolumeMount {
        name: name.to_owned(),
        mount_path: path.to_owned(),
        read_only: Some(true),
        ..VolumeMount::default()
    };
    Container {
        name: names::CONTAINER.to_owned(),
        image: Some(webhook.image.clone()),
        image_pull_policy: Some(receiver.image_pull_policy.as_str().to_owned()),
        args: Some(vec!["--config".to_owned(), format!("{CONFIG_DIR}/{CONFIG_KEY}")]),
        env: some(env(receiver)),
        ports: Some(vec![port(WEBHOOK_PORT), port(ADMIN_PORT)]),
        resources: resources(receiver),
        security_context: Some(SecurityContext {
            allow_privilege_escalation: Some(false),
            capabilities: Some(Capabilities {
                drop: Some(vec!["ALL".to_owned()]),
                ..Capabilities::default()
            }),
            read_only_root_filesystem: Some(true),
            run_as_non_root: Some(true),
            ..SecurityContext::default()
        }),
        // Alive within half a minute, looked at each second so that a rollout does not wait.
        startup_probe: Some(probe("/livez", 1, 30)),
        liveness_probe: Some(probe("/livez", 10, 3)),
        readiness_probe: Some(probe("/readyz", 5, 2)),
        volume_mounts: Some(vec![mount(CONFIG, CONFIG_DIR), mount(SECRETS, SECRETS_DIR)]),
        ..Container::default()
    }
}

fn probe(path: &str, period: i32, failures: i32) -> Probe {
    Probe {
        http_get: Some(HTTPGetAction {
            path: Some(path.to_owned()),
            port: IntOrString::String(ADMIN_PORT.1.to_owned()),
            ..HTTPGetAction::default()
        }),
        period_seconds: Some(period),
        timeout_seconds: Some(2),
        failure_threshold: Some(failures),
        ..Probe::default()
    }
}

/// The API server drops an empty value.
fn env(receiver: &Receiver) -> Vec<EnvVar> {
    let variable = |variable: &wahook_crds::EnvVar| EnvVar {
        name: variable.name.clone(),
        value: filled(Some(&variable.value)),
        ..EnvVar::default()
    };
    receiver.env.iter().map(variable).collect()
}

fn resources(receiver: &Receiver) -> Option<ResourceRequirements> {
    let amounts = |amounts: &Amounts| {
        let pairs = [("cpu", &amounts.cpu), ("memory", &amounts.memory)];
        let set = pairs
            .into_iter()
            .filter_map(|(name, amount)| Some((name.to_owned(), quantity::canonical(amount.as_ref()?))));
        Some(set.collect::<std::collections::BTreeMap<_, _>>()).filter(|set| !set.is_empty())
    };
    let (requests, limits) = (
        amounts(&receiver.resources.requests),
        amounts(&receiver.resources.limits),
    );
    (requests.is_some() || limits.is_some()).then(|| ResourceRequirements {
        requests,
        limits,
        ..ResourceRequirements::default()
    })
}

/// The API server drops empty texts.
fn toleration(wanted: &Toleration) -> Toleration {
    Toleration {
        key: filled(wanted.key.as_ref()),
        operator: filled(wanted.operator.as_ref()),
        value: filled(wanted.value.as_ref()),
        effect: filled(wanted.effect.as_ref()),
        toleration_seconds: wanted.toleration_seconds,
    }
}

/// As the resource says, else over nodes and zones as far as possible. Pods of an old template do not count:
/// they are about to go.
fn spread(webhook: &Validated) -> Vec<TopologySpreadConstraint> {
    let rule = |key: &str, skew: i32, unsatisfiable: WhenUnsatisfiable| TopologySpreadConstraint {
        topology_key: key.to_owned(),
        max_skew: skew,
        when_unsatisfiable: unsatisfiable.as_str().to_owned(),
        label_selector: Some(labels::label_selector(&webhook.name)),
        match_label_keys: Some(vec!["pod-template-hash".to_owned()]),
        ..TopologySpreadConstraint::default()
    };
    let wanted = &webhook.spec.receiver.scheduling.topology_spread;
    if wanted.is_empty() {
        return ["kubernetes.io/hostname", "topology.kubernetes.io/zone"]
            .map(|key| rule(key, 1, WhenUnsatisfiable::ScheduleAnyway))
            .into();
    }
    wanted
        .iter()
        .map(|wanted| rule(&wanted.topology_key, wanted.max_skew, wanted.when_unsatisfiable))
        .collect()
}

fn config_volume(webhook: &Validated) -> Volume {
    Volume {
        name: CONFIG.to_owned(),
        config_map: Some(ConfigMapVolumeSource {
            name: ChildKind::Configuration.name(&webhook.name),
            default_mode: Some(READ_ONLY),
            ..ConfigMapVolumeSource::default()
        }),
        ..Volume::default()
    }
}

/// Every value as a file in one directory. All are optional: a receiver whose Secret does not exist yet
/// starts, says so, and takes it up when it appears.
fn secrets_volume(webhook: &Validated) -> Volume {
    let item = |key: &str, path: &str| KeyToPath {
        key: key.to_owned(),
        path: path.to_owned(),
        mode: None,
    };
    let mut sources: Vec<VolumeProjection> = webhook
        .secrets
        .iter()
        .map(|secret| VolumeProjection {
            secret: Some(SecretProjection {
                name: secret.from.name.clone(),
                items: Some(vec![item(&secret.from.key, &secret.file)]),
                optional: Some(true),
            }),
            ..VolumeProjection::default()
        })
        .collect();
    if let Some((name, key)) = &webhook.nats.ca_config_map {
        sources.push(VolumeProjection {
            config_map: Some(ConfigMapProjection {
                name: name.clone(),
                items: Some(vec![item(key, names::CA_KEY)]),
                optional: Some(true),
            }),
            ..VolumeProjection::default()
        });
    }
    Volume {
        name: SECRETS.to_owned(),
        projected: Some(ProjectedVolumeSource {
            default_mode: Some(READ_ONLY),
            sources: Some(sources),
        }),
        ..Volume::default()
    }
}

fn filled(text: Option<&String>) -> Option<String> {
    text.filter(|text| !text.is_empty()).cloned()
}

fn some<T>(list: Vec<T>) -> Option<Vec<T>> {
    Some(list).filter(|list| !list.is_empty())
}
