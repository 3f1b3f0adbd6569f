//! The customer, as the `contacts` list of a change describes him.

use super::Id;

object! {
    /// A customer (Meta, Webhooks reference: messages, `contacts`; Business-scoped user IDs).
    pub struct Contact {
        /// The profile the customer filled in.
        profile: Option<Profile>,
        /// The phone number. Absent for a customer with a username whose number the business may not see.
        wa_id: Option<Id>,
        /// The business-scoped user id, such as `US.1000…`. It changes when the customer changes the number.
        user_id: Option<Id>,
        /// The id above it, where the business has linked portfolios.
        parent_user_id: Option<Id>,
        /// A hash that changes with the customer's device. Only with the identity check turned on.
        identity_key_hash: Option<String>,
    }
}

impl Contact {
    /// Whether `id` is one of this customer's identifiers.
    pub fn is(&self, id: &str) -> bool {
        [&self.user_id, &self.wa_id, &self.parent_user_id]
            .into_iter()
            .flatten()
            .any(|own| own.as_str() == id)
    }
}

object! {
    /// A customer's profile (Meta, Webhooks reference: messages, `contacts[].profile`).
    pub struct Profile {
        /// The name the customer chose. Not verified, not unique.
        name: Option<String>,
        /// The username, if the customer has one.
        username: Option<String>,
    }
}
