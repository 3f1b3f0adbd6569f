//! The broker is at `max_file`, its limit for all streams together, because another stream grew; then somebody makes room.

use async_nats::jetstream;
use wahook_testbed::nats::NatsServer;
use wahook_testbed::stream;

use super::{Mix, Outcome, Scene};
use crate::error::{Result, TortureError};
use crate::trial::Ground;

/// Another user's stream and its one subject.
const BALLAST: (&str, &str) = ("ballast", "ballast");
/// The size of its messages, in bytes: what is left in the end is smaller than any body of ours.
const PIECES: [usize; 3] = [512 * 1024, 16 * 1024, 256];
pub(super) async fn run(mix: &Mix, ground: &Ground) -> Result<Outcome> {
    let scene = Scene::new(mix, ground);
    let broker = NatsServer::builder()
        .max_file_bytes(ground.stream_bytes())
        .start()
        .await?;
    let client = broker.client().await?;
    let setup = scene.setup(vec![broker.url()]).stream("ensure: false");
    let stream = setup.stream_name();
    // Without limits of their own: nothing is reserved for either.
    stream::create(&client, &stream, &[&setup.subjects()]).await?;
    stream::create(&client, BALLAST.0, &[BALLAST.1]).await?;
    let _member = scene.join(&setup).await?;
    let strikes = scene.each_strike(async || {
        fill(&client).await?;
        scene.until_full().await?;
        let ballast = jetstream::new(client.clone()).get_stream(BALLAST.0).await;
        let ballast = ballast.map_err(TortureError::broker("find the ballast"))?;
        let purged = ballast.purge().await;
        purged.map_err(TortureError::broker("make room"))?;
        scene.until_taken_again().await
    });
    scene.run_on(&broker, &setup, strikes).await
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
