//! Every body goes to two receivers at the same instant, as when an app is subscribed twice; now and then one is killed.

use wahook_testbed::nats::NatsServer;

use super::{Mix, Outcome, Scene};
use crate::client::Pace;
use crate::error::Result;
use crate::house::Setup;
use crate::trial::Ground;

pub(super) async fn run(mix: &Mix, ground: &Ground) -> Result<Outcome> {
    let broker = NatsServer::start().await?;
    let setup = Setup::new(ground, mix.name, vec![broker.url()]);
    let scene = Scene::new(
        mix,
        ground,
        Pace {
            to_all: true,
            ..Pace::of(ground)
        },
    );
    let (mut one, other) = tokio::try_join!(setup.start(), setup.start())?;
    let mut number = scene.enter(&one)?;
    scene.enter(&other)?;
    let strikes = async {
        for strike in 1..=ground.strikes {
            scene.until_strike(strike).await?;
            one.kill9();
            let next = setup.start().await?;
            scene.leave(number);
            number = scene.enter(&next)?;
            one = next;
        }
        Ok(())
    };
    let trial = scene
        .run(&setup, strikes, async || Ok(broker.client().await?))
        .await?;
    Ok(trial.into())
}
