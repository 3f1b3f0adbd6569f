//! The stream events go to: how it is made when it is absent, and what an existing one must be like. Pure.
//!
//! The receiver and the operator judge a stream by this one piece, so that neither calls fit what the other
//! refuses. [`connect`] has what their connections to the broker share.

pub mod connect;

use std::time::Duration;

use async_nats::jetstream::object_store;
use async_nats::jetstream::stream::{Config, DiscardPolicy, PersistenceMode, RetentionPolicy, StorageType};

/// What the configuration asks of the stream.
#[derive(Debug, Clone)]
pub struct StreamSpec {
    /// The stream's name.
    pub name: String,
    /// The subject all events of the webhook are under, `<prefix>.<namespace>.<webhook>.>`.
    pub subjects: String,
    /// Whether the stream and the bucket are created when they are absent.
    pub ensure: bool,
    /// How long an id must be remembered.
    pub window: Duration,
    /// How long events are kept.
    pub max_age: Duration,
    /// How many bytes are kept.
    pub max_bytes: i64,
    /// How many copies are kept; by default three in a cluster, else one.
    pub replicas: Option<usize>,
    /// Whether events are kept in files or in memory.
    pub storage: StorageType,
    /// The object store's bucket for events larger than the broker takes.
    pub bucket: String,
    /// The JetStream domain the stream is in.
    pub domain: Option<String>,
}

impl StreamSpec {
    fn replicas(&self, clustered: bool) -> usize {
        self.replicas.unwrap_or(if clustered { 3 } else { 1 })
    }

    /// The stream to create. `discard: new` makes a full stream refuse, where `old` would silently eat unread events and
    /// its own memory of ids; limits retention keeps ids past a restart, since they are read back from stored messages.
    pub fn stream_config(&self, clustered: bool) -> Config {
        Config {
            name: self.name.clone(),
            subjects: vec![self.subjects.clone()],
            description: Some("WhatsApp webhook events, written by Wahook".into()),
            retention: RetentionPolicy::Limits,
            discard: DiscardPolicy::New,
            storage: self.storage,
            num_replicas: self.replicas(clustered),
            max_age: self.max_age,
            max_bytes: self.max_bytes,
            max_messages: -1,
            max_messages_per_subject: -1,
            max_message_size: -1,
            max_consumers: -1,
            duplicate_window: self.window,
            allow_direct: true,
            ..Config::default()
        }
    }

    /// The bucket to create beside it.
    pub fn bucket_config(&self, clustered: bool) -> object_store::Config {
        object_store::Config {
            bucket: self.bucket.clone(),
            description: Some("Data of WhatsApp webhook events larger than one message".into()),
            max_age: self.max_age,
            max_bytes: self.max_bytes,
            storage: self.storage,
            num_replicas: self.replicas(clustered),
            ..object_store::Config::default()
        }
    }

    /// The name of the stream that the bucket is made of.
    pub fn bucket_stream(&self) -> String {
        format!("OBJ_{}", self.bucket)
    }

    /// The bucket as the stream that it is, the same as [`Self::bucket_config`] becomes.
    pub fn bucket_stream_config(&self, clustered: bool) -> Config {
        let bucket = self.bucket_config(clustered);
        Config {
            name: self.bucket_stream(),
            subjects: vec![
                format!("$O.{}.C.>", bucket.bucket),
                format!("$O.{}.M.>", bucket.bucket),
            ],
            description: bucket.description,
            discard: DiscardPolicy::New,
            storage: bucket.storage,
            num_replicas: bucket.num_replicas,
            max_age: bucket.max_age,
            max_bytes: bucket.max_bytes,
            allow_rollup: true,
            allow_direct: true,
            ..Config::default()
        }
    }

    /// Every setting of an existing stream that would break a promise: what it is, what it must be.
    pub fn mismatches(&self, found: &Config) -> Vec<String> {
        let mut reasons = Vec::new();
        let mut demand = |fits: bool, setting: &str, is: String, must: String| {
            if !fits {
                reasons.push(format!(
                    "stream {}: {setting} is {is}, it must be {must}",
                    self.name
                ));
            }
        };
        demand(
            found.duplicate_window >= self.window,
            "duplicate_window",
            human(found.duplicate_window),
            format!("{} or more, or repeats are stored twice", human(self.window)),
        );
        demand(
            found.retention == RetentionPolicy::Limits,
            "retention",
            format!("{:?}", found.retention).to_lowercase(),
            "limits: with any other, ids are forgotten when the broker restarts".into(),
        );
        demand(
            found.discard == DiscardPolicy::New,
            "discard",
            "old".into(),
            "new: a full stream would eat unread events".into(),
        );
        demand(
            found.max_age.is_zero() || found.max_age >= self.window,
            "max_age",
            human(found.max_age),
            format!("{} or more", human(self.window)),
        );
        demand(
            found.max_messages_per_subject <= 0,
            "max_msgs_per_subject",
            found.max_messages_per_subject.to_string(),
            "unlimited: older events of a subject would be dropped".into(),
        );
        demand(
            found.max_message_size <= 0,
            "max_msg_size",
            found.max_message_size.to_string(),
            "unlimited: larger events would be refused for ever".into(),
        );
        demand(
            found.persist_mode != Some(PersistenceMode::Async),
            "persist_mode",
            "async".into(),
            "default: acknowledged events would not be written yet".into(),
        );
        demand(
            !found.no_ack,
            "no_ack",
            "true".into(),
            "false: nothing would be acknowledged".into(),
        );
        demand(
            !found.sealed,
            "sealed",
            "true".into(),
            "false: it takes no events".into(),
        );
        demand(
            self.storage == StorageType::Memory || found.storage == StorageType::File,
            "storage",
            "memory".into(),
            "file: a restart would lose acknowledged events".into(),
        );
        demand(
            found
                .subjects
                .iter()
                .any(|pattern| covers(pattern, &self.subjects)),
            "subjects",
            found.subjects.join(" "),
            format!("such that {} is among them", self.subjects),
        );
        reasons
    }
}

/// Whether every subject that `narrow` matches is matched by `wide` too.
pub fn covers(wide: &str, narrow: &str) -> bool {
    let (mut wide, mut narrow) = (wide.split('.'), narrow.split('.'));
    loop {
        match (wide.next(), narrow.next()) {
            (Some(">"), Some(_)) | (None, None) => return true,
            (Some("*"), Some(token)) if token != ">" => {}
            (Some(one), Some(other)) if one == other => {}
            _ => return false,
        }
    }
}

/// A duration as people write it.
pub fn human(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 => format!("{} ms", duration.as_millis()),
        s if s % 86_400 == 0 => format!("{} d", s / 86_400),
        s if s % 3_600 == 0 => format!("{} h", s / 3_600),
        s if s % 60 == 0 => format!("{} min", s / 60),
        s => format!("{s} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Change = fn(&mut Config);

    fn spec() -> StreamSpec {
        StreamSpec {
            name: "S".into(),
            subjects: "whatsapp.shop.main.>".into(),
            ensure: true,
            window: Duration::from_secs(86_400),
            max_age: Duration::from_secs(7 * 86_400),
            max_bytes: 1 << 31,
            replicas: None,
            storage: StorageType::File,
            bucket: "S_objects".into(),
            domain: None,
        }
    }

    #[test]
    fn what_is_created_fits() {
        let spec = spec();
        assert_eq!(spec.mismatches(&spec.stream_config(false)), Vec::<String>::new());
        assert_eq!(spec.stream_config(true).num_replicas, 3);
    }

    #[test]
    fn every_setting_that_breaks_a_promise_is_named() {
        let spec = spec();
        let cases: [(&str, Change); 11] = [
            ("duplicate_window", |c| {
                c.duplicate_window = Duration::from_secs(120);
            }),
            ("retention", |c| c.retention = RetentionPolicy::WorkQueue),
            ("discard", |c| c.discard = DiscardPolicy::Old),
            ("max_age", |c| c.max_age = Duration::from_secs(60)),
            ("max_msgs_per_subject", |c| c.max_messages_per_subject = 1),
            ("max_msg_size", |c| c.max_message_size = 1 << 16),
            ("persist_mode", |c| c.persist_mode = Some(PersistenceMode::Async)),
            ("no_ack", |c| c.no_ack = true),
            ("sealed", |c| c.sealed = true),
            ("storage", |c| c.storage = StorageType::Memory),
            ("subjects", |c| c.subjects = vec!["whatsapp.other.*.>".into()]),
        ];
        for (setting, change) in cases {
            let mut config = spec.stream_config(false);
            change(&mut config);
            let reasons = spec.mismatches(&config);
            assert_eq!(reasons.len(), 1, "{reasons:?}");
            assert!(reasons[0].contains(setting), "{reasons:?}");
        }
    }

    #[test]
    fn a_wider_subject_covers_a_narrower_one() {
        for wide in ["whatsapp.>", "whatsapp.*.main.>", "whatsapp.shop.main.>", ">"] {
            assert!(covers(wide, "whatsapp.shop.main.>"), "{wide}");
        }
        for other in [
            "whatsapp.shop.main",
            "whatsapp.shop.main.*",
            "whatsapp.shop.*",
            "x.>",
            "whatsapp.shop.main.a.>",
        ] {
            assert!(!covers(other, "whatsapp.shop.main.>"), "{other}");
        }
    }
}
