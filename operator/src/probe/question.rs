//! Asks with a nonce, which only a receiver of this webhook can answer: any firewall can say 403.

use hex::encode;
use hmac::{Hmac, KeyInit, Mac};
use http::header::{CONNECTION, HOST, USER_AGENT};
use http::{HeaderName, Request};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use tokio::io::{AsyncRead, AsyncWrite};

use super::Target;
use super::outcome::Trouble;

/// The header of the answer that carries the proof.
const PROOF: HeaderName = HeaderName::from_static("x-wahook-probe");

/// Asks once.
pub(super) async fn ask(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    target: &Target,
) -> Result<(), Trouble> {
    let nonce = format!("{:032x}", rand::random::<u128>());
    let request = Request::get(format!("{}?wahook.nonce={nonce}", target.path))
        .header(HOST, &target.host)
        .header(USER_AGENT, "wahook-operator")
        .header(CONNECTION, "close")
        .body(Empty::<bytes::Bytes>::new())
        .map_err(|_| Trouble::Stranger(None))?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|_| Trouble::Stranger(None))?;
    // The connection does the reading and writing. When it ends, so does the exchange: with the answer, or without.
    let driving = async {
        let _ = connection.await;
        std::future::pending::<()>().await;
    };
    let answer = tokio::select! {
        answer = sender.send_request(request) => answer.map_err(|_| Trouble::Stranger(None))?,
        () = driving => return Err(Trouble::Stranger(None)),
    };
    let proof = answer.headers().get(PROOF).map(|value| value.as_bytes().to_vec());
    let expected = proof_of(&target.key, &nonce);
    let is_ours = proof.is_some_and(|proof| proof.ct_eq(expected.as_bytes()).into());
    if is_ours {
        Ok(())
    } else {
        Err(Trouble::Stranger(Some(answer.status().as_u16())))
    }
}

/// What a receiver with this key answers.
fn proof_of(key: &[u8], nonce: &str) -> String {
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return String::new();
    };
    mac.update(b"wahook-probe-v1:");
    mac.update(nonce.as_bytes());
    format!("sha256={}", encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use wahook_receiver::handshake::{ProbeNonce, probe_answer};

    use super::*;

    #[test]
    fn receivers_prove_the_same() {
        let nonce = "0123456789abcdef0123456789abcdef";
        let read = ProbeNonce::from_query(Some(&format!("wahook.nonce={nonce}")));
        assert_eq!(
            read.map(|read| probe_answer(b"key", &read)),
            Some(proof_of(b"key", nonce))
        );
    }
}
