//! One look at one resource, and everything it leads to.

use std::sync::Arc;

use futures_util::future::join;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::runtime::controller::Action;
use tokio::time::timeout;
use tracing::warn;
use wahook_crds::conditions::{ConditionType, Reason};
use wahook_crds::{SecretKeyRef, WhatsAppWebhook, WhatsAppWebhookStatus};

use super::context::{Context, now};
use super::error::Error;
use super::{events, pace};
use crate::api_error::ApiError;
use crate::apply::{Desired, apply, withdraw_routes};
use crate::build::{GeneratedSecret, build, generated_secret, without_route};
use crate::hosts;
use crate::metrics::Result as Outcome;
use crate::observe::{Observed, SecretState, Subject, observe};
use crate::resource::{Guarded, Seen, read};
use crate::settings::SecretAccess;
use crate::status::{Facts, begin, conclude, refuse};
use crate::streams::look_after;
use crate::validate::{Refusal, Validated, validate};

/// Makes the cluster what one resource says, as far as that is possible now.
///
/// # Errors
/// When it has to be tried again.
pub async fn reconcile(resource: Arc<Guarded>, context: Arc<Context>) -> Result<Action, Error> {
    let metadata = kube::Resource::meta(&*resource);
    let namespace = metadata.namespace.clone().unwrap_or_default();
    let name = metadata.name.clone().unwrap_or_default();
    let key = format!("{namespace}/{name}");
    let running = context.metrics.begin();
    let deadline = context.timing.deadline;
    let span = context.tracing.work("reconcile");
    span.set("k8s.namespace.name", namespace.clone());
    span.set("wahook.webhook", name.clone());
    let work = Box::pin(span.scope(look(&namespace, &name, &key, &context)));
    let result = timeout(deadline, work)
        .await
        .unwrap_or(Err(Error::TooLong(deadline)));
    context.metrics.set_rollouts(context.rollouts.count());
    match &result {
        Ok(action) => {
            context.backoff.succeeded(&key);
            let waits = *action == Action::await_change();
            let outcome = if waits {
                Outcome::Success
            } else {
                Outcome::RequeueAfter
            };
            span.set("wahook.outcome", outcome.as_str());
            running.end(outcome);
        }
        Err(error) => {
            warn!(webhook = key, %error, "could not be done, and will be tried again");
            span.set("wahook.outcome", Outcome::Error.as_str());
            span.fail(error.category());
            context.metrics.failed(error.category());
            running.end(Outcome::Error);
        }
    }
    result
}

/// What happens after a failure.
#[allow(clippy::needless_pass_by_value, reason = "the shape that kube calls")]
pub fn after_failure(resource: Arc<Guarded>, _: &Error, context: Arc<Context>) -> Action {
    let metadata = kube::Resource::meta(&*resource);
    let key = format!(
        "{}/{}",
        metadata.namespace.as_deref().unwrap_or_default(),
        metadata.name.as_deref().unwrap_or_default()
    );
    Action::requeue(context.backoff.failed(&key))
}

/// The steps.
async fn look(namespace: &str, name: &str, key: &str, context: &Context) -> Result<Action, Error> {
    let mut resource = match read(&context.client, namespace, name).await? {
        Seen::Gone => {
            context.rollouts.forget(key);
            return Ok(Action::await_change());
        }
        Seen::Readable(resource) => resource,
        Seen::Unreadable {
            metadata,
            status,
            message,
        } => return unreadable(key, &metadata, &status, message, context).await,
    };
    let generation = resource.metadata.generation.unwrap_or_default();
    let mut before = resource.status.clone().unwrap_or_default();
    if before.conditions.is_empty() {
        let first = begin(generation, &now());
        write_status(context, &resource.metadata, &before, &first).await?;
        before = first;
        resource.status = Some(before.clone());
    }

    let uid = resource.metadata.uid.clone().unwrap_or_default();
    let subject = Subject {
        namespace,
        name,
        uid: &uid,
    };
    let validated = match validate(&resource, &context.settings) {
        Ok(validated) => validated,
        Err(refusals) => return decline(key, subject, &resource, &before, &refusals, context).await,
    };
    let kinds = context.kinds.installed();
    let observed = observe(
        &context.client,
        subject,
        Some(&validated),
        context.settings.secret_access,
        &kinds,
    )
    .await?;

    context.until_read().await;
    let claim = context.claim(&resource, &validated);
    let children = build(&validated, &context.settings);
    let children = if claim.is_held() {
        children
    } else {
        without_route(children)
    };
    let generated = generate(&validated, &observed)?;
    let desired = Desired {
        key,
        generation: validated.generation,
        children: &children,
        generated: generated.as_ref(),
        scale: validated.scale,
    };
    let (applied, stream) = join(
        apply(&context.writer, &context.rollouts, &desired, &observed),
        look_after(&*context.streams, &validated, &uid),
    )
    .await;
    context.metrics.set_stream(namespace, name, stream.usage);
    events::tell_written(context, &resource.metadata, &stream.written).await;
    let applied = applied?;
    if applied.generated_created && had_generated_token(&resource, &before, &validated.verify_token) {
        events::tell_regenerated(context, &resource.metadata, &validated.verify_token.name).await;
    }

    let now = now();
    let status = conclude(&Facts {
        resource: &resource,
        validated: &validated,
        observed: &observed,
        applied: &applied,
        stream: &stream,
        seen: context.sightings.of(key).as_ref(),
        endpoint: context.probes.of(key, &validated.route.url()).as_ref(),
        claim: &claim,
        settings: &context.settings,
        now: now.clone(),
    });
    write_status(context, &resource.metadata, &before, &status).await?;
    if let Some(trouble) = applied.trouble {
        // Told by now. What comes back by itself is asked for again, ever less often.
        return Err(trouble.into());
    }
    Ok(Action::requeue(pace::pause(
        &status,
        &validated.route.tls,
        &now,
        context.settings.resync,
    )))
}

/// The Secret with the verify token and the probe key, when it has to be made.
fn generate(validated: &Validated, observed: &Observed) -> Result<Option<Secret>, Error> {
    if !validated.generates_secret || observed.generated != SecretState::Absent {
        return Ok(None);
    }
    let values = GeneratedSecret::random().map_err(|_| Error::NoRandomNumbers)?;
    Ok(Some(generated_secret(
        validated,
        &values.token,
        &values.probe_key,
    )))
}

/// Whether Meta may have been given a token that the operator made. A user's own is in another Secret, and then only the
/// probe key was lost with the generated one.
fn had_generated_token(
    resource: &WhatsAppWebhook,
    before: &WhatsAppWebhookStatus,
    now: &SecretKeyRef,
) -> bool {
    resource.spec.meta.verify_token.is_none() && before.verify_token_secret.as_ref() == Some(now)
}

/// Says that a resource cannot even be read.
async fn unreadable(
    key: &str,
    metadata: &ObjectMeta,
    before: &WhatsAppWebhookStatus,
    message: String,
    context: &Context,
) -> Result<Action, Error> {
    context.rollouts.forget(key);
    let refusal = Refusal {
        condition: ConditionType::Stalled,
        reason: Reason::InvalidSpec,
        message,
    };
    let generation = metadata.generation.unwrap_or_default();
    let after = refuse(generation, before, &[refusal], &now());
    write_status(context, metadata, before, &after).await?;
    Ok(Action::await_change())
}

/// Says why a resource cannot be followed. Its last good children run on.
///
/// It even keeps a host that it was given before the flags said otherwise, but not once someone asks for it who may have it.
async fn decline(
    key: &str,
    subject: Subject<'_>,
    resource: &WhatsAppWebhook,
    before: &WhatsAppWebhookStatus,
    refusals: &[Refusal],
    context: &Context,
) -> Result<Action, Error> {
    context.rollouts.forget(key);
    let generation = resource.metadata.generation.unwrap_or_default();
    let mut after = refuse(generation, before, refusals, &now());
    let may_not = hosts::given(resource).filter(|host| !context.settings.allow.host(subject.namespace, host));
    let mut action = Action::await_change();
    if let Some(host) = may_not {
        context.until_read().await;
        if context.is_wanted(resource, host) {
            let kinds = context.kinds.installed();
            let observed = observe(&context.client, subject, None, SecretAccess::None, &kinds).await?;
            withdraw_routes(&context.writer, key, &observed).await?;
            after.callback_url = None;
        } else {
            action = Action::requeue(pace::HOST);
        }
    }
    write_status(context, &resource.metadata, before, &after).await?;
    Ok(action)
}

/// Writes a status and tells what turned, when it says something new.
async fn write_status(
    context: &Context,
    metadata: &ObjectMeta,
    before: &WhatsAppWebhookStatus,
    after: &WhatsAppWebhookStatus,
) -> Result<(), Error> {
    if before == after {
        return Ok(());
    }
    match context.writer.status(metadata, after).await {
        // Deleted while it was looked at: nobody is left to be told.
        Err(ApiError::NotFound | ApiError::Raced) => Ok(()),
        Err(error) => Err(error.into()),
        Ok(()) => {
            events::tell(context, metadata, before, after).await;
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_token_that_was_made_can_be_made_again() {
        let webhook = |verify_token: serde_json::Value| -> WhatsAppWebhook {
            serde_json::from_value(json!({
                "apiVersion": "wahook.dev/v1alpha1", "kind": "WhatsAppWebhook",
                "metadata": { "namespace": "shop", "name": "main" },
                "spec": {
                    "endpoint": { "host": "hooks.example.com" },
                    "meta": {
                        "appSecrets": [{ "name": "meta-app", "key": "app-secret" }],
                        "verifyToken": verify_token,
                    },
                },
            }))
            .unwrap()
        };
        let at = |name: &str| SecretKeyRef {
            name: name.to_owned(),
            key: "verify-token".to_owned(),
        };
        let told = |name: &str| WhatsAppWebhookStatus {
            verify_token_secret: Some(at(name)),
            ..WhatsAppWebhookStatus::default()
        };
        let made = webhook(json!(null));
        let own = webhook(json!({ "name": "meta-app", "key": "verify-token" }));
        let (made_at, own_at) = (at("main-webhook"), at("meta-app"));
        assert!(had_generated_token(&made, &told("main-webhook"), &made_at));
        assert!(!had_generated_token(&own, &told("meta-app"), &own_at));
        // None was given to Meta before, or another.
        assert!(!had_generated_token(
            &made,
            &WhatsAppWebhookStatus::default(),
            &made_at
        ));
        assert!(!had_generated_token(&made, &told("meta-app"), &made_at));
    }
}
