//! Connections go silent and nobody is told. First those to the broker are forgotten for good, as by a firewall that was
//! restarted; then the link is silent for a while and passes what it held back, as after a partition. Then the same between
//! Meta and the receiver.

use std::time::Duration;

use tokio::time::sleep;
use wahook_testbed::nats::NatsServer;
use wahook_testbed::proxy::FaultProxy;

use super::{Mix, Outcome, Scene};
use crate::client::Pace;
use crate::error::{Result, TortureError};
use crate::house::{Setup, address};
use crate::trial::Ground;

/// What is added to the deadline, so that the receiver must have noticed.
const LONGER: Duration = Duration::from_secs(1);

pub(super) async fn run(mix: &Mix, ground: &Ground) -> Result<Outcome> {
    let broker = NatsServer::start().await?;
    let to_broker = FaultProxy::start(address(&broker)).await;
    let to_broker = to_broker.map_err(TortureError::io("start a proxy"))?;
    let setup = Setup::new(ground, mix.name, vec![format!("nats://{}", to_broker.address())]);
    // Meta's side gives a silent connection up soon after the receiver must have answered.
    let patience = ground.deadline + LONGER;
    let scene = Scene::new(
        mix,
        ground,
        Pace {
            patience,
            ..Pace::of(ground)
        },
    );
    let receiver = setup.start().await?;
    let to_receiver = FaultProxy::start(receiver.address()).await;
    let to_receiver = to_receiver.map_err(TortureError::io("start a proxy"))?;
    let number = scene.enter_by(&receiver, to_receiver.address())?;
    let strikes = async {
        for strike in 1..=ground.strikes {
            scene.until_strike(strike).await?;
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
            scene.excuse(number, silent..scene.now());
            scene.until_taken_again().await?;
        }
        Ok(())
    };
    let trial = scene
        .run(&setup, strikes, async || Ok(broker.client().await?))
        .await?;
    Ok(trial.into())
}
