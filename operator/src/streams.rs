//! Who looks after streams, as the controller sees it.

use futures_util::future::BoxFuture;
use wahook_crds::conditions::Reason;

use crate::validate::StreamPlan;

/// How a stream is.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamReport {
    /// Whether events can be stored and are kept.
    pub ok: bool,
    /// Why.
    pub reason: Reason,
    /// Why, and what to do about it.
    pub message: String,
}

/// Whose stream it is.
#[derive(Clone, Copy, Debug)]
pub struct StreamOwner<'a> {
    /// The resource's namespace.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Its uid.
    pub uid: &'a str,
}

/// Looks after the streams of the brokers that the operator connects to.
pub trait StreamKeeping: Send + Sync {
    /// Makes the stream what it should be, or says why it is not. Never fails and never waits long.
    fn look_after<'a>(&'a self, plan: &'a StreamPlan, owner: StreamOwner<'a>) -> BoxFuture<'a, StreamReport>;
}
