//! Says of every pod that it is ready, as a kubelet would. The controllers above it are real.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, ListParams, Patch, PatchParams};
use kube::{Client, ResourceExt};
use serde_json::json;
use tokio::task::JoinHandle;

/// Works until it is dropped.
pub struct Kubelet {
    task: JoinHandle<()>,
    broken: Arc<Mutex<BTreeSet<String>>>,
}

impl Kubelet {
    pub fn start(client: Client, namespace: String) -> Self {
        let broken = Arc::new(Mutex::new(BTreeSet::new()));
        let task = tokio::spawn(work(client, namespace, Arc::clone(&broken)));
        Self { task, broken }
    }

    /// Pods with this image never become ready.
    pub fn break_image(&self, image: &str) {
        self.broken.lock().unwrap().insert(image.to_owned());
    }

    pub fn repair(&self) {
        self.broken.lock().unwrap().clear();
    }
}

impl Drop for Kubelet {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn work(client: Client, namespace: String, broken: Arc<Mutex<BTreeSet<String>>>) {
    let pods: Api<Pod> = Api::namespaced(client, &namespace);
    loop {
        for pod in pods
            .list(&ListParams::default())
            .await
            .map(|list| list.items)
            .unwrap_or_default()
        {
            let ready = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
            let ready =
                ready.is_some_and(|all| all.iter().any(|one| one.type_ == "Ready" && one.status == "True"));
            let image = pod
                .spec
                .as_ref()
                .and_then(|spec| spec.containers.first()?.image.clone());
            let is_broken = broken.lock().unwrap().contains(&image.unwrap_or_default());
            if ready || is_broken || pod.metadata.deletion_timestamp.is_some() {
                continue;
            }
            let status = json!({ "status": {
                "phase": "Running",
                "conditions": [{ "type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z" }],
            } });
            // A pod that is gone by now needs no status.
            let _ = pods
                .patch_status(&pod.name_any(), &PatchParams::default(), &Patch::Merge(&status))
                .await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
