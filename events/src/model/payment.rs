//! A payment, as a status of type `payment` carries it (India and Brazil).

use serde_json::Value;

use super::{Id, Timestamp};

object! {
    /// A payment (Meta, Payments in India: payment gateway, webhooks; Payments in Brazil).
    pub struct Payment {
        /// The business's own reference of the order.
        reference_id: Option<Id>,
        /// How much.
        amount: Option<Amount>,
        /// The currency, as ISO 4217 writes it.
        currency: Option<String>,
        /// The attempt to pay.
        transaction: Option<Transaction>,
        /// What the business asked the gateway to note on the receipt.
        receipt: Option<String>,
        /// What the business attached for the gateway.
        notes: Option<Value>,
    }
}

object! {
    /// An amount of money: `value / offset` units of the currency (Meta, Payments: `amount`).
    pub struct Amount {
        /// The amount in the smallest unit.
        value: Option<i64>,
        /// How many of it make one unit of the currency; 100 for rupees.
        offset: Option<i64>,
    }
}

object! {
    /// An attempt to pay (Meta, Payments: `transaction`).
    pub struct Transaction {
        /// The gateway's order.
        id: Option<Id>,
        /// The gateway's payment.
        pg_transaction_id: Option<Id>,
        /// The gateway or the kind of payment, such as `razorpay` or `upi`.
        kind: Option<String> = "type",
        /// `pending`, `success` or `failed`.
        status: Option<String>,
        /// When it was made.
        created_timestamp: Option<Timestamp>,
        /// When it last changed.
        updated_timestamp: Option<Timestamp>,
        /// How the customer pays.
        method: Option<PaymentMethod>,
        /// Why it failed.
        error: Option<PaymentError>,
        /// What was paid back.
        refunds: Vec<Refund>,
    }
}

object! {
    /// How a customer pays (Meta, Payments: `transaction.method`).
    pub struct PaymentMethod {
        /// `upi`, `card`, `netbanking` or `wallet`.
        kind: Option<String> = "type",
    }
}

object! {
    /// Why a payment failed, in the gateway's words (Meta, Payments: `transaction.error`).
    pub struct PaymentError {
        /// The gateway's code.
        code: Option<Id>,
        /// The gateway's reason.
        reason: Option<String>,
    }
}

object! {
    /// Money that was paid back (Meta, Payments: `refunds`).
    pub struct Refund {
        /// The refund.
        id: Option<Id>,
        /// How much.
        amount: Option<Amount>,
        /// `instant` or `normal`.
        speed_processed: Option<String>,
        /// `pending`, `success` or `failed`.
        status: Option<String>,
        /// When it was made.
        created_timestamp: Option<Timestamp>,
        /// When it last changed.
        updated_timestamp: Option<Timestamp>,
    }
}
