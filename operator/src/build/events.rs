//! What a consumer of the events needs to know, for `envFrom`. No credentials.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::DynamicObject;

use super::child;
use crate::child::{Child, ChildKind};
use crate::validate::Validated;

/// The key of the URL that Meta calls.
const CALLBACK_URL: &str = "WAHOOK_CALLBACK_URL";

/// Leaves the URL out.
pub(super) fn withhold_url(map: &mut DynamicObject) {
    if let Some(data) = map.data.get_mut("data").and_then(|data| data.as_object_mut()) {
        data.remove(CALLBACK_URL);
    }
}

pub(super) fn build(webhook: &Validated) -> Child {
    let stream = &webhook.stream.spec;
    let entries = [
        ("NATS_URL", Some(webhook.nats.servers.join(","))),
        ("WAHOOK_STREAM", Some(stream.name.clone())),
        ("WAHOOK_SUBJECTS", Some(stream.subjects.clone())),
        (
            "WAHOOK_SUBJECT_PREFIX",
            Some(webhook.stream.subject_prefix().to_owned()),
        ),
        ("WAHOOK_OBJECT_BUCKET", Some(stream.bucket.clone())),
        (CALLBACK_URL, Some(webhook.route.url())),
        ("WAHOOK_JETSTREAM_DOMAIN", stream.domain.clone()),
    ];
    let data: BTreeMap<_, _> = entries
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value?)))
        .collect();
    let map = ConfigMap {
        data: Some(data),
        ..ConfigMap::default()
    };
    child(webhook, ChildKind::Events, &map)
}
