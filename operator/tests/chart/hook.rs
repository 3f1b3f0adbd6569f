//! `helm test`: posts a signed event and reads it back.

use serde_json::Value;

use crate::support::{EVERYTHING, NATS, Rendered, render, texts};

const SEND: &str = "wahook-test-send";

fn hooks(rendered: &Rendered) -> Vec<&Value> {
    let is = |object: &&Value| object["metadata"]["annotations"].get("helm.sh/hook").is_some();
    rendered.objects.iter().filter(is).collect()
}

fn args(rendered: &Rendered) -> Vec<String> {
    let pod = rendered.get("Pod", SEND);
    texts(&pod["spec"]["containers"][0]["args"])
        .into_iter()
        .map(str::to_owned)
        .collect()
}

#[test]
fn it_makes_a_webhook_of_its_own_before_it_posts() {
    let rendered = render(NATS);
    let mut order: Vec<(i32, &str)> = hooks(&rendered)
        .into_iter()
        .map(|object| {
            let annotations = &object["metadata"]["annotations"];
            assert_eq!(annotations["helm.sh/hook"], "test");
            assert_eq!(
                annotations["helm.sh/hook-delete-policy"],
                "before-hook-creation,hook-succeeded"
            );
            let weight = annotations["helm.sh/hook-weight"]
                .as_str()
                .unwrap()
                .parse()
                .unwrap();
            (weight, object["kind"].as_str().unwrap())
        })
        .collect();
    order.sort_unstable();
    assert_eq!(order, [(1, "Secret"), (2, "WhatsAppWebhook"), (3, "Pod")]);
    let webhook = rendered.get("WhatsAppWebhook", "wahook-test");
    assert_eq!(
        webhook["spec"]["nats"]["credentialsSecretRef"]["name"],
        "wahook-nats-receivers"
    );
    let secret = rendered.get("Secret", "wahook-test");
    for reference in [
        &webhook["spec"]["meta"]["appSecrets"][0],
        &webhook["spec"]["meta"]["verifyToken"],
    ] {
        assert_eq!(reference["name"], "wahook-test");
        assert!(
            secret["data"][reference["key"].as_str().unwrap()].is_string(),
            "{reference}"
        );
    }
}

#[test]
fn it_waits_posts_and_reads_back() {
    let rendered = render(NATS);
    let args = args(&rendered);
    for word in [
        "send",
        "--to=http://wahook-test-webhook.house.svc:3000/webhook",
        "--expect-stored",
        "--wait=120",
        "--nats-login=/etc/wahook/nats",
    ] {
        assert!(args.iter().any(|found| found == word), "{word}: {args:?}");
    }
    let pod = rendered.get("Pod", SEND);
    assert_eq!(pod["spec"]["restartPolicy"], "Never");
    assert_eq!(
        pod["spec"]["containers"][0]["envFrom"][0]["configMapRef"]["name"],
        "wahook-test-events"
    );
    let login = &pod["spec"]["volumes"][1]["projected"]["sources"][0]["secret"]["name"];
    assert_eq!(login, "wahook-nats-consumers", "who reads events is a consumer");
}

#[test]
fn a_webhook_that_is_there_is_tested_instead() {
    let rendered = render(
        "test: {webhook: {name: shop, namespace: books, path: /hooks, appSecret: {name: app, key: s}}}",
    );
    assert_eq!(hooks(&rendered).len(), 1);
    let pod = rendered.get("Pod", SEND);
    assert_eq!(pod["metadata"]["namespace"], "books", "where its Secret is");
    assert!(args(&rendered).contains(&"--to=http://shop-webhook.books.svc:3000/hooks".to_owned()));
    let app = &pod["spec"]["volumes"][0]["secret"];
    assert_eq!(
        (&app["secretName"], &app["items"][0]["key"]),
        (&"app".into(), &"s".into())
    );
    let rendered = render(EVERYTHING);
    let sources = &rendered.get("Pod", SEND)["spec"]["volumes"][1]["projected"]["sources"];
    assert_eq!(sources[0]["secret"]["name"], "reader");
    assert_eq!(sources[1]["configMap"]["items"][0]["path"], "nats-ca.crt");
}

#[test]
fn nothing_is_rendered_where_nothing_can_be_tested() {
    let elsewhere = format!("{{watchNamespaces: [shop], {NATS}}}");
    let off = format!("{{test: {{enabled: false}}, {NATS}}}");
    for values in [
        "{}",
        "defaults: {nats: {servers: [\"nats://n:4222\"]}}",
        &elsewhere,
        &off,
    ] {
        assert!(hooks(&render(values)).is_empty(), "{values}");
    }
}

/// Hosts that are given to namespaces do not lock the test's own webhook out.
#[test]
fn its_webhook_may_have_its_host() {
    let hosts = "allow: {hosts: {shop: [hooks.example.com]}}";
    let own = render(&format!("{NATS}\n{hosts}"));
    let given = render(hosts);
    let flags = |rendered: &Rendered| -> Vec<String> {
        let args = texts(&rendered.container()["args"]).into_iter();
        args.filter(|arg| arg.starts_with("--allow-hosts"))
            .map(str::to_owned)
            .collect()
    };
    assert_eq!(
        flags(&own),
        [
            "--allow-hosts=house=wahook-test.invalid",
            "--allow-hosts=shop=hooks.example.com"
        ]
    );
    assert_eq!(flags(&given), ["--allow-hosts=shop=hooks.example.com"]);
}
