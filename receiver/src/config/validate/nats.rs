//! The broker's part of the checks.

use std::path::PathBuf;
use std::time::Duration;

use super::super::check::Checker;
use super::super::error::Fault;
use super::super::file::{FileNats, FileNatsAuth, FileNatsTls};
use super::super::server_url::ServerUrl;
use super::super::settings::{Nats, NatsAuth, NatsTls};
use super::super::value::{boolean, duration, file_path, inbox_prefix, name};
use super::SHORTEST_WAIT;

/// A broker on this machine.
const LOCAL_NATS: &str = "nats://127.0.0.1:4222";

/// Checks the `nats` section.
pub(super) fn nats(file: FileNats, check: &mut Checker) -> Nats {
    let servers = match check.read_list("nats.servers", file.servers, ServerUrl::parse) {
        Some(servers) => {
            if servers.is_empty() && check.is_clean(&["nats.servers"]) {
                check.refuse(
                    "nats.servers",
                    Fault::new("is empty", "List at least one server: [nats://host:4222]"),
                );
            }
            servers
        }
        None => ServerUrl::parse(LOCAL_NATS).into_iter().collect(),
    };
    let auth = nats_auth(file.auth.unwrap_or_default(), check);
    if auth != NatsAuth::Found && servers.iter().any(ServerUrl::has_credentials) {
        check.refuse(
            "nats.auth",
            Fault::new(
                "names files while a URL in nats.servers has a user",
                "Keep one of the two",
            ),
        );
    }
    let wait = || duration(SHORTEST_WAIT..=Duration::from_secs(60));
    Nats {
        servers,
        auth,
        tls: nats_tls(file.tls.unwrap_or_default(), check),
        inbox_prefix: check.read(
            "nats.inboxPrefix",
            file.inbox_prefix,
            "_INBOX".to_owned(),
            inbox_prefix,
        ),
        domain: check.read_optional("nats.domain", file.domain, name(64)),
        connect_timeout: check.read(
            "nats.connectTimeout",
            file.connect_timeout,
            Duration::from_secs(5),
            wait(),
        ),
        ping_interval: check.read(
            "nats.pingInterval",
            file.ping_interval,
            Duration::from_secs(10),
            wait(),
        ),
    }
}

fn nats_auth(file: FileNatsAuth, check: &mut Checker) -> NatsAuth {
    let mut read = |setting, raw| check.read_optional(setting, raw, file_path);
    let credentials = read("nats.auth.credentialsFile", file.credentials_file);
    let nkey = read("nats.auth.nkeyFile", file.nkey_file);
    let user = read("nats.auth.userFile", file.user_file);
    let password = read("nats.auth.passwordFile", file.password_file);
    let token = read("nats.auth.tokenFile", file.token_file);

    let by_name = user.is_some() || password.is_some();
    let named: Vec<&str> = [
        credentials.is_some().then_some("credentialsFile"),
        nkey.is_some().then_some("nkeyFile"),
        by_name.then_some("userFile and passwordFile"),
        token.is_some().then_some("tokenFile"),
    ]
    .into_iter()
    .flatten()
    .collect();
    if named.len() > 1 {
        let problem = format!("names more than one method: {}", named.join(", "));
        check.refuse("nats.auth", Fault::new(problem, "Keep one"));
    }
    match (user, password) {
        (Some(user), Some(password)) => NatsAuth::UserPassword { user, password },
        (Some(_), None) if check.is_clean(&["nats.auth.passwordFile"]) => {
            refuse_half("nats.auth.passwordFile", "userFile", check)
        }
        (None, Some(_)) if check.is_clean(&["nats.auth.userFile"]) => {
            refuse_half("nats.auth.userFile", "passwordFile", check)
        }
        _ => credentials
            .map(NatsAuth::Credentials)
            .or(nkey.map(NatsAuth::Nkey))
            .or(token.map(NatsAuth::Token))
            .unwrap_or_default(),
    }
}

fn refuse_half<T: Default>(missing: &str, present: &str, check: &mut Checker) -> T {
    check.refuse(
        missing,
        Fault::new(
            format!("is missing while {present} is set"),
            "Set both or neither",
        ),
    );
    T::default()
}

fn nats_tls(file: FileNatsTls, check: &mut Checker) -> NatsTls {
    let required = check.read("nats.tls.required", file.required, false, boolean);
    let first = check.read("nats.tls.first", file.first, false, boolean);
    let mut path = |setting, raw| -> Option<PathBuf> { check.read_optional(setting, raw, file_path) };
    let ca_file = path("nats.tls.caFile", file.ca_file);
    let cert_file = path("nats.tls.certFile", file.cert_file);
    let key_file = path("nats.tls.keyFile", file.key_file);
    if check.is_clean(&["nats.tls.certFile", "nats.tls.keyFile"]) {
        match (&cert_file, &key_file) {
            (Some(_), None) => refuse_half("nats.tls.keyFile", "certFile", check),
            (None, Some(_)) => refuse_half("nats.tls.certFile", "keyFile", check),
            _ => {}
        }
    }
    NatsTls {
        required: required || first,
        first,
        ca_file,
        cert_file,
        key_file,
    }
}
