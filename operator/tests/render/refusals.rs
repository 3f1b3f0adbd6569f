//! What is refused although the API server let it in, each with a message that names the field and the fix.

use wahook_crds::conditions::{ConditionType, Reason};
use wahook_operator::settings::{Allow, HostGrant, Pattern, SecretAccess, Settings};
use wahook_operator::validate::{Scale, StreamKeeper, TlsSource};

use super::support::{generous, refused, settings, smallest, valid};

/// Refused whatever the flags say: the patch, and what the message must say.
#[rustfmt::skip]
const INVALID: &[(&str, &str)] = &[
    // Names.
    ("metadata: {namespace: a2345678901234567890123456789012345678901}", "metadata.namespace must have at most 40 characters"),
    ("metadata: {namespace: null}", "metadata.namespace must"),
    ("metadata: {namespace: 'a.b'}", "metadata.namespace must"),
    ("metadata: {name: a2345678901234567890123456789012345678901}", "metadata.name must be a DNS label of at most 40"),
    ("metadata: {name: '7up'}", "begins with a letter"),
    ("metadata: {name: 'a.>'}", "metadata.name must"),
    ("metadata: {name: a-}", "metadata.name must"),
    ("metadata: {name: null}", "metadata.name must"),
    // The endpoint.
    ("spec: {endpoint: {host: '*.example.com'}}", "endpoint.host must be a DNS name"),
    ("spec: {endpoint: {host: 192.0.2.7}}", "endpoint.host must be a DNS name"),
    ("spec: {endpoint: {host: 'a.example.com:443'}}", "endpoint.host must be a DNS name"),
    ("spec: {endpoint: {host: hooks}}", "endpoint.host must be a DNS name"),
    ("spec: {endpoint: {path: '/a/../b'}}", "endpoint.path must be a plain path"),
    ("spec: {endpoint: {path: '/a;b'}}", "endpoint.path must be a plain path"),
    ("spec: {endpoint: {path: /health}}", "and not /health"),
    ("spec: {endpoint: {path: webhook}}", "endpoint.path must be a plain path"),
    ("spec: {endpoint: {ingress: {}, gateway: {parentRefs: [{name: public}]}}}", "exclude each other: keep one"),
    ("spec: {endpoint: {ingress: {className: 'Nginx'}}}", "endpoint.ingress.className must be the name"),
    ("spec: {endpoint: {gateway: {parentRefs: []}}}", "endpoint.gateway.parentRefs must name at least one"),
    ("spec: {endpoint: {gateway: {parentRefs: [{name: 'a/b'}]}}}", "endpoint.gateway.parentRefs[0].name must be"),
    ("spec: {endpoint: {gateway: {parentRefs: [{name: a, namespace: 'B'}]}}}", "endpoint.gateway.parentRefs[0].namespace must be"),
    ("spec: {endpoint: {gateway: {parentRefs: [{name: a, sectionName: 'b c'}]}}}", "endpoint.gateway.parentRefs[0].sectionName must be"),
    ("spec: {endpoint: {gateway: {parentRefs: [{name: a}]}, tls: {secretName: b}}}", "endpoint.tls.secretName has no effect with a Gateway"),
    ("spec: {endpoint: {tls: {}}}", "endpoint.tls needs exactly one of"),
    ("spec: {endpoint: {tls: {secretName: a, issuerRef: {name: b}}}}", "endpoint.tls needs exactly one of"),
    ("spec: {endpoint: {tls: {secretName: other/cert}}}", "endpoint.tls.secretName must be the name"),
    ("spec: {endpoint: {tls: {issuerRef: {name: 'A'}}}}", "endpoint.tls.issuerRef.name must be"),
    ("spec: {endpoint: {tls: {issuerRef: {name: a, kind: 'A/b'}}}}", "endpoint.tls.issuerRef.kind must be"),
    // Meta's side.
    ("spec: {meta: {appSecrets: []}}", "meta.appSecrets must list 1 to 4"),
    ("spec: {meta: {appSecrets: [{name: a, key: a}, {name: a, key: b}, {name: a, key: c}, {name: a, key: d}, {name: a, key: e}]}}", "meta.appSecrets must list 1 to 4"),
    ("spec: {meta: {appSecrets: [{name: other/a, key: b}]}}", "meta.appSecrets[0].name must be the name of an object in the same namespace"),
    ("spec: {meta: {appSecrets: [{name: a, key: ../b}]}}", "meta.appSecrets[0].key must be a key"),
    ("spec: {meta: {verifyToken: {name: 'A', key: b}}}", "meta.verifyToken.name must be"),
    ("spec: {meta: {verifyToken: {name: a, key: ''}}}", "meta.verifyToken.key must be"),
    ("spec: {meta: {phoneNumberIds: ['+15550100001']}}", "meta.phoneNumberIds must be the digits"),
    // The broker.
    ("spec: {nats: {servers: ['http://nats']}}", "nats.servers: write URLs such as"),
    ("spec: {nats: {servers: ['nats://ann:sesame@nats']}}", "belongs into nats.credentialsSecretRef"),
    ("spec: {nats: {servers: ['nats://nats:99999']}}", "nats.servers: write URLs"),
    ("spec: {nats: {domain: a.b}}", "nats.domain must be made of"),
    ("spec: {nats: {tls: {caSecretRef: {name: a}, caConfigMapRef: {name: b}}}}", "exclude each other: keep one"),
    ("spec: {nats: {tls: {caSecretRef: {name: 'a b'}}}}", "nats.tls.caSecretRef.name must be"),
    ("spec: {nats: {tls: {caConfigMapRef: {name: a, key: 'b/c'}}}}", "nats.tls.caConfigMapRef.key must be"),
    ("spec: {nats: {tls: {clientCertificateSecretRef: {name: '-'}}}}", "nats.tls.clientCertificateSecretRef.name must be"),
    ("spec: {nats: {credentialsSecretRef: {name: 'A'}}}", "nats.credentialsSecretRef.name must be"),
    ("spec: {nats: {credentialsSecretRef: {name: a, key: '..'}}}", "nats.credentialsSecretRef.key must be"),
    // The stream.
    ("spec: {nats: {stream: {management: External}}}", "nats.stream.name is needed"),
    ("spec: {nats: {stream: {name: EVENTS}}}", "nats.stream.name is only for"),
    ("spec: {nats: {stream: {management: External, name: 'a.>'}}}", "nats.stream.name must be made of"),
    ("spec: {nats: {stream: {management: External, name: whatsapp_books_main}}}", "nats.stream.name must not begin with whatsapp_"),
    ("spec: {nats: {stream: {management: External, name: OBJ_x}}}", "nats.stream.name must not begin with OBJ_ or KV_"),
    ("spec: {nats: {stream: {replicas: 6}}}", "nats.stream.replicas must be a number from 1 to 5"),
    ("spec: {nats: {stream: {maxAge: soon}}}", "nats.stream.maxAge must be a length of time from 100ms to 87600h"),
    ("spec: {nats: {stream: {maxAge: 23h}}}", "nats.stream.maxAge must not be shorter than deduplication.window"),
    ("spec: {nats: {stream: {maxBytes: 1Ki}}}", "nats.stream.maxBytes must be a size from 1Mi to 1024Ti"),
    ("spec: {nats: {servers: ['nats://other'], stream: {denyDelete: true}}}", "nats.stream.denyDelete works only with the operator's own broker"),
    ("spec: {deduplication: {window: 170h}}", "deduplication.window must be a length of time from 100ms to 169h"),
    ("spec: {deduplication: {memoryEntries: 0}}", "deduplication.memoryEntries must be a number from 1 to 10000000"),
    // Limits.
    ("spec: {limits: {bodyBytes: 3MB}}", "limits.bodyBytes must be a size from 1Ki to 64Mi"),
    ("spec: {limits: {bodyBytes: 8Mi, bodyMemoryBytes: 4Mi}}", "limits.bodyMemoryBytes must not be smaller than"),
    ("spec: {limits: {bodyMemoryBytes: 65Gi}}", "limits.bodyMemoryBytes must be a size from 1Ki to 64Gi"),
    ("spec: {limits: {headerBytes: 4Ki}}", "limits.headerBytes must be a size from 8Ki to 1Mi"),
    ("spec: {limits: {headerTimeout: 61s}}", "limits.headerTimeout must be a length of time from 10ms to 1m"),
    ("spec: {limits: {bodyTimeout: 9ms}}", "limits.bodyTimeout must be"),
    ("spec: {limits: {idleTimeout: 2h}}", "limits.idleTimeout must be"),
    ("spec: {limits: {writeTimeout: ''}}", "limits.writeTimeout must be"),
    ("spec: {limits: {publishDeadline: 16s}}", "limits.publishDeadline must be"),
    ("spec: {limits: {connections: 0}}", "limits.connections must be a number from 1 to 1000000"),
    ("spec: {limits: {inFlightRequests: -1}}", "limits.inFlightRequests must be"),
    ("spec: {limits: {inFlightEvents: 1000001}}", "limits.inFlightEvents must be"),
    ("spec: {limits: {badSignaturesPerMinute: 0}}", "limits.badSignaturesPerMinute must be"),
    // The receivers.
    ("spec: {receiver: {replicas: 101}}", "receiver.replicas must be a number from 1 to 100"),
    ("spec: {receiver: {autoscaling: {minReplicas: 5, maxReplicas: 4}}}", "receiver.autoscaling.maxReplicas must not be smaller"),
    ("spec: {receiver: {autoscaling: {targetCpuPercent: 0}}}", "receiver.autoscaling.targetCpuPercent must be"),
    ("spec: {receiver: {autoscaling: {}, resources: {requests: {cpu: null, memory: 64Mi}}}}", "receiver.autoscaling needs receiver.resources.requests.cpu"),
    ("spec: {receiver: {image: 'a/../b'}}", "receiver.image must be an image"),
    ("spec: {receiver: {image: 'a b'}}", "receiver.image must be an image"),
    ("spec: {receiver: {imagePullSecrets: [{name: 'A'}]}}", "receiver.imagePullSecrets[0].name must be"),
    ("spec: {receiver: {resources: {requests: {cpu: lots}}}}", "receiver.resources.requests.cpu must be an amount greater than 0"),
    ("spec: {receiver: {resources: {limits: {memory: '0'}}}}", "receiver.resources.limits.memory must be an amount"),
    ("spec: {receiver: {resources: {requests: {memory: 1G}, limits: {memory: 900Mi}}}}", "receiver.resources.limits.memory must not be smaller"),
    ("spec: {receiver: {scheduling: {priorityClassName: system-node-critical}}}", "must not be one of the system's"),
    ("spec: {receiver: {scheduling: {tolerations: [{key: a, operator: Maybe}]}}}", "receiver.scheduling.tolerations[0].operator must be"),
    ("spec: {receiver: {scheduling: {tolerations: [{key: a, operator: Exists, value: b}]}}}", "receiver.scheduling.tolerations[0].operator must be"),
    ("spec: {receiver: {scheduling: {tolerations: [{value: b}]}}}", "receiver.scheduling.tolerations[0].key is needed"),
    ("spec: {receiver: {scheduling: {tolerations: [{operator: Exists, effect: Never}]}}}", "receiver.scheduling.tolerations[0].effect must be"),
    ("spec: {receiver: {scheduling: {tolerations: [{operator: Exists, tolerationSeconds: 5}]}}}", "receiver.scheduling.tolerations[0].tolerationSeconds needs"),
    ("spec: {receiver: {scheduling: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: []}}}}}", "must have at least one of nodeSelectorTerms"),
    ("spec: {receiver: {env: [{name: 'A=B'}]}}", "receiver.env must have names of letters"),
    ("spec: {receiver: {env: [{name: ''}]}}", "receiver.env must have names of letters"),
    // Monitoring.
    ("spec: {monitoring: {serviceMonitor: {interval: 1s}}}", "monitoring.serviceMonitor.interval must be a length of time from 5s to 10m"),
];

#[test]
fn what_no_flag_allows() {
    for settings in [settings(), generous()] {
        for (patch, says) in INVALID {
            let refusals = refused(&smallest(patch), &settings);
            let fits = refusals.iter().any(|refusal| refusal.message.contains(says));
            assert!(fits, "{patch}\n  said {refusals:#?}\n  not {says}");
        }
    }
}

/// Each of these is about the resource as a whole, and each message says what to do.
#[test]
fn refusals_have_a_condition_a_reason_and_one_line() {
    for (patch, _) in INVALID {
        for refusal in refused(&smallest(patch), &generous()) {
            assert_eq!(
                (refusal.condition, refusal.reason),
                (ConditionType::Stalled, Reason::InvalidSpec)
            );
            assert!(!refusal.message.contains(['\n', '\r']), "{}", refusal.message);
            assert!(!refusal.message.contains("sesame") && !refusal.message.contains("5550100001"));
        }
    }
}

fn one(patch: &str, change: impl Fn(&mut Settings)) -> (ConditionType, Reason, String) {
    let mut settings = settings();
    change(&mut settings);
    let refusals = refused(&smallest(patch), &settings);
    let [refusal] = refusals.as_slice() else {
        panic!("{patch}: {refusals:#?}")
    };
    assert!(
        refusal.condition.reasons().contains(&refusal.reason),
        "{refusal:?}"
    );
    (refusal.condition, refusal.reason, refusal.message.clone())
}

#[test]
fn what_a_flag_would_allow() {
    for (patch, condition, reason, says, flag) in [
        (
            "spec: {receiver: {image: registry.example.com/other:1}}",
            ConditionType::ReceiverReady,
            Reason::ImageNotAllowed,
            "receiver.image registry.example.com/other:1",
            "--allow-images",
        ),
        (
            "spec: {receiver: {env: [{name: HTTPS_PROXY, value: x}]}}",
            ConditionType::ReceiverReady,
            Reason::SettingNotAllowed,
            "receiver.env must not set HTTPS_PROXY",
            "--allow-env",
        ),
        (
            "spec: {receiver: {podMetadata: {labels: {app: payments}}}}",
            ConditionType::ReceiverReady,
            Reason::SettingNotAllowed,
            "receiver.podMetadata.labels must not set app",
            "--allow-labels",
        ),
        (
            "spec: {receiver: {podMetadata: {annotations: {example.com/a: b}}}}",
            ConditionType::ReceiverReady,
            Reason::SettingNotAllowed,
            "receiver.podMetadata.annotations must not set example.com/a",
            "--allow-annotations",
        ),
        (
            "spec: {endpoint: {ingress: {annotations: {nginx.ingress.kubernetes.io/limit-rps: '1'}}}}",
            ConditionType::RouteReady,
            Reason::SettingNotAllowed,
            "endpoint.ingress.annotations must not set nginx.ingress.kubernetes.io/limit-rps",
            "--allow-annotations",
        ),
        (
            "spec: {nats: {servers: ['nats://nats.nats:4222', 'nats://nats.books:4222']}}",
            ConditionType::StreamReady,
            Reason::SettingNotAllowed,
            "nats.servers must not name nats://nats.books:4222",
            "--allow-nats-servers",
        ),
        (
            "spec: {endpoint: {tls: {issuerRef: {name: internal, kind: ClusterIssuer}}}}",
            ConditionType::RouteReady,
            Reason::SettingNotAllowed,
            "endpoint.tls.issuerRef must not name ClusterIssuer/internal",
            "--allow-issuers ClusterIssuer/internal",
        ),
        (
            "spec: {monitoring: {tracing: {endpoint: 'http://collector.example.com:4318'}}}",
            ConditionType::ReceiverReady,
            Reason::SettingNotAllowed,
            "monitoring.tracing.endpoint must not be http://collector.example.com:4318",
            "--allow-tracing-endpoints",
        ),
    ] {
        let (is, why, message) = one(patch, |settings| {
            settings.allow = Allow::default();
            settings.route.issuer = Some(letsencrypt());
            settings.allow.tracing_endpoints = vec![Pattern::new("http://*.observability:4318")];
        });
        assert_eq!((is, why), (condition, reason), "{patch}");
        assert!(message.contains(says) && message.contains(flag), "{message}");
        valid(&smallest(patch), &generous());
    }
}

#[test]
fn a_stream_on_the_operators_broker_is_no_larger_than_allowed() {
    let limit = |settings: &mut Settings| settings.nats.max_stream_bytes = Some(10 << 30);
    let (condition, reason, message) = one("spec: {nats: {stream: {maxBytes: 11Gi}}}", limit);
    assert_eq!(
        (condition, reason),
        (ConditionType::StreamReady, Reason::SettingNotAllowed)
    );
    assert!(message.contains("10Gi at most"), "{message}");
    let mut settings = settings();
    limit(&mut settings);
    valid(&smallest("spec: {nats: {stream: {maxBytes: 10Gi}}}"), &settings);
    // Room that is not the operator's.
    valid(
        &smallest("spec: {nats: {servers: ['nats://nats.books:4222'], stream: {maxBytes: 11Gi}}}"),
        &settings,
    );
}

fn letsencrypt() -> wahook_crds::IssuerRef {
    wahook_crds::IssuerRef {
        name: "letsencrypt".into(),
        kind: "ClusterIssuer".into(),
        group: "cert-manager.io".into(),
    }
}

#[test]
fn without_a_default_and_a_list_any_server_and_any_issuer_will_do() {
    let named = smallest(
        "spec: {nats: {servers: ['nats://nats.books:4222']}, \
         endpoint: {tls: {issuerRef: {name: internal, kind: ClusterIssuer}}}}",
    );
    let mut open = settings();
    open.nats.servers.clear();
    open.allow = Allow::default();
    valid(&named, &open);

    open.allow.nats_servers = vec![Pattern::new("nats://*.nats:4222")];
    open.allow.issuers = vec![Pattern::new("ClusterIssuer/public")];
    let refusals = refused(&named, &open);
    assert_eq!(refusals.len(), 2, "{refusals:#?}");
    open.allow.nats_servers = vec![
        Pattern::new("nats://*.books:4222"),
        Pattern::new("nats://nats.books*"),
    ];
    open.allow.issuers = vec![Pattern::new("ClusterIssuer/*")];
    valid(&named, &open);
    // A namespace's own.
    open.allow.issuers = vec![Pattern::new("ClusterIssuer/public")];
    valid(
        &smallest(
            "spec: {nats: {servers: ['nats://nats.books:4222']}, endpoint: {tls: {issuerRef: {name: own}}}}",
        ),
        &open,
    );
}

#[test]
fn hosts_belong_to_namespaces() {
    let grant = |settings: &mut Settings| {
        settings.allow.hosts = vec![HostGrant {
            namespace: Pattern::new("shop"),
            host: Pattern::new("*.shop.example.com"),
        }];
    };
    let (condition, reason, message) = one("{}", grant);
    assert_eq!(
        (condition, reason),
        (ConditionType::RouteReady, Reason::HostNotAllowed)
    );
    assert!(
        message.contains("--allow-hosts shop=hooks.example.com"),
        "{message}"
    );
    let mut settings = settings();
    grant(&mut settings);
    valid(
        &smallest("spec: {endpoint: {host: hooks.shop.example.com}}"),
        &settings,
    );
    let (.., message) = one(
        "{metadata: {namespace: books}, spec: {endpoint: {host: hooks.shop.example.com}}}",
        grant,
    );
    assert!(
        message.contains("is not allowed in the namespace books"),
        "{message}"
    );
}

#[test]
fn what_the_operator_lacks_is_named() {
    let (_, reason, message) = one("{}", |settings| settings.nats.servers.clear());
    assert_eq!(reason, Reason::InvalidSpec);
    assert!(
        message.contains("nats.servers") && message.contains("--nats-servers"),
        "{message}"
    );
    let (_, reason, message) = one("{}", |settings| settings.secret_access = SecretAccess::None);
    assert_eq!(reason, Reason::InvalidSpec);
    assert!(
        message.contains("meta.verifyToken") && message.contains("--secret-access none"),
        "{message}"
    );
    // The operator's Gateway ends TLS itself.
    let (_, reason, message) = one("spec: {endpoint: {tls: {secretName: a}}}", |settings| {
        settings.route.gateway = Some(wahook_crds::ParentRef {
            group: "gateway.networking.k8s.io".into(),
            kind: wahook_crds::ParentKind::Gateway,
            namespace: None,
            name: "public".into(),
            section_name: None,
            port: None,
        });
    });
    assert_eq!(reason, Reason::InvalidSpec);
    assert!(message.contains("set endpoint.ingress"), "{message}");
}

/// One look reports all of it.
#[test]
fn every_reason_is_reported_at_once() {
    let refusals = refused(
        &smallest(
            "{metadata: {name: '7'}, spec: {endpoint: {host: A, path: b}, limits: {connections: 0, bodyBytes: x}, receiver: {image: other, env: [{name: A}, {name: B}]}}}",
        ),
        &settings(),
    );
    let fields = [
        "metadata.name",
        "endpoint.host",
        "endpoint.path",
        "limits.connections",
        "limits.bodyBytes",
        "receiver.image",
        "set A",
        "set B",
    ];
    for field in fields {
        assert!(
            refusals.iter().any(|refusal| refusal.message.contains(field)),
            "{field}: {refusals:#?}"
        );
    }
    assert_eq!(refusals.len(), fields.len());
}

/// Which login looks after a stream.
#[test]
fn the_operator_connects_to_its_own_broker_only() {
    let keeper = |patch: &str| valid(&smallest(patch), &settings()).stream.keeper;
    for (patch, expected) in [
        ("{}", StreamKeeper::Operator),
        // The same address, and perhaps an account of one's own.
        (
            "spec: {nats: {servers: ['nats://nats.nats:4222']}}",
            StreamKeeper::Receivers,
        ),
        (
            "spec: {nats: {servers: ['nats://nats.nats:4222'], credentialsSecretRef: {name: broker}}}",
            StreamKeeper::Receivers,
        ),
        (
            "spec: {nats: {credentialsSecretRef: {name: broker}}}",
            StreamKeeper::Operator,
        ),
        (
            "spec: {nats: {stream: {management: External, name: E}}}",
            StreamKeeper::Checked,
        ),
        (
            "spec: {nats: {stream: {management: External, name: E}, credentialsSecretRef: {name: b}}}",
            StreamKeeper::Receivers,
        ),
        (
            "spec: {nats: {servers: ['nats://other']}}",
            StreamKeeper::Receivers,
        ),
        (
            "spec: {nats: {servers: ['nats://nats.nats:4222', 'nats://other']}}",
            StreamKeeper::Receivers,
        ),
        (
            "spec: {nats: {servers: ['nats://other'], stream: {management: External, name: E}}}",
            StreamKeeper::Receivers,
        ),
    ] {
        assert_eq!(keeper(patch), expected, "{patch}");
    }
}

#[test]
fn an_external_stream_may_be_the_resources_own() {
    let webhook = valid(
        &smallest("spec: {nats: {stream: {management: External, name: whatsapp_shop_main}}}"),
        &settings(),
    );
    assert_eq!(webhook.stream.keeper, StreamKeeper::Checked);
    assert!(!webhook.stream.spec.ensure);
}

#[test]
fn scale_follows_suspension() {
    let scale = |patch: &str| valid(&smallest(patch), &settings()).scale;
    assert_eq!(scale("spec: {receiver: {replicas: 3}}"), Scale::Fixed(3));
    assert_eq!(
        scale("spec: {suspend: true, receiver: {replicas: 3}}"),
        Scale::Fixed(0)
    );
    assert_eq!(
        scale("spec: {suspend: true, receiver: {autoscaling: {}}}"),
        Scale::Fixed(0)
    );
    let auto = Scale::Auto {
        min: 2,
        max: 10,
        target_cpu_percent: 70,
    };
    assert_eq!(scale("spec: {receiver: {autoscaling: {}}}"), auto);
    // Without a request the limit counts.
    let limited = "spec: {receiver: {autoscaling: {}, resources: {requests: {cpu: null, memory: 64Mi}, limits: {cpu: '1'}}}}";
    assert_eq!(scale(limited), auto);
}

#[test]
fn where_the_certificate_comes_from() {
    let tls = |patch: &str, change: fn(&mut Settings)| {
        let mut settings = settings();
        change(&mut settings);
        valid(&smallest(patch), &settings).route.tls
    };
    let issuer = |settings: &mut Settings| {
        settings.route.default_certificate = true;
        settings.route.issuer = Some(letsencrypt());
    };
    assert_eq!(tls("{}", |_| {}), TlsSource::Missing);
    assert_eq!(
        tls("{}", |settings| settings.route.default_certificate = true),
        TlsSource::ControllerDefault
    );
    assert!(matches!(tls("{}", issuer), TlsSource::Issuer { secret, .. } if secret == "main-webhook-tls"));
    let named = "spec: {endpoint: {tls: {secretName: mine}}}";
    assert_eq!(tls(named, issuer), TlsSource::Secret("mine".into()));
    let own = "spec: {endpoint: {tls: {issuerRef: {name: own}}}}";
    assert!(
        matches!(tls(own, issuer), TlsSource::Issuer { issuer, .. } if issuer.name == "own" && issuer.kind == "Issuer")
    );
    let gateway = "spec: {endpoint: {gateway: {parentRefs: [{name: public}]}}}";
    assert_eq!(tls(gateway, issuer), TlsSource::Listener);
}

/// They replace the system's, with which other servers are trusted.
#[test]
fn the_operators_authorities_are_for_its_own_servers() {
    let mut settings = settings();
    settings.nats.ca = "PEM".into();
    let has = |patch: &str| valid(&smallest(patch), &settings).nats.ca.is_some();
    assert!(has("{}") && has("spec: {nats: {servers: ['nats://nats.nats:4222']}}"));
    assert!(!has("spec: {nats: {servers: ['nats://other']}}"));
    assert!(!has("spec: {nats: {tls: {caConfigMapRef: {name: a}}}}"));
}
