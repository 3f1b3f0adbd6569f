//! The run: apply, converge, be quiet, start again.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::error::{Result, ScaleError};
use super::operator::{Looks, Operator, Options};
use super::others::Others;
use super::report::Figures;
use super::requests::{Count, Requests, told};
use super::stage::{Stage, TO_A_NAMESPACE};
use super::state::{State, children_of_one, missing_children};
use super::streams::Streams;

/// How long everything may take to become ready: the controllers of Kubernetes set the pace, not the operator.
const READY_LIMIT: Duration = Duration::from_secs(300);
const READY_LIMIT_EACH: Duration = Duration::from_secs(2);
/// How long until the last write, and until a new start has looked at everything.
const SETTLE_LIMIT: Duration = Duration::from_secs(180);
/// It has settled when it wrote nothing for so long.
const SETTLED_AFTER: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often whoever waits is told.
const TELL_EVERY: Duration = Duration::from_secs(10);

/// What is to be measured.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) operator: PathBuf,
    pub(super) resources: usize,
    pub(super) quiet_seconds: u64,
}

/// A run under way.
struct Run<'a> {
    plan: &'a Plan,
    stage: &'a Stage,
    requests: Requests,
    streams: Streams,
    figures: Figures,
}

/// Does all of it.
pub(super) async fn measure(plan: &Plan) -> Result<Figures> {
    eprintln!("scale: starting a control plane and a broker");
    let stage = Stage::build(plan.resources).await?;
    let options = Options {
        binary: plan.operator.clone(),
        kubeconfig: stage.kubeconfig.clone(),
        nats: stage.nats.url(),
    };
    let _others = Others::start(stage.plane.api().clone());
    let mut run = Run {
        plan,
        stage: &stage,
        requests: Requests::new(stage.plane.audit_tail(), &Stage::user()),
        streams: Streams::listen(stage.nats.client().await?).await?,
        figures: Figures {
            resources: plan.resources,
            namespaces: plan.resources.div_ceil(TO_A_NAMESPACE),
            children: children_of_one(),
            quiet_seconds: plan.quiet_seconds,
            ..Figures::default()
        },
    };
    stage.namespaces(plan.resources).await?;
    let operator = Operator::start(&options)?;
    run.converge(&operator).await?;
    run.quiet(&operator).await?;
    operator.stop().await?;
    // What its end wrote (it gives the Lease back) is no part of the new start.
    run.requests.more()?;
    run.again(&Operator::start(&options)?).await?;
    Ok(run.figures)
}

impl Run<'_> {
    /// Everything is applied and becomes ready, until the operator has nothing left to write.
    async fn converge(&mut self, operator: &Operator) -> Result {
        let all = self.plan.resources;
        let began = Instant::now();
        eprintln!("scale: applying {all} webhooks");
        self.stage.apply(all).await?;
        self.figures.applied = began.elapsed().as_secs_f64();
        let limit = READY_LIMIT + READY_LIMIT_EACH * u32::try_from(all).unwrap_or(u32::MAX);
        let api = self.stage.plane.api();
        let (mut said, mut children) = (Instant::now(), false);
        loop {
            operator.expect_running("the webhooks were applied")?;
            let state = State::of(api).await?;
            if !children && state.observed == all {
                let seconds = began.elapsed().as_secs_f64();
                if missing_children(api, all).await? == 0 {
                    self.figures.converged = seconds;
                    children = true;
                }
            }
            if children && state.ready == all {
                break;
            }
            let so_far = format!("{} of {all} observed, {} ready", state.observed, state.ready);
            if began.elapsed() > limit {
                let state = format!("{so_far}; one that is not says: {}", state.complaint);
                return Err(late("all webhooks ready", limit, state, operator));
            }
            if said.elapsed() > TELL_EVERY {
                eprintln!("scale: {:>4} s  {so_far}", began.elapsed().as_secs());
                said = Instant::now();
            }
            sleep(LOOK_EVERY).await;
        }
        self.figures.ready = began.elapsed().as_secs_f64();
        self.figures.work = self.settled(operator).await?;
        self.figures.work_cost = operator.cost()?;
        self.figures.work_looks = operator.looks().await.ended;
        self.figures.streams = self.streams.more().await;
        Ok(())
    }

    /// Nothing changes.
    async fn quiet(&mut self, operator: &Operator) -> Result {
        let seconds = self.plan.quiet_seconds;
        let (before, looks) = (operator.cost()?, operator.looks().await);
        let began = Instant::now();
        let mut said = began;
        eprintln!("scale: all are ready; watching for {seconds} s");
        while began.elapsed() < Duration::from_secs(seconds) {
            operator.expect_running("nothing changed")?;
            sleep(LOOK_EVERY.min(Duration::from_secs(seconds).saturating_sub(began.elapsed()))).await;
            if said.elapsed() > TELL_EVERY * 3 {
                eprintln!("scale: {:>4} s  quiet", began.elapsed().as_secs());
                said = Instant::now();
            }
        }
        let cost = operator.cost()?;
        self.figures.quiet_cpu = cost.cpu - before.cpu;
        self.figures.quiet_cost = cost;
        self.figures.quiet_looks = operator.looks().await.ended - looks.ended;
        self.figures.quiet = self.requests.more()?;
        self.figures.quiet_streams = self.streams.more().await;
        Ok(())
    }

    /// A new operator finds everything as it should be.
    async fn again(&mut self, operator: &Operator) -> Result {
        eprintln!("scale: the operator is started again");
        let began = Instant::now();
        loop {
            operator.expect_running("it looked at everything again")?;
            let Looks { ended, active } = operator.looks().await;
            if ended >= self.plan.resources as u64 && active == 0 {
                break;
            }
            if began.elapsed() > SETTLE_LIMIT {
                let state = format!("{ended} looks of {}", self.plan.resources);
                return Err(late("everything looked at again", SETTLE_LIMIT, state, operator));
            }
            sleep(LOOK_EVERY / 4).await;
        }
        self.figures.again_seconds = began.elapsed().as_secs_f64();
        self.figures.again_cost = operator.cost()?;
        // Writes that come late count too.
        sleep(SETTLED_AFTER).await;
        self.figures.again_memory = operator.cost()?.memory;
        self.figures.again = self.requests.more()?;
        self.figures.again_streams = self.streams.more().await;
        Ok(())
    }

    /// Waits until nothing more is written; everything that was asked until then.
    async fn settled(&mut self, operator: &Operator) -> Result<Count> {
        let began = Instant::now();
        let mut count = self.requests.more()?;
        let mut since = Instant::now();
        while since.elapsed() < SETTLED_AFTER || operator.looks().await.active > 0 {
            if began.elapsed() > SETTLE_LIMIT {
                let state = format!("it has written {}", told(&count.writes));
                return Err(late("nothing left to write", SETTLE_LIMIT, state, operator));
            }
            sleep(LOOK_EVERY).await;
            let more = self.requests.more()?;
            if more.written() > 0 {
                since = Instant::now();
            }
            count = count.and(more);
        }
        Ok(count)
    }
}

impl Figures {
    /// Whether nothing was written when nothing had to be.
    pub(super) fn kept(&self) -> Result {
        for (when, count, streams) in [
            ("in the quiet time", &self.quiet, &self.quiet_streams),
            ("after its new start", &self.again, &self.again_streams),
        ] {
            if count.written() > 0 || !streams.is_empty() {
                return Err(ScaleError::Broken(format!(
                    "{when} the operator wrote although nothing had changed: to the API server {}, to streams {}",
                    told(&count.writes),
                    told(streams)
                )));
            }
        }
        Ok(())
    }
}

fn late(what: &'static str, limit: Duration, state: String, operator: &Operator) -> ScaleError {
    ScaleError::Late {
        what,
        seconds: limit.as_secs(),
        state,
        log: operator.last_lines(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn one_write_breaks_the_promise() {
        let mut figures = Figures::default();
        figures.quiet.lease = 30;
        figures.again.reads = 7000;
        assert!(figures.kept().is_ok());
        figures.again.writes.insert("patch services".to_owned(), 1);
        let error = figures.kept().unwrap_err().to_string();
        assert!(
            error.contains("new start") && error.contains("1 patch services"),
            "{error}"
        );
        let figures = Figures {
            quiet_streams: [("UPDATED".to_owned(), 1)].into(),
            ..Figures::default()
        };
        assert!(figures.kept().is_err());
    }
}
