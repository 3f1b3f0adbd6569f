//! The election against the real API server: one leads, hand-overs in time, and nobody writes who has lost.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use wahook_operator::leader::{Elector, Ended, Fence, Timing};
use wahook_testbed::kube::ControlPlane;

async fn client(cluster: &ControlPlane) -> Client {
    let kubeconfig = Kubeconfig::from_yaml(&cluster.kubeconfig_text().unwrap()).unwrap();
    let options = KubeConfigOptions::default();
    let config = Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .unwrap();
    Client::try_from(config).unwrap()
}

/// Counts down also when its task is aborted.
struct Leading(Arc<AtomicUsize>);

impl Drop for Leading {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A candidate whose work is to say that it leads and to wait.
struct Candidate {
    stop: CancellationToken,
    task: JoinHandle<Ended>,
    fence: Fence,
}

fn candidate(
    client: Client,
    name: &str,
    leading: mpsc::UnboundedSender<String>,
    at_once: Arc<AtomicUsize>,
) -> Candidate {
    let elector = Elector::new(client, "default", "election", name, Timing::default());
    let (stop, fence, name) = (CancellationToken::new(), elector.fence(), name.to_owned());
    let stopping = stop.clone();
    let task = tokio::spawn(async move {
        let work = |working: CancellationToken| async move {
            assert_eq!(at_once.fetch_add(1, Ordering::SeqCst), 0, "two lead at once");
            let _leading = Leading(at_once);
            leading.send(name).unwrap();
            working.cancelled().await;
        };
        elector.lead(stopping, work).await
    });
    Candidate { stop, task, fence }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "builds Kubernetes once, a quarter of an hour: cargo xtask test --kubernetes"]
async fn one_leads_and_is_followed_in_time() {
    let cluster = ControlPlane::start().await.unwrap();
    let (sender, mut leading) = mpsc::unbounded_channel();
    let at_once = Arc::new(AtomicUsize::new(0));
    let mut candidates = BTreeMap::new();
    for name in ["a", "b", "c"] {
        let client = client(&cluster).await;
        let candidate = candidate(client, name, sender.clone(), Arc::clone(&at_once));
        candidates.insert(name.to_owned(), candidate);
    }
    let mut next = async || {
        let within = timeout(Duration::from_secs(30), leading.recv()).await;
        within.unwrap().unwrap()
    };
    let first = next().await;
    for (name, candidate) in &candidates {
        assert_eq!(candidate.fence.is_open(), *name == first, "{name}");
    }

    // A clean stop: given back, so that the next need not wait.
    let stopped = candidates.remove(&first).unwrap();
    let began = Instant::now();
    stopped.stop.cancel();
    let second = next().await;
    let handed_over = began.elapsed();
    assert!(handed_over < Duration::from_secs(3), "{handed_over:?}");
    assert_eq!(stopped.task.await.unwrap(), Ended::Stopped);
    assert!(!stopped.fence.is_open());

    // A crash: nothing is given back.
    let crashed = candidates.remove(&second).unwrap();
    let began = Instant::now();
    crashed.task.abort();
    let third = next().await;
    let taken_over = began.elapsed();
    let expected = Duration::from_secs(12)..Duration::from_secs(20);
    assert!(expected.contains(&taken_over), "{taken_over:?}");
    // Whoever was only stopped for a while would find its fence closed before the other began.
    assert!(!crashed.fence.is_open());

    // The API server goes away: the leader stops by itself, before anybody could take over.
    let last = candidates.remove(&third).unwrap();
    let began = Instant::now();
    cluster.stop_apiserver().await.unwrap();
    let ended = timeout(Duration::from_secs(30), last.task).await;
    assert_eq!(ended.unwrap().unwrap(), Ended::Lost);
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    assert!(!last.fence.is_open());
    eprintln!("hand-over after a clean stop {handed_over:?}, after a crash {taken_over:?}");
}
