//! Disks for pods: directories of the node, offered as volumes of the default class.
//!
//! There are a few, made in advance: nothing provisions them. A claim gets a whole one, whatever size it asks for up to
//! that of a volume. They belong to root, as a cloud's disks do, so that a pod has to ask for what it needs (`fsGroup`).

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::api::Api;
use super::error::KubeError;
use super::worker::NODE_NAME;

/// The default class.
const CLASS: &str = "local";
/// How many volumes are offered at any time.
const OFFERED: usize = 4;
/// What each pretends to hold.
const SIZE: &str = "20Gi";
const VOLUMES: &str = "/api/v1/persistentvolumes";

/// Offers volumes below `directory`: deletes those that were released, with what is in them, and adds what is missing.
pub(crate) async fn offer(api: &Api, directory: &Path) -> Result<(), KubeError> {
    let class = json!({
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {
            "name": CLASS,
            "annotations": { "storageclass.kubernetes.io/is-default-class": "true" },
        },
        "provisioner": "kubernetes.io/no-provisioner",
        "volumeBindingMode": "WaitForFirstConsumer",
    });
    api.apply(&format!("/apis/storage.k8s.io/v1/storageclasses/{CLASS}"), &class)
        .await?;
    let listed = api.get(VOLUMES).await?;
    let volumes = listed["items"].as_array().cloned().unwrap_or_default();
    let mut free = 0;
    let mut taken = Vec::new();
    for volume in volumes
        .iter()
        .filter(|volume| volume["spec"]["storageClassName"] == CLASS)
    {
        let name = volume["metadata"]["name"].as_str().unwrap_or_default();
        taken.push(name.to_owned());
        match volume["status"]["phase"].as_str() {
            Some("Released" | "Failed") => {
                api.delete(&format!("{VOLUMES}/{name}")).await?;
                let path = directory.join(name);
                fs::remove_dir_all(&path).map_err(KubeError::io(format!("empty {}", path.display())))?;
            }
            Some("Bound") => {}
            _ => free += 1,
        }
    }
    let names = (0..).map(|number| format!("disk-{number}"));
    for name in names
        .filter(|name| !taken.contains(name))
        .take(OFFERED.saturating_sub(free))
    {
        let path = directory.join(&name);
        fs::create_dir_all(&path).map_err(KubeError::io(format!("make {}", path.display())))?;
        api.apply(&format!("{VOLUMES}/{name}"), &volume(&name, &path))
            .await?;
    }
    Ok(())
}

fn volume(name: &str, path: &Path) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": { "name": name },
        "spec": {
            "storageClassName": CLASS,
            "capacity": { "storage": SIZE },
            "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Retain",
            "local": { "path": path },
            "nodeAffinity": { "required": { "nodeSelectorTerms": [{ "matchExpressions": [
                { "key": "kubernetes.io/hostname", "operator": "In", "values": [NODE_NAME] },
            ] }] } },
        },
    })
}
