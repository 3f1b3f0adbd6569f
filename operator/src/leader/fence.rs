//! Whether writes are still allowed.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Asked before every write. It closes by itself when the lease was not renewed in time: a process that was
/// stopped and goes on finds it closed before it has noticed anything else.
///
/// A request that is already on its way cannot be called back. Writes are idempotent and carry the version
/// or the uid of what was seen, so a late one repeats or fails.
#[derive(Clone, Debug)]
pub struct Fence(Arc<Mutex<Until>>);

#[derive(Clone, Copy, Debug)]
enum Until {
    ForEver,
    Time(Instant),
    Closed,
}

impl Fence {
    /// Always open: no other operator is about.
    pub fn open() -> Self {
        Self(Arc::new(Mutex::new(Until::ForEver)))
    }

    /// Closed until it is extended for the first time.
    pub fn closed() -> Self {
        Self(Arc::new(Mutex::new(Until::Closed)))
    }

    /// Whether a write may begin now.
    pub fn is_open(&self) -> bool {
        match *self.lock() {
            Until::ForEver => true,
            Until::Time(end) => Instant::now() < end,
            Until::Closed => false,
        }
    }

    /// Opens it for `time` from `since` on.
    pub(super) fn extend(&self, since: Instant, time: Duration) {
        *self.lock() = Until::Time(since + time);
    }

    /// Closes it.
    pub(super) fn close(&self) {
        *self.lock() = Until::Closed;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Until> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_closes_by_itself() {
        assert!(Fence::open().is_open());
        let fence = Fence::closed();
        assert!(!fence.is_open());
        fence.extend(Instant::now(), Duration::from_secs(60));
        assert!(fence.is_open());
        let long_ago = Instant::now().checked_sub(Duration::from_secs(2));
        fence.extend(long_ago.unwrap_or_else(Instant::now), Duration::from_secs(1));
        assert!(long_ago.is_none() || !fence.is_open());
        fence.extend(Instant::now(), Duration::from_secs(60));
        fence.close();
        assert!(!fence.is_open());
    }
}
