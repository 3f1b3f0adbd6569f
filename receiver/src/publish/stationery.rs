//! The headers of a message, made from those of an earlier one.
//!
//! async-nats keeps headers in a hash map, which is hashed again each time it grows. Nearly all messages of a receiver have the
//! same twelve names and half of the same values: a copy of an earlier map, with what differs put in, takes a third of the time.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use async_nats::HeaderMap;
use async_nats::header::{HeaderName, HeaderValue};

/// Names and values in the order of the event contract.
type Pairs = Vec<(&'static str, String)>;

/// Makes header maps. Cheap to share: remembers one message, the last whose names were others than those before.
#[derive(Debug, Default)]
pub struct Stationery(ArcSwapOption<Letterhead>);

/// An earlier message's headers, as they were given and as the library wants them. `Debug` shows none of them: one may embed a
/// phone number.
struct Letterhead {
    pairs: Pairs,
    map: HeaderMap,
}

impl fmt::Debug for Letterhead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Letterhead").finish_non_exhaustive()
    }
}

impl Stationery {
    /// The header map of `pairs`; each name stands there once.
    pub(super) fn headers(&self, pairs: Pairs) -> HeaderMap {
        if let Some(letterhead) = self.0.load().as_deref()
            && letterhead.fits(&pairs)
        {
            return letterhead.with(pairs);
        }
        let mut map = HeaderMap::new();
        for (name, value) in &pairs {
            map.insert(HeaderName::from_static(name), HeaderValue::from(value.as_str()));
        }
        self.0.store(Some(Arc::new(Letterhead {
            pairs,
            map: map.clone(),
        })));
        map
    }
}

impl Letterhead {
    fn fits(&self, pairs: &Pairs) -> bool {
        self.pairs.len() == pairs.len() && self.pairs.iter().zip(pairs).all(|(old, new)| old.0 == new.0)
    }

    fn with(&self, pairs: Pairs) -> HeaderMap {
        let mut map = self.map.clone();
        for ((name, value), (_, old)) in pairs.into_iter().zip(&self.pairs) {
            if value != *old {
                map.insert(HeaderName::from_static(name), HeaderValue::from(value));
            }
        }
        map
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(pairs: &[(&'static str, &str)]) -> Pairs {
        pairs
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect()
    }

    fn told(map: &HeaderMap) -> Vec<(String, Vec<String>)> {
        let mut told: Vec<_> = map
            .iter()
            .map(|(name, values)| (name.to_string(), values.iter().map(ToString::to_string).collect()))
            .collect();
        told.sort();
        told
    }

    #[test]
    fn a_message_has_its_own_headers_whatever_came_before() {
        let all = [
            pairs(&[("Nats-Msg-Id", "1"), ("ce-id", "1"), ("ce-type", "a")]),
            pairs(&[("Nats-Msg-Id", "2"), ("ce-id", "2"), ("ce-type", "a")]),
            pairs(&[("Nats-Msg-Id", "3"), ("ce-id", "3")]),
            pairs(&[("Nats-Msg-Id", "4"), ("ce-type", "4")]),
            pairs(&[("ce-type", "4"), ("Nats-Msg-Id", "5")]),
            pairs(&[]),
            pairs(&[("Nats-Msg-Id", "1"), ("ce-id", "1"), ("ce-type", "b")]),
        ];
        let stationery = Stationery::default();
        for pairs in &all {
            let made = stationery.headers(pairs.clone());
            assert_eq!(told(&made), told(&Stationery::default().headers(pairs.clone())));
            let mut given: Vec<_> = pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), vec![value.clone()]))
                .collect();
            given.sort();
            assert_eq!(told(&made), given);
        }
        assert!(!format!("{stationery:?}").contains("Nats-Msg-Id"));
    }
}
