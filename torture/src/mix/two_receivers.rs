//! Every body goes to two receivers at the same instant, as when an app is subscribed twice; now and then one is killed.

use wahook_testbed::nats::NatsServer;

use super::{Mix, Outcome, Scene};
use crate::client::Pace;
use crate::error::Result;
use crate::trial::Ground;

pub(super) async fn run(mix: &Mix, ground: &Ground) -> Result<Outcome> {
    let pace = Pace {
        to_all: true,
        ..Pace::of(ground)
    };
    let scene = Scene::paced(mix, ground, pace);
    let broker = NatsServer::start().await?;
    let setup = scene.setup(vec![broker.url()]);
    let (mut one, _other) = tokio::try_join!(scene.join(&setup), scene.join(&setup))?;
    let strikes = scene.each_strike(async || scene.kill_and_replace(&setup, &mut one).await);
    scene.run_on(&broker, &setup, strikes).await
}
