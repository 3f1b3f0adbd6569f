//! What the rarer objects say about themselves, read member by member.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::canonical;
use super::catalog::Natural;
use super::keys::{ChangeKey, Customer, Facts, codes};
use super::shape::{Members, Scalar};
use crate::id::Key;
use crate::known;

/// One rare object with the change it came in.
struct Object<'a, 'c> {
    members: Members<'a>,
    timestamp: Scalar<'a>,
    change: &'c ChangeKey<'c>,
}

/// What identifies an object; without a key, its digest does. A key with a hole is no key: different objects could share
/// it, and the second one would be lost.
#[derive(Default)]
struct Identity<'a> {
    kind: Option<Cow<'a, str>>,
    key: Option<Key>,
    natural_id: Option<Cow<'a, str>>,
    customer: Customer<'a>,
    time: Option<i64>,
}

/// The facts of an element of one of the less frequent arrays.
pub(crate) fn facts<'a>(
    natural: Natural,
    raw: &'a RawValue,
    change: &ChangeKey<'_>,
    ordinal: usize,
) -> Facts<'a> {
    let members = Members::of(raw).unwrap_or_default();
    let timestamp = members.scalar("timestamp");
    let object = Object {
        members,
        timestamp,
        change,
    };
    let identity = match natural {
        Natural::UserAction => object.user_action(),
        Natural::StateSync => object.state_sync(),
        Natural::Group => object.group(),
        Natural::UserPreference => object.user_preference(),
        Natural::UserIdUpdate => object.user_id_update(),
        Natural::AutomaticEvent => object.automatic_event(),
        Natural::Message | Natural::Status | Natural::Call | Natural::CallStatus | Natural::Error => {
            Identity::default()
        }
    };
    Facts {
        id: identity
            .key
            .map_or_else(|| change.sibling("element", raw, ordinal), Key::finish),
        kind: known::kind(identity.kind.as_deref()),
        time: identity.time.or_else(|| object.timestamp.integer()),
        natural_id: identity.natural_id.map(Cow::into_owned),
        customer: identity.customer,
        error_codes: codes(object.members.get("errors")),
    }
}

impl<'a> Object<'a, '_> {
    fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        self.members.scalar(name).into_non_empty()
    }

    fn nested(&self, name: &str) -> Members<'a> {
        self.members.get(name).and_then(Members::of).unwrap_or_default()
    }

    fn customer(&self) -> Customer<'a> {
        Customer {
            group: self.text("group_id"),
            user_id: self.text("user_id"),
            phone: self.text("wa_id"),
            ..Customer::default()
        }
    }

    fn user_action(&self) -> Identity<'a> {
        let nested = || self.members.0.iter().filter_map(|(_, raw)| Members::of(raw));
        let click = self
            .text("click_id")
            .or_else(|| nested().find_map(|inner| inner.scalar("click_id").into_non_empty()));
        Identity {
            kind: self.text("action_type").or_else(|| self.text("type")),
            key: click.map(|click| self.change.key("user_action").text(Some(&click))),
            customer: self.customer(),
            ..Identity::default()
        }
    }

    fn state_sync(&self) -> Identity<'a> {
        let contact = self.nested("contact");
        let phone = contact.scalar("phone_number").into_non_empty();
        let user_id = contact.scalar("user_id").into_non_empty();
        let changed = self.nested("metadata").scalar("timestamp");
        let who = phone.as_deref().or(user_id.as_deref());
        let done = self.text("action").zip(changed.non_empty());
        let key = who.zip(done).map(|(who, (action, at))| {
            let key = self.change.key("state_sync").text(Some(who));
            key.text(Some(&action)).text(Some(at))
        });
        Identity {
            kind: self.text("type"),
            key,
            customer: Customer {
                user_id,
                phone,
                ..Customer::default()
            },
            time: changed.integer(),
            ..Identity::default()
        }
    }

    fn group(&self) -> Identity<'a> {
        let request = self.text("request_id").or_else(|| self.text("join_request_id"));
        let key = match (
            self.text("group_id"),
            self.text("type"),
            request,
            self.timestamp.non_empty(),
        ) {
            (Some(group), Some(kind), Some(request), Some(at)) => {
                let key = self.change.key("group").text(Some(&group)).text(Some(&kind));
                Some(key.text(Some(&request)).text(Some(at)))
            }
            _ => None,
        };
        Identity {
            kind: self.text("type"),
            key,
            natural_id: self.text("group_id"),
            customer: self.customer(),
            ..Identity::default()
        }
    }

    fn user_preference(&self) -> Identity<'a> {
        let customer = self.customer();
        let who = customer.user_id.as_deref().or(customer.phone.as_deref());
        let category = self.text("category");
        let value = self.members.get("value");
        let key = match (who, category.as_deref(), value, self.timestamp.non_empty()) {
            (Some(who), Some(category), Some(value), Some(at)) => {
                let key = self.change.key("user_preference").text(Some(who));
                let key = key.text(Some(category)).bytes(&canonical::digest(value));
                Some(key.text(Some(at)))
            }
            _ => None,
        };
        Identity {
            kind: category,
            key,
            customer,
            ..Identity::default()
        }
    }

    fn user_id_update(&self) -> Identity<'a> {
        let ids = self.nested("user_id");
        let current = ids.scalar("current").into_non_empty();
        let former = ids.scalar("previous").into_non_empty();
        let changed = current.as_deref().zip(self.timestamp.non_empty());
        let key = changed.map(|(current, at)| {
            let key = self.change.key("user_id_update").text(former.as_deref());
            key.text(Some(current)).text(Some(at))
        });
        let customer = Customer {
            user_id: current,
            former_user_id: former,
            ..self.customer()
        };
        Identity {
            key,
            customer,
            ..Identity::default()
        }
    }

    fn automatic_event(&self) -> Identity<'a> {
        let name = self.text("event_name");
        let key = self.text("id").zip(name.as_deref()).map(|(id, name)| {
            let key = self.change.key("automatic_event");
            key.text(Some(&id)).text(Some(name))
        });
        Identity {
            kind: name,
            key,
            natural_id: self.text("id"),
            customer: self.customer(),
            ..Identity::default()
        }
    }
}
