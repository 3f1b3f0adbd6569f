//! Resources that must be refused: a patch of the smallest one, and what the refusal must say.

/// The patch, and a part of the message that names the field.
pub(crate) type Case = (&'static str, &'static str);

/// Refused when created.
pub(crate) const CREATED: &[Case] = &[
    // The name: a token of every subject.
    ("metadata: {name: sho.p}", "metadata.name must be a DNS label"),
    (
        "metadata: {name: a2345678901234567890123456789012345678901}",
        "metadata.name must be",
    ),
    ("metadata: {name: Shop}", "metadata.name must be"),
    ("metadata: {name: shop-}", "metadata.name must be"),
    // The endpoint.
    ("spec: {endpoint: null}", "spec.endpoint: Required"),
    ("spec: {endpoint: {host: null}}", "spec.endpoint.host: Required"),
    ("spec: {endpoint: {host: ''}}", "spec.endpoint.host"),
    (
        "spec: {endpoint: {host: '*.example.com'}}",
        "endpoint.host must be a DNS name",
    ),
    (
        "spec: {endpoint: {host: 'hooks.example.com:8443'}}",
        "endpoint.host must be a DNS name",
    ),
    (
        "spec: {endpoint: {host: 'https://hooks.example.com'}}",
        "endpoint.host must be a DNS name",
    ),
    (
        "spec: {endpoint: {host: hooks.example.com/webhook}}",
        "endpoint.host must be a DNS name",
    ),
    (
        "spec: {endpoint: {host: Hooks.Example.com}}",
        "endpoint.host must be a DNS name",
    ),
    (
        "spec: {endpoint: {host: 192.0.2.7}}",
        "endpoint.host must be a DNS name",
    ),
    (
        "spec: {endpoint: {host: '[2001:db8::1]'}}",
        "endpoint.host must be a DNS name",
    ),
    (
        "spec: {endpoint: {host: hooks}}",
        "endpoint.host must be a DNS name",
    ),
    (
        "spec: {endpoint: {host: hooks.example.com.}}",
        "endpoint.host must be a DNS name",
    ),
    (
        "spec: {endpoint: {host: hooks..example.com}}",
        "endpoint.host must be a DNS name",
    ),
    (
        "spec: {endpoint: {host: -hooks.example.com}}",
        "endpoint.host must be a DNS name",
    ),
    (
        "spec: {endpoint: {host: ho_oks.example.com}}",
        "endpoint.host must be a DNS name",
    ),
    (
        "spec: {endpoint: {host: \"hooks.example.com\\nx\"}}",
        "endpoint.host must be a DNS name",
    ),
    (
        "spec: {endpoint: {path: webhook}}",
        "endpoint.path must be a plain path",
    ),
    (
        "spec: {endpoint: {path: /a//b}}",
        "endpoint.path must be a plain path",
    ),
    (
        "spec: {endpoint: {path: /webhook/}}",
        "endpoint.path must be a plain path",
    ),
    (
        "spec: {endpoint: {path: '/web hook'}}",
        "endpoint.path must be a plain path",
    ),
    (
        "spec: {endpoint: {path: '/%61'}}",
        "endpoint.path must be a plain path",
    ),
    (
        "spec: {endpoint: {path: '/a?b'}}",
        "endpoint.path must be a plain path",
    ),
    (
        "spec: {endpoint: {path: '/(.*)'}}",
        "endpoint.path must be a plain path",
    ),
    (
        "spec: {endpoint: {path: /a/../b}}",
        "endpoint.path must not have '.' or '..'",
    ),
    (
        "spec: {endpoint: {path: /.}}",
        "endpoint.path must not have '.' or '..'",
    ),
    (
        "spec: {endpoint: {path: /health}}",
        "endpoint.path must not be /health",
    ),
    (
        "spec: {endpoint: {ingress: {}, gateway: {parentRefs: [{name: public}]}}}",
        "endpoint.ingress and endpoint.gateway exclude each other",
    ),
    (
        "spec: {endpoint: {ingress: {className: Nginx}}}",
        "endpoint.ingress.className must be",
    ),
    (
        "spec: {endpoint: {ingress: {annotations: {wahook.dev/owner: x}}}}",
        "endpoint.ingress.annotations must not set wahook.dev/",
    ),
    (
        "spec: {endpoint: {ingress: {annotations: {kubernetes.io/ingress.class: x}}}}",
        "use endpoint.ingress.className",
    ),
    (
        "spec: {endpoint: {ingress: {annotations: {'a/b/c': x}}}}",
        "endpoint.ingress.annotations must have keys such as",
    ),
    (
        "spec: {endpoint: {ingress: {annotations: {a: 7}}}}",
        "spec.endpoint.ingress.annotations.a",
    ),
    (
        "spec: {endpoint: {gateway: {}}}",
        "spec.endpoint.gateway.parentRefs: Required",
    ),
    (
        "spec: {endpoint: {gateway: {parentRefs: []}}}",
        "spec.endpoint.gateway.parentRefs",
    ),
    (
        "spec: {endpoint: {gateway: {parentRefs: [{name: public, namespace: 'a.b'}]}}}",
        "endpoint.gateway.parentRefs.namespace must be",
    ),
    (
        "spec: {endpoint: {gateway: {parentRefs: [{name: public, kind: Service}]}}}",
        "spec.endpoint.gateway.parentRefs[0].kind",
    ),
    (
        "spec: {endpoint: {gateway: {parentRefs: [{name: public, port: 65536}]}}}",
        "spec.endpoint.gateway.parentRefs[0].port",
    ),
    (
        "spec: {endpoint: {gateway: {parentRefs: [{name: public, sectionName: 'a b'}]}}}",
        "endpoint.gateway.parentRefs.sectionName must be",
    ),
    (
        "spec: {endpoint: {gateway: {parentRefs: [{name: public, group: 'a/b'}]}}}",
        "endpoint.gateway.parentRefs.group must be",
    ),
    ("spec: {endpoint: {tls: {}}}", "endpoint.tls needs exactly one of"),
    (
        "spec: {endpoint: {tls: {secretName: a, issuerRef: {name: b}}}}",
        "endpoint.tls needs exactly one of",
    ),
    (
        "spec: {endpoint: {tls: {secretName: other/cert}}}",
        "endpoint.tls.secretName must be",
    ),
    (
        "spec: {endpoint: {tls: {issuerRef: {name: A}}}}",
        "endpoint.tls.issuerRef.name must be",
    ),
    (
        "spec: {endpoint: {tls: {issuerRef: {name: a, kind: issuer}}}}",
        "endpoint.tls.issuerRef.kind must be",
    ),
    (
        "spec: {endpoint: {tls: {secretName: a}, gateway: {parentRefs: [{name: public}]}}}",
        "endpoint.tls.secretName has no effect",
    ),
    // Meta's side.
    ("spec: {meta: null}", "spec.meta: Required"),
    (
        "spec: {meta: {appSecrets: null}}",
        "spec.meta.appSecrets: Required",
    ),
    ("spec: {meta: {appSecrets: []}}", "spec.meta.appSecrets"),
    (
        "spec: {meta: {appSecrets: [{name: a, key: a}, {name: a, key: b}, {name: a, key: c}, {name: a, key: d}, \
         {name: a, key: e}]}}",
        "spec.meta.appSecrets",
    ),
    (
        "spec: {meta: {appSecrets: [{name: a, key: b}, {name: a, key: b}]}}",
        "spec.meta.appSecrets",
    ),
    (
        "spec: {meta: {appSecrets: [{name: a}]}}",
        "spec.meta.appSecrets[0].key: Required",
    ),
    (
        "spec: {meta: {appSecrets: [{name: other/a, key: b}]}}",
        "spec.meta.appSecrets[0].name",
    ),
    (
        "spec: {meta: {appSecrets: [{name: a, key: ../b}]}}",
        "spec.meta.appSecrets[0].key",
    ),
    (
        "spec: {meta: {verifyToken: {name: A, key: b}}}",
        "spec.meta.verifyToken.name",
    ),
    (
        "spec: {meta: {verifyToken: {key: b}}}",
        "spec.meta.verifyToken.name: Required",
    ),
    (
        "spec: {meta: {phoneNumberIds: ['+15550100001']}}",
        "meta.phoneNumberIds must be the digits",
    ),
    (
        "spec: {meta: {phoneNumberIds: [106540352242922]}}",
        "spec.meta.phoneNumberIds[0]",
    ),
    (
        "spec: {meta: {phoneNumberIds: ['']}}",
        "spec.meta.phoneNumberIds[0]",
    ),
    (
        "spec: {meta: {phoneNumberIds: ['1', '1']}}",
        "spec.meta.phoneNumberIds",
    ),
    // The broker.
    (
        "spec: {nats: {servers: ['http://nats:4222']}}",
        "nats.servers must be URLs",
    ),
    (
        "spec: {nats: {servers: ['nats:4222']}}",
        "nats.servers must be URLs",
    ),
    (
        "spec: {nats: {servers: ['nats://ann:sesame@nats:4222']}}",
        "nats.credentialsSecretRef",
    ),
    (
        "spec: {nats: {servers: ['nats://nats:4222/a']}}",
        "nats.servers must be URLs",
    ),
    (
        "spec: {nats: {servers: ['nats://a,nats://b']}}",
        "nats.servers must be URLs",
    ),
    (
        "spec: {nats: {credentialsSecretRef: {name: 'a b'}}}",
        "nats.credentialsSecretRef.name must be",
    ),
    (
        "spec: {nats: {credentialsSecretRef: {name: a, key: 'a/b'}}}",
        "nats.credentialsSecretRef.key must be",
    ),
    (
        "spec: {nats: {tls: {caSecretRef: {name: a}, caConfigMapRef: {name: b}}}}",
        "nats.tls.caSecretRef and nats.tls.caConfigMapRef exclude each other",
    ),
    ("spec: {nats: {tls: {first: 'yes'}}}", "spec.nats.tls.first"),
    (
        "spec: {nats: {tls: {clientCertificateSecretRef: {}}}}",
        "spec.nats.tls.clientCertificateSecretRef.name: Required",
    ),
    ("spec: {nats: {domain: a.b}}", "nats.domain must be made of"),
    // The stream.
    (
        "spec: {nats: {stream: {management: Nack}}}",
        "spec.nats.stream.management",
    ),
    (
        "spec: {nats: {stream: {management: External}}}",
        "nats.stream.name is needed",
    ),
    (
        "spec: {nats: {stream: {name: EVENTS}}}",
        "nats.stream.name is only for",
    ),
    (
        "spec: {nats: {stream: {management: External, name: a.b}}}",
        "nats.stream.name must be made of",
    ),
    (
        "spec: {nats: {stream: {management: External, name: 'a>'}}}",
        "nats.stream.name must be made of",
    ),
    (
        "spec: {nats: {stream: {replicas: 0}}}",
        "spec.nats.stream.replicas",
    ),
    (
        "spec: {nats: {stream: {replicas: 6}}}",
        "spec.nats.stream.replicas",
    ),
    (
        "spec: {nats: {stream: {maxAge: 7d}}}",
        "nats.stream.maxAge must be a length of time",
    ),
    (
        "spec: {nats: {stream: {maxAge: 87601h}}}",
        "nats.stream.maxAge must be a length of time",
    ),
    (
        "spec: {nats: {stream: {maxAge: 23h}}}",
        "nats.stream.maxAge must not be shorter than",
    ),
    (
        "spec: {nats: {stream: {maxBytes: 1Ki}}}",
        "nats.stream.maxBytes must be a size",
    ),
    (
        "spec: {nats: {stream: {maxBytes: 2G}}}",
        "nats.stream.maxBytes must be a size",
    ),
    (
        "spec: {nats: {stream: {maxBytes: -1}}}",
        "spec.nats.stream.maxBytes",
    ),
    (
        "spec: {nats: {stream: {storage: Disk}}}",
        "spec.nats.stream.storage",
    ),
    (
        "spec: {nats: {stream: {denyDelete: 1}}}",
        "spec.nats.stream.denyDelete",
    ),
    // Deduplication.
    (
        "spec: {deduplication: {window: 170h}}",
        "deduplication.window must be a length of time",
    ),
    (
        "spec: {deduplication: {window: 0s}}",
        "deduplication.window must be a length of time",
    ),
    (
        "spec: {deduplication: {window: ''}}",
        "deduplication.window must be a length of time",
    ),
    (
        "spec: {deduplication: {window: 1.5h}}",
        "deduplication.window must be a length of time",
    ),
    (
        "spec: {deduplication: {window: -1h}}",
        "deduplication.window must be a length of time",
    ),
    (
        "spec: {deduplication: {window: 86400}}",
        "spec.deduplication.window",
    ),
    (
        "spec: {deduplication: {window: 169h}}",
        "nats.stream.maxAge must not be shorter than",
    ),
    (
        "spec: {deduplication: {memoryEntries: 0}}",
        "spec.deduplication.memoryEntries",
    ),
    // Limits.
    (
        "spec: {limits: {bodyBytes: 65Mi}}",
        "limits.bodyBytes must be a size",
    ),
    (
        "spec: {limits: {bodyBytes: 3MB}}",
        "limits.bodyBytes must be a size",
    ),
    (
        "spec: {limits: {bodyBytes: 8Mi, bodyMemoryBytes: 4Mi}}",
        "limits.bodyMemoryBytes must not be smaller",
    ),
    (
        "spec: {limits: {bodyMemoryBytes: 65Gi}}",
        "limits.bodyMemoryBytes must be a size",
    ),
    (
        "spec: {limits: {headerBytes: 4Ki}}",
        "limits.headerBytes must be a size",
    ),
    (
        "spec: {limits: {headerTimeout: 61s}}",
        "limits.headerTimeout must be a length of time",
    ),
    (
        "spec: {limits: {bodyTimeout: 9ms}}",
        "limits.bodyTimeout must be a length of time",
    ),
    (
        "spec: {limits: {idleTimeout: 2h}}",
        "limits.idleTimeout must be a length of time",
    ),
    (
        "spec: {limits: {writeTimeout: soon}}",
        "limits.writeTimeout must be a length of time",
    ),
    (
        "spec: {limits: {publishDeadline: 16s}}",
        "limits.publishDeadline must be a length of time",
    ),
    ("spec: {limits: {connections: 0}}", "spec.limits.connections"),
    (
        "spec: {limits: {inFlightRequests: 1000001}}",
        "spec.limits.inFlightRequests",
    ),
    (
        "spec: {limits: {inFlightEvents: '8192'}}",
        "spec.limits.inFlightEvents",
    ),
    (
        "spec: {limits: {badSignaturesPerMinute: 0}}",
        "spec.limits.badSignaturesPerMinute",
    ),
    // The receivers.
    ("spec: {receiver: {replicas: 0}}", "spec.receiver.replicas"),
    ("spec: {receiver: {replicas: 101}}", "spec.receiver.replicas"),
    (
        "spec: {receiver: {autoscaling: {minReplicas: 5, maxReplicas: 4}}}",
        "receiver.autoscaling.maxReplicas must not be smaller",
    ),
    (
        "spec: {receiver: {autoscaling: {targetCpuPercent: 0}}}",
        "spec.receiver.autoscaling.targetCpuPercent",
    ),
    (
        "spec: {receiver: {image: 'wahook receiver'}}",
        "receiver.image must be an image",
    ),
    (
        "spec: {receiver: {image: 'https://registry.example.com/a:1'}}",
        "receiver.image must be an image",
    ),
    (
        "spec: {receiver: {image: 'registry.example.com/a:1 --privileged'}}",
        "receiver.image must be an image",
    ),
    (
        "spec: {receiver: {imagePullPolicy: Sometimes}}",
        "spec.receiver.imagePullPolicy",
    ),
    (
        "spec: {receiver: {imagePullSecrets: [{name: A}]}}",
        "spec.receiver.imagePullSecrets[0].name",
    ),
    (
        "spec: {receiver: {resources: {requests: {cpu: lots}}}}",
        "cpu must be an amount",
    ),
    (
        "spec: {receiver: {resources: {limits: {memory: '0'}}}}",
        "memory must be an amount",
    ),
    (
        "spec: {receiver: {resources: {requests: {memory: 512Mi}}}}",
        "receiver.resources.limits.memory must not be smaller",
    ),
    (
        "spec: {receiver: {resources: {requests: {cpu: 2}, limits: {cpu: 500m}}}}",
        "receiver.resources.limits.cpu must not be smaller",
    ),
    (
        "spec: {receiver: {scheduling: {nodeSelector: {disk: 'a b'}}}}",
        "receiver.scheduling.nodeSelector must have values",
    ),
    (
        "spec: {receiver: {scheduling: {priorityClassName: system-node-critical}}}",
        "receiver.scheduling.priorityClassName must not be one of the system's",
    ),
    (
        "spec: {receiver: {scheduling: {topologySpread: [{topologyKey: 'a b'}]}}}",
        "receiver.scheduling.topologySpread.topologyKey must be",
    ),
    (
        "spec: {receiver: {scheduling: {topologySpread: [{topologyKey: zone, whenUnsatisfiable: Fail}]}}}",
        "spec.receiver.scheduling.topologySpread[0].whenUnsatisfiable",
    ),
    (
        "spec: {receiver: {podMetadata: {labels: {app.kubernetes.io/name: mine}}}}",
        "receiver.podMetadata.labels must not set",
    ),
    (
        "spec: {receiver: {podMetadata: {labels: {team: 'a b'}}}}",
        "receiver.podMetadata.labels must have values",
    ),
    (
        "spec: {receiver: {podMetadata: {annotations: {wahook.dev/config: x}}}}",
        "receiver.podMetadata.annotations must not set",
    ),
    ("spec: {receiver: {logLevel: info}}", "spec.receiver.logLevel"),
    (
        "spec: {receiver: {env: [{name: 1A, value: x}]}}",
        "receiver.env.name must be",
    ),
    (
        "spec: {receiver: {env: [{name: A=B, value: x}]}}",
        "receiver.env.name must be",
    ),
    (
        "spec: {receiver: {env: [{name: A, value: x}, {name: A, value: y}]}}",
        "spec.receiver.env",
    ),
    // Monitoring, the network policy, suspension.
    (
        "spec: {monitoring: {serviceMonitor: {interval: 1s}}}",
        "monitoring.serviceMonitor.interval must be a length of time",
    ),
    (
        "spec: {monitoring: {serviceMonitor: {labels: {wahook.dev/a: b}}}}",
        "monitoring.serviceMonitor.labels must not set",
    ),
    (
        "spec: {monitoring: {prometheusRule: {labels: {release: 'a/b'}}}}",
        "monitoring.prometheusRule.labels must have values",
    ),
    (
        "spec: {networkPolicy: {webhookFromNamespaces: {'a/b/c': d}}}",
        "networkPolicy.webhookFromNamespaces must have keys",
    ),
    (
        "spec: {networkPolicy: {metricsFromNamespaces: {a: '-'}}}",
        "networkPolicy.metricsFromNamespaces must have values",
    ),
    ("spec: {suspend: 'true'}", "spec.suspend"),
];

/// Refused when the smallest resource with the first patch becomes the one with the second.
pub(crate) const CHANGED: &[(&str, &str, &str)] = &[
    (
        "spec: {nats: {stream: {storage: File}}}",
        "spec: {nats: {stream: {storage: Memory}}}",
        "nats.stream.storage cannot change",
    ),
    (
        "spec: {nats: {stream: {denyDelete: true}}}",
        "{}",
        "nats.stream.denyDelete cannot be turned off",
    ),
];

/// Admitted. Without these a rule that refuses everything would pass every test above.
pub(crate) const ADMITTED: &[&str] = &[
    "{}",
    "metadata: {name: a234567890123456789012345678901234567890}",
    "metadata: {name: '7'}",
    "spec: {endpoint: {path: /}}",
    "spec: {endpoint: {path: /a/b-c_d.e~f}}",
    "spec: {endpoint: {path: /health/webhook}}",
    "spec: {endpoint: {path: /.well-known/webhook}}",
    "spec: {endpoint: {host: xn--bcher-kva.example}}",
    "spec: {endpoint: {ingress: {className: nginx, annotations: {example.com/limit: '10'}}}}",
    "spec: {endpoint: {tls: {secretName: hooks-tls}}}",
    "spec: {endpoint: {tls: {issuerRef: {name: letsencrypt, kind: ClusterIssuer}}}}",
    "spec: {endpoint: {gateway: {parentRefs: [{name: public, namespace: edge, sectionName: https, port: 443}]}}}",
    "spec: {endpoint: {gateway: {parentRefs: [{name: public}]}, tls: {issuerRef: {name: letsencrypt}}}}",
    "spec: {meta: {appSecrets: [{name: a, key: b}, {name: a, key: c}], verifyToken: {name: a, key: d}}}",
    "spec: {meta: {phoneNumberIds: ['106540352242922', '0']}}",
    "spec: {nats: {servers: ['nats://nats.nats.svc:4222', 'tls://[2001:db8::1]:4222', 'tls://nats'], domain: hub}}",
    "spec: {nats: {credentialsSecretRef: {name: broker, key: user.creds}, tls: {caSecretRef: {name: ca}}}}",
    "spec: {nats: {tls: {required: true, caConfigMapRef: {name: ca}, clientCertificateSecretRef: {name: me}}}}",
    "spec: {nats: {stream: {management: External, name: WhatsApp_Events-1}}}",
    "spec: {nats: {stream: {replicas: 5, maxAge: 87600h, maxBytes: 1024Ti, storage: Memory, denyDelete: true}}}",
    "spec: {deduplication: {window: 169h, memoryEntries: 1}, nats: {stream: {maxAge: 169h}}}",
    "spec: {deduplication: {window: 1h30m500ms}}",
    "spec: {limits: {bodyBytes: '1048576', headerTimeout: 10ms, idleTimeout: 60m, publishDeadline: 15000ms}}",
    "spec: {receiver: {autoscaling: {}, image: 'registry.example.com:5000/wahook/receiver:1.0.0'}}",
    "spec: {receiver: {image: 'a/b_c@sha256:0000000000000000000000000000000000000000000000000000000000000000'}}",
    "spec: {receiver: {resources: {requests: {cpu: 1, memory: 1Gi}, limits: {cpu: '1.5', memory: 2Gi}}}}",
    "spec: {receiver: {scheduling: {tolerations: [{key: a, operator: Exists}], nodeSelector: {zone: b}}}}",
    "spec: {receiver: {scheduling: {topologySpread: [{topologyKey: topology.kubernetes.io/zone}]}}}",
    "spec: {receiver: {podMetadata: {labels: {team: ''}}, logLevel: Trace, env: [{name: HTTPS_PROXY}]}}",
    "spec: {monitoring: {serviceMonitor: {interval: 1m, labels: {release: prometheus}}}}",
    "spec: {networkPolicy: {enabled: false}, suspend: true}",
];
