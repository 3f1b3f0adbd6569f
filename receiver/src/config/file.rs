//! The configuration file: its shape, and the step from text to that shape.
//!
//! The operator writes it, so a receiver must read a file one version older or newer: every key is optional,
//! and a key it does not know is reported, never refused.

use serde::Deserialize;
use serde_saphyr::Error as YamlError;

use super::error::{ConfigError, Fault, Problem};
use super::scalar::Raw;

/// A file as read, before any value is checked.
#[derive(Debug, Default)]
pub(super) struct ConfigFile {
    /// What it says.
    pub(super) settings: FileSettings,
    /// Paths of the keys this version does not know.
    pub(super) unknown: Vec<String>,
}

/// Declares the sections of the file: every field is optional, every key camelCase.
macro_rules! sections {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $kind:ty),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Debug, Default, Deserialize)]
        #[allow(clippy::struct_field_names, reason = "a field is named as its key")]
        #[serde(rename_all = "camelCase", default)]
        pub(super) struct $name { $(pub(super) $field: Option<$kind>),+ }
    )+};
}

sections! {
    /// The whole file.
    FileSettings {
        identity: FileIdentity, http: FileHttp, secrets_dir: Raw, nats: FileNats, stream: FileStream,
        deduplication: FileDeduplication, limits: FileLimits, phone_number_ids: Raw, log: FileLog,
        shutdown: FileShutdown, tracing: FileTracing,
    }
    /// `identity`
    FileIdentity { namespace: Raw, webhook: Raw, subject_prefix: Raw }
    /// `http`
    FileHttp { listen: Raw, admin_listen: Raw, path: Raw, trusted_proxies: Raw }
    /// `nats`
    FileNats {
        servers: Raw, auth: FileNatsAuth, tls: FileNatsTls, inbox_prefix: Raw, domain: Raw,
        connect_timeout: Raw, ping_interval: Raw,
    }
    /// `nats.auth`
    FileNatsAuth {
        credentials_file: Raw, nkey_file: Raw, user_file: Raw, password_file: Raw, token_file: Raw,
    }
    /// `nats.tls`
    FileNatsTls { required: Raw, first: Raw, ca_file: Raw, cert_file: Raw, key_file: Raw }
    /// `stream`
    FileStream {
        name: Raw, ensure: Raw, window: Raw, max_age: Raw, max_bytes: Raw, replicas: Raw, storage: Raw,
        object_bucket: Raw,
    }
    /// `deduplication`
    FileDeduplication { memory_entries: Raw }
    /// `limits`
    FileLimits {
        body_bytes: Raw, body_memory_bytes: Raw, header_bytes: Raw, header_timeout: Raw, body_timeout: Raw,
        idle_timeout: Raw, write_timeout: Raw, publish_deadline: Raw, connections: Raw,
        in_flight_requests: Raw, in_flight_events: Raw, bad_signatures_per_minute: Raw,
    }
    /// `log`
    FileLog { format: Raw, level: Raw }
    /// `shutdown`
    FileShutdown { endpoint_lag: Raw, grace: Raw }
    /// `tracing`
    FileTracing { endpoint: Raw, sample_ratio: Raw }
}

/// Reads the text of a configuration file. An empty one sets nothing.
pub(super) fn parse(text: &str) -> Result<ConfigFile, ConfigError> {
    let options = serde_saphyr::options! {
        // A namespace called `no` is a name, and an id may start with a zero.
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        // A snippet of the file could show a password.
        with_snippet: false,
    };
    let mut unknown = Vec::new();
    let settings: Option<FileSettings> =
        serde_saphyr::with_deserializer_from_str_with_options(text, options, |yaml| {
            serde_ignored::deserialize(yaml, |path| unknown.push(plain(&path)))
        })
        .map_err(|error| ConfigError::new(vec![Problem::new("configuration file", explain(&error))]))?;
    Ok(ConfigFile {
        settings: settings.unwrap_or_default(),
        unknown,
    })
}

/// The path of an unknown key as a person would write it: without the marks of `Option`.
fn plain(path: &serde_ignored::Path<'_>) -> String {
    use serde_ignored::Path;
    match path {
        Path::Root => String::new(),
        Path::Seq { parent, index } => format!("{}[{index}]", plain(parent)),
        Path::Map { parent, key } => match plain(parent) {
            parent if parent.is_empty() => key.clone(),
            parent => format!("{parent}.{key}"),
        },
        Path::Some { parent } | Path::NewtypeStruct { parent } | Path::NewtypeVariant { parent } => {
            plain(parent)
        }
    }
}

/// Says where the file is wrong and how, without a word from the file: the parser's own messages repeat
/// values.
fn explain(error: &YamlError) -> Fault {
    let (problem, fix) = match error.without_snippet() {
        YamlError::DuplicateMappingKey { .. } => ("has the same key twice", "Remove one of the two"),
        YamlError::MultipleDocuments { .. } => (
            "holds more than one YAML document",
            "Keep one, without further `---`",
        ),
        YamlError::InvalidUtf8Input => ("is not UTF-8 text", "Save it as UTF-8"),
        YamlError::Eof { .. } => ("ends too early", "Complete the last entry"),
        YamlError::UnknownAnchor { .. } => (
            "refers to an anchor it does not define",
            "Define the anchor or write the value",
        ),
        YamlError::SerdeInvalidType { .. } | YamlError::Unexpected { .. } => (
            "has a single value or a list where a section belongs",
            "Indent the section's settings below its name",
        ),
        _ => ("is not valid YAML", "Check indentation, quotes and colons"),
    };
    match error.location() {
        Some(at) => Fault::new(
            format!("{problem} (line {}, column {})", at.line(), at.column()),
            fix,
        ),
        None => Fault::new(problem, fix),
    }
}
