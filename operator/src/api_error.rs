//! What a failed request to the API server means for us.

use std::time::Duration;

/// How much of the API server's words is repeated: a condition's message may have 32 KiB, an Event's note one.
const LONGEST_MESSAGE: usize = 400;

/// Why a request to the API server was not done.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// It may work at the next try: no connection, too many requests, a failure of the server.
    #[error("the API server could not do it now: {0}")]
    Busy(Box<kube::Error>),
    /// It took too long.
    #[error("the API server did not answer within {} s", .0.as_secs())]
    TimedOut(Duration),
    /// Someone else was faster: what we saw is not what is there any more.
    #[error("the object was changed or created by someone else at the same time")]
    Raced,
    /// This operator does not lead any more, so it did not ask at all.
    #[error("another operator leads now")]
    NotLeading,
    /// There is no such object, or no such kind.
    #[error("not found")]
    NotFound,
    /// The request itself was refused. Only a change helps.
    #[error("the API server refused it ({code}): {message}")]
    Refused {
        /// The HTTP status code.
        code: u16,
        /// The API server's words, shortened.
        message: String,
    },
    /// The answer was not what was asked for.
    #[error("the API server's answer could not be read")]
    Unreadable,
}

impl ApiError {
    /// Whether the same request may work later although nobody changed anything.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Busy(_) | Self::TimedOut(_) | Self::Raced | Self::NotLeading => true,
            Self::NotFound | Self::Refused { .. } | Self::Unreadable => false,
        }
    }

    /// The API server's words when it answered, and what it could not do may concern this one object only, as when an
    /// admission webhook for its kind is down.
    pub fn of_one_object(&self) -> Option<String> {
        match self {
            Self::Busy(error) => match &**error {
                kube::Error::Api(status) if status.code >= 500 => Some(format!(
                    "{} ({})",
                    shorten(&status.message, LONGEST_MESSAGE),
                    status.code
                )),
                _ => None,
            },
            _ => None,
        }
    }

    /// A word for metrics.
    pub const fn category(&self) -> &'static str {
        match self {
            Self::Busy(_) => "api_busy",
            Self::TimedOut(_) => "api_timeout",
            Self::Raced => "api_raced",
            Self::NotLeading => "not_leading",
            Self::NotFound => "api_not_found",
            Self::Refused { .. } => "api_refused",
            Self::Unreadable => "api_unreadable",
        }
    }
}

impl From<kube::Error> for ApiError {
    fn from(error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => match status.code {
                404 => Self::NotFound,
                409 => Self::Raced,
                // Kubernetes refuses a change of an object's uid, which we send to be sure whose object it is.
                422 if status.message.contains("metadata.uid") => Self::Raced,
                408 | 410 | 429 | 500.. => Self::Busy(Box::new(kube::Error::Api(status))),
                code => Self::Refused {
                    code,
                    message: shorten(&status.message, LONGEST_MESSAGE),
                },
            },
            // serde's messages quote what they could not read.
            kube::Error::SerdeError(_) | kube::Error::FromUtf8(_) => Self::Unreadable,
            other => Self::Busy(Box::new(other)),
        }
    }
}

/// The beginning of a text, cut between characters.
pub fn shorten(text: &str, longest: usize) -> String {
    if text.len() <= longest {
        return text.to_owned();
    }
    let end = (0..=longest - 3)
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or_default();
    format!("{}...", &text[..end])
}

#[cfg(test)]
mod tests {
    use kube::core::Status;

    use super::*;

    fn api(code: u16, message: &str) -> ApiError {
        kube::Error::Api(Status::failure(message, "").with_code(code).boxed()).into()
    }

    #[test]
    fn what_helps() {
        for code in [408, 410, 429, 500, 503, 504] {
            assert!(matches!(api(code, ""), ApiError::Busy(_)), "{code}");
        }
        for code in [400, 401, 403, 405, 413, 415, 422] {
            assert!(!api(code, "").is_transient(), "{code}");
        }
        assert!(matches!(api(409, ""), ApiError::Raced));
        let uid = "Deployment is invalid: metadata.uid: Invalid value: field is immutable";
        assert!(matches!(api(422, uid), ApiError::Raced));
        assert!(matches!(api(404, ""), ApiError::NotFound));
        let webhook = api(500, "failed calling webhook");
        assert_eq!(webhook.of_one_object().unwrap(), "failed calling webhook (500)");
        for code in [404, 409, 422, 429] {
            assert_eq!(api(code, "").of_one_object(), None, "{code}");
        }
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(shorten("short", 10), "short");
        for longest in 3..12 {
            let cut = shorten("äöüäöüäöüäöü", longest);
            assert!(cut.len() <= longest && cut.ends_with("..."), "{cut}");
        }
    }
}
