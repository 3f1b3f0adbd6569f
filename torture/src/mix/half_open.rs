//! Connections go silent and nobody is told. First those to the broker are forgotten for good, as by a firewall that was
//! restarted; then the link is silent for a while and passes what it held back, as after a partition. Then the same between
//! Meta and the receiver.

use std::convert::identity;
use std::time::Duration;

use tokio::time::sleep;

use super::{Linked, Mix, Outcome, Scene};
use crate::client::Pace;
use crate::error::Result;
use crate::trial::Ground;

/// What is added to the deadline, so that the receiver must have noticed.
const LONGER: Duration = Duration::from_secs(1);

pub(super) async fn run(mix: &Mix, ground: &Ground) -> Result<Outcome> {
    // Meta's side gives a silent connection up soon after the receiver must have answered.
    let patience = ground.deadline + LONGER;
    let pace = Pace {
        patience,
        ..Pace::of(ground)
    };
    let scene = Scene::paced(mix, ground, pace);
    let linked = Linked::start(&scene, identity).await?;
    let Linked {
        to_broker,
        to_receiver,
        ..
    } = &linked;
    let strikes = scene.each_strike(async || {
        to_broker.forget();
        scene.until_failed(1).await?;
        scene.until_taken_again().await?;
        to_broker.silence();
        sleep(ground.deadline + LONGER).await;
        to_broker.heal();
        scene.until_taken_again().await?;

        let silent = scene.now();
        to_receiver.silence();
        sleep(LONGER).await;
        to_receiver.forget();
        to_receiver.heal();
        sleep(patience).await;
        // Connections at rest are as dead; a later attempt on one of them would not be the receiver's fault.
        to_receiver.cut();
        scene.excuse(linked.member.number, silent..scene.now());
        scene.until_taken_again().await
    });
    scene.run_on(&linked.broker, &linked.setup, strikes).await
}
