//! Where deliveries go: the receivers that are ready, as a Service of Kubernetes knows them.

use std::sync::{Mutex, MutexGuard, PoisonError};

use wahook_testbed::meta::MetaClient;

/// One receiver as a client sees it.
#[derive(Clone)]
pub struct Endpoint {
    /// Counts every endpoint there ever was.
    pub number: u32,
    /// Posts to it.
    pub client: MetaClient,
}

/// The endpoints of this moment.
#[derive(Default)]
pub struct Service(Mutex<(u32, Vec<Endpoint>)>);

impl Service {
    /// Adds a receiver; its number.
    pub fn add(&self, client: MetaClient) -> u32 {
        let (next, endpoints) = &mut *self.lock();
        let number = *next;
        *next += 1;
        endpoints.push(Endpoint { number, client });
        number
    }

    /// Takes a receiver out. What is on its way to it goes on.
    pub fn remove(&self, number: u32) {
        self.lock().1.retain(|endpoint| endpoint.number != number);
    }

    /// Every endpoint.
    pub fn all(&self) -> Vec<Endpoint> {
        self.lock().1.clone()
    }

    /// One of them, in turn; `None` while there is none.
    pub fn pick(&self, turn: usize) -> Option<Endpoint> {
        let endpoints = &self.lock().1;
        endpoints.get(turn.checked_rem(endpoints.len())?).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, (u32, Vec<Endpoint>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
