//! The broker: a consumer for each lane, and the stream that keeps what was given up.

use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, PullConsumer, pull};
use async_nats::jetstream::{self, stream};
use futures_util::TryStreamExt as _;
use wahook_events::received::Headers;

use crate::options::{LANES, Secret, Settings, Source};

/// How many messages are read at once.
const BATCH: usize = 500;
/// How long the broker may take for them.
pub(crate) const LIMIT: Duration = Duration::from_secs(5);
/// Deliveries for each of TRIES. The broker counts one for every worker that stops or dies over an event, and at the last one drops it:
/// far more than restarts take, so that this ends only what kills its worker each time.
const DELIVERIES: i64 = 20;
/// How long a consumer that reads may pause before the broker deletes it.
pub(crate) const IDLE: Duration = Duration::from_secs(60);
/// How long what was given up is kept.
const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);
/// What comes before the stream and the consumer in the broker's advisories.
const ADVISORIES: [&str; 2] = [
    "$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED",
    "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES",
];

/// The broker said no.
#[derive(Debug, thiserror::Error)]
#[error("{doing}: {reason}")]
pub(crate) struct BrokerError {
    doing: String,
    reason: String,
}

impl BrokerError {
    pub(crate) fn new(
        doing: impl Into<String>,
    ) -> impl FnOnce(Box<dyn std::error::Error + Send + Sync>) -> Self {
        let doing = doing.into();
        move |reason| Self {
            doing,
            reason: reason.to_string(),
        }
    }
}

/// The stream of the webhook.
#[derive(Clone, Debug)]
pub(crate) struct Broker {
    pub(crate) client: async_nats::Client,
    pub(crate) context: jetstream::Context,
    pub(crate) stream: stream::Stream,
    /// What the subjects of the webhook begin with: `whatsapp.<namespace>.<webhook>`.
    pub(crate) base: String,
    bot: String,
}

impl Broker {
    /// Connects, and finds the stream.
    pub(crate) async fn connect(source: &Source) -> Result<Self, BrokerError> {
        let mut options = async_nats::ConnectOptions::new()
            .name(&source.bot)
            .custom_inbox_prefix(&source.nats_inbox_prefix);
        if let (Some(user), Some(Secret(password))) = (&source.nats_user, &source.nats_password) {
            options = options.user_and_password(user.clone(), password.clone());
        }
        if let Some(file) = &source.nats_ca {
            options = options.add_root_certificates(file.clone()).require_tls(true);
        }
        if let Some(file) = &source.nats_creds {
            let read = options.credentials_file(file).await;
            options =
                read.map_err(|error| BrokerError::new(format!("read {}", file.display()))(error.into()))?;
        }
        let connected = options.connect(&source.nats_url).await;
        let client = connected
            .map_err(|error| BrokerError::new(format!("connect to {}", source.nats_url))(error.into()))?;
        let context = jetstream::new(client.clone());
        let found = context.get_stream(&source.stream).await;
        let stream = found
            .map_err(|error| BrokerError::new(format!("find the stream {}", source.stream))(error.into()))?;
        let subjects = &stream.cached_info().config.subjects;
        let mut bases = subjects.iter().filter_map(|subject| base(subject));
        let (Some(base), None) = (bases.next().map(str::to_owned), bases.next()) else {
            let reason = format!(
                "its subjects are {}: a bot needs the stream of one webhook, with exactly one subject of the form \
                 whatsapp.<namespace>.<webhook>.>",
                subjects.join(", ")
            );
            return Err(BrokerError::new(format!("use the stream {}", source.stream))(
                reason.into(),
            ));
        };
        Ok(Self {
            client,
            context,
            stream,
            base,
            bot: source.bot.clone(),
        })
    }

    /// How many copies the stream has: what belongs to it gets as many.
    pub(crate) fn replicas(&self) -> usize {
        self.stream.cached_info().config.num_replicas
    }

    /// The consumer of a lane: messages and statuses, one at a time. Whoever asks gets the next one, and nobody gets another
    /// before that is done: however many workers there are, a customer's events stay in order.
    pub(crate) async fn lane(&self, lane: char, settings: &Settings) -> Result<PullConsumer, BrokerError> {
        let name = format!("{}-{lane}", self.bot);
        let config = pull::Config {
            durable_name: Some(name.clone()),
            description: Some("A lane of a bot's".to_owned()),
            filter_subjects: ["messages", "statuses"]
                .map(|family| format!("{}.*.{family}.*.{lane}", self.base))
                .to_vec(),
            ack_policy: AckPolicy::Explicit,
            ack_wait: settings.ack_wait,
            max_ack_pending: 1,
            max_deliver: i64::from(settings.tries) * DELIVERIES,
            ..pull::Config::default()
        };
        let made = self.stream.create_consumer(config).await;
        made.map_err(|error| BrokerError::new(format!("make the consumer {name}"))(error.into()))
    }

    /// The stream that keeps the broker's word of every event this bot gave up: the dead letters of the bot. Not its data, which stays
    /// in the stream of the webhook.
    pub(crate) async fn poison(&self) -> Result<stream::Stream, BrokerError> {
        let name = format!("{}_poison", self.bot);
        let of = &self.stream.cached_info().config.name;
        let subjects = ADVISORIES.iter().flat_map(|advisory| {
            LANES
                .chars()
                .map(move |lane| format!("{advisory}.{of}.{}-{lane}", self.bot))
        });
        let subjects: Vec<String> = subjects.collect();
        let config = stream::Config {
            name: name.clone(),
            description: Some(format!("What the bot {} gave up", self.bot)),
            subjects: subjects.clone(),
            max_age: KEPT,
            num_replicas: self.replicas(),
            ..stream::Config::default()
        };
        let made = self.context.get_or_create_stream(config).await;
        let made = made.map_err(|error| BrokerError::new(format!("make the stream {name}"))(error.into()))?;
        let kept = &made.cached_info().config.subjects;
        if !subjects.iter().all(|subject| kept.contains(subject)) {
            let reason = format!(
                "it keeps nothing of {of}, but is another bot's: set BOT to a name that no bot of another stream has"
            );
            return Err(BrokerError::new(format!("use the stream {name}"))(reason.into()));
        }
        Ok(made)
    }

    /// The data of an event: its payload, or what the object store holds for it. `None` when that is gone.
    pub(crate) async fn data(
        &self,
        headers: &Headers<'_>,
        payload: &[u8],
    ) -> Result<Option<Vec<u8>>, BrokerError> {
        let Some(place) = headers.data_ref() else {
            return Ok(Some(payload.to_vec()));
        };
        let Some((bucket, name)) = place
            .strip_prefix("nats-object:")
            .and_then(|place| place.split_once('/'))
        else {
            return Ok(None);
        };
        let failed = |error: Box<dyn std::error::Error + Send + Sync>| {
            BrokerError::new(format!("read an object of {bucket}"))(error)
        };
        let store = self
            .context
            .get_object_store(bucket)
            .await
            .map_err(|error| failed(error.into()))?;
        let mut object = match store.get(name).await {
            Ok(object) => object,
            Err(error) if error.kind() == jetstream::object_store::GetErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error.into())),
        };
        let mut data = Vec::new();
        let read = tokio::io::AsyncReadExt::read_to_end(&mut object, &mut data).await;
        read.map_err(|error| failed(error.into()))?;
        Ok(Some(data))
    }
}

/// What the subjects of a webhook begin with, if a subject of a stream is all of them and nobody else's.
fn base(subject: &str) -> Option<&str> {
    let base = subject.strip_suffix(".>")?;
    (base.split('.').count() == 3 && !base.contains('*')).then_some(base)
}

/// A consumer of nobody's: its reading acknowledges nothing and is in nobody's way. Of all subjects, where none is named.
pub(crate) async fn reader(
    stream: &stream::Stream,
    subject: String,
    from: DeliverPolicy,
    headers_only: bool,
    idle: Duration,
) -> Result<PullConsumer, BrokerError> {
    let config = pull::Config {
        filter_subject: subject,
        deliver_policy: from,
        ack_policy: AckPolicy::None,
        headers_only,
        inactive_threshold: idle,
        memory_storage: true,
        num_replicas: 1,
        ..pull::Config::default()
    };
    let made = stream.create_consumer(config).await;
    made.map_err(|error| BrokerError::new("make a consumer to read with")(error.into()))
}

/// The next of so many messages that are left: as many as are read at once. None when nothing comes within the limit.
pub(crate) async fn fetch(
    reader: &PullConsumer,
    left: u64,
    limit: Duration,
    doing: &str,
) -> Result<Vec<jetstream::Message>, BrokerError> {
    if left == 0 {
        return Ok(Vec::new());
    }
    let batch = reader
        .batch()
        .max_messages(usize::try_from(left).unwrap_or(BATCH).min(BATCH))
        .expires(limit);
    let messages = match batch.messages().await {
        Ok(messages) => messages.try_collect().await,
        Err(error) => Err(error.into()),
    };
    messages.map_err(|error| BrokerError::new(doing)(error))
}

/// The same, where silence is an error: what is left would be left out.
pub(crate) async fn fetch_some(
    reader: &PullConsumer,
    left: u64,
    doing: &str,
) -> Result<Vec<jetstream::Message>, BrokerError> {
    let messages = fetch(reader, left, LIMIT, doing).await?;
    if messages.is_empty() {
        let seconds = LIMIT.as_secs();
        let silence = format!("nothing came for {seconds} s, and {left} events are left");
        return Err(BrokerError::new(doing)(silence.into()));
    }
    Ok(messages)
}

/// The headers of a message.
pub(crate) fn headers(all: Option<&async_nats::HeaderMap>) -> Headers<'_> {
    let all = all.into_iter().flat_map(async_nats::HeaderMap::iter);
    Headers::from_pairs(
        all.flat_map(|(name, values)| values.iter().map(move |value| (name.as_ref(), value.as_str()))),
    )
}
