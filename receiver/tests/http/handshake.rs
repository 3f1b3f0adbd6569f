//! Meta's subscription handshake and the operator's probe.

use std::fmt::Write as _;

use wahook_testbed::meta::sign;

use crate::common_http::{House, TOKEN, house};

const COUNTER: &str = "whatsapp_webhook_handshakes_total";

fn request(query: &str) -> String {
    format!("GET /webhook{query} HTTP/1.1\r\nHost: hooks\r\n\r\n")
}

fn percent_encoded(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "%{byte:02x}");
        text
    })
}

async fn counted(house: &House, reason: &str) -> usize {
    house.metric(COUNTER, &[("reason", reason)]).await
}

#[tokio::test]
async fn the_challenge_comes_back_byte_for_byte() {
    let house = house("handshake-challenge").open().await;
    let every_byte: Vec<u8> = (0..=255).collect();
    let longest: Vec<u8> = every_byte.repeat(16);
    assert_eq!(longest.len(), 4096);
    let challenges: Vec<(&str, String, Vec<u8>)> = vec![
        ("a number", "1158201444".into(), b"1158201444".to_vec()),
        ("leading zeros", "000123".into(), b"000123".to_vec()),
        (
            "beyond 64 bits",
            "99999999999999999999999999".into(),
            b"99999999999999999999999999".to_vec(),
        ),
        ("a sign", "%2B1".into(), b"+1".to_vec()),
        ("a fraction", "1.10".into(), b"1.10".to_vec()),
        ("an exponent", "1e5".into(), b"1e5".to_vec()),
        ("text", "abc-DEF_~".into(), b"abc-DEF_~".to_vec()),
        ("a space as a plus sign", "a+b".into(), b"a b".to_vec()),
        ("a space", "a%20b".into(), b"a b".to_vec()),
        ("a newline at the end", "42%0A".into(), b"42\n".to_vec()),
        ("spaces around", "%2042+".into(), b" 42 ".to_vec()),
        (
            "markup",
            "%3Cscript%3Ealert(1)%3C/script%3E".into(),
            b"<script>alert(1)</script>".to_vec(),
        ),
        (
            "line ends",
            "a%0D%0AX-Evil:%201%0D%0A%0D%0Ab".into(),
            b"a\r\nX-Evil: 1\r\n\r\nb".to_vec(),
        ),
        ("every byte", percent_encoded(&every_byte), every_byte),
        ("4096 bytes", percent_encoded(&longest), longest),
    ];
    let count = challenges.len();
    for (name, encoded, expected) in challenges {
        let query = format!("?hub.mode=subscribe&hub.challenge={encoded}&hub.verify_token={TOKEN}");
        let answer = house.raw(request(&query)).await;
        assert_eq!(answer.status, 200, "{name}");
        assert_eq!(answer.body, expected, "{name}");
        assert_eq!(
            answer.header("content-type"),
            Some("text/plain; charset=utf-8"),
            "{name}"
        );
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{name}");
        assert_eq!(answer.header("x-evil"), None, "{name}");
    }
    assert_eq!(counted(&house, "verified").await, count);
}

#[tokio::test]
async fn names_and_values_may_be_encoded_reordered_and_mixed_with_others() {
    // A token with characters that mean something in a query.
    let token = "tok+en &=%#/\u{e9} of the tests";
    let house = house("handshake-encoded")
        .secret("verify-token", token)
        .open()
        .await;
    let encoded = percent_encoded(token.as_bytes());
    for query in [
        format!("?hub.mode=subscribe&hub.verify_token={encoded}&hub.challenge=7"),
        format!("?hub.challenge=7&hub.verify_token={encoded}&hub.mode=subscribe"),
        format!("?hub%2Emode=subscribe&hub%2Everify_token={encoded}&%68ub.challenge=%37"),
        format!("?utm=1&hub.mode=sub%73cribe&x&hub.verify_token={encoded}&hub.challenge=7&=&y=2"),
    ] {
        let answer = house.raw(request(&query)).await;
        assert_eq!(
            (answer.status, answer.body.as_slice()),
            (200, b"7".as_slice()),
            "{query}"
        );
    }
}

const WRONG: &str = "not-the-token-at-all";

/// Queries that are no handshake, with the reason each is counted under.
fn refused() -> Vec<(&'static str, String)> {
    let upper = TOKEN.to_uppercase();
    let (shorter, longer) = (&TOKEN[..TOKEN.len() - 1], format!("{TOKEN}x"));
    let too_long = "1".repeat(4097);
    let right = format!("hub.verify_token={TOKEN}");
    vec![
        ("mode_missing", String::new()),
        ("mode_missing", "?".into()),
        ("mode_missing", format!("?{right}&hub.challenge=1")),
        (
            "mode_missing",
            format!("?hub_mode=subscribe&{right}&hub.challenge=1"),
        ),
        (
            "mode_missing",
            format!("?HUB.MODE=subscribe&{right}&hub.challenge=1"),
        ),
        (
            "mode_wrong",
            format!("?hub.mode=unsubscribe&{right}&hub.challenge=1"),
        ),
        (
            "mode_wrong",
            format!("?hub.mode=Subscribe&{right}&hub.challenge=1"),
        ),
        ("mode_wrong", format!("?hub.mode=&{right}&hub.challenge=1")),
        ("token_missing", "?hub.mode=subscribe&hub.challenge=1".into()),
        (
            "token_wrong",
            format!("?hub.mode=subscribe&hub.verify_token={WRONG}&hub.challenge=1"),
        ),
        (
            "token_wrong",
            format!("?hub.mode=subscribe&hub.verify_token={upper}&hub.challenge=1"),
        ),
        (
            "token_wrong",
            format!("?hub.mode=subscribe&hub.verify_token={shorter}&hub.challenge=1"),
        ),
        (
            "token_wrong",
            format!("?hub.mode=subscribe&hub.verify_token={longer}&hub.challenge=1"),
        ),
        (
            "token_wrong",
            format!("?hub.mode=subscribe&hub.verify_token=%20{TOKEN}&hub.challenge=1"),
        ),
        (
            "token_wrong",
            format!("?hub.mode=subscribe&hub.verify_token={TOKEN}%00&hub.challenge=1"),
        ),
        (
            "token_wrong",
            "?hub.mode=subscribe&hub.verify_token=&hub.challenge=1".into(),
        ),
        (
            "token_wrong",
            "?hub.mode=subscribe&hub.verify_token&hub.challenge=1".into(),
        ),
        ("challenge_missing", format!("?hub.mode=subscribe&{right}")),
        (
            "challenge_missing",
            format!("?hub.mode=subscribe&{right}&hub.challenge="),
        ),
        (
            "challenge_too_long",
            format!("?hub.mode=subscribe&{right}&hub.challenge={too_long}"),
        ),
        (
            "repeated_parameter",
            format!("?hub.mode=subscribe&hub.mode=subscribe&{right}&hub.challenge=1"),
        ),
        (
            "repeated_parameter",
            format!("?hub.mode=subscribe&{right}&{right}&hub.challenge=1"),
        ),
        (
            "repeated_parameter",
            format!("?hub.mode=subscribe&hub.verify_token={WRONG}&{right}&hub.challenge=1"),
        ),
        (
            "repeated_parameter",
            format!("?hub.mode=subscribe&{right}&hub%2everify_token={WRONG}&hub.challenge=1"),
        ),
        (
            "repeated_parameter",
            format!("?hub.mode=subscribe&{right}&hub.challenge=1&hub.challenge=2"),
        ),
    ]
}

#[tokio::test]
async fn whatever_is_not_right_is_403_and_counted_by_its_reason() {
    let house = house("handshake-wrong").open().await;
    let cases = refused();
    for (reason, query) in &cases {
        let before = counted(&house, reason).await;
        let answer = house.raw(request(query)).await;
        assert_eq!(
            (answer.status, answer.body.as_slice()),
            (403, b"Verification failed".as_slice()),
            "{query}"
        );
        assert_eq!(counted(&house, reason).await, before + 1, "{reason}: {query}");
        assert_eq!(
            house.status().await["lastHandshake"]["outcome"],
            *reason,
            "{query}"
        );
        let logged = format!("\"reason\":\"{reason}\"");
        assert!(
            house.receiver.log().says(&logged).await,
            "{}",
            house.receiver.log().tail(3)
        );
    }
    assert_eq!(counted(&house, "verified").await, 0);
    assert_eq!(
        house
            .metric(
                "whatsapp_webhook_requests_total",
                &[("status", "rejected"), ("type", "verification")]
            )
            .await,
        cases.len()
    );

    // Neither the right token nor a wrong one, which may be the right one of something else.
    let told = [
        house.receiver.log().text(),
        house.status().await.to_string(),
        house.receiver.admin("/metrics").await.unwrap().1,
    ];
    for secret in [TOKEN, WRONG, &TOKEN.to_uppercase(), &TOKEN[..TOKEN.len() - 1]] {
        assert!(!told.iter().any(|text| text.contains(secret)));
    }
}

#[tokio::test]
async fn a_right_handshake_is_counted_logged_and_on_the_status_page_without_the_token() {
    let house = house("handshake-right").open().await;
    assert!(house.status().await["lastHandshake"].is_null());
    assert_eq!(
        house
            .meta()
            .handshake(TOKEN, "secret-challenge")
            .await
            .unwrap()
            .status,
        200
    );
    assert_eq!(counted(&house, "verified").await, 1);
    let status = house.status().await;
    assert_eq!(status["lastHandshake"]["outcome"], "verified");
    assert!(
        status["lastHandshake"]["at"]
            .as_str()
            .unwrap()
            .parse::<jiff::Timestamp>()
            .is_ok()
    );
    let log = house.receiver.log();
    assert!(log.says("the subscription handshake succeeded").await);
    assert!(!log.contains(TOKEN) && !log.contains("secret-challenge"));
}

#[tokio::test]
async fn a_probe_gets_its_proof_and_is_not_counted() {
    let key = "probe-key-of-the-tests-0123456789";
    let house = house("handshake-probe").secret("probe-key", key).open().await;
    let nonce = "n0nce_-Z";
    let answer = house.raw(request(&format!("?wahook.nonce={nonce}"))).await;
    assert_eq!(
        (answer.status, answer.body.as_slice()),
        (403, b"Verification failed".as_slice())
    );
    let expected = sign(key, format!("wahook-probe-v1:{nonce}").as_bytes());
    assert_eq!(answer.header("x-wahook-probe"), Some(expected.as_str()));

    assert_eq!(house.metric(COUNTER, &[]).await, 0);
    assert_eq!(house.metric("whatsapp_webhook_requests_total", &[]).await, 0);
    assert!(house.status().await["lastHandshake"].is_null());
    assert!(!house.receiver.log().contains("handshake was refused"));

    // What is no nonce proves nothing and is counted as what it is.
    for query in [
        "",
        "?wahook.nonce=",
        "?wahook.nonce=a%20b",
        "?wahook.nonce=a&wahook.nonce=b",
    ] {
        let answer = house.raw(request(query)).await;
        assert_eq!(
            (answer.status, answer.header("x-wahook-probe")),
            (403, None),
            "{query}"
        );
    }
    let long = house
        .raw(request(&format!("?wahook.nonce={}", "a".repeat(65))))
        .await;
    assert_eq!(long.header("x-wahook-probe"), None);
    assert_eq!(counted(&house, "mode_missing").await, 5);
}

#[tokio::test]
async fn a_probe_cannot_be_used_to_try_tokens_uncounted() {
    let key = "probe-key-of-the-tests-0123456789";
    let house = house("handshake-guessing").secret("probe-key", key).open().await;
    let query = "?hub.mode=subscribe&hub.verify_token=a-guess-by-a-stranger&hub.challenge=1&wahook.nonce=a";
    assert_eq!(house.raw(request(query)).await.status, 403);
    assert_eq!(counted(&house, "token_wrong").await, 1);

    let body = crate::common_http::text_message("probe-post", "hello");
    let unsigned = format!(
        "POST /webhook?wahook.nonce=a HTTP/1.1\r\nHost: hooks\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    assert_eq!(house.raw(unsigned).await.status, 401);
    assert_eq!(
        house
            .metric("whatsapp_webhook_requests_total", &[("status", "rejected")])
            .await,
        2
    );
}

/// The probe's `POST` finds out what bodies a proxy lets through.
#[tokio::test]
async fn a_large_body_of_the_probe_is_read_to_its_end_and_is_nobodys_traffic() {
    let key = "probe-key-of-the-tests-0123456789";
    let house = house("handshake-large").secret("probe-key", key).open().await;
    let large = "x".repeat(3 * 1024 * 1024);
    let post = |nonce: &str, proof: &str, body: &str| {
        format!(
            "POST /webhook?wahook.nonce={nonce} HTTP/1.1\r\nHost: hooks\r\nx-wahook-probe: {proof}\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let proof = sign(key, b"wahook-probe-post-v1:one");
    let answer = house.raw(post("one", &proof, &large)).await;
    assert_eq!(answer.status, 401);
    let expected = sign(key, b"wahook-probe-v1:one");
    assert_eq!(answer.header("x-wahook-probe"), Some(expected.as_str()));
    let answer = house.raw(post("one", &proof, &format!("{large}x"))).await;
    assert_eq!(answer.status, 413, "the receiver's own limit shows as well");
    assert_eq!(house.metric("whatsapp_webhook_requests_total", &[]).await, 0);
    assert_eq!(
        house
            .metric("whatsapp_webhook_signature_failures_total", &[])
            .await,
        0
    );

    // What anybody can make up, or has seen in an answer, hides nothing.
    for proof in [
        "",
        &expected,
        &sign(key, b"wahook-probe-post-v1:two"),
        &sign("guess", b"wahook-probe-post-v1:one"),
    ] {
        let answer = house.raw(post("one", proof, "x")).await;
        assert_eq!((answer.status, answer.header("x-wahook-probe")), (401, None));
    }
    assert_eq!(
        house
            .metric(
                "whatsapp_webhook_signature_failures_total",
                &[("reason", "missing")]
            )
            .await,
        4
    );
}
