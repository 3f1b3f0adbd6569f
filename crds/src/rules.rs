//! The validation rules that several fields share, as CEL for the API server.
//!
//! Every rule has a message that names its field and says what to write instead. Where a value has a grammar,
//! the rule holds it: the API server's own message for a schema `pattern` is the bare expression.

use kube::core::Rule;

/// A name of at most 253 characters, as Kubernetes names most objects (RFC 1123 subdomain).
const OBJECT_NAME: &str = "^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$";
/// Hours, minutes, seconds and milliseconds, in this order.
const DURATION: &str = "^([0-9]{1,6}h)?([0-9]{1,7}m)?([0-9]{1,7}s)?([0-9]{1,7}ms)?$";
/// Bytes, or a number with a binary suffix.
const SIZE: &str = "^[0-9]{1,12}(Ki|Mi|Gi|Ti)?$";

/// A rule and its message, which begins with the field's name.
pub(crate) fn rule(cel: impl Into<String>, message: impl Into<String>) -> Rule {
    Rule::new(cel).message(message.into().as_str())
}

/// The whole text follows `pattern`, a regular expression without quotes and backslashes.
pub(crate) fn matches(field: &str, pattern: &str, hint: &str) -> Rule {
    rule(format!("self.matches('{pattern}')"), format!("{field} {hint}"))
}

/// The name of an object; `kind` says of which, with its article.
pub(crate) fn object_name(field: &str, kind: &str) -> Rule {
    matches(
        field,
        OBJECT_NAME,
        &format!("must be the name of {kind}: lower-case letters, digits, '-' and '.'"),
    )
}

/// A key of a Secret or a `ConfigMap`.
pub(crate) fn data_key(field: &str) -> Rule {
    matches(
        field,
        "^[A-Za-z0-9._-]+$",
        "must be a key of the object: letters, digits, '-', '_' and '.'",
    )
}

/// A length of time within bounds, themselves written as such.
pub(crate) fn duration(field: &str, shortest: &str, longest: &str) -> Rule {
    rule(
        format!(
            "self != '' && self.matches('{DURATION}') \
             && duration(self) >= duration('{shortest}') && duration(self) <= duration('{longest}')"
        ),
        format!(
            "{field} must be a length of time from {shortest} to {longest}, written like 250ms, 10s or 1h30m"
        ),
    )
}

/// A size within bounds, themselves written as such.
pub(crate) fn size(field: &str, smallest: &str, largest: &str) -> Rule {
    rule(
        format!(
            "self.matches('{SIZE}') && quantity(self).compareTo(quantity('{smallest}')) >= 0 \
             && quantity(self).compareTo(quantity('{largest}')) <= 0"
        ),
        format!("{field} must be a size from {smallest} to {largest}, written like 512Ki, 64Mi or 2Gi"),
    )
}

/// A name that is safe as a token of a NATS subject and as the name of a stream.
pub(crate) fn token(field: &str) -> Rule {
    matches(
        field,
        "^[A-Za-z0-9_-]+$",
        "must be made of letters, digits, '_' and '-' only",
    )
}

/// Keys of labels and annotations: none that Wahook sets itself.
pub(crate) fn foreign_keys(field: &str) -> Rule {
    rule(
        "self.all(key, !key.startsWith('wahook.dev/') && !key.startsWith('app.kubernetes.io/'))",
        format!("{field} must not set wahook.dev/ and app.kubernetes.io/ keys: Wahook sets them"),
    )
}

/// Keys of labels and annotations: a name, with or without a DNS prefix.
pub(crate) fn qualified_keys(field: &str) -> Rule {
    rule(
        "self.all(key, size(key) <= 317 && \
         key.matches('^([a-z0-9]([a-z0-9.-]*[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$'))",
        format!("{field} must have keys such as example.com/name: at most 63 characters after the slash"),
    )
}

/// Values of labels.
pub(crate) fn label_values(field: &str) -> Rule {
    rule(
        "self.all(key, self[key].matches('^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$'))",
        format!("{field} must have values of at most 63 letters, digits, '-', '_' and '.'"),
    )
}
