//! Deliveries as Meta sends them, made and signed before the clock runs. Every event has an id of its own, in which stands
//! a serial number: so what is stored can be counted whoever stored it.

use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use wahook_testbed::meta::{SIGNATURE_HEADER, sign};

/// The app secret of every contestant.
pub const SECRET: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
/// What somebody signs with who does not have it.
const FOREIGN_SECRET: &str = "ffffffffffffffffffffffffffffffff";

/// Message ids begin with this, and 16 hexadecimal digits of the serial number follow.
const ID: &str = "wamid.HBgLMTU1NTAxMDAw";
const DIGITS: usize = 16;

/// How many requests lie between a delivery and its repeat: the first was answered long before.
const REPEAT_AFTER: usize = 500;

/// What the deliveries of a run are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Work {
    /// One text message in each.
    Text,
    /// So many statuses in each.
    Statuses(u32),
    /// Texts, of which 5 % are repeats and 2 % have a wrong signature.
    Repeats,
    /// 61 % texts, 30 % single statuses, 2 % bodies of 100 statuses, 5 % repeats, 2 % wrong signatures.
    Mix,
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text => f.write_str("one text message"),
            Self::Statuses(1) => f.write_str("one status"),
            Self::Statuses(count) => write!(f, "{count} statuses"),
            Self::Repeats => f.write_str("texts, 5 % repeated, 2 % badly signed"),
            Self::Mix => f.write_str("everything mixed"),
        }
    }
}

/// What one delivery is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    Text,
    Statuses(u32),
    Repeat,
    Forged,
}

impl Work {
    fn piece(self, place: usize) -> Piece {
        match self {
            Self::Statuses(count) => Piece::Statuses(count),
            Self::Repeats | Self::Mix if place % 20 == 19 => Piece::Repeat,
            Self::Repeats | Self::Mix if place % 50 == 25 => Piece::Forged,
            Self::Mix if place % 50 == 7 => Piece::Statuses(100),
            Self::Mix if matches!(place % 10, 1 | 4 | 8) => Piece::Statuses(1),
            Self::Text | Self::Repeats | Self::Mix => Piece::Text,
        }
    }

    /// The length of a delivery of many, in bytes, about: so that memory can be planned.
    pub fn bytes(self) -> usize {
        match self {
            Self::Text | Self::Repeats => 900,
            Self::Statuses(count) => 600 + 360 * count as usize,
            Self::Mix => 1600,
        }
    }
}

/// One delivery of a corpus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    bytes: Range<usize>,
    /// The serial numbers of its events.
    pub serials: Range<u32>,
    /// Whether its signature is right.
    pub genuine: bool,
}

/// Whole HTTP/1.1 requests, one behind the other.
#[derive(Debug, Default)]
pub struct Corpus {
    arena: Vec<u8>,
    deliveries: Vec<Delivery>,
    next: u32,
}

impl Corpus {
    /// Makes `count` deliveries whose serial numbers begin with `first`.
    pub fn make(work: Work, count: usize, first: u32) -> Self {
        let mut corpus = Self {
            arena: Vec::with_capacity(count * work.bytes()),
            deliveries: Vec::with_capacity(count),
            next: first,
        };
        for place in 0..count {
            match work.piece(place) {
                Piece::Text => corpus.deliver(Kind::Text, 1, SECRET),
                Piece::Statuses(number) => corpus.deliver(Kind::Status, number, SECRET),
                Piece::Forged => corpus.deliver(Kind::Text, 1, FOREIGN_SECRET),
                Piece::Repeat => corpus.repeat(),
            }
        }
        corpus
    }

    /// How many deliveries there are.
    pub fn len(&self) -> usize {
        self.deliveries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.deliveries.is_empty()
    }

    /// The serial number behind the last one.
    pub fn next(&self) -> u32 {
        self.next
    }

    /// The deliveries, in the order they are sent.
    pub fn deliveries(&self) -> &[Delivery] {
        &self.deliveries
    }

    /// The request at `place`, head and body; empty behind the end.
    pub fn request(&self, place: usize) -> &[u8] {
        let range = self.deliveries.get(place).map(|delivery| delivery.bytes.clone());
        range.and_then(|range| self.arena.get(range)).unwrap_or_default()
    }

    fn deliver(&mut self, kind: Kind, events: u32, secret: &str) {
        let serials = self.next..self.next + events;
        self.next = serials.end;
        let body = body(kind, serials.clone());
        let start = self.arena.len();
        self.arena.extend_from_slice(
            format!(
                "POST /webhook HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: facebookexternalua\r\nAccept: */*\r\n\
                 Content-Type: application/json\r\nContent-Length: {}\r\n{SIGNATURE_HEADER}: {}\r\n\r\n",
                body.len(),
                sign(secret, body.as_bytes()),
            )
            .as_bytes(),
        );
        self.arena.extend_from_slice(body.as_bytes());
        self.deliveries.push(Delivery {
            bytes: start..self.arena.len(),
            serials,
            genuine: secret == SECRET,
        });
    }

    /// Repeats a single event of long ago; in the beginning, where there is none, it is a text of its own.
    fn repeat(&mut self) {
        let before = self.deliveries.len().saturating_sub(REPEAT_AFTER);
        let mut earlier = self.deliveries.get(..before).unwrap_or_default().iter().rev();
        let is_single = |delivery: &&Delivery| delivery.genuine && delivery.serials.len() == 1;
        match earlier.find(is_single).cloned() {
            Some(delivery) => self.deliveries.push(delivery),
            None => self.deliver(Kind::Text, 1, SECRET),
        }
    }
}

/// A body with these events. Numbers are of the range that is kept for fiction.
fn body(kind: Kind, serials: Range<u32>) -> String {
    let (array, contacts) = match kind {
        Kind::Text => (
            "messages",
            r#""contacts":[{"profile":{"name":"Test Person"},"wa_id":"15550100001"}],"#,
        ),
        Kind::Status => ("statuses", ""),
    };
    let events: Vec<String> = serials.map(|serial| kind.event(serial)).collect();
    format!(
        r#"{{"object":"whatsapp_business_account","entry":[{{"id":"105005501000001","changes":[{{"value":{{"messaging_product":"whatsapp","metadata":{{"display_phone_number":"15550100000","phone_number_id":"315005501000001"}},{contacts}"{array}":[{}]}},"field":"messages"}}]}}]}}"#,
        events.join(",")
    )
}

/// What the events of a body are.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Text,
    Status,
}

impl Kind {
    fn event(self, serial: u32) -> String {
        let customer = format!("155501{:05}", serial % 100_000);
        let time = 1_790_000_000 + serial / 1000;
        match self {
            Self::Text => format!(
                r#"{{"from":"{customer}","id":"{ID}{serial:016X}","timestamp":"{time}","text":{{"body":"Hello, is the blue one still to be had, and would it be here by Friday?"}},"type":"text"}}"#
            ),
            Self::Status => format!(
                r#"{{"id":"{ID}{serial:016X}","status":"delivered","timestamp":"{time}","recipient_id":"{customer}","conversation":{{"id":"{serial:032x}","origin":{{"type":"utility"}}}},"pricing":{{"billable":true,"pricing_model":"PMP","category":"utility","type":"regular"}}}}"#
            ),
        }
    }
}

/// The serial number of the event that `data` holds, if it is one of a corpus.
pub fn serial(data: &[u8]) -> Option<u32> {
    let at = data
        .windows(ID.len())
        .position(|window| window == ID.as_bytes())?
        + ID.len();
    let digits = std::str::from_utf8(data.get(at..at + DIGITS)?).ok()?;
    u32::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn parts(request: &[u8]) -> (String, Vec<u8>) {
        let text = String::from_utf8(request.to_vec()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        (head.to_owned(), body.as_bytes().to_vec())
    }

    fn header<'a>(head: &'a str, name: &str) -> &'a str {
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(given, _)| *given == name).unwrap().1
    }

    #[test]
    fn what_is_genuine_is_signed_and_nothing_else() {
        let corpus = Corpus::make(Work::Mix, 2000, 0);
        for (place, delivery) in corpus.deliveries().iter().enumerate() {
            let (head, body) = parts(corpus.request(place));
            assert_eq!(header(&head, "Content-Length"), body.len().to_string());
            let signed = header(&head, SIGNATURE_HEADER) == sign(SECRET, &body);
            assert_eq!(signed, delivery.genuine, "{place}");
        }
    }

    #[test]
    fn the_mix_is_as_it_is_described() {
        let corpus = Corpus::make(Work::Mix, 10_000, 0);
        let count = |wanted: &dyn Fn(&Delivery) -> bool| {
            corpus
                .deliveries()
                .iter()
                .filter(|delivery| wanted(delivery))
                .count()
        };
        assert_eq!(count(&|delivery| !delivery.genuine), 200);
        assert_eq!(count(&|delivery| delivery.serials.len() == 100), 200);
        let mut seen = std::collections::BTreeSet::new();
        let repeats = corpus
            .deliveries()
            .iter()
            .filter(|delivery| !seen.insert(delivery.serials.start))
            .count();
        // In the beginning there is nothing to repeat.
        assert!((470..=500).contains(&repeats), "{repeats}");
    }

    #[test]
    fn every_event_is_json_and_has_its_own_number() {
        for (work, array) in [(Work::Text, "messages"), (Work::Statuses(100), "statuses")] {
            let corpus = Corpus::make(work, 3, 4000);
            let mut serials = Vec::new();
            for (place, delivery) in corpus.deliveries().iter().enumerate() {
                let body: Value = serde_json::from_slice(&parts(corpus.request(place)).1).unwrap();
                let value = &body["entry"][0]["changes"][0]["value"];
                let events = value[array].as_array().unwrap();
                assert_eq!(events.len(), delivery.serials.len());
                serials.extend(
                    events
                        .iter()
                        .map(|event| serial(event.to_string().as_bytes()).unwrap()),
                );
            }
            assert_eq!(serials, (4000..corpus.next()).collect::<Vec<_>>());
        }
        assert_eq!(serial(b"{}"), None);
        assert_eq!(serial(format!("{ID}0000").as_bytes()), None, "cut off");
    }

    #[test]
    fn lengths_are_planned_about_right() {
        for work in [Work::Text, Work::Statuses(1), Work::Statuses(100), Work::Mix] {
            let corpus = Corpus::make(work, 1000, 0);
            let planned = 1000 * work.bytes();
            assert!(
                corpus.arena.len() <= planned,
                "{work}: {} bytes",
                corpus.arena.len()
            );
            assert!(
                corpus.arena.len() > planned / 2,
                "{work}: {} bytes",
                corpus.arena.len()
            );
        }
    }
}
