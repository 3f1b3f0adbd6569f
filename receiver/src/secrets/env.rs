//! By hand: the two secrets of the environment. They stay as they are until the receiver ends.

use crate::config::{Env, Fault, NatsTls, Problem};

use super::nats::NatsSecrets;
use super::set::SecretSet;
use super::value::{Kind, Secret, parse};

const APP_SECRET: &str = "WHATSAPP_APP_SECRET";
const VERIFY_TOKEN: &str = "WEBHOOK_VERIFY_TOKEN";

/// The secrets of the environment, and the TLS files the configuration names. Both secrets are needed: nothing
/// could add a missing one later.
pub(crate) fn from_env(env: &Env, tls: &NatsTls) -> Result<SecretSet, Vec<Problem>> {
    let mut warnings = Vec::new();
    let mut problems = Vec::new();
    let mut read = |name: &'static str, kind, fix| -> Option<Secret> {
        let missing = || Fault::new("is not set", fix);
        match env
            .get(name)
            .ok_or_else(missing)
            .and_then(|value| parse(value.as_bytes(), kind))
        {
            Ok(parsed) => {
                warnings.extend(parsed.warnings.into_iter().map(|fault| Problem::new(name, fault)));
                Some(parsed.secret)
            }
            Err(fault) => {
                problems.push(Problem::new(name, fault));
                None
            }
        }
    };
    let verify_token = read(
        VERIFY_TOKEN,
        Kind::VerifyToken,
        "Choose a random token and give Meta the same: openssl rand -hex 16",
    );
    let app_secret = read(
        APP_SECRET,
        Kind::AppSecret,
        "Copy it from Meta's App Dashboard: App settings, Basic, App secret",
    );
    if !problems.is_empty() {
        return Err(problems);
    }
    let nats = NatsSecrets {
        ca_file: tls.ca_file.clone(),
        cert_file: tls.cert_file.clone(),
        key_file: tls.key_file.clone(),
        ..NatsSecrets::default()
    };
    let app_secrets = app_secret.into_iter().collect();
    Ok(SecretSet {
        app_secrets,
        verify_token,
        nats,
        warnings,
        ..SecretSet::default()
    })
}
