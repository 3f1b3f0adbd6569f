//! Two resources on one host: one has it, whoever came how, and it never moves without need.

use serde_json::json;
use wahook_crds::WhatsAppWebhook;
use wahook_crds::conditions::{ConditionType, Reason};
use wahook_operator::child::ChildKind;

use crate::support::{Lab, Options, eventually, spec};

fn on(host: &str, name: &str) -> WhatsAppWebhook {
    let mut spec = spec(name);
    spec["endpoint"]["host"] = json!(host);
    WhatsAppWebhook::new(name, serde_json::from_value(spec).unwrap())
}

const LOST: &str = Reason::HostConflict.as_str();

async fn assert_holds(lab: &Lab, holder: &str, loser: &str) {
    lab.condition(loser, ConditionType::RouteReady, "False", LOST)
        .await;
    eventually("the holder's route", async || {
        lab.child(holder, ChildKind::Ingress).await
    })
    .await;
    eventually("the loser's route to go", async || {
        lab.child(loser, ChildKind::Ingress).await.is_none().then_some(())
    })
    .await;
    eventually("the callback URL", async || {
        let url = |webhook: WhatsAppWebhook| webhook.status.and_then(|status| status.callback_url);
        let holder = url(lab.webhooks().get(holder).await.unwrap());
        let loser = url(lab.webhooks().get(loser).await.unwrap());
        (holder.is_some() && loser.is_none()).then_some(())
    })
    .await;
    // Losing a host takes no receiver away.
    assert!(lab.child(loser, ChildKind::Deployment).await.is_some());
    assert!(lab.child(loser, ChildKind::Certificate).await.is_none());
}

#[tokio::test]
#[ignore = "builds Kubernetes once, a quarter of an hour: cargo xtask test --kubernetes"]
async fn the_first_keeps_the_host_and_the_next_inherits_it() {
    let lab = Lab::new("hosts-order").await;
    lab.app_secret().await;
    let operator = lab.operator().await;
    lab.create(&on("one.example.com", "z-first")).await;
    lab.settled(&operator, "z-first").await;
    lab.create(&on("one.example.com", "a-second")).await;
    assert_holds(&lab, "z-first", "a-second").await;
    let lost = lab.webhooks().get("a-second").await.unwrap();
    let conditions = lost.status.unwrap().conditions;
    let route = conditions.iter().find(|one| one.type_ == "RouteReady").unwrap();
    assert!(route.message.contains("z-first"), "{}", route.message);

    // A restart changes nothing.
    let ingress = lab.child("z-first", ChildKind::Ingress).await.unwrap();
    operator.stop().await;
    let operator = lab.operator().await;
    operator.quiet().await;
    assert_holds(&lab, "z-first", "a-second").await;
    let after = lab.child("z-first", ChildKind::Ingress).await.unwrap();
    assert_eq!(after.metadata.resource_version, ingress.metadata.resource_version);

    // Another path is another thing.
    let mut other = spec("other-path");
    other["endpoint"]["host"] = json!("one.example.com");
    other["endpoint"]["path"] = json!("/other");
    lab.create(&WhatsAppWebhook::new(
        "other-path",
        serde_json::from_value(other).unwrap(),
    ))
    .await;
    eventually("a route on another path", async || {
        lab.child("other-path", ChildKind::Ingress).await
    })
    .await;

    // The host is free as soon as its holder leaves it, by deletion or by moving away.
    lab.delete("z-first").await;
    eventually("the heir's route", async || {
        lab.child("a-second", ChildKind::Ingress).await
    })
    .await;
    lab.create(&on("one.example.com", "third")).await;
    assert_holds(&lab, "a-second", "third").await;
    lab.set_spec(
        "a-second",
        &serde_json::to_value(on("moved.example.com", "a-second").spec).unwrap(),
    )
    .await;
    eventually("the third's route", async || {
        lab.child("third", ChildKind::Ingress).await
    })
    .await;
    // Back again, and too late, although it is older.
    lab.set_spec(
        "a-second",
        &serde_json::to_value(on("one.example.com", "a-second").spec).unwrap(),
    )
    .await;
    assert_holds(&lab, "third", "a-second").await;
}

#[tokio::test]
#[ignore = "builds Kubernetes once, a quarter of an hour: cargo xtask test --kubernetes"]
async fn of_several_at_once_one_wins_and_the_others_agree() {
    let lab = Lab::new("hosts-race").await;
    lab.app_secret().await;
    // Created while nobody looks, and while somebody does.
    for name in ["c", "a", "b"] {
        lab.create(&on("away.example.com", name)).await;
    }
    let operator = lab.operator().await;
    let webhooks = ["d", "e", "f"].map(|name| on("race.example.com", name));
    let created = webhooks.iter().map(|webhook| lab.create(webhook));
    futures_util::future::join_all(created).await;
    for names in [["a", "b", "c"], ["d", "e", "f"]] {
        let holders = async || {
            let mut holders = Vec::new();
            for name in names {
                if lab.child(name, ChildKind::Ingress).await.is_some() {
                    holders.push(name);
                }
            }
            holders
        };
        for name in names {
            lab.settled(&operator, name).await;
        }
        let [holder] = holders().await[..] else {
            panic!("{names:?}: {:?}", holders().await)
        };
        for loser in names.into_iter().filter(|name| *name != holder) {
            assert_holds(&lab, holder, loser).await;
        }
        // It is the oldest: names with one second of age decide by uid, which nobody here can foresee.
        let oldest = async |name: &str| {
            let webhook = lab.webhooks().get(name).await.unwrap();
            (webhook.metadata.creation_timestamp, webhook.metadata.uid)
        };
        let mut all = Vec::new();
        for name in names {
            all.push((oldest(name).await, name));
        }
        if names[0] == "a" {
            assert_eq!(all.iter().min().unwrap().1, holder);
        }
    }
}

/// Of a holder in another namespace only that there is one is told; and a resource that may not have a host does not
/// keep it from those who may.
#[tokio::test]
#[ignore = "builds Kubernetes once, a quarter of an hour: cargo xtask test --kubernetes"]
async fn across_namespaces_nobody_learns_a_name_and_nobody_squats() {
    use wahook_operator::settings::{HostGrant, Pattern};
    let holder = Lab::new("hosts-secret-project").await;
    let other = Lab::new("hosts-other").await;
    let mut settings = crate::support::settings();
    settings.watch_namespaces = vec![holder.namespace.clone(), other.namespace.clone()];
    let grant = |namespace: &str, host: &str| HostGrant {
        namespace: Pattern::new(namespace),
        host: Pattern::new(host),
    };
    settings.allow.hosts = vec![
        grant("*", "shared.example.com"),
        grant("hosts-secret-project", "own.example.com"),
    ];
    let operator = holder
        .operator_with(Options {
            settings,
            ..Options::default()
        })
        .await;
    for lab in [&holder, &other] {
        lab.app_secret().await;
    }

    other.create(&on("own.example.com", "squatter")).await;
    other
        .condition(
            "squatter",
            ConditionType::RouteReady,
            "False",
            Reason::HostNotAllowed.as_str(),
        )
        .await;
    assert!(other.all_children("squatter").await.is_empty());
    holder.create(&on("own.example.com", "rightful")).await;
    eventually("the rightful route", async || {
        holder.child("rightful", ChildKind::Ingress).await
    })
    .await;

    holder.create(&on("shared.example.com", "project-x")).await;
    holder.settled(&operator, "project-x").await;
    other.create(&on("shared.example.com", "curious")).await;
    let lost = other
        .condition("curious", ConditionType::RouteReady, "False", LOST)
        .await;
    let told = serde_json::to_string(&lost).unwrap();
    assert!(
        !told.contains("project-x") && !told.contains("hosts-secret-project"),
        "{told}"
    );
}

/// A proxy serves one certificate for a host: a stranger's path on it could bring a wrong one.
#[tokio::test]
#[ignore = "builds Kubernetes once, a quarter of an hour: cargo xtask test --kubernetes"]
async fn a_host_is_one_namespaces_and_is_given_up_to_whom_the_flags_give_it() {
    use wahook_operator::settings::{HostGrant, Pattern};
    let first = Lab::new("hosts-first").await;
    let second = Lab::new("hosts-second").await;
    let mut settings = crate::support::settings();
    settings.watch_namespaces = vec![first.namespace.clone(), second.namespace.clone()];
    let operator = first.operator_with(options(&settings)).await;
    for lab in [&first, &second] {
        lab.app_secret().await;
    }
    let at = |name: &str, path: &str| {
        let mut webhook = on("paths.example.com", name);
        path.clone_into(&mut webhook.spec.endpoint.path);
        webhook
    };
    first.create(&at("one", "/one")).await;
    first.settled(&operator, "one").await;
    first.create(&at("two", "/two")).await;
    second.create(&at("three", "/three")).await;
    second
        .condition("three", ConditionType::RouteReady, "False", LOST)
        .await;
    second
        .condition("three", ConditionType::Stalled, "True", LOST)
        .await;
    for name in ["one", "two"] {
        eventually("a neighbour's route", async || {
            first.child(name, ChildKind::Ingress).await
        })
        .await;
    }
    // Consumers are not told a URL that leads elsewhere.
    let events = second.child("three", ChildKind::Events).await.unwrap();
    assert!(events.data["data"]["WAHOOK_CALLBACK_URL"].is_null(), "{events:?}");
    operator.stop().await;

    // The flags give the host to the second namespace alone. What nobody else may have stays as it is ...
    let grant = |namespace: &str, host: &str| HostGrant {
        namespace: Pattern::new(namespace),
        host: Pattern::new(host),
    };
    settings.allow.hosts = vec![grant("hosts-second", "free.example.com")];
    let operator = first.operator_with(options(&settings)).await;
    let not_allowed = Reason::HostNotAllowed.as_str();
    first
        .condition("one", ConditionType::RouteReady, "False", not_allowed)
        .await;
    operator.quiet().await;
    assert!(first.child("one", ChildKind::Ingress).await.is_some());
    operator.stop().await;

    // ... and goes to who asks for it and may.
    settings.allow.hosts = vec![grant("hosts-second", "paths.example.com")];
    let _operator = first.operator_with(options(&settings)).await;
    eventually("the second's route", async || {
        second.child("three", ChildKind::Ingress).await
    })
    .await;
    for name in ["one", "two"] {
        eventually("the first's routes to go", async || {
            first
                .child(name, ChildKind::Ingress)
                .await
                .is_none()
                .then_some(())
        })
        .await;
        assert!(first.child(name, ChildKind::Deployment).await.is_some());
    }
}

fn options(settings: &wahook_operator::settings::Settings) -> Options {
    Options {
        settings: settings.clone(),
        ..Options::default()
    }
}

/// A namespace that is not there, or not the operator's, stops no other.
#[tokio::test]
#[ignore = "builds Kubernetes once, a quarter of an hour: cargo xtask test --kubernetes"]
async fn a_namespace_that_cannot_be_read_stops_no_other() {
    let lab = Lab::new("hosts-readable").await;
    lab.app_secret().await;
    let mut settings = crate::support::settings();
    settings.watch_namespaces = vec!["hosts-forbidden".to_owned(), lab.namespace.clone()];
    let mut options = options(&settings);
    options.only_its_namespace = true;
    let operator = lab.operator_with(options).await;
    lab.create(&on("readable.example.com", "main")).await;
    lab.settled(&operator, "main").await;
    assert!(lab.child("main", ChildKind::Ingress).await.is_some());
}
