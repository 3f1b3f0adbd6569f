//! Requests of the operator's probe, which looks at the public URL as Meta would. They are nobody's traffic: they show in no
//! metric that a user alerts on.
//!
//! A `GET` with a nonce asks who answers. A `POST` asks whether a body as large as Meta's may be gets through; only one that
//! proves that it is the operator's is taken as such.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, Method, Request};
use tokio::time::Instant;

use super::answer::Answer;
use super::{Keys, Live, body, unread_answer};
use crate::handshake::{Handshake, PROBE_HEADER, ProbeNonce, is_probe_post, probe_answer};

/// What a request has to do with the probe.
pub(super) struct Probe {
    nonce: Option<ProbeNonce>,
    is_nobodys: bool,
}

impl Probe {
    /// Reads a request's nonce. Anybody can send one, so one that comes with a handshake or a delivery hides nothing.
    pub(super) fn of(request: &Request<Body>, keys: &Keys) -> Self {
        let query = request.uri().query();
        let nonce = ProbeNonce::from_query(query);
        let is_nobodys = match (request.method(), &nonce, &keys.probe_key) {
            (&Method::GET, Some(_), _) => !Handshake::is_attempted(query),
            (&Method::POST, Some(nonce), Some(key)) => {
                let proof = request.headers().get(PROBE_HEADER);
                proof.is_some_and(|proof| is_probe_post(key, nonce, proof.as_bytes()))
            }
            _ => false,
        };
        // A stranger's delivery gets no proof.
        let proves = is_nobodys || request.method() == Method::GET;
        Self {
            nonce: nonce.filter(|_| proves),
            is_nobodys,
        }
    }

    /// Whether the request is the probe's and nobody else's.
    pub(super) fn is_nobodys(&self) -> bool {
        self.is_nobodys
    }

    /// Puts the proof into the answer of whom was asked for one.
    pub(super) fn prove(&self, keys: &Keys, response: &mut Response) {
        if let (Some(nonce), Some(key)) = (&self.nonce, &keys.probe_key)
            && let Ok(proof) = HeaderValue::try_from(probe_answer(key, nonce))
        {
            response.headers_mut().insert(PROBE_HEADER, proof);
        }
    }
}

/// Reads a body of the probe's, and answers as any unsigned one is answered.
pub(super) async fn swallow(request: Request<Body>, live: &Live) -> Answer {
    let (head, whole) = request.into_parts();
    let deadline = Instant::now() + live.body_timeout;
    match body::drain(whole, &head.headers, live.body_bytes, deadline).await {
        Ok(()) => Answer::InvalidSignature,
        Err(unread) => unread_answer(unread, false),
    }
}
