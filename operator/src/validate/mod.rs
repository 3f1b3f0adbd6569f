//! From a resource and the operator's settings to a [`Validated`], or every reason why not. Pure.
//!
//! The API server has refused most wrong resources already. What is left are rules that CEL cannot express and
//! whatever the operator's flags allow.

mod model;

pub use model::{
    NatsTarget, Refusal, Route, Scale, SecretFile, StreamKeeper, StreamPlan, TlsSource, Validated, Via,
};
