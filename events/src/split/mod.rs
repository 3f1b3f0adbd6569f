//! Meta's body to events: one event for each message, status, call, error, template or account update.
//!
//! ```text
//! body -> envelope (entries, changes) -> value (arrays, context) -> keys (who, what, when) -> Event
//! ```
//!
//! Nothing is dropped: a field, type or member that is unknown becomes an event of its own name, and a piece that is not
//! what the envelope promises is handed back as [`Unusable`], next to the events of its neighbours.

mod canonical;
pub(crate) mod catalog;
mod contacts;
mod data;
mod element;
mod envelope;
mod history;
mod keys;
mod outcome;
mod rare;
mod scope;
pub(crate) mod shape;
mod value;

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::value::RawValue;

use self::catalog::List;
use self::contacts::Contact;
use self::envelope::{Change, Entry};
use self::keys::{Body, Customer, Facts, Sender};
use self::scope::Scope;
use self::shape::Members;
use self::value::Value;
use crate::event::Event;
use crate::known;
use crate::token::Lane;

pub use self::outcome::{Malformed, Reason, Split, Unusable};

/// Splits one delivery into its events.
///
/// # Errors
/// [`Malformed`] when the body as a whole is not Meta's envelope.
pub fn split(body: &[u8]) -> Result<Split<'_>, Malformed> {
    // The signature covers a byte order mark, JSON does not allow one.
    let json = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let (entries, unusable) = envelope::read(json)?;
    let body = Body::new(body);
    let mut splitter = Splitter {
        body: &body,
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
    body: &'a Body<'a>,
    events: Vec<Event>,
    /// How many elements were split out so far: tells byte-identical elements without an id apart.
    ordinal: usize,
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
            "standby" => outer.unwrap_member("standby", lists),
            _ => (outer, Vec::new()),
        };
        let scope = Scope::of(entry, change, &value, self.body);
        if field == history::FIELD {
            return self.history(&scope, &value);
        }
        if value.count() == 0 {
            return self.whole(&scope, change.value);
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
        let scope = Scope::of(entry, &change, &Value::default(), self.body);
        self.extra(&scope, name, raw);
    }

    /// One element of an array the field is split by.
    fn element(&mut self, scope: &Scope<'_>, list: &'static List, raw: &RawValue) {
        let sender = match list.name {
            "message_echoes" => Sender::Business,
            _ => Sender::Customer,
        };
        let facts = keys::facts(list.natural, raw, &scope.key, self.ordinal, sender);
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
    fn whole(&mut self, scope: &Scope<'_>, raw: &RawValue) {
        let members = Members::of(raw).unwrap_or_default();
        let kind = members
            .scalar("event")
            .into_non_empty()
            .or_else(|| members.scalar("type").into_non_empty());
        let sender = members.get("sender").and_then(Members::of).unwrap_or_default();
        let about = |name| members.scalar(name).into_non_empty();
        let facts = Facts {
            id: scope
                .key
                .whole(catalog::whole_key(&scope.key.field), Some(&members)),
            kind: known::kind(kind.as_deref()),
            // The entry's time is that of the notification, which is later.
            time: members.scalar("timestamp").integer(),
            natural_id: None,
            customer: Customer {
                user_id: about("user_id").or_else(|| sender.scalar("user_id").into_non_empty()),
                phone: about("wa_id").or_else(|| sender.scalar("phone_number").into_non_empty()),
                ..Customer::default()
            },
            error_codes: keys::codes(members.get("errors")),
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
            time: None,
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
            customer,
            error_codes,
        } = object.facts;
        let contact = scope.contacts.find(&customer, scope.single);
        let lane_key = customer.lane_key(contact.and_then(Contact::phone));
        let [first, second] = object.more;
        let optional = [
            ("contact", contact.map(|contact| contact.raw.get())),
            ("conversation_context", scope.conversation),
            ("metadata", scope.metadata),
            first,
            second,
        ];
        self.events.push(Event {
            id,
            origin: scope.origin,
            account: Arc::clone(&scope.account),
            family: object.family,
            kind,
            lane: Lane::of(&scope.account.token, lane_key),
            time: time.or(scope.entry_time),
            natural_id,
            error_codes,
            data: scope.context.data(&optional, object.name, object.raw),
        });
    }
}
