//! One connection's state, shared between its socket, its requests and its watchdog.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, ready};

use futures_util::task::AtomicWaker;
use tokio::time::{Instant, sleep_until};

use super::phase::{Course, Expiry, Machine, Timeouts, Verdict};

/// A handle on the state of one connection.
#[derive(Debug, Clone)]
pub(super) struct Activity(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    machine: Mutex<Machine>,
    /// The connection's task, for changes made by the task of an HTTP/2 stream.
    watchdog: AtomicWaker,
}

/// What the watchdog asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alarm {
    SayGoodbye,
    Expired(Expiry),
}

impl Activity {
    pub(super) fn new(timeouts: Timeouts) -> Self {
        Self(Arc::new(Shared {
            machine: Mutex::new(Machine::new(timeouts, Instant::now())),
            watchdog: AtomicWaker::new(),
        }))
    }

    pub(super) fn bytes_read(&self) {
        self.machine().bytes_read(Instant::now());
    }

    pub(super) fn write_blocked(&self) {
        self.machine().write_blocked(Instant::now());
    }

    pub(super) fn write_progressed(&self) {
        self.machine().write_progressed();
    }

    pub(super) fn shut_down(&self) {
        self.machine().shut_down(Instant::now());
    }

    pub(super) fn request_begun(&self, multiplexed: bool) {
        self.machine().request_begun(multiplexed);
    }

    pub(super) fn request_done(&self) {
        if self.machine().request_done(Instant::now()) {
            self.0.watchdog.wake();
        }
    }

    pub(super) fn proceed(&self, course: Course) {
        self.machine().proceed(course, Instant::now());
    }

    pub(super) fn idled_out(&self) -> bool {
        self.machine().idled_out()
    }

    /// Waits until something has to be done about the connection. Cancel safe.
    ///
    /// Polled whenever the connection's task is, so it sees what the socket has just reported. The timer
    /// is only ever moved forward to an earlier deadline; when it fires too early it is set again. So a
    /// busy connection leaves it alone.
    pub(super) async fn alarm(&self) -> Alarm {
        let timer = sleep_until(Instant::now());
        tokio::pin!(timer);
        poll_fn(|cx| {
            self.0.watchdog.register(cx.waker());
            loop {
                // The guard must not live on into the match: setting a timer takes other locks.
                let verdict = self.machine().verdict(Instant::now());
                match verdict {
                    Verdict::SayGoodbye => return Poll::Ready(Alarm::SayGoodbye),
                    Verdict::Expired(expiry) => return Poll::Ready(Alarm::Expired(expiry)),
                    Verdict::Wait(None) => return Poll::Pending,
                    Verdict::Wait(Some(deadline)) => {
                        if timer.is_elapsed() || deadline < timer.deadline() {
                            timer.as_mut().reset(deadline);
                        }
                        ready!(timer.as_mut().poll(cx));
                    }
                }
            }
        })
        .await
    }

    fn machine(&self) -> MutexGuard<'_, Machine> {
        // No method of the machine panics; should one, its state is still the best there is.
        self.0.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
