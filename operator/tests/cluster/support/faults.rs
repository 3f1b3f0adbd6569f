//! A layer around the operator's client that cuts it off at a chosen write: the request, or only its answer, and
//! everything after it. What a crash at that moment leaves behind.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use http::{Method, Request, Response};
use kube::client::Body;
use tower::{BoxError, Layer, Service};

/// Where the operator is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The write never arrives.
    Before(usize),
    /// The write is done, its answer never arrives.
    After(usize),
}

/// Counts writes, and cuts at one of them. Writes are counted from 1; Events are none.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    cut: Option<Cut>,
    writes: Arc<AtomicUsize>,
}

impl Faults {
    pub fn at(cut: Cut) -> Self {
        Self {
            cut: Some(cut),
            writes: Arc::default(),
        }
    }

    /// How many writes there were, those after the cut included.
    pub fn writes(&self) -> usize {
        self.writes.load(Ordering::SeqCst)
    }

    /// Whether the cut has happened.
    pub fn is_cut(&self) -> bool {
        match self.cut {
            Some(Cut::Before(at) | Cut::After(at)) => self.writes() >= at,
            None => false,
        }
    }

    pub fn layer(&self) -> FaultLayer {
        FaultLayer(self.clone())
    }

    /// Whether a request is sent, and whether its answer comes back.
    fn pass(&self, request: &Request<Body>) -> (bool, bool) {
        let is_write = request.method() != Method::GET && !request.uri().path().contains("/events");
        let number = if is_write {
            self.writes.fetch_add(1, Ordering::SeqCst) + 1
        } else {
            self.writes()
        };
        match (self.cut, is_write) {
            (None, _) => (true, true),
            (Some(Cut::Before(at)), true) => (number < at, number < at),
            (Some(Cut::After(at)), true) => (number <= at, number < at),
            (Some(Cut::Before(at) | Cut::After(at)), false) => (number < at, number < at),
        }
    }
}

#[derive(Clone)]
pub struct FaultLayer(Faults);

impl<S> Layer<S> for FaultLayer {
    type Service = FaultService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        FaultService {
            faults: self.0.clone(),
            inner,
        }
    }
}

#[derive(Clone)]
pub struct FaultService<S> {
    faults: Faults,
    inner: S,
}

impl<S, B> Service<Request<Body>> for FaultService<S>
where
    S: Service<Request<Body>, Response = Response<B>>,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
    B: Send + 'static,
{
    type Response = Response<B>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response<B>, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (sent, answered) = self.faults.pass(&request);
        if !sent {
            return Box::pin(async { Err("cut off by the test".into()) });
        }
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = answer.await.map_err(Into::into)?;
            if answered {
                Ok(answer)
            } else {
                Err("cut off by the test".into())
            }
        })
    }
}
