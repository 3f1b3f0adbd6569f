//! The local memory of ids: those the broker acknowledged lately and those on their way to it.
//!
//! It saves the broker work and makes two simultaneous copies of an event wait for one another. It decides nothing on its
//! own: the truth is the stream's duplicate window, and a request whose every id is remembered still asks the broker
//! about one of them.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use wahook_events::EventId;

/// The memory. Cheap to share, one short lock per request.
#[derive(Debug)]
pub struct Dedupe {
    window: Duration,
    capacity: usize,
    memory: Mutex<Memory>,
}

#[derive(Debug, Default)]
struct Memory {
    /// Until when each acknowledged id is known.
    acked: HashMap<[u8; 16], Instant, IdHasher>,
    /// The same in the order they were acknowledged. That is not quite the order they expire in: a request that was sent
    /// first may end last.
    order: VecDeque<([u8; 16], Instant)>,
    in_flight: HashMap<[u8; 16], Flight, IdHasher>,
    /// How often the memory was cleared: ids sent before a clearing are not remembered after it.
    epoch: u64,
}

/// Ids are parts of SHA-256 digests: eight of their bytes are a hash already.
type IdHasher = BuildHasherDefault<FirstBytes>;

#[derive(Debug, Default)]
struct FirstBytes(u64);

impl Hasher for FirstBytes {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        // Called with the 16 bytes of an id, and once with their number.
        if let Some(first) = bytes.first_chunk::<8>() {
            self.0 = u64::from_le_bytes(*first);
        }
    }
    fn write_usize(&mut self, _: usize) {}
}

/// What became of the ids of a request that others may wait for.
type Landed = Option<Arc<HashSet<[u8; 16], IdHasher>>>;
/// Where that is told: one place for all ids of a request.
type Flight = Arc<watch::Receiver<Landed>>;

/// What is known of one id of a request.
#[derive(Debug)]
pub enum Known {
    /// Nothing: this request carries it to the broker.
    New,
    /// The broker acknowledged it within the window.
    Acked,
    /// Another request carries it; its outcome is ours.
    InFlight(Waiter),
    /// It stands twice in this request.
    Repeated,
}

/// Waits for another request's outcome.
#[derive(Debug)]
pub struct Waiter {
    id: [u8; 16],
    flight: watch::Receiver<Landed>,
}

impl Waiter {
    /// Whether the other request's copy was stored.
    pub async fn stored(mut self) -> bool {
        // An error means that the other request ended without an outcome.
        let landed = self.flight.wait_for(Option::is_some).await;
        landed.is_ok_and(|landed| landed.as_ref().is_some_and(|ids| ids.contains(&self.id)))
    }
}

/// The ids of one request. Whatever happens to the request, dropping this frees them and wakes those who wait.
#[derive(Debug)]
pub struct Claims<'a> {
    dedupe: &'a Dedupe,
    claimed: Vec<[u8; 16]>,
    /// Stored by this request.
    fresh: Vec<[u8; 16]>,
    /// In the stream before it.
    held: Vec<[u8; 16]>,
    sent_at: Instant,
    epoch: u64,
    outcome: watch::Sender<Landed>,
}

impl Dedupe {
    /// A memory of at most `capacity` acknowledged ids, each for `window` from when it was sent.
    pub fn new(window: Duration, capacity: usize) -> Self {
        Self {
            window,
            capacity,
            memory: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks a request's ids up and claims the new ones, all in one step.
    pub fn claim(&self, ids: impl Iterator<Item = EventId>, now: Instant) -> (Claims<'_>, Vec<Known>) {
        let (outcome, flight) = watch::channel(None);
        let flight = Arc::new(flight);
        let mut claimed = Vec::with_capacity(ids.size_hint().0);
        let mut memory = self.lock();
        memory.expire(now);
        let epoch = memory.epoch;
        let mut own_acked = HashSet::<[u8; 16], IdHasher>::default();
        let known = ids
            .map(|id| {
                let id = *id.as_bytes();
                if memory.acked.get(&id).is_some_and(|until| *until > now) {
                    return if own_acked.insert(id) {
                        Known::Acked
                    } else {
                        Known::Repeated
                    };
                }
                match memory.in_flight.entry(id) {
                    Entry::Occupied(own) if Arc::ptr_eq(own.get(), &flight) => Known::Repeated,
                    Entry::Occupied(other) => Known::InFlight(Waiter {
                        id,
                        flight: watch::Receiver::clone(other.get()),
                    }),
                    Entry::Vacant(place) => {
                        place.insert(Arc::clone(&flight));
                        claimed.push(id);
                        Known::New
                    }
                }
            })
            .collect();
        drop(memory);
        (
            Claims {
                dedupe: self,
                fresh: Vec::with_capacity(claimed.len()),
                claimed,
                held: Vec::new(),
                sent_at: now,
                epoch,
                outcome,
            },
            known,
        )
    }

    /// Forgets every acknowledged id: the stream was recreated or purged, so what it once held it no longer holds.
    pub fn clear(&self) {
        let mut memory = self.lock();
        memory.acked = HashMap::default();
        memory.order = VecDeque::new();
        memory.epoch += 1;
    }

    /// How many acknowledged ids are remembered.
    pub fn len(&self) -> usize {
        self.lock().acked.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Memory {
    fn expire(&mut self, now: Instant) {
        while self.order.front().is_some_and(|(_, until)| *until <= now) {
            self.forget_oldest();
        }
    }

    fn remember(&mut self, id: [u8; 16], until: Instant, capacity: usize) {
        if capacity == 0 {
            return;
        }
        if self.order.len() >= capacity {
            self.forget_oldest();
        }
        self.acked.insert(id, until);
        self.order.push_back((id, until));
    }

    fn forget_oldest(&mut self) {
        // An id that was acknowledged again since then is known for longer.
        if let Some((id, until)) = self.order.pop_front()
            && let Entry::Occupied(known) = self.acked.entry(id)
            && *known.get() == until
        {
            known.remove();
        }
    }
}

impl Claims<'_> {
    /// The broker stored this id just now: it is remembered.
    pub fn stored(&mut self, id: EventId) {
        self.fresh.push(*id.as_bytes());
    }

    /// The broker held this id already. Nobody knows since when, so it is not remembered: its window may end any moment.
    pub fn held(&mut self, id: EventId) {
        self.held.push(*id.as_bytes());
    }
}

impl Drop for Claims<'_> {
    fn drop(&mut self) {
        if self.claimed.is_empty() && self.fresh.is_empty() {
            return;
        }
        let until = self.sent_at + self.dedupe.window;
        let mut memory = self.dedupe.lock();
        for id in &self.claimed {
            memory.in_flight.remove(id);
        }
        if memory.epoch == self.epoch {
            for id in &self.fresh {
                memory.remember(*id, until, self.dedupe.capacity);
            }
        }
        drop(memory);
        // The ids no longer lead here: who waits by now is all who ever will.
        if self.outcome.receiver_count() > 0 {
            let landed = self.fresh.iter().chain(&self.held).copied().collect();
            self.outcome.send_replace(Some(Arc::new(landed)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_secs(60);

    fn id(n: u8) -> EventId {
        EventId::from_bytes([n; 16])
    }

    fn claim<'a>(dedupe: &'a Dedupe, ids: &[u8], now: Instant) -> (Claims<'a>, Vec<Known>) {
        dedupe.claim(ids.iter().map(|n| id(*n)), now)
    }

    fn store(dedupe: &Dedupe, ids: &[u8], now: Instant) {
        let (mut claims, _) = claim(dedupe, ids, now);
        for n in ids {
            claims.stored(id(*n));
        }
    }

    #[test]
    fn an_id_is_remembered_for_the_window_and_no_longer() {
        let dedupe = Dedupe::new(WINDOW, 10);
        let start = Instant::now();
        store(&dedupe, &[1], start);
        assert!(!dedupe.is_empty());
        assert!(matches!(
            claim(&dedupe, &[1], start + WINDOW / 2).1[..],
            [Known::Acked]
        ));
        assert!(matches!(claim(&dedupe, &[1], start + WINDOW).1[..], [Known::New]));
        assert!(dedupe.is_empty(), "nor does it take room for longer");
    }

    #[test]
    fn what_was_not_stored_is_not_remembered() {
        let dedupe = Dedupe::new(WINDOW, 10);
        let now = Instant::now();
        drop(claim(&dedupe, &[1], now));
        let (mut claims, known) = claim(&dedupe, &[1], now);
        assert!(matches!(known[..], [Known::New]));
        claims.held(id(1));
        drop(claims);
        assert!(
            matches!(claim(&dedupe, &[1], now).1[..], [Known::New]),
            "the start of its window is unknown"
        );
    }

    #[test]
    fn the_memory_is_bounded_and_forgets_the_oldest() {
        let dedupe = Dedupe::new(WINDOW, 3);
        let now = Instant::now();
        store(&dedupe, &[1, 2, 3, 4], now);
        assert_eq!(dedupe.len(), 3);
        let known = claim(&dedupe, &[1, 2, 3, 4], now).1;
        assert!(matches!(
            known[..],
            [Known::New, Known::Acked, Known::Acked, Known::Acked]
        ));
    }

    #[test]
    fn a_request_that_ended_late_is_not_remembered_for_longer() {
        let dedupe = Dedupe::new(WINDOW, 10);
        let start = Instant::now();
        let (mut slow, _) = claim(&dedupe, &[1], start);
        store(&dedupe, &[2], start + WINDOW / 2);
        slow.stored(id(1));
        drop(slow);
        let known = claim(&dedupe, &[1, 2], start + WINDOW).1;
        assert!(matches!(known[..], [Known::New, Known::Acked]), "{known:?}");
    }

    #[test]
    fn repeats_inside_a_request_are_named() {
        let dedupe = Dedupe::new(WINDOW, 3);
        let known = claim(&dedupe, &[1, 1, 2], Instant::now()).1;
        assert!(matches!(known[..], [Known::New, Known::Repeated, Known::New]));
    }

    #[test]
    fn a_clearing_also_forgets_what_was_sent_before_it() {
        let dedupe = Dedupe::new(WINDOW, 3);
        let (mut claims, _) = claim(&dedupe, &[1], Instant::now());
        dedupe.clear();
        claims.stored(id(1));
        drop(claims);
        assert!(dedupe.is_empty());
    }

    #[tokio::test]
    async fn a_second_copy_waits_for_the_first() {
        let dedupe = Dedupe::new(WINDOW, 3);
        let now = Instant::now();
        let (mut first, _) = claim(&dedupe, &[1, 2, 3], now);
        let (_second, known) = claim(&dedupe, &[1, 2, 3], now);
        first.stored(id(1));
        first.held(id(2));
        drop(first);
        let mut stored = Vec::new();
        for known in known {
            let Known::InFlight(waiter) = known else {
                panic!("all are on their way")
            };
            stored.push(waiter.stored().await);
        }
        assert_eq!(
            stored,
            [true, true, false],
            "the first request failed to store the third, so the second has nothing to claim"
        );
    }
}
