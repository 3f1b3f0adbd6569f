//! `GET /<version>/<media id>` and the address that it answers with.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Path, RawQuery, State as Shared};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use futures_util::StreamExt as _;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::{MEDIA_URL_LIFETIME, State, answer, refuse};
use crate::log::lock;

/// A media file, and how it lies.
#[derive(Clone, Debug, Default)]
pub struct MediaFile {
    /// The media type.
    pub mime_type: String,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// The bytes that are handed out in their place, if any: damaged on the way.
    pub damaged: Option<Vec<u8>>,
    /// The pause before each byte, if it comes slowly.
    pub pause: Option<Duration>,
    /// The beginning of its address, `https://host`, if it is not here: what a forged answer would name.
    pub elsewhere: Option<String>,
}

pub(super) async fn look_up(
    Shared(state): Shared<Arc<State>>,
    Path((_version, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    if let Err(refusal) = state.authorised(&headers) {
        return *refusal;
    }
    let Some(file) = lock(&state.media).get(&id).cloned() else {
        return refuse(
            StatusCode::BAD_REQUEST,
            100,
            "Unsupported get request. The object does not exist",
            false,
        );
    };
    let mut ends = jiff::Timestamp::now().as_second() + MEDIA_URL_LIFETIME.as_secs().cast_signed();
    {
        let mut born_expired = lock(&state.born_expired);
        if *born_expired > 0 {
            *born_expired -= 1;
            ends -= 2 * MEDIA_URL_LIFETIME.as_secs().cast_signed();
        }
    }
    let begin = file
        .elsewhere
        .unwrap_or_else(|| format!("http://{}", state.address));
    let found = json!({
        "messaging_product": "whatsapp",
        "url": format!("{begin}/whatsapp_business/attachments/?mid={id}&ext={ends}&hash=EXAMPLE"),
        "mime_type": file.mime_type,
        "sha256": hex::encode(Sha256::digest(&file.bytes)),
        "file_size": file.bytes.len(),
        "id": id,
    });
    answer(StatusCode::OK, &found)
}

pub(super) async fn fetch(
    Shared(state): Shared<Arc<State>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    if let Err(refusal) = state.authorised(&headers) {
        return *refusal;
    }
    let query = query.unwrap_or_default();
    let parameter = |name: &str| {
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    };
    let file = parameter("mid").and_then(|id| lock(&state.media).get(&id).cloned());
    let ends: i64 = parameter("ext").and_then(|ends| ends.parse().ok()).unwrap_or(0);
    match file {
        Some(file) if ends > jiff::Timestamp::now().as_second() => {
            let bytes = file.damaged.unwrap_or(file.bytes);
            ([("content-type", file.mime_type)], body(bytes, file.pause)).into_response()
        }
        // An address that is too old is answered like one that never was.
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

fn body(bytes: Vec<u8>, pause: Option<Duration>) -> Body {
    let Some(pause) = pause else {
        return bytes.into();
    };
    Body::from_stream(futures_util::stream::iter(bytes).then(move |byte| async move {
        tokio::time::sleep(pause).await;
        Ok::<_, std::io::Error>(Bytes::from(vec![byte]))
    }))
}
