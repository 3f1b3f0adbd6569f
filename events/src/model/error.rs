//! An error that Meta reports.

use super::Id;

object! {
    /// An error of a message, a status, a call, a group or an account (Meta, Error codes; Webhooks reference:
    /// messages/errors).
    pub struct MetaError {
        /// The code, such as 131026 (undeliverable) or 131035 (content dropped after the retry time).
        code: Option<i64>,
        /// The code's name.
        title: Option<String>,
        /// The same as `title` in most cases.
        message: Option<String>,
        /// More about this occurrence.
        error_data: Option<ErrorData>,
        /// Meta's page about the code.
        href: Option<String>,
        /// A finer code, rarely sent.
        error_subcode: Option<i64>,
        /// The id that Meta's support asks for.
        fbtrace_id: Option<Id>,
    }
}

impl MetaError {
    /// The longest explanation there is: the details, else the message, else the title.
    pub fn explanation(&self) -> Option<&str> {
        let details = self.error_data.as_ref().and_then(|data| data.details.as_deref());
        details.or(self.message.as_deref()).or(self.title.as_deref())
    }
}

object! {
    /// More about an error (Meta, Error codes: `error_data`).
    pub struct ErrorData {
        /// What went wrong, in a sentence.
        details: Option<String>,
        /// The product that reports it.
        messaging_product: Option<String>,
    }
}
