//! The mixes: load, and one kind of fault under it. One file each.

mod broker_frozen;
mod broker_full;
mod broker_killed;
mod clock_jump;
mod disk_full;
mod flood;
mod half_open;
mod leader_killed;
mod linked;
mod links_cut;
mod links_slow;
mod receiver_frozen;
mod receiver_killed;
mod rollout;
mod scene;
mod stream_full;
mod two_receivers;
mod weekend;
mod weekend_169h;
mod weekend_24h;

use std::pin::Pin;

pub use linked::Linked;
pub use scene::{Member, Scene};

use crate::error::Result;
use crate::trial::{Ground, Trial};

/// What a mix came to.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It ran.
    Ran(Box<Trial>),
    /// It cannot run here, and why.
    Skipped(String),
}

impl From<Trial> for Outcome {
    fn from(trial: Trial) -> Self {
        Self::Ran(Box::new(trial))
    }
}

/// The future of a run. It stays on its thread: what it starts has tasks of its own.
pub type Running<'a> = Pin<Box<dyn Future<Output = Result<Outcome>> + 'a>>;

/// One mix.
#[derive(Clone, Copy)]
pub struct Mix {
    /// Its name, as `--only` takes it.
    pub name: &'static str,
    /// What happens.
    pub about: &'static str,
    /// Whether anything may go wrong for the client.
    pub disturbs: Disturbs,
    run: for<'a> fn(&'a Mix, &'a Ground) -> Running<'a>,
}

/// Whether some attempts must, may or must not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disturbs {
    /// A run in which nothing failed proves nothing.
    Always,
    /// As it comes.
    Perhaps,
    /// The client must not notice.
    Never,
}

impl Mix {
    /// Runs it.
    ///
    /// # Errors
    /// When it could not be carried through. A broken promise is in the trial.
    pub async fn run(&self, ground: &Ground) -> Result<Outcome> {
        (self.run)(self, ground).await
    }
}

macro_rules! mixes {
    ($($module:ident $disturbs:ident $about:literal;)*) => {
        /// Every mix.
        pub const MIXES: &[Mix] = &[$(Mix {
            name: stringify!($module),
            about: $about,
            disturbs: Disturbs::$disturbs,
            run: |mix, ground| Box::pin($module::run(mix, ground)),
        }),*];
    };
}

mixes! {
    receiver_killed Always "the receiver is killed (SIGKILL) under load and another one started";
    receiver_frozen Perhaps "the receiver is stopped (SIGSTOP) and goes on";
    two_receivers Perhaps "every body goes to two receivers at the same instant, and one of them is killed";
    rollout Never "another receiver takes over and the old one is asked to end (SIGTERM)";
    clock_jump Never "the receiver's clock jumps forward and back by days and years";
    broker_killed Always "the broker is killed (SIGKILL) and started again";
    broker_frozen Always "the broker is stopped (SIGSTOP) for longer than the deadline";
    leader_killed Always "of three brokers the one that leads the stream is killed";
    links_cut Always "connections are reset, to the broker and to the receiver";
    half_open Always "connections go silent without an end: to the broker and to the receiver";
    links_slow Always "each byte takes up to two seconds each way, to the broker and to the receiver";
    stream_full Always "the stream is at its limit until somebody raises it";
    broker_full Always "the broker is at its limit for all streams until somebody makes room";
    disk_full Always "the broker's disk is full (ENOSPC) until somebody makes room and starts it again";
    weekend_24h Always "the stream is full for 60 hours and Meta repeats for days, ids remembered for 24 hours; an hour is a second";
    weekend_169h Always "the same with ids remembered for 169 hours, longer than Meta repeats";
    flood Never "bodies of 100 statuses as fast as they are taken, and messages beside them: 99 of 100 answered within 250 ms";
}
