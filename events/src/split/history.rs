//! The `history` field: chunks of past threads, one event per message.
//!
//! A chunk may hold thousands of messages and be larger than a broker accepts in one piece. A wamid alone does not
//! identify a message here: a `media_placeholder` is followed by a second delivery of the same wamid with the media.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::catalog::Natural;
use super::keys::{self, Facts};
use super::shape::{Members, Scalar, elements};
use super::value::Value;
use super::{Object, Scope, Splitter};

/// The field's name.
pub(super) const FIELD: &str = "history";

/// One element of `value.history`.
#[derive(Default)]
struct Chunk<'a> {
    metadata: Option<&'a RawValue>,
    phase: Scalar<'a>,
    order: Scalar<'a>,
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
                ("metadata", _) => {
                    let members = Members::of(raw).unwrap_or_default();
                    chunk.phase = members.scalar("phase");
                    chunk.order = members.scalar("chunk_order");
                    chunk.metadata = Some(raw);
                }
                _ => chunk.other.push((name, raw)),
            }
        }
        Some(chunk)
    }
}

impl Splitter<'_> {
    /// Splits the chunks of a history value; what is not a chunk is published whole.
    pub(super) fn history(&mut self, scope: &Scope<'_>, value: &Value<'_>) {
        let before = self.events.len();
        let chunks: Vec<_> = value.other.iter().filter(|(name, _)| name == FIELD).collect();
        for chunk in chunks.into_iter().filter_map(|(_, raw)| elements(raw)).flatten() {
            self.chunk(scope, chunk);
        }
        if self.events.len() == before {
            return self.whole(scope, value, scope.key.value);
        }
        // `messages` beside `history` carries the media of placeholders sent before.
        for (name, raw) in &value.other {
            match (name.as_ref(), elements(raw)) {
                (FIELD, Some(_)) => {}
                ("messages", Some(messages)) => {
                    for raw in messages {
                        let facts = self.history_message(scope, &Chunk::default(), raw);
                        self.push_history(scope, "message", raw, facts, None, None);
                    }
                }
                _ => self.extra(scope, name, raw),
            }
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
            let facts = keys::facts(Natural::Error, error, &scope.key, self.ordinal, false);
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
        for (name, value) in members {
            if let ("messages", Some(list)) = (name.as_ref(), elements(value)) {
                messages.extend(list);
                continue;
            }
            if name == "id" {
                id = super::shape::scalar(value);
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
            let mut facts = self.history_message(scope, chunk, message);
            // Both directions of a thread share its customer.
            facts.customer.phone = id.clone().into_non_empty();
            facts.customer.user_id = None;
            let metadata = chunk.metadata.map(RawValue::get);
            self.push_history(scope, "message", message, facts, metadata, Some(&about));
        }
    }

    fn history_message<'r>(&self, scope: &Scope<'_>, chunk: &Chunk<'_>, raw: &'r RawValue) -> Facts<'r> {
        let facts = keys::facts(Natural::Message, raw, &scope.key, self.ordinal, false);
        let key = scope
            .key
            .hashed("message")
            .text(chunk.phase.as_str())
            .text(chunk.order.as_str());
        Facts {
            id: key.digest_and_ordinal(raw.get(), self.ordinal).finish(),
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
