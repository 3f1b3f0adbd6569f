//! The resource as it is watched and read.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Client;
use kube::api::{Api, ApiResource, DynamicObject};
use kube::core::DeserializeGuard;
use wahook_crds::{WhatsAppWebhook, WhatsAppWebhookStatus};

use crate::api_error::{ApiError, shorten};

/// A resource that may have been stored before a rule was tightened. One that cannot be read stops no other.
pub type Guarded = DeserializeGuard<WhatsAppWebhook>;

/// A resource as the API server has it now.
#[derive(Clone, Debug)]
pub enum Seen {
    /// It is gone or going.
    Gone,
    /// It can be read.
    Readable(Box<WhatsAppWebhook>),
    /// It cannot.
    Unreadable {
        /// Its metadata.
        metadata: Box<ObjectMeta>,
        /// Its status, as far as that can be read.
        status: Box<WhatsAppWebhookStatus>,
        /// Why not.
        message: String,
    },
}

/// Reads a resource.
///
/// # Errors
/// When the API server does not answer.
pub async fn read(client: &Client, namespace: &str, name: &str) -> Result<Seen, ApiError> {
    let kind = ApiResource::erase::<WhatsAppWebhook>(&());
    let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace, &kind);
    let Some(object) = api.get_opt(name).await.map_err(ApiError::from)? else {
        return Ok(Seen::Gone);
    };
    if object.metadata.deletion_timestamp.is_some() {
        return Ok(Seen::Gone);
    }
    Ok(parse(object))
}

fn parse(object: DynamicObject) -> Seen {
    match object.clone().try_parse::<WhatsAppWebhook>() {
        Ok(resource) => Seen::Readable(Box::new(resource)),
        Err(error) => {
            let status = serde_json::from_value(object.data["status"].clone()).unwrap_or_default();
            Seen::Unreadable {
                metadata: Box::new(object.metadata),
                status: Box::new(status),
                message: shorten(&error.to_string(), 400),
            }
        }
    }
}
