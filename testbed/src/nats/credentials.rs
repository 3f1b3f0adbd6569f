//! NATS identities for tests: nkeys, and an operator with one account whose users carry a JWT.
//!
//! Source of the token's shape: NATS, "JWT" guide and the `jwt` v2 library: header `ed25519-nkey`, claims with a
//! `nats` object of version 2, signed by the parent's nkey.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nkeys::KeyPair;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::config::{Login, Permissions, lists};
use super::error::NatsError;

/// A new user nkey as a login.
///
/// # Errors
/// [`NatsError::Credentials`] when the key has no seed, which a fresh one always has.
pub fn nkey_user() -> Result<Login, NatsError> {
    Ok(Login::Nkey {
        seed: KeyPair::new_user().seed().map_err(credentials)?,
    })
}

/// An operator with one JetStream account (and the system account the server asks for). Nothing of it exists
/// outside the test.
#[derive(Clone)]
pub struct Operator {
    jwt: String,
    account_jwt: String,
    account_public: String,
    account_seed: String,
    system_jwt: String,
    system_public: String,
}

/// The credentials of one user of an [`Operator`]'s account.
#[derive(Clone)]
pub struct UserCredentials(String);

impl UserCredentials {
    /// The text of a `.creds` file.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// The same as a login.
    pub fn login(&self) -> Login {
        Login::Credentials(self.0.clone())
    }
}

impl Operator {
    /// Makes the keys and signs the operator's and the accounts' tokens.
    ///
    /// # Errors
    /// [`NatsError::Credentials`] when signing fails.
    pub fn new() -> Result<Self, NatsError> {
        let operator = KeyPair::new_operator();
        let account = KeyPair::new_account();
        let system = KeyPair::new_account();
        let jwt = sign(
            &operator,
            &operator.public_key(),
            "testbed",
            &json!({"type": "operator", "version": 2, "system_account": system.public_key()}),
        )?;
        let account_jwt = sign(&operator, &account.public_key(), "events", &account_claims(-1))?;
        let system_jwt = sign(&operator, &system.public_key(), "system", &account_claims(0))?;
        Ok(Self {
            jwt,
            account_jwt,
            account_public: account.public_key(),
            account_seed: account.seed().map_err(credentials)?,
            system_jwt,
            system_public: system.public_key(),
        })
    }

    /// Signs a new user of the account.
    ///
    /// # Errors
    /// [`NatsError::Credentials`] when signing fails.
    pub fn user(&self, name: &str, permissions: &Permissions) -> Result<UserCredentials, NatsError> {
        let account = KeyPair::from_seed(&self.account_seed).map_err(credentials)?;
        let user = KeyPair::new_user();
        let claims = json!({
            "type": "user",
            "version": 2,
            "pub": lists(&permissions.publish_allow, &permissions.publish_deny),
            "sub": lists(&permissions.subscribe_allow, &permissions.subscribe_deny),
            "subs": -1,
            "data": -1,
            "payload": -1,
        });
        let token = sign(&account, &user.public_key(), name, &claims)?;
        let seed = user.seed().map_err(credentials)?;
        Ok(UserCredentials(format!(
            "-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n\
             -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
        )))
    }

    /// The lines of the server's configuration that make it trust this operator.
    pub(super) fn server_settings(&self) -> String {
        let Self {
            jwt,
            account_jwt,
            account_public,
            system_jwt,
            system_public,
            ..
        } = self;
        format!(
            "operator: {jwt}\nsystem_account: {system_public}\nresolver: MEMORY\n\
             resolver_preload: {{ {account_public}: {account_jwt}, {system_public}: {system_jwt} }}\n"
        )
    }
}

/// An account without limits; `storage` is -1 for JetStream without limit and 0 for no JetStream.
fn account_claims(storage: i64) -> Value {
    json!({
        "type": "account",
        "version": 2,
        "limits": {
            "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": true,
            "conn": -1, "leaf": -1,
            "mem_storage": storage, "disk_storage": storage, "streams": storage, "consumer": storage,
        },
    })
}

fn sign(issuer: &KeyPair, subject: &str, name: &str, nats: &Value) -> Result<String, NatsError> {
    let mut claims = json!({
        // 2026-01-01; the server only compares times that are set, and a fixed one keeps clocks out of the test.
        "iat": 1_767_225_600,
        "iss": issuer.public_key(),
        "sub": subject,
        "name": name,
        "nats": nats,
    });
    claims["jti"] = json!(hex::encode(Sha256::digest(claims.to_string())));
    let header = json!({"typ": "JWT", "alg": "ed25519-nkey"});
    let signed = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header.to_string()),
        URL_SAFE_NO_PAD.encode(claims.to_string())
    );
    let signature = issuer.sign(signed.as_bytes()).map_err(credentials)?;
    Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// By value, as `map_err` hands it over.
#[allow(clippy::needless_pass_by_value)]
fn credentials(error: nkeys::error::Error) -> NatsError {
    NatsError::Credentials(error.to_string())
}
