//! The flags that the chart passes are flags that the operator has, and each of its flags can be set.

use std::collections::BTreeSet;

use clap::{CommandFactory as _, Parser as _};
use serde_json::Value;
use wahook_operator::cli::{Cli, Command, RunArgs};
use wahook_operator::settings::Pattern;

use crate::support::{EVERYTHING, NATS, Rendered, render, texts};

fn words(rendered: &Rendered) -> Vec<String> {
    let env = rendered.container()["env"].as_array().unwrap();
    let known: Vec<&str> = env
        .iter()
        .filter_map(|variable| variable["name"].as_str())
        .collect();
    let word = |text: &str| match text.split_once("$(").and_then(|(_, rest)| rest.split_once(')')) {
        Some((variable, _)) => {
            assert!(known.contains(&variable), "{text}: there is no such variable");
            text.replace(&format!("$({variable})"), "house")
        }
        None => text.to_owned(),
    };
    texts(&rendered.container()["args"])
        .into_iter()
        .map(word)
        .collect()
}

fn parsed(rendered: &Rendered) -> RunArgs {
    let words = [vec!["wahook-operator".to_owned()], words(rendered)].concat();
    let cli = Cli::try_parse_from(&words).unwrap_or_else(|error| panic!("{words:#?}\n{error}"));
    match cli.command {
        Command::Run(run) => *run,
        other => panic!("another command: {other:?}"),
    }
}

#[test]
fn the_operator_understands_what_it_is_given() {
    for values in [
        "{}",
        NATS,
        "watchNamespaces: [shop, books]",
        "{leaderElection: false, replicas: 1}",
        "defaults: {gateway: {name: public}}",
        "defaults: {issuer: {name: letsencrypt}}",
        "defaults: {issuer: {kind: Issuer.example.com, name: own}}",
        "resync: 24h",
        "resync: 10s",
    ] {
        parsed(&render(values))
            .settings
            .settings()
            .unwrap_or_else(|problems| panic!("{values}: {problems}"));
    }
}

#[test]
fn values_arrive_as_settings() {
    let mut run = parsed(&render(EVERYTHING));
    // The files are in a pod.
    let files = [
        run.settings.nats_ca_file.take(),
        run.settings.probe_ca_file.take(),
    ];
    assert_eq!(
        files.map(|file| file.unwrap().to_str().unwrap().to_owned()),
        ["/etc/wahook/nats-ca/ca.crt", "/etc/wahook/probe-ca/ca.crt"]
    );
    let settings = run.settings.settings().unwrap();
    assert_eq!(settings.subject_prefix, "hooks");
    assert_eq!(
        settings.nats.servers,
        ["tls://a.example.com:4222", "nats://b.example.com:4333"]
    );
    assert_eq!(settings.receiver.image, "ghcr.io/wahook/wahook-receiver:9.9.9");
    assert_eq!(settings.receiver.pull_secrets, ["parent", "receivers"]);
    assert_eq!(settings.receiver.trusted_proxies.len(), 2);
    assert_eq!(settings.route.ingress_class.as_deref(), Some("nginx"));
    assert!(settings.route.gateway.is_some() && settings.route.issuer.is_some());
    assert!(settings.route.default_certificate && !settings.route.needs_address);
    assert_eq!(settings.allow.hosts.len(), 3);
    assert_eq!((settings.allow.env.len(), settings.allow.images.len()), (2, 1));
    assert_eq!(settings.nats.max_stream_bytes, Some(10 << 30));
    assert!(settings.probe.private_addresses);
    let allow = &settings.allow;
    assert!(allow.nats_server("nats://nats.books.svc:4222", &settings.nats.servers));
    assert!(!allow.nats_server("nats://nats.books.example.com:4222", &settings.nats.servers));
    assert_eq!(allow.issuers, [Pattern::new("ClusterIssuer/public")]);
    assert!(allow.tracing_endpoint("http://collector.observability:4318"));
    assert!(!allow.tracing_endpoint("http://collector.example.com:4318"));
    let tracing = run.tracing().unwrap().unwrap();
    assert_eq!(tracing.endpoint.as_str(), "http://collector.observability:4318");
    assert_eq!(tracing.sample_ratio.to_string(), "0.25");
    assert_eq!(settings.resync.as_secs(), 5400);
    assert_eq!((run.concurrency, settings.rollout_batch), (8, 2));
    let watched = parsed(&render("watchNamespaces: [shop, books]"))
        .settings
        .settings()
        .unwrap();
    assert_eq!(watched.watch_namespaces, ["books", "shop"]);
}

#[test]
fn the_bundled_nats_is_where_the_operator_looks() {
    let rendered = render(NATS);
    let run = parsed(&rendered);
    assert_eq!(run.settings.nats_servers, ["nats://wahook-nats.house.svc:4222"]);
    let service = rendered.get("Service", "wahook-nats");
    assert_eq!(service["spec"]["ports"][0]["port"], 4222);
    let login = &rendered.operator()["spec"]["template"]["spec"]["volumes"][0]["secret"]["secretName"];
    rendered.get("Secret", login.as_str().unwrap());
}

/// A flag that is new in the operator has to get a value, or a reason here why not.
#[test]
fn every_flag_of_the_operator_can_be_set_by_a_value() {
    let passed: BTreeSet<String> = [EVERYTHING, "watchNamespaces: [shop]"]
        .into_iter()
        .flat_map(|values| words(&render(values)))
        .filter_map(|word| Some(word.strip_prefix("--")?.split('=').next()?.to_owned()))
        .collect();
    let command = Cli::command();
    let run = command.find_subcommand("run").unwrap();
    let known: BTreeSet<String> = run
        .get_arguments()
        .filter_map(|flag| Some(flag.get_long()?.to_owned()))
        .collect();
    assert_eq!(passed, known.into_iter().filter(|flag| flag != "help").collect());
}

/// The other program that the chart runs.
#[test]
fn the_receiver_understands_what_the_test_gives_it() {
    for values in [NATS, EVERYTHING] {
        let rendered = render(values);
        let pod = rendered.all("Pod")[0];
        let args: &Value = &pod["spec"]["containers"][0]["args"];
        let words = [vec!["wahook-receiver"], texts(args)].concat();
        wahook_receiver::cli::Cli::try_parse_from(&words)
            .unwrap_or_else(|error| panic!("{words:?}\n{error}"));
    }
}
