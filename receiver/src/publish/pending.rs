//! Requests that wait for acknowledgements: one slot each, counted down as the broker answers.
//!
//! An event's reply subject ends in `<slot>-<generation>-<place>`, so that an answer finds its event without a map, and an
//! answer that comes too late finds nobody.

use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::reply::{Refusal, Reply};

/// The answers of one round, in the order its events were sent.
pub(super) type Answers = Vec<Reply>;

/// The table of waiting requests of one connection.
#[derive(Debug, Default)]
pub struct Pending {
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    connected: bool,
    slots: Vec<Slot>,
    free: Vec<usize>,
}

#[derive(Debug, Default)]
struct Slot {
    generation: u32,
    answers: Vec<Option<Reply>>,
    left: usize,
    done: Option<oneshot::Sender<Answers>>,
}

/// A round that was registered: where its answers arrive and how its reply subjects end.
#[derive(Debug)]
pub struct Round {
    /// Resolves when every event was answered or the connection was lost.
    pub(super) answers: oneshot::Receiver<Answers>,
    /// Where the broker's answers find it.
    pub(super) address: Address,
}

/// The part of a reply subject that names a round.
#[derive(Debug, Clone, Copy)]
pub struct Address {
    slot: usize,
    generation: u32,
}

impl Address {
    /// Writes the reply subject of the event at `place` behind the inbox.
    pub fn reply_subject(self, inbox: &str, place: usize) -> String {
        let mut subject = String::with_capacity(inbox.len() + 20);
        // Writing to a string does not fail.
        let _ = write!(subject, "{inbox}.{:x}-{:x}-{place:x}", self.slot, self.generation);
        subject
    }
}

impl Pending {
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers a round of `count` events; `None` while the broker is not connected.
    pub fn register(&self, count: usize) -> Option<Round> {
        let (done, answers) = oneshot::channel();
        let mut table = self.lock();
        if !table.connected {
            return None;
        }
        let index = table.free.pop().unwrap_or_else(|| {
            table.slots.push(Slot::default());
            table.slots.len() - 1
        });
        let slot = &mut table.slots[index];
        slot.answers.clear();
        slot.answers.resize(count, None);
        slot.left = count;
        slot.done = Some(done);
        Some(Round {
            answers,
            address: Address {
                slot: index,
                generation: slot.generation,
            },
        })
    }

    /// Gives a round up: answers that still come are ignored. What was answered so far is returned.
    pub fn abandon(&self, round: Address, refusal: Refusal) -> Answers {
        let mut table = self.lock();
        match table.slots.get_mut(round.slot) {
            Some(slot) if slot.generation == round.generation && slot.done.is_some() => {
                let answers = slot.close(refusal);
                table.free.push(round.slot);
                answers
            }
            _ => Vec::new(),
        }
    }

    /// Takes the broker's answer to the event that `token`, the last token of its reply subject, stands for. Unknown, late
    /// and repeated answers change nothing. Returns whether it counted.
    pub fn answer(&self, token: &str, reply: Reply) -> bool {
        let Some((slot_index, generation, place)) = parse(token) else {
            return false;
        };
        let mut table = self.lock();
        let Some(slot) = table.slots.get_mut(slot_index) else {
            return false;
        };
        if slot.generation != generation || slot.done.is_none() {
            return false;
        }
        match slot.answers.get_mut(place) {
            Some(answer @ None) => *answer = Some(reply),
            _ => return false,
        }
        slot.left -= 1;
        if slot.left == 0 {
            let done = slot.done.take();
            let answers = slot.close(Refusal::TimedOut);
            table.free.push(slot_index);
            drop(table);
            if let Some(done) = done {
                // The request may have given up in this very moment; then nobody waits.
                let _ = done.send(answers);
            }
        }
        true
    }

    /// The broker is there: rounds may be registered.
    pub fn connected(&self) {
        self.lock().connected = true;
    }

    /// The broker is gone: answers that are still owed will never come, so every waiting request is told at once.
    pub fn disconnected(&self) {
        let mut table = self.lock();
        table.connected = false;
        for index in 0..table.slots.len() {
            if let Some(done) = table.slots[index].done.take() {
                let answers = table.slots[index].close(Refusal::Disconnected);
                table.free.push(index);
                let _ = done.send(answers);
            }
        }
    }
}

impl Slot {
    fn close(&mut self, unanswered: Refusal) -> Answers {
        self.generation = self.generation.wrapping_add(1);
        self.done = None;
        self.answers
            .drain(..)
            .map(|answer| answer.unwrap_or(Reply::Refused(unanswered)))
            .collect()
    }
}

fn parse(token: &str) -> Option<(usize, u32, usize)> {
    let mut parts = token.split('-');
    let slot = usize::from_str_radix(parts.next()?, 16).ok()?;
    let generation = u32::from_str_radix(parts.next()?, 16).ok()?;
    let place = usize::from_str_radix(parts.next()?, 16).ok()?;
    parts.next().is_none().then_some((slot, generation, place))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connected() -> Pending {
        let pending = Pending::default();
        pending.connected();
        pending
    }

    fn token(round: &Round, place: usize) -> String {
        round.address.reply_subject("i", place).split_off(2)
    }

    #[test]
    fn a_round_ends_when_every_event_was_answered_once() {
        let pending = connected();
        let mut round = pending.register(2).unwrap();
        assert!(pending.answer(&token(&round, 1), Reply::Stored(2)));
        assert!(
            !pending.answer(&token(&round, 1), Reply::Stored(2)),
            "a repeated answer does not count"
        );
        assert!(round.answers.try_recv().is_err(), "one event is still unanswered");
        assert!(pending.answer(&token(&round, 0), Reply::Duplicate));
        assert_eq!(
            round.answers.try_recv().unwrap(),
            [Reply::Duplicate, Reply::Stored(2)]
        );
    }

    #[test]
    fn late_and_foreign_answers_find_nobody() {
        let pending = connected();
        let round = pending.register(1).unwrap();
        let late = token(&round, 0);
        assert_eq!(
            pending.abandon(round.address, Refusal::TimedOut),
            [Reply::Refused(Refusal::TimedOut)]
        );
        let mut next = pending.register(1).unwrap();
        assert!(
            !pending.answer(&late, Reply::Stored(1)),
            "the slot has another tenant"
        );
        for junk in ["", "0", "0-0", "zz-0-0", "0-0-0-0", "0-1-7", "9-0-0", "-1--1--1"] {
            assert!(!pending.answer(junk, Reply::Stored(1)), "{junk}");
        }
        assert!(next.answers.try_recv().is_err());
    }

    #[test]
    fn a_lost_connection_answers_everybody_at_once() {
        let pending = connected();
        let mut round = pending.register(2).unwrap();
        pending.answer(&token(&round, 0), Reply::Stored(1));
        pending.disconnected();
        let answers = round.answers.try_recv().unwrap();
        assert_eq!(answers, [Reply::Stored(1), Reply::Refused(Refusal::Disconnected)]);
        assert!(
            pending.register(1).is_none(),
            "nothing is sent while there is nobody to answer"
        );
    }
}
