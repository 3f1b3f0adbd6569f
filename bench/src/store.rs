//! What a contestant keeps events in, fresh for every run: a NATS server with one stream, or a Redis with one list. Read
//! back afterwards, event by event.

use std::time::Duration;

use wahook_testbed::nats::NatsServer;
use wahook_testbed::stream;

use crate::corpus::serial;
use crate::measure::{MeasureError, Tree};
use crate::peer::{Keeps, RedisProgram, RedisServer};

/// The stream, named as the receiver names it.
const STREAM: &str = "whatsapp_local_webhook";
/// What every subject begins with.
pub const SUBJECT: &str = "whatsapp.local.webhook";
/// The list.
pub const LIST: &str = "events";

/// A store could not be made or read.
#[derive(Debug, thiserror::Error)]
#[error("the store: {0}")]
pub struct StoreError(String);

impl StoreError {
    #[allow(clippy::needless_pass_by_value, reason = "for `map_err`")]
    fn of<E: ToString>(error: E) -> Self {
        Self(error.to_string())
    }
}

/// What a contestant keeps events in.
pub enum Store {
    /// Nothing is kept.
    Nothing,
    /// A stream of this server.
    Stream(Box<NatsServer>),
    /// A list of this server.
    List(RedisServer),
}

/// How often each event is stored, by serial number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// The count of each serial number.
    pub counts: Vec<u8>,
    /// What is no event of the corpus.
    pub foreign: u64,
}

impl Stored {
    /// Counts one stored event.
    pub fn count(&mut self, data: &[u8]) {
        let Some(serial) = serial(data) else {
            self.foreign += 1;
            return;
        };
        let place = serial as usize;
        if self.counts.len() <= place {
            self.counts.resize(place + 1, 0);
        }
        self.counts[place] = self.counts[place].saturating_add(1);
    }
}

impl Store {
    /// Starts a store of this kind.
    ///
    /// # Errors
    /// [`StoreError`] when it does not come up.
    pub async fn start(keeps: Keeps, redis: Option<&RedisProgram>) -> Result<Self, StoreError> {
        match keeps {
            Keeps::Nothing => Ok(Self::Nothing),
            Keeps::Stream => {
                let server = NatsServer::start().await.map_err(StoreError::of)?;
                let client = server.client().await.map_err(StoreError::of)?;
                stream::create(&client, STREAM, &[&format!("{SUBJECT}.>")])
                    .await
                    .map_err(StoreError::of)?;
                Ok(Self::Stream(Box::new(server)))
            }
            Keeps::List => {
                let program = redis.ok_or_else(|| StoreError::of("there is no Redis"))?;
                let server = RedisServer::start(program).await.map_err(StoreError::of)?;
                Ok(Self::List(server))
            }
        }
    }

    /// Where a contestant connects; empty where there is nothing to connect to.
    pub fn url(&self) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::Stream(server) => server.url(),
            Self::List(server) => server.url(),
        }
    }

    /// The processor time it used so far.
    ///
    /// # Errors
    /// [`MeasureError`] when it has ended.
    pub fn cpu(&self) -> Result<Duration, MeasureError> {
        let pid = match self {
            Self::Nothing => None,
            Self::Stream(server) => server.pid(),
            Self::List(server) => Some(server.pid()),
        };
        pid.map_or(Ok(Duration::ZERO), |pid| Tree::of(pid).cpu())
    }

    /// Reads everything that is stored.
    ///
    /// # Errors
    /// [`StoreError`] when that stops in the middle.
    pub async fn read(&self) -> Result<Stored, StoreError> {
        let mut stored = Stored::default();
        match self {
            Self::Nothing => {}
            Self::Stream(server) => {
                let client = server.client().await.map_err(StoreError::of)?;
                stream::for_each(&client, STREAM, |message| stored.count(&message.payload))
                    .await
                    .map_err(StoreError::of)?;
            }
            Self::List(server) => {
                server
                    .list(LIST, &mut |element| stored.count(element))
                    .map_err(StoreError::of)?;
            }
        }
        Ok(stored)
    }
}
