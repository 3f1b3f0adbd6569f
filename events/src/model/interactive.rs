//! Answers to interactive messages: lists, buttons, flows and call permissions.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{
    Timestamp,
    content::unknown,
    shape::{Member, Members, Shape},
};

object! {
    /// The answer to an interactive message (Meta, Webhooks reference: messages/interactive).
    pub struct Interactive {
        /// Meta's `type`, as sent.
        kind: Option<String> = "type",
        /// The answer itself: the object named by `type`.
        #[cfg_attr(feature = "schema", schemars(flatten))]
        reply: Reply,
    }
}

/// What the customer answered, by the `type` of the answer (Meta, Webhooks reference: messages/interactive).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Reply {
    /// `list_reply`: a row of a list.
    List(ListReply),
    /// `button_reply`: a reply button.
    Button(ButtonReply),
    /// `nfm_reply`: a finished Flow or an address form.
    Flow(NfmReply),
    /// `call_permission_reply`: whether the business may call.
    CallPermission(CallPermissionReply),
    /// Any other type, such as `payment_method`, or an answer that does not have the shape of its type: the
    /// value as Meta sent it, `null` where there was none.
    Unknown(Value),
}

/// Like the content of a message, the answer stands under the name that `type` holds.
impl Member for Reply {
    fn take(members: &mut Members<'_>, _key: &'static str) -> Option<Self> {
        let kind = members.peek("type").and_then(Value::as_str).unwrap_or_default();
        let typed = match kind {
            "list_reply" => members.value(kind).map(Self::List),
            "button_reply" => members.value(kind).map(Self::Button),
            "nfm_reply" => members.value(kind).map(Self::Flow),
            "call_permission_reply" => members.value(kind).map(Self::CallPermission),
            _ => None,
        };
        Some(typed.unwrap_or_else(|| Self::Unknown(unknown(kind, members))))
    }

    fn put(&self, _key: &'static str, object: &mut Map<String, Value>) {
        let value = match self {
            Self::List(reply) => reply.write(),
            Self::Button(reply) => reply.write(),
            Self::Flow(reply) => reply.write(),
            Self::CallPermission(reply) => reply.write(),
            Self::Unknown(value) => value.clone(),
        };
        if let (Some(Value::String(kind)), false) = (object.get("type"), value.is_null()) {
            object.insert(kind.clone(), value);
        }
    }
}

/// The answers, each under the name of its type.
#[cfg(feature = "schema")]
impl schemars::JsonSchema for Reply {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Reply".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        use crate::schema::part;
        schemars::json_schema!({
            "type": "object",
            "properties": {
                "list_reply": part::<ListReply>(generator, "A row of a list."),
                "button_reply": part::<ButtonReply>(generator, "A reply button."),
                "nfm_reply": part::<NfmReply>(generator, "A finished Flow or an address form."),
                "call_permission_reply": part::<CallPermissionReply>(generator, "Whether the business may call."),
            },
        })
    }
}

object! {
    /// The row that was chosen (Meta, Webhooks reference: messages/interactive, `list_reply`).
    pub struct ListReply {
        /// The row's id, as the business set it.
        id: String,
        /// The row's title.
        title: Option<String>,
        /// The row's description.
        description: Option<String>,
    }
}

object! {
    /// The button that was tapped (Meta, Webhooks reference: messages/interactive, `button_reply`).
    pub struct ButtonReply {
        /// The button's id, as the business set it.
        id: String,
        /// The button's label.
        title: Option<String>,
    }
}

object! {
    /// A finished Flow or address form (Meta, Flows: receiving a response; Address messages).
    pub struct NfmReply {
        /// `flow` or `address_message`.
        name: Option<String>,
        /// What the chat shows.
        body: Option<String>,
        /// The answers, as JSON inside a string.
        response_json: Option<String>,
    }
}

impl NfmReply {
    /// The answers as a type of yours. `None` where Meta sent no answers; not every answer is an object.
    pub fn response<T: DeserializeOwned>(&self) -> Option<serde_json::Result<T>> {
        self.response_json.as_deref().map(serde_json::from_str)
    }
}

object! {
    /// Whether the business may call (Meta, Calling: user call permissions).
    pub struct CallPermissionReply {
        /// `accept` or `reject`.
        response: Option<String>,
        /// Whether the permission has no end.
        is_permanent: Option<bool>,
        /// When a permission for a time ends.
        expiration_timestamp: Option<Timestamp>,
        /// `user_action`, or `automatic` when the customer called first.
        response_source: Option<String>,
    }
}
