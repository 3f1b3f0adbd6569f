//! Meta's body to events: one event for each message, status, call, error, template or account update.
//!
//! ```text
//! body -> envelope (entries, changes) -> value (arrays, context) -> keys (who, what, when) -> Event
//! ```
//!
//! Nothing is dropped: a field, type or member that is unknown becomes an event of its own name, and a piece that is not
//! what the envelope promises is handed back as [`Unusable`], next to the events of its neighbours.

mod canonical;
mod catalog;
mod contacts;
mod data;
mod envelope;
mod history;
mod keys;
mod rare;
mod shape;
mod value;

use std::borrow::Cow;
use std::cell::OnceCell;
use std::sync::Arc;

use serde_json::value::RawValue;

use self::catalog::List;
use self::contacts::Contact;
use self::data::Context;
use self::envelope::{Change, Entry};
use self::keys::{ChangeKey, Customer, Facts};
use self::shape::Members;
use self::value::Value;
use crate::event::{Account, Event, Origin};
use crate::known;
use crate::token::{ABSENT, Lane, token};

/// The entry id of the dashboard's Test button.
const TEST_ENTRY: &str = "0";

/// Why a signed body holds no event at all; it goes to the dead letters whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The body is not one JSON value in UTF-8.
    #[error("the body is not JSON")]
    NotJson,
    /// The body is JSON without a non-empty `entry` array.
    #[error("the body is not Meta's envelope: it has no entries")]
    NotAnEnvelope,
    /// `object` names another product of Meta's.
    #[error("the body is not for WhatsApp: its object is not whatsapp_business_account")]
    OtherObject,
}

impl Malformed {
    /// The reason as a subject token and metric label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotJson => "not_json",
            Self::NotAnEnvelope => "not_an_envelope",
            Self::OtherObject => "other_object",
        }
    }
}

/// Why one piece of an otherwise usable body is no event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// An element of `entry` that is not an object.
    EntryNotAnObject,
    /// An entry that holds no change and nothing else.
    EntryWithoutChanges,
    /// A change without a field or a value.
    ChangeWithoutField,
    /// A member beside `object` and `entry`.
    UnknownMember,
}

impl Reason {
    /// The reason as a subject token and metric label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EntryNotAnObject => "entry_not_an_object",
            Self::EntryWithoutChanges => "entry_without_changes",
            Self::ChangeWithoutField => "change_without_field",
            Self::UnknownMember => "unknown_member",
        }
    }
}

/// A piece of a body that is no event: a dead letter of its own.
#[derive(Debug, Clone, Copy)]
pub struct Unusable<'a> {
    /// Why.
    pub reason: Reason,
    /// Meta's bytes.
    pub raw: &'a RawValue,
}

/// What a body holds.
#[derive(Debug, Default)]
pub struct Split<'a> {
    /// The events in the order they stand in the body.
    pub events: Vec<Event>,
    /// The pieces that are no events.
    pub unusable: Vec<Unusable<'a>>,
}

/// Splits one delivery into its events.
///
/// # Errors
/// [`Malformed`] when the body as a whole is not Meta's envelope.
pub fn split(body: &[u8]) -> Result<Split<'_>, Malformed> {
    // The signature covers a byte order mark, JSON does not allow one.
    let json = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let (entries, unusable) = envelope::read(json)?;
    let mut splitter = Splitter {
        body,
        events: Vec::new(),
        ordinal: 0,
    };
    for entry in &entries {
        for change in &entry.changes {
            splitter.change(entry, change);
        }
        for (name, raw) in &entry.unknown {
            splitter.unknown_member(entry, name, raw);
        }
    }
    Ok(Split {
        events: splitter.events,
        unusable,
    })
}

struct Splitter<'a> {
    body: &'a [u8],
    events: Vec<Event>,
    /// How many elements were split out so far: tells byte-identical elements without an id apart.
    ordinal: usize,
}

/// What all events of one change share.
struct Scope<'a> {
    key: ChangeKey<'a>,
    family: Cow<'static, str>,
    origin: Origin,
    account: Arc<Account>,
    context: Context,
    contacts: Vec<Contact<'a>>,
    conversation: Option<&'a str>,
    entry_time: Option<i64>,
}

/// What one event adds to its scope.
struct Object<'a> {
    family: Cow<'static, str>,
    name: &'static str,
    raw: &'a RawValue,
    facts: Facts<'a>,
    /// Members that only this kind of object has in its data.
    more: [(&'static str, Option<&'a str>); 2],
}

const NOTHING_MORE: [(&str, Option<&str>); 2] = [("", None), ("", None)];

impl<'a> Splitter<'a> {
    fn change(&mut self, entry: &'a Entry<'a>, change: &'a Change<'a>) {
        let field = change.field.as_ref();
        let lists = catalog::lists(field);
        let outer = Value::of(change.value, lists).unwrap_or_default();
        let (value, outer_rest) = match field {
            "standby" => nested(outer, "standby", lists),
            _ => (outer, Vec::new()),
        };
        let scope = self.scope(entry, change, &value);
        if field == history::FIELD {
            return self.history(&scope, &value);
        }
        if value.count() == 0 {
            return self.whole(&scope, &value, change.value);
        }
        self.events.reserve(value.count());
        for (list, elements) in &value.lists {
            for raw in elements {
                self.element(&scope, list, raw);
            }
        }
        for (name, raw) in value.other.iter().chain(&outer_rest) {
            self.extra(&scope, name, raw);
        }
    }

    /// A member of an entry or change that the envelope does not know, `changed_fields` for one.
    fn unknown_member(&mut self, entry: &'a Entry<'a>, name: &'a str, raw: &'a RawValue) {
        let change = Change {
            field: Cow::Borrowed(name),
            value: raw,
        };
        let scope = self.scope(entry, &change, &Value::default());
        self.extra(&scope, name, raw);
    }

    fn scope<'s>(&self, entry: &'s Entry<'_>, change: &'s Change<'_>, value: &Value<'s>) -> Scope<'s>
    where
        'a: 's,
    {
        let field = change.field.as_ref();
        let entry_id = entry.id.as_str().unwrap_or_default();
        let member = |name: &str| {
            value
                .other
                .iter()
                .find(|(key, _)| key == name)
                .map(|(_, raw)| *raw)
        };
        let inner = |object: &str, name: &str| {
            member(object)
                .and_then(Members::of)
                .and_then(|members| members.scalar(name).into_non_empty())
        };
        let phone_number_id = value
            .phone_number_id
            .clone()
            .into_non_empty()
            .or_else(|| inner("phone_number_settings", "phone_number_id"));
        // On partner fields the entry is a business portfolio; the WABA, if any, is named inside.
        let waba_info = inner("waba_info", "waba_id");
        let is_portfolio = field == "partner_solutions" || waba_info.is_some();
        let waba_id = if is_portfolio {
            waba_info.as_deref()
        } else {
            entry.id.non_empty()
        };
        let account = phone_number_id.as_deref().or(waba_id).unwrap_or_default();
        let context = Context::new(&[
            ("portfolio_id", entry.id.non_empty().filter(|_| is_portfolio)),
            ("waba_id", waba_id),
            ("phone_number_id", phone_number_id.as_deref()),
            ("display_phone_number", value.display_phone_number.non_empty()),
        ]);
        let token = if account.is_empty() {
            ABSENT.into()
        } else {
            token(account).into_owned()
        };
        Scope {
            family: known::family(field),
            origin: if entry_id == TEST_ENTRY {
                Origin::DashboardTest
            } else {
                Origin::Live
            },
            context,
            contacts: contacts::read(&value.contacts),
            conversation: value.conversation_context.map(RawValue::get),
            entry_time: entry.time.integer(),
            key: ChangeKey {
                field: change.field.clone(),
                account: phone_number_id
                    .clone()
                    .unwrap_or_else(|| Cow::Owned(entry_id.to_owned())),
                entry_id,
                entry_time: entry.time.as_str(),
                value: change.value,
                body: self.body,
                digest: OnceCell::new(),
            },
            account: Arc::new(Account {
                phone_number_id: phone_number_id.map(Cow::into_owned),
                token,
            }),
        }
    }

    /// One element of an array the field is split by.
    fn element(&mut self, scope: &Scope<'_>, list: &'static List, raw: &RawValue) {
        let echo = list.name == "message_echoes";
        let facts = keys::facts(list.natural, raw, &scope.key, self.ordinal, echo);
        let family = list.family.map_or_else(|| scope.family.clone(), Cow::Borrowed);
        self.push(
            scope,
            Object {
                family,
                name: list.object,
                raw,
                facts,
                more: NOTHING_MORE,
            },
        );
    }

    /// A value that is one event: an account-level field, an unknown field, or a known one in an unknown shape.
    fn whole(&mut self, scope: &Scope<'_>, value: &Value<'_>, raw: &RawValue) {
        let members = Members::of(raw).unwrap_or_default();
        let kind = members
            .scalar("event")
            .into_non_empty()
            .or_else(|| members.scalar("type").into_non_empty());
        let about = |name: &str| {
            value
                .other
                .iter()
                .find(|(key, _)| key == name)
                .map(|(_, raw)| shape::scalar(raw))
        };
        let facts = Facts {
            id: scope
                .key
                .whole(catalog::whole_key(&scope.key.field), Some(&members)),
            kind: known::kind(kind.as_deref()),
            time: scope.entry_time.or_else(|| members.scalar("timestamp").integer()),
            natural_id: None,
            customer: Customer {
                group: None,
                user_id: about("user_id").and_then(shape::Scalar::into_non_empty),
                phone: about("wa_id").and_then(shape::Scalar::into_non_empty),
            },
            error_codes: Vec::new(),
        };
        let family = scope.family.clone();
        self.push(
            scope,
            Object {
                family,
                name: "value",
                raw,
                facts,
                more: NOTHING_MORE,
            },
        );
    }

    /// A member beside the events of a change that nobody knows: published under its own name.
    fn extra(&mut self, scope: &Scope<'_>, name: &str, raw: &RawValue) {
        let facts = Facts {
            id: scope.key.extra(name, raw, self.ordinal),
            kind: known::kind(None),
            time: scope.entry_time,
            natural_id: None,
            customer: Customer::default(),
            error_codes: Vec::new(),
        };
        let family = known::family(name);
        self.push(
            scope,
            Object {
                family,
                name: "value",
                raw,
                facts,
                more: NOTHING_MORE,
            },
        );
    }

    fn push(&mut self, scope: &Scope<'_>, object: Object<'_>) {
        self.ordinal += 1;
        let Facts {
            id,
            kind,
            time,
            natural_id,
            mut customer,
            error_codes,
        } = object.facts;
        let contact = contacts::find(&scope.contacts, &customer);
        if customer.user_id.is_none() {
            customer.user_id =
                contacts::user_id(&scope.contacts, &customer).map(|id| Cow::Owned(id.to_owned()));
        }
        let [first, second] = object.more;
        let optional = [
            ("contact", contact.map(RawValue::get)),
            ("conversation_context", scope.conversation),
            first,
            second,
        ];
        self.events.push(Event {
            id,
            origin: scope.origin,
            account: Arc::clone(&scope.account),
            family: object.family,
            kind,
            lane: Lane::of(&scope.account.token, customer.lane_key()),
            time,
            natural_id,
            error_codes,
            data: scope.context.data(&optional, object.name, object.raw),
        });
    }
}

/// The value inside a value of a field that nests one level deeper, with the outer context where the inner has none, and
/// what else stood in the outer one.
fn nested<'a>(
    outer: Value<'a>,
    name: &str,
    lists: &'static [List],
) -> (Value<'a>, Vec<(Cow<'a, str>, &'a RawValue)>) {
    let Some(at) = outer.other.iter().position(|(key, _)| key == name) else {
        return (outer, Vec::new());
    };
    let Some(mut inner) = Value::of(outer.other[at].1, lists) else {
        return (outer, Vec::new());
    };
    let mut rest = outer.other;
    rest.remove(at);
    if inner.phone_number_id.non_empty().is_none() {
        inner.phone_number_id = outer.phone_number_id;
    }
    if inner.display_phone_number.non_empty().is_none() {
        inner.display_phone_number = outer.display_phone_number;
    }
    if inner.contacts.is_empty() {
        inner.contacts = outer.contacts;
    }
    inner.conversation_context = inner.conversation_context.or(outer.conversation_context);
    inner.lists.extend(outer.lists);
    (inner, rest)
}
