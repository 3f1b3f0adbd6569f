//! `Receiving`: whether signed events arrive. It informs, and never blocks `Ready`.

use wahook_crds::conditions::{ConditionType, Reason};

use super::{Facts, Finding, find};
use crate::receivers::{Seen, Signatures};

pub(super) fn finding(facts: &Facts<'_>) -> Finding {
    if facts.validated.spec.suspend {
        return Finding::bad(Reason::Suspended, "The webhook is suspended.");
    }
    // Receivers remember nothing of their predecessors, the condition does: as long as it is the same URL.
    let status = facts.resource.status.as_ref();
    let same_url = status.and_then(|status| status.callback_url.as_deref())
        == Some(facts.validated.route.url().as_str());
    let before = status
        .and_then(|status| find(&status.conditions, ConditionType::Receiving))
        .map(|condition| condition.reason.as_str())
        .filter(|_| same_url);
    // What is in the stream was signed. It outlives receivers that were replaced before they were asked.
    let stored = facts.stream.usage.is_some_and(|usage| usage.bytes > 0);
    let before = if stored {
        Some(Reason::EventsArriving.as_str())
    } else {
        before
    };
    decide(facts.seen, before)
}

/// `before` is the reason that the condition has had for this URL, or could have had.
fn decide(seen: Option<&Seen>, before: Option<&str>) -> Finding {
    let was = |reason: Reason| before == Some(reason.as_str());
    let Some(seen) = seen.filter(|seen| seen.answered) else {
        return if was(Reason::EventsArriving) {
            arriving()
        } else if was(Reason::AwaitingFirstEvent) {
            first_event()
        } else if was(Reason::AwaitingHandshake) {
            handshake(None)
        } else {
            Finding::unknown(
                Reason::Pending,
                "No receiver has said yet what it has seen. The operator asks them on their admin port.",
            )
        };
    };
    if seen.signatures == Signatures::Wrong {
        return Finding::bad(
            Reason::SignaturesWrong,
            "Requests arrive and none has a right signature. Compare the app secret with Meta's App Dashboard (App settings, \
             Basic), or let a refused request be explained: wahook-receiver verify-signature. Requests of strangers look \
             the same.",
        );
    }
    if seen.signatures == Signatures::Right || was(Reason::EventsArriving) {
        arriving()
    } else if seen.verified || was(Reason::AwaitingFirstEvent) {
        first_event()
    } else {
        handshake(seen.refused.as_deref())
    }
}

fn arriving() -> Finding {
    Finding::good(Reason::EventsArriving, "Signed events arrive.")
}

fn first_event() -> Finding {
    Finding::bad(
        Reason::AwaitingFirstEvent,
        "Meta has verified the callback URL and sent no event yet. Send the number a message. If nothing comes: the app is \
         not Live, the field messages is not subscribed, or the WhatsApp Business Account is not subscribed to the app. \
         GET /WABA-ID/subscribed_apps of the Graph API lists the apps that are, POST to it subscribes yours.",
    )
}

fn handshake(refused: Option<&str>) -> Finding {
    let last = match refused {
        Some("token_wrong") => {
            " The last attempt had another verify token than the one in status.verifyTokenSecret."
        }
        Some(_) => " The last attempt was not the handshake that Meta sends.",
        None => "",
    };
    Finding::bad(
        Reason::AwaitingHandshake,
        format!(
            "Meta has not verified the callback URL yet: enter it with the verify token in the App Dashboard, WhatsApp, \
             Configuration.{last}"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::super::Truth;
    use super::*;

    const ARRIVING: &str = Reason::EventsArriving.as_str();
    const FIRST: &str = Reason::AwaitingFirstEvent.as_str();
    const WRONG: &str = Reason::SignaturesWrong.as_str();

    fn seen(change: impl Fn(&mut Seen)) -> Seen {
        let mut seen = Seen {
            answered: true,
            ..Seen::default()
        };
        change(&mut seen);
        seen
    }

    #[test]
    fn what_was_known_outlives_the_receivers_that_knew_it() {
        let nothing = seen(|_| {});
        let verified = seen(|seen| seen.verified = true);
        let signed = seen(|seen| seen.signatures = Signatures::Right);
        let wrong = seen(|seen| seen.signatures = Signatures::Wrong);
        for (seen, before, truth, reason) in [
            (None, None, Truth::Unknown, Reason::Pending),
            (None, Some(ARRIVING), Truth::True, Reason::EventsArriving),
            (None, Some(FIRST), Truth::False, Reason::AwaitingFirstEvent),
            (Some(&nothing), None, Truth::False, Reason::AwaitingHandshake),
            (
                Some(&nothing),
                Some(FIRST),
                Truth::False,
                Reason::AwaitingFirstEvent,
            ),
            (
                Some(&nothing),
                Some(ARRIVING),
                Truth::True,
                Reason::EventsArriving,
            ),
            (
                Some(&nothing),
                Some(WRONG),
                Truth::False,
                Reason::AwaitingHandshake,
            ),
            (Some(&verified), None, Truth::False, Reason::AwaitingFirstEvent),
            (Some(&signed), None, Truth::True, Reason::EventsArriving),
            (Some(&signed), Some(WRONG), Truth::True, Reason::EventsArriving),
            (
                Some(&wrong),
                Some(ARRIVING),
                Truth::False,
                Reason::SignaturesWrong,
            ),
        ] {
            let finding = decide(seen, before);
            assert_eq!(
                (finding.truth, finding.reason),
                (truth, reason),
                "{seen:?} {before:?}"
            );
        }
    }

    #[test]
    fn a_wrong_token_is_named() {
        let refused =
            |why: &str| decide(Some(&seen(|seen| seen.refused = Some(why.to_owned()))), None).message;
        assert!(refused("token_wrong").contains("another verify token"));
        assert!(refused("mode_wrong").contains("not the handshake that Meta sends"));
    }
}
