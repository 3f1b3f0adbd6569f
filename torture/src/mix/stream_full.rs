//! The stream is at `max_bytes` in the midst of deliveries, so that of many a part is stored; then somebody raises the limit.

use async_nats::jetstream;
use wahook_testbed::nats::NatsServer;
use wahook_testbed::stream;

use super::{Mix, Outcome, Scene};
use crate::error::{Result, TortureError};
use crate::trial::Ground;

/// Fewer bytes than an event takes: a portion is full before its events are stored.
const EVENT_BYTES: u64 = 400;
pub(super) async fn run(mix: &Mix, ground: &Ground) -> Result<Outcome> {
    let scene = Scene::new(mix, ground);
    let broker = NatsServer::start().await?;
    let client = broker.client().await?;
    let setup = scene.setup(vec![broker.url()]).stream("ensure: false");
    let stream = setup.stream_name();
    let portion = ground.events / u64::from(ground.strikes + 1) * EVENT_BYTES;
    let mut config = stream::config(&stream, &[&setup.subjects()]);
    config.max_bytes = i64::try_from(portion).unwrap_or(i64::MAX);
    stream::create_with(&client, config.clone()).await?;
    let _member = scene.join(&setup).await?;
    let strikes = async {
        for strike in 1..=ground.strikes {
            // It is the limit that strikes.
            scene.until_full().await?;
            scene.strike();
            let more = if strike == ground.strikes {
                ground.stream_bytes()
            } else {
                portion
            };
            config.max_bytes = config.max_bytes.saturating_add_unsigned(more);
            let raised = jetstream::new(client.clone()).update_stream(&config).await;
            raised.map_err(TortureError::broker("raise the limit of the stream"))?;
            scene.until_taken_again().await?;
        }
        Ok(())
    };
    scene.run_on(&broker, &setup, strikes).await
}
