//! What has to change in a stream that is there, and what must not. Pure.
//!
//! The measure is what JetStream would delete:
//!
//! * More bytes, a longer age, more copies delete nothing and are done.
//! * A shorter age deletes every older event at once. It is done only while no event is that old.
//! * Fewer bytes delete nothing, since a full stream refuses (`discard: new`). But a stream that holds more than its
//!   limit refuses every event, so it is done only once what is stored fits.
//! * The window of ids may get shorter: it holds no events, and the resource asks for it.
//! * Copies are given up only when the resource itself names the number.
//! * The kind of storage, a work queue, a sealed stream and forbidden deletions cannot be changed: JetStream refuses.
//!
//! Only settings that [`wahook_stream::StreamSpec`] makes are touched. Whatever else an administrator set (description,
//! placement, compression, sources, republish) stays.

use std::time::Duration;

use async_nats::jetstream::stream::{Config, DiscardPolicy, PersistenceMode, RetentionPolicy, StorageType};
use serde_json::{Value, json};
use wahook_crds::conditions::Reason;
use wahook_stream::{covers, human};

use super::api::Found;
use super::owner::{Ownership, StreamOwner};
use super::problem::Problem;

/// What a stream has to be like.
#[derive(Clone, Debug)]
pub(super) struct Want<'a> {
    /// What messages call it: `stream x` or `bucket x`.
    pub(super) what: String,
    /// How it would be created.
    pub(super) config: Config,
    /// The copies that the resource itself names.
    pub(super) replicas: Option<usize>,
    /// The window of ids, where it matters: not in a bucket.
    pub(super) window: Option<Duration>,
    /// Whose it is.
    pub(super) owner: &'a StreamOwner,
}

/// One change: what it is for people, and the settings it writes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Step {
    /// Such as `max_age 7 d -> 14 d`.
    pub(super) what: String,
    settings: Vec<(&'static str, Value)>,
}

impl Step {
    /// The configuration with this change in it, everything else as it was.
    pub(super) fn apply(&self, raw: &Value) -> Value {
        let mut raw = raw.clone();
        for (key, value) in &self.settings {
            raw[*key] = value.clone();
        }
        raw
    }
}

/// What to do about a stream that is there.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Changes {
    /// What can be done, in this order. JetStream may refuse one and take the next.
    pub(super) steps: Vec<Step>,
    /// What cannot, or must not.
    pub(super) obstacles: Vec<Problem>,
}

/// Compares what is there with what is wanted.
pub(super) fn changes(found: &Found, want: &Want<'_>) -> Changes {
    let mut changes = Changes::default();
    if found.config().sealed {
        // JetStream takes no change of a sealed stream, and does not say so of every one.
        changes.obstacle(format!(
            "{what} is sealed and takes no events, and JetStream cannot change that. Read the events and remove {what} \
             yourself: it is then made anew",
            what = want.what
        ));
        return changes;
    }
    changes.rules(found, want);
    changes.times(found, want);
    changes.bytes(found, want);
    changes.copies(found, want);
    changes.forever(found, want);
    changes
}

impl Changes {
    fn step(&mut self, what: String, settings: Vec<(&'static str, Value)>) {
        self.steps.push(Step { what, settings });
    }

    fn obstacle(&mut self, text: String) {
        self.obstacles.push(Problem::new(Reason::StreamImmutable, text));
    }

    /// Whose it is, which subjects, and everything that has one right value. One step.
    fn rules(&mut self, found: &Found, want: &Want<'_>) {
        let (is, must) = (found.config(), &want.config);
        let mut words = Vec::new();
        let mut settings = Vec::new();
        let mut set = |word: &str, key: &'static str, value: Value| {
            words.push(word.to_owned());
            settings.push((key, value));
        };
        if want.owner.of(&is.metadata) != Ownership::Ours {
            let signed = want.owner.sign(found.raw.get("metadata"));
            set("recorded the owner", "metadata", signed);
        }
        if let Some(subjects) = subjects(&is.subjects, &must.subjects) {
            set("subjects", "subjects", json!(subjects));
        }
        if is.retention == RetentionPolicy::Interest {
            set("retention limits", "retention", json!("limits"));
        }
        if is.discard != DiscardPolicy::New {
            set("discard new", "discard", json!("new"));
        }
        if is.discard_new_per_subject {
            set(
                "discard_new_per_subject off",
                "discard_new_per_subject",
                json!(false),
            );
        }
        if is.max_messages > 0 {
            set("max_msgs unlimited", "max_msgs", json!(-1));
        }
        if is.max_messages_per_subject > 0 {
            set(
                "max_msgs_per_subject unlimited",
                "max_msgs_per_subject",
                json!(-1),
            );
        }
        if is.max_message_size > 0 {
            set("max_msg_size unlimited", "max_msg_size", json!(-1));
        }
        if is.no_ack {
            set("no_ack off", "no_ack", json!(false));
        }
        if must.allow_direct && !is.allow_direct {
            set("allow_direct on", "allow_direct", json!(true));
        }
        if must.allow_rollup && !is.allow_rollup {
            set("allow_rollup_hdrs on", "allow_rollup_hdrs", json!(true));
        }
        if must.deny_delete && !is.deny_delete {
            set("deny_delete on", "deny_delete", json!(true));
        }
        if !settings.is_empty() {
            self.step(words.join(", "), settings);
        }
    }

    /// The age and the window go together: a window is never longer than the age.
    fn times(&mut self, found: &Found, want: &Want<'_>) {
        let (is, must) = (found.config(), &want.config);
        let mut words = Vec::new();
        let mut settings = Vec::new();
        if is.max_age != must.max_age {
            let (from, to) = (age(is.max_age), age(must.max_age));
            if is_shorter(must.max_age, is.max_age) && !found.is_all_younger_than(must.max_age) {
                self.obstacle(format!(
                    "{} keeps what it stores for {from} and holds something older than the {to} of nats.stream.maxAge: \
                     the change would delete it. Set max_age to {to} on the broker yourself (nats stream edit {} \
                     --max-age={}s), or set nats.stream.maxAge back",
                    want.what,
                    must.name,
                    must.max_age.as_secs()
                ));
            } else {
                words.push(format!("max_age {from} -> {to}"));
                settings.push(("max_age", nanoseconds(must.max_age)));
            }
        }
        // A bucket's window is the server's business, as long as it is not longer than the age.
        let window = match want.window {
            Some(window) => window,
            None if !settings.is_empty() && is_shorter(must.max_age, is.duplicate_window) => must.max_age,
            None => is.duplicate_window,
        };
        if is.duplicate_window != window {
            let (from, to) = (human(is.duplicate_window), human(window));
            words.push(format!("duplicate_window {from} -> {to}"));
            settings.push(("duplicate_window", nanoseconds(window)));
        }
        if !settings.is_empty() {
            self.step(words.join(", "), settings);
        }
    }

    fn bytes(&mut self, found: &Found, want: &Want<'_>) {
        let (is, must) = (found.config().max_bytes, want.config.max_bytes);
        if is == must || (is <= 0 && must <= 0) {
            return;
        }
        let shrinks = must > 0 && (is <= 0 || must < is);
        if shrinks && is_full(found.info.state.bytes, must) {
            self.obstacle(format!(
                "{} holds as much as the new nats.stream.maxBytes or more. Its limit stays as it is until that fits, or \
                 it would refuse every new event. Wait until enough has aged out, or set nats.stream.maxBytes back",
                want.what
            ));
        } else {
            let what = format!("max_bytes {} -> {}", limit(is), limit(must));
            self.step(what, vec![("max_bytes", json!(must))]);
        }
    }

    fn copies(&mut self, found: &Found, want: &Want<'_>) {
        let is = found.config().num_replicas;
        let must = match want.replicas {
            Some(named) => named,
            None if found.is_clustered() => is.max(3),
            None => is,
        };
        if is != must {
            let what = format!("num_replicas {is} -> {must}");
            self.step(what, vec![("num_replicas", json!(must))]);
        }
    }

    /// What JetStream itself refuses to change.
    fn forever(&mut self, found: &Found, want: &Want<'_>) {
        let (is, what) = (found.config(), &want.what);
        if is.storage != want.config.storage {
            let (is, must) = (storage(is.storage), storage(want.config.storage));
            self.obstacle(format!(
                "{what} is kept in {is} and nats.stream.storage asks for {must}, which JetStream cannot change. Set \
                 nats.stream.storage to {is}, or read the events and remove {what} yourself: it is then made anew"
            ));
        }
        if is.retention == RetentionPolicy::WorkQueue {
            self.obstacle(format!(
                "{what} is a work queue, which forgets ids when the broker restarts, and JetStream cannot change that. \
                 Read the events and remove {what} yourself: it is then made anew"
            ));
        }
        if is.persist_mode == Some(PersistenceMode::Async) {
            self.obstacle(format!(
                "{what} acknowledges before it writes (persist_mode async), and JetStream cannot change that. Read the \
                 events and remove {what} yourself: it is then made anew"
            ));
        }
        if is.deny_delete && !want.config.deny_delete {
            self.obstacle(format!(
                "{what} forbids the deletion of single events, which can never be turned off again. Set \
                 nats.stream.denyDelete: true to accept it"
            ));
        }
    }
}

/// Whether so little room is left that the next event may be refused: 1 % of the limit, from 4 KiB to 1 MiB.
pub(super) fn is_full(bytes: u64, limit: i64) -> bool {
    let Ok(limit) = u64::try_from(limit) else {
        return false;
    };
    limit > 0 && bytes.saturating_add((limit / 100).clamp(4 << 10, 1 << 20)) > limit
}

/// The subjects with ours among them; `None` when they are already. What we take over is dropped from the others,
/// since subjects of one stream must not overlap.
fn subjects(is: &[String], must: &[String]) -> Option<Vec<String>> {
    let missing: Vec<&String> = must
        .iter()
        .filter(|subject| !is.iter().any(|pattern| covers(pattern, subject)))
        .collect();
    if missing.is_empty() {
        return None;
    }
    let others = is
        .iter()
        .filter(|subject| !missing.iter().any(|pattern| covers(pattern, subject)));
    Some(others.chain(missing.iter().copied()).cloned().collect())
}

/// Zero means for ever.
fn is_shorter(one: Duration, other: Duration) -> bool {
    !one.is_zero() && (other.is_zero() || one < other)
}

fn age(duration: Duration) -> String {
    if duration.is_zero() {
        "no limit".to_owned()
    } else {
        human(duration)
    }
}

fn limit(bytes: i64) -> String {
    if bytes <= 0 {
        "unlimited".to_owned()
    } else {
        bytes.to_string()
    }
}

fn storage(storage: StorageType) -> &'static str {
    match storage {
        StorageType::File => "File",
        StorageType::Memory => "Memory",
    }
}

fn nanoseconds(duration: Duration) -> Value {
    json!(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
}
