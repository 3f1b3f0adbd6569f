//! What Meta posts.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// The business's phone number id.
pub(crate) const NUMBER: &str = "315005501000001";

/// The phone number of a customer.
pub(crate) fn phone(customer: usize) -> String {
    format!("1555010{customer:04}")
}

/// A text message of this moment, from a customer whose phone number is known.
pub(crate) fn message(id: &str, customer: usize, text: &str) -> Value {
    json!({
        "from": phone(customer), "from_user_id": format!("US.{customer:020}"), "id": id,
        "timestamp": seconds_ago(0), "type": "text", "text": {"body": text},
    })
}

/// The same with an image in place of words.
pub(crate) fn image(id: &str, customer: usize, media: &str) -> Value {
    let mut message = message(id, customer, "");
    let members = message.as_object_mut().unwrap();
    members.remove("text");
    members.insert("type".to_owned(), "image".into());
    members.insert(
        "image".to_owned(),
        json!({"id": media, "mime_type": "image/jpeg"}),
    );
    message
}

/// Meta's clock, as Meta writes it.
pub(crate) fn seconds_ago(seconds: i64) -> String {
    let then = Timestamp::now() - SignedDuration::from_secs(seconds);
    then.as_second().to_string()
}

/// A status of a message that the business sent.
pub(crate) fn status(message: &str, status: &str) -> Value {
    json!({"id": message, "status": status, "timestamp": seconds_ago(0), "recipient_id": phone(1)})
}

/// A body with this message, and the contact of whoever sent it.
pub(crate) fn with_contact(message: &Value, name: &str) -> Vec<u8> {
    let contact = json!({
        "profile": {"name": name}, "wa_id": message["from"], "user_id": message["from_user_id"],
    });
    body(&json!({"contacts": [contact], "messages": [message]}), NUMBER)
}

/// A body with these members of a value beside its metadata.
pub(crate) fn body(members: &Value, number: &str) -> Vec<u8> {
    let mut value = json!({
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550100000", "phone_number_id": number},
    });
    for (name, member) in members.as_object().unwrap() {
        value[name] = member.clone();
    }
    let change = json!({"field": "messages", "value": value});
    let entry = json!({"id": "215005501000001", "changes": [change]});
    let body = json!({"object": "whatsapp_business_account", "entry": [entry]});
    serde_json::to_vec(&body).unwrap()
}

/// A body with this message alone.
pub(crate) fn alone(message: &Value) -> Vec<u8> {
    body(&json!({"messages": [message]}), NUMBER)
}
