//! What this bot does with one event.

use std::time::{Duration, SystemTime};

use async_nats::jetstream::consumer::DeliverPolicy;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use wahook_events::received::{DataError, EventData, Family, Headers};

use crate::broker::{Broker, BrokerError, IDLE, LIMIT, fetch, reader};
use crate::graph::{Address, Graph, NotSent};
use crate::ledger::{Claim, Ledger, LedgerError};
use crate::media::{self, NoFile};
use crate::options::Settings;
use crate::record::Record;

/// How long a customer may be answered with words of one's own (Meta, Cloud API: customer service window).
const WINDOW: SignedDuration = SignedDuration::from_hours(24);
/// The longest pause between two tries at something that does not work now.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How often the stream is looked through for the status of a message.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How many characters of a message are said back. Meta takes 4,096 (Meta, Cloud API: text messages).
const QUOTED: usize = 1000;

/// What may be done besides reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Effects {
    /// Send replies.
    pub(crate) replies: bool,
    /// Write statuses and files.
    pub(crate) writes: bool,
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Did {
    /// Replied to.
    Replied,
    /// It had been.
    AlreadyReplied,
    /// It would have been, had it been asked for.
    WouldReply,
    /// Not replied to: more than 24 hours old, or of no known age.
    TooLate,
    /// Not replied to: it names neither a phone number nor a user id, or no account.
    NobodyToReplyTo,
    /// A message further on.
    StatusAdvanced,
    /// A status that came after a later one.
    StatusLate,
    /// Nothing this bot answers.
    Ignored,
}

/// Why an event is not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// It will not be better next time: why, in a word that names nobody.
    #[error("{0}")]
    Poison(String),
    /// It is the broker's.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// It is the bucket's.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl From<DataError> for Trouble {
    fn from(error: DataError) -> Self {
        Self::Poison(match error {
            DataError::Shape(_) => "unreadable_object".to_owned(),
            _ => "no_event_data".to_owned(),
        })
    }
}

/// All that it takes.
#[derive(Clone, Debug)]
pub(crate) struct Work {
    pub(crate) broker: Broker,
    pub(crate) ledger: Ledger,
    pub(crate) graph: Graph,
    pub(crate) settings: Settings,
}

impl Work {
    /// Does what there is to do. Waits where something does not work now: the lane waits with it.
    pub(crate) async fn on(
        &self,
        headers: &Headers<'_>,
        payload: &[u8],
        effects: Effects,
    ) -> Result<Did, Trouble> {
        match headers.family() {
            Some(Family::Messages | Family::Statuses) => {}
            _ => return Ok(Did::Ignored),
        }
        let data = self.broker.data(headers, payload).await?;
        let data = data.ok_or_else(|| Trouble::Poison("data_gone".to_owned()))?;
        let record = Record::of(headers, &data)?;
        if let Some(status) = &record.status {
            if status.of.is_some() {
                return Ok(Did::Ignored);
            }
            let advanced = self
                .ledger
                .advance(&status.id, &status.status, effects.writes)
                .await?;
            return Ok(if advanced {
                Did::StatusAdvanced
            } else {
                Did::StatusLate
            });
        }
        self.on_message(&record, effects).await
    }

    async fn on_message(&self, record: &Record, effects: Effects) -> Result<Did, Trouble> {
        let (Some(event_id), Some(message)) = (&record.event_id, &record.message) else {
            return Ok(Did::Ignored);
        };
        let mut size = None;
        if let Some(file) = message.media.as_ref().filter(|_| effects.writes) {
            size = Some(self.fetch(file).await?);
        }
        let Some(text) = answer(record, size) else {
            return Ok(Did::Ignored);
        };
        let customer = record.customer.clone().unwrap_or_default();
        let to = customer
            .phone
            .map(Address::Phone)
            .or(customer.user_id.map(Address::User));
        let (Some(to), Some(account)) = (to, &record.account) else {
            return Ok(Did::NobodyToReplyTo);
        };
        if !in_window(record.at.as_deref(), Timestamp::now()) {
            return Ok(Did::TooLate);
        }
        if !effects.replies {
            let has = self.ledger.has_reply(event_id).await?;
            return Ok(if has { Did::AlreadyReplied } else { Did::WouldReply });
        }
        self.reply_once(event_id, account, &to, &text, &message.id).await
    }

    /// Fetches a file, however long it takes until that works or never will.
    async fn fetch(&self, file: &crate::record::File) -> Result<usize, Trouble> {
        let mut pause = self.settings.retry;
        loop {
            let fetched = media::fetch(
                &self.graph,
                &self.settings.media_hosts,
                &self.settings.media_dir,
                file,
            );
            match fetched.await {
                Ok(size) => return Ok(size),
                Err(NoFile::Never(why)) => return Err(Trouble::Poison(why.to_owned())),
                Err(NoFile::Later(why)) => {
                    eprintln!("the file cannot be fetched now: {why}; trying again");
                    wait(&mut pause).await;
                }
            }
        }
    }

    /// Replies, unless somebody has. The claim is written before anything is sent: whoever finds it without an outcome looks for
    /// Meta's status of the reply, which carries the event's id, before sending it again.
    async fn reply_once(
        &self,
        event_id: &str,
        account: &str,
        to: &Address,
        text: &str,
        message_id: &str,
    ) -> Result<Did, Trouble> {
        let mut pause = self.settings.retry;
        loop {
            let held = match self.ledger.claim(event_id).await? {
                Claim::Done => return Ok(Did::AlreadyReplied),
                Claim::Open(open) => {
                    if self.was_sent(event_id, open.since).await? {
                        self.ledger.replied(event_id).await?;
                        return Ok(Did::AlreadyReplied);
                    }
                    let Some(held) = self.ledger.take_over(event_id, &open).await? else {
                        continue;
                    };
                    held
                }
                Claim::Mine(held) => held,
            };
            match self.graph.reply(account, to, text, message_id, event_id).await {
                Ok(()) => {
                    self.ledger.replied(event_id).await?;
                    return Ok(Did::Replied);
                }
                Err(NotSent::Refused(code)) => {
                    self.ledger.give_up(event_id, held).await?;
                    return Err(Trouble::Poison(format!("refused_{code}")));
                }
                Err(NotSent::Later(why)) => {
                    // Given up meanwhile: whoever comes after us need not wait for a status.
                    self.ledger.give_up(event_id, held).await?;
                    eprintln!("the Graph API does not take messages now: {why}; trying again");
                    wait(&mut pause).await;
                }
                // Our own claim is open now, like that of somebody who died.
                Err(NotSent::Unknown) => {}
            }
        }
    }

    /// Whether a reply to this event went out at or after a time: waits for its status until `settle` has passed since.
    async fn was_sent(&self, event_id: &str, since: SystemTime) -> Result<bool, Trouble> {
        let subject = format!("{}.*.statuses.*.*", self.broker.base);
        // The clocks of the broker's nodes may differ a little.
        let start = since - Duration::from_secs(5);
        let from = DeliverPolicy::ByStartTime {
            start_time: start.into(),
        };
        let doing = "look for the status of a reply";
        // While no status comes, nothing is fetched.
        let idle = self.settings.settle + IDLE;
        'anew: loop {
            let mut reader = reader(&self.broker.stream, subject.clone(), from, false, idle).await?;
            let mut read = 0;
            loop {
                let over = since.elapsed().unwrap_or_default() > self.settings.settle;
                let info = reader
                    .info()
                    .await
                    .map_err(|error| BrokerError::new(doing)(error.into()))?;
                let left = info.num_pending + info.delivered.consumer_sequence - read;
                let found = fetch(&reader, left, LIMIT, doing).await?;
                if found
                    .iter()
                    .any(|message| attached(&message.payload).as_deref() == Some(event_id))
                {
                    return Ok(true);
                }
                let count = u64::try_from(found.len()).unwrap_or(u64::MAX);
                read += count;
                match (left - count, count, over) {
                    (0, _, true) => return Ok(false),
                    (0, _, false) => tokio::time::sleep(LOOK_EVERY).await,
                    // Lost on the way, with a connection: all of it anew.
                    (_, 0, _) => continue 'anew,
                    _ => {}
                }
            }
        }
    }
}

fn attached(payload: &[u8]) -> Option<String> {
    EventData::parse(payload)
        .ok()?
        .status()
        .ok()??
        .biz_opaque_callback_data
}

/// Waits, the next time for longer.
pub(crate) async fn wait(pause: &mut Duration) {
    tokio::time::sleep(*pause).await;
    *pause = (*pause * 2).min(LONGEST_PAUSE);
}

/// What to say. Nothing to what has no words and no file.
fn answer(record: &Record, size: Option<usize>) -> Option<String> {
    let message = record.message.as_ref()?;
    let name = record
        .customer
        .as_ref()
        .and_then(|customer| customer.name.as_deref());
    let hello = name.map_or_else(|| "Hello!".to_owned(), |name| format!("Hello, {name}!"));
    match (&message.media, &message.text) {
        (Some(_), _) => Some(match size {
            Some(size) => format!("{hello} Your file has {size} bytes."),
            None => format!("{hello} Your file arrived."),
        }),
        (None, Some(text)) => {
            let beginning: String = text.chars().take(QUOTED).collect();
            Some(format!("{hello} You said: {beginning}"))
        }
        (None, None) => None,
    }
}

/// Whether a customer who wrote at this time may be answered now. Of an unknown time nobody can say so.
fn in_window(at: Option<&str>, now: Timestamp) -> bool {
    let at = at.and_then(|at| at.parse::<Timestamp>().ok());
    at.is_some_and(|at| now.duration_since(at) < WINDOW)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_is_the_customers_and_not_ours() {
        let now = "2025-06-17T16:00:00Z".parse().unwrap();
        assert!(in_window(Some("2025-06-16T16:00:01Z"), now));
        assert!(!in_window(Some("2025-06-16T16:00:00Z"), now));
        assert!(!in_window(None, now));
        assert!(!in_window(Some("yesterday"), now));
    }
}
