//! Keeps an eye on the stream: creates it when asked to, checks it, and notices when it was recreated or purged.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::{CreateStreamErrorKind, GetStreamErrorKind};
use async_nats::jetstream::object_store;
use async_nats::jetstream::stream::Info;
use bytes::Bytes;
use tokio::time::{Instant, timeout_at};
use tracing::{info, warn};
use wahook_events::contract::{Addressed, EXPECTED_STREAM};
use wahook_stream::StreamSpec;

use super::claim_check::context;
use super::health::{Health, StreamState};
use super::outgoing::Outgoing;
use super::publisher::Publisher;
use super::reply::{Refusal, Reply};
use super::session::Session;
use super::stationery::Stationery;

/// How often the stream is looked at, or looked for.
const EVERY: Duration = Duration::from_secs(5);
/// JetStream's "wrong last sequence", with and without the right one: the answers of a stream that is there.
const WRONG_LAST_SEQUENCE: [u32; 2] = [10_071, 10_164];

/// What was seen of a stream at one look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    created: i128,
    /// Sequences of the first and the last message it holds. The first of an empty stream is the one behind the last.
    first: u64,
    last: u64,
    /// How long it keeps a message; zero: for ever.
    max_age: Duration,
}

impl Seen {
    /// Whether a stream that looks like this holds nothing of what it held when it looked like `old`: it was made anew, or
    /// emptied.
    fn forgot_all(&self, old: &Self) -> bool {
        // An empty stream held nothing, so only what came after it can be gone.
        let newest = old.last.max(old.first);
        self.created != old.created || self.last < old.last || (old.last > 0 && self.first > newest)
    }
}

/// Watches one stream.
#[derive(Debug)]
pub struct Monitor {
    spec: StreamSpec,
    health: Arc<Health>,
    seen: Option<Seen>,
    /// Whether the bucket for large events was there at the last look.
    bucket: Option<bool>,
}

impl Monitor {
    /// A monitor of a stream that reports to `health`.
    pub fn new(spec: StreamSpec, health: Arc<Health>) -> Self {
        Self {
            spec,
            health,
            seen: None,
            bucket: None,
        }
    }

    /// Watches for ever; `forgotten` is called when the stream no longer holds what it held.
    pub async fn run(mut self, publisher: Arc<Publisher>, forgotten: impl Fn() + Send) {
        let mut connection = self.health.watch_connection();
        loop {
            if connection.borrow_and_update().up {
                let (state, seen) = self.look(&publisher.session()).await;
                if self.forgot_all(seen) {
                    info!(
                        stream = self.spec.name,
                        "the stream was recreated or purged: local ids are forgotten"
                    );
                    forgotten();
                }
                self.report(state);
            }
            // Looked at again as soon as the connection changes: a broker may come back without its stream.
            let _ = tokio::time::timeout(EVERY, connection.changed()).await;
        }
    }

    fn report(&self, state: StreamState) {
        let stream = self.spec.name.as_str();
        if !self.health.set_stream(state.clone()) {
            return;
        }
        match state {
            StreamState::Unknown => {}
            StreamState::Ready => info!(stream, "the stream is there and fit"),
            StreamState::Unverified { reason } => {
                warn!(
                    stream,
                    reason, "the stream takes events, its settings are unknown"
                );
            }
            StreamState::Missing { reason } | StreamState::Unreachable { reason } => {
                warn!(
                    stream,
                    reason, "the stream is not there: requests are answered with 503"
                );
            }
            StreamState::Mismatch { reasons } => {
                let reason = reasons.join("; ");
                warn!(
                    stream,
                    reason, "the stream is not fit and is left as it is: requests are answered with 503"
                );
            }
        }
    }

    fn forgot_all(&mut self, seen: Option<Seen>) -> bool {
        let old = seen.and_then(|seen| self.seen.replace(seen));
        seen.zip(old).is_some_and(|(new, old)| new.forgot_all(&old))
    }

    async fn look(&mut self, session: &Session) -> (StreamState, Option<Seen>) {
        let context = context(session, self.spec.domain.as_deref());
        let (state, seen) = self.find(session, &context).await;
        if let (true, Some(seen)) = (self.spec.ensure, seen) {
            self.bucket = Some(self.ensure_bucket(session, &context, seen.max_age).await);
        }
        (state, seen)
    }

    async fn find(&self, session: &Session, context: &jetstream::Context) -> (StreamState, Option<Seen>) {
        let name = &self.spec.name;
        let found = context.get_stream(name).await;
        match found {
            Ok(stream) => self.judge(stream.cached_info()),
            Err(error) => match error.kind() {
                GetStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_NOT_FOUND => {
                    self.absent(session, context).await
                }
                GetStreamErrorKind::JetStream(error) => (self.unreachable(&error), None),
                _ if self.health.trouble().is_denied("STREAM.INFO") => (self.probe(session).await, None),
                _ => (self.unreachable(&error), None),
            },
        }
    }

    fn judge(&self, info: &Info) -> (StreamState, Option<Seen>) {
        let seen = Seen {
            created: info.created.unix_timestamp_nanos(),
            first: info.state.first_sequence,
            last: info.state.last_sequence,
            max_age: info.config.max_age,
        };
        let reasons = self.spec.mismatches(&info.config);
        let state = if reasons.is_empty() {
            StreamState::Ready
        } else {
            StreamState::Mismatch { reasons }
        };
        (state, Some(seen))
    }

    async fn absent(&self, session: &Session, context: &jetstream::Context) -> (StreamState, Option<Seen>) {
        let name = &self.spec.name;
        if !self.spec.ensure {
            let reason = format!("stream {name} does not exist; create it or start with --ensure-stream");
            return (StreamState::Missing { reason }, None);
        }
        let clustered = session.client().server_info().cluster.is_some();
        match context.create_stream(self.spec.stream_config(clustered)).await {
            Ok(stream) => {
                info!(stream = name, "created the stream");
                self.judge(stream.cached_info())
            }
            // Another receiver was faster, with other settings: the next look judges what it made.
            Err(error) => {
                let reason = match error.kind() {
                    CreateStreamErrorKind::JetStream(error) => error.to_string(),
                    _ => error.to_string(),
                };
                let reason = format!("stream {name} does not exist and could not be created: {reason}");
                (StreamState::Missing { reason }, None)
            }
        }
    }

    /// An existing bucket stays as it is. A new one keeps what it is given for as long as the stream keeps the events that refer
    /// to it. Without one only events larger than one message are refused.
    async fn ensure_bucket(
        &self,
        session: &Session,
        context: &jetstream::Context,
        max_age: Duration,
    ) -> bool {
        let bucket = &self.spec.bucket;
        if context.get_object_store(bucket).await.is_ok() {
            return true;
        }
        let clustered = session.client().server_info().cluster.is_some();
        let config = object_store::Config {
            max_age,
            ..self.spec.bucket_config(clustered)
        };
        match context.create_object_store(config).await {
            Ok(_) => {
                info!(bucket, "created the bucket for large events");
                true
            }
            Err(error) => {
                if self.bucket != Some(false) {
                    warn!(bucket, %error, "the bucket for large events could not be created");
                }
                false
            }
        }
    }

    /// Without permission to read a stream's settings: a message that no stream would store (its sequence cannot be the
    /// next one) is answered by a stream that is there, and by nobody if there is none.
    async fn probe(&self, session: &Session) -> StreamState {
        let mut subject = self.spec.subjects.trim_end_matches('>').to_owned();
        subject.push_str("_.probe._.0");
        let headers = vec![
            (EXPECTED_STREAM, self.spec.name.clone()),
            ("Nats-Expected-Last-Sequence", (1_u64 << 62).to_string()),
        ];
        let probe = Outgoing::new(
            Addressed { subject, headers },
            Bytes::new(),
            None,
            &Stationery::default(),
        );
        let Some(mut round) = session.pending().register(1) else {
            return StreamState::Unknown;
        };
        let deadline = Instant::now() + Duration::from_secs(3);
        let reply = round.address.reply_subject(session.inbox(), 0);
        let answer = match session.send(probe, reply).await {
            Ok(()) => timeout_at(deadline, &mut round.answers)
                .await
                .ok()
                .and_then(Result::ok),
            Err(_) => None,
        };
        let Some([answer]) = answer.as_deref() else {
            session.pending().abandon(round.address, Refusal::TimedOut);
            return StreamState::Unreachable {
                reason: self.silence(),
            };
        };
        match answer {
            Reply::Refused(Refusal::Code(code)) if WRONG_LAST_SEQUENCE.contains(code) => self.unverified(),
            // There, and that is all that can be known: each event is answered with 503 until there is room.
            Reply::Refused(Refusal::StreamFull) => self.unverified(),
            Reply::Refused(Refusal::NoStream) => StreamState::Missing {
                reason: format!(
                    "no stream takes {}; create {}",
                    self.spec.subjects, self.spec.name
                ),
            },
            Reply::Refused(refusal) => StreamState::Unreachable {
                reason: refusal.to_string(),
            },
            _ => StreamState::Unreachable {
                reason: "the stream's answer to a probe made no sense".into(),
            },
        }
    }

    fn unverified(&self) -> StreamState {
        StreamState::Unverified {
            reason: format!("no permission for $JS.API.STREAM.INFO.{}", self.spec.name),
        }
    }

    fn unreachable(&self, error: &dyn std::fmt::Display) -> StreamState {
        let denied = self.health.trouble().denied_subject;
        let because = denied.map(|subject| format!("; the NATS account may not use {subject}"));
        StreamState::Unreachable {
            reason: format!(
                "the broker did not describe the stream: {error}{}",
                because.unwrap_or_default()
            ),
        }
    }

    /// Why nothing came back: most likely a subject that was denied.
    fn silence(&self) -> String {
        match self.health.trouble().denied_subject {
            Some(subject) => {
                format!("the stream did not answer; the NATS account may not use {subject}")
            }
            None => "the stream did not answer".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(created: i128, first: u64, last: u64) -> Seen {
        Seen {
            created,
            first,
            last,
            max_age: Duration::ZERO,
        }
    }

    #[test]
    fn a_stream_forgot_all_when_it_was_made_anew_or_emptied_and_only_then() {
        let full = seen(1, 5, 9);
        for (new, forgot) in [
            (seen(1, 5, 9), false),
            (seen(1, 5, 12), false),
            (seen(1, 9, 12), false),
            (seen(1, 10, 9), true),
            (seen(1, 10, 12), true),
            (seen(2, 5, 9), true),
            (seen(1, 1, 4), true),
        ] {
            assert_eq!(new.forgot_all(&full), forgot, "{new:?}");
        }
        // An empty stream held nothing: what came since is there, unless it went as well.
        let empty = seen(1, 10, 9);
        for (new, forgot) in [
            (seen(1, 10, 9), false),
            (seen(1, 10, 12), false),
            (seen(1, 13, 12), true),
            (seen(1, 12, 12), true),
        ] {
            assert_eq!(new.forgot_all(&empty), forgot, "{new:?}");
        }
        let unused = seen(1, 0, 0);
        assert!(!seen(1, 1, 1).forgot_all(&unused) && !seen(1, 1, 0).forgot_all(&unused));
    }

    #[test]
    fn a_look_is_compared_with_the_last_that_saw_anything() {
        let spec = StreamSpec {
            name: "s".to_owned(),
            subjects: "a.b.c.>".to_owned(),
            ensure: false,
            window: Duration::from_secs(60),
            max_age: Duration::from_secs(60),
            max_bytes: -1,
            replicas: None,
            storage: async_nats::jetstream::stream::StorageType::File,
            bucket: "b".to_owned(),
            domain: None,
        };
        let mut monitor = Monitor::new(spec, Arc::default());
        for (look, forgot) in [
            (None, false),
            (Some(seen(1, 5, 9)), false),
            (Some(seen(1, 5, 10)), false),
            (None, false),
            (Some(seen(1, 11, 10)), true),
            (Some(seen(1, 11, 10)), false),
            (None, false),
            (Some(seen(2, 1, 1)), true),
        ] {
            assert_eq!(monitor.forgot_all(look), forgot, "{look:?}");
        }
    }
}
