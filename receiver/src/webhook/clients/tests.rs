//! Limits, eviction and the walk through `X-Forwarded-For`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::net::Ipv4Addr;

use http::HeaderValue;

use super::*;

const LIMIT: u32 = 60;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn numbered(n: u32) -> IpAddr {
    IpAddr::V4(Ipv4Addr::from_bits(n))
}

/// Fails until over the limit; how many failures stayed below it.
fn failures_until_limited(clients: &Clients, client: IpAddr, now: Instant) -> u32 {
    (0..1000)
        .find(|_| clients.failed(client, now, LIMIT))
        .expect("the limit is reached")
}

fn occupied(clients: &Clients) -> usize {
    let groups = clients.groups.lock().unwrap();
    groups.iter().flat_map(|group| &group.slots).flatten().count()
}

#[test]
fn a_burst_up_to_the_limit_is_tolerated() {
    let (clients, now) = (Clients::new(), Instant::now());
    assert_eq!(failures_until_limited(&clients, ip("192.0.2.1"), now), LIMIT);
    assert!(
        !clients.failed(ip("192.0.2.2"), now, LIMIT),
        "another client starts afresh"
    );
}

#[test]
fn a_steady_client_may_fail_as_often_as_the_limit_says() {
    let (clients, start) = (Clients::new(), Instant::now());
    for second in 0..600 {
        let now = start + Duration::from_secs(second);
        assert!(!clients.failed(ip("192.0.2.1"), now, LIMIT), "second {second}");
    }
}

#[test]
fn waiting_as_long_as_retry_after_says_clears_the_debt() {
    let (clients, start) = (Clients::new(), Instant::now());
    for _ in 0..100_000 {
        clients.failed(ip("192.0.2.1"), start, LIMIT);
    }
    assert!(clients.failed(ip("192.0.2.1"), start + Duration::from_millis(900), LIMIT));
    let later = start + Duration::from_secs(Clients::RETRY_AFTER_SECONDS + 1);
    assert_eq!(failures_until_limited(&clients, ip("192.0.2.1"), later), LIMIT);
}

#[test]
fn a_limit_of_zero_tolerates_nothing_and_the_largest_limit_works() {
    let (clients, now) = (Clients::new(), Instant::now());
    assert!(clients.failed(ip("192.0.2.1"), now, 0));
    assert!(!clients.failed(ip("192.0.2.1"), now, u32::MAX));
}

#[test]
fn an_ipv6_household_is_one_client() {
    let (clients, now) = (Clients::new(), Instant::now());
    for host in 0..u128::from(LIMIT) {
        let client = Ipv6Addr::from_bits(ip_bits("2001:db8:1:2::") | host);
        assert!(!clients.failed(client.into(), now, LIMIT));
    }
    assert!(clients.failed(ip("2001:db8:1:2:ffff:ffff:ffff:ffff"), now, LIMIT));
    assert!(!clients.failed(ip("2001:db8:1:3::"), now, LIMIT));
}

fn ip_bits(text: &str) -> u128 {
    text.parse::<Ipv6Addr>().unwrap().to_bits()
}

#[test]
fn a_mapped_ipv4_address_is_the_ipv4_client() {
    let (clients, now) = (Clients::new(), Instant::now());
    failures_until_limited(&clients, ip("::ffff:192.0.2.1"), now);
    assert!(clients.failed(ip("192.0.2.1"), now, LIMIT));
    assert!(!clients.failed(ip("::ffff:192.0.2.2"), now, LIMIT));
}

#[test]
fn many_addresses_neither_grow_the_table_nor_clear_a_debt() {
    let (clients, start) = (Clients::new(), Instant::now());
    let offender = ip("192.0.2.1");
    failures_until_limited(&clients, offender, start);
    for n in 0..200_000 {
        let now = start + Duration::from_micros(u64::from(n));
        clients.failed(numbered(n), now, LIMIT);
    }
    assert!(occupied(&clients) <= 10_000);
    let now = start + Duration::from_millis(200);
    assert!(
        clients.failed(offender, now, LIMIT),
        "the debt survived the flood"
    );
}

#[test]
fn addresses_that_find_no_room_are_limited_together() {
    let (clients, now) = (Clients::new(), Instant::now());
    // Everybody at the same instant, with the same debt: nobody makes room.
    let limited = (0..400_000)
        .filter(|n| clients.failed(numbered(*n), now, LIMIT))
        .count();
    let tolerated = 400_000 - limited;
    assert!(tolerated <= GROUPS * (SLOTS + LIMIT as usize), "{tolerated}");
}

#[test]
fn a_debt_that_is_paid_makes_room() {
    let (clients, start) = (Clients::new(), Instant::now());
    for n in 0..100_000 {
        clients.failed(numbered(n), start, LIMIT);
    }
    let later = start + WINDOW * 2;
    assert_eq!(failures_until_limited(&clients, ip("192.0.2.77"), later), LIMIT);
}

/// Walks through the header lines, which are separated by `|` here.
fn walk(peer: &str, lines: &str, trusted: &[&str]) -> IpAddr {
    let mut headers = HeaderMap::new();
    for line in lines.split('|') {
        headers.append(
            "x-forwarded-for",
            HeaderValue::from_bytes(line.as_bytes()).unwrap(),
        );
    }
    let trusted: Vec<IpNet> = trusted.iter().map(|net| net.parse().unwrap()).collect();
    client_address(ip(peer), &headers, &trusted)
}

#[test]
fn the_client_behind_trusted_proxies() {
    let table = [
        ("one proxy", "10.0.0.1", "203.0.113.5", "203.0.113.5"),
        (
            "a forged left end",
            "10.0.0.1",
            "1.2.3.4, 203.0.113.5",
            "203.0.113.5",
        ),
        (
            "two proxies",
            "10.0.0.1",
            "1.2.3.4, 203.0.113.5, 10.9.9.9",
            "203.0.113.5",
        ),
        ("all trusted", "10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        (
            "several lines",
            "10.0.0.1",
            "1.2.3.4|203.0.113.5|10.0.0.2",
            "203.0.113.5",
        ),
        (
            "no spaces",
            "10.0.0.1",
            "1.2.3.4,203.0.113.5,10.0.0.2",
            "203.0.113.5",
        ),
        ("malformed", "10.0.0.1", "203.0.113.5, unknown", "10.0.0.1"),
        (
            "malformed later",
            "10.0.0.1",
            "1.2.3.4, _hidden, 10.0.0.2",
            "10.0.0.2",
        ),
        ("an empty entry", "10.0.0.1", "203.0.113.5,", "10.0.0.1"),
        ("an empty line", "10.0.0.1", "", "10.0.0.1"),
        ("not ASCII", "10.0.0.1", "203.0.113.5, \u{e9}", "10.0.0.1"),
        ("a port", "10.0.0.1", "203.0.113.5:4711", "203.0.113.5"),
        ("IPv6", "fd00::1", "2001:db8::5", "2001:db8::5"),
        ("IPv6 with a port", "fd00::1", "[2001:db8::5]:4711", "2001:db8::5"),
        ("a mapped peer", "::ffff:10.0.0.1", "203.0.113.5", "203.0.113.5"),
        (
            "a mapped entry",
            "10.0.0.1",
            "203.0.113.5, ::ffff:10.0.0.2",
            "203.0.113.5",
        ),
    ];
    for (name, peer, lines, client) in table {
        assert_eq!(
            walk(peer, lines, &["10.0.0.0/8", "fd00::/8"]),
            ip(client),
            "{name}"
        );
    }
}

#[test]
fn a_stranger_cannot_name_its_address() {
    assert_eq!(walk("192.0.2.9", "203.0.113.5", &["10.0.0.0/8"]), ip("192.0.2.9"));
    assert_eq!(walk("10.0.0.1", "203.0.113.5", &[]), ip("10.0.0.1"));
    let no_header = client_address(
        ip("10.0.0.1"),
        &HeaderMap::new(),
        &["10.0.0.0/8".parse().unwrap()],
    );
    assert_eq!(no_header, ip("10.0.0.1"));
}
