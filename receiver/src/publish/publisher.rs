//! Sends one request's events in order and waits for every acknowledgement, all under one deadline.
//!
//! Built on async-nats' core client: one inbox that lives as long as the connection, one slot for each request, no
//! channel, permit or timer for each event. Reconnecting, TLS and authentication stay with the library.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use rand::Rng as _;
use tokio::time::{Instant, sleep, timeout_at};

use super::claim_check::ClaimCheck;
use super::health::Health;
use super::outgoing::{Batch, HEADERS_AT_MOST, Outgoing};
use super::pending::Answers;
use super::reply::{Refusal, Reply};
use super::session::Session;
use crate::budget::Budget;
use crate::metrics::Metrics;

/// How long to wait before an id that is in process elsewhere is asked about again, in milliseconds.
const AGAIN_MS: std::ops::Range<u64> = 25..50;

/// An event that is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ack {
    /// Stored now, at this sequence.
    Stored(u64),
    /// The stream held it already.
    Duplicate,
}

/// Publishes events. Cheap to share.
#[derive(Debug)]
pub struct Publisher {
    session: ArcSwap<Session>,
    budget: Budget,
    claim_check: ClaimCheck,
    health: Arc<Health>,
    metrics: Arc<Metrics>,
}

impl Publisher {
    /// A publisher on a connection, with at most `budget` events on their way at once.
    pub fn new(
        session: Session,
        budget: usize,
        claim_check: ClaimCheck,
        health: Arc<Health>,
        metrics: Arc<Metrics>,
    ) -> Self {
        session.take_over();
        Self {
            session: ArcSwap::from_pointee(session),
            budget: Budget::new(budget),
            claim_check,
            health,
            metrics,
        }
    }

    /// Changes how many events may be on their way.
    pub fn resize(&self, budget: usize) {
        self.budget.resize(budget);
    }

    /// The connection in use.
    pub fn session(&self) -> Arc<Session> {
        self.session.load_full()
    }

    /// Goes over to another connection (other credentials, another CA); requests on the old one end there.
    pub fn replace(&self, session: Session) -> Arc<Session> {
        let session = Arc::new(session);
        let old = self.session.swap(Arc::clone(&session));
        old.retire();
        session.take_over();
        old
    }

    /// Publishes the events of `batch` in order. Each is stored when its answer says so and only then.
    pub async fn publish(&self, batch: &impl Batch, deadline: Instant) -> Vec<Result<Ack, Refusal>> {
        let refuse_all = |refusal: Refusal| vec![Err(refusal); batch.len()];
        if batch.is_empty() {
            return Vec::new();
        }
        let session = self.session.load_full();
        if !session.is_connected() {
            return refuse_all(Refusal::Disconnected);
        }
        if !self.health.stream_takes_events() {
            return refuse_all(Refusal::UnfitStream);
        }
        let Ok(Some(_share)) = timeout_at(deadline, self.budget.admit(batch.len())).await else {
            return refuse_all(Refusal::Busy);
        };
        let parked = match self.park(&session, batch, deadline).await {
            Ok(parked) => parked,
            Err(refusal) => return refuse_all(refusal),
        };
        let message = |place: usize| {
            parked
                .get(&place)
                .cloned()
                .unwrap_or_else(|| batch.message(place))
        };
        let mut places: Vec<_> = (0..batch.len()).collect();
        let mut answers = vec![Reply::InProcess; batch.len()];
        loop {
            let round = round(&session, &places, &message, deadline).await;
            for (place, answer) in places.iter().zip(round) {
                answers[*place] = answer;
            }
            places.retain(|place| answers[*place] == Reply::InProcess);
            if places.is_empty() {
                break;
            }
            self.metrics.contended(places.len());
            let pause = rand::rng().random_range(AGAIN_MS);
            sleep(Duration::from_millis(pause)).await;
            if Instant::now() >= deadline {
                break;
            }
        }
        answers.into_iter().map(ack).collect()
    }

    /// Stores the data of events that are larger than the broker takes, and gives the messages that refer to it.
    async fn park(
        &self,
        session: &Session,
        batch: &impl Batch,
        deadline: Instant,
    ) -> Result<BTreeMap<usize, Outgoing>, Refusal> {
        let limit = session.max_payload();
        let mut parked = BTreeMap::new();
        for place in 0..batch.len() {
            if batch.payload_bytes(place) + HEADERS_AT_MOST <= limit {
                continue;
            }
            let mut message = batch.message(place);
            if message.size() > limit {
                self.claim_check.park(session, &mut message, deadline).await?;
                parked.insert(place, message);
            }
        }
        Ok(parked)
    }
}

fn ack(reply: Reply) -> Result<Ack, Refusal> {
    match reply {
        Reply::Stored(sequence) => Ok(Ack::Stored(sequence)),
        Reply::Duplicate => Ok(Ack::Duplicate),
        Reply::InProcess => Err(Refusal::InProcess),
        Reply::Refused(refusal) => Err(refusal),
    }
}

/// Sends all events and waits for all answers, or for the loss of the connection if that comes first.
async fn round(
    session: &Session,
    places: &[usize],
    message: &(impl Fn(usize) -> Outgoing + Sync),
    deadline: Instant,
) -> Answers {
    let Some(mut round) = session.pending().register(places.len()) else {
        return vec![Reply::Refused(Refusal::Disconnected); places.len()];
    };
    let address = round.address;
    let sent = timeout_at(deadline, async {
        for (nth, place) in places.iter().enumerate() {
            let reply = address.reply_subject(session.inbox(), nth);
            session.send(message(*place), reply).await?;
        }
        Ok::<_, Refusal>(())
    });
    // A lost connection takes no more events: its queue fills up, and sending would wait until the deadline.
    let sent = tokio::select! {
        biased;
        answers = &mut round.answers => {
            return answers.unwrap_or_else(|_| vec![Reply::Refused(Refusal::Disconnected); places.len()]);
        }
        sent = sent => sent,
    };
    let gave_up = match sent {
        Ok(Ok(())) => match timeout_at(deadline, &mut round.answers).await {
            Ok(Ok(answers)) => return answers,
            Ok(Err(_)) => Refusal::Disconnected,
            Err(_) => Refusal::TimedOut,
        },
        Ok(Err(refusal)) => refusal,
        Err(_) => Refusal::TimedOut,
    };
    let answers = session.pending().abandon(address, gave_up);
    if answers.len() == places.len() {
        return answers;
    }
    // It was answered in the moment we gave up.
    round
        .answers
        .try_recv()
        .unwrap_or_else(|_| vec![Reply::Refused(gave_up); places.len()])
}
