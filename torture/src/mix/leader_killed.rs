//! Of three brokers the one that leads the stream is killed, and comes back once another one leads. Two receivers.

use wahook_testbed::nats::NatsCluster;

use super::{Mix, Outcome, Scene};
use crate::error::Result;
use crate::trial::Ground;

pub(super) async fn run(mix: &Mix, ground: &Ground) -> Result<Outcome> {
    let scene = Scene::new(mix, ground);
    let cluster = NatsCluster::start(3).await?;
    let setup = scene.setup(cluster.urls());
    let stream = setup.stream_name();
    // One after the other: the first makes the stream.
    let _first = scene.join(&setup).await?;
    let _second = scene.join(&setup).await?;
    let strikes = scene.each_strike(async || {
        let leader = cluster.leader_of(&stream).await?;
        leader.kill9()?;
        scene.until_failed(1).await?;
        scene.until_taken_again().await?;
        leader.restart().await?;
        cluster.wait_until_current(&stream).await?;
        Ok(())
    });
    // Boxed: with what a cluster needs this future is large.
    let run = Box::pin(scene.run(&setup, strikes, async || {
        // A reader sits beside one replica and would take the end of that one for the stream's.
        cluster.wait_until_current(&stream).await?;
        Ok(cluster.client().await?)
    }));
    Ok(run.await?.into())
}
