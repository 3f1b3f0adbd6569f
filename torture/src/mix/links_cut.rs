//! Connections are reset in the midst of whatever they carry: to the broker, to the receiver, and then for a while none is let
//! through.

use std::convert::identity;
use std::time::Duration;

use tokio::time::sleep;

use super::{Linked, Mix, Outcome, Scene};
use crate::error::Result;
use crate::trial::Ground;

/// Cuts that follow each other.
const CUTS: usize = 5;
/// The time between two cuts, and for which nothing is let through.
const PAUSE: Duration = Duration::from_millis(100);

pub(super) async fn run(mix: &Mix, ground: &Ground) -> Result<Outcome> {
    let scene = Scene::new(mix, ground);
    let linked = Linked::start(&scene, identity).await?;
    let Linked {
        to_broker,
        to_receiver,
        ..
    } = &linked;
    let strikes = scene.each_strike(async || {
        for link in [to_receiver, to_broker] {
            for _ in 0..CUTS {
                link.cut();
                sleep(PAUSE).await;
            }
            link.close();
            sleep(PAUSE * 3).await;
            link.heal();
        }
        scene.until_taken_again().await
    });
    scene.run_on(&linked.broker, &linked.setup, strikes).await
}
