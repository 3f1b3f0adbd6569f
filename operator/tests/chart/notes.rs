//! What a person reads after `helm install`.

use crate::support::{EVERYTHING, Helm, NATS, Rendered};

#[test]
fn the_callback_url_and_the_verify_token_are_a_command_away() {
    for (values, secret) in [
        ("{}", "shop-webhook"),
        (NATS, "shop-webhook"),
        (EVERYTHING, "meta-app"),
    ] {
        let notes = Helm::four().notes(values);
        let token = format!("kubectl -n house get secret {secret} -o jsonpath='{{.data.verify-token}}'");
        for part in [
            token.as_str(),
            "kubectl -n house get whatsappwebhook shop -o jsonpath='{.status.callbackUrl}",
            "kubectl -n house wait --for=condition=Ready whatsappwebhook/shop",
        ] {
            assert!(notes.contains(part), "{part}\n{notes}");
        }
    }
}

/// The resource in the notes is one that the operator takes.
#[test]
fn the_resource_in_the_notes_is_complete() {
    for values in ["{}", NATS, EVERYTHING] {
        let notes = Helm::four().notes(values);
        let (_, rest) = notes.split_once("<<'END'\n").unwrap();
        let (manifest, _) = rest.split_once("     END\n").unwrap();
        let lines: Vec<&str> = manifest
            .lines()
            .map(|line| line.strip_prefix("     ").unwrap_or(line))
            .collect();
        let object = Rendered::new(lines.join("\n")).objects.remove(0);
        let resource: wahook_crds::WhatsAppWebhook = serde_json::from_value(object).unwrap();
        assert_eq!(resource.metadata.name.as_deref(), Some("shop"));
        let nats = &resource.spec.nats;
        assert_eq!(nats.credentials_secret_ref.is_some(), values == NATS);
        assert_eq!(nats.servers.is_empty(), values != "{}");
    }
}

#[test]
fn the_notes_fit_what_was_chosen() {
    let none = Helm::four().notes("secretAccess: none");
    assert!(
        none.contains("verifyToken: {name: meta-app, key: verify-token}"),
        "{none}"
    );
    assert!(
        none.contains("--from-literal=verify-token=") && none.contains("get secret meta-app -o"),
        "{none}"
    );
    let elsewhere = Helm::four().notes("watchNamespaces: [shop, books]");
    assert!(elsewhere.contains("kubectl -n shop apply"), "{elsewhere}");
    let hosts = Helm::four().notes("allow: {hosts: {shop: [hooks.example.com]}}");
    assert!(hosts.contains("one that allow.hosts gives"), "{hosts}");
}

#[test]
fn what_is_missing_is_said() {
    let notes = |values: &str| Helm::four().notes(values);
    assert!(notes("{}").contains("No broker is set"));
    assert!(notes(NATS).contains("for getting started") && !notes(NATS).contains("No broker is set"));
    assert!(notes("{}").contains("TLSNotConfigured"));
    assert!(!notes("defaults: {issuer: {name: letsencrypt}}").contains("TLSNotConfigured"));
    assert!(notes(NATS).contains("helm test wahook --namespace house"));
    assert!(notes("{}").contains("test.webhook.name"));
    assert!(notes("watchNamespaces: [shop, books]").contains("shop, books"));
    let monitored = |values: &str| {
        let notes = notes(values);
        let parts = ["monitoring.serviceMonitor.enabled", "WahookOperatorNoLeader"];
        parts.map(|part| notes.contains(part))
    };
    let (monitor, rule) = (
        "serviceMonitor: {enabled: true}",
        "prometheusRule: {enabled: true}",
    );
    assert_eq!(monitored("{}"), [true, false]);
    assert_eq!(monitored(&format!("monitoring: {{{rule}}}")), [true, true]);
    assert_eq!(
        monitored(&format!("monitoring: {{{monitor}, {rule}}}")),
        [false, false]
    );
}

#[test]
fn no_password_is_shown() {
    assert!(!Helm::four().notes(NATS).contains("abcdefghij"));
}
