//! What all events of one change share: account, context, contacts and the scope of their keys.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::sync::Arc;

use serde_json::value::RawValue;

use super::contacts::Contacts;
use super::data::Context;
use super::envelope::{Change, Entry};
use super::keys::{Body, ChangeKey};
use super::shape::Members;
use super::value::Value;
use crate::event::{Account, Origin};
use crate::known;
use crate::token::token;

/// The entry id of the dashboard's Test button.
const TEST_ENTRY: &str = "0";

/// What all events of one change share.
pub(super) struct Scope<'a> {
    pub(super) key: ChangeKey<'a>,
    pub(super) family: Cow<'static, str>,
    pub(super) origin: Origin,
    pub(super) account: Arc<Account>,
    pub(super) context: Context,
    pub(super) contacts: Contacts<'a>,
    pub(super) conversation: Option<&'a str>,
    /// Meta's `metadata` as it came, where it says more than the context.
    pub(super) metadata: Option<&'a str>,
    pub(super) entry_time: Option<i64>,
    /// Whether the change holds one element.
    pub(super) single: bool,
}

impl<'a> Scope<'a> {
    /// The scope of a change whose value was taken apart.
    pub(super) fn of(
        entry: &'a Entry<'_>,
        change: &'a Change<'_>,
        value: &Value<'a>,
        body: &'a Body<'a>,
    ) -> Self {
        let field = change.field.as_ref();
        let entry_id = entry.id.as_str().unwrap_or_default();
        // Some fields name the phone number inside an object of theirs.
        let phone_object = match field {
            "account_settings_update" => "phone_number_settings",
            "messaging_handovers" => "recipient",
            _ => "",
        };
        let phone = || inner(value, phone_object);
        let phone_number_id = value
            .phone_number_id
            .clone()
            .into_non_empty()
            .or_else(|| phone()?.scalar("phone_number_id").into_non_empty());
        let display_phone_number = value
            .display_phone_number
            .clone()
            .into_non_empty()
            .or_else(|| phone()?.scalar("display_phone_number").into_non_empty());
        // On partner fields the entry is a business portfolio; the WABA, if any, is named inside.
        let waba_info = inner(value, "waba_info").and_then(|info| info.scalar("waba_id").into_non_empty());
        let is_portfolio = field == "partner_solutions" || waba_info.is_some();
        let waba_id = if is_portfolio {
            waba_info.as_deref()
        } else {
            entry.id.non_empty()
        };
        let context = Context::new(&[
            ("portfolio_id", entry.id.non_empty().filter(|_| is_portfolio)),
            ("waba_id", waba_id),
            ("phone_number_id", phone_number_id.as_deref()),
            ("display_phone_number", display_phone_number.as_deref()),
        ]);
        let account = phone_number_id.as_deref().or(waba_id).unwrap_or_default();
        let token = token(account).into_owned();
        Self {
            family: known::family(field),
            origin: match entry_id {
                TEST_ENTRY => Origin::DashboardTest,
                _ => Origin::Live,
            },
            context,
            contacts: Contacts::of(&value.contacts),
            conversation: value.conversation_context.map(RawValue::get),
            metadata: value.metadata.map(RawValue::get),
            entry_time: entry.time.integer(),
            single: value.count() == 1,
            key: ChangeKey {
                field: Cow::Borrowed(field),
                account: phone_number_id.clone().unwrap_or(Cow::Borrowed(entry_id)),
                entry_id,
                entry_time: entry.time.as_str(),
                value: change.value,
                body,
                digest: OnceCell::new(),
            },
            account: Arc::new(Account {
                phone_number_id: phone_number_id.map(Cow::into_owned),
                token,
            }),
        }
    }
}

/// The members of an object among those of a value that are neither context nor events.
fn inner<'a>(value: &Value<'a>, name: &str) -> Option<Members<'a>> {
    let mut named = value.other.iter().filter(|(key, _)| key == name);
    named.find_map(|(_, raw)| Members::of(raw))
}
