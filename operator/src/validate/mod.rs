//! From a resource and the operator's settings to a [`Validated`], or every reason why not. Pure.
//!
//! The API server has refused most wrong resources already. What is left are rules that CEL cannot express,
//! whatever the operator's flags allow, and objects that were stored before a rule was tightened: nothing
//! behind this step parses a text again, and no receiver is started with a setting it would refuse.
//!
//! ```text
//! names  references  route  secrets  broker  limits  tracing  receiver      each reads its part and notes every problem (check)
//! ```

mod broker;
mod check;
mod limits;
mod model;
mod names;
mod receiver;
mod references;
mod route;
mod secrets;
mod tracing;

pub use model::{
    Limits, NatsTarget, Refusal, Route, Scale, SecretFile, StreamKeeper, StreamPlan, TlsSource, Validated,
    Via,
};

use wahook_crds::WhatsAppWebhook;

use crate::settings::Settings;
use check::Check;

/// Reads a resource.
///
/// # Errors
/// Every reason why it cannot be followed, in the order of its fields.
pub fn validate(resource: &WhatsAppWebhook, settings: &Settings) -> Result<Validated, Vec<Refusal>> {
    let mut check = Check::default();
    let spec = &resource.spec;
    let names = names::read(resource, &mut check);
    references::read(spec, &mut check);
    let route = route::read(&names, &spec.endpoint, settings, &mut check);
    let secrets = secrets::read(&names.name, spec, settings.secret_access, &mut check);
    let (nats, stream) = broker::read(&names, spec, settings, &mut check);
    let limits = limits::read(spec, &mut check);
    let scrape_interval = limits::scrape_interval(&spec.monitoring, &mut check);
    let tracing = tracing::read(&spec.monitoring, settings, &mut check);
    let receiver = receiver::read(spec, settings, &mut check);
    check.finish(Validated {
        generation: resource.metadata.generation.unwrap_or_default(),
        owner: names.owner(resource),
        namespace: names.namespace,
        name: names.name,
        route,
        secrets: secrets.files,
        generates_secret: secrets.generated,
        verify_token: secrets.verify_token,
        nats,
        stream,
        limits,
        scrape_interval,
        tracing,
        scale: receiver.scale,
        image: receiver.image,
        pull_secrets: receiver.pull_secrets,
        spec: spec.clone(),
    })
}
