//! Whether what was posted is in the stream: `wahook-receiver send --expect-stored`.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::PathBuf;
use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::stream::{LastRawMessageErrorKind, Stream};
use bytes::Bytes;
use clap::Args;
use wahook_events::contract::{Destination, MSG_ID, Publisher, Request};

use crate::cli::UsageError;
use crate::config::{Nats, NatsAuth, NatsTls, Problem, ServerUrl};
use crate::publish;
use crate::secrets::{Load, NatsSecrets, SecretSet, SecretsSource};

/// Where to look for what was posted. The variables are those of a webhook's `ConfigMap` for consumers.
#[derive(Debug, Args)]
pub struct StoredArgs {
    /// After each answer 200, look the events up in the stream
    #[arg(long)]
    pub expect_stored: bool,

    /// The brokers of the stream, with commas
    #[arg(
        long,
        value_name = "URL",
        env = "NATS_URL",
        hide_env_values = true,
        default_value = "nats://127.0.0.1:4222"
    )]
    pub nats: String,

    /// Directory with the login for it: `nats.creds`, `nats.nkey`, `nats.user` and `nats.password`, or `nats.token`
    #[arg(long, value_name = "DIR")]
    pub nats_login: Option<PathBuf>,

    /// The stream
    #[arg(
        long,
        value_name = "NAME",
        env = "WAHOOK_STREAM",
        hide_env_values = true,
        default_value = "whatsapp_local_webhook"
    )]
    pub stream: String,

    /// The webhook's subjects in it
    #[arg(
        long,
        value_name = "SUBJECTS",
        env = "WAHOOK_SUBJECTS",
        hide_env_values = true,
        default_value = "whatsapp.local.webhook.>"
    )]
    pub subjects: String,

    /// The JetStream domain the stream is in
    #[arg(
        long,
        value_name = "DOMAIN",
        env = "WAHOOK_JETSTREAM_DOMAIN",
        hide_env_values = true
    )]
    pub domain: Option<String>,
}

/// Why the stream could not be asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum LookupError {
    /// No connection.
    #[error("cannot connect to NATS: {0}. Check --nats and --nats-login")]
    Connect(#[from] async_nats::ConnectError),
    /// No such stream.
    #[error("cannot open the stream: {0}. Check --stream")]
    Open(#[from] jetstream::context::GetStreamError),
    /// The question was refused.
    #[error("cannot read the stream: {0}. The login needs $JS.API.STREAM.MSG.GET of it")]
    Read(#[from] jetstream::stream::RawMessageError),
}

/// How many of a body's events are in the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    /// Of this many.
    pub(super) of: usize,
    /// This many.
    pub(super) stored: usize,
}

/// What is needed to look, checked.
#[derive(Debug)]
pub(super) struct Lookup {
    nats: Nats,
    secrets: NatsSecrets,
    publisher: Publisher,
    stream: String,
}

impl Lookup {
    /// `None` when nothing is to be looked up.
    pub(super) fn new(args: &StoredArgs) -> Result<Option<Self>, UsageError> {
        if !args.expect_stored {
            return Ok(None);
        }
        let wrong = |problem: &dyn ToString| UsageError::Lookup {
            problem: problem.to_string(),
        };
        let parts: Vec<_> = args.subjects.split('.').collect();
        let [prefix, namespace, webhook, ">"] = parts[..] else {
            return Err(wrong(&"--subjects must be such as whatsapp.shop.main.>"));
        };
        let servers = args.nats.split(',').map(ServerUrl::parse);
        let servers = servers.collect::<Result<_, _>>();
        let secrets = match args.nats_login.clone().map(SecretsSource::directory) {
            None => NatsSecrets::default(),
            // The app secret is elsewhere.
            Some(files) => match SecretSet::load(&files) {
                Load::Loaded(set) | Load::Missing { partial: set, .. } => set.nats,
                Load::Invalid(problems) => {
                    let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
                    return Err(wrong(&problems.join("; ")));
                }
            },
        };
        let nats = Nats {
            servers: servers.map_err(|fault| wrong(&Problem::new("--nats", fault)))?,
            auth: NatsAuth::Found,
            tls: NatsTls::default(),
            inbox_prefix: "_INBOX".to_owned(),
            domain: args.domain.clone(),
            connect_timeout: Duration::from_secs(5),
            ping_interval: Duration::from_secs(10),
        };
        publish::options(&nats, &secrets, "wahook-receiver send").map_err(|error| wrong(&error))?;
        Ok(Some(Self {
            nats,
            secrets,
            publisher: Publisher::new(prefix, namespace, webhook),
            stream: args.stream.clone(),
        }))
    }

    /// Looks for every event of a body that was answered with 200.
    pub(super) async fn find(&self, body: &[u8]) -> Result<Found, LookupError> {
        let mut found = Found { of: 0, stored: 0 };
        let Ok(split) = wahook_events::split(body) else {
            return Ok(found);
        };
        let mut lately = Lately::of(self.open().await?);
        for event in &split.events {
            found.of += 1;
            // A number that the webhook does not list is stored too, elsewhere.
            for destination in [Destination::of(event, true), Destination::of(event, false)] {
                let request = Request {
                    publisher: &self.publisher,
                    stream: &self.stream,
                    received: "",
                };
                let addressed = request.event(event, destination, event.id);
                let id = addressed.headers.into_iter().find(|(name, _)| *name == MSG_ID);
                let messages = lately.messages(&addressed.subject).await?;
                let is_it = |message: &Message| match destination {
                    // Each click has an id of its own, which only the receiver knows.
                    Destination::Test => message.data == event.data,
                    _ => message.id.is_some() && message.id == id.as_ref().map(|(_, id)| id.clone()),
                };
                if messages.iter().any(is_it) {
                    found.stored += 1;
                    break;
                }
            }
        }
        Ok(found)
    }

    async fn open(&self) -> Result<Stream<()>, LookupError> {
        // Checked when this was made.
        let (servers, options) = publish::options(&self.nats, &self.secrets, "wahook-receiver send")
            .map_err(|error| std::io::Error::other(error.to_string()))
            .map_err(async_nats::ConnectError::from)?;
        let client = options.connect(servers).await?;
        let context = match &self.nats.domain {
            Some(domain) => jetstream::with_domain(client, domain),
            None => jetstream::new(client),
        };
        Ok(context.get_stream_no_info(&self.stream).await?)
    }
}

/// How far back a subject is read, in sequences of the stream: what was posted a moment ago is among its last.
const REACH: u64 = 1000;

/// What a stream took lately, by subject, as far as it was asked about.
struct Lately {
    stream: Stream<()>,
    read: BTreeMap<String, Vec<Message>>,
}

struct Message {
    id: Option<String>,
    data: Bytes,
}

impl Lately {
    fn of(stream: Stream<()>) -> Self {
        Self {
            stream,
            read: BTreeMap::new(),
        }
    }

    async fn messages(&mut self, subject: &str) -> Result<&[Message], LookupError> {
        let messages = match self.read.entry(subject.to_owned()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert(read(&self.stream, subject).await?),
        };
        Ok(messages)
    }
}

async fn read(stream: &Stream<()>, subject: &str) -> Result<Vec<Message>, LookupError> {
    let last = match stream.get_last_raw_message_by_subject(subject).await {
        Ok(message) => message.sequence,
        Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let mut messages = Vec::new();
    let mut from = last.saturating_sub(REACH).max(1);
    while from <= last {
        let message = stream.get_first_raw_message_by_subject(subject, from).await?;
        from = message.sequence + 1;
        messages.push(Message {
            id: message.headers.get(MSG_ID).map(ToString::to_string),
            data: message.payload,
        });
    }
    Ok(messages)
}
