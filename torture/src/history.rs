//! The judge: what the client was told against what the stream holds. Pure.
//!
//! | promise | broken when |
//! |---|---|
//! | nothing acknowledged is lost | an event of a delivery that was answered 200 is not in the stream |
//! | 200 means stored | an event was stored later than the 200 for it arrived |
//! | nothing is stored twice | two copies of an event lie less than the window apart |
//! | every answer in time | an attempt lasted longer than the deadline; time in which the receiver could not run or be heard is not counted |
//! | Meta's answers | a signed delivery was answered with something else than 200 and 503 |
//! | nothing made up | the stream holds an event that nobody sent |
//! | it heals | a delivery was not taken in the end |

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::time::Duration;

/// How one attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// With an answer.
    Status(u16),
    /// Without a whole one: refused, reset, or the client's patience was over.
    Nothing,
}

/// One POST of a delivery. Times are counted from the beginning of the run.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    /// The receiver, by the number the service gave it.
    pub receiver: u32,
    /// When it was begun.
    pub sent: Duration,
    /// When it ended.
    pub ended: Duration,
    /// How.
    pub how: Ended,
}

/// One body and everything that was answered to it.
#[derive(Clone, Debug)]
pub struct Delivered {
    /// The numbers of its events.
    pub events: Range<u64>,
    /// In the order they ended.
    pub attempts: Vec<Attempt>,
}

impl Delivered {
    /// When it was first answered with 200.
    fn taken(&self) -> Option<Duration> {
        let taken = self.attempts.iter().filter(|a| a.how == Ended::Status(200));
        taken.map(|a| a.ended).min()
    }
}

/// A time in which a receiver cannot be blamed for silence: it was frozen, or its link to the client was dead.
#[derive(Clone, Debug)]
pub struct Excuse {
    /// The receiver.
    pub receiver: u32,
    /// From when to when.
    pub time: Range<Duration>,
}

/// Everything the client saw.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Every delivery.
    pub deliveries: Vec<Delivered>,
    /// When silence is not the receiver's fault.
    pub excuses: Vec<Excuse>,
}

impl History {
    /// The time within which 99 of 100 attempts ended.
    pub fn p99(&self) -> Duration {
        let attempts = self.deliveries.iter().flat_map(|delivery| &delivery.attempts);
        let mut lasted: Vec<_> = attempts
            .map(|attempt| attempt.ended.saturating_sub(attempt.sent))
            .collect();
        lasted.sort_unstable();
        lasted.get(lasted.len() * 99 / 100).copied().unwrap_or_default()
    }
}

/// One event as the stream holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its number; `None` for an event that is none of ours.
    pub number: Option<u64>,
    /// When the broker stored it, counted from the beginning of the run.
    pub at: Duration,
}

/// What is promised.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// How long an id is remembered.
    pub window: Duration,
    /// How long an attempt may last, with what a busy machine adds.
    pub deadline: Duration,
    /// How far the broker's clock and the client's may be apart.
    pub clocks: Duration,
}

/// What it came to. Numbers of events, the first of each kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Answered 200 and not there.
    pub lost: Vec<u64>,
    /// Answered 200 before it was stored.
    pub early: Vec<u64>,
    /// Two copies within the window.
    pub twice: Vec<u64>,
    /// Two copies further apart than the window, which is not promised against.
    pub again: Vec<u64>,
    /// How long each attempt that was too long lasted, excused time not counted.
    pub late: Vec<Duration>,
    /// Answers a signed delivery must not get, and how often.
    pub wrong: BTreeMap<u16, usize>,
    /// Events in the stream that nobody sent.
    pub strange: usize,
    /// Never answered 200.
    pub untaken: Vec<u64>,
}

impl Verdict {
    /// Whether every promise was kept.
    pub fn is_kept(&self) -> bool {
        self.broken().is_empty()
    }

    /// Each promise that was not kept, as a sentence.
    pub fn broken(&self) -> Vec<String> {
        let mut broken = Vec::new();
        let mut events = |numbers: &[u64], what: &str| {
            if let Some(first) = numbers.first() {
                broken.push(format!(
                    "{} events {what}, the first is number {first}",
                    numbers.len()
                ));
            }
        };
        events(&self.lost, "were answered 200 and are not in the stream");
        events(&self.early, "were answered 200 before they were stored");
        events(&self.twice, "are stored twice within the window");
        events(&self.untaken, "were never taken");
        if let Some(longest) = self.late.iter().max() {
            broken.push(format!(
                "{} attempts were not answered within the deadline, the longest took {longest:?}",
                self.late.len()
            ));
        }
        if !self.wrong.is_empty() {
            broken.push(format!("signed deliveries were answered {:?}", self.wrong));
        }
        if self.strange > 0 {
            broken.push(format!("{} events in the stream were never sent", self.strange));
        }
        broken
    }
}

/// Judges a run.
pub fn judge(history: &History, held: &[Held], rules: &Rules) -> Verdict {
    let mut verdict = Verdict::default();
    let mut copies: HashMap<u64, Vec<Duration>> = HashMap::new();
    for held in held {
        match held.number {
            Some(number) => copies.entry(number).or_default().push(held.at),
            None => verdict.strange += 1,
        }
    }
    for delivery in &history.deliveries {
        for attempt in &delivery.attempts {
            judge_attempt(attempt, &history.excuses, rules, &mut verdict);
        }
        let taken = delivery.taken();
        for number in delivery.events.clone() {
            let mut stored = copies.remove(&number).unwrap_or_default();
            stored.sort_unstable();
            match (taken, stored.first()) {
                (None, _) => verdict.untaken.push(number),
                (Some(_), None) => verdict.lost.push(number),
                (Some(taken), Some(first)) if *first > taken + rules.clocks => verdict.early.push(number),
                (Some(_), Some(_)) => {}
            }
            let closest = stored
                .windows(2)
                .map(|pair| pair[1].saturating_sub(pair[0]))
                .min();
            match closest {
                Some(apart) if apart < rules.window => verdict.twice.push(number),
                Some(_) => verdict.again.push(number),
                None => {}
            }
        }
    }
    verdict.strange += copies.values().map(Vec::len).sum::<usize>();
    verdict
}

fn judge_attempt(attempt: &Attempt, excuses: &[Excuse], rules: &Rules, verdict: &mut Verdict) {
    if let Ended::Status(status) = attempt.how
        && status != 200
        && status != 503
    {
        *verdict.wrong.entry(status).or_default() += 1;
    }
    let forgiven: Duration = excuses
        .iter()
        .filter(|excuse| excuse.receiver == attempt.receiver)
        .map(|excuse| {
            let (from, to) = (
                excuse.time.start.max(attempt.sent),
                excuse.time.end.min(attempt.ended),
            );
            to.saturating_sub(from)
        })
        .sum();
    let lasted = attempt
        .ended
        .saturating_sub(attempt.sent)
        .saturating_sub(forgiven);
    if lasted > rules.deadline {
        verdict.late.push(lasted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Rules = Rules {
        window: Duration::from_secs(100),
        deadline: Duration::from_secs(5),
        clocks: Duration::from_millis(10),
    };

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn attempt(sent: u64, ended: u64, how: Ended) -> Attempt {
        Attempt {
            receiver: 0,
            sent: at(sent),
            ended: at(ended),
            how,
        }
    }

    /// Events 0 to 2 refused at first and then taken, event 3 taken at once.
    fn history() -> History {
        let refused = attempt(1, 2, Ended::Status(503));
        let taken = attempt(3, 4, Ended::Status(200));
        let deliveries = vec![
            Delivered {
                events: 0..3,
                attempts: vec![refused, taken],
            },
            Delivered {
                events: 3..4,
                attempts: vec![attempt(3, 4, Ended::Status(200))],
            },
        ];
        History {
            deliveries,
            excuses: Vec::new(),
        }
    }

    fn held(events: &[(u64, u64)]) -> Vec<Held> {
        let held = events.iter().map(|(number, seconds)| Held {
            number: Some(*number),
            at: at(*seconds),
        });
        held.collect()
    }

    /// What the stream holds when everything went well.
    fn good() -> Vec<Held> {
        // Event 0 was stored by the attempt that was refused: that is what deduplication is for.
        held(&[(0, 1), (1, 3), (2, 3), (3, 3)])
    }

    #[test]
    fn one_in_a_hundred_may_be_slower_than_the_p99() {
        let mut history = History::default();
        assert_eq!(history.p99(), Duration::ZERO);
        let lasting = |seconds| attempt(0, seconds, Ended::Status(200));
        history.deliveries = vec![Delivered {
            events: 0..1,
            attempts: (0..99).map(|_| lasting(1)).chain([lasting(7)]).collect(),
        }];
        assert_eq!(history.p99(), at(7), "no attempt is left out");
        history.deliveries[0].attempts.push(lasting(1));
        assert_eq!(history.p99(), at(1));
    }

    #[test]
    fn a_good_history_is_kept() {
        let verdict = judge(&history(), &good(), &RULES);
        assert_eq!(verdict, Verdict::default());
        assert!(verdict.is_kept());
    }

    #[test]
    fn an_acknowledged_event_that_is_missing_is_lost() {
        let verdict = judge(&history(), &held(&[(0, 1), (2, 3), (3, 3)]), &RULES);
        assert_eq!(verdict.lost, [1]);
        assert!(!verdict.is_kept());
    }

    #[test]
    fn an_event_stored_after_its_answer_was_acknowledged_early() {
        let verdict = judge(&history(), &held(&[(0, 1), (1, 3), (2, 5), (3, 3)]), &RULES);
        assert_eq!(verdict.early, [2]);
        assert!(!verdict.is_kept());
    }

    #[test]
    fn two_copies_are_judged_by_the_window() {
        let mut stream = good();
        stream.extend(held(&[(1, 102), (3, 103), (3, 203)]));
        let verdict = judge(&history(), &stream, &RULES);
        assert_eq!((&verdict.twice[..], &verdict.again[..]), (&[1][..], &[3][..]));
        assert!(!verdict.is_kept());
        let outside = judge(&history(), &[good(), held(&[(3, 103)])].concat(), &RULES);
        assert_eq!(outside.again, [3]);
        assert!(outside.is_kept(), "beyond the window nothing is promised");
    }

    #[test]
    fn the_closest_of_many_copies_counts_whatever_their_order() {
        let stream = [good(), held(&[(3, 500), (3, 250), (3, 251)])].concat();
        assert_eq!(judge(&history(), &stream, &RULES).twice, [3]);
    }

    #[test]
    fn an_attempt_beyond_the_deadline_is_late_answered_or_not() {
        for how in [Ended::Status(200), Ended::Status(503), Ended::Nothing] {
            let mut history = history();
            history.deliveries[1].attempts.insert(0, attempt(1, 7, how));
            let verdict = judge(&history, &good(), &RULES);
            assert_eq!(verdict.late, [at(6)], "{how:?}");
            assert!(!verdict.is_kept());
        }
    }

    #[test]
    fn a_frozen_receiver_is_excused_for_as_long_as_it_was_frozen() {
        let mut history = history();
        history.deliveries[1]
            .attempts
            .insert(0, attempt(1, 9, Ended::Status(503)));
        let excuse = |receiver, from, to| Excuse {
            receiver,
            time: at(from)..at(to),
        };
        history.excuses = vec![excuse(1, 1, 9)];
        assert_eq!(
            judge(&history, &good(), &RULES).late,
            [at(8)],
            "it was another one"
        );
        history.excuses = vec![excuse(0, 8, 20)];
        assert_eq!(
            judge(&history, &good(), &RULES).late,
            [at(7)],
            "for a second only"
        );
        history.excuses = vec![excuse(0, 0, 2), excuse(0, 4, 6)];
        assert!(judge(&history, &good(), &RULES).is_kept());
    }

    #[test]
    fn an_answer_that_meta_would_not_repeat_for_is_wrong() {
        let mut history = history();
        history.deliveries[0]
            .attempts
            .insert(0, attempt(1, 1, Ended::Status(401)));
        let verdict = judge(&history, &good(), &RULES);
        assert_eq!(verdict.wrong, BTreeMap::from([(401, 1)]));
        assert!(!verdict.is_kept());
    }

    #[test]
    fn what_was_never_sent_is_strange() {
        let stream = [
            good(),
            held(&[(9, 1)]),
            vec![Held {
                number: None,
                at: at(1),
            }],
        ]
        .concat();
        let verdict = judge(&history(), &stream, &RULES);
        assert_eq!(verdict.strange, 2);
        assert!(!verdict.is_kept());
    }

    #[test]
    fn what_was_never_taken_did_not_heal_whether_it_is_stored_or_not() {
        let mut history = history();
        history.deliveries[1].attempts = vec![attempt(3, 4, Ended::Nothing)];
        let verdict = judge(&history, &good(), &RULES);
        assert_eq!(verdict.untaken, [3]);
        assert!(!verdict.is_kept());
    }
}
