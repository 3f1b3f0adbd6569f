//! Asks with a nonce, which only a receiver of this webhook can answer: any firewall can say 403. And sends a body as large
//! as Meta's may be, which some proxies and firewalls do not let through.

use bytes::Bytes;
use hex::encode;
use hmac::{Hmac, KeyInit, Mac};
use http::header::{CONNECTION, HOST, USER_AGENT};
use http::{HeaderMap, HeaderName, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use tokio::io::{AsyncRead, AsyncWrite};

use super::Target;
use super::outcome::Trouble;

/// The header of the answer that carries the proof.
const PROOF: HeaderName = HeaderName::from_static("x-wahook-probe");
/// What the proof of an answer is made from, beside the nonce.
const ANSWER: &[u8] = b"wahook-probe-v1:";
/// The same of a request with a body.
const POST: &[u8] = b"wahook-probe-post-v1:";

/// Asks who is there.
pub(super) async fn ask(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    target: &Target,
) -> Result<(), Trouble> {
    let nonce = nonce();
    let request = Request::get(url(target, &nonce)).header(HOST, &target.host);
    let request = request
        .body(Full::default())
        .map_err(|_| Trouble::Stranger(None))?;
    let answer = exchange(stream, request).await.ok_or(Trouble::Stranger(None))?;
    if is_ours(answer.headers(), target, &nonce) {
        Ok(())
    } else {
        Err(Trouble::Stranger(Some(answer.status().as_u16())))
    }
}

/// Sends `size` bytes, unsigned. Answers whether a receiver had all of them; unknown when all were too busy.
pub(super) async fn send(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    target: &Target,
    size: usize,
) -> Result<Option<()>, Trouble> {
    let nonce = nonce();
    let request = Request::post(url(target, &nonce))
        .header(HOST, &target.host)
        .header(PROOF, proof_of(&target.key, POST, &nonce))
        .body(Full::new(Bytes::from(vec![b' '; size])));
    let request = request.map_err(|_| Trouble::Body { size, status: None })?;
    let answer = exchange(stream, request).await;
    let status = answer.as_ref().map(Response::status);
    // A receiver with a lower limit of its own has one because somebody wants it so.
    let arrived = answer.is_some_and(|answer| is_ours(answer.headers(), target, &nonce));
    match status {
        // Receivers of older versions prove nothing here.
        Some(StatusCode::UNAUTHORIZED) => Ok(Some(())),
        _ if arrived => Ok(Some(())),
        // Of what is in front of them: more of the same would not help.
        Some(StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) => Ok(None),
        other => Err(Trouble::Body {
            size,
            status: other.map(|status| status.as_u16()),
        }),
    }
}

fn nonce() -> String {
    format!("{:032x}", rand::random::<u128>())
}

fn url(target: &Target, nonce: &str) -> String {
    format!("{}?wahook.nonce={nonce}", target.path)
}

/// Nothing where no HTTP is spoken.
async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    mut request: Request<Full<Bytes>>,
) -> Option<Response<Incoming>> {
    let headers = request.headers_mut();
    headers.insert(USER_AGENT, http::HeaderValue::from_static("wahook-operator"));
    headers.insert(CONNECTION, http::HeaderValue::from_static("close"));
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
    // The connection does the reading and writing. When it ends, so does the exchange: with the answer, or without.
    let driving = async {
        let _ = connection.await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        answer = sender.send_request(request) => answer.ok(),
        () = driving => None,
    }
}

fn is_ours(headers: &HeaderMap, target: &Target, nonce: &str) -> bool {
    let expected = proof_of(&target.key, ANSWER, nonce);
    let proof = headers.get(PROOF).map(http::HeaderValue::as_bytes);
    proof.is_some_and(|proof| proof.ct_eq(expected.as_bytes()).into())
}

/// What proves to whoever has this key that somebody else with it made it, for this nonce and nothing else.
fn proof_of(key: &[u8], purpose: &[u8], nonce: &str) -> String {
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return String::new();
    };
    mac.update(purpose);
    mac.update(nonce.as_bytes());
    format!("sha256={}", encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use wahook_receiver::handshake::{ProbeNonce, is_probe_post, probe_answer};

    use super::*;

    #[test]
    fn receivers_prove_the_same() {
        let nonce = "0123456789abcdef0123456789abcdef";
        let read = ProbeNonce::from_query(Some(&format!("wahook.nonce={nonce}")));
        assert_eq!(
            read.as_ref().map(|read| probe_answer(b"key", read)),
            Some(proof_of(b"key", ANSWER, nonce))
        );
        let sent = proof_of(b"key", POST, nonce);
        assert!(read.is_some_and(|read| is_probe_post(b"key", &read, sent.as_bytes())));
    }
}
