//! Reads old events again, by a consumer of its own: the lanes do not notice.

use std::collections::BTreeMap;

use async_nats::jetstream::consumer::DeliverPolicy;
use clap::Args;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::broker::{BrokerError, IDLE, fetch_some, headers, reader};
use crate::work::{Did, Effects, Trouble, Work};

/// Which events, and what with them.
#[derive(Args, Clone, Debug)]
pub(crate) struct ReplayArgs {
    /// Those of the last 2h, 30m or 7d
    #[arg(long, value_parser = past, required_unless_present = "event_id")]
    since: Option<SignedDuration>,
    /// The one with this id (ce-id)
    #[arg(long)]
    event_id: Option<String>,
    /// Only say what would be done
    #[arg(long, conflicts_with = "reply")]
    dry_run: bool,
    /// Reply as well, to what has no reply yet. Otherwise statuses and files are brought up to date, and nobody hears of it
    #[arg(long)]
    reply: bool,
}

fn past(text: &str) -> Result<SignedDuration, String> {
    let text = text.trim();
    let wrong = || format!("`{text}` is no time; write 2h, 30m or 7d");
    let (number, unit) = text
        .split_at_checked(text.len().saturating_sub(1))
        .ok_or_else(wrong)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 24 * 3600,
        _ => return Err(wrong()),
    };
    let number: u32 = number.parse().map_err(|_| wrong())?;
    Ok(SignedDuration::from_secs(i64::from(number) * seconds))
}

/// Goes through the events, prints a line for each and their count.
pub(crate) async fn run(work: &Work, args: &ReplayArgs) -> Result<(), BrokerError> {
    let effects = Effects {
        replies: args.reply,
        writes: !args.dry_run,
    };
    let from = match args.since {
        Some(since) => {
            let start =
                std::time::SystemTime::from(Timestamp::now().saturating_sub(since).unwrap_or(Timestamp::MIN));
            DeliverPolicy::ByStartTime {
                start_time: start.into(),
            }
        }
        None => DeliverPolicy::All,
    };
    let subject = format!("{}.>", work.broker.base);
    let reader = reader(&work.broker.stream, subject, from, false, IDLE).await?;
    let doing = "read the stream again";
    let mut count = BTreeMap::<String, u64>::new();
    // What arrives while this runs is the lanes' own.
    let mut left = reader.cached_info().num_pending;
    while left > 0 {
        for message in fetch_some(&reader, left, doing).await? {
            left -= 1;
            let headers = headers(message.headers.as_ref());
            if args.event_id.is_some() && args.event_id.as_deref() != headers.event_id() {
                continue;
            }
            let said = said(work.on(&headers, &message.payload, effects).await)?;
            let seq = message
                .info()
                .map_err(|error| BrokerError::new(doing)(error))?
                .stream_sequence;
            println!(
                "{}",
                json!({ "seq": seq, "event_id": headers.event_id(), "did": said })
            );
            *count.entry(said).or_default() += 1;
        }
    }
    println!(
        "{}",
        json!({ "events": count.values().sum::<u64>(), "of_them": count, "dry_run": args.dry_run })
    );
    Ok(())
}

fn said(outcome: Result<Did, Trouble>) -> Result<String, BrokerError> {
    match outcome {
        Ok(did) => Ok(json!(did).as_str().unwrap_or_default().to_owned()),
        Err(Trouble::Poison(why)) => Ok(format!("poison: {why}")),
        Err(trouble) => Err(BrokerError::new("replay")(trouble.to_string().into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_past_is_a_number_and_a_unit() {
        assert_eq!(past("2h"), Ok(SignedDuration::from_hours(2)));
        assert_eq!(past("7d"), Ok(SignedDuration::from_hours(168)));
        for wrong in ["", "h", "2", "-1h", "1 week", "2ü"] {
            assert!(past(wrong).is_err(), "{wrong}");
        }
    }
}
