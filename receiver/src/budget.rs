//! How many events may be on their way to the broker at once.
//!
//! A request is admitted whole or waits whole, first come first served: were its events admitted one by one, many large
//! requests could each hold a part and wait for ever for the rest.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The budget. Its size follows the configuration while it is in use.
#[derive(Debug)]
pub struct Budget {
    permits: Arc<Semaphore>,
    size: AtomicUsize,
}

/// Holds a request's share until it is dropped.
#[derive(Debug)]
pub struct Share(#[allow(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

impl Budget {
    /// A budget of `size` units.
    pub fn new(size: usize) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(size)),
            size: AtomicUsize::new(size),
        }
    }

    /// Changes the size; what is in use stays in use.
    pub fn resize(&self, size: usize) {
        let old = self.size.swap(size, Ordering::Relaxed);
        if size > old {
            self.permits.add_permits(size - old);
        } else if size < old {
            let permits = Arc::clone(&self.permits);
            let surplus = old - size;
            let missing = surplus - permits.forget_permits(surplus);
            if missing > 0 {
                // The rest is in use: it is taken out as it comes back.
                tokio::spawn(async move {
                    let count = u32::try_from(missing).unwrap_or(u32::MAX);
                    if let Ok(permit) = permits.acquire_many_owned(count).await {
                        permit.forget();
                    }
                });
            }
        }
    }

    /// Waits for `count` units. A request that wants more than there are gets them all.
    pub async fn admit(&self, count: usize) -> Option<Share> {
        let count = count.min(self.size.load(Ordering::Relaxed)).max(1);
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        Arc::clone(&self.permits)
            .acquire_many_owned(count)
            .await
            .ok()
            .map(Share)
    }

    /// How many units are free.
    pub fn free(&self) -> usize {
        self.permits.available_permits()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_request_larger_than_the_budget_is_admitted_alone() {
        let budget = Budget::new(10);
        let share = budget.admit(1000).await.unwrap();
        assert_eq!(budget.free(), 0);
        drop(share);
        assert_eq!(budget.free(), 10);
    }

    #[tokio::test]
    async fn the_size_can_change_while_it_is_in_use() {
        let budget = Budget::new(10);
        let share = budget.admit(8).await.unwrap();
        budget.resize(4);
        assert_eq!(budget.free(), 0);
        drop(share);
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
        assert_eq!(budget.free(), 4);
        budget.resize(20);
        assert_eq!(budget.free(), 20);
    }
}
