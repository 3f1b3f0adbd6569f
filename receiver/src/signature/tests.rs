//! What the signature check accepts and refuses.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use http::HeaderValue;
use proptest::prelude::*;

use super::*;

const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
const DIGITS: &str = "88aab3ede8d3adf94d26ab90d3bafd4a2083070c3bcce9c014ee04a443847c0b";

fn headers(values: &[&[u8]]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append(HEADER, HeaderValue::from_bytes(value).unwrap());
    }
    headers
}

fn signed(secret: &[u8], body: &[u8]) -> SignatureHeader {
    SignatureHeader::from_value(sign(secret, body).as_bytes()).unwrap()
}

fn check(verifier: &Verifier, body: &[u8], header: &SignatureHeader) -> Verdict {
    let mut hashing = verifier.start();
    hashing.update(body);
    hashing.finish(header)
}

#[test]
fn rfc_4231_vectors() {
    let long_key = [0xaa; 131];
    let table: [(&[u8], &[u8], &str); 4] = [
        (
            &[0x0b; 20],
            b"Hi There",
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
        ),
        (
            b"Jefe",
            b"what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        (
            &[0xaa; 20],
            &[0xdd; 50],
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
        ),
        (
            &long_key,
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
    ];
    for (key, data, expected) in table {
        assert_eq!(sign(key, data), format!("sha256={expected}"));
        assert!(signed(key, data).signs(key, data));
    }
}

#[test]
fn a_key_of_exactly_one_block_is_used_as_it_is() {
    let key = [7_u8; BLOCK];
    let reference = Keyed::new_from_slice(&key)
        .unwrap()
        .chain_update(b"x")
        .finalize()
        .into_bytes();
    assert_eq!(hmac_sha256(&key, &[b"x"]).as_slice(), reference.as_slice());
}

#[test]
fn the_one_right_shape_is_read() {
    let value = format!("sha256={DIGITS}");
    let header = SignatureHeader::parse(&headers(&[value.as_bytes()])).unwrap();
    assert_eq!(hex::encode(header.0), DIGITS);
}

#[test]
fn a_missing_header_is_told_apart() {
    assert_eq!(
        SignatureHeader::parse(&HeaderMap::new()),
        Err(SignatureError::Missing)
    );
    let mut other = HeaderMap::new();
    other.insert("x-hub-signature", HeaderValue::from_static("sha1=00"));
    assert_eq!(SignatureHeader::parse(&other), Err(SignatureError::Missing));
}

#[test]
fn malformed_values() {
    let upper = DIGITS.to_uppercase();
    let one_upper = DIGITS.replacen('a', "A", 1);
    let table: Vec<Vec<u8>> = [
        String::new(),
        " ".to_owned(),
        "=".to_owned(),
        "sha256".to_owned(),
        "sha256=".to_owned(),
        "sha256= ".to_owned(),
        "null".to_owned(),
        "undefined".to_owned(),
        DIGITS.to_owned(),
        format!("={DIGITS}"),
        format!("sha256{DIGITS}"),
        format!("sha256:{DIGITS}"),
        format!("sha256-{DIGITS}"),
        format!("sha256 ={DIGITS}"),
        format!("sha256= {DIGITS}"),
        format!(" sha256={DIGITS}"),
        format!("\tsha256={DIGITS}"),
        format!("sha256={DIGITS} "),
        format!("sha256={DIGITS}\t"),
        format!("sha256=={DIGITS}"),
        format!("sha256=sha256={DIGITS}"),
        format!("SHA256={DIGITS}"),
        format!("Sha256={DIGITS}"),
        format!("sha-256={DIGITS}"),
        format!("sha1={DIGITS}"),
        format!("sha1={}", &DIGITS[..40]),
        format!("sha512={DIGITS}{DIGITS}"),
        format!("md5={}", &DIGITS[..32]),
        format!("sha256={upper}"),
        format!("sha256={one_upper}"),
        format!("sha256=0x{}", &DIGITS[2..]),
        format!("sha256={}", &DIGITS[..63]),
        format!("sha256={}", &DIGITS[..62]),
        format!("sha256={}", &DIGITS[..40]),
        format!("sha256={DIGITS}0"),
        format!("sha256={DIGITS}00"),
        format!("sha256={DIGITS}{DIGITS}"),
        format!("sha256={}g", &DIGITS[..63]),
        format!("sha256={}-", &DIGITS[..63]),
        format!("sha256={} {}", &DIGITS[..31], &DIGITS[32..]),
        format!("sha256={DIGITS},"),
        format!("sha256={DIGITS},sha256={DIGITS}"),
        format!("sha256={DIGITS}, sha256={DIGITS}"),
        format!("sha1={},sha256={DIGITS}", &DIGITS[..40]),
        format!("sha256={DIGITS};"),
        format!("sha256=\"{DIGITS}\""),
        format!("\"sha256={DIGITS}\""),
        format!("sha256=*{}", &DIGITS[1..]),
        format!("sha256={}\u{e9}", &DIGITS[..62]),
        format!("sha256=\u{ff10}{}", &DIGITS[3..]),
        // The same digits in base64 instead of hex.
        "sha256=iKqz7ejTrflNJquQ07r9SiCDBww7zOnAFO4EpEOEfAs=".to_owned(),
    ]
    .into_iter()
    .map(String::into_bytes)
    .chain([
        [b"sha256=".as_slice(), &[0xff; 64]].concat(),
        [b"sha256=".as_slice(), &[b'a'; 63], &[0x80]].concat(),
    ])
    .collect();

    assert!(table.len() >= 40);
    for value in table {
        let outcome = SignatureHeader::parse(&headers(&[&value]));
        assert_eq!(
            outcome,
            Err(SignatureError::Malformed),
            "{:?}",
            String::from_utf8_lossy(&value)
        );
    }
}

#[test]
fn a_repeated_header_is_malformed_even_when_both_are_right() {
    let value = sign(SECRET, b"{}");
    let repeated = headers(&[value.as_bytes(), value.as_bytes()]);
    assert_eq!(SignatureHeader::parse(&repeated), Err(SignatureError::Malformed));
}

#[test]
fn every_active_secret_matches_and_says_which() {
    let secrets: [&[u8]; 4] = [
        b"first-secret-16b",
        b"second-secret-16",
        SECRET,
        b"fourth-secret-16",
    ];
    let verifier = Verifier::new(&secrets, &[]);
    for (index, secret) in secrets.iter().enumerate() {
        assert_eq!(
            check(&verifier, b"body", &signed(secret, b"body")),
            Verdict::Match { index }
        );
    }
    assert_eq!(
        check(&verifier, b"body", &signed(b"another", b"body")),
        Verdict::Mismatch
    );
    assert_eq!(
        check(&verifier, b"other body", &signed(SECRET, b"body")),
        Verdict::Mismatch
    );
}

#[test]
fn the_first_of_two_equal_secrets_is_named() {
    let verifier = Verifier::new(&[b"x", SECRET, SECRET], &[]);
    assert_eq!(
        check(&verifier, b"body", &signed(SECRET, b"body")),
        Verdict::Match { index: 1 }
    );
}

#[test]
fn without_a_secret_nothing_matches() {
    for verifier in [Verifier::new(&[], &[]), Verifier::new(&[b""], &[b""])] {
        assert_eq!(check(&verifier, b"{}", &signed(b"", b"{}")), Verdict::Mismatch);
        assert!(!verifier.was_retired(b"{}", &signed(b"", b"{}")));
    }
}

#[test]
fn a_retired_secret_explains_but_never_accepts() {
    let verifier = Verifier::new(&[b"active-secret-16"], &[SECRET]);
    let header = signed(SECRET, b"body");
    assert_eq!(check(&verifier, b"body", &header), Verdict::Mismatch);
    assert!(verifier.was_retired(b"body", &header));
    assert!(!verifier.was_retired(b"other", &header));
    assert!(!verifier.was_retired(b"body", &signed(b"active-secret-16", b"body")));
}

#[test]
fn tokens_of_any_length_are_compared() {
    assert!(token_matches(b"a-token-of-16-or-more", b"a-token-of-16-or-more"));
    assert!(!token_matches(b"a-token-of-16-or-more", b"a-token-of-16-or-mor"));
    assert!(!token_matches(b"a-token-of-16-or-more", b""));
    assert!(!token_matches(b"", b""));
    assert!(token_matches(&[0, 255, 10], &[0, 255, 10]));
}

#[test]
fn debug_shows_no_key_and_no_signature() {
    let verifier = Verifier::new(&[SECRET], &[SECRET]);
    assert_eq!(format!("{verifier:?}"), "Verifier { active: 1, retired: 1 }");
    assert_eq!(format!("{:?}", verifier.start()), "Hashing { candidates: 1 }");
    assert_eq!(format!("{:?}", signed(SECRET, b"")), "SignatureHeader(..)");
}

proptest! {
    /// However the body is cut into chunks, the verdict is that of the whole.
    #[test]
    fn chunks_do_not_matter(body in proptest::collection::vec(any::<u8>(), 0..600), cuts in proptest::collection::vec(1_usize..90, 0..20)) {
        let verifier = Verifier::new(&[b"decoy-decoy-decoy", SECRET], &[]);
        let mut hashing = verifier.start();
        let mut rest = body.as_slice();
        for cut in cuts {
            let (chunk, after) = rest.split_at(cut.min(rest.len()));
            hashing.update(chunk);
            rest = after;
        }
        hashing.update(rest);
        prop_assert_eq!(hashing.finish(&signed(SECRET, &body)), Verdict::Match { index: 1 });
    }

    /// One flipped bit of the signature, or of the body, is a mismatch.
    #[test]
    fn any_flipped_bit_is_a_mismatch(body in proptest::collection::vec(any::<u8>(), 1..200), bit in 0_usize..256) {
        let verifier = Verifier::new(&[SECRET], &[]);
        let header = signed(SECRET, &body);
        let mut forged = header;
        forged.0[bit / 8] ^= 1 << (bit % 8);
        prop_assert_eq!(check(&verifier, &body, &forged), Verdict::Mismatch);

        let mut changed = body.clone();
        let at = bit % changed.len();
        changed[at] ^= 1;
        prop_assert_eq!(check(&verifier, &changed, &header), Verdict::Mismatch);
    }

    /// Reading a header never panics, and what it accepts is exactly what `sign` writes.
    #[test]
    fn reading_is_total(value in proptest::collection::vec(any::<u8>(), 0..90)) {
        if let Some(header) = SignatureHeader::from_value(&value) {
            prop_assert_eq!(format!("{PREFIX}{}", hex::encode(header.0)).into_bytes(), value);
        }
    }
}
