//! Why the data of an event could not be read.

/// Why the data of an event could not be read. It never holds any of the data, so it may be logged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The payload is not the JSON object that Wahook publishes.
    #[error(
        "the payload is not the data of an event (line {line}, column {column}); check that the message \
         comes from a Wahook stream and carries no `ce-dataref` header"
    )]
    NotEventData {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// None of the keys that carry Meta's object is there.
    #[error(
        "the data of the event carries none of Meta's objects; update `wahook-events` to the receiver's version"
    )]
    NoObject,
    /// Two of them are there, and one event carries one object.
    #[error(
        "the data of the event carries both `{0}` and `{1}`, but an event has one object; check who published it"
    )]
    TwoObjects(&'static str, &'static str),
    /// Meta's object lacks a member without which it means nothing.
    #[error(
        "`{0}` does not have Meta's documented shape; read its bytes with `raw` or `EventData::contact_raw`"
    )]
    Shape(&'static str),
}
