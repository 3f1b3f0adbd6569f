//! Of three brokers the one that leads the stream is killed, and comes back once another one leads. Two receivers.

use wahook_testbed::nats::NatsCluster;

use super::{Mix, Outcome, Scene};
use crate::client::Pace;
use crate::error::Result;
use crate::house::Setup;
use crate::trial::Ground;

pub(super) async fn run(mix: &Mix, ground: &Ground) -> Result<Outcome> {
    let cluster = NatsCluster::start(3).await?;
    let setup = Setup::new(ground, mix.name, cluster.urls());
    let scene = Scene::new(mix, ground, Pace::of(ground));
    let stream = setup.stream_name();
    // One after the other: the first makes the stream.
    let first = setup.start().await?;
    let second = setup.start().await?;
    scene.enter(&first)?;
    scene.enter(&second)?;
    let strikes = async {
        for strike in 1..=ground.strikes {
            scene.until_strike(strike).await?;
            let leader = cluster.leader_of(&stream).await?;
            leader.kill9()?;
            scene.until_failed(1).await?;
            scene.until_taken_again().await?;
            leader.restart().await?;
            cluster.wait_until_current(&stream).await?;
        }
        Ok(())
    };
    // Boxed: with what a cluster needs this future is large.
    let run = Box::pin(scene.run(&setup, strikes, async || Ok(cluster.client().await?)));
    Ok(run.await?.into())
}
