//! The receivers' account. It may do nothing and its token is not mounted.

use k8s_openapi::api::core::v1::ServiceAccount;

use super::child;
use crate::child::{Child, ChildKind};
use crate::validate::Validated;

pub(super) fn build(webhook: &Validated) -> Child {
    let account = ServiceAccount {
        automount_service_account_token: Some(false),
        ..ServiceAccount::default()
    };
    child(webhook, ChildKind::ServiceAccount, &account)
}
