//! Two tenants on one broker, each with a restricted login, as `examples/two-tenants` has it.

use wahook_testbed::stream;

use super::error::{E2eError, Result, expect};
use super::founder::{post, restrict, routed};
use super::house::{House, NAMESPACE, RELEASE, stream_of};

const TENANTS: [(&str, &str, &str); 2] = [
    ("shop", "shop", "hooks.shop.example.com"),
    ("books", "books", "hooks.books.example.com"),
];

/// Installs with their values, applies their manifests, and looks over each one's fence.
pub(super) async fn apart(house: &House) -> Result<String> {
    let kubectl = &house.kubectl;
    // What the first part of the run left.
    kubectl
        .line(&format!("delete whatsappwebhooks --all -n {NAMESPACE}"))
        .await?;
    for (namespace, ..) in TENANTS {
        kubectl.line(&format!("create namespace {namespace}")).await?;
        restrict(kubectl, namespace).await?;
        kubectl
            .apply(namespace, &house.example("app-secret.yaml")?)
            .await?;
    }
    let auth = format!("auth.conf={}", house.example("two-tenants/auth.conf")?);
    kubectl
        .run(&[
            "create",
            "secret",
            "generic",
            "wahook-nats-users",
            "-n",
            NAMESPACE,
            "--from-literal",
            &auth,
            "--from-literal=nats.user=operator",
            "--from-literal=nats.password=REPLACE-OPERATOR-PASSWORD",
        ])
        .await?;
    house
        .helm
        .run(&[
            "install",
            RELEASE,
            &house.path("charts/wahook"),
            "--namespace",
            NAMESPACE,
            "--values",
            &house.path("examples/two-tenants/values.yaml"),
            "--set",
            "defaults.ingressDefaultCertificate=true",
            // The streams of the first part of the run stayed, and each reserves its room.
            "--set",
            "nats.jetstream.maxFileStore=20Gi",
            "--set",
            "nats.persistence.size=20Gi",
            "--wait",
            "--timeout",
            "3m",
        ])
        .await?;
    let manifests = house.example("two-tenants/webhooks.yaml")?;
    kubectl.feed(&["apply", "-f", "-"], &manifests).await?;
    for (namespace, name, host) in TENANTS {
        kubectl.condition((namespace, name), "Ready", "True", "").await?;
        routed(house, host).await?;
        post(house, host, 200).await?;
    }
    for (mine, theirs) in [(0, 1), (1, 0)] {
        let (namespace, name, _) = TENANTS[mine];
        let client = house
            .consumer_as(
                format!("{namespace}-consumers"),
                format!("REPLACE-{}-CONSUMERS-PASSWORD", namespace.to_uppercase()),
                &format!("_INBOX_{namespace}"),
            )
            .await?;
        let own = stream::messages(&client, &stream_of((namespace, name))).await?;
        expect(own.len() == 1, || {
            format!("{namespace} reads {} events of its own, not 1", own.len())
        })?;
        let (other, name, _) = TENANTS[theirs];
        let foreign = stream::messages(&client, &stream_of((other, name))).await;
        expect(foreign.is_err(), || {
            format!("{namespace} can read the events of {other}")
        })?;
    }
    // The other's host is refused, whoever was first.
    let taken = manifests
        .split("\n---\n")
        .find(|document| document.contains("kind: WhatsAppWebhook") && document.contains("name: books"))
        .map(|document| {
            document
                .replace("name: books", "name: thief")
                .replace("hooks.books.example.com", "hooks.shop.example.com")
        })
        .ok_or_else(|| E2eError::Unmet("the example has no webhook of books".to_owned()))?;
    kubectl.apply("books", &taken).await?;
    kubectl
        .condition(("books", "thief"), "Ready", "False", "")
        .await?;
    post(house, TENANTS[0].2, 200).await?;
    Ok("each reads its own events only, and has its own host only".to_owned())
}
