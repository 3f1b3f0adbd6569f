//! The labels and annotations of children, and what receivers are selected by.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use crate::names;

/// Names and values, as labels and annotations are.
pub(crate) type Pairs = BTreeMap<String, String>;

const NAME: (&str, &str) = ("app.kubernetes.io/name", "wahook-receiver");
const INSTANCE: &str = "app.kubernetes.io/instance";
const VERSION: &str = "app.kubernetes.io/version";
const COMPONENT: (&str, &str) = ("app.kubernetes.io/component", "receiver");
const PART_OF: (&str, &str) = ("app.kubernetes.io/part-of", "wahook");

/// The labels of every child.
pub(crate) fn common(webhook: &str) -> Pairs {
    pairs([
        NAME,
        (INSTANCE, webhook),
        COMPONENT,
        PART_OF,
        (names::MANAGED_BY_LABEL, names::MANAGED_BY),
        (names::WEBHOOK_LABEL, webhook),
    ])
}

/// The labels of what runs an image: those of every child, and its version. Other children have none, or each
/// upgrade would write all of them for nothing.
pub(crate) fn versioned(webhook: &str, image: &str) -> Pairs {
    let mut labels = common(webhook);
    labels.insert(VERSION.to_owned(), version(image));
    labels
}

/// What the receivers of a webhook are selected by. It can never change: a Deployment keeps its selector.
pub fn selector(webhook: &str) -> BTreeMap<String, String> {
    pairs([NAME, (names::WEBHOOK_LABEL, webhook)])
}

pub(crate) fn label_selector(webhook: &str) -> LabelSelector {
    LabelSelector {
        match_labels: Some(selector(webhook)),
        ..LabelSelector::default()
    }
}

/// Ours, after those of someone else: ours win.
pub(crate) fn over(theirs: &Pairs, ours: Pairs) -> Pairs {
    let mut all = theirs.clone();
    all.extend(ours);
    all
}

pub(crate) fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> Pairs {
    pairs
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}

/// The tag of an image, else the beginning of its digest. Tags may be longer than labels and end otherwise.
fn version(image: &str) -> String {
    let (name, digest) = image.split_once('@').unwrap_or((image, ""));
    let file = name.rsplit('/').next().unwrap_or(name);
    let tag = file.split_once(':').map(|(_, tag)| tag);
    let hex = digest.strip_prefix("sha256:").and_then(|hex| hex.get(..12));
    let text: String = tag.or(hex).unwrap_or("latest").chars().take(63).collect();
    text.trim_matches(|c: char| !c.is_ascii_alphanumeric()).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_an_image() {
        let digest = format!(
            "registry.example.com:5000/wahook/receiver@sha256:{}",
            "0123456789abcdef".repeat(4)
        );
        for (image, shown) in [
            ("registry.example.com:5000/wahook/receiver:1.2.3", "1.2.3"),
            ("registry.example.com:5000/wahook/receiver", "latest"),
            (digest.as_str(), "0123456789ab"),
            ("receiver:1.2.3@sha256:00", "1.2.3"),
            ("receiver:_1.", "1"),
        ] {
            assert_eq!(version(image), shown, "{image}");
        }
        assert_eq!(version(&format!("receiver:{}", "a".repeat(128))).len(), 63);
    }

    #[test]
    fn ours_win() {
        let theirs = pairs([("wahook.dev/webhook", "other"), ("team", "shop")]);
        let labels = over(&theirs, common("main"));
        assert_eq!(labels["wahook.dev/webhook"], "main");
        assert_eq!(labels["team"], "shop");
    }

    /// Whoever selects by the labels of every child must find the pods too.
    #[test]
    fn the_selector_is_part_of_every_pods_labels() {
        let labels = versioned("main", "receiver:1");
        assert!(
            selector("main")
                .iter()
                .all(|(key, value)| labels.get(key) == Some(value))
        );
    }
}
