//! The only place that changes anything in the cluster.
//!
//! A create never touches an object that exists, a change and a deletion never one that is not the one we saw.
//! So a look that is a moment old can cost a retry and never someone else's object.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{
    ApiResource, DeleteParams, DynamicObject, Patch, PatchParams, PostParams, Preconditions,
    PropagationPolicy, Request,
};
use kube::{Client, Resource};
use serde_json::{Value, json};
use wahook_crds::{WhatsAppWebhook, WhatsAppWebhookStatus};
use wahook_telemetry::trace::Tracing;

use crate::api_error::ApiError;
use crate::leader::Fence;
use crate::metrics::Metrics;
use crate::names::{FIELD_MANAGER, REPLICAS_MANAGER};

/// Writes to the API server.
#[derive(Clone)]
pub struct Writer {
    client: Client,
    metrics: Arc<Metrics>,
    fence: Fence,
    tracing: Tracing,
}

/// What a request changes, for the metric.
#[derive(Clone, Copy)]
struct Subject<'a> {
    verb: &'static str,
    kind: &'a str,
}

impl Writer {
    /// A writer that counts what it writes, and writes only while `fence` is open.
    pub fn new(client: Client, metrics: Arc<Metrics>, fence: Fence) -> Self {
        Self {
            client,
            metrics,
            fence,
            tracing: Tracing::off(),
        }
    }

    /// Makes a span of each write.
    #[must_use]
    pub fn with_tracing(self, tracing: Tracing) -> Self {
        Self { tracing, ..self }
    }

    /// Creates an object. If one of that name exists, nothing happens to it.
    ///
    /// # Errors
    /// [`ApiError::Raced`] when it exists.
    pub async fn create(
        &self,
        kind: &ApiResource,
        object: &DynamicObject,
    ) -> Result<DynamicObject, ApiError> {
        let mut object = object.clone();
        // No object has this version, and an apply that creates one asks for none.
        object.metadata.resource_version = Some("0".to_owned());
        self.apply("create", kind, &object, FIELD_MANAGER).await
    }

    /// Makes an object that exists what it should be. `uid` is the one that was seen.
    ///
    /// # Errors
    /// [`ApiError::Raced`] when it is another object by now.
    pub async fn update(
        &self,
        kind: &ApiResource,
        object: &DynamicObject,
        uid: &str,
    ) -> Result<DynamicObject, ApiError> {
        let mut object = object.clone();
        object.metadata.uid = Some(uid.to_owned());
        self.apply("apply", kind, &object, FIELD_MANAGER).await
    }

    /// Sets how many pods a Deployment asks for, in the name of the manager that an autoscaler takes it over from.
    ///
    /// # Errors
    /// [`ApiError::Raced`] when it is another object by now.
    pub async fn replicas(
        &self,
        kind: &ApiResource,
        seen: &DynamicObject,
        replicas: i64,
    ) -> Result<DynamicObject, ApiError> {
        let mut object = DynamicObject::new(seen.metadata.name.as_deref().unwrap_or_default(), kind);
        object.metadata.namespace.clone_from(&seen.metadata.namespace);
        object.metadata.uid.clone_from(&seen.metadata.uid);
        object.data = json!({ "spec": { "replicas": replicas } });
        self.apply("scale", kind, &object, REPLICAS_MANAGER).await
    }

    /// Deletes exactly the object that was seen, as it was seen.
    ///
    /// # Errors
    /// [`ApiError::Raced`] when it changed since. That it is gone already is no error.
    pub async fn delete(&self, kind: &ApiResource, seen: &DynamicObject) -> Result<(), ApiError> {
        let parameters = DeleteParams {
            propagation_policy: Some(PropagationPolicy::Background),
            preconditions: Some(Preconditions {
                uid: seen.metadata.uid.clone(),
                resource_version: seen.metadata.resource_version.clone(),
            }),
            ..DeleteParams::default()
        };
        let name = seen.metadata.name.as_deref().unwrap_or_default();
        let request = path(kind, seen).delete(name, &parameters);
        let subject = Subject {
            verb: "delete",
            kind: &kind.kind,
        };
        match self.send(subject, request).await {
            Ok(_) | Err(ApiError::NotFound) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Creates the Secret with generated values. It is never written again.
    ///
    /// # Errors
    /// [`ApiError::Raced`] when one of that name exists. No error repeats what the API server says about it.
    pub async fn create_secret(&self, secret: &Secret) -> Result<(), ApiError> {
        let namespace = secret.metadata.namespace.as_deref();
        let body = serde_json::to_vec(secret).map_err(|_| ApiError::Unreadable)?;
        let request = Request::new(Secret::url_path(&(), namespace)).create(&post(), body);
        let subject = Subject {
            verb: "create",
            kind: "Secret",
        };
        match self.send(subject, request).await {
            Ok(_) => Ok(()),
            Err(ApiError::Refused { code, .. }) => Err(ApiError::Refused {
                code,
                message: "see the API server's log".to_owned(),
            }),
            Err(error) => Err(error),
        }
    }

    /// Writes the status of a resource.
    ///
    /// # Errors
    /// [`ApiError::NotFound`] or [`ApiError::Raced`] when the resource was deleted.
    pub async fn status(
        &self,
        metadata: &ObjectMeta,
        status: &WhatsAppWebhookStatus,
    ) -> Result<(), ApiError> {
        let body: Value = json!({
            "apiVersion": WhatsAppWebhook::api_version(&()),
            "kind": WhatsAppWebhook::kind(&()),
            "metadata": { "name": metadata.name, "namespace": metadata.namespace, "uid": metadata.uid },
            "status": status,
        });
        let request = Request::new(WhatsAppWebhook::url_path(&(), metadata.namespace.as_deref()))
            .patch_subresource(
                "status",
                metadata.name.as_deref().unwrap_or_default(),
                &PatchParams::apply(FIELD_MANAGER).force(),
                &Patch::Apply(&body),
            );
        let subject = Subject {
            verb: "status",
            kind: "WhatsAppWebhook",
        };
        self.send(subject, request).await.map(drop)
    }

    async fn apply(
        &self,
        verb: &'static str,
        kind: &ApiResource,
        object: &DynamicObject,
        manager: &str,
    ) -> Result<DynamicObject, ApiError> {
        let name = object.metadata.name.as_deref().unwrap_or_default();
        let parameters = PatchParams::apply(manager).force();
        let request = path(kind, object).patch(name, &parameters, &Patch::Apply(object));
        let answer = self
            .send(
                Subject {
                    verb,
                    kind: &kind.kind,
                },
                request,
            )
            .await?;
        serde_json::from_str(&answer).map_err(|_| ApiError::Unreadable)
    }

    /// Every write of the operator to the API server, but for Events and the lease.
    async fn send(
        &self,
        subject: Subject<'_>,
        request: Result<http::Request<Vec<u8>>, kube::core::request::Error>,
    ) -> Result<String, ApiError> {
        if !self.fence.is_open() {
            return Err(ApiError::NotLeading);
        }
        let request = request.map_err(kube::Error::BuildRequest)?;
        let span = self.tracing.call("write");
        span.set("wahook.verb", subject.verb);
        span.set("wahook.kind", subject.kind.to_owned());
        let result = self.client.request_text(request).await;
        self.metrics.wrote(subject.verb, subject.kind, result.is_ok());
        result.map_err(|error| {
            let error = ApiError::from(error);
            span.fail(error.category());
            error
        })
    }
}

fn path(kind: &ApiResource, object: &DynamicObject) -> Request {
    Request::new(DynamicObject::url_path(
        kind,
        object.metadata.namespace.as_deref(),
    ))
}

fn post() -> PostParams {
    PostParams {
        field_manager: Some(FIELD_MANAGER.to_owned()),
        ..PostParams::default()
    }
}
