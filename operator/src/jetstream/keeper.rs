//! One look at the stream and the bucket of one webhook: what is missing is made, what may grow grows, the rest is said.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_nats::jetstream::stream::Config;
use wahook_crds::conditions::Reason;

use super::api::{Api, Failure, Found};
use super::change::{Want, changes, is_full};
use super::owner::{Ownership, StreamOwner};
use super::problem::{Problem, explain};
use super::report::{StreamReport, Usage};
use crate::validate::{StreamKeeper, StreamPlan};

/// JetStream's "replicas > 1 not supported in non-clustered mode".
const NOT_A_CLUSTER: u64 = 10_074;
/// A change may show what else has to change, for example that a new stream's JetStream is a cluster.
const ROUNDS: usize = 3;

/// The uid under which a stream was last seen to be ours, by domain and name. Two clusters that share a broker and a
/// subject prefix would otherwise take the stream from each other for ever.
#[derive(Debug, Default)]
pub(super) struct Claims(Mutex<HashMap<(Option<String>, String), String>>);

impl Claims {
    fn is_contested(&self, api: &Keeper<'_>, stream: &str) -> bool {
        let claims = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        claims.get(&api.claim(stream)) == Some(&api.owner.uid)
    }

    fn record(&self, api: &Keeper<'_>, stream: &str) {
        let mut claims = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        claims.insert(api.claim(stream), api.owner.uid.clone());
    }
}

/// Looks after what one plan asks for.
#[derive(Debug)]
pub(super) struct Keeper<'a> {
    pub(super) api: Api,
    pub(super) plan: &'a StreamPlan,
    pub(super) owner: &'a StreamOwner,
    pub(super) claims: &'a Claims,
}

/// What became of one stream.
#[derive(Debug, Default)]
struct Outcome {
    found: Option<Found>,
    written: Vec<String>,
    problems: Vec<Problem>,
}

impl Outcome {
    fn problem(problem: Problem) -> Self {
        Self {
            problems: vec![problem],
            ..Self::default()
        }
    }
}

impl Keeper<'_> {
    /// Looks once.
    pub(super) async fn look(&self) -> StreamReport {
        match self.plan.keeper {
            StreamKeeper::Operator => self.keep().await,
            StreamKeeper::Checked => self.check().await,
            StreamKeeper::Receivers => StreamReport::bad(
                Reason::Pending,
                "the stream is on a broker that only the receivers know; they check it".to_owned(),
            ),
        }
    }

    async fn keep(&self) -> StreamReport {
        let spec = &self.plan.spec;
        let stream = self.tend(self.stream()).await;
        let Some(found) = &stream.found else {
            return self.report(&[stream]);
        };
        // What an event refers to must not be gone before the event.
        let kept = found.config().max_age;
        let mut bucket = self.bucket();
        if kept.is_zero() || kept > spec.max_age {
            bucket.config.max_age = kept;
        }
        let bucket = self.tend(bucket).await;
        self.report(&[stream, bucket])
    }

    fn stream(&self) -> Want<'_> {
        let mut config = self.plan.spec.stream_config(self.api.is_clustered());
        config.deny_delete = self.plan.deny_delete;
        self.want(
            format!("stream {}", config.name),
            config,
            Some(self.plan.spec.window),
        )
    }

    fn bucket(&self) -> Want<'_> {
        let config = self.plan.spec.bucket_stream_config(self.api.is_clustered());
        self.want(format!("bucket {}", self.plan.spec.bucket), config, None)
    }

    fn want(&self, what: String, mut config: Config, window: Option<Duration>) -> Want<'_> {
        let signed = self.owner.metadata();
        config.metadata = signed
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        Want {
            what,
            config,
            replicas: self.plan.spec.replicas,
            window,
            owner: self.owner,
        }
    }

    /// Makes one stream what it should be, as far as that loses nothing.
    async fn tend(&self, want: Want<'_>) -> Outcome {
        let mut outcome = Outcome::default();
        let name = &want.config.name;
        let mut found = match self.api.find(name).await {
            Ok(Some(found)) => found,
            Ok(None) => match self.create(&want).await {
                Ok(found) => {
                    outcome.written.push(format!("created {}", want.what));
                    found
                }
                Err(failure) => return Outcome::problem(self.explain("created", &want.what, &failure)),
            },
            Err(failure) => return Outcome::problem(self.explain("read", &want.what, &failure)),
        };
        if let Err(problem) = self.admit(&found, &want) {
            return Outcome::problem(problem);
        }
        let mut refused: Vec<(String, Problem)> = Vec::new();
        for _ in 0..ROUNDS {
            let mut steps = changes(&found, &want).steps;
            steps.retain(|step| !refused.iter().any(|(refused, _)| *refused == step.what));
            if steps.is_empty() {
                break;
            }
            for step in steps {
                match self.api.update(name, &step.apply(&found.raw)).await {
                    Ok(changed) if changes(&changed, &want).steps.contains(&step) => {
                        let text = format!(
                            "JetStream accepts a change of {} and does not make it: {}. Look at its configuration",
                            want.what, step.what
                        );
                        refused.push((step.what, Problem::new(Reason::StreamRefused, text)));
                    }
                    Ok(changed) => {
                        let words = format!("changed {}: {}", want.what, step.what);
                        outcome.written.push(words);
                        found = changed;
                    }
                    Err(failure) => {
                        let doing = format!("changed ({})", step.what);
                        refused.push((step.what, self.explain(&doing, &want.what, &failure)));
                    }
                }
            }
        }
        self.claims.record(self, name);
        let refusals = refused.into_iter().map(|(_, problem)| problem);
        outcome.problems.extend(refusals);
        outcome.problems.extend(changes(&found, &want).obstacles);
        outcome.problems.extend(fullness(&want.what, &found));
        outcome.found = Some(found);
        outcome
    }

    async fn create(&self, want: &Want<'_>) -> Result<Found, Failure> {
        match self.api.create(&want.config).await {
            // With a domain the JetStream is another server's than the one we talk to.
            Err(Failure::Refused(refused)) if refused.number == NOT_A_CLUSTER && want.replicas.is_none() => {
                let config = Config {
                    num_replicas: 1,
                    ..want.config.clone()
                };
                self.api.create(&config).await
            }
            result => result,
        }
    }

    /// Whether the stream is ours to change.
    fn admit(&self, found: &Found, want: &Want<'_>) -> Result<(), Problem> {
        let what = &want.what;
        let taken = |text: String| Err(Problem::new(Reason::OwnedByOther, text));
        match self.owner.of(&found.config().metadata) {
            Ownership::Predecessor(_) if self.claims.is_contested(self, &want.config.name) => taken(format!(
                "{what} was taken over by a webhook of the same namespace and name, likely in another cluster. Give \
                 each cluster its own --subject-prefix, then restart this operator"
            )),
            Ownership::Ours | Ownership::Predecessor(_) => Ok(()),
            Ownership::Unsaid if is_for_nobody_else(found.config(), &want.config) => Ok(()),
            Ownership::Unsaid => taken(format!(
                "{what} exists, does not say whose it is and stores other subjects than this webhook's. It is left as it \
                 is: remove or rename it, or name it as an external stream"
            )),
            Ownership::Other(other) => taken(format!("{what} belongs to {other}. It is left as it is")),
        }
    }

    /// Somebody else's stream: read and judged.
    async fn check(&self) -> StreamReport {
        let spec = &self.plan.spec;
        let what = format!("stream {}", spec.name);
        let found = match self.api.find(&spec.name).await {
            Ok(Some(found)) => found,
            Ok(None) => {
                let text = format!(
                    "{what} does not exist on the operator's broker. Create it, or set nats.stream.management: Managed"
                );
                return self.report(&[Outcome::problem(Problem::new(Reason::StreamNotFound, text))]);
            }
            Err(failure) => {
                return self.report(&[Outcome::problem(self.explain("read", &what, &failure))]);
            }
        };
        let mut outcome = Outcome::default();
        if let Ownership::Other(other) = self.owner.of(&found.config().metadata) {
            let text = format!("{what} belongs to {other}. Name another stream, or remove nats.stream.name");
            outcome.problems.push(Problem::new(Reason::OwnedByOther, text));
        }
        let takes_ours = found
            .config()
            .subjects
            .iter()
            .any(|subject| wahook_stream::covers(subject, &spec.subjects));
        let reasons = spec.mismatches(found.config());
        if !takes_ours {
            // How somebody else's stream is set up is not for whoever happens to name it.
            let text = format!(
                "{what} does not take the subjects {}. Add them to it on the broker, or name another stream",
                spec.subjects
            );
            return self.report(&[Outcome::problem(Problem::new(Reason::StreamUnsafe, text))]);
        }
        if !reasons.is_empty() {
            let text = format!("{}. Change it on the broker", reasons.join("; "));
            outcome.problems.push(Problem::new(Reason::StreamUnsafe, text));
        }
        outcome.problems.extend(fullness(&what, &found));
        outcome.found = Some(found);
        self.report(&[outcome])
    }

    fn report(&self, outcomes: &[Outcome]) -> StreamReport {
        let mut problems: Vec<&Problem> = outcomes.iter().flat_map(|outcome| &outcome.problems).collect();
        problems.sort_by_key(|problem| problem.rank());
        let report = match problems.first() {
            None => StreamReport::good(format!("stream {} is as it should be", self.plan.spec.name)),
            Some(first) => {
                let texts: Vec<&str> = problems.iter().map(|problem| problem.text.as_str()).collect();
                StreamReport::bad(first.reason, texts.join(". "))
            }
        };
        StreamReport {
            usage: outcomes
                .first()
                .and_then(|stream| stream.found.as_ref())
                .map(usage),
            written: outcomes
                .iter()
                .flat_map(|outcome| outcome.written.iter().cloned())
                .collect(),
            ..report
        }
    }

    fn explain(&self, doing: &str, what: &str, failure: &Failure) -> Problem {
        explain(doing, what, failure, self.plan.spec.domain.as_deref())
    }

    fn claim(&self, stream: &str) -> (Option<String>, String) {
        (self.plan.spec.domain.clone(), stream.to_owned())
    }
}

/// Whether exactly our subjects go to it.
fn is_for_nobody_else(found: &Config, ours: &Config) -> bool {
    let sources = found.sources.as_ref().is_some_and(|sources| !sources.is_empty());
    let sorted = |config: &Config| {
        let mut subjects = config.subjects.clone();
        subjects.sort();
        subjects
    };
    found.mirror.is_none() && !sources && sorted(found) == sorted(ours)
}

fn fullness(what: &str, found: &Found) -> Option<Problem> {
    let (config, state) = (found.config(), &found.info.state);
    let messages = u64::try_from(config.max_messages).unwrap_or(0);
    let full = is_full(state.bytes, config.max_bytes) || (messages > 0 && state.messages >= messages);
    full.then(|| {
        let text = format!(
            "{what} is full and refuses events: Meta tries again for days. Raise nats.stream.maxBytes, or wait until \
             enough has aged out"
        );
        Problem::new(Reason::StreamFull, text)
    })
}

fn usage(found: &Found) -> Usage {
    Usage {
        bytes: found.info.state.bytes,
        limit: u64::try_from(found.config().max_bytes)
            .ok()
            .filter(|limit| *limit > 0),
    }
}
