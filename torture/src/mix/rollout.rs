//! A rollout: a new receiver is ready before the old one is asked to end, and clients learn of it a moment later. Nobody
//! notices.

use std::time::Duration;

use tokio::time::sleep;
use wahook_testbed::nats::NatsServer;

use super::{Mix, Outcome, Scene};
use crate::error::{Result, TortureError};
use crate::house::ENDPOINT_LAG;
use crate::trial::Ground;

/// How long the end of a receiver may take.
const END_LIMIT: Duration = Duration::from_secs(30);

pub(super) async fn run(mix: &Mix, ground: &Ground) -> Result<Outcome> {
    let scene = Scene::new(mix, ground);
    let broker = NatsServer::start().await?;
    let setup = scene.setup(vec![broker.url()]);
    let mut old = scene.join(&setup).await?;
    let strikes = scene.each_strike(async || {
        let new = scene.join(&setup).await?;
        old.receiver.begin_stop()?;
        // As long as load balancers take to hear of it.
        sleep(ENDPOINT_LAG / 2).await;
        scene.leave(old.number);
        let code = old.receiver.wait(END_LIMIT).await?;
        if code != Some(0) {
            let tail = old.receiver.log().tail(10);
            return Err(TortureError::Unmet(format!(
                "a receiver ended with {code:?}:\n{tail}"
            )));
        }
        old = new;
        Ok(())
    });
    scene.run_on(&broker, &setup, strikes).await
}
