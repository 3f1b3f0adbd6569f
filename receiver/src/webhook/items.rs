//! What a verified body becomes: events and dead letters, each with the place it goes to.
//!
//! Precedence: dead letter, test, quarantine, event.

use std::collections::BTreeSet;

use bytes::Bytes;
use wahook_events::contract::{Destination, Request};
use wahook_events::{Event, EventId, Malformed, split};

use crate::metrics::EventLabel;
use crate::publish::{Batch, Outgoing, Stationery};

/// One message to be.
#[derive(Debug)]
pub(super) struct Item {
    /// What the local memory knows it by.
    pub(super) key: EventId,
    pub(super) label: EventLabel,
    source: Source,
    data: Bytes,
}

#[derive(Debug)]
enum Source {
    /// An event without its data, which the item holds.
    Event {
        event: Event,
        destination: Destination,
        id: EventId,
    },
    DeadLetter(&'static str),
}

/// Splits a body; tells when it is no envelope at all, and then is one dead letter.
pub(super) fn of(body: &Bytes, listed: Option<&BTreeSet<String>>) -> (Vec<Item>, Option<Malformed>) {
    let split = match split(body) {
        Ok(split) => split,
        Err(malformed) => {
            return (
                vec![Item::dead_letter(malformed.as_str(), body.clone())],
                Some(malformed),
            );
        }
    };
    let letters = split.unusable.iter().map(|piece| {
        let bytes = Bytes::copy_from_slice(piece.raw.get().as_bytes());
        Item::dead_letter(piece.reason.as_str(), bytes)
    });
    let letters: Vec<_> = letters.collect();
    let events = split.events.into_iter().map(|event| Item::event(event, listed));
    (events.chain(letters).collect(), None)
}

impl Item {
    fn event(mut event: Event, listed: Option<&BTreeSet<String>>) -> Self {
        let is_listed = match (listed, &event.account.phone_number_id) {
            (Some(listed), Some(id)) => listed.contains(id),
            _ => true,
        };
        let destination = Destination::of(&event, is_listed);
        let (family, key, id) = match destination {
            Destination::Event => (event.family.as_ref(), event.id, event.id),
            // A dashboard test has the same ids at every click: each click is its own event.
            Destination::Test => {
                let id = EventId::from_bytes(rand::random());
                ("test", id, id)
            }
            Destination::Quarantine => (
                "quarantine",
                EventId::of_bytes("quarantine", event.id.as_bytes()),
                event.id,
            ),
        };
        let label = EventLabel::of(family, &event.kind);
        let data = Bytes::from(std::mem::take(&mut event.data));
        Self {
            key,
            label,
            source: Source::Event {
                event,
                destination,
                id,
            },
            data,
        }
    }

    fn dead_letter(reason: &'static str, data: Bytes) -> Self {
        Self {
            key: EventId::of_dead_letter(&data),
            label: EventLabel::of("dead_letter", reason),
            source: Source::DeadLetter(reason),
            data,
        }
    }

    /// Why it is a dead letter, if it is one.
    pub(super) fn dead_letter_reason(&self) -> Option<&'static str> {
        match self.source {
            Source::DeadLetter(reason) => Some(reason),
            Source::Event { .. } => None,
        }
    }

    /// The codes of Meta's errors in it.
    pub(super) fn error_codes(&self) -> &[i64] {
        match &self.source {
            Source::Event { event, .. } => &event.error_codes,
            Source::DeadLetter(_) => &[],
        }
    }
}

/// Some of a request's items, to be published in this order.
#[derive(Debug)]
pub(super) struct Outbox<'a> {
    pub(super) items: &'a [Item],
    pub(super) places: &'a [usize],
    pub(super) request: Request<'a>,
    pub(super) traceparent: Option<&'a str>,
    pub(super) stationery: &'a Stationery,
}

impl Batch for Outbox<'_> {
    fn len(&self) -> usize {
        self.places.len()
    }

    fn payload_bytes(&self, place: usize) -> usize {
        self.items[self.places[place]].data.len()
    }

    fn message(&self, place: usize) -> Outgoing {
        let item = &self.items[self.places[place]];
        let addressed = match &item.source {
            Source::Event {
                event,
                destination,
                id,
            } => self.request.event(event, *destination, *id),
            Source::DeadLetter(reason) => self.request.dead_letter(reason, item.key),
        };
        Outgoing::new(addressed, item.data.clone(), self.traceparent, self.stationery)
    }
}
