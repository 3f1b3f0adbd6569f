//! Who may have a host and path when several resources want it. Pure.
//!
//! Whoever has it keeps it: Meta's requests must not move to a newcomer. Otherwise the oldest resource gets it, and of
//! equally old ones the one with the smallest uid, so that every look at the same resources decides the same.
//!
//! A host is one namespace's, whatever the path: a proxy serves one certificate for it, and a stranger's may be the one.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use wahook_crds::WhatsAppWebhook;

/// Whether namespaces may have different paths of one host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// A host is one namespace's.
    No,
    /// The operator's flags say which namespaces may use which hosts; where they give one to several, these share it.
    ByPath,
}

/// What a resource has of its host and path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// They are its own.
    Held,
    /// Another resource of the namespace has them.
    LostTo(String),
    /// A resource of another namespace has the host. Which one is not for this resource's readers.
    LostToStranger,
}

impl Claim {
    /// Whether the resource may have routes.
    pub fn is_held(&self) -> bool {
        matches!(self, Self::Held)
    }
}

/// What decides, the smallest first.
type Rank<'a> = (bool, Option<&'a Time>, &'a str);

fn rank(resource: &WhatsAppWebhook, has: bool) -> Rank<'_> {
    let metadata = &resource.metadata;
    (
        !has,
        metadata.creation_timestamp.as_ref(),
        metadata.uid.as_deref().unwrap_or_default(),
    )
}

fn callback_url(resource: &WhatsAppWebhook) -> &str {
    let status = resource.status.as_ref();
    status
        .and_then(|status| status.callback_url.as_deref())
        .unwrap_or_default()
}

/// The host that the resource has been given a URL of.
pub fn given(resource: &WhatsAppWebhook) -> Option<&str> {
    callback_url(resource).strip_prefix("https://")?.split('/').next()
}

/// Whether the resource has been given a URL of this host. Its spec may ask for another by now: as long as that cannot be
/// followed, the resource stays where it is.
pub fn has(resource: &WhatsAppWebhook, host: &str) -> bool {
    given(resource) == Some(host)
}

/// Whether the resource asks for this host.
pub fn wants(resource: &WhatsAppWebhook, host: &str) -> bool {
    resource.spec.endpoint.host == host
}

/// Decides about `mine`. Of the others those are given that have the same host, or ask for it and can be followed.
pub fn decide<'a>(mine: &'a WhatsAppWebhook, others: &[&'a WhatsAppWebhook], sharing: Sharing) -> Claim {
    let metadata = &mine.metadata;
    let endpoint = &mine.spec.endpoint;
    let others = others
        .iter()
        .copied()
        .filter(|other| other.metadata.uid != metadata.uid && other.metadata.deletion_timestamp.is_none());
    let (near, far): (Vec<_>, Vec<_>) =
        others.partition(|other| other.metadata.namespace == metadata.namespace);

    let of_host = |resource: &'a WhatsAppWebhook| rank(resource, has(resource, &endpoint.host));
    let first = |resources: &[&'a WhatsAppWebhook]| resources.iter().copied().map(of_host).min();
    let ours = first(&near).into_iter().chain([of_host(mine)]).min();
    if sharing == Sharing::No && first(&far).is_some_and(|theirs| Some(theirs) < ours) {
        return Claim::LostToStranger;
    }

    let url = format!("https://{}{}", endpoint.host, endpoint.path);
    let of_url = |resource: &'a WhatsAppWebhook| rank(resource, callback_url(resource) == url);
    let wants_url =
        |other: &WhatsAppWebhook| wants(other, &endpoint.host) && other.spec.endpoint.path == endpoint.path;
    let strangers = far.into_iter().filter(|_| sharing == Sharing::ByPath);
    let winner = near
        .into_iter()
        .chain(strangers)
        .filter(|other| wants_url(other) || callback_url(other) == url)
        .min_by_key(|other| of_url(other));
    match winner {
        Some(winner) if of_url(winner) < of_url(mine) => {
            if winner.metadata.namespace == metadata.namespace {
                Claim::LostTo(winner.metadata.name.clone().unwrap_or_default())
            } else {
                Claim::LostToStranger
            }
        }
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

    fn others<'a>(all: &'a [WhatsAppWebhook], one: &WhatsAppWebhook) -> Vec<&'a WhatsAppWebhook> {
        all.iter().filter(|other| *other != one).collect()
    }

    fn holder(all: &[WhatsAppWebhook]) -> Vec<&str> {
        let held = all
            .iter()
            .filter(|one| decide(one, &others(all, one), Sharing::No).is_held());
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
        let named = Claim::LostTo("name-a".to_owned());
        assert_eq!(decide(&mine, &[&near], Sharing::No), named);
        assert_eq!(decide(&mine, &[&far], Sharing::No), Claim::LostToStranger);
        assert_eq!(decide(&mine, &[&far], Sharing::ByPath), Claim::LostToStranger);
    }

    #[test]
    fn who_is_being_deleted_holds_nothing() {
        let mine = resource("shop", "b", 2, None);
        let mut gone = resource("shop", "a", 1, Some(URL));
        gone.metadata.deletion_timestamp = gone.metadata.creation_timestamp.clone();
        assert!(decide(&mine, &[&gone], Sharing::No).is_held());
    }

    fn on(mut resource: WhatsAppWebhook, path: &str) -> WhatsAppWebhook {
        resource.spec.endpoint.path = path.into();
        resource
    }

    #[test]
    fn a_host_is_one_namespaces_whatever_the_path() {
        let all = [
            on(resource("shop", "a", 2, None), "/a"),
            on(resource("books", "b", 1, None), "/b"),
            on(resource("books", "c", 3, None), "/c"),
            // It loses to its neighbour c, and is older than everything of the other namespace.
            on(resource("books", "d", 4, None), "/c"),
        ];
        assert_eq!(holder(&all), ["b", "c"]);
        let shared = all
            .iter()
            .filter(|one| decide(one, &others(&all, one), Sharing::ByPath).is_held());
        let shared: Vec<_> = shared.map(|one| one.metadata.uid.as_deref().unwrap()).collect();
        assert_eq!(shared, ["a", "b", "c"], "each path has its holder");

        // Whoever has a path of it keeps the host.
        let mut all = all;
        all[0] = on(
            resource("shop", "a", 2, Some("https://hooks.example.com/a")),
            "/a",
        );
        assert_eq!(holder(&all), ["a"]);
        // A longer name is another host.
        all[0] = on(
            resource("shop", "a", 2, Some("https://hooks.example.com.au/a")),
            "/a",
        );
        assert_eq!(holder(&all), ["b", "c"]);
    }

    /// Its route stays, because what its spec asks for now is refused.
    #[test]
    fn who_asks_for_another_host_keeps_the_one_it_has() {
        let away = |namespace: &str, url: &str| {
            let mut resource = resource(namespace, "b", 2, Some(url));
            resource.spec.endpoint.host = "other.example.com".into();
            resource
        };
        let near = away("shop", URL);
        let mine = resource("shop", "a", 1, None);
        assert_eq!(
            decide(&mine, &[&near], Sharing::No),
            Claim::LostTo("name-b".to_owned())
        );
        assert!(decide(&near, &[&mine], Sharing::No).is_held());
        let far = away("books", URL);
        for sharing in [Sharing::No, Sharing::ByPath] {
            assert_eq!(decide(&mine, &[&far], sharing), Claim::LostToStranger);
        }
        // Another path of it keeps strangers from the host, and nobody else from this path.
        let path = "https://hooks.example.com/old";
        assert!(decide(&mine, &[&away("shop", path)], Sharing::No).is_held());
        assert!(decide(&mine, &[&away("books", path)], Sharing::ByPath).is_held());
        assert_eq!(
            decide(&mine, &[&away("books", path)], Sharing::No),
            Claim::LostToStranger
        );
        // The same path of another host is no claim, although it asked for it.
        let moved = away("shop", "https://hooks.example.com.au/webhook");
        assert!(decide(&mine, &[&moved], Sharing::No).is_held());
    }
}
