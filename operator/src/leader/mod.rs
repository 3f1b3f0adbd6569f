//! One operator works, the others stand by: leader election with a Kubernetes Lease.
//!
//! The rules are those of Kubernetes' own controllers (client-go, leaderelection): a lease is taken over only when
//! it was not renewed for its whole duration as seen by the clock of the one who waits, so that clocks need
//! not agree; every write carries the version that was read, so that of two who want it one wins.
//!
//! ```text
//! record.rs  what a Lease says, whether it may be taken     elector.rs  wait, renew, give back
//! fence.rs   whether writes are still allowed
//! ```

mod elector;
mod fence;
mod record;

pub use elector::{ElectionError, Elector, Ended, Timing};
pub use fence::Fence;
