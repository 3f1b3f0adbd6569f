//! What was set apart: by the receiver (dead letters, quarantine) and by this bot (poison). Looked at, and published again.

use std::collections::BTreeMap;
use std::io::Write as _;

use async_nats::jetstream::consumer::{DeliverPolicy, PullConsumer};
use async_nats::jetstream::stream::RawMessageErrorKind;
use clap::{Args, Subcommand, ValueEnum};
use serde::Deserialize;
use serde_json::json;
use wahook_events::contract;

use crate::broker::{Broker, BrokerError, IDLE, fetch_some, headers, reader};

/// Looks after what was set apart
#[derive(Debug, Subcommand)]
pub(crate) enum ApartCommand {
    /// A line for each, and how many there are
    List {
        /// Only these
        #[arg(long)]
        kind: Option<Kind>,
    },
    /// The data of one, as it is
    Show {
        /// Its place in the stream
        seq: u64,
    },
    /// Publishes them again under ids of their own; a second time changes nothing while the stream remembers
    Republish(RepublishArgs),
}

/// Which ones.
#[derive(Args, Debug)]
pub(crate) struct RepublishArgs {
    /// Only these
    #[arg(long)]
    kind: Option<Kind>,
    /// Only the one at this place in the stream
    #[arg(long, required_unless_present = "all")]
    seq: Option<u64>,
    /// All of them
    #[arg(long, conflicts_with = "seq")]
    all: bool,
    /// Only say what would be published
    #[arg(long)]
    dry_run: bool,
}

/// Who set it apart, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// This bot gave it up.
    Poison,
    /// Its phone number is not listed in the resource.
    Quarantine,
    /// It is no event: bytes that somebody signed.
    DeadLetter,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Poison, Self::Quarantine, Self::DeadLetter];

    const fn name(self) -> &'static str {
        match self {
            Self::Poison => "poison",
            Self::Quarantine => "quarantine",
            Self::DeadLetter => "dead_letter",
        }
    }
}

/// One that was set apart.
#[derive(Debug)]
struct Apart {
    kind: Kind,
    /// Its place in the stream of the webhook.
    seq: u64,
    /// Why: a reason of the bot's, or the type of the event.
    why: String,
    event_id: Option<String>,
}

/// The broker's word of an event that was given up (NATS, `JetStream` advisories).
#[derive(Deserialize)]
struct Advisory {
    stream: String,
    stream_seq: u64,
    reason: Option<String>,
}

/// Does it, and prints a line for each and their count.
pub(crate) async fn run(broker: &Broker, command: &ApartCommand) -> Result<(), BrokerError> {
    match command {
        ApartCommand::List { kind } => {
            let mut count = BTreeMap::<&str, u64>::new();
            for apart in apart(broker, *kind).await? {
                println!("{}", line(&apart, None));
                *count.entry(apart.kind.name()).or_default() += 1;
            }
            println!(
                "{}",
                json!({ "apart": count.values().sum::<u64>(), "of_them": count })
            );
            Ok(())
        }
        ApartCommand::Show { seq } => {
            let message = broker.stream.get_raw_message(*seq).await;
            let message =
                message.map_err(|error| BrokerError::new(format!("read event {seq}"))(error.into()))?;
            let headers = headers(Some(&message.headers));
            let data = broker.data(&headers, &message.payload).await?;
            let written = std::io::stdout().write_all(&data.unwrap_or_default());
            written.map_err(|error| BrokerError::new("write the data")(error.into()))
        }
        ApartCommand::Republish(args) => republish(broker, args).await,
    }
}

fn line(apart: &Apart, did: Option<&str>) -> serde_json::Value {
    let mut line = json!({
        "kind": apart.kind.name(), "seq": apart.seq, "event_id": apart.event_id, "why": apart.why,
    });
    if let Some(did) = did {
        line["did"] = did.into();
    }
    line
}

async fn apart(broker: &Broker, kind: Option<Kind>) -> Result<Vec<Apart>, BrokerError> {
    let mut found = Vec::new();
    for kind in Kind::ALL
        .into_iter()
        .filter(|one| kind.is_none_or(|kind| kind == *one))
    {
        match kind {
            Kind::Poison => poison(broker, &mut found).await?,
            Kind::Quarantine | Kind::DeadLetter => family(broker, kind, &mut found).await?,
        }
    }
    Ok(found)
}

async fn family(broker: &Broker, kind: Kind, found: &mut Vec<Apart>) -> Result<(), BrokerError> {
    let subject = format!("{}.*.{}.*.*", broker.base, kind.name());
    let reader = reader(&broker.stream, subject, DeliverPolicy::All, true, IDLE).await?;
    each(&reader, |message| {
        let headers = headers(message.headers.as_ref());
        found.push(Apart {
            kind,
            seq: message.info().map_or(0, |info| info.stream_sequence),
            why: headers.kind().unwrap_or_default().to_owned(),
            event_id: headers.event_id().map(str::to_owned),
        });
    })
    .await
}

async fn poison(broker: &Broker, found: &mut Vec<Apart>) -> Result<(), BrokerError> {
    let stream = broker.poison().await?;
    let reader = reader(&stream, String::new(), DeliverPolicy::All, false, IDLE).await?;
    let ours = &broker.stream.cached_info().config.name;
    let mut given_up = BTreeMap::new();
    each(&reader, |message| {
        let advisory = serde_json::from_slice::<Advisory>(&message.payload);
        // Of another stream the place would be that of another event.
        if let Some(advisory) = advisory.ok().filter(|advisory| advisory.stream == *ours) {
            let why = advisory.reason.unwrap_or_else(|| "too_many_tries".to_owned());
            given_up.insert(advisory.stream_seq, why);
        }
    })
    .await?;
    for (seq, why) in given_up {
        // Older than the stream keeps events: there is nothing left to look at.
        let event_id = match broker.stream.get_raw_message(seq).await {
            Ok(message) => headers(Some(&message.headers)).event_id().map(str::to_owned),
            Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => continue,
            Err(error) => return Err(BrokerError::new(format!("read event {seq}"))(error.into())),
        };
        found.push(Apart {
            kind: Kind::Poison,
            seq,
            why,
            event_id,
        });
    }
    Ok(())
}

/// Everything a consumer has now.
async fn each(
    reader: &PullConsumer,
    mut take: impl FnMut(&async_nats::jetstream::Message),
) -> Result<(), BrokerError> {
    let mut left = reader.cached_info().num_pending;
    while left > 0 {
        let messages = fetch_some(reader, left, "read what was set apart").await?;
        left = left.saturating_sub(u64::try_from(messages.len()).unwrap_or(left));
        messages.iter().for_each(&mut take);
    }
    Ok(())
}

async fn republish(broker: &Broker, args: &RepublishArgs) -> Result<(), BrokerError> {
    let mut count = BTreeMap::<&str, u64>::new();
    let wanted = |apart: &Apart| args.seq.is_none_or(|seq| seq == apart.seq);
    for apart in apart(broker, args.kind).await?.into_iter().filter(wanted) {
        let did = match (apart.kind, args.dry_run) {
            // What would be dead again: it has to be understood, and posted to the receiver as what it should have been.
            (Kind::DeadLetter, _) => "left",
            (_, true) => "would_publish",
            (_, false) => publish(broker, &apart).await?,
        };
        println!("{}", line(&apart, Some(did)));
        *count.entry(did).or_default() += 1;
    }
    println!(
        "{}",
        json!({ "apart": count.values().sum::<u64>(), "of_them": count, "dry_run": args.dry_run })
    );
    Ok(())
}

/// Publishes one again, as what it would have been. Its id for the stream is another, so that the stream does not take it for a
/// repeat; `ce-id` stays, so that nobody is answered twice.
async fn publish(broker: &Broker, apart: &Apart) -> Result<&'static str, BrokerError> {
    let failed = || BrokerError::new(format!("publish event {} again", apart.seq));
    let message = broker
        .stream
        .get_raw_message(apart.seq)
        .await
        .map_err(|error| failed()(error.into()))?;
    let headers = headers(Some(&message.headers));
    let mut subject: Vec<&str> = message.subject.split('.').collect();
    let mut again = message.headers.clone();
    let token_is;
    if let (Some(family), Some(token)) = (headers.original_family(), subject.iter_mut().rev().nth(2)) {
        let family = family.to_string();
        again.insert(
            contract::TYPE,
            format!(
                "{}{family}.{}",
                contract::TYPE_PREFIX,
                headers.kind().unwrap_or_default()
            ),
        );
        token_is = family;
        *token = &token_is;
    }
    let id = format!("r{}-{}", apart.seq, apart.event_id.as_deref().unwrap_or_default());
    again.insert(contract::MSG_ID, id);
    let published = broker
        .context
        .publish_with_headers(subject.join("."), again, message.payload.clone())
        .await;
    let ack = published
        .map_err(|error| failed()(error.into()))?
        .await
        .map_err(|error| failed()(error.into()))?;
    Ok(if ack.duplicate {
        "already_published"
    } else {
        "published"
    })
}
