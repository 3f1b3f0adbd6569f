//! The broker is killed and started again on the same data.

use std::time::Duration;

use tokio::time::sleep;
use wahook_testbed::nats::NatsServer;

use super::{Mix, Outcome, Scene};
use crate::error::Result;
use crate::trial::Ground;

/// How long it is away.
const AWAY: Duration = Duration::from_millis(500);

pub(super) async fn run(mix: &Mix, ground: &Ground) -> Result<Outcome> {
    let scene = Scene::new(mix, ground);
    let broker = NatsServer::start().await?;
    let setup = scene.setup(vec![broker.url()]);
    let _member = scene.join(&setup).await?;
    let strikes = scene.each_strike(async || {
        broker.kill9()?;
        sleep(AWAY).await;
        broker.restart().await?;
        scene.until_taken_again().await
    });
    scene.run_on(&broker, &setup, strikes).await
}
