//! Connections are reset in the midst of whatever they carry: to the broker, to the receiver, and then for a while none is let
//! through.

use std::time::Duration;

use tokio::time::sleep;
use wahook_testbed::nats::NatsServer;
use wahook_testbed::proxy::FaultProxy;

use super::{Mix, Outcome, Scene};
use crate::client::Pace;
use crate::error::{Result, TortureError};
use crate::house::{Setup, address};
use crate::trial::Ground;

/// Cuts that follow each other.
const CUTS: usize = 5;
/// The time between two cuts, and for which nothing is let through.
const PAUSE: Duration = Duration::from_millis(100);

pub(super) async fn run(mix: &Mix, ground: &Ground) -> Result<Outcome> {
    let broker = NatsServer::start().await?;
    let to_broker = FaultProxy::start(address(&broker)).await;
    let to_broker = to_broker.map_err(TortureError::io("start a proxy"))?;
    let setup = Setup::new(ground, mix.name, vec![format!("nats://{}", to_broker.address())]);
    let scene = Scene::new(mix, ground, Pace::of(ground));
    let receiver = setup.start().await?;
    let to_receiver = FaultProxy::start(receiver.address()).await;
    let to_receiver = to_receiver.map_err(TortureError::io("start a proxy"))?;
    scene.enter_by(&receiver, to_receiver.address())?;
    let strikes = async {
        for strike in 1..=ground.strikes {
            scene.until_strike(strike).await?;
            for link in [&to_receiver, &to_broker] {
                for _ in 0..CUTS {
                    link.cut();
                    sleep(PAUSE).await;
                }
                link.close();
                sleep(PAUSE * 3).await;
                link.heal();
            }
            scene.until_taken_again().await?;
        }
        Ok(())
    };
    let trial = scene
        .run(&setup, strikes, async || Ok(broker.client().await?))
        .await?;
    Ok(trial.into())
}
