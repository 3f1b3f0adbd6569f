//! Plays Meta: delivers each body until it is taken, less and less often, and writes down every answer.
//!
//! As with Meta a delivery that waits for its next attempt holds up no other, a repeat may reach another receiver, and some
//! deliveries are made once more although they were taken: Meta's side may have lost our 200.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use rand::Rng as _;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use crate::bodies::Delivery;
use crate::history::{Attempt, Delivered, Ended, History};
use crate::service::{Endpoint, Service};
use crate::trial::Ground;

/// How it delivers.
#[derive(Clone, Debug)]
pub struct Pace {
    /// New deliveries a second.
    pub rate: u64,
    /// The most POSTs at one time.
    pub connections: usize,
    /// The most deliveries that are begun and not taken: then no new one is begun.
    pub backlog: usize,
    /// Of each hundred deliveries, how many are made once more after they were taken.
    pub once_more: u32,
    /// Every attempt goes to every receiver at the same time, and each must take it.
    pub to_all: bool,
    /// How long an answer is waited for.
    pub patience: Duration,
    /// When a refused delivery is made again: the first pauses, the last of which is repeated.
    pub again_after: Vec<Duration>,
    /// When a delivery is given up.
    pub give_up: Duration,
}

impl Pace {
    /// The pace of a run, everything but the rate as it mostly is.
    pub fn of(ground: &Ground) -> Self {
        Self {
            rate: ground.rate,
            connections: 16,
            backlog: 1000,
            once_more: 5,
            to_all: false,
            // Meta's time-out is given as 20 s at most.
            patience: Duration::from_secs(20),
            again_after: [20, 50, 100, 250, 500, 1000].map(Duration::from_millis).to_vec(),
            give_up: Duration::from_secs(120),
        }
    }
}

/// How far a run is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Progress {
    /// Events of deliveries that were taken.
    pub taken: u64,
    /// Attempts that were not answered 200.
    pub failed: u64,
}

/// A client that delivers to a service.
pub struct Client {
    service: Arc<Service>,
    pace: Pace,
    began: Instant,
    progress: watch::Sender<Progress>,
    posts: Semaphore,
    turn: AtomicUsize,
    may_end: AtomicBool,
}

impl Client {
    /// A client. Times count from now.
    pub fn new(service: Arc<Service>, pace: Pace) -> Self {
        Self {
            service,
            posts: Semaphore::new(pace.connections),
            pace,
            began: Instant::now(),
            progress: watch::Sender::default(),
            turn: AtomicUsize::default(),
            may_end: AtomicBool::default(),
        }
    }

    /// When it began.
    pub fn began(&self) -> Instant {
        self.began
    }

    /// How far it is.
    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// Nothing needs the load any more: it ends as soon as there were enough events.
    pub fn may_end(&self) {
        self.may_end.store(true, Ordering::Relaxed);
    }

    /// Delivers at least so many events, and goes on until it may end; what came of them.
    pub async fn deliver(
        self: &Arc<Self>,
        events: u64,
        deliveries: impl Iterator<Item = Delivery>,
    ) -> History {
        let backlog = Arc::new(Semaphore::new(self.pace.backlog));
        let mut ticks = interval(Duration::from_secs(1) / u32::try_from(self.pace.rate.max(1)).unwrap_or(1));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut running = JoinSet::new();
        let mut done = Vec::new();
        for delivery in deliveries {
            if delivery.events.start >= events && self.may_end.load(Ordering::Relaxed) {
                break;
            }
            ticks.tick().await;
            // Never closed.
            let place = Arc::clone(&backlog).acquire_owned().await.ok();
            let client = Arc::clone(self);
            running.spawn(async move {
                let _place = place;
                client.bring(delivery).await
            });
            while let Some(delivered) = running.try_join_next() {
                done.extend(delivered.ok());
            }
        }
        while let Some(delivered) = running.join_next().await {
            done.extend(delivered.ok());
        }
        History {
            deliveries: done,
            excuses: Vec::new(),
        }
    }

    /// One delivery until it is taken, and perhaps once more.
    async fn bring(&self, delivery: Delivery) -> Delivered {
        let mut attempts = Vec::with_capacity(1);
        let begun = Instant::now();
        let mut pauses = self.pace.again_after.iter();
        let mut pause = Duration::ZERO;
        loop {
            if self.attempt(&delivery, &mut attempts).await {
                let events = delivery.events.end - delivery.events.start;
                self.progress.send_modify(|progress| progress.taken += events);
                break;
            }
            if begun.elapsed() > self.pace.give_up {
                break;
            }
            pause = pauses.next().copied().unwrap_or(pause);
            // Apart, or everything that was refused together would come back together.
            let share = rand::rng().random_range(0.5..1.0);
            sleep(pause.mul_f64(share)).await;
        }
        if rand::rng().random_range(0..100) < self.pace.once_more {
            self.attempt(&delivery, &mut attempts).await;
        }
        Delivered {
            events: delivery.events,
            attempts,
        }
    }

    /// Posts it once, or once to each receiver. Whether it was taken.
    async fn attempt(&self, delivery: &Delivery, attempts: &mut Vec<Attempt>) -> bool {
        let endpoints = if self.pace.to_all {
            self.service.all()
        } else {
            let turn = self.turn.fetch_add(1, Ordering::Relaxed);
            self.service.pick(turn).into_iter().collect()
        };
        let places = u32::try_from(endpoints.len()).unwrap_or(1);
        // Never closed.
        let Ok(_places) = self.posts.acquire_many(places).await else {
            return false;
        };
        let posts = endpoints
            .into_iter()
            .map(|endpoint| self.post(endpoint, delivery));
        let ended = futures_util::future::join_all(posts).await;
        let taken = ended.iter().filter(|a| a.how == Ended::Status(200)).count();
        let failed = ended.len() - taken;
        if failed > 0 {
            self.progress
                .send_modify(|progress| progress.failed += failed as u64);
        }
        let all_took_it = !ended.is_empty() && failed == 0;
        attempts.extend(ended);
        all_took_it
    }

    async fn post(&self, endpoint: Endpoint, delivery: &Delivery) -> Attempt {
        let sent = self.began.elapsed();
        let answer = timeout(self.pace.patience, endpoint.client.post(delivery.body.clone())).await;
        let how = match answer {
            Ok(Ok(answer)) => Ended::Status(answer.status),
            Ok(Err(_)) | Err(_) => Ended::Nothing,
        };
        Attempt {
            receiver: endpoint.number,
            sent,
            ended: self.began.elapsed(),
            how,
        }
    }
}
