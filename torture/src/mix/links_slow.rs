//! Slow links: to the broker first so that events are still stored in time, then two seconds each way, which is too long: they
//! are stored, and the receiver cannot know. Then two seconds each way to the receiver, which is Meta's trouble alone.

use std::convert::identity;
use std::time::Duration;

use tokio::time::sleep;

use super::{Linked, Mix, Outcome, Scene};
use crate::error::Result;
use crate::trial::Ground;

/// Each way.
const TOO_SLOW: Duration = Duration::from_secs(2);

pub(super) async fn run(mix: &Mix, ground: &Ground) -> Result<Outcome> {
    let scene = Scene::new(mix, ground);
    let linked = Linked::start(&scene, identity).await?;
    let Linked {
        to_broker,
        to_receiver,
        ..
    } = &linked;
    let strikes = scene.each_strike(async || {
        to_broker.delay(ground.deadline / 8);
        sleep(ground.deadline / 2).await;
        to_broker.delay(TOO_SLOW);
        sleep(ground.deadline + TOO_SLOW).await;
        to_broker.heal();
        scene.until_taken_again().await?;

        let slow = scene.now();
        to_receiver.delay(TOO_SLOW);
        sleep(TOO_SLOW * 2).await;
        to_receiver.heal();
        scene.excuse(linked.member.number, slow..scene.now());
        scene.until_taken_again().await
    });
    scene.run_on(&linked.broker, &linked.setup, strikes).await
}
