//! The receiver is stopped for longer than its deadline and goes on: as on a node that swaps, or in a debugger.

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
    let number = scene.enter(&receiver)?;
    let strikes = async {
        for strike in 1..=ground.strikes {
            scene.until_strike(strike).await?;
            let frozen = scene.now();
            receiver.pause()?;
            sleep(ground.deadline * 3 / 2).await;
            receiver.resume()?;
            scene.excuse(number, frozen..scene.now());
        }
        Ok(())
    };
    let trial = scene
        .run(&setup, strikes, async || Ok(broker.client().await?))
        .await?;
    Ok(trial.into())
}
