//! From an event to its subject and headers.

use super::{
    CONTENT_TYPE, DATA_SCHEMA, EXPECTED_STREAM, FAMILY, ID, MSG_ID, RECEIVED, SCHEMA, SOURCE, SPEC_VERSION,
    SUBJECT, TIME, TYPE, TYPE_PREFIX,
};
use crate::event::{Event, Origin};
use crate::id::EventId;
use crate::known::{DEAD_LETTER, QUARANTINE, TEST};
use crate::token::{ABSENT, token};

/// Who publishes: the fixed part of every subject and of `ce-source`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publisher {
    head: String,
    source: String,
}

impl Publisher {
    /// A publisher of a webhook. Each part becomes one subject token.
    pub fn new(prefix: &str, namespace: &str, webhook: &str) -> Self {
        let (prefix, namespace, webhook) = (token(prefix), token(namespace), token(webhook));
        Self {
            head: format!("{prefix}.{namespace}.{webhook}."),
            source: format!("/{prefix}/{namespace}/{webhook}/"),
        }
    }

    /// The subject that matches every event of this publisher, `<prefix>.<namespace>.<webhook>.>`.
    pub fn all_subjects(&self) -> String {
        format!("{}>", self.head)
    }

    /// The subject of one event: always seven tokens.
    fn subject(&self, account: &str, family: &str, kind: &str, lane: char) -> String {
        let size = self.head.len() + account.len() + family.len() + kind.len() + 4;
        let mut subject = String::with_capacity(size);
        subject.push_str(&self.head);
        for token in [account, family, kind] {
            subject.push_str(token);
            subject.push('.');
        }
        subject.push(lane);
        subject
    }
}

/// Which family an event is published under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Destination {
    /// Its own.
    Event,
    /// `test`: the dashboard's Test button.
    Test,
    /// `quarantine`: a phone number that this webhook does not list.
    Quarantine,
}

impl Destination {
    /// Where an event goes; `listed` says whether its phone number is one of the webhook's.
    pub fn of(event: &Event, listed: bool) -> Self {
        match event.origin {
            Origin::DashboardTest => Self::Test,
            Origin::Live if listed => Self::Event,
            Origin::Live => Self::Quarantine,
        }
    }
}

/// An event or dead letter, addressed: what a publisher writes in front of the data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addressed {
    /// The subject, seven tokens.
    pub subject: String,
    /// The headers in the order they are written.
    pub headers: Vec<(&'static str, String)>,
}

/// What is the same for every event of one request.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// Who publishes.
    pub publisher: &'a Publisher,
    /// The stream that must take the event.
    pub stream: &'a str,
    /// When the request had arrived, RFC 3339 in UTC.
    pub received: &'a str,
}

impl Request<'_> {
    /// Addresses an event. `id` is the event's own, except for a dashboard test, which gets a random one.
    pub fn event(&self, event: &Event, destination: Destination, id: EventId) -> Addressed {
        let account = event.account.token.as_str();
        let family = match destination {
            Destination::Event => event.family.as_ref(),
            Destination::Test => TEST,
            Destination::Quarantine => QUARANTINE,
        };
        let mut headers = self.headers(id, account, family, &event.kind, "application/json");
        headers.push((SCHEMA, DATA_SCHEMA.into()));
        if let Some(time) = event
            .time
            .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
        {
            headers.push((TIME, time.to_string()));
        }
        if destination == Destination::Quarantine {
            // A later publication under the right account must not be taken for a repeat of this one.
            headers[0].1.insert_str(0, "q-");
        }
        if destination != Destination::Event {
            headers.push((FAMILY, event.family.clone().into_owned()));
        }
        if let Some(natural) = event.natural_id.as_deref().filter(|id| is_header_safe(id)) {
            headers.push((SUBJECT, natural.to_owned()));
        }
        let subject = self
            .publisher
            .subject(account, family, &event.kind, event.lane.as_char());
        Addressed { subject, headers }
    }

    /// Addresses a dead letter: bytes that were signed but are no event. `id` is [`EventId::of_dead_letter`].
    pub fn dead_letter(&self, reason: &'static str, id: EventId) -> Addressed {
        // The bytes as they came: most of them are not JSON.
        let headers = self.headers(id, ABSENT, DEAD_LETTER, reason, "application/octet-stream");
        Addressed {
            subject: self.publisher.subject(ABSENT, DEAD_LETTER, reason, '0'),
            headers,
        }
    }

    fn headers(
        &self,
        id: EventId,
        account: &str,
        family: &str,
        kind: &str,
        content_type: &str,
    ) -> Vec<(&'static str, String)> {
        let id = id.to_string();
        let mut headers = Vec::with_capacity(12);
        headers.push((MSG_ID, id.clone()));
        headers.push((EXPECTED_STREAM, self.stream.to_owned()));
        headers.push((SPEC_VERSION, "1.0".into()));
        headers.push((ID, id));
        headers.push((SOURCE, [&self.publisher.source, account].concat()));
        headers.push((TYPE, [TYPE_PREFIX, family, ".", kind].concat()));
        headers.push((CONTENT_TYPE, content_type.into()));
        headers.push((RECEIVED, self.received.to_owned()));
        headers
    }
}

/// Whether text can stand in a header as it is: visible ASCII, at most 512 characters.
fn is_header_safe(text: &str) -> bool {
    text.len() <= 512 && text.bytes().all(|b| b.is_ascii_graphic())
}
