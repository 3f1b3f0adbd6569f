//! Which of a change's contacts belongs to which element.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::keys::Customer;
use super::shape::{Members, Scalar};

/// The contacts of a change, findable by the ids they carry.
pub(crate) struct Contacts<'a> {
    contacts: Vec<Contact<'a>>,
    /// Every id with its contact's place, sorted: a change may hold a thousand elements and as many contacts.
    by_id: Vec<(Kind, Cow<'a, str>, usize)>,
}

/// One contact.
pub(crate) struct Contact<'a> {
    pub(crate) raw: &'a RawValue,
    ids: Ids<'a>,
}

impl Contact<'_> {
    /// The customer's phone number as WhatsApp spells it, where Meta tells it.
    pub(crate) fn phone(&self) -> Option<&str> {
        self.ids.wa_id.non_empty()
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    UserId,
    Phone,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Ids<'a> {
    #[serde(borrow)]
    wa_id: Scalar<'a>,
    #[serde(borrow)]
    user_id: Scalar<'a>,
}

impl<'a> Ids<'a> {
    /// The ids in a contact, whatever else is in it; `None` when it is not an object.
    fn of(raw: &'a RawValue) -> Option<Self> {
        serde_json::from_str(raw.get()).ok().or_else(|| {
            let members = Members::of(raw)?;
            Some(Self {
                wa_id: members.scalar("wa_id"),
                user_id: members.scalar("user_id"),
            })
        })
    }
}

impl<'a> Contacts<'a> {
    /// Reads the contacts of a change; what is not an object describes nobody.
    pub(crate) fn of(raws: &[&'a RawValue]) -> Self {
        let is_object = |raw: &&&RawValue| raw.get().starts_with('{');
        let read = |raw: &&'a RawValue| Ids::of(raw).map(|ids| Contact { raw, ids });
        let contacts: Vec<_> = raws.iter().filter(is_object).filter_map(read).collect();
        let mut by_id = Vec::with_capacity(2 * contacts.len());
        for (place, contact) in contacts.iter().enumerate() {
            let ids = [
                (Kind::UserId, &contact.ids.user_id),
                (Kind::Phone, &contact.ids.wa_id),
            ];
            for (kind, id) in ids {
                by_id.extend(id.clone().into_non_empty().map(|id| (kind, id, place)));
            }
        }
        by_id.sort_unstable();
        Self { contacts, by_id }
    }

    /// The contact of a customer: by user id, then by the user id before a change of it, then by phone. Where a change
    /// holds one element and one contact without any kind of id in common (`alone`), nothing else can be meant.
    pub(crate) fn find(&self, customer: &Customer<'_>, alone: bool) -> Option<&Contact<'a>> {
        let found = [&customer.user_id, &customer.former_user_id]
            .into_iter()
            .flatten()
            .find_map(|id| self.by(Kind::UserId, id))
            .or_else(|| {
                // Two user ids that differ are two people, whatever number they share.
                let same_phone = self.by(Kind::Phone, customer.phone.as_deref()?)?;
                let differ = customer.user_id.is_some() && same_phone.ids.user_id.non_empty().is_some();
                (!differ).then_some(same_phone)
            });
        match (found, self.contacts.as_slice()) {
            (Some(contact), _) => Some(contact),
            (None, [only]) if alone => {
                let comparable = (customer.user_id.is_some() && only.ids.user_id.non_empty().is_some())
                    || (customer.phone.is_some() && only.ids.wa_id.non_empty().is_some());
                (!comparable).then_some(only)
            }
            _ => None,
        }
    }

    fn by(&self, kind: Kind, id: &str) -> Option<&Contact<'a>> {
        let at = self
            .by_id
            .partition_point(|(other, key, _)| (*other, key.as_ref()) < (kind, id));
        let (found, key, place) = self.by_id.get(at)?;
        (*found == kind && key == id).then(|| &self.contacts[*place])
    }
}
