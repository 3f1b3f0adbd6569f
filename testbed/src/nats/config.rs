//! What a NATS server is told: users, accounts, TLS, JetStream, cluster. Turns it into a configuration file.
//!
//! The server's format is a superset of JSON, so each setting is written as `name: <JSON>` and no value ever needs
//! quoting by hand.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use async_nats::ConnectOptions;
use serde_json::{Map, Value, json};

use super::credentials::Operator;
use super::error::NatsError;
use super::tls::KeyPairFiles;

/// How a client proves who it is.
#[derive(Clone)]
pub enum Login {
    /// User name and password.
    Password {
        /// The user.
        user: String,
        /// The password.
        password: String,
    },
    /// The seed of a user nkey (`SU...`).
    Nkey {
        /// The seed.
        seed: String,
    },
    /// The text of a credentials file: a user JWT and its seed.
    Credentials(String),
}

impl Login {
    /// User name and password.
    pub fn password(user: &str, password: &str) -> Self {
        Self::Password {
            user: user.to_owned(),
            password: password.to_owned(),
        }
    }

    pub(super) fn apply(&self, options: ConnectOptions) -> Result<ConnectOptions, NatsError> {
        Ok(match self {
            Self::Password { user, password } => options.user_and_password(user.clone(), password.clone()),
            Self::Nkey { seed } => options.nkey(seed.clone()),
            Self::Credentials(text) => options
                .credentials(text)
                .map_err(NatsError::io("read the credentials"))?,
        })
    }
}

/// What a user may publish to and subscribe to. An empty allow list allows everything.
#[derive(Clone, Debug, Default)]
pub struct Permissions {
    /// Subjects the user may publish to.
    pub publish_allow: Vec<String>,
    /// Subjects the user may not publish to.
    pub publish_deny: Vec<String>,
    /// Subjects the user may subscribe to.
    pub subscribe_allow: Vec<String>,
    /// Subjects the user may not subscribe to.
    pub subscribe_deny: Vec<String>,
}

impl Permissions {
    pub(super) fn json(&self) -> Value {
        json!({
            "publish": lists(&self.publish_allow, &self.publish_deny),
            "subscribe": lists(&self.subscribe_allow, &self.subscribe_deny),
        })
    }
}

/// An empty list would mean "nothing" in an account's JWT and is left out.
pub(super) fn lists(allow: &[String], deny: &[String]) -> Value {
    let mut object = Map::new();
    for (name, list) in [("allow", allow), ("deny", deny)] {
        if !list.is_empty() {
            object.insert(name.to_owned(), json!(list));
        }
    }
    Value::Object(object)
}

/// A user the server knows from its configuration.
#[derive(Clone)]
pub struct User {
    login: Login,
    permissions: Permissions,
}

impl User {
    /// A user who may do everything.
    pub fn new(login: Login) -> Self {
        Self {
            login,
            permissions: Permissions::default(),
        }
    }

    /// Limits what the user may do.
    #[must_use]
    pub fn with_permissions(mut self, permissions: Permissions) -> Self {
        self.permissions = permissions;
        self
    }

    fn json(&self) -> Result<Value, NatsError> {
        let mut user = match &self.login {
            Login::Password { user, password } => json!({"user": user, "password": password}),
            Login::Nkey { seed } => {
                let key = nkeys::KeyPair::from_seed(seed)
                    .map_err(|error| NatsError::Credentials(error.to_string()))?;
                json!({"nkey": key.public_key()})
            }
            Login::Credentials(_) => {
                let problem = "a user with a JWT belongs to an operator; use NatsServerBuilder::operator";
                return Err(NatsError::Credentials(problem.to_owned()));
            }
        };
        user["permissions"] = self.permissions.json();
        Ok(user)
    }
}

/// A NATS account: a name space of subjects of its own.
#[derive(Clone)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// Whether it may use JetStream.
    pub jetstream: bool,
    /// Its users.
    pub users: Vec<User>,
}

/// How the server speaks TLS to its clients.
#[derive(Clone, Debug)]
pub struct TlsOptions {
    /// The server's certificate and key.
    pub server: KeyPairFiles,
    /// The authority that signed the server's certificate, and the clients' where they need one.
    pub ca: PathBuf,
    /// Whether every client must present a certificate of that authority.
    pub verify_clients: bool,
    /// Whether TLS starts before the server's INFO line.
    pub handshake_first: bool,
}

/// JetStream's settings.
#[derive(Clone, Debug, Default)]
pub(super) struct JetStream {
    pub(super) domain: Option<String>,
    pub(super) sync_interval: Option<String>,
    pub(super) max_file_bytes: Option<u64>,
}

/// This node's place in a cluster.
#[derive(Clone, Debug)]
pub(super) struct ClusterSeat {
    pub(super) listen: u16,
    pub(super) routes: Vec<u16>,
}

/// Everything a server is told apart from its port and its directory.
#[derive(Clone, Default)]
pub(super) struct Settings {
    pub(super) name: Option<String>,
    pub(super) jetstream: Option<JetStream>,
    pub(super) users: Vec<User>,
    pub(super) accounts: Vec<Account>,
    pub(super) operator: Option<Operator>,
    pub(super) tls: Option<TlsOptions>,
    pub(super) max_payload: Option<usize>,
    pub(super) cluster: Option<ClusterSeat>,
    pub(super) raw: String,
}

impl Settings {
    /// The first login the server knows, for clients that just need to get in.
    pub(super) fn first_login(&self) -> Option<&Login> {
        self.users
            .first()
            .or_else(|| self.accounts.first()?.users.first())
            .map(|user| &user.login)
    }

    /// The configuration file's text.
    pub(super) fn render(&self, port: u16, store: &Path) -> Result<String, NatsError> {
        let mut top = Map::new();
        top.insert("listen".into(), json!(format!("127.0.0.1:{port}")));
        if let Some(name) = &self.name {
            top.insert("server_name".into(), json!(name));
        }
        if let Some(bytes) = self.max_payload {
            top.insert("max_payload".into(), json!(bytes));
        }
        if let Some(jetstream) = &self.jetstream {
            top.insert("jetstream".into(), jetstream_json(jetstream, store));
        }
        if !self.users.is_empty() {
            top.insert("authorization".into(), json!({"users": users_json(&self.users)?}));
        }
        if !self.accounts.is_empty() {
            let mut accounts = Map::new();
            for account in &self.accounts {
                let jetstream = if account.jetstream { "enabled" } else { "disabled" };
                let users = users_json(&account.users)?;
                accounts.insert(
                    account.name.clone(),
                    json!({"jetstream": jetstream, "users": users}),
                );
            }
            top.insert("accounts".into(), Value::Object(accounts));
        }
        if let Some(tls) = &self.tls {
            top.insert("tls".into(), tls_json(tls));
        }
        if let Some(seat) = &self.cluster {
            let routes: Vec<String> = seat
                .routes
                .iter()
                .map(|port| format!("nats://127.0.0.1:{port}"))
                .collect();
            let listen = format!("127.0.0.1:{}", seat.listen);
            top.insert(
                "cluster".into(),
                json!({"name": "testbed", "listen": listen, "routes": routes}),
            );
        }
        let mut text = String::new();
        for (name, value) in &top {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{name}: {value}");
        }
        if let Some(operator) = &self.operator {
            text.push_str(&operator.server_settings());
        }
        text.push_str(&self.raw);
        text.push('\n');
        Ok(text)
    }
}

fn jetstream_json(jetstream: &JetStream, store: &Path) -> Value {
    let mut object = Map::new();
    object.insert("store_dir".into(), json!(store));
    if let Some(domain) = &jetstream.domain {
        object.insert("domain".into(), json!(domain));
    }
    if let Some(interval) = &jetstream.sync_interval {
        object.insert("sync_interval".into(), json!(interval));
    }
    if let Some(bytes) = jetstream.max_file_bytes {
        object.insert("max_file".into(), json!(bytes));
    }
    Value::Object(object)
}

fn tls_json(tls: &TlsOptions) -> Value {
    json!({
        "cert_file": tls.server.certificate,
        "key_file": tls.server.key,
        "ca_file": tls.ca,
        "verify": tls.verify_clients,
        "handshake_first": tls.handshake_first,
    })
}

fn users_json(users: &[User]) -> Result<Vec<Value>, NatsError> {
    users.iter().map(User::json).collect()
}
