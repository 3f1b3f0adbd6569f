//! `spec.monitoring.tracing`: where receivers send spans.

use wahook_crds::Monitoring;
use wahook_crds::conditions::{ConditionType, Reason};
use wahook_telemetry::trace::{Endpoint, SampleRatio, TraceSettings};

use super::check::Check;
use crate::settings::Settings;

/// Reads where receivers send spans.
pub(super) fn read(monitoring: &Monitoring, settings: &Settings, check: &mut Check) -> Option<TraceSettings> {
    let wanted = monitoring.tracing.as_ref()?;
    // What cannot be read is not repeated: it may hold a password.
    let endpoint = wanted
        .endpoint
        .parse::<Endpoint>()
        .map_err(|error| check.invalid(format!("monitoring.tracing.endpoint: {error}")));
    let sample_ratio = wanted
        .sample_ratio
        .parse::<SampleRatio>()
        .map_err(|error| check.invalid(format!("monitoring.tracing.sampleRatio: {error}")));
    let (endpoint, sample_ratio) = (endpoint.ok()?, sample_ratio.ok()?);
    if !settings.allow.tracing_endpoint(endpoint.as_str()) {
        check.refuse(
            ConditionType::ReceiverReady,
            Reason::SettingNotAllowed,
            format!(
                "monitoring.tracing.endpoint must not be {}: ask who runs the operator for --allow-tracing-endpoints",
                endpoint.as_str()
            ),
        );
    }
    Some(TraceSettings {
        endpoint,
        sample_ratio,
    })
}
