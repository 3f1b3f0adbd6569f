//! Who keeps failing is told to stop; who signs is never told so.

use wahook_testbed::meta::RawAnswer;

use crate::common_http::{House, house, post, signature, text_message};

async fn unsigned(house: &House, headers: &str) -> RawAnswer {
    house.raw(post(headers, "{}")).await
}

#[tokio::test]
async fn a_client_that_keeps_failing_gets_429_and_a_signed_request_from_there_still_200() {
    let house = house("throttle-same-address")
        .limit("badSignaturesPerMinute", 10)
        .open()
        .await;
    for n in 0..10 {
        assert_eq!(unsigned(&house, "").await.status, 401, "failure {n}");
    }
    for n in 0..20 {
        let answer = unsigned(&house, "").await;
        assert_eq!((answer.status, answer.header("retry-after")), (429, Some("60")));
        // The same address, between two failures.
        house.store(text_message(&format!("throttle-{n}"), "hello")).await;
    }
    assert_eq!(house.metric("whatsapp_webhook_throttled_total", &[]).await, 20);
    let name = "whatsapp_webhook_signature_failures_total";
    assert_eq!(house.metric(name, &[("reason", "missing")]).await, 30);
    assert_eq!(house.stored().await.len(), 20);
}

#[tokio::test]
async fn signed_requests_at_the_same_time_as_a_flood_of_unsigned_ones_are_all_stored() {
    let house = house("throttle-flood")
        .limit("badSignaturesPerMinute", 5)
        .open()
        .await;
    let flood = async {
        let mut statuses = Vec::new();
        for _ in 0..200 {
            statuses.push(unsigned(&house, "").await.status);
        }
        statuses
    };
    let signed = async {
        for n in 0..50 {
            let body = text_message(&format!("flood-{n}"), "hello");
            assert_eq!(house.raw(post(signature(&body), &body)).await.status, 200);
        }
    };
    let (statuses, ()) = tokio::join!(flood, signed);
    assert!(statuses[..5].iter().all(|status| *status == 401), "{statuses:?}");
    let throttled = statuses.iter().filter(|status| **status == 429).count();
    // The bucket refills by one each twelve seconds.
    assert!(throttled > 185, "{throttled}");
    assert_eq!(house.stored().await.len(), 50);
}

#[tokio::test]
async fn forwarded_for_counts_from_a_trusted_proxy() {
    let plan = house("throttle-trusted").limit("badSignaturesPerMinute", 2);
    let house = plan
        .http(r#"trustedProxies: ["127.0.0.0/8", "192.0.2.0/24"]"#)
        .open()
        .await;
    let from = |list: &str| format!("X-Forwarded-For: {list}\r\n");
    for _ in 0..2 {
        assert_eq!(unsigned(&house, &from("203.0.113.1")).await.status, 401);
    }
    assert_eq!(unsigned(&house, &from("203.0.113.1")).await.status, 429);
    // Through another trusted proxy, with a port, in a second line: the same client.
    for list in [
        "203.0.113.1, 192.0.2.7",
        "203.0.113.1:4711",
        "198.51.100.9, 203.0.113.1",
    ] {
        assert_eq!(unsigned(&house, &from(list)).await.status, 429, "{list}");
    }
    let two_lines = from("198.51.100.9") + &from("203.0.113.1");
    assert_eq!(unsigned(&house, &two_lines).await.status, 429);
    // Its neighbour is another client, and so is the proxy itself.
    assert_eq!(unsigned(&house, &from("203.0.113.2")).await.status, 401);
    assert_eq!(unsigned(&house, "").await.status, 401);
    // A household's whole IPv6 network is one client.
    for last in 1..=2 {
        assert_eq!(
            unsigned(&house, &from(&format!("2001:db8::{last}"))).await.status,
            401
        );
    }
    assert_eq!(unsigned(&house, &from("2001:db8::ffff")).await.status, 429);
    assert_eq!(unsigned(&house, &from("2001:db8:0:1::1")).await.status, 401);
}

#[tokio::test]
async fn forwarded_for_is_ignored_from_anybody_else() {
    let plan = house("throttle-untrusted").limit("badSignaturesPerMinute", 2);
    let house = plan.http(r#"trustedProxies: ["192.0.2.0/24"]"#).open().await;
    let from = |n: u32| format!("X-Forwarded-For: 203.0.113.{n}\r\n");
    assert_eq!(unsigned(&house, &from(1)).await.status, 401);
    assert_eq!(unsigned(&house, &from(2)).await.status, 401);
    for n in 3..10 {
        assert_eq!(
            unsigned(&house, &from(n)).await.status,
            429,
            "a made-up address buys nothing"
        );
    }
}
