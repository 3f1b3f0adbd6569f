//! A few sample bodies, with the interface of `wahook_events::samples`.
//!
//! All numbers and ids are fictional.

/// One complete webhook body.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    pub(super) name: &'static str,
    pub(super) body: &'static str,
    pub(super) about: &'static str,
}

macro_rules! envelope {
    ($value:literal) => {
        concat!(
            r#"{"object":"whatsapp_business_account","entry":[{"id":"100000000000001","changes":[{"value":"#,
            r#"{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550100000","#,
            r#""phone_number_id":"100000000000002"},"#,
            $value,
            r#"},"field":"messages"}]}]}"#
        )
    };
}

/// Every sample.
pub(super) const ALL: &[Sample] = &[
    Sample {
        name: "text",
        body: envelope!(
            r#""contacts":[{"profile":{"name":"Zo\u00eb Example"},"wa_id":"15550100001"}],"messages":[{"from":"15550100001","id":"wamid.SAMPLETEXT","timestamp":"1691234567","type":"text","text":{"body":"Hello, I have a question!"}}]"#
        ),
        about: "A text message",
    },
    Sample {
        name: "image",
        body: envelope!(
            r#""contacts":[{"profile":{"name":"Zo\u00eb Example"},"wa_id":"15550100001"}],"messages":[{"from":"15550100001","id":"wamid.SAMPLEIMAGE","timestamp":"1691234567","type":"image","image":{"id":"100000000000003","mime_type":"image\/jpeg","sha256":"AAAA","caption":"Is this one in stock?"}}]"#
        ),
        about: "An image with a caption",
    },
    Sample {
        name: "status_sent",
        body: envelope!(
            r#""statuses":[{"id":"wamid.SAMPLESTATUS","recipient_id":"15550100001","status":"sent","timestamp":"1691234567"}]"#
        ),
        about: "A message was sent",
    },
    Sample {
        name: "batch",
        body: envelope!(
            r#""contacts":[{"profile":{"name":"Zo\u00eb Example"},"wa_id":"15550100001"}],"messages":[{"from":"15550100001","id":"wamid.SAMPLEBATCH1","timestamp":"1691234567","type":"text","text":{"body":"First"}},{"from":"15550100001","id":"wamid.SAMPLEBATCH2","timestamp":"1691234568","type":"text","text":{"body":"Second"}}],"statuses":[{"id":"wamid.SAMPLEBATCH3","recipient_id":"15550100001","status":"read","timestamp":"1691234569"}]"#
        ),
        about: "Two messages and a status in one request",
    },
];

/// The sample of this name.
pub(super) fn get(name: &str) -> Option<&'static Sample> {
    ALL.iter().find(|sample| sample.name == name)
}

/// The sample as new messages: every id gets the tag. These few keep their times.
pub(super) fn fresh(sample: &Sample, tag: &str, _now: Option<i64>) -> String {
    sample.body.replace("\"wamid.", &format!("\"wamid.{tag}"))
}
