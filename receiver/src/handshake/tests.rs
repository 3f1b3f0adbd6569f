//! The handshake table: what is verified, and why everything else is refused.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;

use super::*;

const TOKEN: &[u8] = b"correct-horse-battery";

fn decide(query: &str) -> HandshakeOutcome {
    Handshake::decide(Some(query), Some(TOKEN))
}

fn verified(challenge: &[u8]) -> HandshakeOutcome {
    HandshakeOutcome::Verified {
        challenge: challenge.to_vec(),
    }
}

/// Encodes every byte, so that any value survives the way through a query.
fn encoded(bytes: &[u8]) -> String {
    percent_encoding::percent_encode(bytes, percent_encoding::NON_ALPHANUMERIC).to_string()
}

#[test]
fn verified_handshakes() {
    let table: [(&str, &[u8]); 12] = [
        (
            "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=correct-horse-battery",
            b"1158201444",
        ),
        // Any order, and parameters a proxy added.
        (
            "utm=1&hub.verify_token=correct-horse-battery&x&hub.challenge=7&=&hub.mode=subscribe&&",
            b"7",
        ),
        // Names may be encoded as well.
        (
            "hub%2Emode=subscribe&hub%2everify_token=correct-horse-battery&hub%2Echallenge=1",
            b"1",
        ),
        (
            "hub.mode=%73ubscribe&hub.verify_token=correct%2Dhorse%2dbattery&hub.challenge=1",
            b"1",
        ),
        // The challenge is bytes, not a number.
        (
            "hub.mode=subscribe&hub.verify_token=correct-horse-battery&hub.challenge=007",
            b"007",
        ),
        (
            "hub.mode=subscribe&hub.verify_token=correct-horse-battery&hub.challenge=-1e9999",
            b"-1e9999",
        ),
        (
            "hub.mode=subscribe&hub.verify_token=correct-horse-battery&hub.challenge=a+b%2Bc",
            b"a b+c",
        ),
        (
            "hub.mode=subscribe&hub.verify_token=correct-horse-battery&hub.challenge=a=b",
            b"a=b",
        ),
        (
            "hub.mode=subscribe&hub.verify_token=correct-horse-battery&hub.challenge=%00%FF%0D%0A",
            b"\x00\xff\r\n",
        ),
        (
            "hub.mode=subscribe&hub.verify_token=correct-horse-battery&hub.challenge=%C3%A9",
            "é".as_bytes(),
        ),
        // A percent sign that encodes nothing stays what it is.
        (
            "hub.mode=subscribe&hub.verify_token=correct-horse-battery&hub.challenge=100%",
            b"100%",
        ),
        (
            "hub.mode=subscribe&hub.verify_token=correct-horse-battery&hub.challenge=%3Cscript%3E",
            b"<script>",
        ),
    ];
    for (query, challenge) in table {
        assert_eq!(decide(query), verified(challenge), "{query}");
    }
}

#[test]
fn refused_handshakes() {
    use Refusal::*;
    let table = [
        ("", ModeMissing),
        (
            "hub.challenge=1&hub.verify_token=correct-horse-battery",
            ModeMissing,
        ),
        // PHP's spelling of the names is not Meta's.
        (
            "hub_mode=subscribe&hub_challenge=1&hub_verify_token=correct-horse-battery",
            ModeMissing,
        ),
        (
            "HUB.MODE=subscribe&hub.challenge=1&hub.verify_token=correct-horse-battery",
            ModeMissing,
        ),
        (
            "hub.mode&hub.challenge=1&hub.verify_token=correct-horse-battery",
            ModeWrong,
        ),
        (
            "hub.mode=unsubscribe&hub.challenge=1&hub.verify_token=correct-horse-battery",
            ModeWrong,
        ),
        (
            "hub.mode=Subscribe&hub.challenge=1&hub.verify_token=correct-horse-battery",
            ModeWrong,
        ),
        ("hub.mode=subscribe&hub.challenge=1", TokenMissing),
        ("hub.mode=subscribe&hub.challenge=1&hub.verify_token", TokenWrong),
        ("hub.mode=subscribe&hub.challenge=1&hub.verify_token=", TokenWrong),
        (
            "hub.mode=subscribe&hub.challenge=1&hub.verify_token=wrong",
            TokenWrong,
        ),
        (
            "hub.mode=subscribe&hub.challenge=1&hub.verify_token=correct-horse-batter",
            TokenWrong,
        ),
        (
            "hub.mode=subscribe&hub.challenge=1&hub.verify_token=correct-horse-battery%00",
            TokenWrong,
        ),
        (
            "hub.mode=subscribe&hub.challenge=1&hub.verify_token=correct-horse-battery+",
            TokenWrong,
        ),
        (
            "hub.mode=subscribe&hub.challenge=1&hub.verify_token=Correct-horse-battery",
            TokenWrong,
        ),
        (
            "hub.mode=subscribe&hub.verify_token=correct-horse-battery",
            ChallengeMissing,
        ),
        (
            "hub.mode=subscribe&hub.verify_token=correct-horse-battery&hub.challenge=",
            ChallengeMissing,
        ),
        (
            "hub.mode=subscribe&hub.mode=subscribe&hub.verify_token=correct-horse-battery&hub.challenge=1",
            RepeatedParameter,
        ),
        (
            "hub.mode=subscribe&hub%2Emode=x&hub.verify_token=correct-horse-battery&hub.challenge=1",
            RepeatedParameter,
        ),
        (
            "hub.mode=subscribe&hub.verify_token=wrong&hub.verify_token=correct-horse-battery&hub.challenge=1",
            RepeatedParameter,
        ),
        (
            "hub.mode=subscribe&hub.verify_token=correct-horse-battery&hub.challenge=1&hub.challenge=2",
            RepeatedParameter,
        ),
    ];
    for (query, refusal) in table {
        assert_eq!(decide(query), HandshakeOutcome::Refused(refusal), "{query}");
    }
    assert_eq!(
        Handshake::decide(None, Some(TOKEN)),
        HandshakeOutcome::Refused(ModeMissing)
    );
}

#[test]
fn without_a_configured_token_nothing_is_verified() {
    for token in [None, Some(b"".as_slice())] {
        for given in ["", "anything"] {
            let query = format!("hub.mode=subscribe&hub.challenge=1&hub.verify_token={given}");
            let outcome = Handshake::decide(Some(&query), token);
            assert_eq!(outcome, HandshakeOutcome::Refused(Refusal::NotConfigured));
        }
    }
}

#[test]
fn the_challenge_has_a_longest_length() {
    let query = |length| {
        let challenge = "x".repeat(length);
        format!("hub.mode=subscribe&hub.verify_token=correct-horse-battery&hub.challenge={challenge}")
    };
    assert_eq!(decide(&query(MAX_CHALLENGE)), verified(&[b'x'; MAX_CHALLENGE]));
    let too_long = decide(&query(MAX_CHALLENGE + 1));
    assert_eq!(too_long, HandshakeOutcome::Refused(Refusal::ChallengeTooLong));
}

fn nonce(query: &str) -> Option<ProbeNonce> {
    ProbeNonce::from_query(Some(query))
}

#[test]
fn the_probe_nonce_has_one_shape() {
    assert_eq!(
        nonce("wahook.nonce=aZ09_-"),
        Some(ProbeNonce("aZ09_-".to_owned()))
    );
    assert_eq!(nonce("a=b&wahook%2Enonce=%61"), Some(ProbeNonce("a".to_owned())));
    assert!(nonce(&format!("wahook.nonce={}", "n".repeat(64))).is_some());
    assert!(nonce(&format!("wahook.nonce={}", "n".repeat(65))).is_none());
    for bad in [
        "",
        "wahook.nonce",
        "wahook.nonce=",
        "wahook.nonce=a+b",
        "wahook.nonce=%C3%A9",
        "wahook.nonce=a%0D%0Ab",
    ] {
        assert_eq!(nonce(bad), None, "{bad}");
    }
    assert_eq!(nonce("wahook.nonce=a&wahook.nonce=a"), None);
    assert_eq!(ProbeNonce::from_query(None), None);
}

#[test]
fn the_probe_answer_depends_on_key_and_nonce() {
    let nonce = ProbeNonce("abc".to_owned());
    let answer = probe_answer(b"probe-key", &nonce);
    assert_eq!(
        answer,
        crate::signature::sign(b"probe-key", b"wahook-probe-v1:abc")
    );
    assert_ne!(answer, probe_answer(b"other-key", &nonce));
    assert_ne!(answer, probe_answer(b"probe-key", &ProbeNonce("abd".to_owned())));
}

proptest! {
    /// Whatever bytes the challenge has, the same bytes come back.
    #[test]
    fn any_challenge_comes_back(challenge in proptest::collection::vec(any::<u8>(), 1..200), token in proptest::collection::vec(any::<u8>(), 1..64)) {
        let query = format!(
            "hub.mode=subscribe&hub.challenge={}&hub.verify_token={}",
            encoded(&challenge),
            encoded(&token),
        );
        prop_assert_eq!(Handshake::decide(Some(&query), Some(&token)), verified(&challenge));
    }

    /// No query panics, and none without the token verifies.
    #[test]
    fn no_query_gets_through_by_accident(query in "\\PC{0,120}") {
        let refused = matches!(decide(&query), HandshakeOutcome::Refused(_));
        prop_assert!(refused);
    }
}
