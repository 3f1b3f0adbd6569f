//! Address cards, which a customer shares in a `contacts` message.

use super::Id;

object! {
    /// An address card (Meta, Webhooks reference: messages/contacts). Everything may be missing, the phone
    /// numbers too.
    pub struct ContactCard {
        /// The name.
        name: Option<CardName>,
        /// Phone numbers.
        phones: Vec<CardPhone>,
        /// E-mail addresses.
        emails: Vec<CardEmail>,
        /// Postal addresses.
        addresses: Vec<CardAddress>,
        /// Where the person works.
        org: Option<CardOrganization>,
        /// Web pages.
        urls: Vec<CardUrl>,
        /// The date of birth, `YYYY-MM-DD`.
        birthday: Option<String>,
        /// The card as a vCard.
        vcard: Option<String>,
        /// `contact_request` for the answer to a request for contact details, else `other`.
        origin: Option<String>,
    }
}

object! {
    /// The name on a card (Meta, Webhooks reference: messages/contacts, `name`).
    pub struct CardName {
        /// The whole name.
        formatted_name: Option<String>,
        /// The first name.
        first_name: Option<String>,
        /// The last name.
        last_name: Option<String>,
        /// The middle name.
        middle_name: Option<String>,
        /// What stands before it.
        prefix: Option<String>,
        /// What stands after it.
        suffix: Option<String>,
    }
}

object! {
    /// A phone number on a card (Meta, Webhooks reference: messages/contacts, `phones`).
    pub struct CardPhone {
        /// The number as the card writes it.
        phone: Option<String>,
        /// The number on WhatsApp, if it is there.
        wa_id: Option<Id>,
        /// The business-scoped user id, if there is one.
        user_id: Option<Id>,
        /// `CELL`, `HOME` or any other label.
        kind: Option<String> = "type",
    }
}

object! {
    /// An e-mail address on a card (Meta, Webhooks reference: messages/contacts, `emails`).
    pub struct CardEmail {
        /// The address.
        email: Option<String>,
        /// `HOME`, `WORK` or any other label.
        kind: Option<String> = "type",
    }
}

object! {
    /// A postal address on a card (Meta, Webhooks reference: messages/contacts, `addresses`).
    pub struct CardAddress {
        /// Street and number.
        street: Option<String>,
        /// City.
        city: Option<String>,
        /// State.
        state: Option<String>,
        /// Postal code.
        zip: Option<String>,
        /// Country.
        country: Option<String>,
        /// Country as two letters.
        country_code: Option<String>,
        /// `HOME`, `WORK` or any other label.
        kind: Option<String> = "type",
    }
}

object! {
    /// An employer on a card (Meta, Webhooks reference: messages/contacts, `org`).
    pub struct CardOrganization {
        /// The company.
        company: Option<String>,
        /// The department.
        department: Option<String>,
        /// The job title.
        title: Option<String>,
    }
}

object! {
    /// A web page on a card (Meta, Webhooks reference: messages/contacts, `urls`).
    pub struct CardUrl {
        /// The address.
        url: Option<String>,
        /// `HOME`, `WORK` or any other label.
        kind: Option<String> = "type",
    }
}
