//! From files to a [`SecretSet`]: every rule about a single file and between files. Pure after the reading.

use crate::config::{Fault, Problem};

use super::files::{Content, SecretFile, SecretsSource, Slot, Snapshot};
use super::nats::{NatsCredential, NatsSecrets};
use super::set::SecretSet;
use super::value::{Kind, Secret, parse};

/// What the files amount to.
#[derive(Debug)]
pub enum Load {
    /// Everything needed is there and good.
    Loaded(SecretSet),
    /// Everything there is good, and something needed is missing. Kubernetes mounts an optional Secret that
    /// does not exist yet as an empty directory: it may appear at any moment.
    Missing {
        /// What is missing.
        reasons: Vec<Problem>,
        /// What is there.
        partial: SecretSet,
    },
    /// Something there cannot be used.
    Invalid(Vec<Problem>),
}

impl SecretSet {
    /// Reads and checks the files of `source`. Blocks on the file system.
    pub fn load(source: &SecretsSource) -> Load {
        evaluate(source, &source.read())
    }
}

/// Checks files already read.
pub(super) fn evaluate(source: &SecretsSource, snapshot: &Snapshot) -> Load {
    let mut reader = Reader {
        snapshot,
        problems: Vec::new(),
        missing: Vec::new(),
        warnings: Vec::new(),
    };
    let app_secrets = reader.app_secrets();
    let verify_token = reader.secret(Slot::VerifyToken, Kind::VerifyToken);
    let probe_key = reader.secret(Slot::ProbeKey, Kind::ProbeKey);
    let nats = reader.nats(source.url_has_user);
    reader.require(!app_secrets.is_empty(), "app-secret-1", Kind::AppSecret);
    reader.require(verify_token.is_some(), "verify-token", Kind::VerifyToken);

    let Reader {
        problems,
        missing: reasons,
        warnings,
        ..
    } = reader;
    if !problems.is_empty() {
        return Load::Invalid(problems);
    }
    let set = SecretSet {
        app_secrets,
        verify_token,
        probe_key,
        retired: Vec::new(),
        nats,
        warnings,
    };
    if reasons.is_empty() {
        Load::Loaded(set)
    } else {
        Load::Missing {
            reasons,
            partial: set,
        }
    }
}

struct Reader<'a> {
    snapshot: &'a Snapshot,
    problems: Vec<Problem>,
    missing: Vec<Problem>,
    warnings: Vec<Problem>,
}

impl Reader<'_> {
    fn refuse(&mut self, file: &str, problem: impl Into<String>, fix: &str) {
        self.problems.push(Problem::new(file, Fault::new(problem, fix)));
    }

    fn require(&mut self, present: bool, file: &str, kind: Kind) {
        if !present && !self.problems.iter().any(|problem| problem.setting == file) {
            let fix = match kind {
                Kind::AppSecret => {
                    "Add the app secret from Meta's App Dashboard: App settings, Basic, App secret"
                }
                _ => "Add the token that Meta is given for the handshake",
            };
            self.missing
                .push(Problem::new(file, Fault::new("is missing", fix)));
        }
    }

    /// The bytes of a file that exists and can be read.
    fn bytes(&mut self, slot: Slot) -> Option<(&'static str, &[u8])> {
        let SecretFile {
            name,
            required,
            content,
            ..
        } = self.snapshot.get(slot)?;
        match content {
            Content::Bytes(bytes) => return Some((name, bytes)),
            Content::Absent if *required => {
                let fault = Fault::new(
                    "is missing at the path the configuration names",
                    "Mount it, or correct the path",
                );
                self.missing.push(Problem::new(*name, fault));
            }
            Content::Absent => {}
            Content::Unreadable(kind) => {
                let problem = format!("cannot be read: {kind}");
                self.refuse(name, problem, "Check its permissions");
            }
            Content::TooLarge => self.refuse(name, "is larger than 1 MiB", "Store the secret only"),
        }
        None
    }

    fn secret(&mut self, slot: Slot, kind: Kind) -> Option<Secret> {
        let (name, bytes) = self.bytes(slot)?;
        match parse(bytes, kind) {
            Ok(parsed) => {
                self.warnings
                    .extend(parsed.warnings.into_iter().map(|fault| Problem::new(name, fault)));
                Some(parsed.secret)
            }
            Err(fault) => {
                self.problems.push(Problem::new(name, fault));
                None
            }
        }
    }

    /// The app secrets without repetitions, which would only cost time with every request.
    fn app_secrets(&mut self) -> Vec<Secret> {
        let mut secrets = Vec::new();
        for slot in Slot::APP_SECRETS {
            let Some(secret) = self.secret(slot, Kind::AppSecret) else {
                continue;
            };
            if secrets.contains(&secret) {
                let name = self.snapshot.get(slot).map_or("app-secret", |file| file.name);
                let fault = Fault::new(
                    "repeats an app secret with a lower number and was ignored",
                    "Remove it",
                );
                self.warnings.push(Problem::new(name, fault));
            } else {
                secrets.push(secret);
            }
        }
        secrets
    }

    fn nats(&mut self, url_has_user: bool) -> NatsSecrets {
        let credential = self.nats_credential(url_has_user);
        let ca_file = self.certificate(Slot::NatsCa);
        let cert_file = self.certificate(Slot::NatsCert);
        let key_file = self.certificate(Slot::NatsKey);
        self.require_pair((Slot::NatsCert, "nats-tls.crt"), (Slot::NatsKey, "nats-tls.key"));
        NatsSecrets {
            credential,
            ca_file,
            cert_file,
            key_file,
            digest: Some(self.snapshot.nats_digest()),
        }
    }

    fn nats_credential(&mut self, url_has_user: bool) -> Option<NatsCredential> {
        let methods = [
            (self.is_there(Slot::NatsCredentials), "nats.creds"),
            (self.is_there(Slot::NatsNkey), "nats.nkey"),
            (
                self.is_there(Slot::NatsUser) || self.is_there(Slot::NatsPassword),
                "nats.user with nats.password",
            ),
            (self.is_there(Slot::NatsToken), "nats.token"),
            (url_has_user, "the user in nats.servers"),
        ];
        let found: Vec<&str> = methods
            .iter()
            .filter_map(|(there, method)| there.then_some(*method))
            .collect();
        if found.len() > 1 {
            let problem = format!("has more than one way to log in: {}", found.join(", "));
            self.refuse("nats.auth", problem, "Keep one and remove the others");
        }
        self.require_pair(
            (Slot::NatsUser, "nats.user"),
            (Slot::NatsPassword, "nats.password"),
        );

        let credentials = self.text_of(Slot::NatsCredentials, "a credentials file", |text| {
            text.contains("BEGIN NATS USER JWT") && text.contains("BEGIN USER NKEY SEED")
        });
        let nkey = self.secret(Slot::NatsNkey, Kind::Credential).filter(|seed| {
            let is_seed = seed.expose().starts_with(b"SU");
            if !is_seed {
                self.refuse(
                    "nats.nkey",
                    "is not the seed of a user",
                    "Store the seed, which starts with SU",
                );
            }
            is_seed
        });
        let user = self.secret(Slot::NatsUser, Kind::Credential);
        let password = self.secret(Slot::NatsPassword, Kind::Credential);
        let token = self.secret(Slot::NatsToken, Kind::Credential);
        let login = user
            .zip(password)
            .map(|(user, password)| NatsCredential::UserPassword { user, password });
        credentials
            .map(NatsCredential::Credentials)
            .or(nkey.map(NatsCredential::Nkey))
            .or(login)
            .or(token.map(NatsCredential::Token))
    }

    fn is_there(&self, slot: Slot) -> bool {
        self.snapshot
            .get(slot)
            .is_some_and(|file| !matches!(file.content, Content::Absent))
    }

    fn require_pair(&mut self, one: (Slot, &str), other: (Slot, &str)) {
        for ((present, with), (absent, without)) in [(one, other), (other, one)] {
            // A file the configuration names and that is not there yet was noted as missing already.
            let named = self.snapshot.get(absent).is_some_and(|file| file.required);
            if self.is_there(present) && !self.is_there(absent) && !named {
                self.refuse(
                    without,
                    format!("is missing while {with} is there"),
                    "Add it, or remove both",
                );
            }
        }
    }

    /// A file of several lines, kept as it is.
    fn text_of(&mut self, slot: Slot, what: &str, is_good: impl Fn(&str) -> bool) -> Option<Secret> {
        let (name, bytes) = self.bytes(slot)?;
        if std::str::from_utf8(bytes).is_ok_and(is_good) {
            return Some(Secret::new(bytes));
        }
        self.refuse(
            name,
            format!("is not {what}"),
            "Store the whole file as the tool wrote it",
        );
        None
    }

    /// The path of a PEM file that looks like one.
    fn certificate(&mut self, slot: Slot) -> Option<std::path::PathBuf> {
        self.text_of(slot, "PEM", |text| text.contains("-----BEGIN "))?;
        self.snapshot.get(slot).map(|file| file.path.clone())
    }
}
