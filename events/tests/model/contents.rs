//! What the types hold is what was sent, under whichever of its names Meta sent it.

use serde_json::Value;
use wahook_events::{
    model::{AccountUpdate, FieldValue, Interactive, Media, MessageContent, Reply},
    received::ObjectKind,
};

use crate::{changes, event, message, payload, status};

#[test]
fn the_contents_are_what_was_sent() {
    assert!(
        matches!(message("guide").content, MessageContent::Text(text) if text.body == "Hello, I have a question!")
    );
    let MessageContent::Text(text) = message("text_escapes").content else {
        panic!()
    };
    assert_eq!(
        text.body,
        "Caf\u{e9} \u{2615} 50% <ana@example.com> a/b \u{1f389} \\ \"quoted\"\nsecond line"
    );
    assert!(matches!(
        message("audio").content,
        MessageContent::Audio(Media {
            voice: Some(true),
            ..
        })
    ));
    for (name, removal) in [
        ("reaction", false),
        ("reaction_removed", true),
        ("reaction_removed_empty", true),
    ] {
        let MessageContent::Reaction(reaction) = message(name).content else {
            panic!("{name}")
        };
        assert_eq!(reaction.is_removal(), removal, "{name}");
    }
    let MessageContent::Interactive(interactive) = message("interactive_nfm_reply").content else {
        panic!()
    };
    let Interactive {
        reply: Reply::Flow(reply),
        ..
    } = *interactive
    else {
        panic!()
    };
    assert_eq!(reply.response::<Value>().unwrap().unwrap()["rating"], "5");
    let MessageContent::Edit(edit) = message("edit").content else {
        panic!()
    };
    assert!(matches!(edit.message.unwrap().content, MessageContent::Image(_)));
    let answer = message("text_context_referral");
    assert_eq!(
        answer
            .context
            .unwrap()
            .referred_product
            .unwrap()
            .product_retailer_id
            .unwrap(),
        "mug-blue-1"
    );
    assert_eq!(answer.referral.unwrap().source_type.as_deref(), Some("ad"));
    let MessageContent::Order(order) = message("order").content else {
        panic!()
    };
    assert_eq!(
        order
            .product_items
            .iter()
            .filter_map(|item| item.item_price)
            .sum::<f64>()
            .to_bits(),
        15.99_f64.to_bits()
    );
}

#[test]
fn both_spellings_of_a_status_lead_to_the_same_answer() {
    assert_eq!(
        status("status_group").participant().unwrap(),
        &"US.10000000000000000002"
    );
    assert_eq!(
        status("status_group_other_spelling").participant().unwrap(),
        &"15550100001"
    );
    assert_eq!(status("status_group").price().unwrap().billable, Some(false));
    assert_eq!(status("status_delivered").price().unwrap().billable, Some(true));
    let payment = status("status_payment_captured").payment.unwrap();
    assert_eq!(
        payment.transaction.unwrap().refunds[0].id.as_deref(),
        Some("rfnd_EXAMPLE0001")
    );
}

#[test]
fn both_forms_of_account_fields_are_told_apart() {
    let typed = |name: &str| changes(&payload(name)).next().unwrap().typed();
    for (name, impending) in [
        ("template_category_update_impending", true),
        ("template_category_update", false),
    ] {
        let FieldValue::TemplateCategory(update) = typed(name) else {
            panic!("{name}")
        };
        assert_eq!(update.is_impending(), impending);
    }
    for (name, kind) in [
        ("account_alerts", "INCREASED_CAPABILITIES_ELIGIBILITY_DEFERRED"),
        ("account_alerts_flat", "OBA_APPROVED"),
    ] {
        let FieldValue::AccountAlert(alert) = typed(name) else {
            panic!("{name}")
        };
        assert_eq!(alert.info().alert_type.as_deref(), Some(kind));
    }
    let value = changes(&payload("account_update_partner_added"))
        .next()
        .unwrap()
        .value
        .clone()
        .unwrap();
    let data = event("value", &value);
    assert_eq!(data.kind(), ObjectKind::Value);
    assert_eq!(
        data.value_as::<AccountUpdate>()
            .unwrap()
            .waba_info
            .unwrap()
            .waba_id
            .unwrap(),
        "215005501000001"
    );
}
