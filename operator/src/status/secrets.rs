//! `SecretsReady`: whether every value that a resource refers to is there.

use wahook_crds::conditions::Reason;

use super::{Facts, Finding, reads_secrets};
use crate::names;
use crate::observe::SecretState;
use crate::receivers::Current;
use crate::validate::SecretFile;

pub(super) fn finding(facts: &Facts<'_>, receivers_ready: bool) -> Finding {
    if !reads_secrets(facts) {
        let message = "The operator reads no Secrets (--secret-access none).";
        // A receiver is ready only with all its secrets.
        return if receivers_ready {
            Finding::good(
                Reason::Unchecked,
                format!("{message} The receivers have what they need."),
            )
        } else {
            Finding::unknown(
                Reason::Unchecked,
                format!("{message} Receivers that lack one are not ready, and their log names it."),
            )
        };
    }
    let first = generated(facts)
        .or_else(|| {
            facts
                .validated
                .secrets
                .iter()
                .find_map(|file| missing(facts, file))
        })
        .or_else(|| credentials(facts))
        .or_else(|| authorities(facts));
    first.unwrap_or_else(|| {
        let current = facts.seen.and_then(|seen| seen.current);
        Finding::good(
            Reason::SecretsFound,
            format!("Every referenced Secret and key exists.{}", running(current)),
        )
    })
}

/// How far the receivers have come.
fn running(current: Option<Current>) -> String {
    match current {
        None => String::new(),
        Some(Current { receivers, of }) if receivers == of => {
            format!(" {receivers} of {of} receivers run the same.")
        }
        Some(Current { receivers, of }) => format!(
            " {receivers} of {of} receivers run the newest values; the others get them within about two minutes, or their log \
             says why they keep the old ones."
        ),
    }
}

/// The Secret that the operator makes itself.
fn generated(facts: &Facts<'_>) -> Option<Finding> {
    if !facts.validated.generates_secret {
        return None;
    }
    let name = names::child(&facts.validated.name);
    if let Some(refusal) = &facts.applied.generated_refused {
        return Some(Finding::bad(
            Reason::ApiRefused,
            format!("The Secret {name} with the generated verify token could not be created: {refusal}"),
        ));
    }
    match &facts.observed.generated {
        SecretState::Foreign => Some(Finding::bad(
            Reason::NameConflict,
            format!(
                "The Secret {name} belongs to someone else and is left as it is. Rename or remove it, or give the \
                 resource another name."
            ),
        )),
        SecretState::Refused(message) => Some(Finding::bad(
            Reason::ApiRefused,
            format!("The API server does not let the operator read the Secret {name}: {message}"),
        )),
        _ => None,
    }
}

/// What is wrong with one value.
fn missing(facts: &Facts<'_>, file: &SecretFile) -> Option<Finding> {
    let (name, key, field) = (&file.from.name, &file.from.key, &file.field);
    let namespace = &facts.validated.namespace;
    let state = state(facts, name);
    let generated = is_generated(facts, name);
    if generated && facts.applied.generated_created {
        return None;
    }
    match (state, state.key(key)) {
        (SecretState::Absent | SecretState::Unread, _) if file.needed || !generated => Some(Finding::bad(
            Reason::SecretNotFound,
            format!("{field}: there is no Secret {name} in the namespace {namespace}."),
        )),
        (SecretState::Refused(message), _) => Some(Finding::bad(
            Reason::ApiRefused,
            format!("{field}: the API server does not let the operator read the Secret {name}: {message}"),
        )),
        (SecretState::Keys { .. }, None) if file.needed && generated => Some(Finding::bad(
            Reason::SecretKeyNotFound,
            format!(
                "The generated Secret {name} has lost its key {key}. It is never written twice: put the value back, \
                 or delete the Secret for new values and register the new verify token with Meta."
            ),
        )),
        (SecretState::Keys { .. }, None) if file.needed => Some(Finding::bad(
            Reason::SecretKeyNotFound,
            format!("{field}: the Secret {name} has no key {key}."),
        )),
        (SecretState::Keys { .. }, Some(false)) => Some(Finding::bad(
            Reason::SecretInvalid,
            format!("{field}: the key {key} of the Secret {name} is empty."),
        )),
        _ => None,
    }
}

/// Credentials without a named key have to hold at least one kind of login.
fn credentials(facts: &Facts<'_>) -> Option<Finding> {
    let optional: Vec<&SecretFile> = facts
        .validated
        .secrets
        .iter()
        .filter(|file| !file.needed)
        .collect();
    let first = optional.first()?;
    let any = optional
        .iter()
        .any(|file| state(facts, &file.from.name).key(&file.from.key) == Some(true));
    if any {
        return None;
    }
    let keys: Vec<&str> = optional.iter().map(|file| file.from.key.as_str()).collect();
    Some(Finding::bad(
        Reason::SecretKeyNotFound,
        format!(
            "{}: the Secret {} has none of the keys {}.",
            first.field,
            first.from.name,
            keys.join(", ")
        ),
    ))
}

fn authorities(facts: &Facts<'_>) -> Option<Finding> {
    let (name, key) = facts.validated.nats.ca_config_map.as_ref()?;
    (facts.observed.authorities == Some(false)).then(|| {
        Finding::bad(
            Reason::SecretNotFound,
            format!("nats.tls.caConfigMapRef: there is no ConfigMap {name} with the key {key}."),
        )
    })
}

fn is_generated(facts: &Facts<'_>, name: &str) -> bool {
    facts.validated.generates_secret && name == names::child(&facts.validated.name)
}

fn state<'a>(facts: &'a Facts<'_>, name: &str) -> &'a SecretState {
    if is_generated(facts, name) {
        return &facts.observed.generated;
    }
    facts.observed.secrets.get(name).unwrap_or(&SecretState::Unread)
}
