//! The broker is stopped for longer than the deadline: connections stay open, and whatever was sent is stored later.

use std::time::Duration;

use tokio::time::sleep;
use wahook_testbed::nats::NatsServer;

use super::{Mix, Outcome, Scene};
use crate::error::Result;
use crate::trial::Ground;

pub(super) async fn run(mix: &Mix, ground: &Ground) -> Result<Outcome> {
    let scene = Scene::new(mix, ground);
    let broker = NatsServer::start().await?;
    let setup = scene.setup(vec![broker.url()]);
    let _member = scene.join(&setup).await?;
    let strikes = scene.each_strike(async || {
        broker.pause()?;
        sleep(ground.deadline + Duration::from_secs(1)).await;
        broker.resume()?;
        scene.until_taken_again().await
    });
    scene.run_on(&broker, &setup, strikes).await
}
