//! The resource as it is watched and read.

use kube::api::{Api, DynamicObject};
use kube::core::DeserializeGuard;
use kube::{Client, Resource};
use wahook_crds::{WhatsAppWebhook, WhatsAppWebhookStatus};

use crate::api_error::ApiError;

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
        /// The resource without its contents; its status as far as that can be read.
        shell: Box<DynamicObject>,
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
    let kind = kube::api::ApiResource::erase::<WhatsAppWebhook>(&());
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
                shell: Box::new(DynamicObject {
                    types: object.types,
                    metadata: object.metadata,
                    data: serde_json::Value::Null,
                }),
                status: Box::new(status),
                message: error.to_string(),
            }
        }
    }
}

/// The API version and kind of the resource.
pub fn type_of() -> (String, String) {
    (
        WhatsAppWebhook::api_version(&()).into_owned(),
        WhatsAppWebhook::kind(&()).into_owned(),
    )
}
