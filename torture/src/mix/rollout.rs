//! A rollout: a new receiver is ready before the old one is asked to end, and clients learn of it a moment later. Nobody
//! notices.

use std::time::Duration;

use tokio::time::sleep;
use wahook_testbed::nats::NatsServer;

use super::{Mix, Outcome, Scene};
use crate::client::Pace;
use crate::error::{Result, TortureError};
use crate::house::{ENDPOINT_LAG, Setup};
use crate::trial::Ground;

/// How long the end of a receiver may take.
const END_LIMIT: Duration = Duration::from_secs(30);

pub(super) async fn run(mix: &Mix, ground: &Ground) -> Result<Outcome> {
    let broker = NatsServer::start().await?;
    let setup = Setup::new(ground, mix.name, vec![broker.url()]);
    let scene = Scene::new(mix, ground, Pace::of(ground));
    let mut receiver = setup.start().await?;
    let mut number = scene.enter(&receiver)?;
    let strikes = async {
        for strike in 1..=ground.strikes {
            scene.until_strike(strike).await?;
            let next = setup.start().await?;
            let next_number = scene.enter(&next)?;
            receiver.begin_stop()?;
            // As long as load balancers take to hear of it.
            sleep(ENDPOINT_LAG / 2).await;
            scene.leave(number);
            let code = receiver.wait(END_LIMIT).await?;
            if code != Some(0) {
                let tail = receiver.log().tail(10);
                return Err(TortureError::Unmet(format!(
                    "a receiver ended with {code:?}:\n{tail}"
                )));
            }
            (receiver, number) = (next, next_number);
        }
        Ok(())
    };
    let trial = scene
        .run(&setup, strikes, async || Ok(broker.client().await?))
        .await?;
    Ok(trial.into())
}
