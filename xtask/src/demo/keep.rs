//! `--keep`: leaves everything running, says how to use it, and shows each event as it is stored and each reply as it is sent.

use std::path::Path;
use std::time::Duration;

use async_nats::jetstream::{self, consumer};
use futures_util::StreamExt as _;
use wahook_testbed::stream::Stored;

use super::DemoError;
use super::check::Row;
use super::house::{House, STREAM, SUBJECTS};

/// How often it is looked whether there is another reply.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How to go on by hand. `settings` is the file for bots.
pub(super) fn instructions(house: &House, receiver: &Path, settings: &Path) -> String {
    let (url, secret) = (house.meta.url(), &house.app_secret);
    let receiver = receiver.display();
    format!(
        "Everything keeps running until Ctrl-C. To post one more message, signed:\n\
         \n  WHATSAPP_APP_SECRET={secret} {receiver} send --to {url}\n\
         \nThe same with curl and openssl:\n\
         \n  {receiver} send --dump > body.json\
         \n  curl -sS {url} -H 'Content-Type: application/json' --data-binary @body.json \\\
         \n    -H \"X-Hub-Signature-256: sha256=$(openssl dgst -sha256 -hmac {secret} -r < body.json | cut -d' ' -f1)\"\n\
         \nA bot that answers, in another terminal (docs/develop.md):\n\
         \n  . {settings}; cargo bot run\n\
         \nProbes, metrics and status:  curl -sS http://{admin}/status\
         \nThe stream from elsewhere:   nats --server {nats} sub '{SUBJECTS}'\n\
         \nNew events and replies:",
        settings = settings.display(),
        admin = house.receiver.admin_address(),
        nats = house.nats.url(),
    )
}

/// Shows every event that is stored and every reply that is sent from now on. Ends only with an error.
pub(super) async fn watch(house: &House) -> Result<(), DemoError> {
    let failed = |error: &dyn std::fmt::Display| DemoError::Watch(error.to_string());
    let stream = jetstream::new(house.client.clone())
        .get_stream(STREAM)
        .await
        .map_err(|error| failed(&error))?;
    let from_now = consumer::pull::OrderedConfig {
        deliver_policy: consumer::DeliverPolicy::New,
        ..Default::default()
    };
    let consumer = stream
        .create_consumer(from_now)
        .await
        .map_err(|error| failed(&error))?;
    let mut events = consumer.messages().await.map_err(|error| failed(&error))?;
    let mut look = tokio::time::interval(LOOK_EVERY);
    let mut shown = house.graph.count();
    loop {
        let next = tokio::select! {
            event = events.next() => Some(event.ok_or_else(|| failed(&"the consumer ended"))?),
            _ = look.tick() => None,
        };
        // A reply before the status that says it was sent.
        for reply in house.graph.sent().split_off(shown) {
            shown += 1;
            let of = reply.text("/biz_opaque_callback_data").unwrap_or_default();
            println!(
                "  reply to {of}: {}",
                reply.text("/text/body").unwrap_or_default()
            );
        }
        if let Some(event) = next {
            show(event.map_err(|error| failed(&error))?)?;
        }
    }
}

fn show(event: jetstream::Message) -> Result<(), DemoError> {
    let stored = Stored::of(event).map_err(|error| DemoError::Watch(error.to_string()))?;
    match Row::of(&stored) {
        Ok(row) => println!(
            "  {:>4}  {}/{}  account {}  lane {}  id {}  {} bytes",
            row.seq,
            row.family,
            row.kind,
            row.account,
            row.lane,
            row.id,
            row.payload.len()
        ),
        Err(problem) => println!("  {problem}"),
    }
    Ok(())
}
