//! The AsyncAPI 3.0 document: a channel for each family, its message with headers, data and an example.

use serde_json::{Map, Value, json};

use super::families;
use crate::contract;
use crate::known::DEAD_LETTER;
use crate::received::Family;
use crate::samples;

/// The whole document. What a consumer does is `receive`.
pub fn document() -> Value {
    let mut channels = Map::new();
    let mut operations = Map::new();
    let mut messages = Map::new();
    for family in families().chain([DEAD_LETTER]) {
        channels.insert(family.to_owned(), channel(family));
        operations.insert(format!("receive_{family}"), operation(family));
        messages.insert(family.to_owned(), message(family));
    }
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Events of WhatsApp Business webhooks, published by Wahook",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "One message for each message, status, call, error, template or account update that Meta delivers. JetStream \
                delivers at least once: deduplicate by `ce-id`, order by `ce-time`.",
            "license": { "name": "Apache-2.0" },
        },
        "defaultContentType": "application/json",
        "servers": {
            "nats": {
                "host": "{host}:4222",
                "protocol": "nats",
                "description": "The broker of the webhook. Read with a durable pull consumer for each lane.",
                "variables": { "host": { "default": "127.0.0.1", "description": "The NATS server." } },
            },
        },
        "channels": channels,
        "operations": operations,
        "components": {
            "messages": messages,
            "messageTraits": { "event": { "headers": headers() } },
            "parameters": parameters(),
        },
    })
}

fn about(family: &str) -> &'static str {
    let place = Family::WORDS.iter().position(|word| *word == family);
    place.map_or("", |place| Family::ABOUT[place].trim())
}

fn channel(family: &str) -> Value {
    let parameters: Map<_, _> = parameters()
        .keys()
        .map(|name| {
            (
                name.clone(),
                json!({ "$ref": format!("#/components/parameters/{name}") }),
            )
        })
        .collect();
    json!({
        "address": format!("{{prefix}}.{{namespace}}.{{webhook}}.{{account}}.{family}.{{type}}.{{lane}}"),
        "title": family,
        "description": about(family),
        "parameters": parameters,
        "messages": { "event": { "$ref": format!("#/components/messages/{family}") } },
    })
}

fn operation(family: &str) -> Value {
    json!({
        "action": "receive",
        "channel": { "$ref": format!("#/channels/{family}") },
        "summary": about(family),
    })
}

fn parameters() -> Map<String, Value> {
    let all = [
        (
            "prefix",
            "What all subjects begin with; `whatsapp` unless the platform chose another word.",
        ),
        ("namespace", "The namespace of the webhook's resource."),
        ("webhook", "The name of the webhook's resource."),
        (
            "account",
            "The phone number id, else the WhatsApp Business Account, else `_`.",
        ),
        (
            "type",
            "The message type, status, call event, error code or event name; `_` where there is none. New ones arrive without notice.",
        ),
        (
            "lane",
            "One hex digit. All events of one customer of one account have the same.",
        ),
    ];
    all.into_iter()
        .map(|(name, about)| (name.to_owned(), json!({ "description": about })))
        .collect()
}

fn message(family: &str) -> Value {
    let mut message = json!({
        "name": family,
        "title": about(family),
        "traits": [{ "$ref": "#/components/messageTraits/event" }],
    });
    if family == DEAD_LETTER {
        message["contentType"] = "application/octet-stream".into();
        message["payload"] =
            json!({ "description": "The bytes as they were signed. Most of them are no JSON." });
    } else {
        message["contentType"] = "application/json".into();
        message["payload"] = json!({
            "schemaFormat": "application/schema+json;version=draft-07",
            "schema": { "$ref": format!("./schema/{family}.json") },
        });
    }
    if let Some(example) = example(family) {
        message["examples"] =
            json!([{ "name": family, "headers": example["headers"], "payload": example["data"] }]);
    }
    message
}

fn example(family: &str) -> Option<Value> {
    let path = format!("examples/{family}.json");
    let files = samples::generated();
    let file = files.iter().find(|file| file.path == path)?;
    serde_json::from_str(&file.text).ok()
}

fn headers() -> Value {
    let text = |about: &str| json!({ "type": "string", "description": about });
    let properties = [
        (
            contract::MSG_ID,
            "What the stream deduplicates by: the event id, in quarantine with `q-` in front.",
        ),
        (contract::EXPECTED_STREAM, "The stream that had to take it."),
        (contract::SPEC_VERSION, "The version of CloudEvents, 1.0."),
        (
            contract::ID,
            "The event id: 22 characters, the same for every delivery of the same thing.",
        ),
        (contract::SOURCE, "`/<prefix>/<namespace>/<webhook>/<account>`."),
        (contract::TYPE, "`com.whatsapp.<family>.<type>`."),
        (contract::CONTENT_TYPE, "The media type of the data."),
        (
            contract::SCHEMA,
            "The version of the data's shape; not on dead letters.",
        ),
        (
            contract::TIME,
            "When it happened by Meta's clock, RFC 3339 in UTC; absent where Meta does not say.",
        ),
        (
            contract::SUBJECT,
            "Meta's own id. It may embed a phone number: do not log it.",
        ),
        (
            contract::RECEIVED,
            "When the request had arrived, RFC 3339 in UTC.",
        ),
        (
            contract::FAMILY,
            "The family it would have had, on tests and in quarantine.",
        ),
        (
            contract::DATA_REF,
            "`nats-object:<bucket>/<name>`: where the data is, when it is larger than a message may be.",
        ),
        ("traceparent", "The trace it belongs to, where there is one."),
    ];
    let properties: Map<_, _> = properties
        .into_iter()
        .map(|(name, about)| (name.to_owned(), text(about)))
        .collect();
    json!({
        "type": "object",
        "required": [contract::MSG_ID, contract::SPEC_VERSION, contract::ID, contract::SOURCE, contract::TYPE, contract::RECEIVED],
        "properties": properties,
    })
}
