//! Text from outside as subjects and headers.

use serde_json::json;
use wahook_events::contract::{Destination, Publisher, Request};
use wahook_events::{EventId, MAX_TOKEN, split, token};

use super::{Target, texts};

pub(super) const TARGET: Target = Target {
    name: "subjects",
    about: "five texts as names, ids and types: always seven tokens that NATS may see, and headers of one line each",
    seeds,
    run,
};

fn seeds() -> Vec<Vec<u8>> {
    texts(&[
        "shop\nmain\n315005501000001\nwamid.HBgLMTU1NTAxMjM0NTY\ntext",
        "a.b\n*\n>\n \n\t",
        "\n\n\n\n",
        "caf\u{e9}\n\u{1f600}\n\u{202e}\n\r\n\u{0}",
    ])
}

fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut parts = text.splitn(5, '\n').chain(std::iter::repeat(""));
    let mut part = || parts.next().unwrap_or_default();
    let (namespace, webhook, account, id, kind) = (part(), part(), part(), part(), part());
    for text in [namespace, webhook, account, id, kind] {
        let once = token(text);
        assert!(is_token(&once));
        assert_eq!(token(&once), once, "a token stays as it is");
    }
    let publisher = Publisher::new("whatsapp", namespace, webhook);
    let request = Request {
        publisher: &publisher,
        stream: "EVENTS",
        received: "2026-01-01T00:00:00Z",
    };
    let body = json!({ "object": "whatsapp_business_account", "entry": [{ "id": account, "changes": [{ "field": kind, "value": {
        "metadata": { "phone_number_id": account },
        "messages": [{ "id": id, "from": webhook, "type": kind, "timestamp": namespace }],
        "statuses": [{ "id": id, "recipient_id": webhook, "status": kind, "timestamp": id }],
    } }] }] });
    let body = body.to_string();
    let Ok(parts) = split(body.as_bytes()) else {
        panic!("an envelope was refused");
    };
    assert!(parts.events.len() + parts.unusable.len() > 0);
    for event in &parts.events {
        for destination in [Destination::Event, Destination::Test, Destination::Quarantine] {
            let addressed = request.event(event, destination, event.id);
            check(&publisher, &addressed.subject, &addressed.headers);
        }
    }
    let addressed = request.dead_letter("not_json", EventId::of_dead_letter(data));
    check(&publisher, &addressed.subject, &addressed.headers);
}

fn check(publisher: &Publisher, subject: &str, headers: &[(&str, String)]) {
    let tokens: Vec<_> = subject.split('.').collect();
    assert_eq!(tokens.len(), 7, "{subject}");
    assert!(tokens.iter().all(|token| is_token(token)), "{subject}");
    let lane = tokens[6].as_bytes();
    assert!(matches!(lane, [b'0'..=b'9' | b'a'..=b'f']), "{subject}");
    let head = publisher.all_subjects();
    assert!(
        head.strip_suffix('>')
            .is_some_and(|head| subject.starts_with(head)),
        "{subject}"
    );
    for (name, value) in headers {
        assert!(
            value.bytes().all(|byte| (0x20..0x7f).contains(&byte)),
            "{name}: {value:?}"
        );
    }
}

fn is_token(text: &str) -> bool {
    (1..=MAX_TOKEN).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b))
}
