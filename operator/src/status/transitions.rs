//! What changed from one status to the next, for Kubernetes Events. Pure.

use wahook_crds::WhatsAppWebhookStatus;
use wahook_crds::conditions::{ConditionType, Reason};

use super::finding::find;

/// One condition that turned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// Which.
    pub condition: ConditionType,
    /// The condition's reason now.
    pub reason: String,
    /// The condition's message now.
    pub message: String,
    /// Whether somebody should look.
    pub is_warning: bool,
}

/// The conditions worth an Event. Ready repeats one of the others, Reconciling only says that work goes on.
const TOLD: [ConditionType; 7] = [
    ConditionType::SecretsReady,
    ConditionType::StreamReady,
    ConditionType::ReceiverReady,
    ConditionType::RouteReady,
    ConditionType::EndpointReady,
    ConditionType::Receiving,
    ConditionType::Stalled,
];

/// Reasons that only say that something takes its time.
const PATIENCE: [&str; 8] = [
    Reason::NotVisible.as_str(),
    Reason::AwaitingHandshake.as_str(),
    Reason::AwaitingFirstEvent.as_str(),
    Reason::Pending.as_str(),
    Reason::RollingOut.as_str(),
    Reason::RolloutQueued.as_str(),
    Reason::RoutePending.as_str(),
    Reason::CertificatePending.as_str(),
];

/// Every condition whose status or reason is another now. What is only pending is told by nobody.
pub fn transitions(before: &WhatsAppWebhookStatus, after: &WhatsAppWebhookStatus) -> Vec<Transition> {
    TOLD.into_iter()
        .filter_map(|kind| {
            let new = find(&after.conditions, kind)?;
            let old = find(&before.conditions, kind);
            let same = old.is_some_and(|old| old.status == new.status && old.reason == new.reason);
            let calm = PATIENCE.contains(&new.reason.as_str());
            // That nothing stalls is worth a word only after something did.
            let never_stalled = kind == ConditionType::Stalled
                && new.status == "False"
                && old.is_none_or(|old| old.status != "True");
            // Of the condition that it stalls for is told already.
            let said = kind == ConditionType::Stalled
                && new.status == "True"
                && new.reason != Reason::InvalidSpec.as_str();
            if same || calm || never_stalled || said {
                return None;
            }
            let bad = if kind == ConditionType::Stalled {
                "True"
            } else {
                "False"
            };
            Some(Transition {
                condition: kind,
                reason: new.reason.clone(),
                message: new.message.clone(),
                is_warning: new.status == bad && new.reason != Reason::Suspended.as_str(),
            })
        })
        .collect()
}
