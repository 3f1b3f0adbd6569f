//! Whether one connection is up, told to everybody only while it is the connection in use.
//!
//! While credentials are rotated there are two connections: the new one must not count as the broker's before it took
//! over, and the end of the old one must not look like the loss of the broker.

use std::sync::Arc;

use tokio::sync::watch;

use super::health::Health;

/// One connection's state.
#[derive(Debug)]
pub(super) struct Link {
    state: watch::Sender<State>,
    health: Arc<Health>,
}

#[derive(Debug, Default, Clone, Copy)]
struct State {
    up: bool,
    place: Place,
}

/// What a connection is to the receiver.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// It has yet to show that its credentials are good.
    #[default]
    Candidate,
    /// Events go over it.
    InUse,
    /// Over for good: another one is used, or nobody holds it.
    Retired,
}

impl Link {
    /// A connection that is not up and not in use.
    pub(super) fn new(health: Arc<Health>) -> Self {
        Self {
            state: watch::Sender::default(),
            health,
        }
    }

    /// The broker's health, which all connections share.
    pub(super) fn health(&self) -> &Health {
        &self.health
    }

    /// The connection came up or went down.
    pub(super) fn set_up(&self, up: bool) {
        self.change(|state| state.up = up);
    }

    /// The connection took over: from here on its state is the broker's.
    pub(super) fn take_over(&self) {
        self.change(|state| state.place = Place::InUse);
    }

    /// The connection was replaced or given up: whatever becomes of it is nobody's business any more.
    pub(super) fn retire(&self) {
        self.change(|state| state.place = Place::Retired);
    }

    /// Whether events go over it.
    pub(super) fn is_in_use(&self) -> bool {
        self.state.borrow().place == Place::InUse
    }

    /// Whether it is over for good.
    pub(super) fn is_retired(&self) -> bool {
        self.state.borrow().place == Place::Retired
    }

    /// Under one lock, so that two changes cannot be told in the wrong order.
    fn change(&self, change: impl FnOnce(&mut State)) {
        self.state.send_modify(|state| {
            change(state);
            if state.place == Place::InUse {
                self.health.set_connected(state.up);
            }
        });
    }

    /// Whether it is up.
    pub(super) fn is_up(&self) -> bool {
        self.state.borrow().up
    }

    /// Waits until it is up, or down.
    pub(super) async fn becomes(&self, up: bool) {
        // The sender lives in `self`, so the channel cannot close.
        let _ = self.state.subscribe().wait_for(|state| state.up == up).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_connection_in_use_speaks_for_the_broker() {
        let health = Arc::new(Health::default());
        let (old, new) = (Link::new(Arc::clone(&health)), Link::new(Arc::clone(&health)));
        old.take_over();
        old.set_up(true);
        assert!(health.connection().up);
        new.set_up(true);
        new.set_up(false);
        assert!(health.connection().up, "a candidate is nobody's broker");
        new.set_up(true);
        old.retire();
        new.take_over();
        old.set_up(false);
        assert!(
            health.connection().up,
            "the old connection's end is not the broker's"
        );
        new.set_up(false);
        assert!(!health.connection().up);
    }

    #[test]
    fn a_connection_is_tried_then_used_then_over() {
        let link = Link::new(Arc::default());
        assert!(!link.is_in_use() && !link.is_retired());
        link.take_over();
        assert!(link.is_in_use() && !link.is_retired());
        link.retire();
        assert!(!link.is_in_use() && link.is_retired());
    }
}
