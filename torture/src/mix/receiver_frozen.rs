//! The receiver is stopped for longer than its deadline and goes on: as on a node that swaps, or in a debugger.

use tokio::time::sleep;
use wahook_testbed::nats::NatsServer;

use super::{Member, Mix, Outcome, Scene};
use crate::error::Result;
use crate::trial::Ground;

pub(super) async fn run(mix: &Mix, ground: &Ground) -> Result<Outcome> {
    let scene = Scene::new(mix, ground);
    let broker = NatsServer::start().await?;
    let setup = scene.setup(vec![broker.url()]);
    let Member { receiver, number } = scene.join(&setup).await?;
    let strikes = scene.each_strike(async || {
        let frozen = scene.now();
        receiver.pause()?;
        sleep(ground.deadline * 3 / 2).await;
        receiver.resume()?;
        scene.excuse(number, frozen..scene.now());
        Ok(())
    });
    scene.run_on(&broker, &setup, strikes).await
}
