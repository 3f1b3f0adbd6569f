//! Takes events from the lanes, works on them, and says so: a line of JSON for each.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::consumer::PullConsumer;
use async_nats::jetstream::{self, AckKind};
use bytes::Bytes;
use serde::Serialize;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use wahook_events::received::Headers;

use crate::broker::{BrokerError, LIMIT, fetch, headers};
use crate::work::{Did, Effects, Trouble, Work, wait};

/// How long one request for the next event is open.
const ASK: Duration = Duration::from_secs(30);
/// The pause after the broker could not be asked.
const PAUSE: Duration = Duration::from_secs(1);

/// What is printed of an event: nothing of what it says, and nobody's name.
#[derive(Debug, Serialize)]
struct Line<'a> {
    lane: char,
    /// Its place in the stream.
    seq: u64,
    event_id: Option<&'a str>,
    #[serde(flatten)]
    said: Said,
}

/// What became of it.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Said {
    Did { did: Did },
    GaveUp { gave_up: String, tries: i64 },
    Again { again: String, tries: i64 },
    Stopped { stopped: bool },
}

/// Works on all lanes until it is told to stop. What is being worked on then goes back.
pub(crate) async fn run(work: Arc<Work>, stop: CancellationToken) -> Result<(), BrokerError> {
    work.broker.poison().await?;
    let mut lanes = JoinSet::new();
    for &lane in &work.settings.lanes.0 {
        // Before any work begins: what is wrong with the permissions is said at once.
        let consumer = work.broker.lane(lane, &work.settings).await?;
        lanes.spawn(follow(Arc::clone(&work), lane, consumer, stop.clone()));
    }
    eprintln!(
        "taking messages and statuses of {} from {} lanes",
        work.broker.base,
        lanes.len()
    );
    lanes.join_all().await;
    // What was acknowledged has to arrive.
    let doing = "tell the broker what was done";
    match tokio::time::timeout(LIMIT, work.broker.client.flush()).await {
        Ok(flushed) => flushed.map_err(|error| BrokerError::new(doing)(error.into())),
        Err(late) => Err(BrokerError::new(doing)(late.into())),
    }
}

async fn follow(work: Arc<Work>, lane: char, mut consumer: PullConsumer, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let next = tokio::select! {
            next = fetch(&consumer, 1, ASK, "take the next event") => next,
            () = stop.cancelled() => return,
        };
        match next {
            Ok(messages) => {
                for message in messages {
                    settle(&work, lane, message, &stop).await;
                }
            }
            Err(error) => {
                eprintln!("lane {lane}: {error}; asking again");
                tokio::time::sleep(PAUSE).await;
                // Somebody may have deleted it.
                if let Ok(made) = work.broker.lane(lane, &work.settings).await {
                    consumer = made;
                }
            }
        }
    }
}

/// Works on one event, tells the broker meanwhile that it is alive, and in the end what became of it.
async fn settle(work: &Work, lane: char, message: jetstream::Message, stop: &CancellationToken) {
    let (seq, tries) = match message.info() {
        Ok(info) => (info.stream_sequence, info.delivered),
        Err(_) => return,
    };
    let headers = headers(message.headers.as_ref());
    let working = until_done(work, lane, &headers, &message.payload);
    tokio::pin!(working);
    let mut alive = tokio::time::interval(work.settings.ack_wait / 3);
    alive.tick().await;
    let outcome = loop {
        tokio::select! {
            outcome = &mut working => break Some(outcome),
            _ = alive.tick() => drop(message.ack_with(AckKind::Progress).await),
            () = stop.cancelled() => break None,
        }
    };
    let (said, told) = match outcome {
        Some(Ok(did)) => (Said::Did { did }, message.ack().await),
        Some(Err(why)) if tries >= i64::from(work.settings.tries) => {
            let told = terminate(work, &message, &why).await;
            (Said::GaveUp { gave_up: why, tries }, told)
        }
        Some(Err(again)) => {
            let doublings = u32::try_from(tries - 1).unwrap_or(0).min(6);
            let pause = work.settings.retry * 2_u32.pow(doublings);
            let told = message.ack_with(AckKind::Nak(Some(pause))).await;
            (Said::Again { again, tries }, told)
        }
        None => (
            Said::Stopped { stopped: true },
            message.ack_with(AckKind::Nak(None)).await,
        ),
    };
    let event_id = headers.event_id();
    let outcome = Line {
        lane,
        seq,
        event_id,
        said,
    };
    println!("{}", serde_json::to_string(&outcome).unwrap_or_default());
    if let Err(error) = told {
        eprintln!("lane {lane}: {error}; the event will come again");
    }
}

/// Works on an event until it is done or poison: why, then. Trouble with the broker is not the event's, and costs it no try.
async fn until_done(work: &Work, lane: char, headers: &Headers<'_>, payload: &[u8]) -> Result<Did, String> {
    let effects = Effects {
        replies: true,
        writes: true,
    };
    let mut pause = work.settings.retry;
    loop {
        match work.on(headers, payload, effects).await {
            Ok(did) => return Ok(did),
            Err(Trouble::Poison(why)) => return Err(why),
            Err(trouble) => {
                eprintln!("lane {lane}: {trouble}; trying again");
                wait(&mut pause).await;
            }
        }
    }
}

/// Ends an event, with a reason that the broker passes on to whoever looks after the poison.
async fn terminate(work: &Work, message: &jetstream::Message, why: &str) -> Result<(), async_nats::Error> {
    let Some(reply) = message.reply.clone() else {
        return Ok(());
    };
    work.broker
        .client
        .publish(reply, Bytes::from(format!("+TERM {why}")))
        .await?;
    Ok(())
}
