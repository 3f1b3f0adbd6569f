//! The broker is at `max_file`, its limit for all streams together, because another stream grew; then somebody makes room.

use async_nats::jetstream;
use wahook_testbed::nats::NatsServer;
use wahook_testbed::stream;

use super::{Mix, Outcome, Scene};
use crate::client::Pace;
use crate::error::{Result, TortureError};
use crate::house::Setup;
use crate::trial::Ground;

/// Another user's stream and its one subject.
const BALLAST: (&str, &str) = ("ballast", "ballast");
/// The size of its messages, in bytes: what is left in the end is smaller than any body of ours.
const PIECES: [usize; 3] = [512 * 1024, 16 * 1024, 256];
/// How many refusals are seen before there is room again.
const REFUSALS: u64 = 50;

pub(super) async fn run(mix: &Mix, ground: &Ground) -> Result<Outcome> {
    let broker = NatsServer::builder()
        .max_file_bytes(ground.stream_bytes())
        .start()
        .await?;
    let client = broker.client().await?;
    let setup = Setup::new(ground, mix.name, vec![broker.url()]).stream("ensure: false");
    let stream = setup.stream_name();
    // Without limits of their own: nothing is reserved for either.
    stream::create(&client, &stream, &[&setup.subjects()]).await?;
    stream::create(&client, BALLAST.0, &[BALLAST.1]).await?;
    let scene = Scene::new(mix, ground, Pace::of(ground));
    let receiver = setup.start().await?;
    scene.enter(&receiver)?;
    let strikes = async {
        for strike in 1..=ground.strikes {
            scene.until_strike(strike).await?;
            fill(&client).await?;
            scene.until_failed(REFUSALS).await?;
            let ballast = jetstream::new(client.clone()).get_stream(BALLAST.0).await;
            let ballast = ballast.map_err(TortureError::broker("find the ballast"))?;
            let purged = ballast.purge().await;
            purged.map_err(TortureError::broker("make room"))?;
            scene.until_taken_again().await?;
        }
        Ok(())
    };
    let trial = scene.run(&setup, strikes, async || Ok(client.clone())).await?;
    Ok(trial.into())
}

/// Publishes to the other stream until the broker refuses, first much and then little at a time.
async fn fill(client: &async_nats::Client) -> Result {
    let context = jetstream::new(client.clone());
    for size in PIECES {
        let piece = bytes::Bytes::from(vec![b'.'; size]);
        loop {
            let sent = context.publish(BALLAST.1, piece.clone()).await;
            let answered = sent.map_err(TortureError::broker("publish ballast"))?.await;
            if answered.is_err() {
                break;
            }
        }
    }
    Ok(())
}
