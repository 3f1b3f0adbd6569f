//! The `history` field: chunks of past threads, one event per message.
//!
//! A chunk may hold thousands of messages and be larger than a broker accepts in one piece. A wamid alone does not
//! identify a message here: a `media_placeholder` is followed by a second delivery of the same wamid with the media. The
//! key is the digest of the value, which holds the chunk's phase and order, and the message's own.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::catalog::Natural;
use super::keys::{self, Customer, Facts, Sender};
use super::shape::{Members, Scalar, elements, scalar};
use super::value::Value;
use super::{Object, Scope, Splitter};

/// The field's name.
pub(super) const FIELD: &str = "history";

/// One element of `value.history`.
#[derive(Default)]
struct Chunk<'a> {
    metadata: Option<&'a RawValue>,
    threads: Vec<&'a RawValue>,
    errors: Vec<&'a RawValue>,
    other: Vec<(Cow<'a, str>, &'a RawValue)>,
}

impl<'a> Chunk<'a> {
    fn of(raw: &'a RawValue) -> Option<Self> {
        let mut chunk = Self::default();
        for (name, raw) in Members::of(raw)?.0 {
            match (name.as_ref(), elements(raw)) {
                ("threads", Some(threads)) => chunk.threads.extend(threads),
                ("errors", Some(errors)) => chunk.errors.extend(errors),
                ("metadata", _) if chunk.metadata.is_none() => chunk.metadata = Some(raw),
                _ => chunk.other.push((name, raw)),
            }
        }
        Some(chunk)
    }
}

impl Splitter<'_> {
    /// Splits the chunks of a history value; a value without chunks and messages is published whole.
    pub(super) fn history(&mut self, scope: &Scope<'_>, value: &Value<'_>) {
        let before = self.events.len();
        let is_chunks = |name: &str, raw| (name == FIELD).then(|| elements(raw)).flatten();
        let mut rest = Vec::new();
        for (name, raw) in &value.other {
            match is_chunks(name, raw) {
                Some(chunks) => chunks.into_iter().for_each(|chunk| self.chunk(scope, chunk)),
                None => rest.push((name, *raw)),
            }
        }
        for (list, elements) in &value.lists {
            for raw in elements {
                match list.natural {
                    // The media of a placeholder sent before, under the same wamid.
                    Natural::Message => {
                        let facts = self.history_message(scope, raw);
                        self.push_history(scope, list.object, raw, facts, None, None);
                    }
                    _ => self.element(scope, list, raw),
                }
            }
        }
        if self.events.len() == before {
            return self.whole(scope, scope.key.value);
        }
        for (name, raw) in rest {
            self.extra(scope, name, raw);
        }
    }

    fn chunk(&mut self, scope: &Scope<'_>, raw: &RawValue) {
        let before = self.events.len();
        let chunk = Chunk::of(raw).unwrap_or_default();
        let metadata = chunk.metadata.map(RawValue::get);
        for thread in &chunk.threads {
            self.thread(scope, &chunk, thread);
        }
        for error in &chunk.errors {
            let facts = keys::facts(Natural::Error, error, &scope.key, self.ordinal, Sender::Either);
            self.push_history(scope, "error", error, facts, metadata, None);
        }
        if self.events.len() == before {
            return self.extra(scope, FIELD, raw);
        }
        for (name, raw) in &chunk.other {
            self.extra(scope, name, raw);
        }
    }

    fn thread(&mut self, scope: &Scope<'_>, chunk: &Chunk<'_>, raw: &RawValue) {
        let Members(members) = Members::of(raw).unwrap_or_default();
        let mut about = String::from("{");
        let mut messages = Vec::new();
        let mut id = Scalar::default();
        let mut user_id = Scalar::default();
        for (name, value) in members {
            if let ("messages", Some(list)) = (name.as_ref(), elements(value)) {
                messages.extend(list);
                continue;
            }
            match name.as_ref() {
                "id" => id = scalar(value),
                "context" => user_id = Members::of(value).unwrap_or_default().scalar("user_id"),
                _ => {}
            }
            let comma = if about.len() > 1 { "," } else { "" };
            let name = serde_json::to_string(name.as_ref()).unwrap_or_default();
            about.extend([comma, &name, ":", value.get()]);
        }
        about.push('}');
        if messages.is_empty() {
            return self.extra(scope, FIELD, raw);
        }
        for message in messages {
            let mut facts = self.history_message(scope, message);
            // Both directions of a thread share its customer.
            facts.customer = Customer {
                user_id: user_id.clone().into_non_empty(),
                phone: id.clone().into_non_empty(),
                ..Customer::default()
            };
            let metadata = chunk.metadata.map(RawValue::get);
            self.push_history(scope, "message", message, facts, metadata, Some(&about));
        }
    }

    fn history_message<'r>(&self, scope: &Scope<'_>, raw: &'r RawValue) -> Facts<'r> {
        let facts = keys::facts(Natural::Message, raw, &scope.key, self.ordinal, Sender::Either);
        Facts {
            id: scope.key.sibling("message", raw, self.ordinal),
            ..facts
        }
    }

    fn push_history(
        &mut self,
        scope: &Scope<'_>,
        name: &'static str,
        raw: &RawValue,
        facts: Facts<'_>,
        metadata: Option<&str>,
        thread: Option<&str>,
    ) {
        let family = scope.family.clone();
        let more = [("history", metadata), ("thread", thread)];
        self.push(
            scope,
            Object {
                family,
                name,
                raw,
                facts,
                more,
            },
        );
    }
}
