//! From the operator's files to the options of a connection: exactly one way to log in, and what to trust.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use async_nats::{ConnectOptions, ServerAddr};
use wahook_stream::connect::Credential;
use zeroize::Zeroizing;

use super::files::{Content, LoginFiles, Slot, Snapshot};

/// How long one server has to accept a connection.
const CONNECT_LIMIT: Duration = Duration::from_secs(3);
/// How often a silent connection is asked for a sign of life.
const PING_EVERY: Duration = Duration::from_secs(10);

/// Why no connection can be tried. Names the file and the fix, never what it holds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// The flags name no server.
    #[error("the operator has no broker of its own. Start it with --nats-servers")]
    NoServers,
    /// A server of the flags is not a URL of one.
    #[error(
        "server {0} of --nats-servers is not the URL of a NATS server. Write nats://host:4222 or tls://host:4222"
    )]
    Server(usize),
    /// A server of the flags brings a password, which receivers would be told too.
    #[error(
        "server {0} of --nats-servers has a user or a token in it. Write them to files of --nats-credentials-dir, \
         without them in the URL"
    )]
    ServerWithUser(usize),
    /// The directory has nothing to log in with.
    #[error(
        "--nats-credentials-dir has no way to log in. Put one of nats.creds, nats.nkey, nats.user with nats.password, \
         nats.token, or nats-tls.crt with nats-tls.key there"
    )]
    Nothing,
    /// The directory has several ways to log in.
    #[error("--nats-credentials-dir has more than one way to log in: {0}. Keep one and remove the others")]
    Several(String),
    /// One half of a pair is missing.
    #[error("--nats-credentials-dir has {there} and not {missing}. Add {missing}, or remove {there}")]
    Half {
        /// The half that is there.
        there: &'static str,
        /// The half that is not.
        missing: &'static str,
    },
    /// A file cannot be read or used.
    #[error("{file} {problem}. {fix}")]
    File {
        /// The file, or the flag that names it.
        file: &'static str,
        /// What is wrong with it.
        problem: String,
        /// What to do.
        fix: &'static str,
    },
}

type Text = Zeroizing<String>;

enum Method {
    Nobody,
    Certificate,
    Credentials(Text),
    Nkey(Text),
    UserPassword { user: Text, password: Text },
    Token(Text),
}

/// How to log in, read from files and checked.
pub(super) struct Login {
    method: Method,
    ca: Option<PathBuf>,
    pair: Option<(PathBuf, PathBuf)>,
}

impl Login {
    /// What the files amount to.
    pub(super) fn read(files: &LoginFiles, snapshot: &Snapshot) -> Result<Self, LoginError> {
        let text = |slot| text(snapshot, slot);
        if files.ca.is_some() {
            let pem = required(Slot::Authorities, text(Slot::Authorities)?)?;
            is_pem(Slot::Authorities, &pem, "CERTIFICATE")?;
        }
        let certificate = text(Slot::Certificate)?;
        let key = text(Slot::Key)?;
        let pair = match pair((Slot::Certificate, certificate), (Slot::Key, key))? {
            Some((certificate, key)) => {
                is_pem(Slot::Certificate, &certificate, "CERTIFICATE")?;
                is_pem(Slot::Key, &key, "PRIVATE KEY")?;
                files.path(Slot::Certificate).zip(files.path(Slot::Key))
            }
            None => None,
        };
        let login = pair_of_lines(snapshot)?;
        let methods = [
            text(Slot::Credentials)?.map(credentials).transpose()?,
            text(Slot::Nkey)?.map(|seed| nkey(&seed)).transpose()?,
            login,
            line(snapshot, Slot::Token)?.map(Method::Token),
        ];
        let mut found: Vec<Method> = methods.into_iter().flatten().collect();
        let method = match (found.pop(), pair.is_some(), files.dir.is_some()) {
            (Some(one), _, _) if found.is_empty() => one,
            (Some(last), _, _) => {
                found.push(last);
                let names: Vec<String> = found.iter().map(Method::to_string).collect();
                return Err(LoginError::Several(names.join(", ")));
            }
            (None, true, _) => Method::Certificate,
            (None, false, true) => return Err(LoginError::Nothing),
            (None, false, false) => Method::Nobody,
        };
        Ok(Self {
            method,
            ca: files.ca.clone(),
            pair,
        })
    }

    /// The options to connect with. Where an authority or a certificate is given TLS is meant, and nothing is sent
    /// without it.
    pub(super) fn options(&self) -> Result<ConnectOptions, LoginError> {
        let mut options = ConnectOptions::new()
            .name("wahook-operator")
            .connection_timeout(CONNECT_LIMIT)
            .ping_interval(PING_EVERY)
            .require_tls(self.ca.is_some() || self.pair.is_some());
        if let Some(ca) = &self.ca {
            options = options.add_root_certificates(ca.clone());
        }
        if let Some((certificate, key)) = &self.pair {
            options = options.add_client_certificate(certificate.clone(), key.clone());
        }
        let credential = match &self.method {
            Method::Nobody | Method::Certificate => return Ok(options),
            Method::Credentials(text) => Credential::File(text),
            Method::Nkey(seed) => Credential::Nkey(seed),
            Method::UserPassword { user, password } => Credential::UserPassword { user, password },
            Method::Token(token) => Credential::Token(token),
        };
        // The library's own error is not passed on: it may repeat a piece of the file.
        credential.add_to(options).map_err(|_| not_credentials())
    }
}

/// The method only.
impl fmt::Display for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.method.fmt(f)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nobody => "no login",
            Self::Certificate => "nats-tls.crt",
            Self::Credentials(_) => "nats.creds",
            Self::Nkey(_) => "nats.nkey",
            Self::UserPassword { .. } => "nats.user with nats.password",
            Self::Token(_) => "nats.token",
        })
    }
}

/// The addresses of the flags.
pub(super) fn servers(urls: &[String]) -> Result<Vec<ServerAddr>, LoginError> {
    if urls.is_empty() {
        return Err(LoginError::NoServers);
    }
    let parse = |(index, url): (usize, &String)| {
        let number = index + 1;
        let address: ServerAddr = url.parse().map_err(|_| LoginError::Server(number))?;
        if address.has_user_pass() || address.username().is_some() || address.password().is_some() {
            return Err(LoginError::ServerWithUser(number));
        }
        if !matches!(address.scheme(), "nats" | "tls") || address.host().is_empty() {
            return Err(LoginError::Server(number));
        }
        Ok(address)
    };
    urls.iter().enumerate().map(parse).collect()
}

fn credentials(text: Text) -> Result<Method, LoginError> {
    if text.contains("BEGIN NATS USER JWT") && text.contains("BEGIN USER NKEY SEED") {
        Ok(Method::Credentials(text))
    } else {
        Err(not_credentials())
    }
}

fn not_credentials() -> LoginError {
    fault(
        Slot::Credentials,
        "is not a credentials file",
        "Use the .creds file that nsc or your NATS provider generated",
    )
}

fn nkey(text: &Text) -> Result<Method, LoginError> {
    let seed = one_line(Slot::Nkey, text)?;
    if seed.starts_with("SU") {
        Ok(Method::Nkey(seed))
    } else {
        Err(fault(
            Slot::Nkey,
            "is not the seed of a user",
            "Store the seed, which starts with SU",
        ))
    }
}

fn pair_of_lines(snapshot: &Snapshot) -> Result<Option<Method>, LoginError> {
    let user = (Slot::User, line(snapshot, Slot::User)?);
    let password = (Slot::Password, line(snapshot, Slot::Password)?);
    let login = pair(user, password)?;
    Ok(login.map(|(user, password)| Method::UserPassword { user, password }))
}

/// Both or neither.
fn pair(one: (Slot, Option<Text>), other: (Slot, Option<Text>)) -> Result<Option<(Text, Text)>, LoginError> {
    let half = |there: Slot, missing: Slot| LoginError::Half {
        there: there.name(),
        missing: missing.name(),
    };
    match (one.1, other.1) {
        (Some(first), Some(second)) => Ok(Some((first, second))),
        (None, None) => Ok(None),
        (Some(_), None) => Err(half(one.0, other.0)),
        (None, Some(_)) => Err(half(other.0, one.0)),
    }
}

fn line(snapshot: &Snapshot, slot: Slot) -> Result<Option<Text>, LoginError> {
    text(snapshot, slot)?
        .map(|text| one_line(slot, &text))
        .transpose()
}

/// `echo` and most editors end a file with a newline. It is never part of a secret.
fn one_line(slot: Slot, text: &Text) -> Result<Text, LoginError> {
    let line = text.strip_suffix('\n').unwrap_or(text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.contains(['\n', '\r', '\0']) {
        let fix = "Store one secret per file, on one line, as UTF-8";
        return Err(fault(slot, "has more than one line", fix));
    }
    Ok(Zeroizing::new(line.to_owned()))
}

fn text(snapshot: &Snapshot, slot: Slot) -> Result<Option<Text>, LoginError> {
    match snapshot.get(slot) {
        Content::Absent => Ok(None),
        Content::Text(text) if text.trim().is_empty() => {
            Err(fault(slot, "is blank", "Write the value, or remove the file"))
        }
        Content::Text(text) => Ok(Some(text.clone())),
        Content::Unreadable(kind) => Err(fault(slot, unreadable(*kind), "Let the operator's user read it")),
        Content::TooLarge => Err(fault(
            slot,
            "is larger than 1 MiB",
            "Put the right file in its place",
        )),
        Content::NotText => Err(fault(slot, "is not UTF-8 text", "Store the text itself")),
    }
}

fn required(slot: Slot, text: Option<Text>) -> Result<Text, LoginError> {
    text.ok_or_else(|| {
        fault(
            slot,
            "names a file that does not exist",
            "Mount it, or remove the flag",
        )
    })
}

fn is_pem(slot: Slot, text: &str, kind: &str) -> Result<(), LoginError> {
    let begins = |line: &str| line.starts_with("-----BEGIN ") && line.contains(kind);
    if text.lines().any(begins) {
        Ok(())
    } else {
        let problem = format!("holds no {kind} in PEM");
        Err(fault(
            slot,
            problem,
            "Store the PEM text, with its BEGIN and END lines",
        ))
    }
}

fn unreadable(kind: io::ErrorKind) -> String {
    format!("cannot be read ({kind})")
}

fn fault(slot: Slot, problem: impl Into<String>, fix: &'static str) -> LoginError {
    LoginError::File {
        file: slot.name(),
        problem: problem.into(),
        fix,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const CREDS: &str = "-----BEGIN NATS USER JWT-----\neyJ0\n------END NATS USER JWT------\n\
                         -----BEGIN USER NKEY SEED-----\nSUAsecret\n------END USER NKEY SEED------\n";
    const CERT: &str = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
    const KEY: &str = "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n";

    fn read(files: &[(&str, &str)]) -> Result<Login, LoginError> {
        let dir = tempfile::tempdir().unwrap();
        for (name, content) in files {
            fs::write(dir.path().join(name), content).unwrap();
        }
        let files = LoginFiles {
            dir: Some(dir.path().to_owned()),
            ca: None,
        };
        Login::read(&files, &files.read())
    }

    #[test]
    fn each_way_to_log_in_is_recognised() {
        for (files, method) in [
            (&[("nats.creds", CREDS)][..], "nats.creds"),
            (&[("nats.nkey", "SUAsecret\n")], "nats.nkey"),
            (
                &[("nats.user", "ann\n"), ("nats.password", "sesame")],
                "nats.user with nats.password",
            ),
            (&[("nats.token", "sesame")], "nats.token"),
            (&[("nats-tls.crt", CERT), ("nats-tls.key", KEY)], "nats-tls.crt"),
            (
                &[("nats.token", "x"), ("nats-tls.crt", CERT), ("nats-tls.key", KEY)],
                "nats.token",
            ),
        ] {
            assert_eq!(read(files).ok().unwrap().to_string(), method);
        }
        let nowhere = LoginFiles::default();
        let login = Login::read(&nowhere, &nowhere.read()).ok().unwrap();
        assert_eq!(login.to_string(), "no login");
    }

    #[test]
    fn whatever_is_wrong_names_the_file_and_not_its_content() {
        for (files, expected) in [
            (&[][..], "has no way to log in"),
            (
                &[("nats.token", "sesame"), ("nats.nkey", "SUAsesame")],
                "nats.nkey, nats.token",
            ),
            (&[("nats.user", "sesame")], "nats.user and not nats.password"),
            (&[("nats.password", "sesame")], "nats.password and not nats.user"),
            (&[("nats-tls.crt", CERT)], "nats-tls.crt and not nats-tls.key"),
            (&[("nats.token", " \n")], "nats.token is blank"),
            (
                &[("nats.token", "sesame\nsesame")],
                "nats.token has more than one line",
            ),
            (
                &[("nats.nkey", "UAsesame")],
                "nats.nkey is not the seed of a user",
            ),
            (
                &[("nats.creds", "sesame")],
                "nats.creds is not a credentials file",
            ),
            (
                &[("nats-tls.crt", "sesame"), ("nats-tls.key", KEY)],
                "nats-tls.crt holds no CERTIFICATE",
            ),
        ] {
            let error = read(files).err().unwrap().to_string();
            assert!(error.contains(expected), "{error}");
            assert!(!error.contains("sesame"), "{error}");
            assert!(error.contains(". "), "no fix: {error}");
        }
        let files = LoginFiles {
            dir: None,
            ca: Some("/nowhere/ca.crt".into()),
        };
        let error = Login::read(&files, &files.read()).err().unwrap().to_string();
        assert!(
            error.starts_with("--nats-ca-file names a file that does not exist"),
            "{error}"
        );
    }

    #[test]
    fn a_change_of_any_file_changes_the_digest() {
        let dir = tempfile::tempdir().unwrap();
        let files = LoginFiles {
            dir: Some(dir.path().to_owned()),
            ca: Some(dir.path().join("ca.pem")),
        };
        let mut seen = vec![files.read().digest()];
        for name in ["nats.user", "nats.password", "nats-tls.crt", "ca.pem"] {
            fs::write(dir.path().join(name), "one").unwrap();
            seen.push(files.read().digest());
        }
        fs::write(dir.path().join("ca.pem"), "two").unwrap();
        seen.push(files.read().digest());
        let distinct: std::collections::BTreeSet<_> = seen.iter().collect();
        assert_eq!(distinct.len(), seen.len());
    }

    #[test]
    fn servers_are_checked_and_never_repeated() {
        let check = |url: &str| servers(&[url.to_owned()]).err().map(|error| error.to_string());
        for good in [
            "nats://broker:4222",
            "tls://broker",
            "broker:4222",
            "nats://[::1]:4222",
        ] {
            assert_eq!(check(good), None, "{good}");
        }
        for bad in [
            "nats://ann:sesame@broker",
            "nats://sesame@broker",
            "ws://sesame.example",
            "nats://",
        ] {
            let error = check(bad).unwrap();
            assert!(error.contains("server 1 of --nats-servers"), "{error}");
            assert!(!error.contains("sesame"), "{error}");
        }
        assert_eq!(servers(&[]).err(), Some(LoginError::NoServers));
    }
}
