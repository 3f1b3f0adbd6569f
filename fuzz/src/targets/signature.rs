//! The value of `X-Hub-Signature-256`.

use http::{HeaderMap, HeaderValue};
use wahook_receiver::signature::{HEADER, SignatureHeader};

use super::{Target, texts};

pub(super) const TARGET: Target = Target {
    name: "signature",
    about: "the signature header: read exactly when it has Meta's shape, and never right by chance",
    seeds,
    run,
};

fn seeds() -> Vec<Vec<u8>> {
    let digits = "0123456789abcdef".repeat(4);
    texts(&[
        &format!("sha256={digits}"),
        &format!("sha256={}", digits.to_uppercase()),
        &format!("SHA256={digits}"),
        &format!("sha256={digits}0"),
        "sha1=da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "sha256=",
    ])
}

fn run(data: &[u8]) {
    let has_shape = std::str::from_utf8(data).is_ok_and(|text| {
        text.len() == 71
            && text.starts_with("sha256=")
            && text[7..]
                .chars()
                .all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c))
    });
    let read = SignatureHeader::from_value(data);
    assert_eq!(read.is_some(), has_shape);
    if let Some(read) = read {
        assert!(!read.signs(b"a secret that nobody signed with", data));
    }
    let Ok(value) = HeaderValue::from_bytes(data) else {
        return;
    };
    let mut headers = HeaderMap::new();
    headers.append(HEADER, value.clone());
    assert_eq!(SignatureHeader::parse(&headers).is_ok(), has_shape);
    headers.append(HEADER, value);
    assert!(SignatureHeader::parse(&headers).is_err(), "two of them");
}
