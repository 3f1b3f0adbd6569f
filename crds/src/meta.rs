//! `spec.meta`: what Meta's app and the webhook share.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::reference::SecretKeyRef;
use crate::rules::rule;

/// Meta's side: the app's secrets and the phone numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Meta {
    /// The app secrets that sign Meta's requests, 1 to 4. A request signed with any of them is accepted: to
    /// rotate, add the new secret, reset it in Meta's dashboard, then remove the old one.
    #[schemars(length(min = 1, max = 4))]
    #[x_kube(
        merge_strategy = ListMerge::Map(vec!["name".into(), "key".into()]),
        validation = rule(
            "self.all(a, self.exists_one(b, a.name == b.name && a.key == b.key))",
            "meta.appSecrets must not list one value twice",
        ),
    )]
    pub app_secrets: Vec<SecretKeyRef>,
    /// The verify token of the handshake. When absent one is generated; `status.verifyTokenSecret` says
    /// where to read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verify_token: Option<SecretKeyRef>,
    /// The ids Meta gave the business phone numbers, as text in quotes, at most 1000. Events of other numbers
    /// are quarantined. When empty the events of every number are published.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000), inner(length(min = 1, max = 32)))]
    #[x_kube(
        merge_strategy = ListMerge::Set,
        validation = rule(
            "self.all(id, id.matches('^[0-9]{1,32}$'))",
            "meta.phoneNumberIds must be the digits of Phone number ID in WhatsApp Manager, not the phone \
             number itself",
        ),
    )]
    pub phone_number_ids: Vec<String>,
}
