//! Who may have a host and path when several resources want it. Pure.
//!
//! Whoever has it keeps it: Meta's requests must not move to a newcomer. Otherwise the oldest resource gets it, and of
//! equally old ones the one with the smallest uid, so that every look at the same resources decides the same.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use wahook_crds::WhatsAppWebhook;

/// What a resource has of its host and path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// They are its own.
    Held,
    /// Another resource has them.
    Lost {
        /// Who, as far as this resource's readers may know.
        holder: String,
    },
}

impl Claim {
    /// Whether the resource may have routes.
    pub fn is_held(&self) -> bool {
        matches!(self, Self::Held)
    }
}

/// What decides, the smallest first.
type Rank<'a> = (bool, Option<&'a Time>, &'a str);

fn rank<'a>(resource: &'a WhatsAppWebhook, url: &str) -> Rank<'a> {
    let metadata = &resource.metadata;
    (
        !has(resource, url),
        metadata.creation_timestamp.as_ref(),
        metadata.uid.as_deref().unwrap_or_default(),
    )
}

/// Whether the resource has been given the URL.
pub fn has(resource: &WhatsAppWebhook, url: &str) -> bool {
    let status = resource.status.as_ref();
    status.and_then(|status| status.callback_url.as_deref()) == Some(url)
}

/// Whether the resource asks for this host and path.
pub fn wants(resource: &WhatsAppWebhook, host: &str, path: &str) -> bool {
    let endpoint = &resource.spec.endpoint;
    endpoint.host == host && endpoint.path == path
}

/// Decides about `mine`. Of the others only those that ask for the same host and path and can be followed are given.
pub fn decide<'a>(
    mine: &WhatsAppWebhook,
    url: &str,
    others: impl IntoIterator<Item = &'a WhatsAppWebhook>,
) -> Claim {
    let uid = &mine.metadata.uid;
    let winner = others
        .into_iter()
        .filter(|other| other.metadata.uid != *uid && other.metadata.deletion_timestamp.is_none())
        .min_by(|one, other| rank(one, url).cmp(&rank(other, url)));
    match winner {
        Some(winner) if rank(winner, url) < rank(mine, url) => Claim::Lost {
            holder: if winner.metadata.namespace == mine.metadata.namespace {
                format!(
                    "the WhatsAppWebhook {}",
                    winner.metadata.name.as_deref().unwrap_or_default()
                )
            } else {
                "a WhatsAppWebhook of another namespace".to_owned()
            },
        },
        _ => Claim::Held,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const URL: &str = "https://hooks.example.com/webhook";

    fn resource(namespace: &str, uid: &str, second: u8, url: Option<&str>) -> WhatsAppWebhook {
        serde_json::from_value(json!({
            "apiVersion": "wahook.dev/v1alpha1", "kind": "WhatsAppWebhook",
            "metadata": {
                "namespace": namespace, "name": format!("name-{uid}"), "uid": uid,
                "creationTimestamp": format!("2026-01-01T00:00:{second:02}Z"),
            },
            "spec": {
                "endpoint": { "host": "hooks.example.com" },
                "meta": { "appSecrets": [{ "name": "meta-app", "key": "app-secret" }] },
            },
            "status": { "callbackUrl": url },
        }))
        .unwrap()
    }

    fn holder(all: &[WhatsAppWebhook]) -> Vec<&str> {
        let held = all
            .iter()
            .filter(|one| decide(one, URL, all.iter().filter(|other| *other != *one)).is_held());
        held.map(|one| one.metadata.uid.as_deref().unwrap()).collect()
    }

    #[test]
    fn exactly_one_holds_and_the_order_does_not_matter() {
        let cases = [
            // The oldest.
            (["a", "b", "c"], [2, 1, 3], [None; 3], "b"),
            // Of equally old ones the smallest uid.
            (["c", "a", "b"], [1, 1, 1], [None; 3], "a"),
            // Whoever has it, however young.
            (["a", "b", "c"], [1, 2, 3], [None, None, Some(URL)], "c"),
            // Two have it after a race: the older one.
            (["a", "b", "c"], [3, 2, 1], [Some(URL), Some(URL), None], "b"),
            // A URL of former days is no claim.
            (
                ["a", "b", "c"],
                [1, 2, 3],
                [None, Some("https://old.example.com/webhook"), None],
                "a",
            ),
        ];
        for (uids, seconds, urls, winner) in cases {
            let mut all: Vec<_> = (0..3)
                .map(|index| resource("shop", uids[index], seconds[index], urls[index]))
                .collect();
            for _ in 0..3 {
                assert_eq!(holder(&all), [winner]);
                all.rotate_left(1);
                assert_eq!(holder(&all), [winner]);
                all.swap(0, 1);
            }
        }
    }

    #[test]
    fn the_holder_of_another_namespace_is_not_named() {
        let mine = resource("shop", "b", 2, None);
        let near = resource("shop", "a", 1, None);
        let far = resource("secret-project", "a", 1, None);
        let Claim::Lost { holder } = decide(&mine, URL, [&near]) else {
            panic!()
        };
        assert!(holder.contains("name-a"));
        let Claim::Lost { holder } = decide(&mine, URL, [&far]) else {
            panic!()
        };
        assert!(
            !holder.contains("name-a") && !holder.contains("secret-project"),
            "{holder}"
        );
    }

    #[test]
    fn who_is_being_deleted_holds_nothing() {
        let mine = resource("shop", "b", 2, None);
        let mut gone = resource("shop", "a", 1, Some(URL));
        gone.metadata.deletion_timestamp = gone.metadata.creation_timestamp.clone();
        assert!(decide(&mine, URL, [&gone]).is_held());
    }
}
