//! A bad weekend: the stream reaches its limit on Friday evening and gets real room on Monday morning, 60 hours later. Deliveries go on
//! coming, and are repeated as Meta does, ever later, for seven days. Twice a day somebody gives the stream a little room, which is
//! gone at once, in the midst of bodies: their first events are stored, and Meta is told to come again.
//!
//! All hours are shorter by one factor: those between repeats, those of the window that the receiver and the stream are set to, those
//! until there is room. Whether a repeat comes before or after the window ends, and so whether it is stored again, is a matter of
//! their proportions only. What is not compressed is what lasts no hours: a POST, the deadline of storing.

use std::time::Duration;

use async_nats::jetstream;
use tokio::time::sleep;
use wahook_testbed::nats::NatsServer;
use wahook_testbed::stream;

use super::{Mix, Outcome, Scene};
use crate::client::Pace;
use crate::error::{Result, TortureError};
use crate::trial::Ground;

/// From Friday evening to Monday morning, in hours.
const FULL: u32 = 60;
/// How often there is a little room meanwhile, each time twelve hours later.
const LITTLE_ROOMS: u32 = 4;
/// For how long Meta repeats, in hours.
const WEEK: u32 = 7 * 24;
/// Meta says that it repeats with decreasing frequency: the pauses between attempts, in minutes; the last is repeated.
const PAUSES: [u32; 9] = [1, 5, 15, 30, 60, 120, 240, 480, 720];
/// About what an event takes in the stream.
const EVENT_BYTES: u64 = 700;
/// Events in a delivery, about.
const DELIVERY_EVENTS: u64 = 5;

pub(super) async fn weekend(mix: &Mix, ground: &Ground, window: u32) -> Result<Outcome> {
    let hour = hour(ground);
    let scene = Scene::paced(mix, ground, pace(ground, hour)).with_window(hour * window);
    let broker = NatsServer::start().await?;
    let client = broker.client().await?;
    let remembered = format!("ensure: false, window: {}ms", (hour * window).as_millis());
    let setup = scene.setup(vec![broker.url()]).stream(&remembered);
    let mut config = stream::config(&setup.stream_name(), &[&setup.subjects()]);
    config.duplicate_window = hour * window;
    config.max_bytes = bytes(ground.events / 20 * EVENT_BYTES);
    stream::create_with(&client, config.clone()).await?;
    let _member = scene.join(&setup).await?;
    let strikes = async {
        let give_room = async |config: &jetstream::stream::Config| {
            let given = jetstream::new(client.clone()).update_stream(config).await;
            given
                .map(drop)
                .map_err(TortureError::broker("give the stream room"))
        };
        scene.until_full().await?;
        scene.strike();
        for _ in 0..LITTLE_ROOMS {
            sleep(hour * FULL / (LITTLE_ROOMS + 1)).await;
            config.max_bytes += bytes(ground.events / 50 * EVENT_BYTES);
            give_room(&config).await?;
            scene.strike();
        }
        sleep(hour * FULL / (LITTLE_ROOMS + 1)).await;
        config.max_bytes = bytes(ground.stream_bytes() * 2);
        give_room(&config).await?;
        scene.until_taken_again().await
    };
    let mut trial = scene
        .run(&setup, strikes, async || Ok(broker.client().await?))
        .await?;
    let again = trial.verdict.again.len();
    trial.notes.push(format!(
        "{again} of {} events were stored again by a repeat more than {window} hours after the first; an hour was {} ms",
        trial.events,
        hour.as_millis()
    ));
    if window < FULL && again == 0 {
        let nothing = "nothing was stored in part and again: this says nothing about the window";
        trial.broken.push(nothing.to_owned());
    }
    Ok(trial.into())
}

/// How long an hour lasts: a second where there is time, and less in a test.
fn hour(ground: &Ground) -> Duration {
    if ground.events > 10_000 {
        Duration::from_secs(1)
    } else {
        Duration::from_millis(150)
    }
}

/// As many deliveries as make up the events, spread over the whole weekend, none held back because others were refused.
fn pace(ground: &Ground, hour: Duration) -> Pace {
    let seconds = (hour * FULL).as_secs().max(1);
    Pace {
        rate: (ground.events / DELIVERY_EVENTS / seconds).max(10),
        backlog: usize::MAX >> 4,
        again_after: PAUSES.map(|minutes| hour * minutes / 60).to_vec(),
        give_up: hour * WEEK,
        ..Pace::of(ground)
    }
}

fn bytes(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
