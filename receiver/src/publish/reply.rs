//! What the broker answers to one published event, and what that means. Pure.
//!
//! Only a publish acknowledgement that names our stream counts as stored. JetStream's error codes as nats-server defines
//! them (`server/errors.json`).

use async_nats::{Message, StatusCode};
use serde::Deserialize;

/// The answer to one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// Stored at this sequence.
    Stored(u64),
    /// The stream holds it already.
    Duplicate,
    /// Another publisher's copy of the same id is on its way to a quorum (error 10158): not an acknowledgement, ask again.
    InProcess,
    /// Not stored.
    Refused(Refusal),
}

/// Why an event was not stored. Every one of them is answered with 503: Meta delivers again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// Nobody listens on the subject: no stream, or a stream without a leader.
    #[error("no stream takes this subject, or it has no leader")]
    NoStream,
    /// The stream is at `max_bytes` or `max_msgs` and discards new messages.
    #[error("the stream is full")]
    StreamFull,
    /// Another stream than the configured one takes the subject.
    #[error("another stream takes this subject")]
    OtherStream,
    /// The stream's own `max_msg_size` is smaller than the event.
    #[error("the event is larger than the stream takes")]
    TooLarge,
    /// The server has no memory, storage or leader to spare.
    #[error("the broker is out of resources")]
    Exhausted,
    /// The answer was not one of JetStream's.
    #[error("the broker's answer was not an acknowledgement")]
    Unreadable,
    /// An error code this table does not list.
    #[error("the broker refused with JetStream error {0}")]
    Code(u32),
    /// The connection ended before the answer.
    #[error("the connection to the broker was lost")]
    Disconnected,
    /// No answer within the deadline.
    #[error("the broker did not answer in time")]
    TimedOut,
    /// Another publisher's copy was still on its way to a quorum when the deadline came (error 10158).
    #[error("another receiver is storing the same event")]
    InProcess,
    /// Too many events are on their way already.
    #[error("too many events are on their way to the broker")]
    Busy,
    /// The stream's settings would break a promise, or nobody looked at them yet.
    #[error("the stream was not found fit to keep what it acknowledges; /readyz says why")]
    UnfitStream,
    /// The client refused to send it.
    #[error("the event could not be sent")]
    NotSent,
    /// The object it refers to could not be stored.
    #[error("the object store did not take the event's data")]
    ObjectStore,
}

impl Refusal {
    /// The refusal as a metric label and as an outcome on the status page.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoStream => "no_stream",
            Self::StreamFull => "stream_full",
            Self::OtherStream => "other_stream",
            Self::TooLarge => "too_large",
            Self::Exhausted => "exhausted",
            Self::Unreadable => "unreadable",
            Self::Code(_) => "refused",
            Self::Disconnected => "disconnected",
            Self::TimedOut => "timed_out",
            Self::InProcess => "in_process",
            Self::Busy => "busy",
            Self::UnfitStream => "unfit_stream",
            Self::NotSent => "not_sent",
            Self::ObjectStore => "object_store",
        }
    }
}

/// A publish acknowledgement or an error, as JetStream sends it.
#[derive(Deserialize)]
struct PubAck<'a> {
    #[serde(borrow, default)]
    stream: Option<std::borrow::Cow<'a, str>>,
    #[serde(default)]
    seq: Option<u64>,
    #[serde(default)]
    duplicate: bool,
    #[serde(default)]
    error: Option<ApiError>,
}

#[derive(Deserialize)]
struct ApiError {
    #[serde(default)]
    err_code: u32,
}

/// Reads the broker's answer to an event that was published to `stream`.
pub(super) fn read(message: &Message, stream: &str) -> Reply {
    if message.status == Some(StatusCode::NO_RESPONDERS) {
        return Reply::Refused(Refusal::NoStream);
    }
    let Ok(ack) = serde_json::from_slice::<PubAck<'_>>(&message.payload) else {
        return Reply::Refused(Refusal::Unreadable);
    };
    match (ack.error, ack.stream, ack.seq) {
        (Some(error), _, _) => by_code(error.err_code),
        (None, Some(name), _) if name != stream => Reply::Refused(Refusal::OtherStream),
        (None, Some(_), Some(seq)) if seq > 0 => {
            if ack.duplicate {
                Reply::Duplicate
            } else {
                Reply::Stored(seq)
            }
        }
        _ => Reply::Refused(Refusal::Unreadable),
    }
}

const fn by_code(code: u32) -> Reply {
    let refusal = match code {
        10158 => return Reply::InProcess,
        // Insufficient resources, storage and memory; no quorum; the cluster is not ready; JetStream is off.
        10008 | 10023 | 10028 | 10039 | 10047 | 10076 | 10167 => Refusal::Exhausted,
        10054 => Refusal::TooLarge,
        10059 => Refusal::NoStream,
        10060 => Refusal::OtherStream,
        10077 => Refusal::StreamFull,
        other => Refusal::Code(other),
    };
    Reply::Refused(refusal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(status: Option<u16>, payload: &'static str) -> Message {
        Message {
            subject: "_INBOX.a".into(),
            reply: None,
            payload: payload.into(),
            headers: None,
            status: status.and_then(|code| StatusCode::from_u16(code).ok()),
            description: None,
            length: payload.len(),
        }
    }

    fn read_ok(payload: &'static str) -> Reply {
        read(&message(None, payload), "S")
    }

    #[test]
    fn only_an_acknowledgement_of_our_stream_is_stored() {
        assert_eq!(read_ok(r#"{"stream":"S","seq":7}"#), Reply::Stored(7));
        assert_eq!(
            read_ok(r#"{"stream":"S","domain":"hub","seq":7,"duplicate":true}"#),
            Reply::Duplicate
        );
        for foreign in [
            r#"{"stream":"T","seq":7}"#,
            r#"{"stream":"T","seq":7,"duplicate":true}"#,
        ] {
            assert_eq!(
                read_ok(foreign),
                Reply::Refused(Refusal::OtherStream),
                "{foreign}"
            );
        }
        for junk in [
            "",
            "{}",
            "null",
            "[]",
            "+OK",
            r#"{"stream":"S"}"#,
            r#"{"stream":"S","seq":0}"#,
            r#"{"seq":4}"#,
        ] {
            assert_eq!(read_ok(junk), Reply::Refused(Refusal::Unreadable), "{junk}");
        }
        assert_eq!(
            read(&message(Some(503), ""), "S"),
            Reply::Refused(Refusal::NoStream)
        );
    }

    #[test]
    fn every_error_code_is_a_refusal_but_one_that_asks_to_try_again() {
        let error = |code: &str| -> &'static str {
            Box::leak(
                format!(
                    r#"{{"error":{{"code":503,"err_code":{code},"description":"x"}},"stream":"S","seq":0}}"#
                )
                .into(),
            )
        };
        assert_eq!(read_ok(error("10158")), Reply::InProcess);
        assert_eq!(read_ok(error("10077")), Reply::Refused(Refusal::StreamFull));
        assert_eq!(read_ok(error("10060")), Reply::Refused(Refusal::OtherStream));
        assert_eq!(read_ok(error("10999")), Reply::Refused(Refusal::Code(10999)));
    }
}
