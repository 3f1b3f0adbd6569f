//! Secrets and settings that change on disk while the receiver runs, laid out as Kubernetes mounts them and by hand.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::prelude::*;
use tempfile::TempDir;
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};
use wahook_receiver::config::{self, ConfigWatcher, LogLevel, ReloadHandle};
use wahook_receiver::secrets::{
    Load, NatsCredential, Secret, SecretSet, SecretsHandle, SecretsSource, SecretsStatus, SecretsWatcher,
};

const POLL: Duration = Duration::from_millis(20);
/// What a change may take, with the poll interval of production and time to spare.
const SOON: Duration = Duration::from_secs(2);

const OLD: &str = "0123456789abcdef0123456789abcdef";
const NEW: &str = "fedcba9876543210fedcba9876543210";
const TOKEN: &str = "a-verify-token-for-tests";
const CREDENTIALS: &str = "-----BEGIN NATS USER JWT-----\nx\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\nSUx\n------END USER NKEY SEED------\n";
const PEM: &str = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n";

type Files<'a> = &'a [(&'a str, &'a str)];
const GOOD: Files<'static> = &[("app-secret-1", OLD), ("verify-token", TOKEN)];

/// A directory of secrets.
struct Dir(TempDir);

impl Dir {
    fn new(files: Files<'_>) -> Self {
        let dir = Self(tempfile::tempdir().unwrap());
        fs::create_dir(dir.path()).unwrap();
        for (name, content) in files {
            dir.write(name, content);
        }
        dir
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("secrets")
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path().join(name), content).unwrap();
    }

    fn remove(&self, name: &str) {
        fs::remove_file(self.path().join(name)).unwrap();
    }

    fn load(&self) -> Load {
        SecretSet::load(&SecretsSource::directory(self.path()))
    }

    fn watch(&self) -> Watched {
        Watched::start(SecretsSource::directory(self.path()), POLL)
    }
}

/// A running watcher that stops with the test.
struct Watched {
    handle: SecretsHandle,
    _stop: DropGuard,
}

impl Watched {
    fn start(source: SecretsSource, poll: Duration) -> Self {
        let watcher = SecretsWatcher::start(source, poll);
        let (handle, stop) = (watcher.handle(), CancellationToken::new());
        tokio::spawn(watcher.run(stop.clone()));
        Self {
            handle,
            _stop: stop.drop_guard(),
        }
    }

    /// Waits until the status is as wished.
    async fn until(&self, wish: impl Fn(&SecretsStatus) -> bool) -> SecretsStatus {
        poll_until(|| Some(self.handle.status()).filter(&wish)).await
    }

    fn app_secrets(&self) -> Vec<Secret> {
        self.handle.current().app_secrets.clone()
    }
}

/// Looks again and again until there is something. Fails when that takes too long.
async fn poll_until<T>(look: impl Fn() -> Option<T>) -> T {
    let looking = async {
        loop {
            match look() {
                Some(found) => return found,
                None => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    };
    timeout(SOON, looking)
        .await
        .expect("the change was not noticed in time")
}

fn secret(text: &str) -> Secret {
    Secret::new(text)
}

fn loaded(load: Load) -> SecretSet {
    match load {
        Load::Loaded(set) => set,
        other => panic!("expected a whole set: {other:?}"),
    }
}

fn invalid(load: Load) -> Vec<String> {
    match load {
        Load::Invalid(problems) => problems.iter().map(ToString::to_string).collect(),
        other => panic!("expected problems: {other:?}"),
    }
}

fn missing(load: Load) -> (Vec<String>, SecretSet) {
    match load {
        Load::Missing { reasons, partial } => (reasons.iter().map(ToString::to_string).collect(), partial),
        other => panic!("expected something missing: {other:?}"),
    }
}

#[test]
fn a_full_directory_is_read() {
    let dir = Dir::new(GOOD);
    dir.write("app-secret-3", NEW);
    dir.write("probe-key", "a-probe-key-for-the-tests");
    dir.write("nats.creds", CREDENTIALS);
    dir.write("nats-ca.crt", PEM);
    let set = loaded(dir.load());
    assert_eq!(set.app_secrets, [secret(OLD), secret(NEW)]);
    assert_eq!(set.verify_token, Some(secret(TOKEN)));
    assert_eq!(set.probe_key, Some(secret("a-probe-key-for-the-tests")));
    assert_eq!(
        set.nats.credential,
        Some(NatsCredential::Credentials(secret(CREDENTIALS)))
    );
    assert_eq!(set.nats.ca_file, Some(dir.path().join("nats-ca.crt")));
    assert!(set.warnings.is_empty(), "{:?}", set.warnings);
}

#[test]
fn odd_files_are_tolerated_with_a_warning_that_names_the_file() {
    for (content, problem) in [
        (format!("{OLD}\n"), "ends with a newline, which was removed"),
        (format!("{OLD}\r\n"), "ends with a newline, which was removed"),
        (
            OLD.to_uppercase(),
            "is not 32 lower-case hexadecimal digits as Meta's app secrets are",
        ),
    ] {
        let dir = Dir::new(GOOD);
        dir.write("app-secret-1", &content);
        let set = loaded(dir.load());
        assert_eq!(set.app_secrets, [secret(content.trim())]);
        assert_eq!(set.warnings.len(), 1);
        assert_eq!(
            (set.warnings[0].setting.as_str(), set.warnings[0].problem.as_str()),
            ("app-secret-1", problem)
        );
    }
    let dir = Dir::new(GOOD);
    dir.write("app-secret-2", format!("{OLD}\n"));
    let set = loaded(dir.load());
    assert_eq!(set.app_secrets, [secret(OLD)], "a repetition is one secret");
    let settings: Vec<&str> = set
        .warnings
        .iter()
        .map(|warning| warning.setting.as_str())
        .collect();
    assert_eq!(settings, ["app-secret-2", "app-secret-2"]);
}

#[test]
fn what_is_missing_is_named_and_the_rest_is_there() {
    let (reasons, partial) = missing(Dir::new(&[]).load());
    assert_eq!(reasons.len(), 2);
    assert!(
        reasons[0].starts_with("app-secret-1: is missing. Add the app secret"),
        "{reasons:?}"
    );
    assert!(
        reasons[1].starts_with("verify-token: is missing. Add the token"),
        "{reasons:?}"
    );
    assert!(!partial.is_complete());

    let (reasons, partial) = missing(Dir::new(&[("app-secret-4", OLD), ("nats.token", "t")]).load());
    assert_eq!(reasons.len(), 1);
    assert_eq!(partial.app_secrets, [secret(OLD)]);
    assert_eq!(partial.nats.credential, Some(NatsCredential::Token(secret("t"))));
    assert!(!partial.is_complete());

    let (reasons, _) = missing(SecretSet::load(&SecretsSource::directory("/nowhere/at/all")));
    assert_eq!(reasons.len(), 2);
}

#[test]
fn bad_files_are_refused_by_name() {
    let cases: &[(Files<'_>, &str)] = &[
        (&[("app-secret-1", "")], "app-secret-1: is blank. Copy it from"),
        (&[("app-secret-1", "\n")], "app-secret-1: is blank"),
        (
            &[("app-secret-2", "too-short")],
            "app-secret-2: has 9 characters, at least 16 are needed",
        ),
        (
            &[("app-secret-1", "0123456789abcdef\0")],
            "app-secret-1: holds a NUL byte",
        ),
        (
            &[("app-secret-1", "0123456789abcdef\nx")],
            "app-secret-1: has more than one line",
        ),
        (
            &[("verify-token", "your-verify-token")],
            "verify-token: is the placeholder",
        ),
        (&[("verify-token", "short")], "verify-token: has 5 characters"),
        (
            &[("probe-key", "short")],
            "probe-key: has 5 characters, at least 16 are needed. Use a longer random key",
        ),
        (
            &[("nats.creds", CREDENTIALS), ("nats.token", "t")],
            "nats.auth: has more than one way to log in: nats.creds, nats.token",
        ),
        (
            &[("nats.nkey", "SUx"), ("nats.user", "u"), ("nats.password", "p")],
            "log in: nats.nkey, nats.user with nats.password",
        ),
        (
            &[("nats.user", "u")],
            "nats.password: is missing while nats.user is there. Add it, or remove both",
        ),
        (
            &[("nats.password", "p")],
            "nats.user: is missing while nats.password is there",
        ),
        (&[("nats.creds", "SUx")], "nats.creds: is not a credentials file"),
        (
            &[("nats.nkey", "UABC")],
            "nats.nkey: is not the seed of a user. Store the seed, which starts with SU",
        ),
        (&[("nats-ca.crt", "x")], "nats-ca.crt: is not PEM"),
        (
            &[("nats-tls.crt", PEM)],
            "nats-tls.key: is missing while nats-tls.crt is there",
        ),
        (
            &[("nats-tls.key", PEM)],
            "nats-tls.crt: is missing while nats-tls.key is there",
        ),
    ];
    for (files, expected) in cases {
        let dir = Dir::new(GOOD);
        for (name, content) in *files {
            dir.write(name, content);
        }
        let problems = invalid(dir.load());
        assert_eq!(problems.len(), 1, "{expected}: {problems:?}");
        assert!(
            problems[0].contains(expected),
            "{problems:?} does not say {expected:?}"
        );
    }
    let dir = Dir::new(GOOD);
    fs::create_dir(dir.path().join("probe-key")).unwrap();
    assert!(invalid(dir.load())[0].starts_with("probe-key: cannot be read: is a directory"));
    let dir = Dir::new(GOOD);
    dir.write("nats-ca.crt", vec![b'x'; 1024 * 1024 + 1]);
    assert!(invalid(dir.load())[0].starts_with("nats-ca.crt: is larger than 1 MiB"));
}

#[test]
fn files_named_in_the_configuration_replace_those_of_the_directory() {
    let dir = Dir::new(GOOD);
    dir.write("nats.creds", CREDENTIALS);
    let elsewhere = dir.path().join("elsewhere");
    let yaml = format!(
        "secretsDir: {}\nnats: {{auth: {{tokenFile: {}}}}}",
        dir.path().display(),
        elsewhere.display()
    );
    let source = SecretsSource::from_config(&config::parse(&yaml).unwrap().0).unwrap();

    let (reasons, _) = missing(SecretSet::load(&source));
    assert!(
        reasons[0].starts_with("nats.token: is missing at the path the configuration names"),
        "{reasons:?}"
    );
    fs::write(&elsewhere, "a token").unwrap();
    assert_eq!(
        loaded(SecretSet::load(&source)).nats.credential,
        Some(NatsCredential::Token(secret("a token")))
    );

    let yaml = format!(
        "secretsDir: {}\nnats: {{servers: ['nats://ann:p@h']}}",
        dir.path().display()
    );
    let source = SecretsSource::from_config(&config::parse(&yaml).unwrap().0).unwrap();
    let problems = invalid(SecretSet::load(&source));
    assert!(
        problems[0].contains("nats.creds, the user in nats.servers"),
        "{problems:?}"
    );
    assert!(SecretsSource::from_config(&config::parse("").unwrap().0).is_none());
}

#[test]
fn the_digest_of_the_broker_s_files_follows_them_only() {
    let dir = Dir::new(GOOD);
    let before = loaded(dir.load()).nats.digest();
    dir.write("app-secret-1", NEW);
    assert_eq!(loaded(dir.load()).nats.digest(), before);
    dir.write("nats-ca.crt", PEM);
    assert_ne!(loaded(dir.load()).nats.digest(), before);
}

#[tokio::test]
async fn a_swapped_symlink_takes_over_within_two_seconds_at_the_real_interval() {
    // As the kubelet does: ..data points to a dated directory, the files point into ..data.
    let dir = tempfile::tempdir().unwrap();
    let version = |name: &str, secret: &str| {
        let version = dir.path().join(name);
        fs::create_dir(&version).unwrap();
        fs::write(version.join("app-secret-1"), secret).unwrap();
        fs::write(version.join("verify-token"), TOKEN).unwrap();
    };
    version("..2024_01_01", OLD);
    symlink("..2024_01_01", dir.path().join("..data")).unwrap();
    for name in ["app-secret-1", "verify-token"] {
        symlink(Path::new("..data").join(name), dir.path().join(name)).unwrap();
    }
    let mut watched = Watched::start(
        SecretsSource::directory(dir.path()),
        wahook_receiver::secrets::POLL,
    );
    assert_eq!(watched.app_secrets(), [secret(OLD)]);
    assert_eq!(watched.handle.status().generation, 1);

    version("..2024_01_02", NEW);
    symlink("..2024_01_02", dir.path().join("..data_tmp")).unwrap();
    fs::rename(dir.path().join("..data_tmp"), dir.path().join("..data")).unwrap();
    fs::remove_dir_all(dir.path().join("..2024_01_01")).unwrap();

    timeout(SOON, watched.handle.changed())
        .await
        .expect("no change within two seconds");
    assert_eq!(watched.app_secrets(), [secret(NEW)]);
    assert_eq!(watched.handle.current().retired, [secret(OLD)]);
    let status = watched.handle.status();
    assert_eq!(
        (
            status.generation,
            status.active_app_secrets,
            status.retired_app_secrets
        ),
        (2, 1, 1)
    );
}

#[tokio::test]
async fn a_bad_file_keeps_the_last_good_set_until_it_is_repaired() {
    let dir = Dir::new(GOOD);
    let watched = dir.watch();
    dir.write("app-secret-1", "too-short");
    let status = watched.until(|status| status.last_error.is_some()).await;
    assert!(
        status
            .last_error
            .unwrap()
            .starts_with("app-secret-1: has 9 characters")
    );
    assert_eq!((status.generation, watched.app_secrets()), (1, vec![secret(OLD)]));

    dir.write("app-secret-1", OLD);
    let status = watched.until(|status| status.last_error.is_none()).await;
    assert_eq!(
        status.generation, 1,
        "the same secrets again are no new generation"
    );

    dir.write("app-secret-1", NEW);
    watched.until(|status| status.generation == 2).await;
    assert_eq!(watched.app_secrets(), [secret(NEW)]);
}

#[tokio::test]
async fn a_directory_that_goes_away_keeps_the_set_and_heals() {
    let dir = Dir::new(GOOD);
    let watched = dir.watch();
    fs::remove_dir_all(dir.path()).unwrap();
    let status = watched.until(|status| status.last_error.is_some()).await;
    assert!(status.is_ready());
    assert_eq!(watched.app_secrets(), [secret(OLD)]);

    fs::create_dir(dir.path()).unwrap();
    dir.write("app-secret-1", NEW);
    dir.write("verify-token", TOKEN);
    let status = watched.until(|status| status.generation == 2).await;
    assert_eq!(status.last_error, None);
    assert_eq!(watched.app_secrets(), [secret(NEW)]);
}

#[tokio::test]
async fn a_receiver_without_secrets_starts_unready_and_heals() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("not/there/yet");
    let watched = Watched::start(SecretsSource::directory(&path), POLL);
    let status = watched.handle.status();
    assert!(!status.is_ready() && !status.verify_token && status.loaded_at.is_none());
    assert!(status.last_error.unwrap().contains("verify-token: is missing"));
    assert!(watched.app_secrets().is_empty());

    fs::create_dir_all(&path).unwrap();
    fs::write(path.join("nats.token"), "a token").unwrap();
    let there = || watched.handle.current().nats.credential.is_some().then_some(());
    poll_until(there).await;
    assert!(
        !watched.handle.status().is_ready(),
        "a part is of use, but not enough"
    );

    fs::write(path.join("verify-token"), TOKEN).unwrap();
    fs::write(path.join("app-secret-1"), OLD).unwrap();
    let status = watched.until(SecretsStatus::is_ready).await;
    assert_eq!((status.generation, status.last_error), (1, None));
    assert!(status.loaded_at.is_some());
    assert!(watched.handle.current().is_complete());
}

#[tokio::test]
async fn a_bad_start_heals_too() {
    let dir = Dir::new(&[("app-secret-1", "short"), ("verify-token", TOKEN)]);
    let watched = dir.watch();
    assert!(!watched.handle.status().is_ready());
    assert!(!watched.handle.current().is_complete());
    dir.write("app-secret-1", OLD);
    watched.until(SecretsStatus::is_ready).await;
}

#[tokio::test]
async fn a_rotation_in_three_steps_never_loses_a_secret_too_early() {
    let dir = Dir::new(GOOD);
    let watched = dir.watch();
    dir.write("app-secret-2", NEW);
    watched.until(|status| status.active_app_secrets == 2).await;
    assert!(watched.handle.current().retired.is_empty());

    dir.remove("app-secret-1");
    watched.until(|status| status.active_app_secrets == 1).await;
    assert_eq!(
        (watched.app_secrets(), watched.handle.current().retired.clone()),
        (vec![secret(NEW)], vec![secret(OLD)])
    );

    dir.write("app-secret-1", OLD);
    watched.until(|status| status.active_app_secrets == 2).await;
    assert!(
        watched.handle.current().retired.is_empty(),
        "an active secret is not a retired one"
    );
}

#[test]
fn the_status_is_json_without_content() {
    let dir = Dir::new(GOOD);
    dir.write("app-secret-1", format!("{OLD}\n"));
    let handle = SecretsHandle::fixed(loaded(dir.load()));
    let json = serde_json::to_value(handle.status()).unwrap();
    assert_eq!(json["generation"], 1);
    assert_eq!(json["activeAppSecrets"], 1);
    assert_eq!(json["verifyToken"], true);
    assert_eq!(json["lastError"], serde_json::Value::Null);
    assert!(json["loadedAt"].as_str().unwrap().ends_with('Z'));
    assert!(
        json["warnings"][0]
            .as_str()
            .unwrap()
            .starts_with("app-secret-1: ends with a newline")
    );
    assert!(!json.to_string().contains(OLD));
}

#[tokio::test]
async fn fixed_secrets_never_change() {
    let mut handle = SecretsHandle::fixed(loaded(Dir::new(GOOD).load()));
    assert!(handle.status().is_ready());
    assert!(
        timeout(Duration::from_millis(50), handle.changed())
            .await
            .is_err()
    );
}

/// Collects log lines of one thread.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Lines {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

#[tokio::test]
async fn a_lasting_problem_is_logged_once_and_without_content() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let dir = Dir::new(GOOD);
    let watched = dir.watch();
    dir.write("verify-token", "sesame");
    watched.until(|status| status.last_error.is_some()).await;
    // Many more polls of the same bad file. Nothing happens in them, so there is nothing to wait for.
    tokio::time::sleep(10 * POLL).await;
    dir.write("verify-token", TOKEN);
    watched.until(|status| status.last_error.is_none()).await;

    let text = lines.text();
    assert_eq!(
        text.matches("verify-token: has 6 characters").count(),
        1,
        "{text}"
    );
    assert_eq!(text.matches("the secrets are good again").count(), 1, "{text}");
    for hidden in [OLD, TOKEN, "sesame"] {
        assert!(!text.contains(hidden), "{text}");
    }
}

/// A running watcher of a configuration file.
struct WatchedFile {
    path: PathBuf,
    handle: ReloadHandle,
    _dir: TempDir,
    _stop: DropGuard,
}

impl WatchedFile {
    fn start(yaml: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("receiver.yaml");
        fs::write(&path, yaml).unwrap();
        let (config, unknown) = config::parse(yaml).unwrap();
        let watcher = ConfigWatcher::new(path.clone(), config, unknown, POLL);
        let (handle, stop) = (watcher.handle(), CancellationToken::new());
        tokio::spawn(watcher.run(stop.clone()));
        Self {
            path,
            handle,
            _dir: dir,
            _stop: stop.drop_guard(),
        }
    }

    fn write(&self, yaml: &str) {
        // As a careful editor does: a new file, then a rename.
        let new = self.path.with_extension("new");
        fs::write(&new, yaml).unwrap();
        fs::rename(new, &self.path).unwrap();
    }

    async fn until(&self, wish: impl Fn(&config::ReloadStatus) -> bool) -> config::ReloadStatus {
        poll_until(|| Some(self.handle.status()).filter(&wish)).await
    }
}

#[tokio::test]
async fn limits_numbers_proxies_and_level_follow_the_file() {
    let mut file = WatchedFile::start("");
    assert_eq!(file.handle.log_level(), LogLevel::Info);
    file.write("limits: {connections: 7}\nphoneNumberIds: ['100000000000001']\nhttp: {trustedProxies: [10.0.0.0/8]}\nlog: {level: debug}");
    timeout(SOON, file.handle.changed()).await.expect("no change");
    assert_eq!(file.handle.limits().connections, 7);
    assert!(
        file.handle
            .phone_number_ids()
            .unwrap()
            .contains("100000000000001")
    );
    assert_eq!(file.handle.trusted_proxies()[0].to_string(), "10.0.0.0/8");
    assert_eq!(file.handle.log_level(), LogLevel::Debug);
    let status = file.handle.status();
    assert_eq!(
        (status.generation, status.restart_needed.len(), status.last_error),
        (2, 0, None)
    );
}

#[tokio::test]
async fn a_change_that_needs_a_restart_is_named_and_the_rest_is_taken_over() {
    let file = WatchedFile::start("stream: {name: a}\nlimits: {connections: 7}");
    file.write("stream: {name: b}\nlimits: {connections: 8}\nfuture: 1");
    let status = file.until(|status| status.generation == 2).await;
    assert_eq!(status.restart_needed, ["stream.name", "stream.objectBucket"]);
    assert_eq!(status.unknown_keys, ["future"]);
    assert_eq!(file.handle.limits().connections, 8);

    file.write("stream: {name: a}\nlimits: {connections: 7}");
    let status = file.until(|status| status.generation == 3).await;
    assert!(status.restart_needed.is_empty() && status.unknown_keys.is_empty());
}

#[tokio::test]
async fn a_bad_file_or_none_keeps_the_last_good_settings() {
    let file = WatchedFile::start("limits: {connections: 7}");
    file.write("limits: {connections: none}");
    let status = file.until(|status| status.last_error.is_some()).await;
    assert!(
        status
            .last_error
            .unwrap()
            .contains("limits.connections: \"none\" is not a whole number")
    );
    assert_eq!((status.generation, file.handle.limits().connections), (1, 7));

    fs::remove_file(&file.path).unwrap();
    file.until(|status| {
        status
            .last_error
            .as_ref()
            .is_some_and(|error| error.contains("cannot be read"))
    })
    .await;

    file.write("limits: {connections: 7}");
    file.until(|status| status.last_error.is_none()).await;
    assert_eq!(file.handle.limits().connections, 7);
}

proptest! {
    /// Whatever the files hold, nothing that is said about them repeats it.
    #[test]
    fn no_content_of_a_file_appears_anywhere(
        contents in prop::collection::vec(("[A-Za-z0-9]{6,40}", prop::sample::select(&["", "\n", "\r\n", "\nx", "\0", " "][..])), 14),
        there in prop::collection::vec(any::<bool>(), 14),
    ) {
        const NAMES: [&str; 14] = [
            "app-secret-1", "app-secret-2", "app-secret-3", "app-secret-4", "verify-token", "probe-key", "nats.creds",
            "nats.nkey", "nats.user", "nats.password", "nats.token", "nats-ca.crt", "nats-tls.crt", "nats-tls.key",
        ];
        let dir = Dir::new(&[]);
        for ((name, (content, end)), there) in NAMES.iter().zip(&contents).zip(&there) {
            if *there {
                dir.write(name, format!("Q{content}{end}"));
            }
        }
        let watcher = SecretsWatcher::start(SecretsSource::directory(dir.path()), POLL);
        let load = dir.load();
        let mut said = format!("{load:?} {watcher:?}");
        match load {
            Load::Loaded(set) | Load::Missing { partial: set, .. } => {
                said += &serde_json::to_string(&SecretsHandle::fixed(set).status()).unwrap();
            }
            Load::Invalid(problems) => said += &problems.iter().map(ToString::to_string).collect::<String>(),
        }
        let said = said.replace(&dir.path().display().to_string(), "");
        for (content, _) in &contents {
            prop_assert!(!said.contains(&format!("Q{content}")), "{}", said);
        }
    }
}
