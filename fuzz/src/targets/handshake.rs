//! The query of Meta's handshake.

use wahook_receiver::handshake::{Handshake, HandshakeOutcome, MAX_CHALLENGE};

use super::{Target, texts};

pub(super) const TARGET: Target = Target {
    name: "handshake",
    about: "the query of a GET: verified exactly when another reader of forms finds the three parameters right",
    seeds,
    run,
};

const TOKEN: &str = "the+token of 2026&more";

fn seeds() -> Vec<Vec<u8>> {
    let token = "the%2Btoken+of%202026%26more";
    texts(&[
        &format!("hub.mode=subscribe&hub.verify_token={token}&hub.challenge=1158201444"),
        &format!("hub.challenge=%00%ff%F0&hub.verify_token={token}&hub.mode=subscribe&utm=1"),
        &format!("hub.mode=subscribe&hub.mode=subscribe&hub.verify_token={token}&hub.challenge=1"),
        &format!(
            "hub%2Emode=subscribe&hub.verify_token={token}&hub.challenge={}",
            "7".repeat(4096)
        ),
        "hub.mode=subscribe&hub.verify_token=wrong&hub.challenge=1",
        "hub.mode&hub.verify_token&hub.challenge",
        "&&==&%&%2",
    ])
}

fn run(data: &[u8]) {
    let Ok(query) = std::str::from_utf8(data) else {
        return;
    };
    let pairs: Vec<_> = form_urlencoded::parse(data).collect();
    let only = |name: &str| {
        let mut values = pairs.iter().filter(|(given, _)| given == name);
        let first = values.next().map(|(_, value)| value.as_ref());
        first.filter(|_| values.next().is_none())
    };
    let mode_and_token = only("hub.mode") == Some("subscribe") && only("hub.verify_token") == Some(TOKEN);
    let outcome = Handshake::decide(Some(query), Some(TOKEN.as_bytes()));
    match (outcome, only("hub.challenge")) {
        (HandshakeOutcome::Verified { challenge }, expected) => {
            assert!(mode_and_token);
            assert!((1..=MAX_CHALLENGE).contains(&challenge.len()));
            // The other reader replaces what is not UTF-8.
            assert_eq!(expected, Some(&*String::from_utf8_lossy(&challenge)));
        }
        (HandshakeOutcome::Refused(_), Some(expected)) => {
            let is_right = mode_and_token && (1..=MAX_CHALLENGE).contains(&expected.len());
            assert!(!is_right, "refused although everything is right");
        }
        (HandshakeOutcome::Refused(_), None) => {}
    }
    let without = Handshake::decide(Some(query), None);
    assert!(
        matches!(without, HandshakeOutcome::Refused(_)),
        "no token is configured"
    );
}
