//! The receiver's keeper, with a shell script in the receiver's place.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use wahook_testbed::log::Waited;
use wahook_testbed::process::{ProcessError, ReadyWhen, ReceiverOptions, ReceiverProcess};

/// Run by `/bin/sh` and not by itself: a file just written cannot be executed while another test's fork holds it.
fn script(directory: &Path, lines: &str) -> PathBuf {
    let path = directory.join("receiver.sh");
    fs::write(&path, lines).unwrap();
    path
}

const OBEDIENT: &str = "trap 'echo bye; exit 7' TERM\n\
                        echo \"port=$PORT home=[$HOME] args=$*\" >&2\n\
                        /bin/cat secrets/app-secret-1\n\
                        echo started\n\
                        while :; do /bin/sleep 0.01; done";

fn options(script: &Path) -> ReceiverOptions {
    ReceiverOptions::by_hand(
        "app-secret-of-a-test",
        "verify-token-of-a-test",
        "nats://127.0.0.1:4222",
    )
    .binary("/bin/sh")
    .arg(script.to_str().unwrap())
    .file("secrets/app-secret-1", "first\n")
    .arg("--config")
    .arg("{dir}/config.yaml")
    .ready_when(ReadyWhen::Logged("started".to_owned()))
}

#[tokio::test]
async fn it_gets_what_it_was_given_and_nothing_else() {
    let here = tempfile::tempdir().unwrap();
    let receiver = ReceiverProcess::start(options(&script(here.path(), OBEDIENT)))
        .await
        .unwrap();
    let limit = Duration::from_secs(5);
    let expected = format!(
        "port={} home=[] args=--config {}/config.yaml",
        receiver.address().port(),
        receiver.directory().display()
    );
    assert_eq!(
        receiver.log().wait_for(&expected, limit).await,
        Waited::Found,
        "{}",
        receiver.log().text()
    );
    assert!(receiver.log().contains("first\n"));
    receiver.replace_file("secrets/app-secret-1", "second\n").unwrap();
    assert_eq!(
        fs::read_to_string(receiver.directory().join("secrets/app-secret-1")).unwrap(),
        "second\n"
    );
    assert!(receiver.rss_kib().unwrap() > 0);
    assert!(receiver.cpu_seconds().unwrap() >= 0.0);
    assert!(receiver.exit_status().is_none());
    assert_eq!(receiver.stop().await.unwrap(), Some(7));
    assert_eq!(receiver.log().wait_for("bye", limit).await, Waited::Found);
}

#[tokio::test]
async fn a_kill_and_a_drop_end_it() {
    let here = tempfile::tempdir().unwrap();
    let script_file = script(here.path(), OBEDIENT);
    let receiver = ReceiverProcess::start(options(&script_file)).await.unwrap();
    receiver.kill9();
    assert_eq!(receiver.exit_status().unwrap().code(), None);

    let receiver = ReceiverProcess::start(options(&script_file)).await.unwrap();
    let entry = PathBuf::from(format!("/proc/{}", receiver.pid()));
    let directory = receiver.directory().to_owned();
    assert!(entry.exists() && directory.exists());
    drop(receiver);
    assert!(!entry.exists() && !directory.exists());
}

#[tokio::test]
async fn a_failed_start_shows_its_output() {
    let here = tempfile::tempdir().unwrap();
    let script_file = script(here.path(), "echo 'PORT is not a number' >&2; exit 2");
    for ready_when in [
        ReadyWhen::Ready,
        ReadyWhen::Live,
        ReadyWhen::Logged("started".to_owned()),
    ] {
        let error = ReceiverProcess::start(options(&script_file).ready_when(ready_when))
            .await
            .unwrap_err();
        assert!(matches!(error, ProcessError::NotReady { .. }));
        let text = error.to_string();
        assert!(text.contains("ended while it started"), "{text}");
        assert!(text.contains("PORT is not a number"), "{text}");
    }
}

#[tokio::test]
async fn a_start_that_only_runs_may_be_watched_to_its_end() {
    let here = tempfile::tempdir().unwrap();
    let script_file = script(here.path(), "exit 3");
    let receiver = ReceiverProcess::start(options(&script_file).ready_when(ReadyWhen::Spawned))
        .await
        .unwrap();
    assert_eq!(receiver.wait(Duration::from_secs(5)).await.unwrap(), Some(3));
}
