//! The broker is stopped for longer than the deadline: connections stay open, and whatever was sent is stored later.

use std::time::Duration;

use tokio::time::sleep;
use wahook_testbed::nats::NatsServer;

use super::{Mix, Outcome, Scene};
use crate::client::Pace;
use crate::error::Result;
use crate::house::Setup;
use crate::trial::Ground;

pub(super) async fn run(mix: &Mix, ground: &Ground) -> Result<Outcome> {
    let broker = NatsServer::start().await?;
    let setup = Setup::new(ground, mix.name, vec![broker.url()]);
    let scene = Scene::new(mix, ground, Pace::of(ground));
    let receiver = setup.start().await?;
    scene.enter(&receiver)?;
    let strikes = async {
        for strike in 1..=ground.strikes {
            scene.until_strike(strike).await?;
            broker.pause()?;
            sleep(ground.deadline + Duration::from_secs(1)).await;
            broker.resume()?;
            scene.until_taken_again().await?;
        }
        Ok(())
    };
    let trial = scene
        .run(&setup, strikes, async || Ok(broker.client().await?))
        .await?;
    Ok(trial.into())
}
