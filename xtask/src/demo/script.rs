//! What the demo sends, and for each request what must come back and what must be stored.

use serde_json::Value;
use wahook_events::samples;

use super::expected::{Expected, Payload, events};

/// One request and what must come of it.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) what: &'static str,
    pub(super) why: &'static str,
    pub(super) request: Request,
    pub(super) status: u16,
    /// The answer's whole body.
    pub(super) says: String,
    /// The events that must be new in the stream.
    pub(super) new: Vec<Expected>,
    /// How many events of the body the stream holds already.
    pub(super) known: usize,
}

#[derive(Debug)]
pub(super) enum Request {
    /// Meta's GET when the webhook is registered.
    Handshake {
        right_token: bool,
        challenge: &'static str,
    },
    /// Meta's POST.
    Delivery { body: String, signature: Signature },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signature {
    Right,
    /// Of the right shape, made with another secret.
    Wrong,
    Absent,
}

const RECEIVED: &str = r#"{"status":"received"}"#;
const INVALID: &str = r#"{"error":"Invalid signature"}"#;
/// A body that was cut off before it was signed.
const CUT_OFF: &str = r#"{"object":"whatsapp_business_account","entry":[{"id":"#;
/// Not a number on purpose: the answer is the challenge byte for byte, whatever it is.
const CHALLENGE: &str = "0012 & 1158201444";

/// The demo cannot be set up from the samples.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ScriptError {
    /// There is no such sample.
    #[error("there is no sample named {0}; `wahook-receiver send --list` shows all")]
    NoSample(&'static str),
    /// A sample does not look like what the demo expects of it.
    #[error("a sample is not what the demo takes it for: {0}. Compare it with xtask/src/demo/script.rs")]
    Sample(#[from] serde_json::Error),
    /// As before.
    #[error("the sample `guide` holds no message; compare it with xtask/src/demo/script.rs")]
    NoMessage,
}

/// Every step, in order.
pub(super) fn steps() -> Result<Vec<Step>, ScriptError> {
    let guide = sample("guide")?;
    let batch = sample("batch")?;
    let test = sample("dashboard_test")?;
    let regrouped = with_one_more(guide)?;
    let mut regrouped_events = events(&regrouped)?;
    let test_event = || -> Result<Vec<Expected>, ScriptError> {
        let as_test = |event| Expected {
            family: "test".to_owned(),
            ..event
        };
        Ok(events(test)?.into_iter().map(as_test).collect())
    };
    Ok(vec![
        handshake("handshake", "Meta asks once, at registration", true),
        handshake(
            "handshake with a wrong token",
            "a stranger, or a typing error",
            false,
        ),
        stored("one text message", "the usual delivery", guide, events(guide)?),
        stored(
            "a batch of all types and statuses",
            "one event each, unknown types included",
            batch,
            events(batch)?,
        ),
        repeated("the same batch again", "a repeat: nothing is stored twice", batch)?,
        Step {
            known: 1,
            ..stored(
                "the first message and a new one",
                "a repeat in other bytes: one is new",
                &regrouped,
                regrouped_events.split_off(1),
            )
        },
        refused(
            "a message, signed wrongly",
            "not from Meta, never parsed",
            Signature::Wrong,
            guide,
        )?,
        refused(
            "a message, not signed",
            "not from Meta, never parsed",
            Signature::Absent,
            guide,
        )?,
        stored(
            "the dashboard's Test button",
            "constant ids: a family of its own",
            test,
            test_event()?,
        ),
        stored(
            "the Test button again",
            "every click is an event of its own",
            test,
            test_event()?,
        ),
        Step {
            says: r#"{"message":"the body is not JSON","status":"error"}"#.to_owned(),
            ..stored(
                "signed, but cut off",
                "no use repeating: a dead letter",
                CUT_OFF,
                vec![Expected {
                    family: "dead_letter".to_owned(),
                    kind: "not_json".to_owned(),
                    account: "_".to_owned(),
                    payload: Payload::Is(CUT_OFF.to_owned()),
                }],
            )
        },
    ])
}

fn handshake(what: &'static str, why: &'static str, right_token: bool) -> Step {
    let (status, says) = if right_token {
        (200, CHALLENGE)
    } else {
        (403, "Verification failed")
    };
    Step {
        what,
        why,
        request: Request::Handshake {
            right_token,
            challenge: CHALLENGE,
        },
        status,
        says: says.to_owned(),
        new: Vec::new(),
        known: 0,
    }
}

fn stored(what: &'static str, why: &'static str, body: &str, new: Vec<Expected>) -> Step {
    Step {
        what,
        why,
        request: Request::Delivery {
            body: body.to_owned(),
            signature: Signature::Right,
        },
        status: 200,
        says: RECEIVED.to_owned(),
        new,
        known: 0,
    }
}

fn repeated(what: &'static str, why: &'static str, body: &str) -> Result<Step, ScriptError> {
    Ok(Step {
        known: events(body)?.len(),
        ..stored(what, why, body, Vec::new())
    })
}

/// A message that nobody has seen, so that it would be stored if the signature let it through.
fn refused(
    what: &'static str,
    why: &'static str,
    signature: Signature,
    body: &str,
) -> Result<Step, ScriptError> {
    let unseen = body.replace("MESSAGE_ID", "MESSAGE_ID_UNSEEN");
    // Proves that it would have been an event.
    events(&unseen)?;
    Ok(Step {
        request: Request::Delivery {
            body: unseen,
            signature,
        },
        status: 401,
        says: INVALID.to_owned(),
        ..stored(what, why, body, Vec::new())
    })
}

/// A body with the message of `body` and after it a second one: other bytes, another signature.
fn with_one_more(body: &str) -> Result<String, ScriptError> {
    let mut body: Value = serde_json::from_str(body)?;
    let messages = body
        .pointer_mut("/entry/0/changes/0/value/messages")
        .and_then(Value::as_array_mut)
        .ok_or(ScriptError::NoMessage)?;
    let mut second = messages.first().cloned().ok_or(ScriptError::NoMessage)?;
    second["id"] = "MESSAGE_ID_2".into();
    second["text"]["body"] = "Are you open on Sunday?".into();
    messages.push(second);
    Ok(body.to_string())
}

fn sample(name: &'static str) -> Result<&'static str, ScriptError> {
    samples::get(name)
        .map(|sample| sample.body)
        .ok_or(ScriptError::NoSample(name))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn the_batch_shows_every_family_a_body_can_mix() {
        let steps = steps().unwrap();
        let batch = &steps[3].new;
        for family in [
            "messages",
            "statuses",
            "errors",
            "calls",
            "user_actions",
            "smb_message_echoes",
        ] {
            assert!(batch.iter().any(|event| event.family == family), "{family}");
        }
        assert!(batch.len() > 50, "{}", batch.len());
        assert_eq!(steps[4].known, batch.len());
    }

    #[test]
    fn a_repeat_in_another_body_shares_no_bytes_with_the_first() {
        let steps = steps().unwrap();
        let body = |place: usize| match &steps[place].request {
            Request::Delivery { body, .. } => body.clone(),
            Request::Handshake { .. } => panic!("a delivery"),
        };
        assert_ne!(body(2), body(5));
        assert_eq!(events(&body(5)).unwrap().len(), 2);
        assert_eq!(steps[5].new.len(), 1);
    }
}
