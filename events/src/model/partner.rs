//! Partners, payment configurations and Flows.

use super::{Id, Timestamp};

object! {
    /// A solution of several partners changed (Meta, Webhooks reference: `partner_solutions`). The entry belongs
    /// to a portfolio.
    pub struct PartnerSolution {
        /// What happened.
        event: Option<SolutionEvent>,
        /// The solution.
        solution_id: Option<Id>,
        /// Its state, such as `ACTIVE` or `INITIATED`.
        solution_status: Option<String>,
    }
}

words! {
    /// What happened to a solution (Meta, Webhooks reference: `partner_solutions`, `event`).
    pub enum SolutionEvent {
        Created = "SOLUTION_CREATED",
        Updated = "SOLUTION_UPDATED",
    }
}

object! {
    /// A payment configuration changed (Meta, Webhooks reference: `payment_configuration_update`).
    pub struct PaymentConfigurationUpdate {
        /// Its name.
        configuration_name: Option<String>,
        /// The gateway, such as `razorpay`.
        provider_name: Option<String>,
        /// The business's account at the gateway.
        provider_mid: Option<Id>,
        /// `Active`, `Needs Connecting` or `Needs Testing`.
        status: Option<String>,
        /// When it was made.
        created_timestamp: Option<Timestamp>,
        /// When it last changed.
        updated_timestamp: Option<Timestamp>,
    }
}

object! {
    /// A Flow changed its status or needs attention (Meta, Flows: webhooks).
    pub struct FlowUpdate {
        /// What happened.
        event: Option<FlowEvent>,
        /// The Flow.
        flow_id: Option<Id>,
        /// What happened, in a sentence.
        message: Option<String>,
        /// The status before, such as `DRAFT`.
        old_status: Option<String>,
        /// The status now, such as `PUBLISHED`.
        new_status: Option<String>,
        /// Whether an alert begins or ends.
        alert_state: Option<AlertState>,
        /// What was crossed, in the unit of the measurement.
        threshold: Option<f64>,
        /// Errors, in percent.
        error_rate: Option<f64>,
        /// How many requests were measured.
        requests_count: Option<i64>,
        /// The median latency, in milliseconds.
        p50_latency: Option<f64>,
        /// The latency that nine of ten requests keep, in milliseconds.
        p90_latency: Option<f64>,
        /// Availability, in percent.
        availability: Option<f64>,
        /// The errors behind the rate.
        errors: Vec<FlowError>,
        /// What is wrong with the version, in a sentence.
        warning: Option<String>,
    }
}

words! {
    /// What happened to a Flow (Meta, Flows: webhooks, `event`).
    pub enum FlowEvent {
        StatusChange = "FLOW_STATUS_CHANGE",
        ClientErrorRate = "CLIENT_ERROR_RATE",
        EndpointErrorRate = "ENDPOINT_ERROR_RATE",
        EndpointLatency = "ENDPOINT_LATENCY",
        EndpointAvailability = "ENDPOINT_AVAILABILITY",
        VersionExpiryWarning = "FLOW_VERSION_EXPIRY_WARNING",
        VersionFreezeWarning = "FLOW_VERSION_FREEZE_WARNING",
    }
}

words! {
    /// Whether an alert begins or ends (Meta, Flows: webhooks, `alert_state`).
    pub enum AlertState {
        Activated = "ACTIVATED",
        Deactivated = "DEACTIVATED",
    }
}

object! {
    /// An error of a Flow and how often it happened (Meta, Flows: webhooks, `errors`).
    pub struct FlowError {
        /// Such as `TIMEOUT` or `INVALID_SCREEN_TRANSITION`.
        error_type: Option<String>,
        /// Its share, in percent.
        error_rate: Option<f64>,
        /// How often.
        error_count: Option<i64>,
    }
}
