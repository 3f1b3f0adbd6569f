//! App secrets rotated under load.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::sync::RwLock;

use crate::ALONE;
use crate::common_http::{House, SECRET, house, text_message};

const RECEIVERS: usize = 4;
const ROTATIONS: usize = 13;
const CLIENTS: usize = 2;

fn secret(rotation: usize) -> String {
    if rotation == 0 {
        SECRET.to_owned()
    } else {
        format!("{rotation:032x}")
    }
}

/// What Meta signs with: one of the secrets that are listed, also at the moment of the answer.
type Signing = Arc<RwLock<Vec<String>>>;

/// Lists both secrets, goes over to the new one, takes the old one out: two changes for each rotation.
async fn rotate(house: &House, signing: &Signing) {
    let generation =
        |wanted: usize| house.status_when(move |status| status["secrets"]["generation"] == wanted);
    for rotation in 0..ROTATIONS {
        let (old, new) = (secret(rotation), secret(rotation + 1));
        // The new one comes first or second, as people do it.
        let (first, second) = if rotation % 2 == 0 {
            (&old, &new)
        } else {
            (&new, &old)
        };
        if rotation % 2 == 0 {
            house.replace_secret("app-secret-2", second);
        } else {
            house.replace_secret("app-secret-1", first);
        }
        generation(2 * rotation + 2).await;
        signing.write().await.push(new.clone());
        // Both are in use for a while; then the lock waits for every request with the old one.
        house.store_with(&old, rotation).await;
        signing.write().await.remove(0);
        let file = if rotation % 2 == 0 {
            "app-secret-1"
        } else {
            "app-secret-2"
        };
        std::fs::remove_file(house.receiver.directory().join("secrets").join(file)).unwrap();
        generation(2 * rotation + 3).await;
        let late = text_message(&format!("late-{rotation}"), "hello");
        assert_eq!(house.meta_with(&old).post(late).await.unwrap().status, 401);
    }
}

impl House {
    async fn store_with(&self, secret: &str, rotation: usize) {
        let body = text_message(&format!("both-{rotation}"), "hello");
        assert_eq!(self.meta_with(secret).post(body).await.unwrap().status, 200);
    }
}

/// Posts until told to stop; how many requests were answered 200. Anything else fails the test.
async fn post_without_end(house: &House, signing: &Signing, done: &AtomicBool, client: usize) -> usize {
    let secrets: Vec<_> = (0..=ROTATIONS).map(secret).collect();
    let clients: Vec<_> = secrets.iter().map(|secret| house.meta_with(secret)).collect();
    let mut posted = 0;
    while !done.load(Ordering::Relaxed) {
        let listed = signing.read().await;
        let chosen = &listed[posted % listed.len()];
        let meta = &clients[secrets.iter().position(|secret| secret == chosen).unwrap()];
        let body = text_message(&format!("rotate-{client}-{posted}"), "hello");
        let answer = meta.post(body).await.unwrap();
        assert_eq!(answer.status, 200, "request {posted}: {}", answer.text());
        posted += 1;
    }
    posted
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_changes_of_secrets_under_load_refuse_no_genuine_request() {
    let _alone = ALONE.lock().await;
    let total = AtomicUsize::new(0);
    let one = async |number: usize| {
        let house = house(&format!("load-rotation-{number}"))
            .log_level("info")
            .open()
            .await;
        let signing: Signing = Arc::new(RwLock::new(vec![secret(0)]));
        let done = AtomicBool::new(false);
        let rotating = async {
            rotate(&house, &signing).await;
            done.store(true, Ordering::Relaxed);
        };
        let first = post_without_end(&house, &signing, &done, 0);
        let second = post_without_end(&house, &signing, &done, 1);
        let ((), first, second) = tokio::join!(rotating, first, second);
        assert_eq!(CLIENTS, 2);
        total.fetch_add(first + second, Ordering::Relaxed);
        assert_eq!(house.stored().await.len(), first + second + ROTATIONS);
        let failures = "whatsapp_webhook_signature_failures_total";
        assert_eq!(house.metric(failures, &[("reason", "mismatch")]).await, 0);
        // Only the late ones, each told apart.
        assert_eq!(
            house.metric(failures, &[("reason", "retired_secret")]).await,
            ROTATIONS
        );
    };
    tokio::join!(one(0), one(1), one(2), one(3));
    let changes = RECEIVERS * ROTATIONS * 2;
    let total = total.into_inner();
    println!("{changes} changes of secrets under {total} requests, none refused");
    assert!(
        changes >= 100 && total > 1000,
        "{changes} changes, {total} requests"
    );
}
