//! How long a comparison takes says nothing about how much of a secret was right.
//!
//! The method is dudect's (Reparaz, Balasch, Verbauwhede: "Dude, is my code constant time?", 2017): two classes of input in random
//! order, and Welch's t-test on the two sets of times. Beyond 4.5 it is a leak. A comparison that does leak is measured the
//! same way, so that the test is known to see one.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::cast_precision_loss)]

use std::hint::black_box;
use std::time::Instant;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use wahook_receiver::signature::{PREFIX, SignatureHeader, Verdict, Verifier, token_matches};

const SAMPLES: usize = 1_000_000;
const LEAK: f64 = 4.5;
/// A neighbour on the machine may upset one measurement; a leak shows in each.
const ATTEMPTS: usize = 3;

/// Two inputs of one length: wrong from the first byte on, and wrong in the last byte only.
fn classes(right: &[u8]) -> [Vec<u8>; 2] {
    let (mut first, mut last) = (right.to_vec(), right.to_vec());
    // Digits stay digits.
    let wrong = |byte: &mut u8| *byte = if *byte == b'7' { b'8' } else { b'7' };
    first.iter_mut().for_each(wrong);
    last.last_mut().map(wrong).unwrap();
    [first, last]
}

/// Welch's t of the times that `compare` takes for the two classes. The slowest tenth is left out: interrupts, not the code.
fn t_of<T: Clone>(classes: &[T; 2], compare: &mut impl FnMut(&T) -> bool) -> f64 {
    let mut random = StdRng::seed_from_u64(2017);
    let mut input = classes[0].clone();
    let mut times = Vec::with_capacity(SAMPLES);
    for _ in 0..SAMPLES {
        let class = usize::from(random.random::<bool>());
        // Always the same place in memory.
        input.clone_from(&classes[class]);
        let began = Instant::now();
        let is_equal = compare(black_box(&input));
        let took = began.elapsed();
        assert!(!black_box(is_equal));
        times.push((class, took.as_nanos() as f64));
    }
    let mut sorted: Vec<_> = times.iter().map(|(_, time)| *time).collect();
    sorted.sort_by(f64::total_cmp);
    let slowest = sorted[SAMPLES / 10 * 9];
    let of = |class: usize| {
        let kept = || {
            times
                .iter()
                .filter(|(of, time)| *of == class && *time <= slowest)
                .map(|(_, time)| *time)
        };
        let count = kept().count() as f64;
        let mean = kept().sum::<f64>() / count;
        let variance = kept().map(|time| (time - mean).powi(2)).sum::<f64>() / (count - 1.0);
        (mean, variance / count)
    };
    let ((first, of_first), (last, of_last)) = (of(0), of(1));
    (first - last) / (of_first + of_last).sqrt()
}

fn leaks<T: Clone>(what: &str, classes: &[T; 2], mut compare: impl FnMut(&T) -> bool) -> bool {
    (0..ATTEMPTS).all(|_| {
        let t = t_of(classes, &mut compare);
        eprintln!("{what}: t = {t:.2}");
        t.abs() >= LEAK
    })
}

/// What must not be done: it stops at the first difference.
fn careless(expected: &[u8], given: &[u8]) -> bool {
    expected.len() == given.len() && expected.iter().zip(given).all(|(a, b)| a == b)
}

/// One test, so that its parts do not run beside each other.
#[test]
fn no_comparison_tells_how_much_was_right() {
    let token = b"c2f5e1a09b7d4836f0a1b2c3d4e5f60718293a4b5c6d7e8f9012345678abcdef";
    let tokens = classes(token);
    assert!(
        leaks("a careless comparison", &tokens, |given| careless(token, given)),
        "a leak that is there was not seen: the test proves nothing"
    );
    assert!(
        !leaks("the verify token", &tokens, |given| token_matches(token, given)),
        "token_matches tells how much of the token was right"
    );

    let (secret, body) = (
        b"0123456789abcdef0123456789abcdef",
        br#"{"object":"whatsapp_business_account"}"#,
    );
    let right = wahook_testbed::meta::sign(secret, body);
    let digits = right.strip_prefix(PREFIX).unwrap();
    // Reading the header is no secret's business; what is compared is what was read.
    let signatures = classes(digits.as_bytes()).map(|digits| {
        let value = [PREFIX.as_bytes(), &digits].concat();
        SignatureHeader::from_value(&value).unwrap()
    });
    let verifier = Verifier::new(&[secret], &[]);
    assert!(
        !leaks("the signature", &signatures, |given| {
            let mut hashing = verifier.start();
            hashing.update(body);
            hashing.finish(given) != Verdict::Mismatch
        }),
        "the comparison of signatures tells how much of one was right"
    );
}
