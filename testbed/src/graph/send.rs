//! `POST /<version>/<phone number id>/messages`.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State as Shared};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Fault, Sent, State, answer, refuse};
use crate::log::lock;
use crate::meta::MetaClient;

/// The pause before a delivery that was refused is tried again. Meta waits longer.
const AGAIN: Duration = Duration::from_millis(200);

pub(super) async fn send(
    Shared(state): Shared<Arc<State>>,
    Path((_version, number)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Err(refusal) = state.authorised(&headers) {
        return *refusal;
    }
    let fault = lock(&state.faults).pop_front();
    match fault {
        Some(Fault::Unavailable) => {
            return refuse(
                StatusCode::SERVICE_UNAVAILABLE,
                2,
                "Service temporarily unavailable",
                true,
            );
        }
        Some(Fault::TooMany) => {
            return refuse(
                StatusCode::TOO_MANY_REQUESTS,
                130_429,
                "(#130429) Rate limit hit",
                true,
            );
        }
        Some(Fault::Undeliverable) => {
            return refuse(
                StatusCode::BAD_REQUEST,
                131_026,
                "(#131026) Message undeliverable",
                false,
            );
        }
        Some(Fault::Code(code)) => {
            return refuse(
                StatusCode::BAD_REQUEST,
                code,
                &format!("(#{code}) Not now"),
                false,
            );
        }
        Some(Fault::NoAnswer) | None => {}
    }
    let body: Value = match serde_json::from_slice(&body) {
        Ok(body) => body,
        Err(_) => {
            return refuse(StatusCode::BAD_REQUEST, 100, "(#100) The body is not JSON", false);
        }
    };
    let Some(recipient) = recipient(&body) else {
        return refuse(
            StatusCode::BAD_REQUEST,
            100,
            "(#100) The parameter to is required",
            false,
        );
    };
    let id = {
        let mut sent = lock(&state.sent);
        let id = format!(
            "wamid.{}",
            STANDARD.encode(format!("sent by the business, {}", sent.len()))
        );
        sent.push(Sent {
            id: id.clone(),
            phone_number_id: number.clone(),
            body: body.clone(),
        });
        id
    };
    if let Some(webhook) = lock(&state.webhook).clone() {
        tokio::spawn(deliver(webhook, status(&number, &id, &recipient, &body)));
    }
    if fault == Some(Fault::NoAnswer) {
        // A body that fails in the middle: the connection ends without a whole answer.
        let broken = futures_util::stream::iter([Err::<Bytes, _>(std::io::Error::other("no answer"))]);
        return Body::from_stream(broken).into_response();
    }
    let taken = json!({
        "messaging_product": "whatsapp",
        "contacts": [{"input": recipient, "wa_id": recipient}],
        "messages": [{"id": id}],
    });
    answer(StatusCode::OK, &taken)
}

/// Whom it goes to, if the message has what every message must have: a phone number in `to`, or a business-scoped user id in
/// `recipient`.
fn recipient(body: &Value) -> Option<String> {
    let text = |key: &str| body[key].as_str().filter(|text| !text.is_empty());
    let kind = text("type")?;
    (text("messaging_product") == Some("whatsapp") && body[kind].is_object())
        .then(|| text("to").or(text("recipient")))
        .flatten()
        .map(str::to_owned)
}

/// The webhook body that says it was sent, with what the business attached to it.
fn status(number: &str, id: &str, recipient: &str, body: &Value) -> Vec<u8> {
    let seconds = jiff::Timestamp::now().as_second().to_string();
    let mut status = json!({"id": id, "status": "sent", "timestamp": seconds, "recipient_id": recipient});
    if let Some(attached) = body["biz_opaque_callback_data"].as_str() {
        status["biz_opaque_callback_data"] = attached.into();
    }
    let value = json!({
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550100000", "phone_number_id": number},
        "statuses": [status],
    });
    let change = json!({"value": value, "field": "messages"});
    let entry = json!({"id": "215005501000001", "changes": [change]});
    json!({"object": "whatsapp_business_account", "entry": [entry]})
        .to_string()
        .into_bytes()
}

/// Posts until it is taken.
async fn deliver(webhook: MetaClient, body: Vec<u8>) {
    loop {
        match webhook.post(body.clone()).await {
            Ok(answer) if answer.status == 200 => return,
            _ => tokio::time::sleep(AGAIN).await,
        }
    }
}
