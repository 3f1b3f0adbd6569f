//! Which changed settings a running receiver cannot take over.

use super::settings::{
    Config, Deduplication, Http, Identity, Log, Nats, NatsTls, Shutdown, Stream, TraceSettings,
};

impl Config {
    /// Names the settings that differ in `new` and take effect only after a restart, in the order of the
    /// file.
    ///
    /// Everything is named here or reloaded ([`super::Reloadable`]): the patterns below list every field, so
    /// a new setting does not compile until somebody decides which.
    pub fn restart_needed(&self, new: &Config) -> Vec<&'static str> {
        let Config {
            identity:
                Identity {
                    namespace,
                    webhook,
                    subject_prefix,
                },
            http:
                Http {
                    listen,
                    admin_listen,
                    path,
                    trusted_proxies: _,
                },
            secrets_dir,
            nats:
                Nats {
                    servers,
                    auth,
                    tls,
                    inbox_prefix,
                    domain,
                    connect_timeout,
                    ping_interval,
                },
            stream:
                Stream {
                    name,
                    ensure,
                    window,
                    max_age,
                    max_bytes,
                    replicas,
                    storage,
                    object_bucket,
                },
            deduplication: Deduplication { memory_entries },
            limits: _,
            phone_number_ids: _,
            log: Log { format, level: _ },
            shutdown: Shutdown { endpoint_lag, grace },
            tracing,
        } = self;
        let NatsTls {
            required,
            first,
            ca_file,
            cert_file,
            key_file,
        } = tls;

        let endpoint = |tracing: &Option<TraceSettings>| tracing.as_ref().map(|to| to.endpoint.clone());
        let ratio = |tracing: &Option<TraceSettings>| tracing.as_ref().map(|to| to.sample_ratio);

        [
            ("identity.namespace", *namespace != new.identity.namespace),
            ("identity.webhook", *webhook != new.identity.webhook),
            (
                "identity.subjectPrefix",
                *subject_prefix != new.identity.subject_prefix,
            ),
            ("http.listen", *listen != new.http.listen),
            ("http.adminListen", *admin_listen != new.http.admin_listen),
            ("http.path", *path != new.http.path),
            ("secretsDir", *secrets_dir != new.secrets_dir),
            ("nats.servers", *servers != new.nats.servers),
            ("nats.auth", *auth != new.nats.auth),
            ("nats.tls.required", *required != new.nats.tls.required),
            ("nats.tls.first", *first != new.nats.tls.first),
            ("nats.tls.caFile", *ca_file != new.nats.tls.ca_file),
            ("nats.tls.certFile", *cert_file != new.nats.tls.cert_file),
            ("nats.tls.keyFile", *key_file != new.nats.tls.key_file),
            ("nats.inboxPrefix", *inbox_prefix != new.nats.inbox_prefix),
            ("nats.domain", *domain != new.nats.domain),
            (
                "nats.connectTimeout",
                *connect_timeout != new.nats.connect_timeout,
            ),
            ("nats.pingInterval", *ping_interval != new.nats.ping_interval),
            ("stream.name", *name != new.stream.name),
            ("stream.ensure", *ensure != new.stream.ensure),
            ("stream.window", *window != new.stream.window),
            ("stream.maxAge", *max_age != new.stream.max_age),
            ("stream.maxBytes", *max_bytes != new.stream.max_bytes),
            ("stream.replicas", *replicas != new.stream.replicas),
            ("stream.storage", *storage != new.stream.storage),
            ("stream.objectBucket", *object_bucket != new.stream.object_bucket),
            (
                "deduplication.memoryEntries",
                *memory_entries != new.deduplication.memory_entries,
            ),
            ("log.format", *format != new.log.format),
            ("shutdown.endpointLag", *endpoint_lag != new.shutdown.endpoint_lag),
            ("shutdown.grace", *grace != new.shutdown.grace),
            ("tracing.endpoint", endpoint(tracing) != endpoint(&new.tracing)),
            ("tracing.sampleRatio", ratio(tracing) != ratio(&new.tracing)),
        ]
        .into_iter()
        .filter_map(|(setting, changed)| changed.then_some(setting))
        .collect()
    }
}
