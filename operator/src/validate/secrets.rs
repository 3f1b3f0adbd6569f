//! Which values of Secrets become which files of the receiver.

use wahook_crds::{SecretKeyRef, WhatsAppWebhookSpec};

use super::check::Check;
use super::model::SecretFile;
use crate::names;
use crate::settings::SecretAccess;

/// The receiver has as many files for app secrets.
const MOST_APP_SECRETS: usize = 4;

/// What the keys of a Secret with credentials are called when the resource names none: the receiver finds
/// them by these names.
const CREDENTIALS: [&str; 5] = [
    "nats.creds",
    "nats.nkey",
    "nats.user",
    "nats.password",
    "nats.token",
];

/// What a webhook needs from Secrets.
pub(super) struct Secrets {
    pub(super) files: Vec<SecretFile>,
    pub(super) verify_token: SecretKeyRef,
    pub(super) generated: bool,
}

/// Reads every reference to a Secret.
pub(super) fn read(
    name: &str,
    spec: &WhatsAppWebhookSpec,
    access: SecretAccess,
    check: &mut Check,
) -> Secrets {
    let generated = access == SecretAccess::ByName;
    if !(1..=MOST_APP_SECRETS).contains(&spec.meta.app_secrets.len()) {
        check.invalid("meta.appSecrets must list 1 to 4 values");
    }
    if !generated && spec.meta.verify_token.is_none() {
        check.invalid(
            "meta.verifyToken is needed: the operator runs with --secret-access none and generates no Secret. \
             Create a Secret with a token of 32 characters or more and name it and its key",
        );
    }
    let own = |key: &str| SecretKeyRef {
        name: names::child(name),
        key: key.to_owned(),
    };
    let verify_token = spec
        .meta
        .verify_token
        .clone()
        .unwrap_or_else(|| own(names::VERIFY_TOKEN_KEY));

    let mut files: Vec<SecretFile> = (spec.meta.app_secrets.iter().enumerate())
        .map(|(index, from)| SecretFile {
            from: from.clone(),
            file: format!("app-secret-{}", index + 1),
            field: format!("meta.appSecrets[{index}]"),
            needed: true,
        })
        .collect();
    files.push(needed(&verify_token, "verify-token", "meta.verifyToken"));
    if generated {
        files.push(needed(&own(names::PROBE_KEY), "probe-key", "meta.verifyToken"));
    }
    broker(spec, &mut files);
    Secrets {
        files,
        verify_token,
        generated,
    }
}

fn needed(from: &SecretKeyRef, file: &str, field: &str) -> SecretFile {
    SecretFile {
        from: from.clone(),
        file: file.to_owned(),
        field: field.to_owned(),
        needed: true,
    }
}

/// The files of the connection to the broker.
fn broker(spec: &WhatsAppWebhookSpec, files: &mut Vec<SecretFile>) {
    let value = |name: &str, key: &str| SecretKeyRef {
        name: name.to_owned(),
        key: key.to_owned(),
    };
    if let Some(credentials) = &spec.nats.credentials_secret_ref {
        const FIELD: &str = "nats.credentialsSecretRef";
        match &credentials.key {
            Some(key) => files.push(needed(&value(&credentials.name, key), "nats.creds", FIELD)),
            None => files.extend(CREDENTIALS.map(|key| SecretFile {
                needed: false,
                ..needed(&value(&credentials.name, key), key, FIELD)
            })),
        }
    }
    let Some(tls) = &spec.nats.tls else { return };
    if let Some(ca) = &tls.ca_secret_ref {
        files.push(needed(
            &value(&ca.name, &ca.key),
            "nats-ca.crt",
            "nats.tls.caSecretRef",
        ));
    }
    if let Some(certificate) = &tls.client_certificate_secret_ref {
        const FIELD: &str = "nats.tls.clientCertificateSecretRef";
        for (key, file) in [("tls.crt", "nats-tls.crt"), ("tls.key", "nats-tls.key")] {
            files.push(needed(&value(&certificate.name, key), file, FIELD));
        }
    }
}
