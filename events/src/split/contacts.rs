//! Which of a change's contacts belongs to which element.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::keys::Customer;
use super::shape::Scalar;

/// One entry of `contacts` with the ids it can be found by.
pub(crate) struct Contact<'a> {
    raw: &'a RawValue,
    ids: Ids<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Ids<'a> {
    #[serde(borrow)]
    wa_id: Scalar<'a>,
    #[serde(borrow)]
    user_id: Scalar<'a>,
}

/// Reads the contacts of a change.
pub(crate) fn read<'a>(raws: &[&'a RawValue]) -> Vec<Contact<'a>> {
    let ids = |raw: &'a RawValue| serde_json::from_str(raw.get()).unwrap_or_default();
    raws.iter().map(|raw| Contact { raw, ids: ids(raw) }).collect()
}

/// The contact of a customer: by user id, then by phone. A change's only contact is also that of a customer who shares
/// no kind of id with it, since then nothing says otherwise.
pub(crate) fn find<'a>(contacts: &[Contact<'a>], customer: &Customer<'_>) -> Option<&'a RawValue> {
    let user_id = customer.user_id.as_deref();
    let phone = customer.phone.as_deref();
    let same = |given: Option<&str>, own: &Scalar<'_>| given.is_some() && own.non_empty() == given;
    let found = contacts
        .iter()
        .find(|contact| same(user_id, &contact.ids.user_id))
        .or_else(|| contacts.iter().find(|contact| same(phone, &contact.ids.wa_id)));
    match (found, contacts) {
        (Some(contact), _) => Some(contact.raw),
        (None, [only]) => {
            let comparable = (user_id.is_some() && only.ids.user_id.non_empty().is_some())
                || (phone.is_some() && only.ids.wa_id.non_empty().is_some());
            (!comparable).then_some(only.raw)
        }
        (None, _) => None,
    }
}

/// The user id in a contact, for a customer whose element names only a phone.
pub(crate) fn user_id<'a>(contacts: &'a [Contact<'_>], customer: &Customer<'_>) -> Option<&'a str> {
    let phone = customer.phone.as_deref()?;
    let same = |contact: &&Contact<'_>| contact.ids.wa_id.non_empty() == Some(phone);
    contacts.iter().find(same)?.ids.user_id.non_empty()
}
