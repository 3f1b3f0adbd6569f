//! Slow links: to the broker first so that events are still stored in time, then two seconds each way, which is too long: they
//! are stored, and the receiver cannot know. Then two seconds each way to the receiver, which is Meta's trouble alone.

use std::time::Duration;

use tokio::time::sleep;
use wahook_testbed::nats::NatsServer;
use wahook_testbed::proxy::FaultProxy;

use super::{Mix, Outcome, Scene};
use crate::client::Pace;
use crate::error::{Result, TortureError};
use crate::house::{Setup, address};
use crate::trial::Ground;

/// Each way.
const TOO_SLOW: Duration = Duration::from_secs(2);

pub(super) async fn run(mix: &Mix, ground: &Ground) -> Result<Outcome> {
    let broker = NatsServer::start().await?;
    let to_broker = FaultProxy::start(address(&broker)).await;
    let to_broker = to_broker.map_err(TortureError::io("start a proxy"))?;
    let setup = Setup::new(ground, mix.name, vec![format!("nats://{}", to_broker.address())]);
    let scene = Scene::new(mix, ground, Pace::of(ground));
    let receiver = setup.start().await?;
    let to_receiver = FaultProxy::start(receiver.address()).await;
    let to_receiver = to_receiver.map_err(TortureError::io("start a proxy"))?;
    let number = scene.enter_by(&receiver, to_receiver.address())?;
    let strikes = async {
        for strike in 1..=ground.strikes {
            scene.until_strike(strike).await?;
            to_broker.delay(ground.deadline / 8);
            sleep(ground.deadline / 2).await;
            to_broker.delay(TOO_SLOW);
            sleep(ground.deadline + TOO_SLOW).await;
            to_broker.heal();
            scene.until_taken_again().await?;

            let slow = scene.now();
            to_receiver.delay(TOO_SLOW);
            sleep(TOO_SLOW * 2).await;
            to_receiver.heal();
            scene.excuse(number, slow..scene.now());
            scene.until_taken_again().await?;
        }
        Ok(())
    };
    let trial = scene
        .run(&setup, strikes, async || Ok(broker.client().await?))
        .await?;
    Ok(trial.into())
}
