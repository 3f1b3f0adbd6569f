//! `wahook-receiver send --expect-stored`: what was answered with 200 is looked up in the stream.

use std::process::Command;

use wahook_testbed::nats::{Login, NatsServer, Permissions, User};
use wahook_testbed::process::ReceiverProcess;

use super::common::*;

/// A broker with a login for the receiver, which may do everything, and one that may only read streams.
async fn server() -> NatsServer {
    let reading = Permissions {
        publish_allow: vec!["$JS.API.STREAM.MSG.GET.*".to_owned()],
        subscribe_allow: vec!["_INBOX.>".to_owned()],
        ..Permissions::default()
    };
    NatsServer::builder()
        .user(User::new(Login::password("receiver", "a-password")))
        .user(User::new(Login::password("reader", "another-one")).with_permissions(reading))
        .start()
        .await
        .unwrap()
}

fn setup(name: &str, nats: &NatsServer) -> Setup {
    Setup::new(name, &nats.url())
        .secret("nats.user", "receiver")
        .secret("nats.password", "a-password")
}

/// Sends a sample to the receiver and looks for it in `stream`: the exit code and the output.
fn send(
    receiver: &ReceiverProcess,
    nats: &NatsServer,
    setup: &Setup,
    stream: &str,
    sample: &str,
) -> (Option<i32>, String) {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| std::fs::write(directory.path().join(name), content).unwrap();
    file("app-secret", SECRET);
    file("nats.user", "reader");
    file("nats.password", "another-one");
    let output = Command::new(env!("CARGO_BIN_EXE_wahook-receiver"))
        .args(["send", "--expect-stored", "--type", sample, "--to"])
        .arg(format!("http://{}/webhook", receiver.address()))
        .arg("--secret-file")
        .arg(directory.path().join("app-secret"))
        .arg("--nats-login")
        .arg(directory.path())
        .env("NATS_URL", nats.url())
        .env("WAHOOK_STREAM", stream)
        .env("WAHOOK_SUBJECTS", setup.subjects())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    (output.status.code(), text.into_owned())
}

#[tokio::test]
async fn what_was_stored_is_found() {
    let nats = server().await;
    let setup = setup("sent", &nats);
    let receiver = setup.start().await;
    let (code, text) = send(&receiver, &nats, &setup, &setup.stream_name(), "text");
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("in the stream: 1 of 1"), "{text}");
}

#[tokio::test]
async fn so_are_many_events_of_one_subject_and_what_the_dashboard_sends() {
    let nats = server().await;
    let setup = setup("sent-many", &nats);
    let receiver = setup.start().await;
    for sample in ["batch", "dashboard_test"] {
        let body = wahook_events::samples::get(sample).unwrap().body;
        let events = wahook_events::split(body.as_bytes()).unwrap().events.len();
        let (code, text) = send(&receiver, &nats, &setup, &setup.stream_name(), sample);
        assert_eq!(code, Some(0), "{text}");
        let found = format!("in the stream: {events} of {events}");
        assert!(text.contains(&found), "{text}");
    }
}

#[tokio::test]
async fn also_when_the_number_is_not_the_webhooks() {
    let nats = server().await;
    let setup = setup("sent-quarantine", &nats).more("phoneNumberIds: [\"1\"]");
    let receiver = setup.start().await;
    let (code, text) = send(&receiver, &nats, &setup, &setup.stream_name(), "text");
    assert_eq!(code, Some(0), "{text}");
}

#[tokio::test]
async fn what_is_elsewhere_is_not_found() {
    let nats = server().await;
    let (setup, other) = (setup("sent-here", &nats), setup("sent-there", &nats));
    let receiver = setup.start().await;
    let _other = other.start().await;
    let (code, text) = send(&receiver, &nats, &setup, &other.stream_name(), "text");
    assert_eq!(code, Some(1), "{text}");
    assert!(
        text.contains("200") && text.contains("in the stream: 0 of 1"),
        "{text}"
    );
    let (code, text) = send(&receiver, &nats, &setup, "no_such_stream", "text");
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("cannot read the stream"), "{text}");
}
