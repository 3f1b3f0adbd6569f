//! The cluster that stays: up twice, up after a crash of its parts, down, down again.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;
use wahook_testbed::kube::{Data, KubeError, Node, NodeOptions};

const CONFIG_MAPS: &str = "/api/v1/namespaces/default/configmaps";

async fn pids(directory: &Path) -> BTreeMap<&'static str, Option<i32>> {
    let status = Node::status(directory).await.unwrap().unwrap();
    status
        .parts
        .into_iter()
        .map(|part| (part.name, part.pid))
        .collect()
}

/// This test is the parent of what it starts and fetches none of them: an ended one stays, its memory gone.
fn is_alive(pid: i32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/status")).is_ok_and(|status| {
        let zombie = status.contains("State:\tZ");
        let alone = status.contains("Threads:\t1\n") || status.contains("Threads:\t0\n");
        !(zombie && alone)
    })
}

/// Takes the cluster down when the test ends, however it ends: its processes belong to nobody else.
struct TakenDown<'a>(&'a Path);

impl Drop for TakenDown<'_> {
    fn drop(&mut self) {
        let down = || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(Node::down(self.0, Data::Delete)).unwrap();
        };
        // A runtime of its own needs a thread of its own.
        std::thread::scope(|scope| scope.spawn(down).join().unwrap());
    }
}

#[tokio::test]
#[ignore = "builds Kubernetes once, a quarter of an hour: cargo xtask test --kubernetes"]
async fn up_is_repeatable_heals_after_a_kill_and_down_ends_it_all() {
    let root = tempfile::tempdir().unwrap();
    let directory = root.path().join("cluster");
    assert_eq!(Node::status(&directory).await.unwrap(), None);
    Node::down(&directory, Data::Delete).await.unwrap();
    assert!(!directory.exists(), "asking makes nothing");

    let _taken_down = TakenDown(&directory);
    let node = Node::up(&directory, NodeOptions::default()).await.unwrap();
    node.api()
        .post(CONFIG_MAPS, &json!({ "metadata": { "name": "kept" } }))
        .await
        .unwrap();
    let first = pids(&directory).await;
    assert!(first.values().all(Option::is_some), "{first:?}");
    let kubeconfig = fs::read(node.kubeconfig()).unwrap();

    let again = Node::up(&directory, NodeOptions::default()).await.unwrap();
    assert_eq!(pids(&directory).await, first, "nothing was started twice");
    assert_eq!(fs::read(again.kubeconfig()).unwrap(), kubeconfig);

    for part in ["kube-apiserver", "etcd"] {
        let pid = first[part].unwrap();
        kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
        while is_alive(pid) {
            tokio::task::yield_now().await;
        }
    }
    let healed = Node::up(&directory, NodeOptions::default()).await.unwrap();
    let second = pids(&directory).await;
    assert_ne!(second["etcd"], first["etcd"]);
    assert_ne!(second["kube-apiserver"], first["kube-apiserver"]);
    assert_eq!(
        second["kube-controller-manager"],
        first["kube-controller-manager"]
    );
    assert_eq!(healed.url(), node.url());
    healed.api().get(&format!("{CONFIG_MAPS}/kept")).await.unwrap();

    Node::down(&directory, Data::Keep).await.unwrap();
    let all: Vec<i32> = first
        .into_values()
        .chain(second.into_values())
        .flatten()
        .collect();
    assert!(!all.into_iter().any(is_alive));
    let status = Node::status(&directory).await.unwrap().unwrap();
    assert!(!status.ready && status.parts.iter().all(|part| part.pid.is_none()));

    let back = Node::up(&directory, NodeOptions::default()).await.unwrap();
    back.api().get(&format!("{CONFIG_MAPS}/kept")).await.unwrap();
    let third = pids(&directory).await;
    Node::down(&directory, Data::Delete).await.unwrap();
    assert!(!third.into_values().flatten().any(is_alive));
    assert!(!directory.exists());
    Node::down(&directory, Data::Delete).await.unwrap();
}

#[tokio::test]
#[ignore = "builds Kubernetes once, a quarter of an hour: cargo xtask test --kubernetes"]
async fn a_directory_with_something_else_in_it_is_refused_and_never_deleted() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("letter.txt"), "dear").unwrap();
    let error = Node::up(root.path(), NodeOptions::default()).await.unwrap_err();
    assert!(matches!(&error, KubeError::Io { source, .. } if source.to_string().contains("empty directory")));
    Node::down(root.path(), Data::Delete).await.unwrap();
    assert!(root.path().join("letter.txt").exists());
}
