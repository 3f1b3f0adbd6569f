//! The receiver is killed under load; another one takes its place. Until then nobody answers.

use wahook_testbed::nats::NatsServer;

use super::{Mix, Outcome, Scene};
use crate::error::Result;
use crate::trial::Ground;

pub(super) async fn run(mix: &Mix, ground: &Ground) -> Result<Outcome> {
    let scene = Scene::new(mix, ground);
    let broker = NatsServer::start().await?;
    let setup = scene.setup(vec![broker.url()]);
    let mut member = scene.join(&setup).await?;
    let strikes = scene.each_strike(async || scene.kill_and_replace(&setup, &mut member).await);
    scene.run_on(&broker, &setup, strikes).await
}
