//! Namespace and name: tokens of every subject, and the beginning of every child's name.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::Resource as _;
use wahook_crds::{LONGEST_NAME, WhatsAppWebhook};

use super::check::Check;

/// What a resource is called.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) namespace: String,
    pub(super) name: String,
}

/// Reads the names. Both are checked again, although the API server refused what is no DNS label: subjects,
/// stream names and queries are made of them.
pub(super) fn read(resource: &WhatsAppWebhook, check: &mut Check) -> Names {
    let name = resource.metadata.name.clone().unwrap_or_default();
    let namespace = resource.metadata.namespace.clone().unwrap_or_default();
    if !is_label(&name) || !name.starts_with(|first: char| first.is_ascii_lowercase()) {
        check.invalid(format!(
            "metadata.name must be a DNS label of at most {LONGEST_NAME} characters that begins with a letter: \
             lower-case letters, digits and '-'. It becomes part of every subject and of a Service's name"
        ));
    }
    if !is_label(&namespace) {
        check.invalid(format!(
            "metadata.namespace must have at most {LONGEST_NAME} characters: it becomes part of every subject. \
             Create the resource in a namespace with a shorter name"
        ));
    }
    Names { namespace, name }
}

fn is_label(text: &str) -> bool {
    (1..=LONGEST_NAME).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

impl Names {
    /// What children name as their owner. Without a UID, which only the API server gives, for `render`.
    pub(super) fn owner(&self, resource: &WhatsAppWebhook) -> OwnerReference {
        OwnerReference {
            api_version: WhatsAppWebhook::api_version(&()).into_owned(),
            kind: WhatsAppWebhook::kind(&()).into_owned(),
            name: self.name.clone(),
            uid: resource.metadata.uid.clone().unwrap_or_default(),
            controller: Some(true),
            block_owner_deletion: Some(true),
        }
    }
}
