//! Nothing unsigned is parsed, and everything signed is taken byte for byte.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use wahook_testbed::meta::{RawConnection, sign};

use crate::common_http::{
    House, OTHER_SECRET, RECEIVED, SECRET, SECRET_FILE, SOON, TOKEN, UNSIGNED, house, post, signature,
    text_message,
};

const NAME: &str = "X-Hub-Signature-256: ";

/// A request that must be refused: header lines and body, and the reason it is counted under.
struct Case {
    name: &'static str,
    headers: Vec<u8>,
    body: Vec<u8>,
    reason: &'static str,
}

fn line(value: impl AsRef<[u8]>) -> Vec<u8> {
    [NAME.as_bytes(), value.as_ref(), b"\r\n"].concat()
}

/// Headers that are not exactly one signature of Meta's shape, all derived from the right one.
fn bad_headers(body: &str) -> Vec<Case> {
    let right = sign(SECRET, body.as_bytes());
    let hex = right.strip_prefix("sha256=").unwrap();
    let two = [line(&right), line(&right)].concat();
    let right_then_wrong = [line(&right), line(sign(OTHER_SECRET, body.as_bytes()))].concat();
    let wrong_then_right = [line(sign(OTHER_SECRET, body.as_bytes())), line(&right)].concat();
    let renamed = |name: &str| format!("{name}: {right}\r\n").into_bytes();
    let missing: Vec<(&str, Vec<u8>)> = vec![
        ("no header", Vec::new()),
        ("the old SHA-1 header's name", renamed("X-Hub-Signature")),
        ("underscores in the name", renamed("X_Hub_Signature_256")),
        ("a name that goes on", renamed("X-Hub-Signature-256-Copy")),
        ("another name", renamed("Authorization")),
    ];
    let malformed: Vec<(&str, Vec<u8>)> = vec![
        ("an empty value", line("")),
        ("the prefix alone", line("sha256=")),
        ("no prefix", line(hex)),
        ("63 digits", line(&right[..right.len() - 1])),
        ("65 digits", line(format!("{right}0"))),
        ("one digit", line("sha256=0")),
        ("62 digits", line(&right[..right.len() - 2])),
        ("66 digits", line(format!("{right}00"))),
        ("128 digits", line(format!("{right}{hex}"))),
        (
            "upper-case digits",
            line(format!("sha256={}", hex.to_uppercase())),
        ),
        ("one upper-case digit", line(format!("sha256=A{}", &hex[1..]))),
        ("an upper-case prefix", line(format!("SHA256={hex}"))),
        ("a capital prefix", line(format!("Sha256={hex}"))),
        ("the prefix of SHA-1", line(format!("sha1={hex}"))),
        ("SHA-1's length", line(format!("sha1={}", &hex[..40]))),
        ("the prefix of SHA-512", line(format!("sha512={hex}"))),
        ("a hyphen in the prefix", line(format!("sha-256={hex}"))),
        ("a colon for the equals sign", line(format!("sha256:{hex}"))),
        ("two equals signs", line(format!("sha256=={hex}"))),
        ("a space behind the prefix", line(format!("sha256= {hex}"))),
        ("a space before the equals sign", line(format!("sha256 ={hex}"))),
        ("a tab inside", line(format!("sha256=\t{hex}"))),
        (
            "a space among the digits",
            line(format!("sha256={} {}", &hex[..32], &hex[32..])),
        ),
        ("quotes", line(format!("\"{right}\""))),
        ("quoted digits", line(format!("sha256=\"{hex}\""))),
        ("0x", line(format!("sha256=0x{hex}"))),
        (
            "0x in place of two digits",
            line(format!("sha256=0x{}", &hex[2..])),
        ),
        (
            "a letter that is no digit",
            line(format!("sha256=g{}", &hex[1..])),
        ),
        ("a comma behind", line(format!("{right},"))),
        ("a semicolon behind", line(format!("{right};"))),
        ("twice in one line", line(format!("{right}, {right}"))),
        ("the prefix twice", line(format!("sha256={right}"))),
        ("a parameter before", line(format!("t=1,{right}"))),
        ("percent-encoded", line(format!("sha256%3D{hex}"))),
        (
            "digits outside ASCII",
            line(format!("sha256=\u{ff11}{}", &hex[1..])),
        ),
        (
            "bytes that are not UTF-8",
            line([b"sha256=\xff".as_slice(), &hex.as_bytes()[1..]].concat()),
        ),
        (
            "zeros of another length",
            line(format!("sha256={}", "0".repeat(63))),
        ),
        ("very long", line(format!("sha256={}", "0".repeat(8000)))),
        ("the same header twice", two),
        ("right, then wrong", right_then_wrong),
        ("wrong, then right", wrong_then_right),
    ];
    let case = |reason| {
        move |(name, headers)| Case {
            name,
            headers,
            body: body.into(),
            reason,
        }
    };
    let missing = missing.into_iter().map(case("missing"));
    missing
        .chain(malformed.into_iter().map(case("malformed")))
        .collect()
}

/// Well-formed signatures of something other than these bytes under the secret.
fn wrong_signatures(body: &str) -> Vec<Case> {
    let right = sign(SECRET, body.as_bytes());
    let plain = |parts: &[&[u8]]| {
        let hash = parts.iter().fold(Sha256::new(), sha2::Digest::chain_update);
        format!("sha256={}", hex::encode(hash.finalize()))
    };
    let mut by_decoded_key = Hmac::<Sha256>::new_from_slice(&hex::decode(SECRET).unwrap()).unwrap();
    by_decoded_key.update(body.as_bytes());
    let by_decoded_key = format!("sha256={}", hex::encode(by_decoded_key.finalize().into_bytes()));
    let reversed: String = right.strip_prefix("sha256=").unwrap().chars().rev().collect();
    let off_by_one = match right.as_bytes()[70] {
        b'0' => format!("{}1", &right[..70]),
        _ => format!("{}0", &right[..70]),
    };
    let with = |secret: &str| sign(secret, body.as_bytes());
    let of = |other: &[u8]| sign(SECRET, other);
    let parsed: serde_json::Value = serde_json::from_str(body).unwrap();
    let signatures: Vec<(&str, String)> = vec![
        ("another secret", with(OTHER_SECRET)),
        ("no secret", with("")),
        ("the secret and a newline", with(&format!("{SECRET}\n"))),
        ("the secret in upper case", with(&SECRET.to_uppercase())),
        ("half the secret", with(&SECRET[..16])),
        ("the secret decoded from hex", by_decoded_key),
        ("the verify token", with(TOKEN)),
        ("zeros", format!("sha256={}", "0".repeat(64))),
        ("all bits", format!("sha256={}", "f".repeat(64))),
        ("the last digit is wrong", off_by_one),
        ("the digits backwards", format!("sha256={reversed}")),
        ("SHA-256 without a key", plain(&[body.as_bytes()])),
        (
            "SHA-256 of secret and body",
            plain(&[SECRET.as_bytes(), body.as_bytes()]),
        ),
        (
            "SHA-256 of body and secret",
            plain(&[body.as_bytes(), SECRET.as_bytes()]),
        ),
        ("the empty body's signature", of(b"")),
        (
            "the body parsed and written again",
            of(parsed.to_string().as_bytes()),
        ),
        (
            "the body indented",
            of(serde_json::to_string_pretty(&parsed).unwrap().as_bytes()),
        ),
        ("the body with a newline", of(format!("{body}\n").as_bytes())),
        (
            "the body with a byte order mark",
            of(format!("\u{feff}{body}").as_bytes()),
        ),
        (
            "the body as UTF-16",
            of(&body.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()),
        ),
        ("the body and the path", of(format!("/webhook{body}").as_bytes())),
    ];
    let case = |(name, signature): (_, String)| Case {
        name,
        headers: line(signature),
        body: body.into(),
        reason: "mismatch",
    };
    let changed: Vec<(&str, Vec<u8>)> = vec![
        ("an empty body", Vec::new()),
        (
            "the last byte is missing",
            body.as_bytes()[..body.len() - 1].to_vec(),
        ),
        ("one more space", format!("{body} ").into_bytes()),
        ("a space before", format!(" {body}").into_bytes()),
        ("one character changed", body.replace("Ana", "Anb").into_bytes()),
        (
            "an escape written out",
            body.replace("\\u00e9", "\u{e9}").into_bytes(),
        ),
        (
            "an escape in capitals",
            body.replace("\\u00e9", "\\u00E9").into_bytes(),
        ),
        ("a slash unescaped", body.replace("\\/", "/").into_bytes()),
        ("line ends changed", body.replace(',', ",\r\n").into_bytes()),
        ("the body twice", body.repeat(2).into_bytes()),
        ("not JSON", b"not json".to_vec()),
        ("deep nesting", "[".repeat(100_000).into_bytes()),
    ];
    let changed_case = |(name, bytes): (_, Vec<u8>)| {
        assert_ne!(bytes, body.as_bytes(), "{name}: this changes nothing");
        Case {
            name,
            headers: line(&right),
            body: bytes,
            reason: "mismatch",
        }
    };
    let changed = changed.into_iter().map(changed_case);
    signatures.into_iter().map(case).chain(changed).collect()
}

#[tokio::test]
async fn every_malformed_or_wrong_signature_is_401_and_nothing_enters_the_parser() {
    let house = house("signature-bad")
        .limit("badSignaturesPerMinute", 1_000_000)
        .open()
        .await;
    let body = text_message("signature-bad", r"Caf\u00e9 a\/b");
    let mut cases = bad_headers(&body);
    cases.extend(wrong_signatures(&body));
    assert!(cases.len() >= 70, "{}", cases.len());

    for case in &cases {
        let answer = house.raw(post(&case.headers, &case.body)).await;
        let told = (answer.status, String::from_utf8_lossy(&answer.body).into_owned());
        assert_eq!(told, (401, UNSIGNED.to_owned()), "{}", case.name);
    }
    assert_eq!(house.parsed().await, 0);
    assert!(house.stored().await.is_empty());
    for reason in ["missing", "malformed", "mismatch", "retired_secret"] {
        let expected = cases.iter().filter(|case| case.reason == reason).count();
        let name = "whatsapp_webhook_signature_failures_total";
        let counted = house.metric(name, &[("reason", reason)]).await;
        assert_eq!(counted, expected, "{reason}");
    }
    // The very same body with the right header: the cases failed for their signature and for nothing else.
    house.store(&body).await;
    assert_eq!(house.parsed().await, 1);
}

#[tokio::test]
async fn a_signature_in_a_trailer_or_in_the_query_does_not_count() {
    let house = house("signature-elsewhere").open().await;
    let body = text_message("signature-elsewhere", "hello");
    let right = sign(SECRET, body.as_bytes());
    let chunked = format!(
        "POST /webhook HTTP/1.1\r\nHost: hooks\r\nTransfer-Encoding: chunked\r\nTrailer: X-Hub-Signature-256\r\n\r\n\
         {:x}\r\n{body}\r\n0\r\n{NAME}{right}\r\n\r\n",
        body.len()
    );
    assert_eq!(house.raw(chunked).await.status, 401);
    let query = format!("POST /webhook?X-Hub-Signature-256={right} HTTP/1.1");
    let request = String::from_utf8(post("", &body)).unwrap();
    assert_eq!(
        house
            .raw(request.replace("POST /webhook HTTP/1.1", &query))
            .await
            .status,
        401
    );
    assert_eq!(house.parsed().await, 0);
}

/// The message object as it stands in the body.
fn message_of(body: &[u8]) -> &[u8] {
    let find = |needle: &[u8], from: usize| {
        let at = body[from..]
            .windows(needle.len())
            .position(|window| window == needle);
        from + at.unwrap()
    };
    let start = find(br#"{"from""#, 0);
    let end = find(b"}}]", start);
    &body[start..end + 2]
}

async fn assert_stored_unchanged(house: &House, body: &[u8], name: &str) {
    let stored = house.stored().await;
    let last = stored.last().unwrap();
    let message = message_of(body);
    let found = last
        .payload
        .windows(message.len())
        .any(|window| window == message);
    assert!(found, "{name}: {:?} is not in {:?}", message, last.payload);
}

#[tokio::test]
async fn bodies_signed_over_their_raw_bytes_are_stored_unchanged_however_they_are_written() {
    let house = house("signature-raw").open().await;
    let write = |n: usize, text: &str| text_message(&format!("raw-{n}"), text);
    let cases: Vec<(&str, String)> = vec![
        (
            "emoji",
            write(0, "\u{1f389}\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467} \u{2615}"),
        ),
        ("escaped emoji", write(1, r"\ud83c\udf89")),
        ("escaped slash", write(2, r"https:\/\/example.com\/a")),
        ("plain slash", write(3, "https://example.com/a")),
        ("escaped letter", write(4, r"Caf\u00e9")),
        ("escape in capitals", write(5, r"Caf\u00E9")),
        ("letter", write(6, "Caf\u{e9}")),
        ("at sign", write(7, "ana@example.com")),
        ("escaped at sign", write(8, r"ana\u0040example.com")),
        (
            "Meta's other escapes",
            write(9, r"50\u0025 \u003cb> \\ \u0022 \n\r\t"),
        ),
        ("right to left", write(10, "\u{5e9}\u{5dc}\u{5d5}\u{5dd}")),
        ("a lone surrogate", write(11, r"\ud800")),
        ("NUL", write(12, r"\u0000")),
        (
            "CR LF between members",
            write(13, "hello").replacen(",\"entry\"", ",\r\n\"entry\"", 1),
        ),
        ("CR LF at the end", write(14, "hello") + "\r\n"),
        ("white space around", format!("  \t{}\n\n", write(15, "hello"))),
        ("a byte order mark", format!("\u{feff}{}", write(16, "hello"))),
    ];
    for (n, (name, body)) in cases.iter().enumerate() {
        let answer = house.raw(post(signature(body), body)).await;
        assert_eq!(String::from_utf8_lossy(&answer.body), RECEIVED, "{name}");
        assert_eq!(answer.status, 200, "{name}");
        assert_stored_unchanged(&house, body.as_bytes(), name).await;
        assert_eq!(house.stored().await.len(), n + 1, "{name}");
    }
    let subjects = house.subjects().await;
    assert!(
        subjects.iter().all(|place| place.ends_with(".messages.text")),
        "{subjects:?}"
    );
}

#[tokio::test]
async fn chunks_of_any_size_are_hashed_as_one_body() {
    let house = house("signature-chunks").open().await;
    for (n, size) in [1, 2, 7, 64, 1000, 1_000_000].into_iter().enumerate() {
        let body = text_message(&format!("chunks-{n}"), "\u{1f389}\u{e9}");
        let mut connection = RawConnection::connect(house.receiver.address()).await.unwrap();
        let head = format!(
            "POST /webhook HTTP/1.1\r\nHost: hooks\r\nTransfer-Encoding: chunked\r\n{}\r\n",
            signature(&body)
        );
        connection.write(head.as_bytes()).await.unwrap();
        connection.write_chunked(body.as_bytes(), size).await.unwrap();
        let answer = connection.read_answer(SOON).await.unwrap().unwrap();
        assert_eq!(answer.status, 200, "chunks of {size}");
        assert_stored_unchanged(&house, body.as_bytes(), "chunked").await;
    }
    // The head too, byte by byte.
    let body = text_message("chunks-bytes", "hello");
    let request = post(signature(&body), &body);
    let mut connection = RawConnection::connect(house.receiver.address()).await.unwrap();
    for byte in request {
        connection.write(&[byte]).await.unwrap();
    }
    assert_eq!(connection.read_answer(SOON).await.unwrap().unwrap().status, 200);
}

#[tokio::test]
async fn any_of_the_listed_secrets_signs() {
    let third = "0".repeat(31) + "1";
    let plan = house("signature-second")
        .secret("app-secret-2", OTHER_SECRET)
        .secret("app-secret-4", &third);
    let house = plan.open().await;
    for (n, secret) in [SECRET, OTHER_SECRET, &third].into_iter().enumerate() {
        let body = text_message(&format!("second-{n}"), "hello");
        assert_eq!(house.meta_with(secret).post(body).await.unwrap().status, 200);
    }
    assert_eq!(house.stored().await.len(), 3);
}

#[tokio::test]
async fn a_retired_secret_is_401_and_told_apart_from_an_attack() {
    let house = house("signature-retired").open().await;
    house.receiver.replace_file(SECRET_FILE, OTHER_SECRET).unwrap();
    house
        .status_when(|status| status["secrets"]["generation"] == 2)
        .await;
    let body = text_message("retired", "hello");
    let answer = house.meta_with(SECRET).post(body.clone()).await.unwrap();
    assert_eq!((answer.status, answer.text().as_str()), (401, UNSIGNED));
    assert_eq!(
        house.meta_with(OTHER_SECRET).post(body).await.unwrap().status,
        200
    );
    let name = "whatsapp_webhook_signature_failures_total";
    assert_eq!(house.metric(name, &[("reason", "retired_secret")]).await, 1);
    assert_eq!(house.metric(name, &[("reason", "mismatch")]).await, 0);
    assert_eq!(house.parsed().await, 1);
}

/// The operator reads these: wrong signatures count since the last right one.
#[tokio::test]
async fn wrong_signatures_are_on_the_status_page_until_a_right_one_comes() {
    let house = house("signature-status").open().await;
    let mismatches = async || house.status().await["signatureMismatches"].clone();
    assert_eq!(
        mismatches().await,
        serde_json::json!({ "last": null, "sinceDelivery": 0 })
    );
    for count in 1..=3 {
        let stranger = house.meta_with(OTHER_SECRET);
        let answer = stranger.post(text_message("wrong", "hello")).await.unwrap();
        assert_eq!(answer.status, 401);
        let status = house.status().await;
        assert_eq!(status["signatureMismatches"]["sinceDelivery"], count);
        assert!(status["signatureMismatches"]["last"].is_string());
        assert_eq!(status["lastDelivery"], serde_json::json!({}));
    }
    house.store(text_message("right", "hello")).await;
    assert_eq!(mismatches().await["sinceDelivery"], 0);
    let status = house.status().await;
    assert!(status["lastDelivery"]["stored"].is_string(), "{status}");
    assert_eq!(status["identity"]["webhook"], "signature-status");
}
