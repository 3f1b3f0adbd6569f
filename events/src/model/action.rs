//! What customers do with a marketing message.

use super::{Id, Timestamp};

object! {
    /// An action of a customer (Meta, Marketing Messages: track click events). It names neither the customer
    /// nor the message: match it by `click_id`.
    pub struct UserAction {
        /// What was done.
        action_type: Option<UserActionKind>,
        /// When.
        timestamp: Option<Timestamp>,
        /// The click, when the action is one.
        marketing_messages_link_click_data: Option<LinkClick>,
    }
}

words! {
    /// What a customer did (Meta, Marketing Messages: track click events, `action_type`).
    pub enum UserActionKind {
        LinkClick = "marketing_messages_link_click",
    }
}

object! {
    /// A click (Meta, Marketing Messages: track click events).
    pub struct LinkClick {
        /// `cta` for the button, `body` for the text.
        click_component: Option<String>,
        /// The click; Meta appends the same id to the address that opens.
        click_id: Option<Id>,
        /// The product, where one was assigned.
        product_id: Option<Id>,
        /// Meta's own token.
        tracking_token: Option<String>,
    }
}
