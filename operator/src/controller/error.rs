//! Why a reconcile did not come to its end.

use std::time::Duration;

use crate::api_error::ApiError;

/// Why a reconcile did not come to its end. Each is tried again; what only a person can put right is a condition.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The API server did not do what was asked.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// It took longer than any reconcile should.
    #[error("not done within {} s", .0.as_secs())]
    TooLong(Duration),
    /// There are no random numbers for a verify token.
    #[error("the operating system gave no random numbers")]
    NoRandomNumbers,
}

impl Error {
    /// A word for metrics.
    pub const fn category(&self) -> &'static str {
        match self {
            Self::Api(error) => error.category(),
            Self::TooLong(_) => "too_long",
            Self::NoRandomNumbers => "no_random_numbers",
        }
    }
}
