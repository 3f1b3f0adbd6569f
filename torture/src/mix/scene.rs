//! What all mixes share: the load, when to strike, who is excused, and the end, where everything is judged.

use std::net::SocketAddr;
use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use wahook_testbed::log::Log;
use wahook_testbed::meta::MetaClient;
use wahook_testbed::nats::NatsServer;
use wahook_testbed::process::ReceiverProcess;
use wahook_testbed::stream;

use super::{Disturbs, Mix, Outcome};
use crate::bodies::{self, Delivery};
use crate::client::{Client, Pace, Progress};
use crate::error::{Result, TortureError};
use crate::history::{Delivered, Excuse, Held, History, Rules, judge};
use crate::house::{SECRET, Setup};
use crate::service::Service;
use crate::trial::{Ground, Trial};

/// How long an id is remembered when nothing else is said.
const DAY: Duration = Duration::from_secs(24 * 3600);
/// What a busy machine may add to a deadline.
const SLACK: Duration = Duration::from_secs(1);
/// How long something may take that must come. An election takes up to nine seconds, and several may follow each other.
const PATIENCE: Duration = Duration::from_secs(90);
/// How long to wait before the stream is read once more.
const AGAIN: Duration = Duration::from_secs(1);
/// How many attempts fail before a full store gets room again.
const REFUSALS: u64 = 50;
/// How far the clocks of two processes on one machine may be apart, and what a clock that is being set adds.
const CLOCKS: Duration = Duration::from_millis(250);

/// A load, and what is done to it.
pub struct Scene<'a> {
    ground: &'a Ground,
    name: &'static str,
    disturbs: Disturbs,
    window: Duration,
    bodies: fn(u64) -> Bodies,
    client: Arc<Client>,
    service: Arc<Service>,
    began: SystemTime,
    strikes: AtomicU32,
    seen: Mutex<Seen>,
}

/// A receiver that gets deliveries.
pub struct Member {
    /// The process.
    pub receiver: ReceiverProcess,
    /// Its number.
    pub number: u32,
}

/// Deliveries without end.
type Bodies = Box<dyn Iterator<Item = Delivery> + Send>;

/// What the judge must know.
#[derive(Default)]
struct Seen {
    beside: Vec<Delivered>,
    excuses: Vec<Excuse>,
    logs: Vec<Log>,
    notes: Vec<String>,
}

impl<'a> Scene<'a> {
    /// The scene of a mix, without a receiver.
    pub fn new(mix: &Mix, ground: &'a Ground) -> Self {
        Self::paced(mix, ground, Pace::of(ground))
    }

    /// The same with a client that delivers in another way.
    pub fn paced(mix: &Mix, ground: &'a Ground, pace: Pace) -> Self {
        Self::named(mix.name, mix.disturbs, ground, pace)
    }

    /// A scene of another name.
    pub fn named(name: &'static str, disturbs: Disturbs, ground: &'a Ground, pace: Pace) -> Self {
        let service = Arc::new(Service::default());
        Self {
            ground,
            name,
            disturbs,
            window: DAY,
            bodies: |seed| Box::new(bodies::mixed(seed)),
            client: Arc::new(Client::new(Arc::clone(&service), pace)),
            service,
            began: SystemTime::now(),
            strikes: AtomicU32::new(0),
            seen: Mutex::default(),
        }
    }

    /// The same where ids are remembered for so long: for receivers that are set up so.
    #[must_use]
    pub fn with_window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    /// The same with a message in each delivery, and nothing else.
    #[must_use]
    pub fn with_messages_only(mut self) -> Self {
        self.bodies = |_| Box::new((0..).map(|number| bodies::messages(number..number + 1)));
        self
    }

    /// Another client of the same receivers. Its deliveries are judged once they are handed over with [`Self::beside`].
    pub fn client(&self, pace: Pace) -> Arc<Client> {
        Arc::new(Client::new(Arc::clone(&self.service), pace))
    }

    /// Deliveries that another client made meanwhile.
    pub fn beside(&self, history: History) {
        self.with(|seen| seen.beside.extend(history.deliveries));
    }

    /// Receivers of this scene on these brokers.
    pub fn setup(&self, servers: Vec<String>) -> Setup {
        Setup::new(self.ground, self.name, servers)
    }

    /// Starts a receiver; it gets deliveries once it is ready.
    ///
    /// # Errors
    /// When it does not get ready.
    pub async fn join(&self, setup: &Setup) -> Result<Member> {
        let receiver = setup.start().await?;
        let number = self.enter(&receiver)?;
        Ok(Member { receiver, number })
    }

    /// Kills a receiver; another one takes its place. Until that is ready deliveries still go to where nobody listens.
    ///
    /// # Errors
    /// When the other one does not get ready.
    pub async fn kill_and_replace(&self, setup: &Setup, member: &mut Member) -> Result {
        member.receiver.kill9();
        let receiver = setup.start().await?;
        self.leave(member.number);
        let number = self.enter(&receiver)?;
        *member = Member { receiver, number };
        Ok(())
    }

    /// The receiver gets deliveries from now on; its number.
    ///
    /// # Errors
    /// When no client can be built.
    pub fn enter(&self, receiver: &ReceiverProcess) -> Result<u32> {
        self.enter_by(receiver, receiver.address())
    }

    /// The same by way of a proxy.
    ///
    /// # Errors
    /// When no client can be built.
    pub fn enter_by(&self, receiver: &ReceiverProcess, address: SocketAddr) -> Result<u32> {
        self.with(|seen| seen.logs.push(receiver.log().clone()));
        let client = MetaClient::new(format!("http://{address}/webhook"), SECRET)?;
        Ok(self.service.add(client))
    }

    /// The receiver gets no new deliveries.
    pub fn leave(&self, number: u32) {
        self.service.remove(number);
    }

    /// The time since the beginning.
    pub fn now(&self) -> Duration {
        self.client.began().elapsed()
    }

    /// The receiver is not to blame for silence in this time.
    pub fn excuse(&self, receiver: u32, time: Range<Duration>) {
        self.with(|seen| seen.excuses.push(Excuse { receiver, time }));
    }

    /// Something to tell.
    pub fn note(&self, note: String) {
        self.with(|seen| seen.notes.push(note));
    }

    /// Strikes as often as the ground says, and counts it: the moments are spread evenly over the events.
    ///
    /// # Errors
    /// When a moment does not come, and those of the strike.
    pub async fn each_strike(&self, mut strike: impl AsyncFnMut() -> Result) -> Result {
        for nth in 1..=self.ground.strikes {
            let at = self.ground.events * u64::from(nth) / u64::from(self.ground.strikes + 1);
            self.until_taken(at).await?;
            self.strike();
            strike().await?;
        }
        Ok(())
    }

    /// Counts a strike.
    pub fn strike(&self) {
        self.strikes.fetch_add(1, Ordering::Relaxed);
    }

    /// Waits until so many events were taken.
    ///
    /// # Errors
    /// When they are not.
    pub async fn until_taken(&self, events: u64) -> Result {
        self.wait("events to be taken", |progress| progress.taken >= events)
            .await
    }

    /// Waits until deliveries are taken again.
    ///
    /// # Errors
    /// When they are not.
    pub async fn until_taken_again(&self) -> Result {
        let now = self.progress().taken;
        self.wait("events to be taken again", |progress| progress.taken > now)
            .await
    }

    /// Waits until so many more attempts have failed.
    ///
    /// # Errors
    /// When they do not.
    pub async fn until_failed(&self, more: u64) -> Result {
        let wanted = self.progress().failed + more;
        self.wait("deliveries to be refused", |progress| progress.failed >= wanted)
            .await
    }

    /// Waits until enough attempts were refused to say that nothing fits.
    ///
    /// # Errors
    /// When they are not.
    pub async fn until_full(&self) -> Result {
        self.until_failed(REFUSALS).await
    }

    fn progress(&self) -> Progress {
        *self.client.progress().borrow()
    }

    async fn wait(&self, what: &str, wanted: impl Fn(&Progress) -> bool) -> Result {
        let mut progress: watch::Receiver<Progress> = self.client.progress();
        let reached = timeout(PATIENCE, progress.wait_for(|progress| wanted(progress))).await;
        if matches!(reached, Ok(Ok(_))) {
            return Ok(());
        }
        let name = self.name;
        Err(TortureError::Unmet(format!(
            "{name}: waited {PATIENCE:?} for {what}; {:?}. The last receiver's last lines:\n{}",
            self.progress(),
            self.with(|seen| seen.logs.last().map(|log| log.tail(15)).unwrap_or_default())
        )))
    }

    /// The whole of a mix with one broker: as [`Self::run`], and that broker is read.
    ///
    /// # Errors
    /// When it could not be carried through.
    pub async fn run_on(
        &self,
        broker: &NatsServer,
        setup: &Setup,
        strikes: impl Future<Output = Result>,
    ) -> Result<Outcome> {
        let trial = self
            .run(setup, strikes, async || Ok(broker.client().await?))
            .await?;
        Ok(trial.into())
    }

    /// What the load begins with.
    pub fn first_delivery(&self) -> Option<Delivery> {
        (self.bodies)(self.ground.seed).next()
    }

    /// Delivers everything while `strikes` goes on, then reads the stream and judges.
    ///
    /// # Errors
    /// When it could not be carried through.
    pub async fn run(
        &self,
        setup: &Setup,
        strikes: impl Future<Output = Result>,
        reader: impl AsyncFnOnce() -> Result<async_nats::Client>,
    ) -> Result<Trial> {
        let deliveries = (self.bodies)(self.ground.seed);
        let load = async { Result::<History>::Ok(self.client.deliver(self.ground.events, deliveries).await) };
        let strikes = async {
            strikes.await?;
            self.client.may_end();
            Ok(())
        };
        let (mut history, ()) = tokio::try_join!(load, strikes)?;
        let took = self.now();
        let held = self.held(&reader().await?, &setup.stream_name()).await?;
        let rules = Rules {
            window: self.window,
            deadline: self.ground.deadline + SLACK,
            clocks: CLOCKS,
        };
        let mut trial = Trial {
            name: self.name,
            strikes: self.strikes.load(Ordering::Relaxed),
            stored: held.len(),
            took,
            p99: history.p99(),
            ..Trial::default()
        };
        self.with(|seen| {
            history.deliveries.append(&mut seen.beside);
            history.excuses = std::mem::take(&mut seen.excuses);
            trial.notes = std::mem::take(&mut seen.notes);
            if seen.logs.iter().any(|log| log.contains("panicked at")) {
                trial.broken.push("a receiver panicked".to_owned());
            }
        });
        trial.count(&history);
        trial.verdict = judge(&history, &held, &rules);
        match (self.disturbs, trial.failed()) {
            (Disturbs::Always, 0) => trial
                .broken
                .push("nothing was disturbed: this proves nothing".to_owned()),
            (Disturbs::Never, 1..) => trial.broken.push("the client noticed".to_owned()),
            _ => {}
        }
        Ok(trial)
    }

    /// Reads the whole stream; once more from the start when it could not be read to its end: a broker that has just come back
    /// may be busy, and what was not read is not lost.
    async fn held(&self, reader: &async_nats::Client, stream: &str) -> Result<Vec<Held>> {
        let give_up = Instant::now() + PATIENCE;
        loop {
            let mut held = Vec::new();
            let read = stream::for_each(reader, stream, |stored| {
                held.push(Held {
                    number: bodies::number(&stored.payload),
                    at: stored.stored_at.duration_since(self.began).unwrap_or_default(),
                });
            });
            match read.await {
                Ok(()) => return Ok(held),
                Err(error) if Instant::now() > give_up => return Err(error.into()),
                Err(error) => self.note(format!("read the stream once more: {error}")),
            }
            sleep(AGAIN).await;
        }
    }

    fn with<T>(&self, look: impl FnOnce(&mut Seen) -> T) -> T {
        look(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
