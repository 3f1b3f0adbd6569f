//! A campaign goes out and Meta reports on it: bodies of 100 statuses, as fast as they are taken, while customers write messages.
//! Nobody who writes may wait for the campaign.

use std::time::Duration;

use wahook_testbed::nats::NatsServer;

use super::{Mix, Outcome, Scene};
use crate::bodies;
use crate::client::Pace;
use crate::error::Result;
use crate::trial::{Ground, Trial};

/// Within this 99 of 100 messages are answered.
const PROMISED: Duration = Duration::from_millis(250);
/// Messages a second.
const MESSAGES: u64 = 50;
/// Statuses in a body of the flood.
const STATUSES: u64 = 100;
/// The flood's events are numbered from here.
const FLOOD: u64 = 1 << 40;

pub(super) async fn run(mix: &Mix, ground: &Ground) -> Result<Outcome> {
    // Enough messages that one in a hundred is more than one.
    let messages = Ground {
        events: (ground.events / 100).max(300),
        ..ground.clone()
    };
    let pace = Pace {
        rate: MESSAGES,
        once_more: 0,
        ..Pace::of(ground)
    };
    let scene = Scene::paced(mix, &messages, pace).with_messages_only();
    let broker = NatsServer::start().await?;
    let setup = scene
        .setup(vec![broker.url()])
        .stream("ensure: true, maxBytes: 8Gi");
    let _member = scene.join(&setup).await?;
    let flood = scene.client(Pace {
        rate: 1_000_000,
        // As many at a time as a debug build on a busy machine bears, or as Meta might send.
        connections: if ground.events > 10_000 { 32 } else { 4 },
        backlog: 64,
        once_more: 0,
        ..Pace::of(ground)
    });
    let strikes = async {
        let statuses = (0..)
            .map(|n| FLOOD + n * STATUSES)
            .map(|n| bodies::statuses(n..n + STATUSES));
        let ends = async {
            let all = scene.until_taken(messages.events).await;
            flood.may_end();
            all
        };
        scene.strike();
        let (history, ended) = tokio::join!(flood.deliver(FLOOD, statuses), ends);
        scene.beside(history);
        ended
    };
    let mut trial = scene
        .run(&setup, strikes, async || Ok(broker.client().await?))
        .await?;
    judge_flood(&mut trial, messages.events);
    Ok(trial.into())
}

fn judge_flood(trial: &mut Trial, messages: u64) {
    trial.notes.push(format!(
        "{} statuses went by in {:.0} s; of the messages 99 of 100 were answered within {} ms",
        trial.events.saturating_sub(messages),
        trial.took.as_secs_f64(),
        trial.p99.as_millis()
    ));
    if trial.p99 > PROMISED {
        trial.broken.push(format!(
            "99 of 100 messages took up to {:?} beside the flood, {PROMISED:?} are promised",
            trial.p99
        ));
    }
    if trial.events < messages * 10 {
        trial
            .broken
            .push("there was no flood: this proves nothing".to_owned());
    }
}
