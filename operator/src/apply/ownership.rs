//! Whose object something is, and what of it is whose. Pure.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::api::DynamicObject;

use crate::names::FIELD_MANAGER;

/// Whether the resource with this uid is the object's controller. A name alone proves nothing.
pub fn is_ours(metadata: &ObjectMeta, owner_uid: &str) -> bool {
    is_controller(
        metadata.owner_references.as_deref().unwrap_or_default(),
        owner_uid,
    )
}

/// Whether the resource with this uid is the controller among the owners.
pub fn is_controller(owners: &[OwnerReference], uid: &str) -> bool {
    owners
        .iter()
        .any(|owner| owner.uid == uid && owner.controller == Some(true))
}

/// Whether `spec.replicas` is among the fields that we applied last.
pub fn owns_replicas(deployment: &DynamicObject) -> bool {
    deployment
        .metadata
        .managed_fields
        .iter()
        .flatten()
        .filter(|entry| {
            entry.manager.as_deref() == Some(FIELD_MANAGER)
                && entry.operation.as_deref() == Some("Apply")
                && entry.subresource.as_deref().unwrap_or_default().is_empty()
        })
        .filter_map(|entry| entry.fields_v1.as_ref())
        .any(|fields| fields.0.pointer("/f:spec/f:replicas").is_some())
}

/// How many pods a Deployment asks for.
pub fn replicas(deployment: &DynamicObject) -> i64 {
    deployment.data["spec"]["replicas"].as_i64().unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(metadata: &serde_json::Value) -> DynamicObject {
        serde_json::from_value(json!({ "metadata": metadata })).unwrap()
    }

    #[test]
    fn only_the_controller_of_this_uid_is_the_owner() {
        let owned = |uid: &str, controller: Option<bool>| {
            object(&json!({ "ownerReferences": [{
                "apiVersion": "wahook.dev/v1alpha1", "kind": "WhatsAppWebhook", "name": "shop",
                "uid": uid, "controller": controller,
            }] }))
        };
        assert!(is_ours(&owned("u", Some(true)).metadata, "u"));
        assert!(!is_ours(&owned("u", None).metadata, "u"));
        assert!(!is_ours(&owned("u", Some(false)).metadata, "u"));
        assert!(!is_ours(&owned("former", Some(true)).metadata, "u"));
        assert!(!is_ours(&object(&json!({ "name": "shop" })).metadata, "u"));
    }

    #[test]
    fn replicas_are_ours_only_as_we_applied_them() {
        let managed = |manager: &str, operation: &str, subresource: &str, fields: serde_json::Value| {
            owns_replicas(&object(&json!({ "managedFields": [{
                "manager": manager, "operation": operation, "subresource": subresource,
                "fieldsType": "FieldsV1", "fieldsV1": fields, "apiVersion": "apps/v1",
            }] })))
        };
        let replicas = json!({ "f:spec": { "f:replicas": {} } });
        assert!(managed(FIELD_MANAGER, "Apply", "", replicas.clone()));
        assert!(!managed("kubectl", "Apply", "", replicas.clone()));
        assert!(!managed(FIELD_MANAGER, "Update", "", replicas.clone()));
        assert!(!managed(FIELD_MANAGER, "Apply", "scale", replicas));
        assert!(!managed(
            FIELD_MANAGER,
            "Apply",
            "",
            json!({ "f:spec": { "f:template": {} } })
        ));
    }
}
