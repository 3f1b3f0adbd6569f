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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn a_watchdog_at_rest_hears_of_a_request_that_another_task_ended() {
        let hour = Duration::from_secs(3600);
        let short = Duration::from_millis(10);
        let activity = Activity::new(Timeouts {
            head: hour,
            idle: short,
            write: hour,
            close: hour,
        });
        activity.request_begun(true);
        let stream = activity.clone();
        let watchdog = tokio::spawn(async move { activity.alarm().await });
        // Polls the watchdog while the request is open: there is no deadline to set a timer for.
        tokio::task::yield_now().await;
        stream.request_done();
        let alarm = timeout(Duration::from_secs(5), watchdog)
            .await
            .expect("the watchdog was not woken");
        assert_eq!(alarm.unwrap(), Alarm::SayGoodbye);
    }

    #[tokio::test]
    async fn a_timer_set_for_an_early_deadline_does_not_ring_for_a_later_one() {
        let hour = Duration::from_secs(3600);
        let short = Duration::from_millis(10);
        let activity = Activity::new(Timeouts {
            head: short,
            idle: hour,
            write: hour,
            close: hour,
        });
        let watchdog = activity.clone();
        let (alarm, ()) = tokio::join!(timeout(short * 10, watchdog.alarm()), async {
            activity.request_begun(false);
            activity.request_done();
        });
        assert!(alarm.is_err(), "the first head came in time: {alarm:?}");
    }
}
