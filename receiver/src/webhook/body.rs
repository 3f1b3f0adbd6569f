//! Reads a request body once: capped, within its time, hashed as it arrives.
//!
//! Memory is bounded over all requests. A small body is read at once; a larger one is admitted whole, by its declared
//! length, before more of it is read, so that many half-read bodies never wait for each other.

use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header};
use http_body_util::BodyExt as _;
use tokio::time::{Instant, timeout_at};

use crate::budget::{Budget, Share};

/// Bodies up to this many bytes need no admission; the connection cap bounds them.
const SMALL: usize = 16 * 1024;
/// What one unit of the body budget stands for, in bytes.
const UNIT: usize = 1024;
/// How often a body is held at its worst: as it came, and as the events it becomes.
const COPIES: usize = 2;

/// A body that waits longer than this for its memory and is then late is late because of us.
const PATIENCE: Duration = Duration::from_millis(100);

/// Why a body was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unread {
    TooLarge,
    TooSlow,
    Interrupted,
    /// No memory for it within its time.
    Busy,
}

/// A body that was read, with its share of the memory.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) bytes: Bytes,
    pub(super) share: Option<Share>,
}

/// The units of a budget of `bytes`.
pub(super) const fn units(bytes: usize) -> usize {
    bytes.div_ceil(UNIT)
}

/// Whether a body is sent in an encoding other than its own.
pub(super) fn is_encoded(headers: &HeaderMap) -> bool {
    let mut encodings = headers.get_all(header::CONTENT_ENCODING).iter();
    encodings.any(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

/// Reads a body of at most `cap` bytes before `deadline`; `seen` gets every piece as it arrives.
pub(super) async fn read(
    mut body: Body,
    headers: &HeaderMap,
    cap: usize,
    deadline: Instant,
    memory: &Budget,
    mut seen: impl FnMut(&[u8]),
) -> Result<Read, Unread> {
    let declared = declared_length(headers);
    if declared.is_some_and(|length| length > cap) {
        return Err(Unread::TooLarge);
    }
    let mut share = None;
    let mut made_to_wait = false;
    let Some(first) = next(&mut body, deadline).await? else {
        return Ok(Read {
            bytes: Bytes::new(),
            share,
        });
    };
    seen(&first);
    if first.len() > cap {
        return Err(Unread::TooLarge);
    }
    // Most bodies arrive in one piece, which is then the body, uncopied.
    if declared == Some(first.len()) {
        return Ok(Read { bytes: first, share });
    }
    let expected = declared.unwrap_or(SMALL);
    let mut bytes = BytesMut::with_capacity(expected.max(first.len()).min(SMALL));
    bytes.extend_from_slice(&first);
    loop {
        let piece = match next(&mut body, deadline).await {
            Ok(Some(piece)) => piece,
            Ok(None) => break,
            // It was not the client who took the time.
            Err(Unread::TooSlow) if made_to_wait => return Err(Unread::Busy),
            Err(unread) => return Err(unread),
        };
        seen(&piece);
        let length = bytes.len() + piece.len();
        if length > cap {
            return Err(Unread::TooLarge);
        }
        if length > SMALL && share.is_none() {
            let whole = declared.unwrap_or(cap);
            let asked = Instant::now();
            let admitted = timeout_at(deadline, memory.admit(units(whole * COPIES))).await;
            made_to_wait = asked.elapsed() > PATIENCE;
            share = Some(admitted.ok().flatten().ok_or(Unread::Busy)?);
            if declared.is_some() {
                bytes.reserve(whole.saturating_sub(bytes.len()));
            }
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(Read {
        bytes: bytes.freeze(),
        share,
    })
}

/// Reads a body and throws it away, so that whoever sent it gets to read the answer.
pub(super) async fn drain(
    mut body: Body,
    headers: &HeaderMap,
    cap: usize,
    deadline: Instant,
) -> Result<(), Unread> {
    if declared_length(headers).is_some_and(|length| length > cap) {
        return Err(Unread::TooLarge);
    }
    let mut length = 0;
    while let Some(piece) = next(&mut body, deadline).await? {
        length += piece.len();
        if length > cap {
            return Err(Unread::TooLarge);
        }
    }
    Ok(())
}

fn declared_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

async fn next(body: &mut Body, deadline: Instant) -> Result<Option<Bytes>, Unread> {
    loop {
        match timeout_at(deadline, body.frame()).await {
            Err(_) => return Err(Unread::TooSlow),
            Ok(None) => return Ok(None),
            Ok(Some(Err(_))) => return Err(Unread::Interrupted),
            // Trailers carry nothing that is signed.
            Ok(Some(Ok(frame))) => {
                if let Ok(data) = frame.into_data()
                    && !data.is_empty()
                {
                    return Ok(Some(data));
                }
            }
        }
    }
}
