//! The receiver is killed under load; another one takes its place. Until then nobody answers.

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
    let mut receiver = setup.start().await?;
    let mut number = scene.enter(&receiver)?;
    let strikes = async {
        for strike in 1..=ground.strikes {
            scene.until_strike(strike).await?;
            receiver.kill9();
            let next = setup.start().await?;
            scene.leave(number);
            number = scene.enter(&next)?;
            receiver = next;
        }
        Ok(())
    };
    let trial = scene
        .run(&setup, strikes, async || Ok(broker.client().await?))
        .await?;
    Ok(trial.into())
}
