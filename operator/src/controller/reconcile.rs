//! One look at one resource, and everything it leads to.

use std::sync::Arc;

use futures_util::future::join;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::runtime::controller::Action;
use tokio::time::timeout;
use tracing::warn;
use wahook_crds::WhatsAppWebhookStatus;
use wahook_crds::conditions::{ConditionType, Reason};

use super::context::{Context, now};
use super::error::Error;
use super::{events, pace};
use crate::api_error::ApiError;
use crate::apply::{Desired, apply};
use crate::build::{GeneratedSecret, build, generated_secret};
use crate::metrics::Result as Outcome;
use crate::observe::{SecretState, Subject, observe};
use crate::resource::{Guarded, Seen, read};
use crate::status::{Facts, begin, conclude, refuse};
use crate::streams::look_after;
use crate::validate::{Refusal, validate};

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
    let result = timeout(deadline, look(&namespace, &name, &key, &context))
        .await
        .unwrap_or(Err(Error::TooLong(deadline)));
    match &result {
        Ok(action) => {
            context.backoff.succeeded(&key);
            let waits = *action == Action::await_change();
            running.end(if waits {
                Outcome::Success
            } else {
                Outcome::RequeueAfter
            });
        }
        Err(error) => {
            warn!(webhook = key, %error, "could not be done, and will be tried again");
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
        Seen::Gone => return Ok(Action::await_change()),
        Seen::Readable(resource) => resource,
        Seen::Unreadable {
            metadata,
            status,
            message,
        } => {
            let refusal = Refusal {
                condition: ConditionType::Stalled,
                reason: Reason::InvalidSpec,
                message,
            };
            let generation = metadata.generation.unwrap_or_default();
            let after = refuse(generation, &status, &[refusal], &now());
            write_status(context, &metadata, &status, &after).await?;
            return Ok(Action::await_change());
        }
    };
    let generation = resource.metadata.generation.unwrap_or_default();
    let mut before = resource.status.clone().unwrap_or_default();
    if before.conditions.is_empty() {
        let first = begin(generation, &now());
        write_status(context, &resource.metadata, &before, &first).await?;
        before = first;
        resource.status = Some(before.clone());
    }

    let validated = match validate(&resource, &context.settings) {
        Ok(validated) => validated,
        Err(refusals) => {
            let after = refuse(generation, &before, &refusals, &now());
            write_status(context, &resource.metadata, &before, &after).await?;
            return Ok(Action::await_change());
        }
    };
    let uid = resource.metadata.uid.clone().unwrap_or_default();
    let subject = Subject {
        namespace,
        name,
        uid: &uid,
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

    let claim = context.claim(&resource, &validated);
    let mut children = build(&validated, &context.settings);
    children.retain(|child| claim.is_held() || !child.kind.is_route());
    let generated = if validated.generates_secret && observed.generated == SecretState::Absent {
        let values = GeneratedSecret::random().map_err(|_| Error::NoRandomNumbers)?;
        Some(generated_secret(&validated, &values.token, &values.probe_key))
    } else {
        None
    };

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
    let applied = applied?;

    let now = now();
    let status = conclude(&Facts {
        resource: &resource,
        validated: &validated,
        observed: &observed,
        applied: &applied,
        stream: &stream,
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
